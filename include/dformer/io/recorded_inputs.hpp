#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/core/fill.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/host_tensor.hpp>
#include <dformer/io/tensor_source.hpp>
#include <dformer/nn/random_bases.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

/// What a network is run with beside another framework: images as it takes them, normalised, channels last,
/// and the bases that the other side's factorization started from, where they are recorded.
struct RecordedInputs {
  parity::HostTensor rgb;                   ///< [N, H, W, 3]
  parity::HostTensor depth;                 ///< [N, H, W, 1]
  std::optional<parity::HostTensor> bases;  ///< [N, D, R], as drawn: not yet normalised
};

namespace detail {

inline const TensorRecord& input_record(const Checkpoint& file, std::string_view name) {
  const TensorRecord* record = file.find(name);
  if (record != nullptr && record->shape.rank() == 4 && record->numel() > 0) return *record;
  throw_argument_error("[" + file.path() + "] an array '" + std::string(name) +
                       "' of four axes expected, [N, C, H, W] or [N, H, W, C], got " +
                       (record == nullptr ? "none" : to_string(record->shape)));
}

/// The first `channels` of an image, with channels first or last. Depth is sometimes repeated to three.
inline parity::HostTensor read_image(const Checkpoint& file, std::string_view name, std::int64_t channels) {
  const TensorRecord& record = input_record(file, name);
  const Shape& shape = record.shape;
  const auto fits = [&](std::int64_t extent) { return extent == channels || extent == 3; };
  const bool first = fits(shape[1]) && file.text("layout").value_or("") != "channels_last";
  if (!first && !fits(shape[3])) {
    throw_argument_error("[" + file.path() + "] '" + record.name + "' should have " +
                         std::to_string(channels) + " or 3 channels, got " + to_string(shape));
  }
  const std::int64_t stored = first ? shape[1] : shape[3];
  parity::HostTensor image{
      first ? Shape{shape[0], shape[2], shape[3], channels} : Shape{shape[0], shape[1], shape[2], channels},
      {}};
  const std::int64_t pixels = image.shape[1] * image.shape[2];
  const std::vector<float> values = record.to_float32();
  image.values.reserve(static_cast<std::size_t>(image.shape.numel()));
  for (std::int64_t i = 0; i < image.shape.numel(); ++i) {
    const std::int64_t channel = i % channels;
    const std::int64_t pixel = i / channels % pixels;
    const std::int64_t n = i / channels / pixels;
    image.values.push_back(values[static_cast<std::size_t>(first ? (n * stored + channel) * pixels + pixel
                                                                 : (n * pixels + pixel) * stored + channel)]);
  }
  return image;
}

}  // namespace detail

/// The arrays `input.rgb` and `input.depth` of a file, and `input.rand.0`, the first numbers that the other
/// side drew, where it has them. Throws: ArgumentError.
inline RecordedInputs read_inputs(const Checkpoint& file) {
  RecordedInputs inputs{
      detail::read_image(file, "input.rgb", 3), detail::read_image(file, "input.depth", 1), {}};
  for (const int axis : {0, 1, 2}) {
    if (inputs.rgb.shape[axis] == inputs.depth.shape[axis]) continue;
    throw_argument_error("[" + file.path() + "] input.rgb " + to_string(inputs.rgb.shape) +
                         " and input.depth " + to_string(inputs.depth.shape) + " must have one size");
  }
  const TensorRecord* bases = file.find("input.rand.0");
  if (bases != nullptr && bases->shape.rank() == 3)
    inputs.bases = parity::HostTensor{bases->shape, bases->to_float32()};
  return inputs;
}

/// One image of numbers drawn by name, as the fixtures' are (docs/parity.md), in the order of channels last.
inline RecordedInputs draw_inputs(std::int64_t height, std::int64_t width) {
  const auto draw = [&](std::string_view name, std::int64_t channels, float factor) {
    parity::HostTensor image{{1, height, width, channels}, {}};
    const NamedStream stream(name, "");
    for (std::int64_t i = 0; i < image.shape.numel(); ++i)
      image.values.push_back(factor * stream.symmetric(static_cast<std::uint64_t>(i)));
    return image;
  };
  return {draw("input.rgb", 3, 2.0f), draw("input.depth", 1, 1.0f), {}};
}

/// Starts a network's factorization from these bases, each column of which is divided by its norm.
/// Throws: ArgumentError where the network has none of this shape.
template <class Network>
void set_bases(Network& network, const parity::HostTensor& drawn,
               const typename Network::Backend::Device& device) {
  using B = typename Network::Backend;
  for (auto& [name, parameter] : parameters(network)) {
    if (parameter->kind() != ParameterKind::constant) continue;
    const Shape& one = parameter->shape();
    if (one[1] != drawn.shape[1] || one[2] != drawn.shape[2]) continue;
    std::vector<float> values = drawn.values;
    normalize_columns(static_cast<int>(one[1]), static_cast<int>(one[2]), values);
    return parameter->set(B::weight_from_host(device, WeightLayout::plain, drawn.shape, values));
  }
  throw_argument_error("[set_bases] input.rand.0 " + to_string(drawn.shape) +
                       " fits no starting bases of this network");
}

/// For a file. The values are kept.
inline NamedTensor named(parity::HostTensor tensor, std::string name) {
  return {std::move(name), tensor_of(tensor.shape, std::move(tensor.values))};
}

}  // namespace dformer

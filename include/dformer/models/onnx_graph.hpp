#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/backend/onnx/onnx.hpp>
#include <dformer/core/color_order.hpp>
#include <dformer/core/depth_input.hpp>
#include <dformer/core/error.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

/// What a model gives: class scores at the size of the input, [N, K, H, W], as the official networks do; the
/// best class of every pixel, int32 [N, H, W]; or the scores before the last upsampling, [N, K, h, w].
enum class OnnxOutput : std::uint8_t { logits, labels, coarse_logits };

constexpr std::string_view name_of(OnnxOutput output) {
  return output == OnnxOutput::logits ? "logits" : output == OnnxOutput::labels ? "labels" : "coarse_logits";
}

struct OnnxOptions {
  static constexpr std::int64_t any_batch = 0;

  std::int64_t height = 480;
  std::int64_t width = 640;
  std::int64_t batch = 1;  ///< number of images, or any_batch: decided by what the model is given
  OnnxOutput output = OnnxOutput::logits;
};

/// A side of 32 pixels is one pixel of a backbone's last map; tables of positions grow with the square of the
/// largest. Throws: ArgumentError for options that no model can have.
inline void require_possible(const OnnxOptions& options) {
  constexpr std::int64_t least_side = 32, largest_side = 4096, most_images = 1024;
  for (const std::int64_t side : {options.height, options.width}) {
    if (side >= least_side && side <= largest_side) continue;
    throw_argument_error("[onnx] height and width must be " + std::to_string(least_side) + " to " +
                         std::to_string(largest_side) + " pixels, got " + std::to_string(options.height) +
                         "x" + std::to_string(options.width) + " (height x width)");
  }
  if (options.batch < 0 || options.batch > most_images) {
    throw_argument_error("[onnx] a batch of 1 to " + std::to_string(most_images) +
                         " images expected, or any_batch for an open one; got " +
                         std::to_string(options.batch));
  }
}

namespace detail {

/// The extents of a value of that shape in the graph; the first may be open.
inline std::vector<onnx::Extent> open_extents(const Shape& shape, onnx::Order order,
                                              const OnnxOptions& options) {
  std::vector<onnx::Extent> extents;
  for (const std::int64_t extent : onnx::dims_of(shape, order)) extents.emplace_back(extent);
  if (options.batch == OnnxOptions::any_batch) extents.front() = "batch";
  return extents;
}

inline onnx::Tensor onnx_input(onnx::Recorder& recorder, std::string name, const Shape& shape,
                               const OnnxOptions& options, std::string description) {
  recorder.input({name, onnx::ElementType::float32, open_extents(shape, onnx::Order::channels_first, options),
                  std::move(description)});
  return onnx::Tensor(onnx::Device(recorder), shape,
                      {.name = std::move(name), .order = onnx::Order::channels_first});
}

}  // namespace detail

/// Records a segmentation network of the Onnx backend, also one chosen by name:
///
///     auto net = make_segmenter<Onnx>("DFormer_Large");
///     load(*net, "NYUv2_DFormer_Large.pth");
///     write_onnx(onnx_graph(*net, {.height = 480, .width = 640}), "DFormer_Large.onnx");
///
/// Inputs are `rgb` [N, 3, H, W], in the network's colour order, and `depth` [N, 1, H, W], normalised;
/// the output has the name of options.output. Initializers are the parameters under their names in
/// checkpoints. Throws: ArgumentError for options that cannot be; UnsetParameterError before load().
template <class Network>
onnx::Graph onnx_graph(const Network& network, const OnnxOptions& options, std::string name = "dformer") {
  require_possible(options);
  for (const auto& [parameter_name, parameter] : parameters(network)) {
    if (parameter->has_value()) onnx::set_name(parameter->value(), parameter_name);
  }
  onnx::Recorder recorder;
  const std::int64_t images = options.batch == OnnxOptions::any_batch ? 1 : options.batch;
  const Shape pixels{images, options.height, options.width, 3};
  const char* const order = network.color_order == ColorOrder::bgr ? "B, G, R" : "R, G, B";
  const onnx::Tensor rgb = detail::onnx_input(
      recorder, "rgb", pixels, options,
      std::string("colour, channels ") + order +
          "; (value / 255 - mean) / deviation with means 0.485, 0.456, 0.406 and deviations 0.229, 0.224, "
          "0.225 in the order of the channels");
  const onnx::Tensor depth = detail::onnx_input(
      recorder, "depth", pixels.with_back(1), options,
      depth_input_of(network) == DepthInput::greys
          ? "8-bit depth, near dark and far bright; (value / 255 - 0.48) / 0.28"
          : "depth in metres, 0 where there is none; (value - 2.8424503515351494) / 0.9932836506164299");

  const bool labels = options.output == OnnxOutput::labels;
  onnx::Tensor y = labels ? network.labels(rgb, depth) : network(rgb, depth);
  if (options.output == OnnxOutput::logits)
    y = Onnx::resize_bilinear(y, options.height, options.width, false);
  const onnx::Order y_order = labels ? onnx::Order::channels_last : onnx::Order::channels_first;
  recorder.output(onnx::name_in(y, y_order), {std::string(name_of(options.output)),
                                              labels ? onnx::ElementType::int32 : onnx::ElementType::float32,
                                              detail::open_extents(y.shape(), y_order, options)});

  onnx::Graph graph = std::move(recorder.graph());
  graph.name = std::move(name);
  graph.metadata = {{"num_classes", std::to_string(network.num_classes)},
                    {"color_order", order},
                    {"depth", depth_input_of(network) == DepthInput::greys ? "greys" : "metres"}};
  return graph;
}

}  // namespace dformer

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <dformer/backend/observe.hpp>
#include <dformer/core/fill.hpp>
#include <dformer/io/host_tensor.hpp>
#include <dformer/io/parity_comparison.hpp>
#include <dformer/io/parity_fixture.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/nn/random_bases.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

namespace parity {

/// [N, H, W, channels] of numbers drawn by name in the order of [N, channels, H, W], as the fixtures' inputs
/// are.
template <class B>
typename B::Tensor input(const ParityFixture& fixture, std::string_view name, std::int64_t channels,
                         float factor, const typename B::Device& device) {
  const Shape shape{fixture.input_shape[0], fixture.input_shape[2], fixture.input_shape[3], channels};
  const std::int64_t pixels = shape[1] * shape[2];
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  const NamedStream stream(name, fixture.salt);
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    const std::int64_t image = i / (pixels * channels);
    const std::int64_t channel = i / pixels % channels;
    const auto place = static_cast<std::size_t>((image * pixels + i % pixels) * channels + channel);
    values[place] = factor * stream.symmetric(static_cast<std::uint64_t>(i));
  }
  return B::from_host(device, shape, values);
}

/// The Hamburger's bases of a fixture: a matrix for each image, drawn one behind the other.
template <class B>
typename B::Tensor bases(const ParityFixture& fixture, const Shape& one, const typename B::Device& device) {
  const Shape shape{fixture.input_shape[0], one[1], one[2]};
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  random_bases(NamedStream("ham.bases", fixture.salt), static_cast<int>(one[1]), static_cast<int>(one[2]),
               values);
  return B::weight_from_host(device, WeightLayout::plain, shape, values);
}

}  // namespace parity

/// Fills the network and its inputs as the fixture says, runs it, and compares everything that was recorded.
/// The network's backend is Observe<B>, and it must be the model that the fixture names.
template <class Network>
ParityReport check_parity(
    Network& network, const ParityFixture& fixture,
    const typename Network::Backend::Device& device = Network::Backend::default_device()) {
  using B = typename Network::Backend;
  using Tensor = typename B::Tensor;
  const std::int64_t n = fixture.input_shape[0];
  const std::int64_t height = fixture.input_shape[2];
  const std::int64_t width = fixture.input_shape[3];

  fill_parameters(
      network,
      [&](std::string_view name, const Shape& shape, std::span<float> values) {
        fill_by_name(name, shape, values, fixture.salt);
      },
      device);
  std::unordered_map<const Tensor*, std::string> name_of;
  for (auto& [name, parameter] : parameters(network)) {
    if (parameter->kind() == ParameterKind::constant)
      parameter->set(parity::bases<B>(fixture, parameter->shape(), device));
    if (parameter->kind() != ParameterKind::counter) name_of.emplace(&parameter->value(), name);
  }

  std::map<std::string, parity::HostTensor> results;
  auto keep = [&](const Tensor* weight, const Tensor& result) {
    if (const auto found = name_of.find(weight); found != name_of.end())
      results[found->second] = parity::to_host<B>(result);
  };
  const Tensor rgb = parity::input<B>(fixture, "input.rgb", 3, 2.0f, device);
  const Tensor depth = parity::input<B>(fixture, "input.depth", 1, 1.0f, device);
  const Tensor logits = [&] {
    const typename B::template Scope<decltype(keep)> scope(keep);
    return network(rgb, depth);
  }();
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(n * height * width));
  B::labels_to_host(B::resize_argmax(logits, height, width), labels);
  return parity::Comparison(fixture, results)
      .report(parity::to_host<B>(logits),
              parity::to_host<B>(B::resize_bilinear(logits, height, width, false)), labels);
}

}  // namespace dformer

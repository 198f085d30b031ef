#pragma once

#include <cmath>
#include <span>

#include <dformer/backend/geometry_prior.hpp>
#include <dformer/nn/parameter.hpp>

namespace dformer {

/// What a DFormerv2 block knows of geometry (CVPR 2025, section 3.1): how much distance in the image and
/// distance in depth weigh, how fast each head's attention decays with them, and the angles of the rotary
/// position code. Parameters: weight [2, 1, 1, 1]; buffers: angle [Dim / NumHeads], decay [NumHeads].
template <class B, int Dim, int NumHeads, int HeadsRange>
struct GeometryPriorGenerator {
  static_assert(Dim % NumHeads == 0, "GeometryPriorGenerator: NumHeads must divide Dim");
  static_assert(Dim / NumHeads % 2 == 0,
                "GeometryPriorGenerator: Dim / NumHeads must be even, for channels turn in pairs");
  using Backend = B;
  using Tensor = typename B::Tensor;
  static constexpr int head_dim = Dim / NumHeads;
  static constexpr float initial_value = 2.0f;

  Parameter<B> weight{Shape{2, 1, 1, 1}};
  Parameter<B> angle = make_buffer<B>(Shape{head_dim}, &angle_values);
  Parameter<B> decay = make_buffer<B>(Shape{NumHeads}, &decay_values);

  /// depth [N, H, W, 1], on the token grid.
  GeometryPrior<Tensor> operator()(const Tensor& depth) const {
    return {depth, weight.value(), decay.value()};
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("weight", self.weight);
    visitor("angle", self.angle);
    visitor("decay", self.decay);
  }

 private:
  /// 10000^-t for t from 0 to 1 over half of the channels, each twice in a row.
  static void angle_values(std::span<float> values) {
    const std::size_t pairs = values.size() / 2;
    const float step = pairs == 1 ? 0.0f : 1.0f / static_cast<float>(pairs - 1);
    for (std::size_t i = 0; i < pairs; ++i) {
      // From both ends towards the middle, as the reference spaces its numbers: the last bit shows in the
      // tables.
      const float t =
          2 * i < pairs ? step * static_cast<float>(i) : 1.0f - step * static_cast<float>(pairs - 1 - i);
      values[2 * i] = values[2 * i + 1] =
          1.0f / static_cast<float>(std::pow(10000.0, static_cast<double>(t)));
    }
  }
  /// log(1 - 2^(-initial_value - HeadsRange * h / NumHeads)), negative.
  static void decay_values(std::span<float> values) {
    for (std::size_t h = 0; h < values.size(); ++h) {
      const float exponent =
          -initial_value - static_cast<float>(HeadsRange) * static_cast<float>(h) / NumHeads;
      values[h] = std::log(1.0f - std::exp2(exponent));
    }
  }
};

}  // namespace dformer

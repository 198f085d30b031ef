#pragma once

#include <dformer/backend/autodiff/attention.hpp>
#include <dformer/backend/autodiff/checkpoint.hpp>
#include <dformer/backend/autodiff/convolution.hpp>
#include <dformer/backend/autodiff/gate.hpp>
#include <dformer/backend/autodiff/linear.hpp>
#include <dformer/backend/autodiff/norm.hpp>
#include <dformer/backend/autodiff/pointwise.hpp>
#include <dformer/backend/autodiff/resample.hpp>
#include <dformer/backend/autodiff/storage.hpp>
#include <dformer/backend/autodiff/sweep.hpp>
#include <dformer/backend/concept.hpp>
#include <dformer/fwd.hpp>

namespace dformer {

/// Networks train: batch statistics, drop path and dropout, six steps of the Hamburger. Blocks are
/// checkpointed where `autodiff::CheckpointBlocks` says so.
struct Training {
  static constexpr bool training = true;
  static constexpr bool checkpoint_blocks = false;
};
/// The same in less memory, always: of each block only the inputs are kept, and backward computes it again.
struct CheckpointedTraining : Training {
  static constexpr bool checkpoint_blocks = true;
};
/// Gradients of the network as it infers: running statistics, nothing random.
struct Evaluation : Training {
  static constexpr bool training = false;
};

/// The operations of B, recording what their derivatives need. `DFormer_Large<Autodiff<Cpu<>>>` is a network
/// that trains.
///
///     auto logits = net(rgb, depth);
///     autodiff::LeafGradients<Cpu<>> gradients;
///     backward(logits, d_logits, gradients);
///     gradients.of(net.decode_head.conv_seg.weight.value());
template <class B, class Mode>
struct Autodiff : autodiff::StorageOps<B>,
                  autodiff::LinearOps<B, Mode::training>,
                  autodiff::ConvolutionOps<B, Mode::training>,
                  autodiff::NormOps<B, Mode::training>,
                  autodiff::ResampleOps<B>,
                  autodiff::AttentionOps<B>,
                  autodiff::FactorizationOps<B> {
  using Inner = B;
  using Tensor = autodiff::Tensor<B>;
  using Labels = typename B::Labels;
  using Device = typename B::Device;
  static constexpr bool training = Mode::training;

  static Tensor activate(const Tensor& x, Activation activation) {
    return autodiff::PointwiseOps<B>::activate(x, activation);
  }
  static Tensor add(const Tensor& a, const Tensor& b) { return autodiff::PointwiseOps<B>::add(a, b); }
  static Tensor multiply(const Tensor& a, const Tensor& b) {
    return autodiff::PointwiseOps<B>::multiply(a, b);
  }
  static Tensor concat(std::span<const Tensor> inputs) { return autodiff::PointwiseOps<B>::concat(inputs); }
  static Tensor select_channels(const Tensor& x, std::int64_t first, std::int64_t count) {
    return autodiff::PointwiseOps<B>::select_channels(x, first, count);
  }
  static Tensor softmax(const Tensor& x) { return autodiff::PointwiseOps<B>::softmax(x); }
  static Tensor gate(const Tensor& x, const Tensor& spatial, const Tensor& channel, float scale) {
    return autodiff::gate<B>(x, spatial, channel, scale);
  }

  static Tensor dropout2d(const Tensor& x, float p) { return autodiff::dropout2d(x, p); }

  /// block(inputs...), a unit of which a mode may keep no more than the inputs.
  template <class Block, class... Inputs>
  static auto run_block(const Block& block, const Inputs&... inputs) {
    if constexpr (Mode::checkpoint_blocks) {
      return autodiff::checkpoint<B>(block, inputs...);
    } else {
      if constexpr (Mode::training) {
        if (autodiff::blocks_are_checkpointed()) return autodiff::checkpoint<B>(block, inputs...);
      }
      return block(inputs...);
    }
  }
  /// Whether a pass of this thread repeats one for the sake of its derivatives.
  static bool is_repeated() { return autodiff::forward_is_repeated(); }

  static_assert(Backend<B>, "Autodiff: the backend it records must be complete");
};

}  // namespace dformer

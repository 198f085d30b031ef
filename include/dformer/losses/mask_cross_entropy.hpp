#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <dformer/losses/binary_terms.hpp>
#include <dformer/losses/on_host.hpp>

namespace dformer {

/// Cross-entropy of the sigmoid of one class of each image against a mask of it (Mask R-CNN; He et al., ICCV
/// 2017, section 3): the other classes do not compete and get no gradient. The mean over all pixels. Shapes:
/// logits [N, h, w, K]; masks [N, height, width], values from 0 to 1; classes [N]. Throws: ShapeError;
/// ArgumentError for a class that is none.
template <class B>
LossValue<TensorOf<B>> mask_cross_entropy(const TensorOf<B>& logits, std::span<const float> masks,
                                          std::int64_t height, std::int64_t width,
                                          std::span<const int> classes) {
  const Shape& x = logits.shape();
  const Shape map{x.rank() == 4 ? x[0] : 0, height, width};
  if (x.rank() != 4 || x.numel() < 1 || height < 1 || width < 1 ||
      map.numel() != static_cast<std::int64_t>(masks.size()) ||
      x[0] != static_cast<std::int64_t>(classes.size())) {
    shapes::fail("mask_cross_entropy",
                 "logits [N, h, w, K], masks [N, height, width] and N classes expected, with " +
                     std::to_string(masks.size()) + " values in the masks and " +
                     std::to_string(classes.size()) + " classes",
                 {x, map});
  }
  for (int k : classes) {
    if (k >= 0 && k < x[3]) continue;
    throw_argument_error("[mask_cross_entropy] a class from 0 to " + std::to_string(x[3] - 1) +
                         " expected, got " + std::to_string(k));
  }
  return loss_on_host<B>(
      logits, height, width, 1.0, [&](const HostScores& scores, const HostThreads& threads) {
        const PixelBlocks blocks{scores.images, scores.pixels};
        const auto terms = static_cast<double>(masks.size());
        std::vector<double> sums(static_cast<std::size_t>(blocks.count()));
        threads.for_each(blocks.count(), [&](std::int64_t block) {
          const auto k = static_cast<std::size_t>(classes[static_cast<std::size_t>(blocks.image(block))]);
          for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
            const detail::TermAndSlope one =
                detail::binary_cross_entropy_term(static_cast<double>(scores.row(i)[k]),
                                                  static_cast<double>(masks[static_cast<std::size_t>(i)]));
            sums[static_cast<std::size_t>(block)] += one.loss;
            scores.gradient_row(i)[k] = static_cast<float>(one.slope / terms);
          }
        });
        return std::accumulate(sums.begin(), sums.end(), 0.0) / terms;
      });
}

}  // namespace dformer

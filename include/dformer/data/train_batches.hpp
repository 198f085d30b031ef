#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <dformer/core/color_order.hpp>
#include <dformer/core/error.hpp>
#include <dformer/data/augmentation.hpp>
#include <dformer/data/epoch_order.hpp>
#include <dformer/data/ordered_prefetch.hpp>
#include <dformer/data/train_batch.hpp>

namespace dformer {

struct TrainBatchOptions {
  int batch_size = 8;
  std::uint64_t seed = 12345;  ///< the official one
  ColorOrder color_order = ColorOrder::bgr;
  DepthInput depth_input = DepthInput::greys;  ///< what the network reads; the data set must give it
  AugmentationOptions augmentation{};
  int workers = 1;        ///< threads that read and augment; 0 for none but the caller's
  std::size_t ahead = 4;  ///< batches that are made before they are asked for
};

/// Steps in an epoch of the official recipes: one more than full batches fit, the images of the last one
/// drawn again.
inline std::size_t steps_per_epoch(std::size_t images, int batch_size) {
  return images / static_cast<std::size_t>(batch_size) + 1;
}

/// The batch of a training step, counted from 0 over all epochs. It depends on the data set, the options and
/// the step alone, so a run that is resumed sees what it would have seen. A data set has `size()` and
/// `read(index)`. Throws: what reading throws; ImageError for depth that the network does not read.
template <class Dataset>
TrainBatch make_train_batch(const Dataset& dataset, const TrainBatchOptions& options, std::size_t step) {
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  const std::size_t steps = steps_per_epoch(dataset.size(), options.batch_size);
  const auto epoch = static_cast<std::uint32_t>(step / steps);
  const std::vector<std::size_t> order = epoch_order(dataset.size(), steps * batch_size, options.seed, epoch);

  TrainBatch batch{
      options.batch_size, options.augmentation.crop_height, options.augmentation.crop_width, {}, {}, {}};
  const auto pixels = static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
  batch.color.resize(batch_size * pixels * 3);
  batch.depth.resize(batch_size * pixels);
  batch.labels.resize(batch_size * pixels);
  for (std::size_t i = 0; i < batch_size; ++i) {
    const std::size_t position = step % steps * batch_size + i;
    const LabeledImage sample = dataset.read(order[position]);
    require_depth_for(options, sample.image, sample.name);
    const RandomStream random = data_random(options.seed, DataRandom::augmentation, epoch, position);
    augment(sample, draw_augmentation(options.augmentation, sample.labels, random), options.augmentation,
            options.color_order,
            {std::span(batch.color).subspan(i * pixels * 3, pixels * 3),
             std::span(batch.depth).subspan(i * pixels, pixels),
             std::span(batch.labels).subspan(i * pixels, pixels)});
  }
  return batch;
}

/// The batches of a training run from a step on, made ahead on threads. The data set must outlive it.
template <class Dataset>
class TrainBatches {
 public:
  /// Throws: ArgumentError for options that make no batch.
  TrainBatches(const Dataset& dataset, const TrainBatchOptions& options, std::size_t first_step = 0)
      : batches_(first_step, std::numeric_limits<std::size_t>::max(), checked(options).workers, options.ahead,
                 [&dataset, options](std::size_t step) { return make_train_batch(dataset, options, step); }) {
  }

  /// The batch of the next step. Throws: what reading throws.
  TrainBatch next() { return batches_.next(); }

 private:
  static const TrainBatchOptions& checked(const TrainBatchOptions& options) {
    const AugmentationOptions& augmentation = options.augmentation;
    bool sizes = options.batch_size >= 1 && augmentation.crop_height >= 1 && augmentation.crop_width >= 1;
    for (double scale : augmentation.scales) sizes = sizes && scale > 0;
    if (!sizes || augmentation.scales.empty()) {
      throw_argument_error(
          "[train batches] expected a batch of 1 image or more, a crop of 1x1 or more, and one positive "
          "scale "
          "or more");
    }
    return options;
  }

  OrderedPrefetch<TrainBatch> batches_;
};

}  // namespace dformer

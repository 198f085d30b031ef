#include <algorithm>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include <dformer/data/train_batches.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;

/// Images that are made, not read: their grey says which they are.
struct MadeDataset {
  bool alike = false;
  std::size_t size() const { return 10; }
  LabeledImage read(std::size_t index) const {
    if (alike) index = 0;
    const auto value = static_cast<double>(index);
    LabeledImage sample{std::to_string(index),
                        {cv::Mat(12, 16, CV_8UC3), cv::Mat(12, 16, CV_8UC1, cv::Scalar(value)), {}},
                        cv::Mat(12, 16, CV_8UC1, cv::Scalar(value))};
    cv::RNG random(index + 1);
    random.fill(sample.image.color, cv::RNG::UNIFORM, 0, 256);
    return sample;
  }
};

TrainBatchOptions small_batches() {
  return {.batch_size = 4, .seed = 9, .augmentation = {.crop_height = 8, .crop_width = 8}};
}

bool same(const TrainBatch& a, const TrainBatch& b) {
  return a.color == b.color && a.depth == b.depth && a.labels == b.labels;
}

TEST(EpochOrder, EveryItemAsOftenAsTheOthersAndSomeOnceMore) {
  for (std::size_t length : {std::size_t{7}, std::size_t{10}, std::size_t{12}, std::size_t{25}}) {
    const std::vector<std::size_t> order = epoch_order(10, length, 1, 0);
    ASSERT_EQ(order.size(), length);
    std::map<std::size_t, std::size_t> counts;
    for (std::size_t item : order) ++counts[item];
    for (const auto& [item, count] : counts) {
      EXPECT_LT(item, 10u);
      EXPECT_GE(count, length / 10);
      EXPECT_LE(count, length / 10 + 1);
    }
    EXPECT_EQ(counts.size(), std::min<std::size_t>(length, 10));
  }
}

TEST(EpochOrder, IsDecidedBySeedAndEpoch) {
  EXPECT_EQ(epoch_order(100, 101, 1, 2), epoch_order(100, 101, 1, 2));
  EXPECT_NE(epoch_order(100, 101, 1, 2), epoch_order(100, 101, 1, 3));
  EXPECT_NE(epoch_order(100, 101, 1, 2), epoch_order(100, 101, 2, 2));
}

TEST(EpochOrder, StepsOfTheOfficialRecipes) {
  EXPECT_EQ(steps_per_epoch(795, 8), 100u);
  EXPECT_EQ(steps_per_epoch(5285, 16), 331u);
  EXPECT_EQ(steps_per_epoch(16, 8), 3u);  // one more also where batches fit
}

TEST(TrainBatches, RefuseDepthThatTheNetworkDoesNotRead) {
  TrainBatchOptions options = small_batches();
  EXPECT_NO_THROW(make_train_batch(MadeDataset{}, options, 0));
  options.depth_input = DepthInput::metres;
  expect_mentions(error_of<ImageError>([&] { make_train_batch(MadeDataset{}, options, 0); }),
                  {"reads depth in metres", "holds 8-bit greys"});
}

TEST(TrainBatches, AreDecidedByTheirStep) {
  const MadeDataset dataset;
  TrainBatchOptions options = small_batches();
  for (int workers : {0, 1, 3}) {
    options.workers = workers;
    TrainBatches<MadeDataset> batches(dataset, options);
    for (std::size_t step = 0; step < 8; ++step)
      ASSERT_TRUE(same(batches.next(), make_train_batch(dataset, options, step)))
          << workers << " workers, step " << step;
  }
}

TEST(TrainBatches, AResumedRunSeesWhatTheOtherWouldHaveSeen) {
  const MadeDataset dataset;
  TrainBatches<MadeDataset> uninterrupted(dataset, small_batches());
  for (int step = 0; step < 5; ++step) uninterrupted.next();
  TrainBatches<MadeDataset> resumed(dataset, small_batches(), 5);
  for (int step = 5; step < 9; ++step) ASSERT_TRUE(same(resumed.next(), uninterrupted.next())) << step;
}

TEST(TrainBatches, OneImageIsAugmentedAnewAtEveryPositionAndEpoch) {
  const MadeDataset dataset{.alike = true};
  const TrainBatch first = make_train_batch(dataset, small_batches(), 0);
  EXPECT_FALSE(same(first, make_train_batch(dataset, small_batches(), 1)));
  EXPECT_FALSE(same(first, make_train_batch(dataset, small_batches(), 3)));  // step 0 of the second epoch
}

TEST(TrainBatches, EpochsSeedsAndPositionsDiffer) {
  const MadeDataset dataset;
  TrainBatchOptions options = small_batches();
  const TrainBatch first = make_train_batch(dataset, options, 0);
  EXPECT_FALSE(same(first, make_train_batch(dataset, options, 1)));
  EXPECT_FALSE(same(first, make_train_batch(dataset, options, 3)));  // step 0 of the second epoch
  options.seed = 10;
  EXPECT_FALSE(same(first, make_train_batch(dataset, options, 0)));
}

TEST(TrainBatches, ShapesAndAnEpochsItems) {
  const MadeDataset dataset;
  const TrainBatchOptions options = small_batches();
  std::map<int, int> seen;
  for (std::size_t step = 0; step < steps_per_epoch(dataset.size(), options.batch_size); ++step) {
    const TrainBatch batch = make_train_batch(dataset, options, step);
    ASSERT_EQ(batch.color.size(), 4u * 8 * 8 * 3);
    ASSERT_EQ(batch.depth.size(), 4u * 8 * 8);
    for (std::size_t i = 0; i < 4; ++i)
      ++seen[*std::min_element(batch.labels.begin() + static_cast<std::ptrdiff_t>(i * 64),
                               batch.labels.begin() + static_cast<std::ptrdiff_t>(i * 64 + 64))];
  }
  EXPECT_EQ(seen.size(), 10u);
}

TEST(TrainBatches, OptionsThatMakeNoBatch) {
  const MadeDataset dataset;
  TrainBatchOptions options = small_batches();
  options.augmentation.scales = {};
  expect_mentions(error_of<ArgumentError>([&] { TrainBatches<MadeDataset>(dataset, options); }),
                  {"one positive scale"});
  options = small_batches();
  options.batch_size = 0;
  EXPECT_THROW(TrainBatches<MadeDataset>(dataset, options), ArgumentError);
}

}  // namespace
}  // namespace dformer

// Pinned memory is another copy's only once its last one is done. Only the emulation can show this: there a
// stream does nothing before it is waited for.
#include <cstddef>
#include <vector>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

/// What one part uploads is still under way when another has waited for its own stream.
TEST(Staging, WaitsForOtherStreamsBeforeTheirBlocksAreUsedAgain) {
  const cuda::Device device;
  const Array first = random_array({2, 3}, 1), second = random_array({2, 3}, 2);
  const Tensor there = upload(device, first);
  download(there);
  Tensor x;
  std::vector<Tensor> later(3);  // more than there are other blocks
  {
    const cuda::SideBySide branches(device);
    device.concurrently([] {},
                        [&] {
                          device.stream()->is_late = true;
                          x = upload(device, first);
                          EXPECT_FALSE(device.stream()->started.empty());
                        },
                        [&] {
                          EXPECT_EQ(download(there).values, first.values);
                          for (Tensor& y : later) y = upload(device, second);
                        });
  }
  EXPECT_EQ(download(x).values, first.values);
  for (const Tensor& y : later) EXPECT_EQ(download(y).values, second.values);
}

/// Where more copies are under way than it allows, it waits for the oldest, and for no more than that.
TEST(Staging, WaitsForTheOldestOfManyCopies) {
  const cuda::Device device;
  device.stream()->is_late = true;
  constexpr std::size_t copies = cuda::Staging::most_copies + 2;
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < copies; ++i) {
    tensors.push_back(upload(device, {{1}, {static_cast<float>(i)}}));
  }
  // A copy and its event each.
  EXPECT_EQ(device.stream()->started.size(), 2 * cuda::Staging::most_copies);
  for (std::size_t i = 0; i < copies; ++i) {
    EXPECT_EQ(download(tensors[i]).values[0], static_cast<float>(i));
  }
}

/// Few large copies count by their bytes.
TEST(Staging, WaitsForTheOldestOfManyBytes) {
  const cuda::Device device;
  device.stream()->is_late = true;
  constexpr std::int64_t third = cuda::Staging::most_bytes / 3 / sizeof(float);
  std::vector<Tensor> tensors;
  for (int i = 0; i < 4; ++i) {
    tensors.push_back(upload(device, {{third}, std::vector<float>(third, static_cast<float>(i))}));
  }
  EXPECT_EQ(device.stream()->started.size(), 2u * 2u);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(download(tensors[static_cast<std::size_t>(i)]).values[third - 1], static_cast<float>(i));
}

/// An array of the host may be changed as soon as its upload returns.
TEST(Staging, HasWhatItUploadsToItself) {
  const cuda::Device device;
  device.stream()->is_late = true;
  Array x = random_array({4}, 1);
  const std::vector<float> before = x.values;
  const Tensor there = upload(device, x);
  x.values.assign(4, 9.0f);
  EXPECT_EQ(download(there).values, before);
}

}  // namespace
}  // namespace dformer::testing

// What a device refuses, and that it goes on afterwards.
#include <memory>
#include <string>
#include <vector>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

#include <dformer/backend/cuda/graph.hpp>

namespace dformer::testing {
namespace {

TEST(CudaDevice, GoesOnAfterItRanOutOfMemory) {
  const cuda::Device device;
  const Array x = random_array({3, 5, 8}, 1);
  const Tensor kept = upload(device, x);
  try {
    const Tensor far_too_large(device, {std::int64_t{1} << 20, std::int64_t{1} << 20});
    FAIL() << "4 TiB were allocated";
  } catch (const CudaOutOfMemory& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("[cuda] GPU 0 has no 4194304 MiB left ("))
        << error.what();
  }
  EXPECT_EQ(download(kept).values, x.values);
  const Tensor sum = TestBackend::add(kept, kept);
  EXPECT_EQ(download(sum).values[7], 2 * x.values[7]);
}

/// Wherever it is kept: by the pool, by a part that goes on, for the end of all parts.
TEST(CudaDevice, GivesBackWhatItKeepsInPartsThatGoOnSideBySide) {
  const cuda::Device device;
  const Shape small{1 << 10}, medium{1 << 14}, large{1 << 18};
  const auto is_all_in_use = [&] {
    const MemoryUse use = device.memory().use();
    return use.reserved == use.in_use;
  };
  const auto run_out = [&] {
    EXPECT_FALSE(is_all_in_use());
    EXPECT_THROW(Tensor(device, {std::int64_t{1} << 20, std::int64_t{1} << 20}), CudaOutOfMemory);
    EXPECT_TRUE(is_all_in_use()) << "while parts go on";
  };
  const Array x = random_array({3, 5, 8}, 1);
  const Tensor used = upload(device, x);
  Tensor older(device, medium);
  { const Tensor kept(device, small); }
  {
    const cuda::SideBySide branches(device);
    device.concurrently([&] { older = {}; },
                        [&] { run_out(); });  // what was kept, and what another part freed
    device.concurrently([&] { const Tensor own(device, large); }, run_out);
    device.concurrently([] {},
                        [&] {
                          { const Tensor own(device, large); }
                          run_out();
                        });
  }
  EXPECT_TRUE(is_all_in_use());
  EXPECT_EQ(download(used).values, x.values);
  const Tensor again(device, large);
  EXPECT_TRUE(is_all_in_use()) << "blocks that were given back are handed out";
}

/// A GPU can neither take memory nor give it back while a graph is recorded.
TEST(CudaDevice, NoMemoryIsTakenWhileAGraphIsRecorded) {
  const cuda::Device device;
  const Tensor x = upload(device, random_array({3, 5, 8}, 1));
  Tensor y;
  const auto add = [&] { y = TestBackend::add(x, x); };
  EXPECT_THROW(cuda::Graph(device.stream(), add), CudaError);
  add();
  y = {};
  EXPECT_NO_THROW(cuda::Graph(device.stream(), add)) << "the pool has what was given back";
}

TEST(CudaCapabilities, CodeRunsOnLaterMinorVersionsAndPtxOnAllLaterOnes) {
  const std::vector<int> compiled{75, 80, 90};
  for (const int capability : {75, 80, 86, 89, 90, 100, 120})
    EXPECT_TRUE(cuda::can_run(capability, compiled)) << capability;
  for (const int capability : {61, 70, 72}) EXPECT_FALSE(cuda::can_run(capability, compiled)) << capability;
  const std::vector<int> ends{75, 90};
  for (const int capability : {80, 86, 89}) EXPECT_FALSE(cuda::can_run(capability, ends)) << capability;
  EXPECT_EQ(cuda::capabilities_text(compiled), "7.5, 8.0, 9.0");
}

/// What the pool keeps for later is there for a network that is captured, which has a pool of its own.
TEST(CudaDevice, SeparateMemoryFindsWhatThePoolKept) {
  const cuda::Device device;
  { const Tensor once(device, {1 << 20}); }
  EXPECT_GT(device.memory().use().reserved, 0u);
  const std::shared_ptr<cuda::MemoryPool> pool = device.shared_memory();
  const cuda::SeparateMemory separate(device);
  EXPECT_EQ(pool->use().reserved, 0u);
}

}  // namespace
}  // namespace dformer::testing

// Devices of several GPUs in one thread and in several: each kernel must be started on the GPU of its stream.
#include <thread>
#include <vector>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

class SeveralGpus : public ::testing::Test {
 protected:
  void SetUp() override {
    if (cuda::runtime::device_count() < 2) GTEST_SKIP() << "one GPU";
  }
  static Array softmax(const cuda::Device& device, const Array& x) {
    return download(TestBackend::softmax(upload(device, x)));
  }

  const Array x = random_array({3, 5, 7}, 1);
};

TEST_F(SeveralGpus, TakeTurnsInOneThread) {
  const cuda::Device first, second({.ordinal = 1});
  const Array expected = softmax(first, x);
  EXPECT_EQ(softmax(second, x).values, expected.values);
  EXPECT_EQ(softmax(first, x).values, expected.values);
}

TEST_F(SeveralGpus, WorkInThreadsThatDidNotMakeThem) {
  const Array expected = softmax(cuda::Device(), x);
  const cuda::Device second({.ordinal = 1});
  std::vector<float> found;
  std::thread([&] { found = softmax(second, x).values; }).join();
  EXPECT_EQ(found, expected.values);
}

}  // namespace
}  // namespace dformer::testing

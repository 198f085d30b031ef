#include <gtest/gtest.h>

#include <dformer/models.hpp>
#include <dformer/models/cost.hpp>

namespace dformer {
namespace {

// The papers' tables (DFormer table 1, DFormerv2 table 1) give G multiply-adds of linear layers and
// convolutions at 480x640; counts to three digits are those of the official code.
template <class Network>
void expect_cost(std::int64_t parameters, double dense, double attention) {
  const Cost found = cost<Network>(480, 640);
  EXPECT_EQ(found.parameters, parameters);
  EXPECT_NEAR(static_cast<double>(found.multiply_adds.dense) * 1e-9, dense, 0.005);
  EXPECT_NEAR(static_cast<double>(found.multiply_adds.attention) * 1e-9, attention, 0.05);
}

TEST(Cost, DFormer) {
  expect_cost<DFormer_Tiny<Count>>(6003912, 11.70, 0.09);
  expect_cost<DFormer_Small<Count>>(18747144, 25.605, 0.135);
  expect_cost<DFormer_Base<Count>>(29524840, 41.86, 0.286);
  expect_cost<DFormer_Large<Count>>(39030392, 65.60, 0.356);
}

TEST(Cost, DFormerV2) {
  expect_cost<DFormerv2_S<Count>>(26686018, 33.69, 3.9);
  expect_cost<DFormerv2_B<Count>>(53923050, 66.93, 7.2);
  expect_cost<DFormerv2_L<Count>>(95550074, 123.77, 10.0);
}

TEST(Cost, GrowsWithTheBatch) {
  const Cost one = cost<DFormer_Tiny<Count>>(64, 96);
  const Cost two = cost<DFormer_Tiny<Count>>(64, 96, 2);
  EXPECT_EQ(one.parameters, two.parameters);
  EXPECT_EQ(2 * one.multiply_adds.total(), two.multiply_adds.total());
  EXPECT_GT(two.elements_moved, one.elements_moved);
  EXPECT_LT(two.elements_moved, 2 * one.elements_moved);  // weights are read once
}

// By hand: 3x3 stride 2 to 5x7, 2 channels in, 4 out.
TEST(Count, Convolution) {
  count::Tally tally;
  const Count::Device device(tally);
  const Count::Tensor weight(device, {4, 2, 3, 3});
  const auto y = Count::conv2d(Count::Tensor(device, {1, 9, 13, 2}), weight,
                               {.kernel = 3, .stride = 2, .padding = 1}, {});
  EXPECT_EQ(y.shape(), (Shape{1, 5, 7, 4}));
  EXPECT_EQ(tally.multiply_adds.dense, 5 * 7 * 4 * 2 * 9);
  EXPECT_EQ(tally.elements_moved, 9 * 13 * 2 + 4 * 2 * 9 + 5 * 7 * 4);
}

TEST(Count, LinearWithEpilogue) {
  count::Tally tally;
  const Count::Device device(tally);
  const auto tensor = [&](const Shape& shape) { return Count::Tensor(device, shape); };
  // 6 rows of 2 + 3 channels, which are never put together, to 4.
  const Count::Tensor inputs[] = {tensor({1, 2, 3, 2}), tensor({1, 2, 3, 3})};
  Count::linear(inputs, tensor({4, 5}), {.shift = tensor({4}), .residual = tensor({1, 2, 3, 4})});
  EXPECT_EQ(tally.multiply_adds.dense, 6 * 5 * 4);
  EXPECT_EQ(tally.elements_moved, 6 * 5 + 4 * 5 + 6 * 4 + 6 * 4);
}

TEST(Count, ConcatenationMovesEveryElementTwice) {
  count::Tally tally;
  const Count::Device device(tally);
  const Count::Tensor inputs[] = {Count::Tensor(device, {6, 2}), Count::Tensor(device, {6, 3})};
  Count::concat(inputs);
  EXPECT_EQ(tally.elements_moved, 2 * 6 * 5);
}

TEST(Count, Factorization) {
  count::Tally tally;
  const Count::Device device(tally);
  // T = 10 pixels, D = 4 channels, R = 2 bases, one step: x.bases, then coefficients (twice), bases (once),
  // product.
  Count::nmf(Count::Tensor(device, {1, 10, 4}), Count::Tensor(device, {1, 4, 2}), 1, 1.0f);
  const int coefficients = 10 * 4 * 2 + 4 * 2 * 2 + 10 * 2 * 2;
  const int bases = 10 * 4 * 2 + 10 * 2 * 2 + 4 * 2 * 2;
  EXPECT_EQ(tally.multiply_adds.factorization, 10 * 4 * 2 + 2 * coefficients + bases + 10 * 4 * 2);
}

}  // namespace
}  // namespace dformer

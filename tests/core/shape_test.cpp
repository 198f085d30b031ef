#include <gtest/gtest.h>

#include <dformer/backend/shapes.hpp>
#include <dformer/backend/window.hpp>
#include <dformer/core/shape.hpp>

namespace dformer {
namespace {

TEST(Shape, CountsItsElements) {
  EXPECT_EQ(Shape().numel(), 1);
  EXPECT_EQ((Shape{2, 3, 4}).numel(), 24);
  EXPECT_EQ((Shape{2, 0, 4}).numel(), 0);
  EXPECT_EQ((Shape{2, 3, 4}).rows(), 6);
  EXPECT_EQ((Shape{2, 3, 4}).with_back(7), (Shape{2, 3, 7}));
}

TEST(Shape, DiffersByRankAndExtent) {
  EXPECT_EQ((Shape{1, 2}), (Shape{1, 2}));
  EXPECT_FALSE((Shape{1, 2}) == (Shape{1, 2, 1}));
  EXPECT_FALSE((Shape{1, 2}) == (Shape{2, 1}));
}

TEST(Shape, PrintsAsPythonDoes) {
  EXPECT_EQ(to_string(Shape{1, 20, 3}), "(1, 20, 3)");
  EXPECT_EQ(to_string(Shape()), "()");
}

TEST(Shape, HasAtMostSixExtents) {
  EXPECT_THROW((Shape{1, 2, 3, 4, 5, 6, 7}), ShapeError);
}

// PyTorch's formula, by hand.
TEST(Window, OutputExtent) {
  EXPECT_EQ((Window{.kernel = 3, .stride = 2, .padding = 1}.output_extent(480)), 240);
  EXPECT_EQ((Window{.kernel = 3, .stride = 2, .padding = 1}.output_extent(15)), 8);
  EXPECT_EQ((Window{.kernel = 3, .stride = 1, .padding = 12, .dilation = 12}.output_extent(7)), 7);
  EXPECT_EQ((Window{.kernel = 3}.output_extent(2)), 0);
}

std::string error_of(auto&& call) {
  try {
    call();
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ShapeRules, SayWhatWasExpectedAndGiven) {
  EXPECT_EQ(error_of([] {
              shapes::linear({4, 5}, {7, 6});
            }),
            "[linear] 6 input channels expected; got (4, 5) (7, 6)");
  EXPECT_EQ(error_of([] {
              shapes::conv2d({1, 8, 8, 64}, {192, 96, 3, 3}, {.kernel = 3});
            }),
            "[conv2d] 96 input channels expected; got (1, 8, 8, 64) (192, 96, 3, 3)");
  EXPECT_EQ(error_of([] {
              shapes::conv2d({1, 2, 8, 96}, {192, 96, 3, 3}, {.kernel = 3});
            }),
            "[conv2d] input is smaller than the window; got (1, 2, 8, 96) (192, 96, 3, 3)");
  EXPECT_EQ(error_of([] {
              shapes::same("add", {1, 2}, {2, 1});
            }),
            "[add] operands must have the same shape; got (1, 2) (2, 1)");
  EXPECT_EQ(error_of([] {
              shapes::attention({1, 49, 10}, {1, 100, 20}, 3);
            }),
            "[attention] 3 heads do not divide the channels; got (1, 49, 10)");
}

}  // namespace
}  // namespace dformer

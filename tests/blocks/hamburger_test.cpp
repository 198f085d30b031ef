#include <support/module.hpp>

#include <dformer/blocks/hamburger.hpp>

namespace dformer::testing {
namespace {

using SmallHamburger = Hamburger<TestBackend, 8, 4>;

Tensor input(const TestBackend::Device& device) {
  Array x{{2, 3, 5, 8}, std::vector<float>(240)};
  const NamedStream stream("x");
  for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] = stream.symmetric(i);
  return upload(device, x);
}

// Quirk: the official code draws the bases anew at every call. Here predictions repeat unless that is asked
// for.
TEST(Hamburger, RepeatsByDefault) {
  SmallHamburger hamburger;
  initialize(hamburger, 1);
  const Tensor x = input(TestBackend::default_device());
  EXPECT_EQ(download(hamburger(x)).values, download(hamburger(x)).values);
}

TEST(Hamburger, DrawsNewBasesWhenAsked) {
  SmallHamburger hamburger;
  initialize(hamburger, 1);
  hamburger.draw_bases_at_each_call = true;
  const Tensor x = input(TestBackend::default_device());
  EXPECT_NE(download(hamburger(x)).values, download(hamburger(x)).values);
}

TEST(Hamburger, ResultOfAnImageDoesNotDependOnItsPlaceInTheBatch) {
  SmallHamburger hamburger;
  initialize(hamburger, 1);
  Array one = download(input(TestBackend::default_device()));
  Array twice = one;
  std::copy_n(one.values.begin(), 120, twice.values.begin() + 120);
  const Array y = download(hamburger(upload(TestBackend::default_device(), twice)));
  EXPECT_TRUE(std::equal(y.values.begin(), y.values.begin() + 120, y.values.begin() + 120));
}

TEST(Hamburger, BasesCanBeGiven) {
  SmallHamburger hamburger;
  initialize(hamburger, 1);
  const Tensor x = input(TestBackend::default_device());
  const Array before = download(hamburger(x));
  std::vector<float> bases(32);
  random_bases(NamedStream("ham.bases", "other"), 8, 4, bases);
  set_values(hamburger.bases, bases, TestBackend::default_device());
  EXPECT_NE(download(hamburger(x)).values, before.values);
}

TEST(RandomBases, ColumnsHaveUnitNorm) {
  std::vector<float> bases(2 * 8 * 4);
  random_bases(NamedStream("ham.bases"), 8, 4, bases);
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t r = 0; r < 4; ++r) {
      double squares = 0;
      for (std::size_t c = 0; c < 8; ++c)
        squares += std::pow(static_cast<double>(bases[(n * 8 + c) * 4 + r]), 2);
      EXPECT_NEAR(squares, 1.0, 1e-6);
    }
  }
}

}  // namespace
}  // namespace dformer::testing

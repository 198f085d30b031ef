#include <array>
#include <utility>

#include <backend/gradients_under_test.hpp>

namespace dformer::testing {
namespace {

struct LinearGradient {
  Array input, weight;
};

template <class B>
LinearGradient gradients_on(const typename B::Device& device, const std::vector<Array>& inputs,
                            const Array& weight, const Array& dy) {
  std::vector<typename B::Tensor> x;
  for (const Array& input : inputs) x.push_back(B::from_host(device, input.shape, input.values));
  const auto upstream = B::from_host(device, dy.shape, dy.values);
  const auto w = B::weight_from_host(device, WeightLayout::dense, weight.shape, weight.values);
  const auto dx = Gradients<B>::linear_input(upstream, w);
  LinearGradient result{
      {dx.shape(), std::vector<float>(static_cast<std::size_t>(dx.shape().numel()))},
      weight_array<B>(Gradients<B>::linear_weight(x, upstream, weight.shape), WeightLayout::dense)};
  B::to_host(dx, result.input.values);
  return result;
}
LinearGradient gradients(const TestBackend::Device& device, const std::vector<Array>& inputs,
                         const Array& weight, const Array& dy) {
  return gradients_on<TestBackend>(device, inputs, weight, dy);
}

/// x [..., I], weight [O, I], dy [..., O], summed in double.
LinearGradient naive_gradients(const Array& x, const Array& weight, const Array& dy) {
  const auto inputs = static_cast<std::size_t>(weight.shape[1]);
  const auto outputs = static_cast<std::size_t>(weight.shape[0]);
  std::vector<double> dx(x.values.size()), dw(weight.values.size());
  for (std::size_t row = 0; row < static_cast<std::size_t>(x.shape.rows()); ++row) {
    for (std::size_t o = 0; o < outputs; ++o) {
      const double upstream = static_cast<double>(dy.values[row * outputs + o]);
      for (std::size_t i = 0; i < inputs; ++i) {
        dx[row * inputs + i] += upstream * static_cast<double>(weight.values[o * inputs + i]);
        dw[o * inputs + i] += upstream * static_cast<double>(x.values[row * inputs + i]);
      }
    }
  }
  return {to_array(x.shape, dx), to_array(weight.shape, dw)};
}

void expect_same(const LinearGradient& actual, const LinearGradient& expected, const std::string& what) {
  expect_close(actual.input, expected.input, op_tolerance(expected.input), what + ", input");
  expect_close(actual.weight, expected.weight, op_tolerance(expected.weight), what + ", weight");
}

TEST(LinearGradients, MatchReference) {
  for (const char* name : {"ops/linear", "ops/linear_nobias"}) {
    const Golden golden(name);
    const LinearGradient expected{golden.array("grad.input.x"), golden.array("grad.param.weight")};
    for (const auto& device : test_devices()) {
      expect_same(gradients(device, {golden.array("input.x")}, golden.array("param.weight"),
                            golden.array("grad_output")),
                  expected, name);
    }
  }
}

TEST(LinearGradients, EveryCountOfChannels) {
  for (const std::int64_t rows : {1, 37}) {
    for (std::int64_t inputs = 1; inputs <= 40; inputs += rows == 1 ? 3 : 1) {
      for (std::int64_t outputs = 1; outputs <= 50; ++outputs) {
        const Array x = random_array({rows, inputs}, 1);
        const Array weight = random_array({outputs, inputs}, 2);
        const Array dy = random_array({rows, outputs}, 3);
        const LinearGradient expected = naive_gradients(x, weight, dy);
        for (const auto& device : test_devices()) {
          expect_same(gradients(device, {x}, weight, dy), expected,
                      to_string(x.shape) + " by " + to_string(weight.shape));
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(LinearGradients, SizesOfTheNetworks) {
  struct Size {
    std::int64_t rows, inputs, outputs;
  };
  // Slices of many rows; more tiles than a task takes; more columns than a piece has; classes.
  for (const Size& size :
       {Size{5003, 24, 32}, {1201, 96, 72}, {49, 320, 1000}, {130, 1100, 72}, {700, 64, 40}}) {
    const Array x = random_array({size.rows, size.inputs}, 1);
    const Array weight = random_array({size.outputs, size.inputs}, 2);
    const Array dy = random_array({size.rows, size.outputs}, 3);
    const LinearGradient expected = naive_gradients(x, weight, dy);
    for (const auto& device : test_devices()) {
      expect_same(gradients(device, {x}, weight, dy), expected, to_string(weight.shape));
    }
  }
}

TEST(LinearGradients, InputsAreTakenAsConcatenated) {
  const std::vector<Array> parts{random_array({2, 90, 5}, 1), random_array({2, 90, 16}, 2),
                                 random_array({2, 90, 40}, 3)};
  Array whole{{2, 90, 61}, {}};
  for (std::size_t row = 0; row < 180; ++row) {
    for (const Array& part : parts) {
      const auto channels = static_cast<std::ptrdiff_t>(part.shape.back());
      const auto from = part.values.begin() + static_cast<std::ptrdiff_t>(row) * channels;
      whole.values.insert(whole.values.end(), from, from + channels);
    }
  }
  const Array weight = random_array({35, 61}, 4);
  const Array dy = random_array({2, 90, 35}, 5);
  const LinearGradient expected = naive_gradients(whole, weight, dy);
  for (const auto& device : test_devices()) {
    expect_same(gradients(device, parts, weight, dy), expected, "concatenated");
  }
}

#if !defined(DFORMER_TEST_CUDA)
TEST(LinearGradients, DoubleIsExactToTheLastBitOfFloat) {
  const Array x = random_array({610, 33}, 1);
  const Array weight = random_array({41, 33}, 2);
  const Array dy = random_array({610, 41}, 3);
  const LinearGradient expected = naive_gradients(x, weight, dy);
  for (const auto& device : test_devices()) {
    const LinearGradient actual = gradients_on<Cpu<double>>(device, {x}, weight, dy);
    expect_close(actual.input, expected.input, 1e-7 * expected.input.max_abs(), "input");
    expect_close(actual.weight, expected.weight, 1e-7 * expected.weight.max_abs(), "weight");
  }
}

/// What fills up a panel of the weight must stay zero, or a step of an optimiser would change it.
TEST(LinearGradients, PaddingOfTheWeightIsZero) {
  for (const auto& device : test_devices()) {
    const Array x = random_array({70, 5}, 1), dy = random_array({70, 19}, 2);
    const std::array inputs{Cpu<>::from_host(device, x.shape, x.values)};
    const auto dw =
        Gradients<Cpu<>>::linear_weight(inputs, Cpu<>::from_host(device, dy.shape, dy.values), {19, 5});
    ASSERT_EQ(dw.elements(), 2 * 5 * 16);
    for (std::int64_t i = 0; i < 5; ++i) {
      for (std::int64_t lane = 3; lane < 16; ++lane) EXPECT_EQ(dw.data()[(5 + i) * 16 + lane], 0.0f);
    }
  }
}
#endif

TEST(LinearGradients, ThreadsDoNotChangeABit) {
  for (const Shape& size : {Shape{9001, 32, 48}, {600, 200, 300}, {60, 700, 600}}) {
    const Array x = random_array({size[0], size[1]}, 1);
    const Array weight = random_array({size[2], size[1]}, 2);
    const Array dy = random_array({size[0], size[2]}, 3);
    expect_same_on_all_devices([&](const auto& device) {
      LinearGradient result = gradients(device, {x}, weight, dy);
      return std::pair(result.input.values, result.weight.values);
    });
  }
}

TEST(LinearGradients, OfNoRowsAreZero) {
  for (const auto& device : test_devices()) {
    const LinearGradient actual = gradients(device, {{{0, 6}, {}}}, random_array({9, 6}, 2), {{0, 9}, {}});
    EXPECT_EQ(to_string(actual.input.shape), "(0, 6)");
    EXPECT_EQ(actual.weight.values, std::vector<float>(54, 0.0f));
  }
}

TEST(LinearGradients, TakeTheWeightOfAPointwiseConvolution) {
  const Array x = random_array({4, 6}, 1), dy = random_array({4, 9}, 3);
  Array weight = random_array({9, 6}, 2);
  LinearGradient expected = naive_gradients(x, weight, dy);
  weight.shape = expected.weight.shape = {9, 6, 1, 1};
  for (const auto& device : test_devices()) {
    expect_same(gradients(device, {x}, weight, dy), expected, "pointwise");
  }
}

TEST(LinearGradients, SayWhichShapesDoNotFit) {
  using G = TestGradients;
  const TestBackend::Device device;
  const auto tensor = [&](const Shape& shape) { return upload(device, random_array(shape, 1)); };
  const Tensor weight = upload_weight(device, WeightLayout::dense, random_array({9, 6}, 1));
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::linear_input(tensor({4, 6}), weight);
            }),
            "[linear_input] 9 output channels expected; got (4, 6) (9, 6)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::linear_input(tensor({4, 6}), tensor({6}));
            }),
            "[linear_input] weight must be [O, I] or [O, I, 1, 1]; got (6)");
  const std::array x{tensor({4, 6})};
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::linear_weight(x, tensor({5, 9}), {9, 6});
            }),
            "[linear_weight] dy must have the shape of the result, (4, 9); got (5, 9)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::linear_weight(x, tensor({4, 9}), {9, 5});
            }),
            "[linear] 5 input channels expected; got (4, 6) (9, 5)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::linear_weight({}, tensor({4, 9}), {9, 6});
            }),
            "[linear_weight] expected at least one input of rank 1 or more; got");
}

}  // namespace
}  // namespace dformer::testing

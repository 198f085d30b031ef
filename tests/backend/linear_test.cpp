#include <array>

#include <backend/naive_linear.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

Array linear(const TestBackend::Device& device, const Array& x, const Array& weight,
             const NaiveEpilogue& epilogue = {}) {
  const std::array inputs{upload(device, x)};
  return download(TestBackend::linear(inputs, upload_weight(device, WeightLayout::dense, weight),
                                      epilogue.on<TestBackend>(device)));
}

template <class Call>
std::string shape_error(const Call& call) {
  try {
    call();
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "no ShapeError";
}

TEST(Linear, MatchesReference) {
  for (const char* name : {"ops/linear", "ops/linear_nobias"}) {
    const Golden golden(name);
    NaiveEpilogue bias;
    if (golden.has("param.bias")) bias.shift = golden.array("param.bias");
    const Array expected = golden.array("output");
    for (const auto& device : test_devices()) {
      const Array y = linear(device, golden.array("input.x"), golden.array("param.weight"), bias);
      expect_close(y, expected, op_tolerance(expected), name);
    }
  }
}

TEST(Linear, EveryCountOfRowsAndChannels) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t depth : {1, 7, 33}) {
      for (std::int64_t rows = 1; rows <= 40; ++rows) {
        for (std::int64_t channels = 1; channels <= 50; ++channels) {
          const Array x = random_array({rows, depth}, 1);
          const Array weight = random_array({channels, depth}, 2);
          const Array expected = naive_linear(x, weight);
          expect_close(linear(device, x, weight), expected, op_tolerance(expected),
                       to_string(x.shape) + " by " + to_string(weight.shape));
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(Linear, SizesOfTheNetworks) {
  struct Size {
    std::int64_t rows, depth, channels;
  };
  for (const auto& device : test_devices()) {
    // Many blocks; few rows by many channels; rows whose distance is a power of two; a deep sum.
    for (const Size& size :
         {Size{1201, 96, 112}, {49, 320, 1000}, {150, 2048, 72}, {70, 4608, 40}, {1, 576, 40}}) {
      const Array x = random_array({size.rows, size.depth}, 1);
      const Array weight = random_array({size.channels, size.depth}, 2);
      const Array expected = naive_linear(x, weight);
      expect_close(linear(device, x, weight), expected, op_tolerance(expected), to_string(weight.shape));
    }
  }
}

TEST(Linear, EveryPartOfTheEpilogue) {
  const Array x = random_array({3, 7, 21}, 11);
  for (const std::int64_t channels : {48, 37}) {
    const Array weight = random_array({channels, 21}, 12);
    const Shape shape = x.shape.with_back(channels);
    const NaiveEpilogue all = NaiveEpilogue::full(shape, Activation::gelu, Activation::relu);
    const std::vector<NaiveEpilogue> epilogues{
        {.scale = all.scale},
        {.shift = all.shift},
        {.activation = Activation::relu},
        {.activation = Activation::gelu},
        {.activation = Activation::sigmoid},
        {.multiply = all.multiply},
        {.layer_scale = all.layer_scale},
        {.residual = all.residual},
        {.final_activation = Activation::relu},
        {.final_activation = Activation::gelu},
        {.final_activation = Activation::sigmoid},
        all,
        NaiveEpilogue::full(shape, Activation::sigmoid, Activation::none),
    };
    for (const auto& device : test_devices()) {
      for (std::size_t i = 0; i < epilogues.size(); ++i) {
        const Array expected = naive_linear(x, weight, epilogues[i]);
        expect_close(linear(device, x, weight, epilogues[i]), expected, op_tolerance(expected),
                     "epilogue " + std::to_string(i) + " with " + std::to_string(channels) + " channels");
      }
    }
  }
}

TEST(Linear, InputsAreTakenAsConcatenated) {
  const std::array parts{random_array({2, 90, 5}, 1), random_array({2, 90, 16}, 2),
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
  for (const auto& device : test_devices()) {
    const std::array inputs{upload(device, parts[0]), upload(device, parts[1]), upload(device, parts[2])};
    const Array y =
        download(TestBackend::linear(inputs, upload_weight(device, WeightLayout::dense, weight), {}));
    expect_close(y, naive_linear(whole, weight), op_tolerance(y), "concatenated");
  }
}

TEST(Linear, TakesTheWeightOfAPointwiseConvolution) {
  const Array x = random_array({4, 6}, 1);
  Array weight = random_array({9, 6}, 2);
  const Array expected = naive_linear(x, weight);
  weight.shape = {9, 6, 1, 1};
  for (const auto& device : test_devices()) {
    expect_close(linear(device, x, weight), expected, op_tolerance(expected), "pointwise");
  }
}

TEST(Linear, NoRowsGiveNoRows) {
  for (const auto& device : test_devices()) {
    const Array y = linear(device, {{0, 6}, {}}, random_array({9, 6}, 2));
    EXPECT_EQ(to_string(y.shape), "(0, 9)");
  }
}

TEST(Linear, SaysWhichShapesDoNotFit) {
  const auto& device = TestBackend::default_device();
  const Tensor weight = upload_weight(device, WeightLayout::dense, random_array({9, 6}, 1));
  const std::array narrow{upload(device, random_array({4, 5}, 1))};
  EXPECT_EQ(shape_error([&] { TestBackend::linear(narrow, weight, {}); }),
            "[linear] 6 input channels expected; got (4, 5) (9, 6)");

  const std::array uneven{upload(device, random_array({4, 3}, 1)), upload(device, random_array({5, 3}, 1))};
  EXPECT_EQ(shape_error([&] { TestBackend::linear(uneven, weight, {}); }),
            "[linear] inputs must agree in all but the last extent; got (4, 3) (5, 3)");
  EXPECT_EQ(shape_error([&] { TestBackend::linear({}, weight, {}); }),
            "[linear] expected at least one input of rank 1 or more; got");

  const std::array x{upload(device, random_array({4, 6}, 1))};
  const Tensor six = upload(device, random_array({6}, 1));
  for (Tensor Epilogue<Tensor>::*operand :
       {&Epilogue<Tensor>::scale, &Epilogue<Tensor>::shift, &Epilogue<Tensor>::layer_scale}) {
    Epilogue<Tensor> epilogue;
    epilogue.*operand = six;
    EXPECT_EQ(shape_error([&] { TestBackend::linear(x, weight, epilogue); }),
              "[linear] one value for each of the input's channels expected; got (4, 9) (6)");
  }
  for (Tensor Epilogue<Tensor>::*operand : {&Epilogue<Tensor>::multiply, &Epilogue<Tensor>::residual}) {
    Epilogue<Tensor> epilogue;
    epilogue.*operand = x[0];
    EXPECT_EQ(shape_error([&] { TestBackend::linear(x, weight, epilogue); }),
              "[linear] operands must have the same shape; got (4, 9) (4, 6)");
  }
}

}  // namespace
}  // namespace dformer::testing

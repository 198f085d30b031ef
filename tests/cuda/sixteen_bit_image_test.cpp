#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <backend/gradients_under_test.hpp>
#include <cuda/sixteen_bit.hpp>

// Sums are float32 and differ from those of Cuda<float> only in their order: by at most n * 2^-24 of the sum
// of n magnitudes, which is below `order` for what is summed here, at most 200 of about 1.
namespace dformer::testing {
namespace {

constexpr double order = 2e-5;
/// Two packs of 16 bytes, and none.
constexpr std::int64_t counts_of_channels[] = {16, 5};

template <class T>
struct SixteenBitImage : ::testing::Test {};
TYPED_TEST_SUITE(SixteenBitImage, SixteenBitTypes);

template <class T>
cuda::Tensor<T> upload_filters(const cuda::Device& device, const Array& array) {
  return Cuda<T>::weight_from_host(device, WeightLayout::depthwise, array.shape, array.values);
}

/// With every part of an epilogue.
template <class T>
void expect_depthwise_rounded(const cuda::Device& device, const Shape& shape, const Window& window) {
  const std::int64_t channels = shape[3];
  const Array x = rounded_to<T>(random_array(shape, 1));
  const Array weight = rounded_to<T>(random_array({channels, 1, window.kernel, window.kernel}, 2));
  const Shape y{shape[0], window.output_extent(shape[1]), window.output_extent(shape[2]), channels};
  const Array factors = rounded_to<T>(random_array(y, 3)), residual = rounded_to<T>(random_array(y, 4));
  const Array scale = random_array({channels}, 5), shift = random_array({channels}, 6);
  const auto convolve = [&]<class S>(S) {
    const Epilogue<cuda::Tensor<S>> epilogue{upload_channels<S>(device, scale),
                                             upload_channels<S>(device, shift),
                                             Activation::sigmoid,
                                             upload_as<S>(device, factors),
                                             upload_channels<S>(device, scale),
                                             0.0f,
                                             upload_as<S>(device, residual),
                                             Activation::gelu};
    return download_from(Cuda<S>::depthwise_conv2d(upload_as<S>(device, x), upload_filters<S>(device, weight),
                                                   window, epilogue));
  };
  expect_rounded<T>(convolve(T{}), convolve(0.0f), order,
                    to_string(shape) + " kernel " + std::to_string(window.kernel));
}

TYPED_TEST(SixteenBitImage, DepthwiseConv2d) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t channels : counts_of_channels) {
      for (const Window& window : {Window{.kernel = 3, .padding = 1}, Window{.kernel = 5, .padding = 2},
                                   Window{.kernel = 7, .padding = 3}, Window{.kernel = 3, .stride = 2}}) {
        expect_depthwise_rounded<TypeParam>(device, {2, 5, 11, channels}, window);
      }
    }
  }
}

// Enough for threads that make more pixels each.
TYPED_TEST(SixteenBitImage, DepthwiseConv2dOfLargeImages) {
  const cuda::Device device({.tensor_cores = false});
  expect_depthwise_rounded<TypeParam>(device, {1, 41, 67, 1536}, {.kernel = 3, .padding = 1});
  expect_depthwise_rounded<TypeParam>(device, {1, 41, 53, 1024}, {.kernel = 5, .padding = 2});
  expect_depthwise_rounded<TypeParam>(device, {1, 47, 67, 1024}, {.kernel = 7, .padding = 3});
}

// The kernels of tensor cores where others would be taken: 5x5 of small images, and enough blocks for the
// taller of their tiles, the last ones beyond the image.
TYPED_TEST(SixteenBitImage, DepthwiseConv2dOnTensorCores) {
  using T = TypeParam;
  const cuda::Device device = test_devices().back();
  if (!device.has_tensor_cores()) GTEST_SKIP() << "tensor cores of compute capability 8.0 are needed";
  const int of_many_tiles = std::is_same_v<T, half> ? 7 : 5;  // each takes the emulation half a minute
  for (const int kernel : {5, 7}) {
    for (const std::int64_t channels : {40, 4232}) {
      if (channels > 40 && kernel != of_many_tiles) continue;
      const Shape shape{1, 9, 19, channels};
      const Window window{.kernel = kernel, .padding = kernel / 2};
      const Array x = rounded_to<T>(random_array(shape, 1)), factors = rounded_to<T>(random_array(shape, 3));
      const Array weight = rounded_to<T>(random_array({channels, 1, kernel, kernel}, 2));
      const Array shift = random_array({channels}, 4);

      const auto input = upload_as<T>(device, x), multiply = upload_as<T>(device, factors);
      const auto filters = upload_filters<T>(device, weight), shifts = upload_channels<T>(device, shift);
      cuda::Tensor<T> y(device, shape);
      cuda::DepthwiseArgs<T> args{};
      args.x = input.data();
      args.weight = filters.data();
      args.y = y.data();
      args.window = window;
      args.images = 1;
      args.height = args.y_height = shape[1];
      args.width = args.y_width = shape[2];
      args.channels = channels;
      args.epilogue.shift = shifts.full_data();
      args.epilogue.residual = kernel == 7 ? input.data() : nullptr;  // adds x itself
      args.epilogue.multiply = kernel == 7 ? nullptr : multiply.data();
      cuda::depthwise_conv2d_on_tensor_cores(args, device.stream());

      const auto full = upload_as<float>(device, x);
      Epilogue<cuda::Tensor<float>> epilogue{.shift = upload_channels<float>(device, shift)};
      (kernel == 7 ? epilogue.residual : epilogue.multiply) =
          kernel == 7 ? full : upload_as<float>(device, factors);
      const Array expected = download_from(
          Cuda<float>::depthwise_conv2d(full, upload_filters<float>(device, weight), window, epilogue));
      expect_rounded<T>(download_from(y), expected, order, "kernel " + std::to_string(kernel));
    }
  }
}

// Paddings that no network has: a result larger than x, and one smaller.
TYPED_TEST(SixteenBitImage, DepthwiseConv2dOfOtherPaddings) {
  for (const auto& device : test_devices()) {
    expect_depthwise_rounded<TypeParam>(device, {2, 5, 19, 24}, {.kernel = 7, .padding = 5});
    expect_depthwise_rounded<TypeParam>(device, {2, 9, 10, 40}, {.kernel = 7, .padding = 0});
  }
}

/// The positional convolutions of the networks: what is added is x itself, which is not rounded with a
/// filter.
TYPED_TEST(SixteenBitImage, DepthwiseConv2dAddedToItsInput) {
  using T = TypeParam;
  for (const auto& device : test_devices()) {
    for (const int kernel : {3, 5, 7}) {
      const Array x = rounded_to<T>(random_array({2, 7, 18, 40}, 1));
      const Array weight = rounded_to<T>(random_array({40, 1, kernel, kernel}, 2));
      const Array shift = random_array({40}, 3);
      const auto convolve = [&]<class S>(S) {
        const auto input = upload_as<S>(device, x);
        const Epilogue<cuda::Tensor<S>> epilogue{.shift = upload_channels<S>(device, shift),
                                                 .residual = input,
                                                 .final_activation = Activation::gelu};
        return download_from(Cuda<S>::depthwise_conv2d(input, upload_filters<S>(device, weight),
                                                       {.kernel = kernel, .padding = kernel / 2}, epilogue));
      };
      expect_rounded<T>(convolve(T{}), convolve(0.0f), order, "kernel " + std::to_string(kernel));
    }
  }
}

/// The gradient of a weight is float32.
TYPED_TEST(SixteenBitImage, DepthwiseGradients) {
  using T = TypeParam;
  for (const auto& device : test_devices()) {
    for (const std::int64_t channels : counts_of_channels) {
      for (const Window& window : {Window{.kernel = 3, .padding = 1}, Window{.kernel = 7, .padding = 3},
                                   Window{.kernel = 3, .stride = 2}}) {
        const Array x = rounded_to<T>(random_array({2, 5, 11, channels}, 1));
        const Array weight = rounded_to<T>(random_array({channels, 1, window.kernel, window.kernel}, 2));
        const Array dy =
            rounded_to<T>(random_array({2, window.output_extent(5), window.output_extent(11), channels}, 3));
        const auto gradients = [&]<class S>(S) {
          using G = Gradients<Cuda<S>>;
          const auto upstream = upload_as<S>(device, dy);
          const auto dw = G::depthwise_conv2d_weight(upload_as<S>(device, x), upstream, window, weight.shape);
          EXPECT_EQ(dw.is_full(), (!std::is_same_v<S, float>));
          return std::array{download_from(G::depthwise_conv2d_input(
                                upstream, upload_filters<S>(device, weight), window, x.shape)),
                            download_from(dw)};
        };
        const auto actual = gradients(T{});
        const auto expected = gradients(0.0f);
        expect_rounded<T>(actual[0], expected[0], order, "input");
        expect_close(actual[1], expected[1], order, "weight");
      }
    }
  }
}

TYPED_TEST(SixteenBitImage, Resampling) {
  using T = TypeParam;
  for (const auto& device : test_devices()) {
    const Array a = rounded_to<T>(random_array({2, 9, 11, 16}, 1));
    const Array b = rounded_to<T>(random_array({2, 9, 11, 3}, 2));
    const auto resample = [&]<class S>(S) {
      const std::array inputs{upload_as<S>(device, a), upload_as<S>(device, b)};
      std::vector<Array> results{download_from(Cuda<S>::adaptive_avg_pool(inputs, 7, 2))};
      for (const auto& input : inputs) {
        results.push_back(download_from(Cuda<S>::resize_bilinear(input, 13, 8, true)));
        results.push_back(download_from(Gradients<Cuda<S>>::resize_bilinear(input, 4, 17, false)));
        results.push_back(download_from(Gradients<Cuda<S>>::adaptive_avg_pool(input, 20, 17)));
      }
      return results;
    };
    const auto actual = resample(T{}), expected = resample(0.0f);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expect_rounded<T>(actual[i], expected[i], order, "result " + std::to_string(i));
    }
  }
}

/// Logits are interpolated in float32, so that the labels are those of Cuda<float>.
TYPED_TEST(SixteenBitImage, ResizeArgmax) {
  using T = TypeParam;
  for (const auto& device : test_devices()) {
    const Array logits = rounded_to<T>(random_array({1, 4, 6, 50}, 1));
    const auto labels = [&]<class S>(S) {
      std::vector<std::uint8_t> values(13 * 21);
      Cuda<S>::labels_to_host(Cuda<S>::resize_argmax(upload_as<S>(device, logits), 13, 21), values);
      return values;
    };
    EXPECT_EQ(labels(T{}), labels(0.0f));
  }
}

TYPED_TEST(SixteenBitImage, CrossEntropy) {
  using T = TypeParam;
  for (const auto& device : test_devices()) {
    const Array logits = rounded_to<T>(random_array({2, 3, 4, 21}, 1));
    std::vector<std::uint8_t> labels;
    for (int i = 0; i < 2 * 11 * 14; ++i) {
      labels.push_back(static_cast<std::uint8_t>(i % 9 == 0 ? 255 : i % 21));
    }
    const auto loss = [&]<class S>(S) {
      return Gradients<Cuda<S>>::cross_entropy(upload_as<S>(device, logits), labels, 11, 14, {});
    };
    const auto actual = loss(T{});
    const auto expected = loss(0.0f);
    EXPECT_EQ(actual.sum, expected.sum);
    EXPECT_EQ(actual.pixels, expected.pixels);
    expect_rounded<T>(download_from(actual.gradient), download_from(expected.gradient), order, "gradient");
  }
}

/// What half cannot hold before it is scaled: 1024 pixels of weight 200 at one pixel of the logits.
TYPED_TEST(SixteenBitImage, CrossEntropyIsScaledBeforeItIsRounded) {
  using T = TypeParam;
  const Array logits{{1, 1, 1, 2}, {0.5f, -0.25f}};
  const std::vector<std::uint8_t> labels(32 * 32, 1);
  const std::vector<float> weights{200.0f, 200.0f};
  const auto gradient = [&]<class S>(S) {
    const CrossEntropyOptions options{
        .class_weight = weights,
        .gradient_scale = [](std::int64_t pixels, double) { return 1.0 / static_cast<double>(pixels); }};
    return download_from(Gradients<Cuda<S>>::cross_entropy(upload_as<S>(cuda::default_device(), logits),
                                                           labels, 32, 32, options)
                             .gradient);
  };
  expect_rounded<T>(gradient(T{}), gradient(0.0f), 1e-4, "gradient");
}

/// from_host rounds to T what an epilogue wants in float32.
TYPED_TEST(SixteenBitImage, EpilogueOfTheWrongElements) {
  using T = TypeParam;
  const cuda::Device device;
  Epilogue<cuda::Tensor<T>> epilogue;
  epilogue.shift = upload_as<T>(device, random_array({8}, 3));
  EXPECT_EQ(message_of<ShapeError>([&] {
              Cuda<T>::depthwise_conv2d(upload_as<T>(device, random_array({1, 4, 4, 8}, 1)),
                                        upload_filters<T>(device, random_array({8, 1, 1, 1}, 2)), {},
                                        epilogue);
            }),
            "[depthwise_conv2d] a value for each channel must be float32, as weight_from_host makes it; got "
            "(8)");
}

}  // namespace
}  // namespace dformer::testing

// Operands of one operation must be of one device: nothing orders what two devices do.
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <backend/gradients_under_test.hpp>

namespace dformer::testing {
namespace {

using Operands = std::vector<Tensor>;

/// An operation of the backend, by the name that it has in errors, and the shapes of what it takes.
struct Operation {
  std::string name;
  std::vector<Shape> shapes;
  std::function<void(Operands&)> call;
};

const Shape image{1, 4, 4, 8}, tokens{2, 6, 8}, row{8};

const Window window{.kernel = 3, .padding = 1};
const Window pointwise{.kernel = 1};

/// Of operands x, weight, and then those of an epilogue.
Epilogue<Tensor> epilogue_of(const Operands& operands) {
  return {.scale = operands[2],
          .shift = operands[3],
          .multiply = operands[4],
          .layer_scale = operands[5],
          .residual = operands[6]};
}
std::vector<Shape> with_epilogue(const Shape& weight) {
  return {image, weight, row, row, image, row, image};
}
GeometryPrior<Tensor> prior_of(const Operands& operands) {
  return {operands[3], operands[4], operands[5]};
}

std::vector<Operation> operations() {
  using B = TestBackend;
  const Shape dense{8, 8, 3, 3}, dot{8, 8, 1, 1}, depthwise{8, 1, 3, 3};
  const std::vector<Shape> two_rows{image, row},
      with_prior{image, image, image, {1, 4, 4, 1}, {2, 1, 1, 1}, {2}};
  return {
      {"linear",
       {image, image, {8, 16}},
       [](Operands& o) { B::linear(std::span<const Tensor>(o).first(2), o[2], {}); }},
      {"linear", with_epilogue({8, 8}),
       [](Operands& o) { B::linear(std::span<const Tensor>(o).first(1), o[1], epilogue_of(o)); }},
      {"conv2d", with_epilogue(dense), [](Operands& o) { B::conv2d(o[0], o[1], window, epilogue_of(o)); }},
      {"conv2d", with_epilogue(dot), [](Operands& o) { B::conv2d(o[0], o[1], pointwise, epilogue_of(o)); }},
      {"depthwise_conv2d", with_epilogue(depthwise),
       [](Operands& o) { B::depthwise_conv2d(o[0], o[1], window, epilogue_of(o)); }},
      {"layer_norm", {image, row, row}, [](Operands& o) { B::layer_norm(o[0], o[1], o[2], 1e-5f); }},
      {"batch_norm_affine",
       {row, row, row, row},
       [](Operands& o) { B::batch_norm_affine(o[0], o[1], o[2], o[3], 1e-5f); }},
      {"scale_shift", {image, row, row}, [](Operands& o) { B::scale_shift(o[0], o[1], o[2]); }},
      {"add", {image, image}, [](Operands& o) { B::add(o[0], o[1]); }},
      {"multiply", {image, image}, [](Operands& o) { B::multiply(o[0], o[1]); }},
      {"concat", {image, image, image}, [](Operands& o) { B::concat(o); }},
      {"gate", {image, {1, 1, 1, 8}, {1, 1, 1, 8}}, [](Operands& o) { B::gate(o[0], o[1], o[2], 0.5f); }},
      {"adaptive_avg_pool", {image, image, image}, [](Operands& o) { B::adaptive_avg_pool(o, 2, 2); }},
      {"attention", {tokens, {2, 5, 16}}, [](Operands& o) { B::attention(o[0], o[1], 2, 0.5f); }},
      {"rotary", {image, {4}}, [](Operands& o) { B::rotary(o[0], o[1], 2, 0.5f); }},
      {"geometry_attention", with_prior,
       [](Operands& o) {
         B::geometry_attention(o[0], o[1], o[2], prior_of(o), 2, GeometryAttention::decomposed);
       }},
      {"nmf", {tokens, {2, 8, 3}}, [](Operands& o) { B::nmf(o[0], o[1], 1, 1.0f); }},
  };
}

std::vector<Operation> gradients() {
  using G = TestGradients;
  const Shape dense{8, 8, 3, 3}, dot{8, 8, 1, 1}, depthwise{8, 1, 3, 3};
  return {
      {"linear_input", {image, {8, 8}}, [](Operands& o) { G::linear_input(o[0], o[1]); }},
      {"linear_weight",
       {image, image, image},
       [](Operands& o) {
         G::linear_weight(std::span<const Tensor>(o).first(2), o[2], {8, 16});
       }},
      {"conv2d_input", {image, dense}, [](Operands& o) { G::conv2d_input(o[0], o[1], window, image); }},
      {"conv2d_input", {image, dot}, [](Operands& o) { G::conv2d_input(o[0], o[1], pointwise, image); }},
      {"conv2d_weight", {image, image}, [=](Operands& o) { G::conv2d_weight(o[0], o[1], window, dense); }},
      {"conv2d_weight", {image, image}, [=](Operands& o) { G::conv2d_weight(o[0], o[1], pointwise, dot); }},
      {"depthwise_conv2d_input",
       {image, depthwise},
       [](Operands& o) { G::depthwise_conv2d_input(o[0], o[1], window, image); }},
      {"depthwise_conv2d_weight",
       {image, image},
       [=](Operands& o) { G::depthwise_conv2d_weight(o[0], o[1], window, depthwise); }},
      {"layer_norm gradient",
       {image, row, image},
       [](Operands& o) { G::layer_norm(o[0], o[1], o[2], 1e-5f); }},
      {"batch_norm gradient",
       {image, row, row, row, image},
       [](Operands& o) {
         G::batch_norm(o[0], o[1], {o[2], o[3]}, 1e-5f, o[4]);
       }},
      {"update_statistics",
       {row, row, row, row},
       [](Operands& o) {
         G::update_statistics(o[0], o[1], {o[2], o[3]}, 16, 0.1f);
       }},
      {"activation gradient",
       {image, image},
       [](Operands& o) { G::activation(o[0], Activation::gelu, o[1]); }},
      {"softmax gradient", {image, image}, [](Operands& o) { G::softmax(o[0], o[1]); }},
      {"channel_products", {image, image}, [](Operands& o) { G::channel_products(o[0], o[1]); }},
      {"scale_channels", {image, row}, [](Operands& o) { G::scale_channels(o[0], o[1]); }},
      {"add_to", {image, image}, [](Operands& o) { G::add_to(o[0], o[1]); }},
      {"attention gradient",
       {tokens, {2, 5, 16}, tokens},
       [](Operands& o) { G::attention(o[0], o[1], 2, 0.5f, o[2]); }},
      {"rotary", {image, {4}}, [](Operands& o) { G::rotary(o[0], o[1], 2, 0.5f); }},
      {"geometry_attention gradient",
       {image, image, image, {1, 4, 4, 1}, {2, 1, 1, 1}, {2}, image},
       [](Operands& o) {
         G::geometry_attention(o[0], o[1], o[2], prior_of(o), 2, GeometryAttention::decomposed, o[6]);
       }},
      {"nmf gradient", {tokens, {2, 8, 3}, tokens}, [](Operands& o) { G::nmf(o[0], o[1], 1, 1.0f, o[2]); }},
  };
}

/// Steps of optimisers take many parameters at once, which must be of one device too.
std::vector<Operation> steps() {
  using G = TestGradients;
  return {
      {"sum_of_squares", {row, image, row}, [](Operands& o) { G::sum_of_squares(o); }},
      {"adamw",
       {row, row, row, row, image, image, image, image},
       [](Operands& o) {
         std::vector<AdamWUpdate<Tensor>> updates{{o[0], o[1], o[2], o[3], {.lr = 0.1}},
                                                  {o[4], o[5], o[6], o[7], {.lr = 0.1}}};
         G::adamw(updates, 1.0);
       }},
      {"sgd",
       {row, row, row, image, image},
       [](Operands& o) {
         std::vector<SgdUpdate<Tensor>> updates{{o[0], o[1], o[2], {.lr = 0.1}},
                                                {o[3], o[4], {}, {.lr = 0.1, .momentum = 0}}};
         G::sgd(updates, 1.0);
       }},
      {"average_to",
       {row, row, image, image},
       [](Operands& o) {
         std::vector<AverageUpdate<Tensor>> updates{{o[0], o[1]}, {o[2], o[3]}};
         G::average_to(updates, 0.9);
       }},
  };
}

/// Each operand in turn is of another device than the rest.
void expect_one_device(const std::vector<Operation>& operations) {
  const cuda::Device device;
  std::vector<cuda::Device> others(1);  // one of the same GPU, and one of another
  if (cuda::runtime::device_count() > 1) others.push_back(cuda::Device({.ordinal = 1}));
  for (const Operation& operation : operations) {
    const auto operands = [&](const cuda::Device& other, std::size_t moved) {
      Operands result;
      for (std::size_t i = 0; i < operation.shapes.size(); ++i) {
        Array values = random_array(operation.shapes[i], static_cast<unsigned>(i));
        for (float& value : values.values) value = value * value;  // as variances and bases are
        result.push_back(upload(i == moved ? other : device, values));
      }
      return result;
    };
    Operands together = operands(device, 0);
    EXPECT_NO_THROW(operation.call(together)) << operation.name;
    for (const cuda::Device& other : others) {
      for (std::size_t moved = 0; moved < operation.shapes.size(); ++moved) {
        Operands apart = operands(other, moved);
        EXPECT_EQ(message_of<ArgumentError>([&] { operation.call(apart); }),
                  "[" + operation.name +
                      "] the operands belong to two Device objects, and nothing orders what is done on "
                      "them; make inputs on the network's, dformer::device_of(net)")
            << "operand " << moved << " on GPU " << other.options().ordinal;
      }
    }
  }
}

TEST(OneDevice, IsAskedForByOperations) {
  expect_one_device(operations());
}
TEST(OneDevice, IsAskedForByGradients) {
  expect_one_device(gradients());
}
TEST(OneDevice, IsAskedForBySteps) {
  expect_one_device(steps());
}

}  // namespace
}  // namespace dformer::testing

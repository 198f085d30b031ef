// The weight is in the order that oneDNN chooses, and is brought into it beforehand.

#include "matrix_product_peers.hpp"

#if defined(DFORMER_BENCHMARK_ONEDNN)
#include <memory>
#include <unordered_map>

#include <dnnl.hpp>
#include <omp.h>

namespace {

using dnnl::memory;

memory view(const memory::desc& desc, const dnnl::engine& engine, const float* data) {
  return memory(desc, engine, const_cast<float*>(data));
}

/// A primitive with its operands, run once a call.
struct Prepared {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::primitive primitive;
  std::unordered_map<int, memory> operands;

  memory reordered(memory from, const memory::desc& wanted) {
    if (from.get_desc() == wanted) return from;
    memory to(wanted, engine);
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    return to;
  }
};

std::function<void()> runner(std::shared_ptr<Prepared> prepared, int threads) {
  return [prepared, threads] {
    omp_set_num_threads(threads);
    prepared->primitive.execute(prepared->stream, prepared->operands);
    prepared->stream.wait();
  };
}

memory::desc floats(const memory::dims& dims, memory::format_tag tag) {
  return memory::desc(dims, memory::data_type::f32, tag);
}

}  // namespace

std::function<void()> peers::onednn(const Product& product, int threads) {
  using Tag = memory::format_tag;
  omp_set_num_threads(threads);
  auto prepared = std::make_shared<Prepared>();
  const dnnl::engine& engine = prepared->engine;
  const memory::desc x = floats({product.rows, product.depth}, Tag::ab);
  const memory::desc y = floats({product.rows, product.channels}, Tag::ab);
  const memory::desc bias = floats({1, product.channels}, Tag::ab);
  const memory::dims weight{product.depth, product.channels};
  dnnl::primitive_attr attributes;
  if (product.gelu) {
    dnnl::post_ops post;
    post.append_eltwise(1.0f, dnnl::algorithm::eltwise_gelu_erf, 0.0f, 0.0f);
    attributes.set_post_ops(post);
  }
  const dnnl::matmul::primitive_desc desc({x, floats(weight, Tag::any), bias, y}, attributes, engine);
  prepared->primitive = dnnl::matmul(desc);
  prepared->operands = {
      {DNNL_ARG_SRC, view(x, engine, product.x)},
      {DNNL_ARG_WEIGHTS,
       prepared->reordered(view(floats(weight, Tag::ba), engine, product.weight), desc.weights_desc())},
      {DNNL_ARG_BIAS, view(bias, engine, product.bias)},
      {DNNL_ARG_DST, view(y, engine, product.y)}};
  return runner(prepared, threads);
}

std::function<void()> peers::onednn(const Convolution& convolution, int threads) {
  using Tag = memory::format_tag;
  omp_set_num_threads(threads);
  auto prepared = std::make_shared<Prepared>();
  const dnnl::engine& engine = prepared->engine;
  const auto& c = convolution;
  const memory::desc x = floats({1, c.inputs, c.height, c.width}, Tag::nhwc);
  const memory::desc y = floats({1, c.channels, c.height / 2, c.width / 2}, Tag::nhwc);
  const memory::desc bias = floats({c.channels}, Tag::a);
  const memory::dims weight{c.channels, c.inputs, 3, 3};
  const dnnl::convolution_forward::primitive_desc desc({dnnl::prop_kind::forward_inference,
                                                        dnnl::algorithm::convolution_auto,
                                                        x,
                                                        floats(weight, Tag::any),
                                                        bias,
                                                        y,
                                                        {2, 2},
                                                        {1, 1},
                                                        {1, 1}},
                                                       engine);
  prepared->primitive = dnnl::convolution_forward(desc);
  prepared->operands = {
      {DNNL_ARG_SRC, view(x, engine, c.x)},
      {DNNL_ARG_WEIGHTS,
       prepared->reordered(view(floats(weight, Tag::oihw), engine, c.weight), desc.weights_desc())},
      {DNNL_ARG_BIAS, view(bias, engine, c.bias)},
      {DNNL_ARG_DST, view(y, engine, c.y)}};
  return runner(prepared, threads);
}
#else
std::function<void()> peers::onednn(const Product&, int) {
  return {};
}
std::function<void()> peers::onednn(const Convolution&, int) {
  return {};
}
#endif

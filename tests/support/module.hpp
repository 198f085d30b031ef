#pragma once

#include <string>
#include <vector>

#include <support/backend_under_test.hpp>

#include <dformer/nn/initialize.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer::testing {

/// Gives a block the parameters and buffers that its fixture stores. Every entry of the fixture must be used.
template <class Module>
void load_golden(Module& module, const Golden& golden, const TestBackend::Device& device) {
  std::size_t used = 0;
  for (auto& [name, parameter] : parameters(module)) {
    if (parameter->kind() == ParameterKind::counter) continue;
    std::string key = "param." + name;
    if (!golden.has(key)) key = "buffer." + name;
    if (parameter->kind() == ParameterKind::constant) continue;
    ASSERT_TRUE(golden.has(key)) << name;
    const Array array = golden.array(key);
    ASSERT_EQ(to_string(parameter->shape()), to_string(array.shape)) << name;
    set_values(*parameter, array.values, device);
    ++used;
  }
  std::size_t stored = 0;
  for (const std::string& name : golden.names()) {
    if (name.starts_with("param.") || (name.starts_with("buffer.") && !name.ends_with("num_batches_tracked")))
      ++stored;
  }
  EXPECT_EQ(used, stored);
}

/// The tolerance that the block fixtures state: 1e-4 * max(1, max|expected|), or 50 times the reference's own
/// rounding where that is larger.
inline double block_tolerance(const Golden& golden, const Array& expected) {
  const bool of_dformer = golden.has_text("f64_maxabs");
  return std::max(1e-4 * std::max(1.0, static_cast<double>(expected.max_abs())),
                  50 * golden.number(of_dformer ? "f64_maxabs" : "torch_f32_vs_f64_max_abs"));
}

/// Compares a tensor with an entry of a block's fixture that is stored channels last.
inline void expect_output(const Tensor& actual, const Golden& golden, const std::string& key) {
  const Array expected = golden.array(key);
  expect_close(download(actual), expected, block_tolerance(golden, expected), key);
}

/// The same for an entry that is stored channels first.
inline void expect_nchw_output(const Tensor& actual, const Golden& golden, const std::string& key) {
  const Array expected = golden.array(key);
  expect_close(to_nchw(download(actual)), expected, block_tolerance(golden, expected), key);
}

}  // namespace dformer::testing

#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <backend/gradients_under_test.hpp>
#include <support/module.hpp>

#include <dformer/backend/autodiff/autodiff.hpp>

namespace dformer::testing {

template <class Mode>
using Recorded = Autodiff<TestBackend, Mode>;
using Leaf = autodiff::Tensor<TestBackend>;

/// What a fixture calls its gradients, and how closely those of parameters are to be met.
struct GradientKeys {
  std::string of_input = "grad.input.";
  std::string of_parameter = "grad.param.";
  double (*parameter_tolerance)(const Golden& golden, const std::string& name, const Array& expected) =
      [](const Golden& golden, const std::string&, const Array& expected) {
        return block_tolerance(golden, expected);
      };
};

/// The inputs of a fixture as leaves, and the results of a module, whose gradients are to be the fixture's.
class GoldenRun {
 public:
  GoldenRun(const Golden& golden, const TestBackend::Device& device, GradientKeys keys = {})
      : golden_(golden), device_(device), keys_(std::move(keys)) {}

  /// Stored channels last, or of another rank than four.
  Leaf input(const std::string& key) { return leaf(key, golden_.array("input." + key), false); }
  /// Stored channels first.
  Leaf nchw_input(const std::string& key) { return leaf(key, golden_.nhwc("input." + key), true); }

  void output(const std::string& key, const Leaf& y) { check(key, y, false); }
  void nchw_output(const std::string& key, const Leaf& y) { check(key, y, true); }

  /// Sweeps from all results; every gradient that the fixture has of a parameter or of an input must agree.
  template <class Module>
  void compare(Module& module) {
    autodiff::LeafGradients<TestBackend> gradients;
    backward(std::span<const ResultGradient<TestBackend>>(results_), gradients);
    std::size_t compared = 0;
    for (const auto& input : inputs_) {
      const std::string key = keys_.of_input + input.key;
      if (!golden_.has(key)) continue;
      const Array expected = golden_.array(key);
      const Array actual = download(gradients.of(input.leaf));
      expect_close(input.nchw ? to_nchw(actual) : actual, expected, block_tolerance(golden_, expected), key);
    }
    for (const auto& [name, parameter] : parameters(module)) {
      if (parameter->kind() != ParameterKind::trained) continue;
      const std::string key = keys_.of_parameter + name;
      ASSERT_TRUE(golden_.has(key)) << key;
      const auto gradient = gradients.of(parameter->value());
      ASSERT_TRUE(gradient) << key;
      Array actual{parameter->shape(),
                   std::vector<float>(static_cast<std::size_t>(parameter->shape().numel()))};
      TestBackend::weight_to_host(gradient, parameter->layout(), actual.values);
      const Array expected = golden_.array(key);
      expect_close(actual, expected, keys_.parameter_tolerance(golden_, name, expected), key);
      ++compared;
    }
    EXPECT_GT(compared, 0u);
    for (const auto& [name, parameter] : parameters(module)) {
      const std::string key = "after." + name;
      if (!golden_.has(key)) continue;
      const Array expected = golden_.array(key);
      expect_close(download(parameter->value().value()), expected, block_tolerance(golden_, expected), key);
    }
  }

 private:
  struct Input {
    std::string key;
    Leaf leaf;
    bool nchw;
  };

  Leaf leaf(const std::string& key, const Array& values, bool nchw) {
    Leaf tracked = Recorded<Training>::leaf(Leaf(upload(device_, values)));
    inputs_.push_back({key, tracked, nchw});
    return tracked;
  }
  void check(const std::string& suffix, const Leaf& y, bool nchw) {
    const Array expected = golden_.array("output" + suffix);
    const Array actual = download(y.value());
    expect_close(nchw ? to_nchw(actual) : actual, expected, block_tolerance(golden_, expected),
                 "output" + suffix);
    const std::string key = "grad_output" + suffix;
    results_.push_back({y, upload(device_, nchw ? golden_.nhwc(key) : golden_.array(key))});
  }

  const Golden& golden_;
  const TestBackend::Device& device_;
  GradientKeys keys_;
  std::vector<Input> inputs_;
  std::vector<ResultGradient<TestBackend>> results_;
};

/// run(module, golden run) for each device, with the module's parameters those of the fixture.
template <class Module, class Run>
void check_golden_gradients(const std::string& name, const Run& run) {
  SCOPED_TRACE(name);
  const Golden golden("blocks/" + name);
  for (const auto& device : test_devices()) {
    Module module;
    load_golden(module, golden, device);
    GoldenRun golden_run(golden, device);
    run(module, golden_run);
    golden_run.compare(module);
  }
}

}  // namespace dformer::testing

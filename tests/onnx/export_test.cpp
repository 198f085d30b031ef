// Exported models, as onnx's checker and ONNX Runtime find them, beside the CPU's own results.
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <support/golden.hpp>
#include <support/python.hpp>
#include <unistd.h>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/backend/cpu/device.hpp>
#include <dformer/core/fill.hpp>
#include <dformer/io/npz_writer.hpp>
#include <dformer/io/saved_tensors.hpp>
#include <dformer/onnx.hpp>

namespace dformer {
namespace {

using testing::Array;

/// Weights under which every block has its share in the result.
template <class B>
SegmenterPointer<B> filled(const std::string& model, int classes) {
  SegmenterPointer<B> net = make_segmenter<B>(model, classes);
  fill_parameters(*net, [](std::string_view name, const Shape& shape, std::span<float> values) {
    fill_by_name(name, shape, values);
  });
  return net;
}

Array noise(const Shape& shape, const char* name) {
  Array array{shape, std::vector<float>(static_cast<std::size_t>(shape.numel()))};
  const NamedStream stream(name);
  for (std::size_t i = 0; i < array.values.size(); ++i) array.values[i] = 2.0f * stream.symmetric(i);
  return array;
}

struct Case {
  std::string model;
  OnnxOptions options;
  std::int64_t images = 1;
  int classes = 40;
};

class Exported : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    static const bool present = testing::python_has("numpy, onnx, onnxruntime");
    if (!present) GTEST_SKIP() << "python3 with numpy, onnx and onnxruntime is missing: no runtime was asked";
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Writes the model, the parameters, and a pass of the CPU; gives what Python says of them.
  std::vector<std::string> asked(const Case& given) const {
    const auto net = filled<Cpu<>>(given.model, given.classes);
    write_npz(folder_ / "parameters.npz", saved_tensors(*net));
    write_pass(*net, given);
    write_onnx(onnx_graph(*filled<Onnx>(given.model, given.classes), given.options), folder_ / "model.onnx");
    const testing::Printed printed = testing::run_command(
        "python3 '" DFORMER_TEST_SCRIPTS "/runtime_agrees.py' '" + folder_.string() + "'");
    EXPECT_EQ(printed.exit_code, 0) << printed.text;
    std::vector<std::string> lines;
    std::istringstream text(printed.text);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

 private:
  void write_pass(const AnySegmenter<Cpu<>>& net, const Case& given) const {
    const Shape pixels{given.images, given.options.height, given.options.width, 3};
    const Array rgb = noise(pixels, "rgb"), depth = noise(pixels.with_back(1), "depth");
    const auto& device = Cpu<>::default_device();
    const auto x = Cpu<>::from_host(device, rgb.shape, rgb.values);
    const auto z = Cpu<>::from_host(device, depth.shape, depth.values);
    std::vector<NamedTensor> arrays{array("rgb", rgb), array("depth", depth)};
    if (given.options.output == OnnxOutput::labels) {
      const auto labels = net.labels(x, z);
      std::vector<std::uint8_t> values(static_cast<std::size_t>(labels.shape().numel()));
      Cpu<>::labels_to_host(labels, values);
      arrays.push_back({"expected", tensor_of(labels.shape(), std::move(values))});
    } else {
      auto logits = net(x, z);
      if (given.options.output == OnnxOutput::logits)
        logits = Cpu<>::resize_bilinear(logits, pixels[1], pixels[2], false);
      Array expected{logits.shape(), std::vector<float>(static_cast<std::size_t>(logits.shape().numel()))};
      Cpu<>::to_host(logits, expected.values);
      arrays.push_back(array("expected", expected));
    }
    write_npz(folder_ / "pass.npz", arrays);
  }
  static NamedTensor array(const char* name, const Array& nhwc) {
    Array nchw = testing::to_nchw(nhwc);
    return {name, tensor_of(nchw.shape, std::move(nchw.values))};
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("dformer_onnx_" + std::to_string(::getpid()));
};

TEST_P(Exported, RunsAsOnTheCpu) {
  const Case& given = GetParam();
  const std::vector<std::string> lines = asked(given);
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0], "output " + std::string(name_of(given.options.output)));
  const std::size_t passes = given.options.batch == OnnxOptions::any_batch ? 2 : 1;
  EXPECT_EQ(lines.size(), 1 + passes);
  const bool labels = given.options.output == OnnxOutput::labels;
  const std::string measure = labels ? "labels that differ " : "relative difference ";
  for (std::size_t i = 1; i < lines.size(); ++i) {
    ASSERT_TRUE(lines[i].starts_with(measure)) << lines[i];
    const double difference = std::stod(lines[i].substr(measure.size()));
    EXPECT_LE(difference, labels ? 1e-3 : 1e-4);  // labels may differ where two classes tie
    RecordProperty("difference", lines[i]);
  }
}

constexpr std::int64_t any = OnnxOptions::any_batch;
const std::vector<Case> cases{
    {"DFormer_Tiny", {.height = 96, .width = 128, .batch = any}, 2},
    {"DFormer_Small", {.height = 96, .width = 128, .batch = any}, 2},
    {"DFormer_Base", {.height = 96, .width = 128, .batch = any}, 2},
    {"DFormer_Large", {.height = 96, .width = 128, .batch = any}, 2},
    {"DFormerv2_S", {.height = 96, .width = 128, .batch = any}, 2},
    {"DFormerv2_B", {.height = 96, .width = 128, .batch = any}, 2},
    {"DFormerv2_L", {.height = 96, .width = 128, .batch = any}, 2},
    {"AsymFormer", {.height = 96, .width = 128, .batch = any}, 2},
    {"DFormer_Tiny", {.height = 90, .width = 130}, 1, 13},
    {"DFormerv2_S", {.height = 90, .width = 130}, 1, 37},
    {"DFormer_Tiny", {.height = 90, .width = 130, .batch = any, .output = OnnxOutput::labels}, 2},
    {"DFormerv2_S", {.height = 33, .width = 70, .batch = 3, .output = OnnxOutput::coarse_logits}, 3},
};
INSTANTIATE_TEST_SUITE_P(Models, Exported, ::testing::ValuesIn(cases), [](const auto& test) {
  const Case& given = test.param;
  return given.model + "_" + std::to_string(given.options.height) + "x" +
         std::to_string(given.options.width) + "_" + std::string(name_of(given.options.output));
});

}  // namespace
}  // namespace dformer

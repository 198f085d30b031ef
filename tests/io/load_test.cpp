#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include "safetensors_builder.hpp"
#include <dformer/io/load.hpp>
#include <dformer/io/save_safetensors.hpp>
#include <dformer/io/save_torch.hpp>

namespace dformer {
namespace {

using testing::TemporaryFile;

/// As much of a backend as parameters need: floats on the host.
struct Host {
  struct Device {};
  struct Tensor {
    std::shared_ptr<const std::vector<float>> values;
    explicit operator bool() const { return values != nullptr; }
  };
  static inline int uploads_until_failure = -1;

  static Device default_device() { return {}; }
  static Tensor weight_from_host(const Device&, WeightLayout, const Shape&, std::span<const float> values) {
    if (uploads_until_failure-- == 0) throw std::runtime_error("the device is full");
    return {std::make_shared<const std::vector<float>>(values.begin(), values.end())};
  }
  static void weight_to_host(const Tensor& tensor, WeightLayout, std::span<float> values) {
    std::copy(tensor.values->begin(), tensor.values->end(), values.begin());
  }
};

struct Net {
  using Backend = Host;

  Parameter<Host> weight{Shape{2, 2}};
  Parameter<Host> bias{Shape{2}};
  Parameter<Host> mean = make_buffer<Host>(Shape{2});
  Parameter<Host> decay =
      make_buffer<Host>(Shape{2}, [](std::span<float> values) { values[0] = values[1] = 7.0f; });
  Parameter<Host> bases = make_constant<Host>(Shape{1}, [](std::span<float> values) { values[0] = 8.0f; });
  Parameter<Host> count{Shape{}, WeightLayout::plain, ParameterKind::counter};

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("backbone.stem.weight", self.weight);
    visitor("decode_head.conv_seg.bias", self.bias);
    visitor("backbone.stem.bn.running_mean", self.mean);
    visitor("backbone.Geo.decay", self.decay);
    visitor("hamburger.bases", self.bases);
    visitor("backbone.stem.bn.num_batches_tracked", self.count);
  }
};

std::vector<float> values(const Parameter<Host>& parameter) {
  return *parameter.value().values;
}

/// A safetensors file for Net, in which names can be replaced and entries left out.
testing::SafetensorsBuilder whole_file() {
  testing::SafetensorsBuilder file;
  file.add("backbone.stem.weight", {2, 2}, {1, 2, 3, 4});
  file.add("decode_head.conv_seg.bias", {2}, {5, 6});
  file.add("backbone.stem.bn.running_mean", {2}, {-1, -2});
  file.add("backbone.Geo.decay", {2}, {0.5, 0.25});
  file.add_integer("backbone.stem.bn.num_batches_tracked", 9);
  return file;
}

class Load : public ::testing::Test {
 protected:
  void SetUp() override { Host::uploads_until_failure = -1; }

  LoadReport load_file(const testing::SafetensorsBuilder& content, const LoadOptions& options = {}) {
    const TemporaryFile file(content.finish());
    return load(net, file.path(), options);
  }
  LoadError load_error(const testing::SafetensorsBuilder& content, const LoadOptions& options = {}) {
    try {
      load_file(content, options);
    } catch (const LoadError& error) {
      return error;
    }
    ADD_FAILURE() << "no LoadError was thrown";
    return LoadError({});
  }

  Net net;
};

TEST_F(Load, SetsEveryKindOfParameter) {
  const LoadReport report = load_file(whole_file());
  EXPECT_EQ(values(net.weight), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(values(net.bias), (std::vector<float>{5, 6}));
  EXPECT_EQ(values(net.mean), (std::vector<float>{-1, -2}));
  EXPECT_EQ(values(net.decay), (std::vector<float>{0.5, 0.25}));
  EXPECT_EQ(values(net.bases), (std::vector<float>{8}))
      << "a constant is computed, also where the file is complete";
  EXPECT_EQ(net.count.count(), 9);
  EXPECT_EQ(report.applied.size(), 5u);
  EXPECT_TRUE(report.complete());
  EXPECT_NE(to_string(report).find("5 tensors applied"), std::string::npos);
}

TEST_F(Load, NamesWeightsThatAreNotFinite) {
  EXPECT_TRUE(load_file(whole_file()).not_finite.empty());
  for (const float wrong : {NAN, -INFINITY}) {
    testing::SafetensorsBuilder file = whole_file();
    file.remove("decode_head.conv_seg.bias");
    file.add("decode_head.conv_seg.bias", {2}, {5, wrong});
    const LoadReport report = load_file(file);
    EXPECT_EQ(report.not_finite, std::vector<std::string>{"decode_head.conv_seg.bias"});
    EXPECT_NE(to_string(report).find("NaN or infinity is among the values: 1\n    decode_head"),
              std::string::npos);
  }
}

TEST_F(Load, ShowsTheFirstOfManyNames) {
  testing::SafetensorsBuilder file = whole_file();
  for (int i = 0; i < 30; ++i) file.add("other." + std::to_string(i), {1}, {0});
  const LoadError error = load_error(file);
  EXPECT_EQ(error.report().unused.size(), 30u);
  const std::string text = error.what();
  EXPECT_NE(text.find("not in the network: 30\n"), std::string::npos) << text;
  EXPECT_NE(text.find("    and 18 more"), std::string::npos) << text;
}

TEST_F(Load, TablesAndCountersMayLackInTheFile) {
  testing::SafetensorsBuilder file = whole_file();
  file.remove("backbone.Geo.decay");
  file.remove("backbone.stem.bn.num_batches_tracked");
  net.count.set_count(3);
  EXPECT_TRUE(load_file(file).complete());
  EXPECT_EQ(values(net.decay), (std::vector<float>{7, 7})) << "computed";
  EXPECT_EQ(net.count.count(), 3);
}

TEST_F(Load, StrictErrorsAreTheWholeReport) {
  testing::SafetensorsBuilder file = whole_file();
  file.rename("backbone.stem.weight", "backbone.sten.weight");
  file.remove("decode_head.conv_seg.bias");
  file.add("decode_head.conv_seg.bias", {3}, {1, 2, 3});
  file.add("extra", {1}, {0});
  const LoadError error = load_error(file);
  EXPECT_EQ(error.kind(), CheckpointError::Kind::key_mismatch);
  ASSERT_EQ(error.report().missing.size(), 1u);
  EXPECT_EQ(error.report().missing[0].nearest, "backbone.sten.weight");
  ASSERT_EQ(error.report().mismatched.size(), 1u);
  EXPECT_EQ(error.report().unused, (std::vector<std::string>{"backbone.sten.weight", "extra"}));
  const std::string text = error.what();
  for (const char* part :
       {"backbone.stem.weight (2, 2); the file has backbone.sten.weight", "file (3), network (2)", "extra",
        "missing, in the network but not in the file: 1", "unused, in the file but not in the network: 2",
        "left as it was", "Load_StrictErrorsAreTheWholeReport"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST_F(Load, AFailedLoadLeavesTheNetworkAsItWas) {
  load_file(whole_file());
  testing::SafetensorsBuilder other;
  other.add("backbone.stem.weight", {2, 2}, {9, 9, 9, 9});
  load_error(other);
  EXPECT_EQ(values(net.weight), (std::vector<float>{1, 2, 3, 4}));

  testing::SafetensorsBuilder changed = whole_file();
  changed.remove("backbone.stem.weight");
  changed.add("backbone.stem.weight", {2, 2}, {9, 9, 9, 9});
  for (int uploads = 0; uploads < 4; ++uploads) {
    Host::uploads_until_failure = uploads;
    EXPECT_THROW(load_file(changed), std::runtime_error);
    EXPECT_EQ(values(net.weight), (std::vector<float>{1, 2, 3, 4})) << "failed after " << uploads;
  }
  Host::uploads_until_failure = -1;
  load_file(changed);
  EXPECT_EQ(values(net.weight), (std::vector<float>{9, 9, 9, 9}));
}

TEST_F(Load, CountersThatCountNothingKeepTheirValue) {
  for (const float count : {0.5f, -1.0f, HUGE_VALF, NAN, 1e30f}) {  // of averaged files, and of float16
    load_file(whole_file());
    const std::int64_t before = net.count.count();
    testing::SafetensorsBuilder changed = whole_file();
    changed.remove("backbone.stem.bn.num_batches_tracked");
    changed.add("backbone.stem.bn.num_batches_tracked", {}, {count});
    EXPECT_TRUE(load_file(changed).complete()) << count;
    EXPECT_EQ(net.count.count(), before) << count;
  }
}

TEST_F(Load, NonStrictTakesWhatFits) {
  testing::SafetensorsBuilder file = whole_file();
  file.remove("decode_head.conv_seg.bias");
  file.add("extra", {1}, {0});
  const LoadReport report = load_file(file, {.strict = false});
  EXPECT_EQ(values(net.weight), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_FALSE(net.bias.has_value());
  EXPECT_FALSE(report.complete());
  EXPECT_EQ(report.missing.size(), 1u);
}

TEST_F(Load, OtherClassCountsAreSkippedOnlyIfNamed) {
  testing::SafetensorsBuilder file = whole_file();
  file.remove("decode_head.conv_seg.bias");
  file.add("decode_head.conv_seg.bias", {40}, std::vector<float>(40));
  EXPECT_NE(std::string(load_error(file).what()).find("skip_mismatched"), std::string::npos);
  EXPECT_EQ(load_error(file, {.skip_mismatched = {"backbone."}}).report().mismatched.size(), 1u);
  const LoadReport report = load_file(file, {.skip_mismatched = {"decode_head.conv_seg"}});
  ASSERT_EQ(report.skipped.size(), 1u);
  EXPECT_EQ(report.skipped[0].file_shape, (Shape{40}));
  EXPECT_FALSE(net.bias.has_value());
  EXPECT_NE(to_string(report).find("skipped as asked"), std::string::npos);
}

TEST_F(Load, AdviceNamesTheLayerThatDiffersUnlessThereAreMore) {
  testing::SafetensorsBuilder file = whole_file();
  file.remove("backbone.stem.weight");
  file.add("backbone.stem.weight", {3, 2}, std::vector<float>(6));
  EXPECT_NE(std::string(load_error(file).what()).find(".skip_mismatched = {\"backbone.stem\"}"),
            std::string::npos);
  file.remove("decode_head.conv_seg.bias");
  file.add("decode_head.conv_seg.bias", {40}, std::vector<float>(40));
  const std::string text = load_error(file).what();
  EXPECT_EQ(text.find("skip_mismatched"), std::string::npos) << text;
  EXPECT_NE(text.find("another variant"), std::string::npos) << text;
}

TEST_F(Load, APretrainingFileFillsTheBackboneOnly) {
  testing::SafetensorsBuilder file;  // as ImageNet files name things: no "backbone.", and a classifier
  file.add("stem.weight", {2, 2}, {1, 2, 3, 4});
  file.add("stem.bn.running_mean", {2}, {-1, -2});
  file.add("head.weight", {3}, {0, 0, 0});
  EXPECT_NE(std::string(load_error(file).what()).find(".prefix = \"backbone.\""), std::string::npos);
  const LoadReport report = load_file(file, {.prefix = "backbone."});
  EXPECT_EQ(values(net.weight), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(report.renamed.size(), 2u);
  EXPECT_EQ(report.unused, (std::vector<std::string>{"head.weight"}));
  EXPECT_EQ(report.outside, (std::vector<std::string>{"decode_head.conv_seg.bias"}));
  file.remove("stem.weight");
  EXPECT_EQ(load_error(file, {.prefix = "backbone."}).report().missing.size(), 1u)
      << "still strict inside the prefix";
}

TEST_F(Load, APrefixThatNoNameHasIsRefused) {
  const std::string text = load_error(whole_file(), {.prefix = "bakcbone."}).what();
  EXPECT_NE(text.find("Not one name fits"), std::string::npos) << text;
}

TEST_F(Load, LegacyEntriesAreIgnored) {
  testing::SafetensorsBuilder file = whole_file();
  file.add("backbone.norm2.weight", {1}, {0});
  file.add("backbone.other.num_batches_tracked", {}, {0});
  const LoadReport report = load_file(file);
  EXPECT_EQ(report.ignored.size(), 2u);
  EXPECT_TRUE(report.complete());
}

TEST_F(Load, AOnePixelConvolutionIsALinearLayer) {
  testing::SafetensorsBuilder file = whole_file();
  file.remove("backbone.stem.weight");
  file.add("backbone.stem.weight", {2, 2, 1, 1}, {1, 2, 3, 4});
  load_file(file);
  EXPECT_EQ(values(net.weight), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(Load, SavedNetworksLoadAgain) {
  load_file(whole_file());
  const TemporaryFile file("before");
  save_safetensors(net, file.path(), {{"epoch", "3"}});
  Net copy;
  const LoadReport report = load(copy, file.path());
  EXPECT_EQ(report.applied.size(), 5u);
  EXPECT_EQ(values(copy.weight), values(net.weight));
  EXPECT_EQ(values(copy.mean), values(net.mean));
  EXPECT_EQ(copy.count.count(), 9);
  const Checkpoint checkpoint = read_checkpoint(file.path());
  EXPECT_EQ(checkpoint.text("epoch"), "3");
  EXPECT_EQ(checkpoint.find("hamburger.bases"), nullptr);
}

TEST_F(Load, SavedAsTorchTheyLoadAgainInTheOrderOfTheStateDict) {
  load_file(whole_file());
  const TemporaryFile file("before");
  save_torch(net, file.path());
  Net copy;
  const LoadReport report = load(copy, file.path());
  EXPECT_EQ(report.applied, (std::vector<std::string>{"backbone.stem.weight", "decode_head.conv_seg.bias",
                                                      "backbone.stem.bn.running_mean", "backbone.Geo.decay",
                                                      "backbone.stem.bn.num_batches_tracked"}));
  EXPECT_EQ(values(copy.weight), values(net.weight));
  EXPECT_EQ(values(copy.decay), values(net.decay));
  EXPECT_EQ(copy.count.count(), 9);
  const Checkpoint checkpoint = read_checkpoint(file.path());
  EXPECT_EQ(checkpoint.selected(), "model");
  EXPECT_EQ(checkpoint.find("backbone.stem.bn.num_batches_tracked")->dtype, DType::int64);
  EXPECT_EQ(checkpoint.find("backbone.stem.bn.num_batches_tracked")->shape, Shape{});
}

TEST_F(Load, AnUnsetNetworkIsNotSaved) {
  const TemporaryFile file("before");
  EXPECT_THROW(save_torch(net, file.path()), UnsetParameterError);
  EXPECT_THROW(save_safetensors(net, file.path()), UnsetParameterError);
  EXPECT_EQ(std::filesystem::file_size(file.path()), 6u);
}

}  // namespace
}  // namespace dformer

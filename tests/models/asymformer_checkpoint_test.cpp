// Files that AsymFormer is loaded from: as its authors first published it, and ImageNet's ConvNeXt.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <io/checkpoint_support.hpp>
#include <support/parameter_values.hpp>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/io/load.hpp>
#include <dformer/io/safetensors_writer.hpp>
#include <dformer/io/saved_tensors.hpp>
#include <dformer/models/asymformer.hpp>

namespace dformer {
namespace {

using Network = AsymFormer<>;
using testing::values_of;

void replace_in(std::string& name, const std::string& from, const std::string& to) {
  const std::size_t at = name.find(from);
  if (at != name.npos) name.replace(at, from.size(), to);
}

TEST(AsymFormerCheckpoint, FirstNamesAndFormsAreTaken) {
  Network trained, network;
  initialize(trained, 1);
  std::vector<NamedTensor> tensors = saved_tensors(trained);
  for (NamedTensor& tensor : tensors) {
    replace_in(tensor.name, "SCC.conv_bn.0", "SCC.conv1");
    replace_in(tensor.name, "SCC.conv_bn.1", "SCC.bn");
    if (tensor.name.starts_with("Decoder.linear_c") && tensor.tensor.shape.rank() == 4)
      tensor.tensor.shape = {tensor.tensor.shape[0], tensor.tensor.shape[1]};
    tensor.name = "module." + tensor.name;
  }
  for (const char* left_over :
       {"down_sample_2.SCC.cross_atten.midc1", "down_sample_2.SCC.fus_atten.inc", "total_ops"})
    tensors.push_back({std::string("module.") + left_over, tensor_of(Shape{1}, std::vector<float>{3})});
  const testing::TemporaryFile file("");
  write_safetensors(file.path(), tensors);
  load(network, file.path());
  for (const char* name : {"down_sample_2.SCC.conv_bn.0.weight", "down_sample_4.SCC.conv_bn.1.running_var",
                           "Decoder.linear_c3.proj.weight", "down_sample_3.rgb_layer.8.gamma"}) {
    EXPECT_EQ(values_of(network, name), values_of(trained, name)) << name;
  }
}

TEST(AsymFormerCheckpoint, TheColourStreamComesFromConvNeXt) {
  Network trained, network;
  initialize(trained, 1);
  initialize(network, 2);
  std::vector<NamedTensor> tensors;
  for (NamedTensor& tensor : saved_tensors(trained)) {
    for (const char stage : {'1', '2', '3', '4'}) {
      const std::string number(1, static_cast<char>(stage - 1)), own = std::string("down_sample_") + stage;
      if (!tensor.name.starts_with(own + ".rgb_")) continue;
      replace_in(tensor.name, own + ".rgb_stem", "downsample_layers." + number);
      replace_in(tensor.name, own + ".rgb_layer", "stages." + number);
      tensors.push_back(tensor);
    }
  }
  tensors.push_back({"norm.weight", tensor_of(Shape{768}, std::vector<float>(768))});
  tensors.push_back({"head.weight", tensor_of(Shape{1000, 768}, std::vector<float>(768000))});
  const testing::TemporaryFile file("");
  write_safetensors(file.path(), tensors);
  const std::string depth = "down_sample_1.depth_stem.proj.weight";
  const std::vector<float> before = values_of(network, depth);
  const LoadReport report = load(
      network, file.path(), {.strict = false, .prefix = std::string(Network::conventions.backbone_prefix)});
  EXPECT_EQ(report.applied.size(), tensors.size() - 2);
  EXPECT_TRUE(report.mismatched.empty());
  for (const char* name :
       {"down_sample_1.rgb_stem.0.weight", "down_sample_4.rgb_stem.1.weight",
        "down_sample_3.rgb_layer.8.pwconv2.weight", "down_sample_1.rgb_layer.0.norm.bias"}) {
    EXPECT_EQ(values_of(network, name), values_of(trained, name)) << name;
  }
  EXPECT_EQ(values_of(network, depth), before);
}

}  // namespace
}  // namespace dformer

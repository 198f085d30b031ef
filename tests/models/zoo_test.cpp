#include <filesystem>
#include <string>
#include <vector>

#include <io/checkpoint_support.hpp>
#include <models/official_state_dict.hpp>
#include <support/parameter_values.hpp>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/io/load.hpp>
#include <dformer/io/save_safetensors.hpp>
#include <dformer/models/zoo.hpp>

namespace dformer {
namespace {

using testing::values_of;

template <class B>
const Shape& shape_of(AnySegmenter<B>& network, const std::string& name) {
  for (const auto& entry : parameters(network))
    if (entry.name == name) return entry.parameter->shape();
  throw_argument_error("no parameter " + name);
}

constexpr const char* classifier = "decode_head.conv_seg.weight";
constexpr const char* align = "decode_head.align.conv.weight";

TEST(Zoo, EveryVariantHasTheOfficialStateDict) {
  for (std::string_view name : model_names) {
    const auto network = make_segmenter<Count>(name);
    EXPECT_EQ(network->name, name);
    EXPECT_EQ(network->num_classes, 40);
    testing::expect_official_state_dict(*network, std::string(name));
  }
}

// The number of classes changes the shape of the last layer, and nothing else.
TEST(Zoo, EveryVariantHasAnyNumberOfClasses) {
  for (std::string_view name : model_names) {
    const std::string layer = name == "AsymFormer" ? "Decoder.linear_pred" : "decode_head.conv_seg";
    const auto official = testing::state_dict(*make_segmenter<Count>(name));
    for (int count : {2, 13, 255}) {
      const auto network = make_segmenter<Count>(name, count);
      EXPECT_EQ(network->num_classes, count);
      const auto found = testing::state_dict(*network);
      ASSERT_EQ(found.size(), official.size());
      std::size_t different = 0;
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i] == official[i]) continue;
        EXPECT_TRUE(found[i].starts_with(layer + ".")) << found[i];
        ++different;
      }
      EXPECT_EQ(different, 2u);
      EXPECT_EQ(shape_of(*network, layer + ".weight")[0], count);
    }
  }
}

// Quirk: DFormerv2's decode head is wider for SUNRGBD, and takes colours in the order R, G, B.
TEST(Zoo, HeadAndColoursAreThoseOfADataSet) {
  const auto expect = [](const char* model, int count, OfficialDataset like, int width, ColorOrder order) {
    const auto network = make_segmenter<Count>(model, count, like);
    EXPECT_EQ(network->num_classes, count) << model;
    EXPECT_EQ(shape_of(*network, align)[0], width) << model << ' ' << count;
    EXPECT_EQ(shape_of(*network, classifier), (Shape{count, width, 1, 1})) << model;
    EXPECT_EQ(network->color_order, order) << model << ' ' << count;
  };
  for (int count : {37, 40, 13}) {
    for (const char* model : {"DFormer_Tiny", "DFormer_Small", "DFormer_Base", "DFormer_Large"}) {
      expect(model, count, OfficialDataset::nyu_depth_v2, 512, ColorOrder::bgr);
      expect(model, count, OfficialDataset::sunrgbd, 512, ColorOrder::bgr);
    }
    for (const char* model : {"DFormerv2_S", "DFormerv2_B"}) {
      expect(model, count, OfficialDataset::nyu_depth_v2, 512, ColorOrder::bgr);
      expect(model, count, OfficialDataset::sunrgbd, 1024, ColorOrder::rgb);
    }
    expect("DFormerv2_L", count, OfficialDataset::nyu_depth_v2, 1024, ColorOrder::bgr);
    expect("DFormerv2_L", count, OfficialDataset::sunrgbd, 1024, ColorOrder::rgb);
  }
}

TEST(Zoo, ThirtySevenClassesAreThoseOfSUNRGBD) {
  EXPECT_EQ(make_segmenter<Count>("DFormerv2_S", 37)->color_order, ColorOrder::rgb);
  EXPECT_EQ(shape_of(*make_segmenter<Count>("DFormerv2_S", 37), align)[0], 1024);
  EXPECT_EQ(make_segmenter<Count>("DFormerv2_S", 36)->color_order, ColorOrder::bgr);
  EXPECT_EQ(shape_of(*make_segmenter<Count>("DFormerv2_S", 36), align)[0], 512);
}

TEST(Zoo, BadNamesAndCountsAreRefused) {
  const auto message = [](std::string_view model, int count) -> std::string {
    try {
      make_segmenter<Cpu<>>(model, count);
    } catch (const ArgumentError& error) {
      return error.what();
    }
    return "";
  };
  for (int count : {-3, 0, 1, 256}) {
    EXPECT_NE(message("DFormerv2_B", count).find("2 to 255 classes, asked for " + std::to_string(count)),
              std::string::npos);
  }
  EXPECT_NE(message("DFormer_Huge", 40).find("no model is named 'DFormer_Huge'; there are DFormer_Tiny"),
            std::string::npos);
}

// Fine-tuning: all of a checkpoint but the layer that classifies.
TEST(Zoo, ACheckpointOfAnotherNumberOfClassesIsTakenIfAsked) {
  const testing::TemporaryFile file("");
  const auto trained = make_segmenter<Cpu<>>("DFormer_Tiny", 40);
  initialize(*trained, 1);
  save_safetensors(*trained, file.path());

  const auto network = make_segmenter<Cpu<>>("DFormer_Tiny", 13);
  initialize(*network, 2);
  const auto initial = values_of(*network, classifier);
  try {
    load(*network, file.path());
    FAIL();
  } catch (const LoadError& error) {
    const std::string text = error.what();
    for (const char* part : {"decode_head.conv_seg.weight: file (40, 512, 1, 1), network (13, 512, 1, 1)",
                             "decode_head.conv_seg.bias: file (40), network (13)", "left as it was",
                             "LoadOptions{.skip_mismatched = {\"decode_head.conv_seg\"}}"}) {
      EXPECT_NE(text.find(part), text.npos) << part << " in\n" << text;
    }
  }
  EXPECT_NE(values_of(*network, align), values_of(*trained, align));

  const LoadReport report = load(*network, file.path(), {.skip_mismatched = {"decode_head.conv_seg"}});
  EXPECT_EQ(report.skipped.size(), 2u);
  EXPECT_TRUE(report.missing.empty() && report.unused.empty() && report.mismatched.empty());
  EXPECT_EQ(values_of(*network, align), values_of(*trained, align));
  EXPECT_EQ(values_of(*network, classifier), initial);
}

}  // namespace
}  // namespace dformer

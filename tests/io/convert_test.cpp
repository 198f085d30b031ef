// Checkpoints from every container into every other: what is kept, what is named, what is refused.
#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include "written_files.hpp"
#include <dformer/io/byte_reader.hpp>
#include <dformer/io/convert.hpp>

namespace dformer {
namespace {

using testing::content_of;
using testing::files_beside;
using testing::FullDisk;
using testing::TemporaryFile;

std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(DFORMER_TEST_DATA) / "checkpoints" / name;
}

/// Name, element type, shape and bits of every weight.
std::map<std::string, std::string> weights_of(const std::filesystem::path& path) {
  const Checkpoint checkpoint = read_checkpoint(path);
  std::map<std::string, std::string> weights;
  for (const TensorRecord& tensor : checkpoint.tensors()) {
    std::string& text = weights[tensor.name];
    text = std::string(to_string(tensor.dtype)) + " " + to_string(tensor.shape) + " ";
    record_source(tensor).content([&](std::span<const std::byte> piece) { text += io::as_text(piece); });
  }
  return weights;
}

template <class Exception>
std::string error_of(const auto& action) {
  try {
    action();
  } catch (const Exception& error) {
    return error.what();
  }
  return "no error";
}

void expect_mentions(const std::string& text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) EXPECT_NE(text.find(part), text.npos) << part << " in:\n" << text;
}

class Convert : public ::testing::Test {
 protected:
  TemporaryFile pth_{"", "out.pth"}, safetensors_{"", "out.safetensors"}, pkl_{"", "out.pkl"},
      npz_{"", "out.npz"}, back_{"", "back.pth"};
};

TEST_F(Convert, EveryContainerIntoEveryOtherKeepsEveryBit) {
  for (const char* name :
       {"plain.pth", "state_dict.pth", "training_state.pth", "module_prefix.pth", "float16.pth",
        "float64.pth", "other_dtypes.pth", "strided_shared.pth", "legacy_strided.pth", "timm_like.pth.tar",
        "deflated.pth", "jittor_model.pkl", "jittor_fortran.pkl", "toy.safetensors", "full_v1_tiny_keys.pth",
        "full_v2_small_keys.pth"}) {
    SCOPED_TRACE(name);
    const auto expected = weights_of(fixture(name));
    convert_checkpoint(fixture(name), safetensors_.path());
    EXPECT_EQ(read_checkpoint(safetensors_.path()).format(), io::FileFormat::safetensors);
    convert_checkpoint(safetensors_.path(), npz_.path());
    EXPECT_EQ(read_checkpoint(npz_.path()).format(), io::FileFormat::npz);
    convert_checkpoint(npz_.path(), pkl_.path());
    EXPECT_EQ(read_checkpoint(pkl_.path()).format(), io::FileFormat::jittor_pickle);
    convert_checkpoint(pkl_.path(), pth_.path(), {.legacy = true});
    EXPECT_EQ(read_checkpoint(pth_.path()).format(), io::FileFormat::torch_legacy);
    convert_checkpoint(pth_.path(), back_.path());
    EXPECT_EQ(read_checkpoint(back_.path()).format(), io::FileFormat::torch_zip);
    for (const TemporaryFile* file : {&safetensors_, &npz_, &pth_, &back_})
      EXPECT_TRUE(weights_of(file->path()) == expected) << file->path();
  }
}

TEST_F(Convert, PicklesTakeOverWhatStandsBesideTheWeights) {
  const Checkpoint before = read_checkpoint(fixture("training_state.pth"));
  for (const TemporaryFile* file : {&pth_, &pkl_}) {
    const ConversionReport report = convert_checkpoint(fixture("training_state.pth"), file->path());
    EXPECT_TRUE(report.dropped.empty());
    EXPECT_EQ(report.place, "model");
    const Checkpoint after = read_checkpoint(file->path());
    EXPECT_EQ(after.selected(), "model");
    EXPECT_EQ(after.metadata(), before.metadata());
    ASSERT_EQ(after.other_tensors().size(), before.other_tensors().size());
    for (std::size_t i = 0; i < after.other_tensors().size(); ++i) {
      EXPECT_EQ(after.other_tensors()[i].name, before.other_tensors()[i].name);
      EXPECT_EQ(after.other_tensors()[i].dtype, before.other_tensors()[i].dtype);
      EXPECT_EQ(after.other_tensors()[i].to_float32(), before.other_tensors()[i].to_float32());
    }
  }
}

TEST_F(Convert, WhatCannotBeTakenOverIsInTheReport) {
  const ConversionReport report = convert_checkpoint(fixture("training_state.pth"), safetensors_.path());
  ASSERT_EQ(report.dropped.size(), 3u);
  EXPECT_EQ(report.dropped[0].path, "optimizer");
  EXPECT_EQ(report.dropped[0].tensors, 15u);
  EXPECT_EQ(report.dropped[1].path, "epoch");
  EXPECT_EQ(report.dropped[1].values, 1u);
  EXPECT_EQ(report.dropped[0].reason, "safetensors holds weights only");

  write_safetensors(safetensors_.path(), std::vector<NamedTensor>{{"w", tensor_of(1.0f)}},
                    {{"author", "me"}});
  const ConversionReport metadata = convert_checkpoint(safetensors_.path(), pth_.path());
  ASSERT_EQ(metadata.dropped.size(), 1u);
  EXPECT_EQ(metadata.dropped[0].path, "author");
  const TemporaryFile copy("", "copy.safetensors");
  EXPECT_TRUE(convert_checkpoint(safetensors_.path(), copy.path()).dropped.empty());
  EXPECT_EQ(read_checkpoint(copy.path()).text("author"), "me");
}

TEST_F(Convert, WeightsStandWhereTheReaderOfTheContainerLooks) {
  const auto place = [&](const std::filesystem::path& in, const TemporaryFile& out,
                         ConvertOptions options = {}) {
    const std::string told = convert_checkpoint(in, out.path(), options).place;
    EXPECT_EQ(told, read_checkpoint(out.path()).selected());
    return told;
  };
  EXPECT_EQ(place(fixture("plain.pth"), pth_), "top level") << "as it was";
  EXPECT_EQ(place(fixture("state_dict.pth"), pth_), "state_dict");
  EXPECT_EQ(place(fixture("state_dict.pth"), pkl_), "state_dict");
  EXPECT_EQ(place(fixture("toy.safetensors"), pth_), "model") << "as the official programs look for it";
  EXPECT_EQ(place(fixture("toy.safetensors"), pkl_), "top level") << "as jittor's load_parameters does";
  EXPECT_EQ(place(fixture("state_dict.pth"), pth_, {.place = "model"}), "model");
  EXPECT_EQ(read_checkpoint(pth_.path()).integer("epoch"), 3) << "the rest stays where it was";
  EXPECT_EQ(place(fixture("plain.pth"), pth_, {.place = "state_dict.model"}), "state_dict.model");
  EXPECT_EQ(place(fixture("jittor_model.pkl"), pth_, {.place = ""}), "top level");
  expect_mentions(error_of<ArgumentError>([&] {
                    convert_checkpoint(fixture("state_dict.pth"), pth_.path(), {.place = "epoch"});
                  }),
                  {"state_dict.pth", "'epoch'", "a whole number", "'model'"});
  const auto taken = [&](const char* in, const char* at, std::initializer_list<std::string_view> parts) {
    const auto convert = [&] { convert_checkpoint(fixture(in), pth_.path(), {.place = at}); };
    expect_mentions(error_of<ArgumentError>(convert), parts);
  };
  taken("training_state.pth", "optimizer",
        {"training_state.pth", "'optimizer' already holds 15 other tensors"});
  taken("training_state.pth", "optimizer.ema", {"'optimizer' already holds"});
  taken("state_dict_ema.pth", "state_dict", {"'state_dict' already holds 5 other tensors"});
  taken("state_dict_ema.pth", "", {"at the top level", "'state_dict' before"});
  taken("plain.pth", "model.", {"a name is missing"});
}

TEST_F(Convert, JittorHasItsOwnNames) {
  const TemporaryFile in("", "in.pth");
  write_torch_checkpoint(in.path(), TorchDict{{"decode_head.squeeze.bn.weight", tensor_of(1.0f)},
                                              {"decode_head.conv_seg.bias", tensor_of(2.0f)},
                                              {"backbone.layers.2.blocks.0.gamma_1", tensor_of(3.0f)},
                                              {"backbone.layers.0.downsample.norm.weight", tensor_of(4.0f)},
                                              {"decode_head.squeeze.bn.num_batches_tracked", tensor_of(5L)}});
  const ConversionReport report = convert_checkpoint(in.path(), pkl_.path());
  std::vector<std::string> names;
  const Checkpoint jittor = read_checkpoint(pkl_.path());
  for (const TensorRecord& tensor : jittor.tensors()) names.push_back(tensor.name);
  EXPECT_EQ(names, (std::vector<std::string>{"decode_head.squeeze.norm.weight", "decode_head.cls_seg.bias",
                                             "backbone.layers.2.blocks.0.gamma1",
                                             "backbone.layers.0.downsample.norm.weight",
                                             "decode_head.squeeze.norm.num_batches_tracked"}));
  const std::vector<RenamedGroup> groups = renamed_groups(report);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].from + " " + groups[0].to, "bn norm");
  EXPECT_EQ(groups[0].tensors, 2u);
  EXPECT_EQ(groups[0].first, "decode_head.squeeze.bn.weight");

  convert_checkpoint(pkl_.path(), back_.path());
  EXPECT_TRUE(weights_of(back_.path()) == weights_of(in.path()));
  convert_checkpoint(in.path(), pkl_.path(), {.names = KeyNames::kept});
  EXPECT_TRUE(weights_of(pkl_.path()) == weights_of(in.path()));
  convert_checkpoint(in.path(), pth_.path(), {.names = KeyNames::jittor});
  EXPECT_NE(read_checkpoint(pth_.path()).find("decode_head.cls_seg.bias"), nullptr);
  convert_checkpoint(pth_.path(), back_.path(), {.names = KeyNames::official});
  EXPECT_TRUE(weights_of(back_.path()) == weights_of(in.path()));
}

TEST_F(Convert, OnlyFloatingPointWeightsTakeAnotherType) {
  const ConversionReport report =
      convert_checkpoint(fixture("training_state.pth"), pth_.path(), {.dtype = DType::bfloat16});
  EXPECT_EQ(report.overflowed, 0u);
  const Checkpoint before = read_checkpoint(fixture("training_state.pth"));
  const Checkpoint after = read_checkpoint(pth_.path());
  for (std::size_t i = 0; i < before.tensors().size(); ++i) {
    const TensorRecord& tensor = after.tensors()[i];
    if (before.tensors()[i].dtype != DType::float32) {
      EXPECT_EQ(tensor.dtype, before.tensors()[i].dtype) << tensor.name;
      continue;
    }
    EXPECT_EQ(tensor.dtype, DType::bfloat16) << tensor.name;
    std::vector<float> expected = before.tensors()[i].to_float32();
    for (float& value : expected) value = bfloat16_to_float(float_to_bfloat16(value));
    EXPECT_EQ(tensor.to_float32(), expected) << tensor.name;
  }
  for (const TensorRecord& tensor : after.other_tensors())
    EXPECT_NE(tensor.dtype, DType::bfloat16) << "the state of the optimizer keeps its type";

  for (const TemporaryFile* file : {&pkl_, &npz_}) {
    expect_mentions(error_of<ArgumentError>([&] { convert_checkpoint(pth_.path(), file->path()); }),
                    {file->path().string(), "bfloat16", "NumPy", "float32"});
    EXPECT_EQ(content_of(file->path()), "");
    convert_checkpoint(pth_.path(), file->path(), {.dtype = DType::float32});
    EXPECT_EQ(read_checkpoint(file->path()).tensors()[0].dtype, DType::float32);
  }
}

TEST_F(Convert, ValuesBeyondTheTypeAreCounted) {
  const TemporaryFile in("", "in.pth");
  write_torch_checkpoint(in.path(), TorchDict{{"w", tensor_of({3}, std::vector<float>{1, 1e5f, -1e6f})}});
  EXPECT_EQ(convert_checkpoint(in.path(), pth_.path(), {.dtype = DType::float16}).overflowed, 2u);
}

TEST_F(Convert, ItsOwnRenamesComeFirst) {
  const ConversionReport report =
      convert_checkpoint(fixture("plain.pth"), pth_.path(), {.renames = {{"backbone.stem.", "encoder."}}});
  EXPECT_NE(read_checkpoint(pth_.path()).find("encoder.0.weight"), nullptr);
  ASSERT_EQ(renamed_groups(report).size(), 1u);
  EXPECT_EQ(renamed_groups(report)[0].from, "backbone.stem");
  EXPECT_EQ(renamed_groups(report)[0].to, "encoder");
  convert_checkpoint(fixture("plain.pth"), back_.path(), {.renames = {{"", "net."}}});
  const ConversionReport stripped =
      convert_checkpoint(back_.path(), pth_.path(), {.renames = {{"net.", ""}}});
  EXPECT_EQ(renamed_groups(stripped)[0].from, "net.");
  EXPECT_EQ(renamed_groups(stripped)[0].tensors, stripped.tensors.size());
  EXPECT_TRUE(weights_of(pth_.path()) == weights_of(fixture("plain.pth")));

  expect_mentions(error_of<ArgumentError>([&] {
                    convert_checkpoint(fixture("plain.pth"), pkl_.path(), {.renames = {{"encoder.", "x."}}});
                  }),
                  {"plain.pth", "'encoder.'"});
  expect_mentions(error_of<ArgumentError>([&] {
                    convert_checkpoint(
                        fixture("plain.pth"), pkl_.path(),
                        {.renames = {{"backbone.stem.0.weight", "x"}, {"decode_head.conv_seg.bias", "x"}}});
                  }),
                  {"backbone.stem.0.weight", "decode_head.conv_seg.bias", "both be named 'x'"});
  for (const std::string& to :
       {std::string(600, 'x'), std::string("x\t")}) {  // names that no reader here takes
    expect_mentions(error_of<ArgumentError>([&] {
                      convert_checkpoint(fixture("plain.pth"), pkl_.path(), {.renames = {{"backbone.", to}}});
                    }),
                    {"plain.pth", "'backbone.=", "a tensor has a name of"});
  }
  EXPECT_EQ(content_of(pkl_.path()), "");
}

TEST_F(Convert, ANetworkGivesItsNamesAndRefusesWhatDoesNotFit) {
  const TemporaryFile in("", "in.pth");
  write_torch_checkpoint(in.path(),
                         TorchDict{{"model.squeeze.norm.weight", tensor_of({2}, std::vector<float>{1, 2})},
                                   {"model.norm.num_batches_tracked", tensor_of(3L)}});
  const std::vector<LoadTarget> network{{"squeeze.bn.weight", {2}, ParameterKind::trained, false}};
  const ConversionReport report = convert_checkpoint(in.path(), pth_.path(), {.network = network});
  ASSERT_TRUE(report.fitting.has_value());
  EXPECT_EQ(report.fitting->applied.size(), 1u);
  const Checkpoint checkpoint = read_checkpoint(pth_.path());
  EXPECT_NE(checkpoint.find("squeeze.bn.weight"), nullptr);
  EXPECT_NE(checkpoint.find("model.norm.num_batches_tracked"), nullptr) << "what it does not know is kept";
  EXPECT_EQ(require_fit(read_checkpoint(in.path()), {.network = network}).applied.size(), 1u);

  const std::vector<LoadTarget> other{{"squeeze.bn.weight", {3}, ParameterKind::trained, false}};
  expect_mentions(
      error_of<LoadError>([&] { convert_checkpoint(in.path(), safetensors_.path(), {.network = other}); }),
      {"in.pth", "squeeze.bn.weight", "(2)", "(3)"});
  EXPECT_EQ(content_of(safetensors_.path()), "");
}

TEST_F(Convert, ArraysOfNumpyBecomeTensors) {
  const ConversionReport report = convert_checkpoint(fixture("numpy_extras.pth"), pth_.path());
  EXPECT_TRUE(report.dropped.empty());
  const Checkpoint after = read_checkpoint(pth_.path());
  const Checkpoint before = read_checkpoint(fixture("numpy_extras.pth"));
  ASSERT_EQ(after.other_tensors().size(), before.other_tensors().size()) << "arrays become tensors";
  for (std::size_t i = 0; i < after.other_tensors().size(); ++i)
    EXPECT_EQ(after.other_tensors()[i].to_float32(), before.other_tensors()[i].to_float32());
}

TEST_F(Convert, BadRequestsChangeNothing) {
  const auto refused = [&](const std::filesystem::path& in, const std::filesystem::path& out,
                           const ConvertOptions& options, std::initializer_list<std::string_view> parts) {
    expect_mentions(error_of<Error>([&] { convert_checkpoint(in, out, options); }), parts);
  };
  refused(fixture("plain.pth"), "out.onn", {}, {"out.onn", ".pth", ".safetensors", ".pkl", ".npz"});
  refused(fixture("plain.pth"), ".pth", {}, {"the name of a checkpoint"});
  refused("/no/such/file.pth", pth_.path(), {}, {"/no/such/file.pth"});
  refused(fixture("bad_html.pth"), pth_.path(), {}, {"bad_html.pth", "web page"});
  refused(fixture("evil_os_system.pth"), pth_.path(), {}, {"evil_os_system.pth"});
  refused(fixture("plain.pth"), "/no/such/folder/x.pth", {}, {"/no/such/folder/x.pth", "create the folder"});
  refused(fixture("plain.pth"), npz_.path(), {.legacy = true}, {"older form", ".pth"});
  refused(fixture("plain.pth"), npz_.path(), {.place = "model"}, {"top level"});
  refused(fixture("plain.pth"), pth_.path(), {.dtype = DType::float64}, {"float64"});
  EXPECT_EQ(content_of(pth_.path()), "");
  EXPECT_EQ(content_of(npz_.path()), "");

  convert_checkpoint(fixture("plain.pth"), pth_.path());
  const std::string before = content_of(pth_.path());
  refused(pth_.path(), pth_.path(), {}, {"the output is the input"});
  const std::filesystem::path link = pth_.path().string() + ".link.pth";
  std::filesystem::create_hard_link(pth_.path(), link);
  refused(pth_.path(), link, {}, {"the output is the input"});
  std::filesystem::remove(link);
  EXPECT_EQ(content_of(pth_.path()), before);
}

TEST_F(Convert, AFullDiskLeavesTheOldFileAndNothingElse) {
  for (const TemporaryFile* file : {&pth_, &safetensors_, &pkl_, &npz_}) {
    convert_checkpoint(fixture("plain.pth"), file->path());
    const std::string before = content_of(file->path());
    {
      const FullDisk disk(1000);
      expect_mentions(
          error_of<FileError>([&] { convert_checkpoint(fixture("full_v1_tiny_keys.pth"), file->path()); }),
          {file->path().string(), "free space"});
    }
    EXPECT_TRUE(content_of(file->path()) == before);
    EXPECT_EQ(files_beside(file->path()), 1u);
  }
}

TEST_F(Convert, NamesEndAnyHow) {
  EXPECT_EQ(container_of("a/b.PTH"), io::FileFormat::torch_zip);
  EXPECT_EQ(container_of("DFormer_Tiny.pth.tar"), io::FileFormat::torch_zip);
  EXPECT_EQ(container_of("pytorch_model.bin"), io::FileFormat::torch_zip);
  EXPECT_EQ(container_of("x.pkl"), io::FileFormat::jittor_pickle);
  EXPECT_THROW(container_of("x.tar"), ArgumentError);
  EXPECT_THROW(container_of("x"), ArgumentError);
}

}  // namespace
}  // namespace dformer

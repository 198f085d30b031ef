#include <vector>

#include <gtest/gtest.h>

#include <dformer/core/fill.hpp>

namespace dformer {
namespace {

TEST(Fnv1a64, KnownHashes) {
  EXPECT_EQ(fnv1a64(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a64("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv1a64("b", fnv1a64("a")), fnv1a64("ab"));
}

// The table of docs/parity.md's rule, from the reference's side.
TEST(NamedStream, KnownNumbers) {
  struct Row {
    const char* name;
    std::uint64_t index;
    std::uint64_t upper_bits;
    float symmetric;
  };
  for (const Row& row : {Row{"input.rgb", 0, 2468426, -0.70574069023132324f},
                         Row{"input.depth", 5, 5846570, -0.30303454399108887f},
                         Row{"backbone.downsample_layers.0.0.weight", 10, 4939331, -0.41118586063385010f},
                         Row{"decode_head.conv_seg.bias", 39, 13636516, 0.62559938430786133f},
                         Row{"input.label", 123, 4137010, -0.50682997703552246f},
                         Row{"ham.bases", 0, 10145029, 0.20938169956207275f}}) {
    const NamedStream stream(row.name);
    EXPECT_EQ(stream.bits(row.index) >> 40, row.upper_bits) << row.name;
    EXPECT_EQ(stream.symmetric(row.index), row.symmetric) << row.name;
  }
}

TEST(NamedStream, SaltComesBeforeTheName) {
  EXPECT_EQ(NamedStream("b", "a").bits(3), NamedStream("ab").bits(3));
  EXPECT_NE(NamedStream("b", "c").bits(3), NamedStream("ab").bits(3));
}

std::vector<float> filled(const char* name, const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  fill_by_name(name, shape, values);
  return values;
}

TEST(FillByName, FirstRuleThatAppliesWins) {
  const auto v = [](const char* name) { return NamedStream(name).symmetric(0); };
  EXPECT_EQ(filled("x.running_var", {4})[0], 1.0f + 0.5f * v("x.running_var"));
  EXPECT_EQ(filled("x.running_mean", {4})[0], 0.1f * v("x.running_mean"));
  EXPECT_EQ(filled("x.layer_scale_1", {4})[0], 0.5f + 0.25f * v("x.layer_scale_1"));
  EXPECT_EQ(filled("x.gamma_1", {1, 1, 1, 4})[0], 0.5f + 0.25f * v("x.gamma_1"));
  EXPECT_EQ(filled("x.Geo.weight", {2, 1, 1, 1})[0], 1.0f + 0.5f * v("x.Geo.weight"));
  EXPECT_EQ(filled("x.weight", {4, 3, 2, 2})[0], 0.5f * v("x.weight"));  // sqrt(3 / 12)
  EXPECT_EQ(filled("x.bias", {4})[0], 0.1f * v("x.bias"));
  EXPECT_NEAR(filled("x.weight", {4})[0], 1.0f + 0.1f * v("x.weight"), 1e-7f);
}

}  // namespace
}  // namespace dformer

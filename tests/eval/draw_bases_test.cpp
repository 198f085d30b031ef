#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/eval/draw_bases.hpp>
#include <dformer/models/zoo.hpp>

namespace dformer {
namespace {

const Parameter<Cpu<>>& bases_of(AnySegmenter<Cpu<>>& network) {
  for (const auto& [name, parameter] : parameters(network))
    if (name == "decode_head.hamburger.bases") return *parameter;
  throw std::runtime_error("no bases");
}

std::vector<float> values_of(const Parameter<Cpu<>>& parameter) {
  std::vector<float> values(static_cast<std::size_t>(parameter.shape().numel()));
  Cpu<>::to_host(parameter.value(), values);
  return values;
}

TEST(DrawBases, DecidedByTheSeedAndOfUnitLength) {
  const auto network = make_segmenter<Cpu<>>("DFormer_Tiny");
  initialize(*network, 1);
  const Parameter<Cpu<>>& bases = bases_of(*network);
  const std::vector<float> at_first = values_of(bases);
  draw_bases(*network, 5);
  const std::vector<float> drawn = values_of(bases);
  EXPECT_NE(drawn, at_first);
  draw_bases(*network, 6);
  EXPECT_NE(values_of(bases), drawn);
  draw_bases(*network, 5);
  EXPECT_EQ(values_of(bases), drawn);

  const auto rank = static_cast<std::size_t>(bases.shape()[2]);
  double squares = 0;
  for (std::size_t i = 3; i < drawn.size(); i += rank) squares += static_cast<double>(drawn[i]) * drawn[i];
  EXPECT_NEAR(squares, 1, 1e-5) << "of column 3";
  EXPECT_GE(*std::min_element(drawn.begin(), drawn.end()), 0);
}

}  // namespace
}  // namespace dformer

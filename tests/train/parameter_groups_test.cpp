#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <dformer/backend/count/count.hpp>
#include <dformer/models/asymformer.hpp>
#include <dformer/models/variants.hpp>
#include <dformer/train/parameter_groups.hpp>

namespace dformer {
namespace {

template <class P>
std::vector<std::string> names(const std::vector<Named<P>>& group) {
  std::vector<std::string> result;
  for (const auto& [name, parameter] : group) result.push_back(name);
  return result;
}

template <class Network>
ParameterGroups<Parameter<Count>> groups_of(ParameterPolicy policy) {
  static Network network;
  return group_parameters(parameters(network), policy);
}

/// The names of the reference, in the order in which it numbers them.
template <class Network>
void expect_official_names(const std::string& network) {
  std::ifstream file(std::string(DFORMER_TEST_DATA) + "/train/" + network + ".groups.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  const auto groups = groups_of<Network>(ParameterPolicy::official);
  EXPECT_EQ(names(groups.decay), golden.at("decay").get<std::vector<std::string>>());
  EXPECT_EQ(names(groups.no_decay), golden.at("no_decay").get<std::vector<std::string>>());
  EXPECT_EQ(names(groups.left_out), golden.at("left_out").get<std::vector<std::string>>());
}

TEST(ParameterGroups, OfficialNamesOfDFormer) {
  expect_official_names<DFormer_Tiny<Count>>("DFormer_Tiny");
}
TEST(ParameterGroups, OfficialNamesOfDFormerV2) {
  expect_official_names<DFormerv2_S<Count>>("DFormerv2_S");
}

template <class Network>
void expect_counts(std::size_t decay, std::size_t no_decay, std::size_t left_out) {
  const auto official = groups_of<Network>(ParameterPolicy::official);
  EXPECT_EQ(official.decay.size(), decay);
  EXPECT_EQ(official.no_decay.size(), no_decay);
  EXPECT_EQ(official.left_out.size(), left_out);

  const auto full = groups_of<Network>(ParameterPolicy::full);
  EXPECT_EQ(full.decay.size() + full.no_decay.size(), decay + no_decay + left_out);
  EXPECT_TRUE(full.left_out.empty());
}

/// Counted from the names, norms and shapes that the reference lists for each variant.
TEST(ParameterGroups, CountsOfAllVariants) {
  expect_counts<DFormer_Tiny<Count>>(239, 262, 152);
  expect_counts<DFormer_Small<Count>>(187, 210, 116);
  expect_counts<DFormer_Base<Count>>(365, 388, 236);
  expect_counts<DFormer_Large<Count>>(365, 388, 236);
  expect_counts<DFormerv2_S<Count>>(273, 412, 29);
  expect_counts<DFormerv2_B<Count>>(417, 620, 111);
  expect_counts<DFormerv2_L<Count>>(417, 620, 111);
}

TEST(ParameterGroups, FullDecaysWhatHasTwoAxes) {
  const auto groups = groups_of<DFormerv2_B<Count>>(ParameterPolicy::full);
  EXPECT_EQ(groups.decay.size(), 528u);
  EXPECT_EQ(groups.no_decay.size(), 620u);
  for (const auto& [name, parameter] : groups.decay) EXPECT_GE(parameter->shape().rank(), 2) << name;
  for (const auto& [name, parameter] : groups.no_decay) EXPECT_LT(parameter->shape().rank(), 2) << name;
}

TEST(ParameterGroups, ALayerByItself) {
  Linear<Count, 4, 3> linear;
  const auto of_linear = group_parameters(parameters(linear), ParameterPolicy::official);
  EXPECT_EQ(names(of_linear.decay), std::vector<std::string>{"weight"});
  EXPECT_EQ(names(of_linear.no_decay), std::vector<std::string>{"bias"});

  BatchNorm2d<Count, 4> norm;
  const auto of_norm = group_parameters(parameters(norm), ParameterPolicy::official);
  EXPECT_EQ(names(of_norm.no_decay), (std::vector<std::string>{"weight", "bias"}));
  EXPECT_TRUE(of_norm.decay.empty() && of_norm.left_out.empty());
}

TEST(ParameterGroups, AllMayDecay) {
  AsymFormer<Count> network;
  const auto groups = group_parameters(parameters(network), ParameterPolicy::full_decay);
  EXPECT_EQ(groups.decay.size(), 431u);
  EXPECT_TRUE(groups.no_decay.empty());
  EXPECT_TRUE(groups.left_out.empty());
}

TEST(ParameterPolicy, WordsAreReadAndRefused) {
  EXPECT_EQ(parse_parameter_policy("official"), ParameterPolicy::official);
  EXPECT_EQ(parse_parameter_policy(to_string(ParameterPolicy::full)), ParameterPolicy::full);
  EXPECT_EQ(parse_parameter_policy("full_decay"), ParameterPolicy::full_decay);
  EXPECT_THROW(parse_parameter_policy("all"), ArgumentError);
}

}  // namespace
}  // namespace dformer

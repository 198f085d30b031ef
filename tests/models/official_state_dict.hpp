#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/count/count.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer::testing {

inline std::string describe(const Named<Parameter<Count>>& entry) {
  const Parameter<Count>& parameter = *entry.parameter;
  std::string text = entry.name;
  text += parameter.kind() == ParameterKind::trained ? " parameter" : " buffer";
  text += parameter.kind() == ParameterKind::counter ? " int64" : " float32";
  for (std::int64_t extent : parameter.shape()) (text += ' ') += std::to_string(extent);
  return text;
}

/// The names, kinds and shapes of a network, in the order of the state dict.
template <class Network>
std::vector<std::string> state_dict(Network& network) {
  std::vector<std::string> found;
  for (const auto& entry : parameters(network)) {
    if (entry.parameter->kind() != ParameterKind::constant) found.push_back(describe(entry));
  }
  return found;
}

/// Expects those of the official state dict.
template <class Network>
void expect_official_state_dict(Network& network, const std::string& model) {
  std::ifstream file(std::string(DFORMER_TEST_DATA) + "/models/" + model + ".state_dict.txt");
  std::vector<std::string> expected;
  for (std::string line; std::getline(file, line);) expected.push_back(line);
  ASSERT_FALSE(expected.empty());
  const std::vector<std::string> found = state_dict(network);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(found[i], expected[i]);
}

}  // namespace dformer::testing

#pragma once

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "programs/run.hpp"
#include <dformer/core/finding.hpp>

namespace dformer::testing {

/// What dformer_doctor said, on the terminal and as JSON.
struct Diagnosis {
  Outcome outcome;
  nlohmann::json json;

  /// The kinds of errors and warnings, but those of the machine that the test runs on.
  std::set<std::string> kinds() const {
    std::set<std::string> result;
    for (const auto& check : json.at("checks")) {
      if (check.at("subject") == "machine") continue;
      for (const auto& finding : check.at("findings")) {
        if (finding.at("severity") != "note") result.insert(finding.at("kind").get<std::string>());
      }
    }
    return result;
  }
  /// Null where there is none of that kind.
  nlohmann::json finding(const FindingKind& kind) const {
    for (const auto& check : json.at("checks")) {
      for (const auto& finding : check.at("findings")) {
        if (finding.at("kind") == kind.name) return finding;
      }
    }
    return nullptr;
  }
};

inline Diagnosis diagnose(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  const std::string file = folder / "diagnosis.json";
  arguments.insert(arguments.end(), {"--json", file});
  Diagnosis result{run(folder, DFORMER_DOCTOR, arguments), {}};
  // libpng writes there by itself.
  EXPECT_EQ(result.outcome.err.find("dformer_doctor"), std::string::npos) << result.outcome.err;
  result.json = nlohmann::json::parse(read_text(file));
  std::filesystem::remove(file);
  return result;
}

/// The one error or warning that there must be, in the file and on the terminal, with its advice and a place
/// that mentions `part`.
inline void expect_only(const Diagnosis& diagnosis, const FindingKind& kind, const std::string& part) {
  EXPECT_EQ(diagnosis.kinds(), std::set<std::string>{std::string(kind.name)});
  const nlohmann::json finding = diagnosis.finding(kind);
  ASSERT_FALSE(finding.is_null()) << diagnosis.outcome.out;
  EXPECT_EQ(finding.at("severity"), to_string(kind.severity));
  EXPECT_EQ(finding.at("advice"), kind.advice);
  std::string places;
  for (const auto& place : finding.at("places")) {
    places += place.at("file").get<std::string>() + ":" + place.at("line").dump() + ": " +
              place.at("what").get<std::string>() + "\n";
  }
  EXPECT_NE(places.find(part), places.npos) << "\"" << part << "\" is missing in: " << places;
  expect_mentions(diagnosis.outcome.out, {std::string(kind.name), std::string(to_string(kind.severity))});
  EXPECT_EQ(diagnosis.outcome.exit_code, kind.severity == Severity::error ? 1 : 0);
}

}  // namespace dformer::testing

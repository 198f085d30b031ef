#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/core/finding.hpp>

namespace dformer {
namespace {

constexpr FindingKind hole{"hole", Severity::note, "there is a hole", "fill it"};
constexpr FindingKind crack{"crack", Severity::warning, "there is a crack", "glue it"};
constexpr FindingKind gap{"gap", Severity::error, "there is a gap", "close it"};

TEST(Finding, OnesOfAKindAreCountedTogether) {
  Checkup checkup{"a wall"};
  for (std::size_t i = 1; i <= Finding::most_places + 2; ++i) checkup.find(crack, {"wall.txt", i, "here"});
  checkup.find(gap, {});
  ASSERT_EQ(checkup.findings.size(), 2u);
  EXPECT_EQ(checkup.findings[0].count, Finding::most_places + 2);
  EXPECT_EQ(checkup.findings[0].places.size(), Finding::most_places);
  EXPECT_EQ(checkup.findings[0].places[4].line, 5u);
  EXPECT_EQ(checkup.findings[1].count, 1u);
  EXPECT_TRUE(checkup.has(gap));
  EXPECT_FALSE(checkup.has(hole));
}

TEST(Finding, WhatMattersMostComesFirst) {
  Checkup checkup{"a wall"};
  for (const FindingKind* kind : {&hole, &gap, &crack}) checkup.find(*kind, {});
  checkup.find({"leak", Severity::error, "", ""}, {});
  checkup.sort();
  std::string order;
  for (const Finding& finding : checkup.findings) order.append(finding.kind.name).append(" ");
  EXPECT_EQ(order, "gap leak crack hole ");
  EXPECT_EQ(checkup.count(Severity::error), 2u);
  EXPECT_EQ(checkup.count(Severity::note), 1u);
}

TEST(Finding, PlacesAsText) {
  EXPECT_EQ(to_string(Place{"a.txt", 7, "no image"}), "a.txt:7: no image");
  EXPECT_EQ(to_string(Place{"a.png", 0, ""}), "a.png");
  EXPECT_EQ(to_string(Place{"", 0, "chair"}), "chair");
  EXPECT_EQ(to_string(Place{}), "");
}

}  // namespace
}  // namespace dformer

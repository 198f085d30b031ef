// The tables of docs/doctor.md are those that dformer_doctor prints.
#include <string>

#include <gtest/gtest.h>

#include "programs/run.hpp"

namespace dformer::testing {
namespace {

TEST(DoctorManual, ListsEveryFinding) {
  const TemporaryFolder folder;
  const Outcome outcome = run(folder, DFORMER_DOCTOR, {"--list-findings"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string manual = read_text(DFORMER_DOCS "/doctor.md");
  EXPECT_NE(manual.find(outcome.out), manual.npos) << "print it anew: dformer_doctor --list-findings";
  EXPECT_NE(outcome.out.find("| `missing_depth` | error |"), outcome.out.npos);
}

}  // namespace
}  // namespace dformer::testing

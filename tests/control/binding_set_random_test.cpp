// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <vector>

#include "control/binding_set.hpp"
#include "tests/control/naive_bindings.hpp"
#include "tests/control/random_changes.hpp"
#include "tests/support/seed.hpp"

namespace {

TEST(BindingSet, JudgesRandomChangeSetsAsTheNaiveRulesDo) {
  auto random = support::seeded_random();
  int accepted = 0;
  int refused = 0;
  for (int round = 0; round < 1'000; ++round) {
    control::BindingSet set;
    NaiveBindings naive;
    for (int step = 0; step < 200; ++step) {
      const std::vector<control::Change> changes = random_changes::change_set(random);
      const control::BindingSet before = set;
      const auto applied = set.apply(changes);
      ASSERT_EQ(applied.has_value(), naive.apply(changes))
          << "round " << round << ", step " << step
          << (applied ? "" : ": " + applied.error().front().message);
      ASSERT_TRUE(naive.equals(set)) << "round " << round << ", step " << step;
      ++(applied ? accepted : refused);
      if (applied) continue;
      ASSERT_TRUE(set == before);
      ASSERT_FALSE(applied.error().empty());
      for (const control::Violation& violation : applied.error())
        ASSERT_LT(violation.change, changes.size());
    }
  }
  // Else the test would say nothing.
  EXPECT_GT(accepted, 10'000);
  EXPECT_GT(refused, 10'000);
}

}  // namespace

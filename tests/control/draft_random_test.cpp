// SPDX-License-Identifier: BSD-3-Clause
//
// That it is enough to judge what a change set affects: against judging all bindings of the prefix,
// which binding_set_random_test.cpp holds against the rules.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "control/binding_set.hpp"
#include "control/draft.hpp"
#include "control/judge.hpp"
#include "tests/control/random_changes.hpp"
#include "tests/support/seed.hpp"

namespace {

using control::BindingSet;
using control::Change;
using control::Scope;
using control::Violation;
using Changes = std::vector<Change>;

struct Judged {
  std::vector<Violation> violations;
  control::Draft draft;
};

Judged judge(const Changes& changes, const lpm::AnyPrefix& prefix, const BindingSet& set,
             Scope scope) {
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < changes.size(); ++i)
    if (changes[i].prefix == prefix) own.push_back(i);
  control::Violations violations;
  Judged judged;
  judged.draft =
      make_draft({prefix, changes, own}, set.find(prefix), set.rules(), violations, scope);
  judge_bindings(judged.draft, violations);
  judged.violations = violations.take();
  return judged;
}

auto all_of(const Violation& violation) {
  return std::tie(violation.code, violation.change, violation.field, violation.value,
                  violation.message);
}

void expect_same(const Judged& judged, const Judged& wanted) {
  ASSERT_EQ(judged.violations.size(), wanted.violations.size());
  for (std::size_t i = 0; i < wanted.violations.size(); ++i)
    ASSERT_EQ(all_of(judged.violations[i]), all_of(wanted.violations[i])) << "violation " << i;
  ASSERT_EQ(judged.draft.present, wanted.draft.present);
  ASSERT_EQ(judged.draft.binding_count, wanted.draft.binding_count);
  if (!wanted.violations.empty()) return;
  ASSERT_EQ(judged.draft.changes, wanted.draft.changes);
}

void expect_same_in_all_scopes(const Changes& changes, const BindingSet& set) {
  std::map<lpm::AnyPrefix, bool> named;
  for (const Change& change : changes) named.emplace(change.prefix, true);
  for (const auto& [prefix, is_named] : named)
    expect_same(judge(changes, prefix, set, Scope::affected),
                judge(changes, prefix, set, Scope::all));
}

TEST(Draft, IsJudgedAlikeByWhatIsAffected) {
  auto random = support::seeded_random();
  for (int round = 0; round < 1'000; ++round) {
    BindingSet set;
    for (int step = 0; step < 200; ++step) {
      Changes changes = random_changes::change_set(random);
      expect_same_in_all_scopes(changes, set);
      // The same with a service that could not be read.
      Changes unreadable = changes;
      unreadable[support::random_below(random, unreadable.size())].service.reset();
      expect_same_in_all_scopes(unreadable, set);
      if (testing::Test::HasFatalFailure()) FAIL() << "round " << round << ", step " << step;
      [[maybe_unused]] const auto applied = set.apply(changes);
    }
  }
}

// A prefix of some thousand bindings, nested up to ten deep.
class LargePrefix {
 public:
  explicit LargePrefix(std::mt19937_64& random) : random_(random) {
    [[maybe_unused]] const auto begun = set.apply(
        Changes{Change::add_prefix(kPrefix),
                Change::add_binding({kPrefix, kPrefix}, dataplane::Service::magic_transit)});
    while (set.binding_count() < kBindings) add_one();
  }

  // Around, on and inside what is there.
  Changes change_set() {
    Changes changes(random_changes::one_in(random_, 2) ? 1
                                                       : 2 + support::random_below(random_, 5U));
    lpm::Address4 near = address();
    for (Change& change : changes) {
      if (random_changes::one_in(random_, 3)) near = address();
      change = one_change(near);
    }
    if (random_changes::one_in(random_, 30))
      changes.push_back(Change::remove_prefix(kPrefix, random_changes::one_in(random_, 2)));
    if (random_changes::one_in(random_, 60)) changes.push_back(Change::add_prefix(kPrefix));
    return changes;
  }
  void add_one() {
    const lpm::AnyPrefix cidr = block(address());
    const dataplane::Service service = random_changes::service(random_);
    [[maybe_unused]] const auto done =
        set.apply(Changes{Change::add_binding({kPrefix, cidr}, service)});
  }
  bool is_full() const { return set.binding_count() >= kBindings; }

  BindingSet set;

 private:
  static constexpr std::size_t kBindings = 3'000;
  static inline const lpm::AnyPrefix kPrefix = change_text::cidr("10.0.0.0/16");

  lpm::Address4 address() { return {0x0a000000 + support::random_below(random_, 1U << 16)}; }
  lpm::AnyPrefix block(lpm::Address4 around) {
    return lpm::Prefix4::enclosing(around, 16 + support::random_below(random_, 17U));
  }
  Change one_change(lpm::Address4 near) {
    lpm::AnyPrefix cidr = block(near);
    const control::Bindings* const bindings = set.find(kPrefix);
    // Most of what is removed or changed is there.
    if (const control::Binding* const cover = bindings->cover_of(cidr);
        cover != nullptr && !random_changes::one_in(random_, 4))
      cidr = cover->cidr;
    if (cidr == kPrefix && !random_changes::one_in(random_, 4)) cidr = block(near);
    switch (support::random_below(random_, 6U)) {
      case 0:
      case 1:
        return Change::remove_binding({kPrefix, cidr});
      case 2:
        return Change::change_service({kPrefix, cidr}, random_changes::service(random_));
      default:
        return Change::add_binding({kPrefix, cidr}, random_changes::service(random_));
    }
  }

  std::mt19937_64& random_;
};

TEST(Draft, OfALargePrefixIsJudgedAlikeByWhatIsAffected) {
  auto random = support::seeded_random();
  LargePrefix large(random);
  int accepted = 0;
  int refused = 0;
  for (int step = 0; step < 10'000; ++step) {
    const Changes changes = large.change_set();
    expect_same_in_all_scopes(changes, large.set);
    if (testing::Test::HasFatalFailure()) FAIL() << "step " << step;
    const bool is_removal = std::ranges::any_of(
        changes, [](const Change& change) { return change.kind == Change::Kind::remove_prefix; });
    if (is_removal) continue;
    ++(large.set.apply(changes) ? accepted : refused);
    while (!large.is_full()) large.add_one();
  }
  // Else the test would say nothing.
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 500);
}

}  // namespace

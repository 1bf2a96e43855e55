// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/packets.hpp"
#include "tests/support/tables.hpp"

namespace {

using dataplane::Direction;
using dataplane::Match;
using dataplane::Service;
using dataplane::Settings;
using dataplane::Table;
using dataplane::Verdict;

TEST(Match, KeepsServiceAndBindingApart) {
  for (const Service service : dataplane::kServices)
    for (const std::uint32_t binding : {1U, 255U, Match::kBindingsMax}) {
      const Match match = Match::of(service, binding);
      EXPECT_TRUE(match.is_bound());
      EXPECT_EQ(match.service(), service);
      EXPECT_EQ(match.binding(), binding);
      EXPECT_EQ(match.word() & Match::kLocalScope, 0U);
      EXPECT_EQ(match.word() & Match::kHostAddress, 0U);
    }
  EXPECT_FALSE(Match().is_bound());
}

TEST(Verdict, NamesAreUniqueWithinAnOutcomeButForEgress) {
  std::set<std::string> names;
  for (std::size_t v = 0; v < dataplane::kVerdicts; ++v) {
    const auto verdict = static_cast<Verdict>(v);
    EXPECT_FALSE(reason_of(verdict).empty());
    names.insert(std::string(name_of(outcome_of(verdict))) + " " + std::string(reason_of(verdict)));
  }
  // Inside and outside of a prefix are counted apart and have one reason.
  EXPECT_EQ(names.size(), dataplane::kVerdicts - 1);
}

TEST(Verdict, AFullQueueIsNamedAfterItsService) {
  using dataplane::Outcome;
  for (const Outcome outcome :
       {Outcome::magic_transit, Outcome::cdn, Outcome::spectrum, Outcome::kernel}) {
    EXPECT_EQ(outcome_of(queue_full_of(outcome)), Outcome::drop);
    EXPECT_EQ(reason_of(queue_full_of(outcome)), std::string(name_of(outcome)) + "_queue_full");
  }
}

TEST(Table, KnowsTheLocalScopeWithoutBeingTold) {
  const Table table = support::table_of({});
  for (const char* const text : {"127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.255.255",
                                 "224.0.0.0", "239.255.255.255", "255.255.255.255"})
    EXPECT_EQ(table.trie4().lookup(support::v4(text)), Match::kLocalScope) << text;
  for (const char* const text : {"126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
                                 "223.255.255.255", "240.0.0.0", "255.255.255.254", "0.0.0.0"})
    EXPECT_EQ(table.trie4().lookup(support::v4(text)), lpm::kNoMatch) << text;
  for (const char* const text : {"::1", "fe80::", "febf:ffff::1", "ff00::", "ff02::1"})
    EXPECT_EQ(table.trie6().lookup(support::v6(text)), Match::kLocalScope) << text;
  for (const char* const text : {"::", "::2", "fe7f::1", "fec0::1", "feff::1"})
    EXPECT_EQ(table.trie6().lookup(support::v6(text)), lpm::kNoMatch) << text;
}

Verdict decide(const Settings& settings, Match match, Direction direction, bool kernel_path) {
  return support::table_of({}, settings)
      .decisions(direction, kernel_path)[match.word() & Match::kDecisionMask];
}

TEST(Table, DecidesByTheFirstRowThatFits) {
  using Unknown = Settings::Unknown;
  const Match none;
  const Match cdn = Match::of(Service::cdn, 1);
  const Match local(Match::kLocalScope);
  const Match host(Match::of(Service::cdn, 1).word() | Match::kHostAddress);
  struct Case {
    const char* description;
    Settings settings;
    Match match;
    Direction direction;
    bool kernel_path;
    Verdict verdict;
  };
  const auto with = [](Unknown unmatched, Unknown egress_unknown) {
    Settings settings;
    settings.unmatched = unmatched;
    settings.egress_unknown = egress_unknown;
    return settings;
  };
  constexpr Direction kIngress = Direction::ingress;
  constexpr Direction kEgress = Direction::egress;
  const Case cases[] = {
      {"bound", {}, cdn, kIngress, false, Verdict::cdn_bound},
      {"bound, egress", {}, cdn, kEgress, false, Verdict::magic_transit_egress_inside},
      {"local scope", {}, local, kIngress, false, Verdict::drop_local_scope},
      {"local scope, egress", {}, local, kEgress, false, Verdict::drop_local_scope},
      {"local scope, kernel path", {}, local, kEgress, true, Verdict::kernel_local_scope},
      {"host address", {}, host, kIngress, false, Verdict::cdn_bound},
      {"host address, kernel path", {}, host, kIngress, true, Verdict::kernel_host_address},
      {"host address, egress, kernel path", {}, host, kEgress, true, Verdict::kernel_host_address},
      {"unmatched", {}, none, kIngress, false, Verdict::drop_unmatched},
      {"unmatched, kernel path", {}, none, kIngress, true, Verdict::kernel_unmatched},
      {"unmatched = drop, kernel path", with(Unknown::drop, Unknown::drop), none, kIngress, true,
       Verdict::drop_unmatched},
      {"unmatched = magic_transit", with(Unknown::magic_transit, Unknown::drop), none, kIngress,
       true, Verdict::magic_transit_unmatched},
      {"outside, egress", {}, none, kEgress, true, Verdict::magic_transit_egress_outside},
      {"egress-unknown = drop", with(Unknown::drop, Unknown::drop), none, kEgress, true,
       Verdict::drop_egress_unknown},
      {"egress-unknown = kernel", with(Unknown::drop, Unknown::kernel), none, kEgress, true,
       Verdict::kernel_egress_unknown},
      {"egress-unknown = kernel without a kernel path", with(Unknown::drop, Unknown::kernel), none,
       kEgress, false, Verdict::drop_egress_unknown},
  };
  for (const Case& test : cases)
    EXPECT_EQ(decide(test.settings, test.match, test.direction, test.kernel_path), test.verdict)
        << test.description;
}

}  // namespace

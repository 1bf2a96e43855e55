// SPDX-License-Identifier: BSD-3-Clause
#include "control/binding_set.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/control/change_text.hpp"

namespace {

using change_text::changes;
using change_text::cidr;
using change_text::set_of;
using control::BindingSet;
using control::Violation;
using control::ViolationCode;
using dataplane::Service;

TEST(BindingSet, IsEmptyAtFirst) {
  const BindingSet set;
  EXPECT_TRUE(set.prefixes().empty());
  EXPECT_EQ(set.binding_count(), 0U);
  EXPECT_EQ(set.find(cidr("203.0.113.0/24")), nullptr);
}

TEST(BindingSet, KeepsBindingsSortedWithTheDefaultFirst) {
  const BindingSet set = set_of(
      "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.128/25 cdn;"
      "bind 203.0.113.0/24 203.0.113.1/32 spectrum; bind 203.0.113.0/24 203.0.113.0/24 "
      "magic_transit");
  const std::vector<control::Binding> expected{{cidr("203.0.113.0/24"), Service::magic_transit},
                                               {cidr("203.0.113.1/32"), Service::spectrum},
                                               {cidr("203.0.113.128/25"), Service::cdn}};
  ASSERT_NE(set.find(cidr("203.0.113.0/24")), nullptr);
  const control::Bindings& bindings = *set.find(cidr("203.0.113.0/24"));
  EXPECT_EQ(std::vector(bindings.begin(), bindings.end()), expected);
  EXPECT_EQ(set.find(cidr("203.0.113.1/32")), nullptr);
  EXPECT_EQ(set.binding_count(), 3U);
}

TEST(BindingSet, PendingPrefixHasNoBindings) {
  const BindingSet set = set_of("onboard 203.0.113.0/24");
  ASSERT_NE(set.find(cidr("203.0.113.0/24")), nullptr);
  EXPECT_TRUE(set.find(cidr("203.0.113.0/24"))->empty());
}

TEST(BindingSet, OneWrongChangeRefusesAllOfThem) {
  const BindingSet before =
      set_of("onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn");
  BindingSet set = before;
  const auto applied =
      set.apply(changes("onboard 198.51.100.0/24; bind 203.0.113.0/24 203.0.113.1/32 spectrum;"
                        "offboard 192.0.2.0/24; move 203.0.113.0/24 203.0.113.0/24 magic_transit"));
  ASSERT_FALSE(applied);
  ASSERT_EQ(applied.error().size(), 1U);
  EXPECT_EQ(applied.error().front().change, 2U);
  EXPECT_EQ(applied.error().front().value, "192.0.2.0/24");
  EXPECT_TRUE(set == before);
  EXPECT_EQ(set.binding_count(), 1U);
}

TEST(BindingSet, ReportsAllViolationsInTheOrderOfTheChanges) {
  BindingSet set = set_of("onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn");
  const auto applied = set.apply(changes(
      "onboard 203.0.112.0/22; bind 203.0.113.0/24 203.0.113.1/32 cdn; onboard 127.0.0.0/8;"
      "bind 203.0.113.0/24 10.0.0.1/32 cdn; bind 203.0.113.0/24 203.0.113.2/32 magic_transit;"
      "unbind 203.0.113.0/24 203.0.113.3/32; onboard 198.51.100.0/24"));
  ASSERT_FALSE(applied);
  std::vector<ViolationCode> codes;
  for (const Violation& violation : applied.error()) codes.push_back(violation.code);
  const std::vector expected{ViolationCode::prefix_overlaps,
                             ViolationCode::same_service_as_cover,
                             ViolationCode::prefix_not_allowed,
                             ViolationCode::outside_prefix,
                             ViolationCode::magic_transit_below_default,
                             ViolationCode::binding_not_found};
  EXPECT_EQ(codes, expected);
}

TEST(BindingSet, AnUnreadableServiceCausesNoFurtherErrors) {
  BindingSet set;
  const auto applied = set.apply(changes(
      "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 waf;"
      "bind 203.0.113.0/24 203.0.113.1/32 cdn; bind 203.0.113.0/24 203.0.113.1/32 spectrum"));
  ASSERT_FALSE(applied);
  ASSERT_EQ(applied.error().size(), 2U);
  EXPECT_EQ(applied.error()[0].code, ViolationCode::unknown_service);
  EXPECT_EQ(applied.error()[1].code, ViolationCode::binding_exists);
}

TEST(BindingSet, NamesOneBindingInTheWayOfManyOnce) {
  BindingSet set = set_of(
      "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 magic_transit;"
      "bind 203.0.113.0/24 203.0.113.1/32 cdn; bind 203.0.113.0/24 203.0.113.2/32 cdn");
  const auto applied = set.apply(changes("move 203.0.113.0/24 203.0.113.0/24 cdn"));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().size(), 1U);
}

TEST(BindingSet, HoldsNoMoreBindingsThanItsRulesAllow) {
  BindingSet set =
      set_of("onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn", {.bindings_max = 2});
  const auto applied = set.apply(changes(
      "bind 203.0.113.0/24 203.0.113.1/32 spectrum; bind 203.0.113.0/24 203.0.113.2/32 spectrum;"
      "onboard 198.51.100.0/24"));
  ASSERT_FALSE(applied);
  ASSERT_EQ(applied.error().size(), 1U);
  EXPECT_EQ(applied.error().front().code, ViolationCode::too_many_bindings);
  EXPECT_EQ(applied.error().front().change, 1U);
  EXPECT_TRUE(set.apply(changes("bind 203.0.113.0/24 203.0.113.1/32 spectrum")));
  EXPECT_FALSE(set.apply(changes("bind 203.0.113.0/24 203.0.113.2/32 spectrum")));
}

TEST(BindingSet, APrefixDoesNotGoWithBindingsWhoseServiceChangesAfterItsRemoval) {
  BindingSet set = set_of("onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 spectrum");
  for (const char* text :
       {"offboard 203.0.113.0/24; move 203.0.113.0/24 203.0.113.0/24 cdn; onboard 203.0.113.0/24",
        "bind 203.0.113.0/24 203.0.113.1/32 cdn; offboard 203.0.113.0/24;"
        "move 203.0.113.0/24 203.0.113.1/32 cdn; unbind 203.0.113.0/24 203.0.113.0/24;"
        "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 spectrum"}) {
    const auto applied = set.apply(changes(text));
    ASSERT_FALSE(applied) << text;
    EXPECT_EQ(applied.error().front().code, ViolationCode::prefix_not_empty) << text;
  }
}

TEST(BindingSet, CopyIsNotTouchedByLaterChanges) {
  BindingSet set = set_of("onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn");
  const BindingSet copy = set;
  ASSERT_TRUE(set.apply(changes("bind 203.0.113.0/24 203.0.113.1/32 spectrum")));
  EXPECT_EQ(copy.find(cidr("203.0.113.0/24"))->size(), 1U);
  EXPECT_EQ(set.find(cidr("203.0.113.0/24"))->size(), 2U);
}

TEST(BindingSet, LeavesPrefixesThatNoChangeNamesAlone) {
  BindingSet set = set_of(
      "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn; onboard 198.51.100.0/24");
  const control::Bindings* const untouched = set.find(cidr("203.0.113.0/24"));
  ASSERT_TRUE(set.apply(changes("bind 198.51.100.0/24 198.51.100.0/24 cdn")));
  EXPECT_EQ(set.find(cidr("203.0.113.0/24")), untouched);
}

}  // namespace

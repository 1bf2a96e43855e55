// SPDX-License-Identifier: BSD-3-Clause
#include "control/delta.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "control/binding_set.hpp"
#include "tests/control/change_text.hpp"
#include "tests/control/random_changes.hpp"
#include "tests/support/seed.hpp"

namespace {

using change_text::changes;
using change_text::cidr;
using change_text::set_of;
using control::BindingSet;
using control::Delta;
using control::PrefixState;
using dataplane::Service;

constexpr const char* kBefore =
    "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 magic_transit;"
    "bind 203.0.113.0/24 203.0.113.1/32 cdn; bind 203.0.113.0/24 203.0.113.2/32 cdn;"
    "onboard 198.51.100.0/24; onboard 2001:db8::/48;"
    "bind 2001:db8::/48 2001:db8::/48 cdn";

TEST(Delta, NamesWhatWasAddedRemovedAndMoved) {
  BindingSet set = set_of(kBefore);
  const auto delta = set.apply(
      changes("bind 203.0.113.0/24 203.0.113.3/32 cdn; unbind 203.0.113.0/24 203.0.113.1/32;"
              "move 203.0.113.0/24 203.0.113.2/32 spectrum"));
  ASSERT_TRUE(delta);
  EXPECT_TRUE(delta->prefixes.empty());
  const std::vector<Delta::OfBinding> wanted{
      {cidr("203.0.113.1/32"), Service::cdn, std::nullopt},
      {cidr("203.0.113.2/32"), Service::cdn, Service::spectrum},
      {cidr("203.0.113.3/32"), std::nullopt, Service::cdn}};
  EXPECT_EQ(delta->bindings, wanted);
}

TEST(Delta, NamesPrefixesThatBecameAnotherState) {
  BindingSet set = set_of(kBefore);
  const auto delta = set.apply(
      changes("bind 198.51.100.0/24 198.51.100.0/24 cdn; unbind 2001:db8::/48 2001:db8::/48;"
              "offboard 203.0.113.0/24 cascade; onboard 192.0.2.0/24"));
  ASSERT_TRUE(delta);
  const std::vector<Delta::OfPrefix> wanted{
      {cidr("192.0.2.0/24"), PrefixState::absent, PrefixState::pending},
      {cidr("198.51.100.0/24"), PrefixState::pending, PrefixState::steered},
      {cidr("203.0.113.0/24"), PrefixState::steered, PrefixState::absent},
      {cidr("2001:db8::/48"), PrefixState::steered, PrefixState::pending}};
  EXPECT_EQ(delta->prefixes, wanted);
  EXPECT_EQ(delta->bindings.size(), 5U);
}

TEST(Delta, IsEmptyWhereAChangeSetEndsWhereItBegan) {
  BindingSet set = set_of(kBefore);
  const auto delta = set.apply(
      changes("unbind 203.0.113.0/24 203.0.113.1/32; bind 203.0.113.0/24 203.0.113.1/32 cdn;"
              "move 203.0.113.0/24 203.0.113.2/32 cdn"));
  ASSERT_TRUE(delta);
  EXPECT_TRUE(delta->empty());
}

TEST(Delta, ACidrThatGoesFromOnePrefixToAnotherIsOneBinding) {
  BindingSet set = set_of(kBefore);
  const auto delta = set.apply(changes(
      "offboard 203.0.113.0/24 cascade; onboard 203.0.112.0/23;"
      "bind 203.0.112.0/23 203.0.112.0/23 magic_transit;"
      "bind 203.0.112.0/23 203.0.113.0/24 cdn; bind 203.0.112.0/23 203.0.113.1/32 spectrum"));
  ASSERT_TRUE(delta);
  const std::vector<Delta::OfBinding> wanted{
      {cidr("203.0.112.0/23"), std::nullopt, Service::magic_transit},
      {cidr("203.0.113.0/24"), Service::magic_transit, Service::cdn},
      {cidr("203.0.113.1/32"), Service::cdn, Service::spectrum},
      {cidr("203.0.113.2/32"), Service::cdn, std::nullopt}};
  EXPECT_EQ(delta->bindings, wanted);
}

TEST(Delta, OfRefusedChangesThereIsNone) {
  BindingSet set = set_of(kBefore);
  const BindingSet before = set_of(kBefore);
  EXPECT_FALSE(set.check(changes("bind 203.0.113.0/24 203.0.113.9/32 magic_transit")));
  EXPECT_TRUE(set == before);
}

TEST(Delta, CheckedChangesAreNotMadeUntilCommitted) {
  BindingSet set = set_of(kBefore);
  const BindingSet before = set;
  auto checked = set.check(changes("bind 203.0.113.0/24 203.0.113.9/32 cdn"));
  ASSERT_TRUE(checked);
  EXPECT_TRUE(set == before);
  EXPECT_EQ(checked->delta(),
            difference(before,
                       set_of(std::string(kBefore) + "; bind 203.0.113.0/24 203.0.113.9/32 cdn")));
  set.commit(std::move(*checked));
  EXPECT_EQ(set.binding_count(), before.binding_count() + 1);
}

TEST(Delta, OfAChangeSetIsTheDifferenceOfTheStates) {
  auto random = support::seeded_random();
  int accepted = 0;
  for (int round = 0; round < 200; ++round) {
    BindingSet set;
    for (int step = 0; step < 100; ++step) {
      const BindingSet before = set;
      const auto delta = set.apply(random_changes::change_set(random));
      if (!delta) continue;
      ++accepted;
      ASSERT_EQ(*delta, difference(before, set)) << "round " << round << ", step " << step;
      const Delta back = difference(set, before);
      ASSERT_EQ(back.bindings.size(), delta->bindings.size());
      for (std::size_t i = 0; i < back.bindings.size(); ++i) {
        ASSERT_NE(back.bindings[i].before, back.bindings[i].after);
        ASSERT_EQ(back.bindings[i].before, delta->bindings[i].after);
      }
    }
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace

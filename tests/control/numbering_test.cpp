// SPDX-License-Identifier: BSD-3-Clause
#include "control/numbering.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/control/change_text.hpp"
#include "tests/support/seed.hpp"

namespace {

using change_text::cidr;
using control::Delta;
using control::Numbering;
using dataplane::Service;
using dataplane::Volume;

Delta::OfBinding added(std::string_view text, Service service = Service::cdn) {
  return {cidr(text), std::nullopt, service};
}
Delta::OfBinding removed(std::string_view text, Service service = Service::cdn) {
  return {cidr(text), service, std::nullopt};
}

void make(Numbering& numbering, const std::vector<Delta::OfBinding>& bindings,
          std::uint64_t generation) {
  ASSERT_TRUE(numbering.prepare(bindings));
  numbering.commit(generation);
}

TEST(Numbering, ABindingKeepsItsNumberThroughAChangeOfService) {
  Numbering numbering(10);
  make(numbering, {added("203.0.113.0/24"), added("203.0.113.1/32"), added("2001:db8::/48")}, 1);
  const std::uint32_t number = numbering.find(cidr("203.0.113.1/32"))->number;
  make(numbering, {{cidr("203.0.113.1/32"), Service::cdn, Service::spectrum}}, 2);
  EXPECT_EQ(numbering.find(cidr("203.0.113.1/32"))->number, number);
  EXPECT_EQ(numbering.find(cidr("203.0.113.1/32"))->service, Service::spectrum);
  EXPECT_FALSE(numbering.find(cidr("203.0.113.2/32")));
}

TEST(Numbering, TellsFamiliesAndLengthsApart) {
  Numbering numbering(10);
  make(numbering, {added("0.0.0.0/1"), added("0.0.0.0/2"), added("::/1"), added("::/2")}, 1);
  std::set<std::uint32_t> numbers;
  for (const char* text : {"0.0.0.0/1", "0.0.0.0/2", "::/1", "::/2"})
    numbers.insert(numbering.find(cidr(text))->number);
  EXPECT_EQ(numbers.size(), 4U);
}

TEST(Numbering, ANumberIsReusedOnlyAfterItsGenerationIsActive) {
  Numbering numbering(2);
  make(numbering, {added("203.0.113.1/32"), added("203.0.113.2/32")}, 1);
  make(numbering, {removed("203.0.113.1/32")}, 2);
  numbering.reclaim(1);
  const auto refused = numbering.prepare(std::vector{added("203.0.113.3/32")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().wanted, 1U);
  EXPECT_EQ(refused.error().free, 0U);
  EXPECT_EQ(refused.error().waiting, 1U);
  numbering.reclaim(2);
  make(numbering, {added("203.0.113.3/32")}, 3);
  EXPECT_EQ(numbering.find(cidr("203.0.113.3/32"))->number, 1U);
}

TEST(Numbering, CountsOfAReusedNumberBeginAtZero) {
  std::map<std::uint32_t, Volume> counters;
  Numbering numbering(1);
  numbering.set_count([&](std::uint32_t number) { return counters[number]; });
  make(numbering, {added("203.0.113.1/32")}, 1);
  counters[1] = {10, 1000};
  EXPECT_EQ(numbering.find(cidr("203.0.113.1/32"))->counted, (Volume{10, 1000}));
  make(numbering, {removed("203.0.113.1/32")}, 2);
  counters[1] = {12, 1200};  // by a worker that still had the old table
  numbering.reclaim(2);
  make(numbering, {added("203.0.113.2/32")}, 3);
  EXPECT_EQ(numbering.find(cidr("203.0.113.2/32"))->counted, Volume());
  counters[1] = {15, 1500};
  EXPECT_EQ(numbering.find(cidr("203.0.113.2/32"))->counted, (Volume{3, 300}));
}

TEST(Numbering, AbandonLeavesAllAsItWas) {
  Numbering numbering(3);
  make(numbering, {added("203.0.113.1/32"), added("203.0.113.2/32")}, 1);
  make(numbering, {removed("203.0.113.1/32")}, 2);
  numbering.reclaim(2);
  ASSERT_TRUE(numbering.prepare(
      std::vector{removed("203.0.113.2/32"), added("203.0.113.3/32"), added("203.0.113.4/32")}));
  const std::uint32_t first = numbering.number(1);
  EXPECT_FALSE(numbering.find(cidr("203.0.113.3/32"))) << "not committed yet";
  numbering.abandon();
  EXPECT_EQ(numbering.find(cidr("203.0.113.2/32"))->number, 2U);
  EXPECT_FALSE(numbering.find(cidr("203.0.113.3/32")));
  EXPECT_EQ(numbering.highest(), 2U);
  ASSERT_TRUE(numbering.prepare(std::vector{added("203.0.113.5/32"), added("203.0.113.6/32")}));
  EXPECT_EQ(numbering.number(0), first) << "the same are free as before";
  numbering.commit(3);
}

// Against an ordinary map, with so few slots that chains meet and holes are filled.
TEST(Numbering, FindsWhatAMapFinds) {
  auto random = support::seeded_random();
  constexpr std::uint32_t kMax = 42;  // two thirds of 63 slots
  Numbering numbering(kMax);
  std::map<lpm::AnyPrefix, std::uint32_t> oracle;
  std::vector<lpm::AnyPrefix> all;
  for (int i = 0; i < 100; ++i) all.push_back(cidr("203.0.113." + std::to_string(i) + "/32"));
  for (std::uint64_t generation = 1; generation < 20'000; ++generation) {
    const lpm::AnyPrefix& one = all[support::random_below(random, all.size())];
    const bool is_bound = oracle.contains(one);
    if (!is_bound && oracle.size() == kMax) continue;
    const Delta::OfBinding change{one, is_bound ? std::optional(Service::cdn) : std::nullopt,
                                  is_bound ? std::nullopt : std::optional(Service::cdn)};
    ASSERT_TRUE(numbering.prepare({&change, 1}));
    if (is_bound)
      oracle.erase(one);
    else
      oracle[one] = numbering.number(0);
    numbering.commit(generation);
    numbering.reclaim(generation);
    for (const lpm::AnyPrefix& other : all) {
      const auto found = numbering.find(other);
      const auto wanted = oracle.find(other);
      ASSERT_EQ(found.has_value(), wanted != oracle.end()) << "generation " << generation;
      if (!found) continue;
      ASSERT_EQ(found->number, wanted->second);
    }
  }
}

}  // namespace

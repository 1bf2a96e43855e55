// SPDX-License-Identifier: BSD-3-Clause
#include "control/moved.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/control/random_changes.hpp"

namespace {

using namespace control;
using change_text::cidr;
using dataplane::Service;

// The service of an address, by looking at every binding.
std::optional<Binding> decider(const BindingSet& set, const lpm::AnyPrefix& host) {
  std::optional<Binding> best;
  for (const auto& [prefix, bindings] : set.prefixes())
    for (const Binding& binding : *bindings)
      if (contains(binding.cidr, host) && (!best || contains(best->cidr, binding.cidr)))
        best = binding;
  return best;
}

std::optional<Service> service_of(const std::optional<Binding>& binding) {
  return binding ? std::optional(binding->service) : std::nullopt;
}

bool has(const BindingSet& set, const Binding& wanted) {
  for (const auto& [prefix, bindings] : set.prefixes())
    if (std::ranges::find(*bindings, wanted) != bindings->end()) return true;
  return false;
}

// Every address of every block that random_changes uses, one by one.
struct Counted {
  AddressNumber moved = 0;
  std::map<lpm::AnyPrefix, AddressNumber> taken;
};
Counted count4(const BindingSet& before, const BindingSet& after) {
  Counted counted;
  for (const auto& [first, count] : {std::pair{0xcb007000U, 512U}, std::pair{0xc6336400U, 256U}}) {
    for (std::uint32_t n = 0; n < count; ++n) {
      const lpm::AnyPrefix host = lpm::Prefix4::enclosing({first + n}, 32);
      const auto was = decider(before, host);
      if (service_of(was) == service_of(decider(after, host))) continue;
      ++counted.moved;
      if (was && !has(after, *was)) ++counted.taken[was->cidr];
    }
  }
  return counted;
}

TEST(Moved, CountsWhatCountingEveryAddressCounts) {
  std::mt19937_64 random = support::seeded_random();
  BindingSet set;
  int changed = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto changes = random_changes::change_set(random);
    BindingSet after = set;
    const auto delta = after.apply(changes);
    if (!delta) continue;
    const Moved moved = moved_by(set, *delta);
    const Counted counted = count4(set, after);
    ASSERT_TRUE(moved.addresses.v4 == counted.moved) << round;
    std::map<lpm::AnyPrefix, AddressNumber> taken;
    for (const Moved::Taken& one : moved.taken)
      if (std::holds_alternative<lpm::Prefix4>(one.cidr) && one.addresses != 0)
        taken[one.cidr] += one.addresses;
    ASSERT_TRUE(taken == counted.taken) << round;
    changed += counted.moved > 0 ? 1 : 0;
    set = std::move(after);
  }
  EXPECT_GT(changed, 50);
}

TEST(Moved, IsTheSameWhereAPrefixHasManyBindingsBesides) {
  BindingSet set;
  std::vector<Change> many{
      Change::add_prefix(cidr("10.0.0.0/16")),
      Change::add_binding({cidr("10.0.0.0/16"), cidr("10.0.0.0/16")}, Service::magic_transit),
      Change::add_binding({cidr("10.0.0.0/16"), cidr("10.0.0.0/24")}, Service::cdn)};
  for (std::uint32_t n = 0x1000; n < 0x3000; ++n)
    many.push_back(Change::add_binding(
        {cidr("10.0.0.0/16"), lpm::Prefix4::enclosing({0x0a000000 + n}, 32)}, Service::cdn));
  ASSERT_TRUE(set.apply(many));
  const Delta delta{.bindings = {{cidr("10.0.0.0/28"), std::nullopt, Service::spectrum},
                                 {cidr("10.0.16.7/32"), Service::cdn, std::nullopt},
                                 {cidr("10.0.16.8/32"), Service::cdn, Service::spectrum}},
                    .prefixes = {}};
  const Moved moved = moved_by(set, delta);
  EXPECT_TRUE(moved.addresses == (Addresses{.v4 = 18, .v6 = 0}));
  ASSERT_EQ(moved.taken.size(), 2U);
  EXPECT_TRUE(moved.taken[0].addresses == 1);
}

TEST(Moved, CountsAsManyAddressesAsIPv6Has) {
  BindingSet set;
  const Change::At whole{cidr("2001:db8::/32"), cidr("2001:db8::/32")};
  const std::vector first{Change::add_prefix(whole.prefix),
                          Change::add_binding(whole, Service::magic_transit),
                          Change::add_binding({whole.prefix, cidr("2001:db8::/33")}, Service::cdn)};
  ASSERT_TRUE(set.apply(first));
  const Delta delta{.bindings = {{whole.cidr, Service::magic_transit, Service::spectrum}},
                    .prefixes = {}};
  EXPECT_TRUE(moved_by(set, delta).addresses == (Addresses{.v4 = 0, .v6 = AddressNumber{1} << 95}));
}

}  // namespace

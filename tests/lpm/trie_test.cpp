// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/trie.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/lpm/families.hpp"
#include "tests/lpm/probes.hpp"
#include "tests/support/linear_scan.hpp"
#include "tests/support/seed.hpp"

// Tables made to be awkward. Random ones are in trie_random_test.cpp.
namespace {

template <class Address>
class Trie : public testing::Test {
 protected:
  using Prefix = lpm::Prefix<Address>;

  static constexpr Address kFirst{};
  static inline const Address kLast = probes::previous(kFirst);

  [[nodiscard]] static Prefix host(Address address) {
    return Prefix::enclosing(address, Address::kBits);
  }
  // The block of a node that is no child of the root.
  static inline const Prefix kBlock = Prefix::enclosing(kLast, Address::kBits == 32 ? 24 : 56);

  // A route for each slot of kBlock.
  void fill(auto value_of) {
    Address network = kBlock.network();
    for (lpm::Value slot = 0; slot < 256; ++slot) {
      const auto sibling = Prefix::enclosing(network, kBlock.length() + 8);
      routes_.insert(sibling, value_of(slot));
      network = probes::next(probes::last_of(sibling));
    }
  }
  // Far from kBlock. Size changes the form of a table of IPv4 only.
  void make_large() {
    if (Address::kBits != 32) return;
    Address address = kFirst;
    for (lpm::Value value = 1; value <= 20'000; ++value, address = probes::next(address))
      routes_.insert(host(address), value);
  }

  [[nodiscard]] lpm::Trie<Address> compiled() const { return lpm::Trie<Address>(routes_); }

  // At the edges of every route, and at the ends of the address space.
  void expect_as_linear_scan() const {
    const auto trie = compiled();
    const support::LinearScan oracle(routes_);
    auto addresses = probes::edges_of(routes_);
    addresses.push_back(kFirst);
    addresses.push_back(kLast);
    for (const Address address : addresses)
      ASSERT_EQ(trie.lookup(address), oracle.lookup(address)) << to_string(address);
  }

  lpm::RouteSet<Address> routes_;
};
TYPED_TEST_SUITE(Trie, Families, FamilyNames);

TYPED_TEST(Trie, NothingMatchesWithoutRoutes) {
  auto random = support::seeded_random();
  const lpm::Trie<TypeParam> by_default;
  const auto compiled = this->compiled();
  for (int i = 0; i < 1000; ++i) {
    const auto address = probes::random_address<TypeParam>(random);
    EXPECT_EQ(by_default.lookup(address), lpm::kNoMatch);
    EXPECT_EQ(compiled.lookup(address), lpm::kNoMatch);
  }
  EXPECT_EQ(compiled.lookup(this->kFirst), lpm::kNoMatch);
  EXPECT_EQ(compiled.lookup(this->kLast), lpm::kNoMatch);
}

TYPED_TEST(Trie, ZeroLengthPrefixMatchesEverything) {
  auto random = support::seeded_random();
  this->routes_.insert({}, 7);
  const auto trie = this->compiled();
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(trie.lookup(probes::random_address<TypeParam>(random)), 7U);
  EXPECT_EQ(trie.lookup(this->kFirst), 7U);
  EXPECT_EQ(trie.lookup(this->kLast), 7U);
}

TYPED_TEST(Trie, ZeroLengthPrefixMatchesWhereNothingLongerDoes) {
  auto random = support::seeded_random();
  const auto address = probes::random_address<TypeParam>(random);
  this->routes_.insert({}, 7);
  this->routes_.insert(this->host(address), 8);
  const auto trie = this->compiled();
  EXPECT_EQ(trie.lookup(address), 8U);
  for (unsigned bit = 0; bit < TypeParam::kBits; ++bit)
    EXPECT_EQ(trie.lookup(probes::with_bit_flipped(address, bit)), 7U) << bit;
}

TYPED_TEST(Trie, EveryLengthMatchesAlone) {
  auto random = support::seeded_random();
  for (unsigned length = 1; length <= TypeParam::kBits; ++length) {
    const auto address = probes::random_address<TypeParam>(random);
    this->routes_ = {};
    this->routes_.insert(lpm::Prefix<TypeParam>::enclosing(address, length), 1);
    const auto trie = this->compiled();
    EXPECT_EQ(trie.lookup(address), 1U) << length;
    for (unsigned bit = 0; bit < TypeParam::kBits; ++bit)
      ASSERT_EQ(trie.lookup(probes::with_bit_flipped(address, bit)), bit < length ? 0U : 1U)
          << to_string(address) << " length " << length << " bit " << bit;
  }
}

// A chain of all lengths around one address: whatever leaves the path at bit n shares n bits with
// it, so that exactly the route of length n is the longest.
TYPED_TEST(Trie, LongestPrefixWinsWhereEveryLengthIsThere) {
  auto random = support::seeded_random();
  for (const TypeParam address :
       {probes::random_address<TypeParam>(random), this->kFirst, this->kLast}) {
    this->routes_ = {};
    for (unsigned length = 0; length <= TypeParam::kBits; ++length)
      this->routes_.insert(lpm::Prefix<TypeParam>::enclosing(address, length), length + 1);
    const auto trie = this->compiled();
    EXPECT_EQ(trie.lookup(address), TypeParam::kBits + 1);
    for (unsigned bit = 0; bit < TypeParam::kBits; ++bit)
      EXPECT_EQ(trie.lookup(probes::with_bit_flipped(address, bit)), bit + 1);
    this->expect_as_linear_scan();
  }
}

TYPED_TEST(Trie, RemovedRouteUncoversTheOneAroundIt) {
  auto random = support::seeded_random();
  const auto address = probes::random_address<TypeParam>(random);
  for (unsigned length = 0; length <= TypeParam::kBits; ++length)
    this->routes_.insert(lpm::Prefix<TypeParam>::enclosing(address, length), length + 1);
  for (unsigned length = TypeParam::kBits; length > 0; --length) {
    this->routes_.remove(lpm::Prefix<TypeParam>::enclosing(address, length));
    EXPECT_EQ(this->compiled().lookup(address), length);
  }
}

TYPED_TEST(Trie, SiblingsThatFillEveryLevelAreToldApart) {
  auto random = support::seeded_random();
  // 8 bits are the slots of a node; 12 cross a border of levels wherever they begin.
  for (const unsigned count_bits : {8U, 12U})
    for (unsigned length = count_bits; length <= TypeParam::kBits; length += 5) {
      const auto block = lpm::Prefix<TypeParam>::enclosing(
          probes::random_address<TypeParam>(random), length - count_bits);
      this->routes_ = {};
      TypeParam network = block.network();
      for (lpm::Value value = 1; value <= 1U << count_bits; ++value) {
        const auto sibling = lpm::Prefix<TypeParam>::enclosing(network, length);
        this->routes_.insert(sibling, value);
        network = probes::next(probes::last_of(sibling));
      }
      const auto trie = this->compiled();
      for (const auto& [prefix, value] : this->routes_) {
        ASSERT_EQ(trie.lookup(prefix.network()), value) << to_string(prefix);
        ASSERT_EQ(trie.lookup(probes::last_of(prefix)), value) << to_string(prefix);
      }
      if (length == count_bits) continue;  // nothing is outside
      EXPECT_EQ(trie.lookup(probes::previous(block.network())), lpm::kNoMatch);
      EXPECT_EQ(trie.lookup(probes::next(probes::last_of(block))), lpm::kNoMatch);
    }
}

// Every slot of a node continues in a child, so that the node has no value of its own.
TYPED_TEST(Trie, NodeMayConsistOfChildrenAlone) {
  const unsigned child_length = 16 + 8;
  TypeParam network{};
  for (lpm::Value value = 1; value <= 256; ++value) {
    this->routes_.insert(this->host(network), value);
    network =
        probes::next(probes::last_of(lpm::Prefix<TypeParam>::enclosing(network, child_length)));
  }
  this->expect_as_linear_scan();
  this->routes_.insert({}, 257);
  this->expect_as_linear_scan();
}

TYPED_TEST(Trie, ChildrenAtTheEndsOfANodeKeepTheValuesBetween) {
  const auto block = lpm::Prefix<TypeParam>::enclosing(this->kFirst, 16);
  for (const TypeParam address : {block.network(), probes::last_of(block)}) {
    this->routes_.insert(block, 1);
    this->routes_.insert(this->host(address), 2);
    this->expect_as_linear_scan();
  }
}

// Costs are those of nodes that are neither dense, as children of the root are, nor in the form
// that IPv4 has for tables of up to 16,384 routes.
TYPED_TEST(Trie, ShortPrefixTakesOneRunHoweverManySlotsItFills) {
  this->make_large();
  const std::size_t before = this->compiled().memory_bytes();
  const auto cost_of = [&](unsigned length) {
    this->routes_.insert(lpm::Prefix<TypeParam>::enclosing(this->kBlock.network(), length), 9);
    const std::size_t bytes = this->compiled().memory_bytes() - before;
    this->routes_.remove(lpm::Prefix<TypeParam>::enclosing(this->kBlock.network(), length));
    return bytes;
  };
  const unsigned length = this->kBlock.length();
  const std::size_t cost = cost_of(length + 1);
  EXPECT_EQ(cost_of(length + 8), cost);
  // As many different values as slots: 256 cells more.
  this->fill([](lpm::Value slot) { return 9 + slot; });
  EXPECT_EQ(this->compiled().memory_bytes() - before, cost + 1024);
}

TYPED_TEST(Trie, NeighboursAreToldApartWhateverRunsTheyMake) {
  for (const lpm::Value run : {1U, 2U, 3U, 64U, 128U, 256U}) {
    this->fill([run](lpm::Value slot) { return 9U + slot / run % 2; });
    this->expect_as_linear_scan();
    // Of all lengths: the node has to remember which.
    this->routes_.insert(
        lpm::Prefix<TypeParam>::enclosing(this->kBlock.network(), this->kBlock.length() + 3), run);
    this->expect_as_linear_scan();
  }
}

TYPED_TEST(Trie, RunGoesOnAroundAChild) {
  const auto block = lpm::Prefix<TypeParam>::enclosing(this->kFirst, 16);
  this->routes_.insert(block, 1);
  // In the second slot of the block's node.
  const auto second =
      probes::next(probes::last_of(lpm::Prefix<TypeParam>::enclosing(this->kFirst, 16 + 8)));
  this->routes_.insert(this->host(second), 2);
  this->expect_as_linear_scan();
}

// What a route that fills a slot says is written down in the slot's child, where there is room for
// it anyway.
TYPED_TEST(Trie, RouteThatFillsASlotWithAChildCostsNothing) {
  for (const bool is_large : {false, true}) {
    if (is_large) this->make_large();
    this->routes_.insert(this->host(probes::next(this->kBlock.network())), 2);
    if (this->kBlock.length() + 8 < TypeParam::kBits)
      this->routes_.insert(
          lpm::Prefix<TypeParam>::enclosing(this->kBlock.network(), this->kBlock.length() + 1), 3);
    const std::size_t without = this->compiled().memory_bytes();
    this->routes_.insert(this->kBlock, 4);
    EXPECT_EQ(this->compiled().memory_bytes(), without);
    this->routes_.remove(this->host(probes::next(this->kBlock.network())));
    EXPECT_LE(this->compiled().memory_bytes(), without);
    if (!is_large) this->expect_as_linear_scan();
  }
}

TYPED_TEST(Trie, HostRoutesAtTheEndsOfBlocksReachNoFurther) {
  auto random = support::seeded_random();
  for (unsigned length = 0; length <= TypeParam::kBits; ++length) {
    const auto block =
        lpm::Prefix<TypeParam>::enclosing(probes::random_address<TypeParam>(random), length);
    this->routes_.insert(block, 3 * length + 1);
    this->routes_.insert(this->host(block.network()), 3 * length + 2);
    this->routes_.insert(this->host(probes::last_of(block)), 3 * length + 3);
  }
  this->expect_as_linear_scan();
}

TYPED_TEST(Trie, FirstAndLastAddressOfAllMatchAlone) {
  this->routes_.insert(this->host(this->kFirst), 1);
  this->routes_.insert(this->host(this->kLast), 2);
  const auto trie = this->compiled();
  EXPECT_EQ(trie.lookup(this->kFirst), 1U);
  EXPECT_EQ(trie.lookup(probes::next(this->kFirst)), lpm::kNoMatch);
  EXPECT_EQ(trie.lookup(probes::previous(this->kLast)), lpm::kNoMatch);
  EXPECT_EQ(trie.lookup(this->kLast), 2U);
}

TYPED_TEST(Trie, HoldsTheLargestValue) {
  this->routes_.insert(this->host(this->kLast), ~lpm::Value{0});
  this->routes_.insert({}, ~lpm::Value{0} - 1);
  const auto trie = this->compiled();
  EXPECT_EQ(trie.lookup(this->kLast), ~lpm::Value{0});
  EXPECT_EQ(trie.lookup(this->kFirst), ~lpm::Value{0} - 1);
}

TYPED_TEST(Trie, OutlivesTheRoutesThatItWasCompiledFrom) {
  this->routes_.insert(this->host(this->kLast), 1);
  const auto before = this->compiled();
  this->routes_.insert(this->host(this->kLast), 2);
  const auto after = this->compiled();
  this->routes_ = {};
  EXPECT_EQ(before.lookup(this->kLast), 1U);
  EXPECT_EQ(after.lookup(this->kLast), 2U);
}

}  // namespace

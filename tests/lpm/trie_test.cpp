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
  // 6 bits are the slots of a node; 12 cross a border of levels wherever they begin.
  for (const unsigned count_bits : {6U, 12U})
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
  const unsigned child_length = 16 + 6;
  TypeParam network{};
  for (lpm::Value value = 1; value <= 64; ++value) {
    this->routes_.insert(this->host(network), value);
    network =
        probes::next(probes::last_of(lpm::Prefix<TypeParam>::enclosing(network, child_length)));
  }
  this->expect_as_linear_scan();
  this->routes_.insert({}, 65);
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

TYPED_TEST(Trie, EqualNeighboursAreOneRunAndDifferentOnesAreNot) {
  const auto block = lpm::Prefix<TypeParam>::enclosing(this->kFirst, 16);
  const auto fill = [&](auto value_of) {
    TypeParam network = block.network();
    for (lpm::Value slot = 0; slot < 64; ++slot) {
      const auto sibling = lpm::Prefix<TypeParam>::enclosing(network, 16 + 6);
      this->routes_.insert(sibling, value_of(slot));
      network = probes::next(probes::last_of(sibling));
    }
    this->expect_as_linear_scan();
    return this->compiled().memory_bytes();
  };
  const std::size_t one_run = fill([](lpm::Value) { return 9U; });
  const std::size_t two_runs = fill([](lpm::Value slot) { return slot < 32 ? 9U : 10U; });
  const std::size_t alternating = fill([](lpm::Value slot) { return 9U + slot % 2; });
  EXPECT_EQ(two_runs, one_run + sizeof(lpm::Value));
  EXPECT_EQ(alternating, one_run + 63 * sizeof(lpm::Value));
}

TYPED_TEST(Trie, RunGoesOnAroundAChild) {
  const auto block = lpm::Prefix<TypeParam>::enclosing(this->kFirst, 16);
  this->routes_.insert(block, 1);
  // In the second slot of the block's node.
  const auto second =
      probes::next(probes::last_of(lpm::Prefix<TypeParam>::enclosing(this->kFirst, 16 + 6)));
  this->routes_.insert(this->host(second), 2);
  this->expect_as_linear_scan();
}

// What a route that fills a slot says is handed down to the slot's child, and stored only there.
TYPED_TEST(Trie, SlotWithAChildStoresNoValue) {
  const auto block = lpm::Prefix<TypeParam>::enclosing(this->kFirst, 16);
  const auto slot = lpm::Prefix<TypeParam>::enclosing(probes::last_of(block), 16 + 6);
  this->routes_.insert(block, 1);
  this->routes_.insert(this->host(probes::next(slot.network())), 2);
  const std::size_t without = this->compiled().memory_bytes();
  this->routes_.insert(slot, 3);
  this->expect_as_linear_scan();
  EXPECT_EQ(this->compiled().memory_bytes(), without);
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

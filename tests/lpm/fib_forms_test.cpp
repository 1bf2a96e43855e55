// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/lpm/fib_fixture.hpp"

// A table changes its form with its size: nothing of it is seen in its answers.
namespace {

using lpm::Address4;
using lpm::Address6;
using lpm::Prefix4;
using lpm::Prefix6;

constexpr const char* kSmall = "small table";

class FibForms4 : public FibTest<Address4> {
 protected:
  [[nodiscard]] bool is_small() const { return has_part(kSmall); }

  // The same, in change sets of this size.
  void apply_in_sets(const Changes& changes, std::size_t size) {
    for (std::size_t i = 0; i < changes.size(); i += size)
      apply(std::span(changes).subspan(i, std::min(size, changes.size() - i)));
  }
};

// A route of 25 bits takes two nodes, where no other shares its 16 bits.
TEST_F(FibForms4, TableOf1024NodesIsSmall) {
  std::vector<Prefix4> deep;
  for (std::uint32_t i = 0; i < 513; ++i) deep.push_back(Prefix4::enclosing({i << 16 | 7}, 25));
  apply({Prefix4::enclosing({}, 7), 4000});
  for (const std::size_t size : {std::size_t{1}, std::size_t{513}}) {
    apply_in_sets(to({deep.begin(), deep.end() - 1}, 1), size);
    EXPECT_TRUE(is_small());
    EXPECT_TRUE(is_right());
    apply({deep.back(), 5000});
    EXPECT_FALSE(is_small());
    EXPECT_TRUE(is_right());
    // Not small again before it has a quarter.
    apply_in_sets(to({deep.begin() + 129, deep.end()}, 0), size);
    EXPECT_FALSE(is_small());
    EXPECT_TRUE(is_right(deep));
    apply({deep[128], 0});
    EXPECT_TRUE(is_small());
    EXPECT_TRUE(is_right(deep));
    apply_in_sets(to(deep, 0), size);
    EXPECT_TRUE(is_right(deep));
  }
}

TEST_F(FibForms4, TableOf16384RoutesIsSmall) {
  const auto hosts = row({0x0a000000}, 32, 16'385);
  for (const std::size_t size : {std::size_t{1000}, std::size_t{16'384}}) {
    apply_in_sets(to({hosts.begin(), hosts.end() - 1}, 1), size);
    EXPECT_TRUE(is_small());
    EXPECT_TRUE(is_right());
    apply({hosts.back(), 20'000});
    EXPECT_FALSE(is_small());
    EXPECT_TRUE(is_right());
    apply_in_sets(to({hosts.begin() + 4097, hosts.end()}, 0), size);
    EXPECT_FALSE(is_small());
    EXPECT_TRUE(is_right());
    apply({hosts.front(), 0});
    EXPECT_TRUE(is_small());
    EXPECT_TRUE(is_right(hosts));
    apply_in_sets(to(hosts, 0), size);
    EXPECT_TRUE(is_right());
  }
}

TEST_F(FibForms4, AbandonedChangeOfFormNeverWas) {
  const auto hosts = row({0x0a000000}, 32, 16'385);
  const auto blocks = row({0x0a000000}, 20, 30);
  apply(to(blocks, 1U << 30));
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(fib_.prepare(to(hosts, 1)).has_value());
    fib_.abandon();
    EXPECT_TRUE(is_small());
    EXPECT_TRUE(is_right(std::span(hosts).first(300)));
    apply(to(hosts, 1));
    EXPECT_FALSE(is_small());
    ASSERT_TRUE(fib_.prepare(to(hosts, 0)).has_value());
    fib_.abandon();
    EXPECT_FALSE(is_small());
    EXPECT_TRUE(is_right());
    apply(to(hosts, 0));
    EXPECT_TRUE(is_small());
    EXPECT_TRUE(is_right(std::span(hosts).first(300)));
  }
}

TEST_F(FibForms4, GenerationsOfBothFormsAnswerBesideOneAnother) {
  const auto hosts = row({0x0a000000}, 32, 16'500);
  std::map<lpm::Value, lpm::Trie4> large;
  std::map<lpm::Value, lpm::Trie4> small;
  for (lpm::Value value = 1; value < 5; ++value) {
    ASSERT_TRUE(fib_.apply(to(hosts, value)).has_value());
    ASSERT_FALSE(is_small());
    large.emplace(value, fib_.current());
    ASSERT_TRUE(fib_.apply(to({hosts.begin() + 9, hosts.end()}, 0)).has_value());
    ASSERT_TRUE(is_small());
    small.emplace(value, fib_.current());
  }
  for (lpm::Value value = 1; value < 5; ++value)
    for (lpm::Value i = 0; i < hosts.size(); ++i) {
      ASSERT_EQ(large.at(value).lookup(hosts[i].network()), value + i);
      ASSERT_EQ(small.at(value).lookup(hosts[i].network()), i < 9 ? value + i : 0);
    }
}

// --- both families: children of the root

template <class Address>
class FibForms : public FibTest<Address> {};
TYPED_TEST_SUITE(FibForms, Families, FamilyNames);

TYPED_TEST(FibForms, ManyChildrenOfTheRootComeAndGo) {
  const auto region = lpm::Prefix<TypeParam>::enclosing(this->any_address(), 1);
  std::vector<lpm::Prefix<TypeParam>> blocks;
  for (const auto& block : this->row(region.network(), 16, 6000))
    blocks.push_back(lpm::Prefix<TypeParam>::enclosing(probes::last_of(block), 24));
  const auto apply_all = [&](lpm::Value first_value, std::size_t size) {
    const auto changes = this->to(blocks, first_value);
    for (std::size_t i = 0; i < changes.size(); i += size)
      this->apply(std::span(changes).subspan(i, std::min(size, changes.size() - i)));
  };
  apply_all(1, 6000);
  EXPECT_TRUE(this->is_right());
  // All inherit from it.
  this->apply({region, 5});
  EXPECT_TRUE(this->is_right());
  apply_all(7, 100);
  EXPECT_TRUE(this->is_right());
  this->apply(this->to({blocks.begin() + 1500, blocks.end()}, 0));
  EXPECT_TRUE(this->is_right(blocks));
  apply_all(0, 500);
  EXPECT_EQ(this->fib_.size(), 1U);
  EXPECT_TRUE(this->is_right(blocks));
  // Nothing was there but the region.
  apply_all(11, 7);
  EXPECT_TRUE(this->is_right(blocks));
}

// --- IPv4: records

TEST_F(FibForms4, BlocksWithOneValueShareARecord) {
  // 1,100 nodes make the table large.
  this->apply(to(row({0x0a000000}, 24, 1100), 1));
  std::vector<Prefix4> hosts;
  for (const Prefix4& block : row({0x0a000000}, 24, 1100)) hosts.push_back(host(block.network()));
  this->apply(to(hosts, 5000));
  ASSERT_FALSE(is_small());
  const std::size_t before = fib_.usage().current;
  // Three short records to a line.
  this->apply({Prefix4::enclosing({0x40000000}, 4), 77});
  EXPECT_LE(fib_.usage().current, before + 64);
  const std::size_t one_more = fib_.usage().current;
  this->apply({Prefix4::enclosing({0x80000000}, 3), 77});
  EXPECT_EQ(fib_.usage().current, one_more);
  EXPECT_TRUE(is_right());
  this->apply({Prefix4::enclosing({0x40000000}, 4), 0});
  this->apply({Prefix4::enclosing({0x80000000}, 3), 0});
  EXPECT_EQ(fib_.usage().current, one_more);  // the line stays, for the next value
  EXPECT_TRUE(is_right());
}

// --- IPv6: sites

class FibForms6 : public FibTest<Address6> {};

TEST_F(FibForms6, SiteHoldsAnythingAndGivesItBack) {
  const auto site = Prefix6::enclosing(any_address(), 48);
  const std::vector<Prefix6> parts{site,
                                   Prefix6::enclosing(site.network(), 49),
                                   Prefix6::enclosing(probes::last_of(site), 64),
                                   Prefix6::enclosing(probes::last_of(site), 127),
                                   host(site.network()),
                                   host(probes::last_of(site)),
                                   Prefix6::enclosing(site.network(), 47),
                                   Prefix6::enclosing(site.network(), 16)};
  const std::size_t empty = fib_.usage().current;
  // All subsets, each from each: a Gray code over the parts.
  std::uint32_t subset = 0;
  for (std::uint32_t step = 1; step <= 2U << parts.size(); ++step) {
    const auto part = static_cast<std::size_t>(std::countr_zero(step)) % parts.size();
    subset ^= 1U << part;
    apply({parts[part], (subset >> part & 1) != 0 ? static_cast<lpm::Value>(part + 1) : 0});
    ASSERT_TRUE(is_right(parts)) << subset;
  }
  apply(to(parts, 0));
  EXPECT_EQ(fib_.usage().current, empty);
}

TEST_F(FibForms6, HashTablesSplitAndMergeTheirPages) {
  // Of one site, of sites in order, of sites anywhere.
  const auto site = Prefix6::enclosing(any_address(), 48);
  std::vector<Prefix6> prefixes = row(site.network(), 128, 3000);
  for (const auto& next : row(any_address(), 48, 3000)) prefixes.push_back(next);
  for (int i = 0; i < 3000; ++i) prefixes.push_back(host(any_address()));
  for (int round = 0; round < 2; ++round)
    for (const bool inserted : {true, false}) {
      std::ranges::shuffle(prefixes, random_);
      std::size_t size = 0;
      for (std::size_t i = 0; i < prefixes.size(); i += size) {
        size = std::min<std::size_t>(1 + support::random_below(random_, 400U), prefixes.size() - i);
        const auto begin = prefixes.begin() + static_cast<std::ptrdiff_t>(i);
        apply(to({begin, begin + static_cast<std::ptrdiff_t>(size)},
                 inserted ? static_cast<lpm::Value>(i + 1) : 0));
        ASSERT_EQ(fib_.verify(), std::nullopt) << i;
      }
      ASSERT_TRUE(is_right(prefixes));
    }
}

// Keys that differ in one bit each, in every bit.
TEST_F(FibForms6, HostsAndSitesThatDifferInOneBitAreToldApart) {
  const Address6 address = any_address();
  Changes changes{{host(address), 1}};
  for (unsigned bit = 0; bit < 128; ++bit)
    changes.push_back({host(probes::with_bit_flipped(address, bit)), bit + 2});
  for (unsigned bit = 0; bit < 48; ++bit)
    changes.push_back({Prefix6::enclosing(probes::with_bit_flipped(address, bit), 48), bit + 1000});
  apply(changes);
  EXPECT_TRUE(is_right());
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/fib.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/lpm/fib_fixture.hpp"
#include "tests/lpm/random_routes.hpp"

// Every change of small tables made to be awkward, against a linear scan. Long random sequences are
// in fib_random_test.cpp.
namespace {

template <class Address>
class Fib : public FibTest<Address> {};
TYPED_TEST_SUITE(Fib, Families, FamilyNames);

TYPED_TEST(Fib, IsEmptyAtFirst) {
  EXPECT_EQ(this->fib_.generation(), 0U);
  EXPECT_TRUE(this->is_right());
  this->fib_.reclaim(0);
  EXPECT_TRUE(this->is_right());
}

TYPED_TEST(Fib, EveryLengthIsInsertedAndRemovedAlone) {
  for (unsigned length = 0; length <= TypeParam::kBits; ++length) {
    const auto prefix = lpm::Prefix<TypeParam>::enclosing(this->any_address(), length);
    this->apply({prefix, length + 1});
    ASSERT_TRUE(this->is_right()) << to_string(prefix);
    this->apply({prefix, length + 2});
    ASSERT_TRUE(this->is_right()) << to_string(prefix);
    this->apply({prefix, lpm::kNoMatch});
    ASSERT_TRUE(this->is_right(prefix)) << to_string(prefix);
  }
}

TYPED_TEST(Fib, ChainOfEveryLengthGrowsAndShrinksInAnyOrder) {
  for (const TypeParam address : {this->any_address(), this->kFirst, this->kLast}) {
    std::vector<lpm::Prefix<TypeParam>> chain;
    for (unsigned length = 0; length <= TypeParam::kBits; ++length)
      chain.push_back(lpm::Prefix<TypeParam>::enclosing(address, length));
    for (const bool inserted : {true, false, true, false}) {
      std::ranges::shuffle(chain, this->random_);
      for (const auto& prefix : chain) {
        this->apply({prefix, inserted ? prefix.length() + 1 : 0});
        ASSERT_TRUE(this->is_right(prefix)) << to_string(prefix) << " inserted: " << inserted;
      }
    }
  }
}

TYPED_TEST(Fib, AFewRoutesAreRemovedInEveryOrder) {
  using Block = lpm::Prefix<TypeParam>;
  const TypeParam address = this->any_address();
  const auto other = probes::with_bit_flipped(address, TypeParam::kBits - 1);
  std::vector<std::vector<Block>> sets{
      // Around one another, with a sibling.
      {Block(), Block::enclosing(address, 16), Block::enclosing(address, 24), this->host(address),
       this->host(other)},
      {Block::enclosing(address, 15), Block::enclosing(address, 17), Block::enclosing(address, 18),
       Block::enclosing(address, 31), this->host(address)},
  };
  if (TypeParam::kBits == 128)
    sets.push_back({Block::enclosing(address, 47), Block::enclosing(address, 48),
                    Block::enclosing(address, 49), Block::enclosing(address, 127),
                    this->host(address)});
  for (std::vector<Block>& set : sets) {
    std::ranges::sort(set);
    do {
      for (const Block& prefix : set) this->apply({prefix, prefix.length() + 1});
      for (const Block& prefix : set) {
        this->apply({prefix, lpm::kNoMatch});
        ASSERT_TRUE(this->is_right(set)) << to_string(prefix);
      }
    } while (std::ranges::next_permutation(set).found);
  }
}

// Of all lengths at which 256 blocks are a node, and some at which they lie across two.
TYPED_TEST(Fib, SiblingsFillANodeAndLeaveIt) {
  for (unsigned length = 16; length <= TypeParam::kBits; length += TypeParam::kBits == 32 ? 4 : 8) {
    const auto around = lpm::Prefix<TypeParam>::enclosing(this->any_address(), length - 8);
    auto siblings = this->row(around.network(), length, 256);
    this->apply({around, 1});
    for (const bool inserted : {true, false}) {
      std::ranges::shuffle(siblings, this->random_);
      for (std::size_t i = 0; i < siblings.size(); ++i) {
        this->apply({siblings[i], inserted ? static_cast<lpm::Value>(2 + i % 200) : 0});
        ASSERT_EQ(this->fib_.verify(), std::nullopt) << to_string(siblings[i]);
        ASSERT_EQ(this->fib_.current().lookup(siblings[i].network()), inserted ? 2 + i % 200 : 1);
        if (i % 51 == 0) {
          ASSERT_TRUE(this->is_right(siblings));
        }
      }
      ASSERT_TRUE(this->is_right(siblings));
    }
    this->apply({around, lpm::kNoMatch});
  }
}

// In order, from either end: nodes empty from the front and from the back.
TYPED_TEST(Fib, SiblingsAreRemovedInOrder) {
  for (const unsigned length : {TypeParam::kBits, TypeParam::kBits - 8, 24U, 64U, 56U}) {
    if (length > TypeParam::kBits) continue;
    auto siblings = this->row(this->any_address(), length, 300);
    for (int order = 0; order < 2; ++order) {
      this->apply(this->to(siblings, 1));
      for (const auto& sibling : siblings) {
        this->apply({sibling, lpm::kNoMatch});
        ASSERT_EQ(this->fib_.verify(), std::nullopt) << to_string(sibling);
      }
      ASSERT_TRUE(this->is_right(siblings));
      std::ranges::reverse(siblings);
    }
  }
}

// They reach into every slot of the root, also those that lead on.
TYPED_TEST(Fib, ShortPrefixesComeAndGoAboveLongOnes) {
  const auto some =
      random_routes::scattered<TypeParam>({.routes = 60, .values = 50}, this->random_);
  typename TestFixture::Changes changes;
  for (const auto& [prefix, value] : some) changes.push_back({prefix, value});
  this->apply(changes);
  std::vector<lpm::Prefix<TypeParam>> around;
  for (const auto& [prefix, value] : some)
    for (unsigned length = 0; length <= 18; length += 3)
      around.push_back(lpm::Prefix<TypeParam>::enclosing(prefix.network(), length));
  std::ranges::shuffle(around, this->random_);
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < around.size(); i += 5) {
      // Of one change set, and several of them above one another.
      typename TestFixture::Changes five;
      for (std::size_t k = i; k < std::min(i + 5, around.size()); ++k)
        five.push_back({around[k], round == 0 ? static_cast<lpm::Value>(1000 + k) : 0});
      this->apply(five);
      ASSERT_TRUE(this->is_right(around[i]));
    }
}

TYPED_TEST(Fib, EveryInsertAndRemoveOfARandomSetIsRight) {
  for (const std::size_t values : {std::size_t{2}, std::size_t{1'000'000'000}})
    for (int i = 0; i < 6; ++i) {
      const random_routes::Shape shape{.routes = 60, .values = values};
      const auto set = i % 2 == 0 ? random_routes::scattered<TypeParam>(shape, this->random_)
                                  : random_routes::binding_shaped<TypeParam>(shape, this->random_);
      std::vector<lpm::Change<TypeParam>> changes;
      for (const auto& [prefix, value] : set) changes.push_back({prefix, value});
      for (const bool inserted : {true, false}) {
        std::ranges::shuffle(changes, this->random_);
        for (const auto& [prefix, value] : changes) {
          this->apply({prefix, inserted ? value : lpm::kNoMatch});
          ASSERT_TRUE(this->is_right(prefix)) << to_string(prefix);
        }
      }
    }
}

TYPED_TEST(Fib, LaterChangeOfOnePrefixWins) {
  const auto prefix = this->host(this->any_address());
  // Short and long sets: the latter are built in bulk where the table is empty.
  for (const std::size_t others : {std::size_t{0}, std::size_t{200}}) {
    typename TestFixture::Changes changes = this->to(this->row(this->kFirst, 24, others), 100);
    changes.push_back({prefix, 1});
    changes.push_back({prefix, lpm::kNoMatch});
    changes.push_back({prefix, 2});
    for (int i = 0; i < 2; ++i) {
      this->apply(changes);
      EXPECT_EQ(this->fib_.current().lookup(prefix.network()), 2U);
      EXPECT_TRUE(this->is_right());
    }
    changes.push_back({prefix, lpm::kNoMatch});
    this->apply(changes);
    EXPECT_EQ(this->fib_.current().lookup(prefix.network()), lpm::kNoMatch);
    EXPECT_TRUE(this->is_right(prefix));
    for (auto& [changed, value] : changes) value = lpm::kNoMatch;
    this->apply(changes);
    EXPECT_EQ(this->fib_.size(), 0U);
  }
}

TYPED_TEST(Fib, RemovingWhatIsNotThereDoesNothing) {
  const auto block = lpm::Prefix<TypeParam>::enclosing(this->any_address(), 20);
  this->apply({block, 1});
  this->apply({this->host(block.network()), 2});
  for (unsigned length = 0; length <= TypeParam::kBits; ++length) {
    const auto around = lpm::Prefix<TypeParam>::enclosing(block.network(), length);
    if (!this->routes_.find(around)) this->apply({around, lpm::kNoMatch});
    this->apply({lpm::Prefix<TypeParam>::enclosing(probes::with_bit_flipped(block.network(), 3),
                                                   length < 4 ? 4 : length),
                 lpm::kNoMatch});
    ASSERT_TRUE(this->is_right(around)) << length;
  }
}

TYPED_TEST(Fib, ChangeSetsMayHaveAnySize) {
  for (const std::size_t size : {0U, 1U, 2U, 63U, 64U, 65U, 1000U, 20'000U}) {
    // Into an empty table in prefix order and in none, then into what is there.
    for (int i = 0; i < 3; ++i) {
      if (i < 2) {
        this->fib_ =
            lpm::Fib<TypeParam>(lpm::transparent_huge_pages(), TestFixture::kSmallNodesMax);
        this->routes_ = {};
      }
      const auto set = random_routes::binding_shaped<TypeParam>(
          {.routes = size, .values = 1'000'000}, this->random_);
      typename TestFixture::Changes changes;
      for (const auto& [prefix, value] : set) changes.push_back({prefix, value});
      changes.resize(std::min(changes.size(), size));
      if (i > 0) std::ranges::shuffle(changes, this->random_);
      const auto generation = this->fib_.generation();
      this->apply(changes);
      EXPECT_EQ(this->fib_.generation(), generation + 1);
      ASSERT_TRUE(this->is_right()) << size;
    }
    typename TestFixture::Changes removals;
    for (const auto& [prefix, value] : this->routes_) removals.push_back({prefix, lpm::kNoMatch});
    this->apply(removals);
    ASSERT_TRUE(this->is_right()) << size;
  }
}

TYPED_TEST(Fib, HoldsEveryValue) {
  const std::vector<lpm::Value> values{
      1,        (1U << 24) - 1, 1U << 24,       (1U << 30) - 1, 1U << 30,
      1U << 31, 3U << 30,       (1U << 30) + 1, ~0U - 1,        ~0U};
  const TypeParam address = this->any_address();
  for (unsigned length = 0; length <= TypeParam::kBits; ++length)
    for (const lpm::Value value : values) {
      this->apply({lpm::Prefix<TypeParam>::enclosing(address, length), value});
      ASSERT_EQ(this->fib_.current().lookup(address), value) << length;
    }
  EXPECT_TRUE(this->is_right());
}

// More of them than there is room for at first, while readers hold every generation.
TYPED_TEST(Fib, WideValuesComeGoAndMove) {
  const auto prefixes = this->row(this->any_address(), TypeParam::kBits, 400);
  std::vector<lpm::Trie<TypeParam>> generations;
  for (lpm::Value i = 0; i < 400; ++i) {
    ASSERT_TRUE(this->fib_.apply({{{prefixes[i], ~i}}}).has_value());
    generations.push_back(this->fib_.current());
  }
  EXPECT_EQ(this->fib_.verify(), std::nullopt);
  for (lpm::Value i = 0; i < 400; ++i)
    for (lpm::Value k = 0; k < 400; k += 7)
      ASSERT_EQ(generations[i].lookup(prefixes[k].network()), k <= i ? ~k : 0) << i;
  generations.clear();
  this->fib_.reclaim(this->fib_.generation() - 1);
  const std::size_t full = this->fib_.usage().taken;
  for (lpm::Value round = 1; round < 50; ++round) {
    for (lpm::Value i = 0; i < 400; ++i) this->apply({prefixes[i], ~(round * 400 + i)});
    ASSERT_EQ(this->fib_.verify(), std::nullopt);
  }
  EXPECT_EQ(this->fib_.usage().taken, full);
  this->apply(this->to(prefixes, 7));
  EXPECT_TRUE(this->is_right());
}

// As many as 24 bits give, half of them wide, in one table.
TYPED_TEST(Fib, TellsManyValuesApart) {
  constexpr std::size_t kValues = std::size_t{1} << 17;
  const auto prefixes = this->row(this->kFirst, TypeParam::kBits, kValues);
  typename TestFixture::Changes changes;
  for (std::size_t i = 0; i < kValues; ++i) {
    const auto value = static_cast<lpm::Value>(i + 1);
    changes.push_back({prefixes[i], i % 2 == 0 ? value : ~value});
  }
  this->apply(changes);
  EXPECT_EQ(this->fib_.verify(), std::nullopt);
  for (const auto& [prefix, value] : changes)
    ASSERT_EQ(this->fib_.current().lookup(prefix.network()), value);
}

TYPED_TEST(Fib, BurstOfNoneTouchesNothing) {
  this->apply({{}, 7});
  for (const auto name : lpm::Trie<TypeParam>::instruction_sets()) {
    lpm::Value value = 0xdead;
    this->fib_.current().with_instruction_set(name).lookup_burst({}, std::span(&value, 0));
    EXPECT_EQ(value, 0xdeadU);
  }
}

TYPED_TEST(Fib, InstructionSetsEndWithThePortableOne) {
  const auto names = lpm::Trie<TypeParam>::instruction_sets();
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names.back(), "portable");
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/lpm/fib_fixture.hpp"
#include "tests/lpm/random_routes.hpp"

// Generations beside one another: each answers its own, whatever becomes of the others.
namespace {

template <class Address>
class FibGenerations : public FibTest<Address> {
 protected:
  using typename FibTest<Address>::Changes;

  // Of some routes that are there and some that are not.
  [[nodiscard]] Changes random_changes(std::size_t count) {
    Changes changes;
    std::vector<lpm::Route<Address>> there = this->fib_.routes();
    std::ranges::shuffle(there, this->random_);
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_old = i < there.size() && i % 2 == 0;
      const auto prefix = is_old ? there[i].prefix : this->any_prefix();
      const bool is_removed = is_old && i % 4 == 0;
      changes.push_back({prefix, is_removed
                                     ? lpm::kNoMatch
                                     : random_routes::random_value(
                                           {.routes = 0, .values = 1U << 24}, this->random_)});
    }
    return changes;
  }

  struct Kept {
    std::uint64_t generation;
    lpm::Trie<Address> trie;
    lpm::RouteSet<Address> routes;
  };
  [[nodiscard]] bool still_answers(const Kept& kept) const {
    return every_form::agrees<Address>(kept.trie, support::MapPerLength(kept.routes),
                                       probes::edges_of(kept.routes));
  }
};
TYPED_TEST_SUITE(FibGenerations, Families, FamilyNames);

TYPED_TEST(FibGenerations, EachAnswersItsOwnUntilItIsReclaimed) {
  std::vector<typename TestFixture::Kept> kept;
  for (int i = 0; i < 60; ++i) {
    const auto changes = this->random_changes(i % 5 == 0 ? 200 : 12);
    ASSERT_TRUE(this->fib_.apply(changes).has_value());
    this->make(this->routes_, changes);
    kept.push_back({this->fib_.generation(), this->fib_.current(), this->routes_});
    ASSERT_EQ(this->fib_.verify(), std::nullopt) << i;
    if (i % 7 != 6) continue;
    // Some of the oldest, in one go; then what was reclaimed before.
    const auto up_to = kept[kept.size() / 2].generation;
    std::erase_if(kept, [&](const auto& old) { return old.generation <= up_to; });
    this->fib_.reclaim(up_to);
    this->fib_.reclaim(up_to / 2);
    this->fib_.reclaim(up_to);
    ASSERT_EQ(this->fib_.verify(), std::nullopt) << i;
    for (const auto& old : kept) ASSERT_TRUE(this->still_answers(old)) << old.generation;
  }
}

TYPED_TEST(FibGenerations, PreparedOneIsSeenOnlyByWhoPreparedIt) {
  const auto address = this->any_address();
  this->apply({this->host(address), 1});
  const typename TestFixture::Changes changes{{this->host(address), 2}};
  const auto prepared = this->fib_.prepare(changes);
  ASSERT_TRUE(prepared.has_value());
  EXPECT_EQ(prepared->lookup(address), 2U);
  EXPECT_EQ(this->fib_.current().lookup(address), 1U);
  EXPECT_EQ(this->fib_.generation(), 1U);
  this->fib_.commit();
  EXPECT_EQ(prepared->lookup(address), 2U);
  EXPECT_EQ(this->fib_.current().lookup(address), 2U);
  EXPECT_EQ(this->fib_.generation(), 2U);
  EXPECT_EQ(this->fib_.verify(), std::nullopt);
}

TYPED_TEST(FibGenerations, AbandonedOneNeverWas) {
  for (int i = 0; i < 100; ++i) {
    const auto kept = this->fib_.current();
    const auto abandoned = this->random_changes(i % 10 == 0 ? 500 : 20);
    const std::size_t before = this->fib_.usage().current;
    const auto generation = this->fib_.generation();
    ASSERT_TRUE(this->fib_.prepare(abandoned).has_value());
    // What older generations used may be given up meanwhile.
    if (i % 3 == 0 && generation > 0) this->fib_.reclaim(generation - 1);
    this->fib_.abandon();
    EXPECT_EQ(this->fib_.usage().current, before);
    EXPECT_EQ(this->fib_.generation(), generation);
    ASSERT_TRUE(this->is_right()) << i;
    ASSERT_TRUE(every_form::agrees<TypeParam>(kept, support::MapPerLength(this->routes_),
                                              probes::edges_of(this->routes_)));
    const auto changes = this->random_changes(20);
    ASSERT_TRUE(this->fib_.apply(changes).has_value());
    this->make(this->routes_, changes);
    ASSERT_TRUE(this->is_right()) << i;
  }
}

// Wherever the doubling of a directory and the change of form lie.
TYPED_TEST(FibGenerations, AbandonedChangeOfSizeNeverWas) {
  const auto many = this->row(this->any_address(), TypeParam::kBits, 20'000);
  for (const std::size_t at_first : {std::size_t{0}, std::size_t{1}, std::size_t{15'000}}) {
    this->apply(this->to({many.begin(), many.begin() + static_cast<std::ptrdiff_t>(at_first)}, 1));
    for (int i = 0; i < 3; ++i) {
      const std::size_t taken = this->fib_.usage().taken;
      ASSERT_TRUE(this->fib_.prepare(this->to(many, 1U << 30)).has_value());
      this->fib_.abandon();
      ASSERT_TRUE(this->is_right(std::span(many).first(10))) << at_first;
      // The second time there is room from the first.
      if (i > 0) {
        EXPECT_EQ(this->fib_.usage().taken, taken);
      }
    }
    this->apply(this->to(many, 1U << 30));
    ASSERT_TRUE(this->is_right());
    ASSERT_TRUE(this->fib_.prepare(this->to(many, 0)).has_value());
    this->fib_.abandon();
    ASSERT_TRUE(this->is_right());
    this->apply(this->to(many, 0));
    EXPECT_EQ(this->fib_.size(), 0U);
    ASSERT_TRUE(this->is_right());
  }
}

// The directories double several times in one change set: of their copies each is given up once.
TYPED_TEST(FibGenerations, LargeFirstChangeSetMayBeChangedFurther) {
  const auto many = this->row(this->any_address(), TypeParam::kBits, 30'000);
  this->apply(this->to(many, 1));
  ASSERT_EQ(this->fib_.verify(), std::nullopt);
  for (int i = 0; i < 20; ++i) {
    this->apply(this->random_changes(30));
    ASSERT_EQ(this->fib_.verify(), std::nullopt) << i;
  }
  EXPECT_TRUE(this->is_right(std::span(many).first(100)));
}

// Older generations go while one is prepared in which the directories have doubled.
TYPED_TEST(FibGenerations, ReclaimingWhileALargerOneIsPreparedGivesNothingUpTwice) {
  const auto many = this->row(this->any_address(), TypeParam::kBits, 10'000);
  for (int i = 0; i < 5; ++i) {
    // Three copies of everything, as nobody reclaims.
    for (lpm::Value value = 1; value < 4; ++value)
      ASSERT_TRUE(this->fib_.apply({{{many[0], value}}}).has_value());
    ASSERT_TRUE(this->fib_.prepare(this->to(many, 5)).has_value());
    this->fib_.reclaim(this->fib_.generation() - 1);
    if (i % 2 == 0)
      this->fib_.abandon();
    else
      this->fib_.commit();
    this->fib_.reclaim(this->fib_.generation() - 1);
    ASSERT_EQ(this->fib_.verify(), std::nullopt) << i;
    ASSERT_TRUE(this->fib_.apply(this->to(many, 0)).has_value());
    this->fib_.reclaim(this->fib_.generation() - 1);
    ASSERT_EQ(this->fib_.verify(), std::nullopt) << i;
  }
  this->apply(this->to(many, 9));
  EXPECT_TRUE(this->is_right());
}

TYPED_TEST(FibGenerations, ReclaimedMemoryIsUsedAgain) {
  const auto set =
      random_routes::binding_shaped<TypeParam>({.routes = 2000, .values = 1000}, this->random_);
  typename TestFixture::Changes changes;
  for (const auto& [prefix, value] : set) changes.push_back({prefix, value});
  this->apply(changes);
  const auto change_all = [&] {
    for (auto& change : changes) {
      ++change.value;
      this->apply(change);
    }
  };
  change_all();
  const std::size_t taken = this->fib_.usage().taken;
  for (int i = 0; i < 3; ++i) change_all();
  EXPECT_EQ(this->fib_.usage().taken, taken);
  EXPECT_EQ(this->fib_.usage().retired, 0U);
  EXPECT_EQ(this->fib_.verify(), std::nullopt);
}

TYPED_TEST(FibGenerations, TrieOutlivesItsFib) {
  const auto address = this->any_address();
  auto fib = std::make_unique<lpm::Fib<TypeParam>>();
  ASSERT_TRUE(fib->apply({{{this->host(address), 5}}}).has_value());
  const auto trie = fib->current();
  fib.reset();
  EXPECT_EQ(trie.lookup(address), 5U);
}

TYPED_TEST(FibGenerations, FibMayBeMoved) {
  const auto address = this->any_address();
  this->apply({this->host(address), 5});
  lpm::Fib<TypeParam> moved = std::move(this->fib_);
  EXPECT_EQ(moved.generation(), 1U);
  ASSERT_TRUE(moved.apply({{{{}, 6}}}).has_value());
  EXPECT_EQ(moved.current().lookup(address), 5U);
  EXPECT_EQ(moved.size(), 2U);
  EXPECT_EQ(moved.verify(), std::nullopt);
}

// --- a bound on memory

// At every bound from none to enough: what fits is there, what does not changes nothing.
TYPED_TEST(FibGenerations, RunningOutOfMemoryChangesNothing) {
  constexpr std::size_t kStep = lpm::Memory::kChunkBytes;
  const auto first =
      random_routes::scattered<TypeParam>({.routes = 300, .values = 1U << 31}, this->random_);
  const auto second =
      random_routes::scattered<TypeParam>({.routes = 20'000, .values = 1U << 31}, this->random_);
  typename TestFixture::Changes small;
  typename TestFixture::Changes large;
  for (const auto& [prefix, value] : first) small.push_back({prefix, value});
  for (const auto& [prefix, value] : second) large.push_back({prefix, value});
  std::size_t failures = 0;
  EXPECT_THROW(lpm::Fib<TypeParam>(lpm::limited(lpm::transparent_huge_pages(), kStep - 1)),
               std::bad_alloc);
  for (std::size_t bound = kStep;; bound += kStep) {
    ASSERT_LT(bound, 200 * kStep);
    this->fib_ = lpm::Fib<TypeParam>(lpm::limited(lpm::transparent_huge_pages(), bound),
                                     TestFixture::kSmallNodesMax);
    this->routes_ = {};
    const auto try_to_apply = [&](const auto& changes) {
      const auto before = this->fib_.current();
      const auto applied = this->fib_.apply(changes);
      if (applied) {
        this->make(this->routes_, changes);
      } else {
        EXPECT_EQ(applied.error(), lpm::FibError::out_of_memory);
        ++failures;
        EXPECT_EQ(this->fib_.current().memory_bytes(), before.memory_bytes());
        EXPECT_TRUE(every_form::agrees<TypeParam>(before, support::MapPerLength(this->routes_),
                                                  probes::edges_of(this->routes_)));
      }
      EXPECT_LE(this->fib_.usage().taken, bound);
      EXPECT_TRUE(this->is_sound(this->fib_, this->routes_)) << bound;
      return applied.has_value();
    };
    bool all = try_to_apply(small);
    // Nobody reclaims: for the next one there may be no room for another root.
    all &= try_to_apply(typename TestFixture::Changes{{{}, 1}});
    this->fib_.reclaim(this->fib_.generation());
    all &= try_to_apply(large);
    all &= try_to_apply(typename TestFixture::Changes{{{}, 2}});
    for (int i = 0; i < 4; ++i)
      all &= try_to_apply(typename TestFixture::Changes{{this->any_prefix(), 3}});
    this->fib_.reclaim(this->fib_.generation());
    // The old copies are free again.
    EXPECT_TRUE(try_to_apply(typename TestFixture::Changes{{{}, lpm::kNoMatch}}) || bound == kStep);
    EXPECT_TRUE(this->is_right());
    if (all) break;
  }
  EXPECT_GE(failures, 2U);
}

TYPED_TEST(FibGenerations, WhatFailedSucceedsOnceThereIsMemory) {
  constexpr std::size_t kBound = 3 * lpm::Memory::kChunkBytes;
  this->fib_ = lpm::Fib<TypeParam>(lpm::limited(lpm::transparent_huge_pages(), kBound),
                                   TestFixture::kSmallNodesMax);
  const auto address = this->any_address();
  lpm::Value value = 0;
  while (this->fib_.apply({{{this->host(address), ++value}, {{}, value}}})) {
    ASSERT_LT(value, 1000U);
    this->make(this->routes_, {{{this->host(address), value}, {{}, value}}});
  }
  EXPECT_TRUE(this->is_right());
  this->fib_.reclaim(this->fib_.generation() - 1);
  for (int i = 0; i < 100; ++i) {
    this->apply({this->host(address), ++value});
    this->apply({{}, value});
  }
  EXPECT_TRUE(this->is_right());
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
//
// Every allocation of a change set fails once, in turn: those of the table's pages and all others.
// This program replaces operator new for that (not inline: gcc would see malloc and delete of one
// block).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/lpm/fib_fixture.hpp"
#include "tests/lpm/random_routes.hpp"

namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
// How many allocations succeed from now on. One thread.
std::uint64_t allocations_left = kNever;

bool may_allocate() {
  if (allocations_left == kNever) return true;
  if (allocations_left == 0) return false;
  --allocations_left;
  return true;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (may_allocate())
    if (void* const block = std::malloc(bytes == 0 ? 1 : bytes)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto aligned = static_cast<std::size_t>(alignment);
  if (may_allocate())
    if (void* const block = std::aligned_alloc(aligned, (bytes + aligned - 1) / aligned * aligned))
      return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::size_t /*bytes*/) noexcept {
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::align_val_t /*alignment*/) noexcept {
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::size_t /*bytes*/,
                                       std::align_val_t /*alignment*/) noexcept {
  std::free(block);
}

namespace {

// Backing that runs out like the rest.
class Failing : public lpm::Memory {
 public:
  std::byte* reserve(std::size_t bytes) override { return memory_->reserve(bytes); }
  void commit(std::byte* at, std::size_t bytes) override {
    if (!may_allocate()) throw std::bad_alloc();
    memory_->commit(at, bytes);
  }
  void release(std::byte* at, std::size_t reserved, std::size_t committed) noexcept override {
    memory_->release(at, reserved, committed);
  }

 private:
  std::shared_ptr<lpm::Memory> memory_ = lpm::transparent_huge_pages();
};

template <class Address>
class FibOutOfMemory : public FibTest<Address> {
 protected:
  using typename FibTest<Address>::Changes;

  [[nodiscard]] static Changes changes_of(const lpm::RouteSet<Address>& routes) {
    Changes changes;
    for (const auto& [prefix, value] : routes) changes.push_back({prefix, value});
    return changes;
  }

  // Prepares with one allocation more each time until that is enough. The allocations that may not
  // fail find nothing left.
  void fail_everywhere(const Changes& changes) {
    const auto before = this->fib_.usage();
    auto addresses = probes::edges_of(this->routes_);
    for (const auto& change : changes)
      for (const Address edge : probes::edges_of(change.prefix)) addresses.push_back(edge);
    std::ranges::shuffle(addresses, this->random_);
    addresses.resize(std::min<std::size_t>(addresses.size(), 500));
    const support::MapPerLength<Address> oracle(this->routes_);
    std::size_t failures = 0;
    for (std::uint64_t allowed = 0;; allowed += 1 + allowed / 32) {
      allocations_left = allowed;
      const bool is_prepared = this->fib_.prepare(changes).has_value();
      if (is_prepared) {
        allocations_left = 0;
        this->fib_.abandon();
      }
      allocations_left = kNever;
      ASSERT_EQ(this->fib_.verify(), std::nullopt) << "after " << allowed;
      ASSERT_EQ(this->fib_.usage().current, before.current) << "after " << allowed;
      ASSERT_TRUE(every_form::agrees<Address>(this->fib_.current(), oracle, addresses)) << allowed;
      if (is_prepared) break;
      ++failures;
    }
    EXPECT_GT(failures, 0U);
    ASSERT_TRUE(this->is_sound(this->fib_, this->routes_));
    // And then it succeeds.
    ASSERT_TRUE(this->fib_.prepare(changes).has_value());
    allocations_left = 0;
    this->fib_.commit();
    allocations_left = kNever;
    this->make(this->routes_, changes);
    ASSERT_TRUE(this->is_right());
    ASSERT_EQ(this->fib_.usage().copies + this->fib_.usage().current <= this->fib_.usage().taken,
              true);
  }
  void reclaim() {
    allocations_left = 0;
    this->fib_.reclaim(this->fib_.generation() - 1);
    allocations_left = kNever;
    ASSERT_EQ(this->fib_.verify(), std::nullopt);
  }

  void SetUp() override {
    this->fib_ = lpm::Fib<Address>(std::make_shared<Failing>(), this->kSmallNodesMax);
  }
};
TYPED_TEST_SUITE(FibOutOfMemory, Families, FamilyNames);

// A table grows, changes and shrinks; values are wide, and readers hold the generation before each
// second change set.
TYPED_TEST(FibOutOfMemory, FailureOfAnyAllocationChangesNothing) {
  constexpr std::size_t kWide = std::size_t{1} << 31;
  const auto few = this->changes_of(
      random_routes::scattered<TypeParam>({.routes = 20, .values = kWide}, this->random_));
  const auto some = this->changes_of(
      random_routes::binding_shaped<TypeParam>({.routes = 300, .values = kWide}, this->random_));
  // IPv4 becomes large, directories of IPv6 double more than once.
  auto many = this->changes_of(
      random_routes::binding_shaped<TypeParam>({.routes = 4000, .values = 50}, this->random_));
  std::ranges::shuffle(many, this->random_);
  for (const auto& changes : {few, some, many, few}) {
    ASSERT_NO_FATAL_FAILURE(this->fail_everywhere(changes));
    ASSERT_NO_FATAL_FAILURE(this->fail_everywhere({{{}, 1}, {this->any_prefix(), ~0U}}));
    ASSERT_NO_FATAL_FAILURE(this->reclaim());
    ASSERT_NO_FATAL_FAILURE(this->fail_everywhere({{this->any_prefix(), 3}}));
  }
  for (auto changes : {many, some, few}) {
    for (auto& change : changes) change.value = lpm::kNoMatch;
    ASSERT_NO_FATAL_FAILURE(this->fail_everywhere(changes));
    ASSERT_NO_FATAL_FAILURE(this->reclaim());
  }
}

// All at once into an empty table, in bulk.
TYPED_TEST(FibOutOfMemory, FailureOfAnyAllocationOfABulkBuildChangesNothing) {
  for (const std::size_t routes : {100U, 5000U})
    for (const bool is_sorted : {true, false}) {
      this->SetUp();
      this->routes_ = {};
      auto changes = this->changes_of(random_routes::binding_shaped<TypeParam>(
          {.routes = routes, .values = std::size_t{1} << 31}, this->random_));
      if (!is_sorted) std::ranges::shuffle(changes, this->random_);
      ASSERT_NO_FATAL_FAILURE(this->fail_everywhere(changes));
    }
}

// What an aborted change set had taken is free again, however often.
TYPED_TEST(FibOutOfMemory, FailuresLoseNothing) {
  this->apply(this->to(this->row(this->any_address(), TypeParam::kBits, 100), ~0U - 1000));
  const auto changes = this->to(this->row(this->any_address(), TypeParam::kBits, 28), 1U << 30);
  ASSERT_TRUE(this->fib_.prepare(changes).has_value());
  this->fib_.abandon();
  const std::size_t taken = this->fib_.usage().taken;
  for (int round = 0; round < 300; ++round) {
    allocations_left = support::random_below(this->random_, 100U);
    if (this->fib_.prepare(changes).has_value()) this->fib_.abandon();
    allocations_left = kNever;
  }
  EXPECT_EQ(this->fib_.usage().taken, taken);
  EXPECT_TRUE(this->is_right());
  this->apply(changes);
  EXPECT_TRUE(this->is_right());
  // As many as there are, if no place among them was lost.
  for (const lpm::MemoryPart& part : this->fib_.memory_by_level())
    if (part.name == "wide values") {
      EXPECT_EQ(part.count, 128U);
    }
}

}  // namespace

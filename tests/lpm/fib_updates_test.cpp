// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/lpm/fib_fixture.hpp"
#include "tests/lpm/random_routes.hpp"

// A table that was changed very often takes as much memory as one made anew of the same routes.
namespace {

constexpr const char* kUpdatesVariable = "STEER_TEST_UPDATES";
constexpr std::size_t kSetSize = 1000;

// Of the environment, else so many that an ordinary run takes seconds.
std::size_t updates() {
  std::size_t count = 500'000;
  if (const char* set = std::getenv(kUpdatesVariable)) {
    const std::string_view text = set;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size())
      throw std::invalid_argument(std::string(kUpdatesVariable) + " is not a number");
  }
  return count;
}

template <class Address>
class FibUpdates : public FibTest<Address> {
 protected:
  using typename FibTest<Address>::Changes;
  using typename FibTest<Address>::Prefix;

  // Of bindings: half of the hosts of a block are bound at a time, so that the table stays as
  // large.
  void fill(std::size_t routes) {
    Changes changes;
    for (const auto& [prefix, value] : random_routes::binding_shaped<Address>(
             {.routes = routes, .values = 1U << 24}, this->random_)) {
      // Equally often there and not.
      bound_.push_back({prefix, this->random_() % 2 == 0 ? value : lpm::kNoMatch});
      changes.push_back(bound_.back());
    }
    this->apply(changes);
  }

  // Binds, unbinds or changes one at a time.
  [[nodiscard]] Changes next_changes() {
    Changes changes;
    while (changes.size() < kSetSize) {
      auto& change = bound_[support::random_below(this->random_, bound_.size())];
      const bool is_bound = change.value != lpm::kNoMatch;
      change.value =
          is_bound && this->random_() % 2 == 0
              ? lpm::kNoMatch
              : random_routes::random_value({.routes = 0, .values = 1U << 24}, this->random_);
      changes.push_back(change);
    }
    return changes;
  }

  [[nodiscard]] static double mib(std::size_t bytes) {
    return static_cast<double>(bytes) / (1 << 20);
  }

  std::vector<lpm::Change<Address>> bound_;
};
TYPED_TEST_SUITE(FibUpdates, Families, FamilyNames);

TYPED_TEST(FibUpdates, MemoryIsThatOfAFreshBuild) {
  this->fill(100'000);
  const std::size_t all = updates();
  std::chrono::nanoseconds took{};
  for (std::size_t made = 0; made < all; made += kSetSize) {
    const auto changes = this->next_changes();
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(this->fib_.apply(changes).has_value());
    this->fib_.reclaim(this->fib_.generation() - 1);
    took += std::chrono::steady_clock::now() - start;
  }
  ASSERT_EQ(this->fib_.verify(), std::nullopt);

  lpm::Fib<TypeParam> fresh;
  const auto routes = this->fib_.routes();
  ASSERT_TRUE(fresh.apply(routes).has_value());
  // The second copies of a table that changes.
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(fresh.apply(std::span(routes).first(1)).has_value());
    fresh.reclaim(fresh.generation() - 1);
  }
  const auto old_usage = this->fib_.usage();
  const auto new_usage = fresh.usage();
  std::printf(
      "%zu updates of %zu routes, %.2f us each: in use %.2f MiB, taken %.2f, notes %.2f; fresh "
      "%.2f, %.2f, %.2f\n",
      all, routes.size(),
      std::chrono::duration<double, std::micro>(took).count() / static_cast<double>(all),
      this->mib(old_usage.current), this->mib(old_usage.taken), this->mib(old_usage.notes),
      this->mib(new_usage.current), this->mib(new_usage.taken), this->mib(new_usage.notes));
  EXPECT_EQ(old_usage.retired, 0U);
  EXPECT_LE(static_cast<double>(old_usage.current), 1.1 * static_cast<double>(new_usage.current));
  EXPECT_LE(static_cast<double>(old_usage.taken), 1.5 * static_cast<double>(new_usage.taken));
}

}  // namespace

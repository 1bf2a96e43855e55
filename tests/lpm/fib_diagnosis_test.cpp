// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/lpm/fib_fixture.hpp"
#include "tests/lpm/random_routes.hpp"

// What a table tells about itself.
namespace {

template <class Address>
class FibDiagnosis : public FibTest<Address> {
 protected:
  using typename FibTest<Address>::Changes;

  // Of every form: empty, a few routes, many, wide values, after changes and removals.
  void for_tables(const auto& check) {
    check("empty");
    for (const std::size_t routes : {10U, 5000U})
      for (const std::size_t values : {std::size_t{5}, std::size_t{1} << 31}) {
        Changes changes;
        for (const auto& [prefix, value] : random_routes::binding_shaped<Address>(
                 {.routes = routes, .values = values}, this->random_))
          changes.push_back({prefix, value});
        for (const auto& [prefix, value] :
             random_routes::scattered<Address>({.routes = routes, .values = values}, this->random_))
          changes.push_back({prefix, value});
        this->apply(changes);
        check("filled");
        changes.resize(changes.size() / 3);
        for (auto& change : changes) change.value = change.value % 2;
        // Nobody reclaims: copies and what is retired do not count.
        ASSERT_TRUE(this->fib_.apply(changes).has_value());
        this->make(this->routes_, changes);
        check("changed");
      }
    Changes removals;
    for (const auto& [prefix, value] : this->routes_) removals.push_back({prefix, lpm::kNoMatch});
    this->apply(removals);
    check("emptied");
  }
};
TYPED_TEST_SUITE(FibDiagnosis, Families, FamilyNames);

TYPED_TEST(FibDiagnosis, MemoryByLevelAddsUp) {
  this->for_tables([&](const char* what) {
    std::size_t bytes = 0;
    for (const lpm::MemoryPart& part : this->fib_.memory_by_level()) {
      EXPECT_FALSE(part.name.empty());
      bytes += part.bytes;
    }
    const auto usage = this->fib_.usage();
    EXPECT_EQ(bytes, usage.current) << what;
    EXPECT_EQ(this->fib_.current().memory_bytes(), usage.current) << what;
    EXPECT_LE(usage.current + usage.copies + usage.retired, usage.taken) << what;
  });
}

TYPED_TEST(FibDiagnosis, RoutesAreThoseThatWereSet) {
  this->for_tables(
      [&](const char* what) { EXPECT_TRUE(this->is_sound(this->fib_, this->routes_)) << what; });
}

TYPED_TEST(FibDiagnosis, HistogramCountsEveryPrefixOnce) {
  this->for_tables([&](const char* what) {
    const auto histogram = this->fib_.depth_histogram();
    EXPECT_EQ(std::accumulate(histogram.begin(), histogram.end(), std::size_t{0}),
              this->fib_.size())
        << what;
  });
}

TYPED_TEST(FibDiagnosis, PathEndsWithTheAnswer) {
  this->for_tables([&](const char* what) {
    for (int i = 0; i < 500; ++i) {
      TypeParam address = this->any_address();
      if (i % 2 == 0 && !this->routes_.empty()) {
        const auto at = this->routes_.begin();
        address = probes::random_inside(
            std::next(at, i % static_cast<int>(this->routes_.size()))->first, this->random_);
      }
      const auto path = this->fib_.path(address);
      ASSERT_FALSE(path.empty());
      ASSERT_EQ(path.back().value, this->fib_.current().lookup(address))
          << what << " " << to_string(address);
      for (const lpm::LookupStep& step : path) {
        EXPECT_NE(step.what, nullptr);
        EXPECT_LE(step.first_bit + step.bits, TypeParam::kBits);
      }
    }
  });
}

// The step at which a lone prefix is found is the one at which the histogram counts it.
TYPED_TEST(FibDiagnosis, HistogramSaysAtWhichStepOfThePathAPrefixIsFound) {
  for (unsigned length = 0; length <= TypeParam::kBits; ++length) {
    const auto prefix = lpm::Prefix<TypeParam>::enclosing(this->any_address(), length);
    this->apply({prefix, 9});
    const auto path = this->fib_.path(prefix.network());
    const auto found =
        std::ranges::find_if(path, [](const lpm::LookupStep& step) { return step.value == 9; });
    ASSERT_NE(found, path.end()) << length;
    const auto steps = static_cast<std::size_t>(found - path.begin()) + 1;
    const auto histogram = this->fib_.depth_histogram();
    ASSERT_EQ(histogram.size(), steps + 1) << length;
    EXPECT_EQ(histogram[steps], 1U) << length;
    this->apply({prefix, lpm::kNoMatch});
  }
}

TYPED_TEST(FibDiagnosis, UsageTellsWhatOlderGenerationsHold) {
  const auto host = this->host(this->any_address());
  this->apply({host, 1});
  this->apply({host, 2});
  EXPECT_EQ(this->fib_.usage().retired, 0U);
  ASSERT_TRUE(this->fib_.apply({{{host, 3}}}).has_value());
  const auto held = this->fib_.usage();
  EXPECT_GT(held.retired, 0U);
  EXPECT_GT(held.notes, 0U);
  this->fib_.reclaim(this->fib_.generation() - 1);
  const auto reclaimed = this->fib_.usage();
  EXPECT_EQ(reclaimed.retired, 0U);
  EXPECT_EQ(reclaimed.current, held.current);
  EXPECT_EQ(reclaimed.taken, held.taken);
}

}  // namespace

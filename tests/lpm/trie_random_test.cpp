// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "lpm/trie.hpp"
#include "tests/lpm/families.hpp"
#include "tests/lpm/random_routes.hpp"
#include "tests/support/linear_scan.hpp"
#include "tests/support/seed.hpp"

namespace {

using random_routes::Shape;

// Small tables are tried often, a large one once: what goes wrong goes wrong in small ones, but for
// what needs many neighbours.
std::vector<Shape> shapes() {
  std::vector<Shape> all{{.routes = 2000, .values = 2}, {.routes = 2000, .values = 1'000'000'000}};
  for (std::size_t routes = 1; routes < 60; ++routes) {
    all.push_back({routes, 2});
    all.push_back({routes, 1'000'000'000});
  }
  return all;
}

template <class Address>
class RandomTrie : public testing::Test {
 protected:
  void expect_as_linear_scan(const lpm::RouteSet<Address>& routes) {
    const lpm::Trie<Address> trie(routes);
    const support::LinearScan oracle(routes);
    for (const Address address : random_routes::probes_of(routes, random_))
      ASSERT_EQ(trie.lookup(address), oracle.lookup(address)) << to_string(address);
  }

  std::mt19937_64 random_ = support::seeded_random();
};
TYPED_TEST_SUITE(RandomTrie, Families, FamilyNames);

TYPED_TEST(RandomTrie, AgreesWithALinearScanOnScatteredRoutes) {
  for (const Shape shape : shapes())
    this->expect_as_linear_scan(random_routes::scattered<TypeParam>(shape, this->random_));
}

TYPED_TEST(RandomTrie, AgreesWithALinearScanOnBindings) {
  for (const Shape shape : shapes())
    this->expect_as_linear_scan(random_routes::binding_shaped<TypeParam>(shape, this->random_));
}

TYPED_TEST(RandomTrie, DoesNotDependOnTheOrderOfEdits) {
  const Shape shape{.routes = 3000, .values = 1'000'000'000};
  const auto routes = random_routes::binding_shaped<TypeParam>(shape, this->random_);
  std::vector<std::pair<lpm::Prefix<TypeParam>, lpm::Value>> edits(routes.begin(), routes.end());
  const auto some_edits = [&](std::size_t count) {
    std::ranges::shuffle(edits, this->random_);
    return std::span(edits).first(count);
  };

  lpm::RouteSet<TypeParam> edited;
  for (const auto& [prefix, value] : some_edits(edits.size())) edited.insert(prefix, value);
  for (const auto& [prefix, value] : some_edits(edits.size() / 2)) edited.remove(prefix);
  for (const auto& [prefix, value] : some_edits(edits.size() / 2)) edited.insert(prefix, ~value);
  for (const auto& [prefix, value] : some_edits(edits.size())) edited.insert(prefix, value);

  const lpm::Trie<TypeParam> direct(routes);
  const lpm::Trie<TypeParam> roundabout(edited);
  // How many keys share a page of a hash table (IPv6) is chance, anew for every table.
  const double slack = TypeParam::kBits == 32 ? 0 : 0.1;
  const auto bytes = static_cast<double>(direct.memory_bytes());
  EXPECT_NEAR(static_cast<double>(roundabout.memory_bytes()), bytes, slack * bytes);
  for (const TypeParam address : random_routes::probes_of(routes, this->random_))
    ASSERT_EQ(direct.lookup(address), roundabout.lookup(address)) << to_string(address);
}

TYPED_TEST(RandomTrie, BurstOfAnySizeEqualsSingleLookups) {
  constexpr std::size_t kBurstMax = lpm::Trie<TypeParam>::kBurstMax;
  constexpr lpm::Value kUntouched = 0xdeadbeef;
  const auto routes = random_routes::binding_shaped<TypeParam>(
      {.routes = 1000, .values = 1'000'000}, this->random_);
  const lpm::Trie<TypeParam> trie(routes);
  auto addresses = random_routes::probes_of(routes, this->random_);

  for (std::size_t size = 0; size <= kBurstMax; ++size) {
    std::ranges::shuffle(addresses, this->random_);
    std::array<lpm::Value, kBurstMax + 1> values;
    for (std::size_t begin = 0; begin + size <= addresses.size(); begin += kBurstMax) {
      const auto burst = std::span<const TypeParam>(addresses).subspan(begin, size);
      values.fill(kUntouched);
      trie.lookup_burst(burst, std::span(values).first(size));
      for (std::size_t i = 0; i < size; ++i)
        ASSERT_EQ(values[i], trie.lookup(burst[i])) << to_string(burst[i]) << " of " << size;
      ASSERT_EQ(values[size], kUntouched) << size;
    }
  }
}

TYPED_TEST(RandomTrie, BurstMayRepeatOneAddress) {
  const auto address = probes::random_address<TypeParam>(this->random_);
  lpm::RouteSet<TypeParam> routes;
  routes.insert(lpm::Prefix<TypeParam>::enclosing(address, TypeParam::kBits), 5);
  const std::vector<TypeParam> addresses(lpm::Trie<TypeParam>::kBurstMax, address);
  std::vector<lpm::Value> values(addresses.size());
  lpm::Trie<TypeParam>(routes).lookup_burst(addresses, values);
  EXPECT_EQ(values, std::vector<lpm::Value>(addresses.size(), 5));
}

// What one more route can cost: the nodes of its path, and in IPv6 the pages of a site and of a
// host route with their share of the directories. A value of 2^30 or more takes 4 bytes in a block
// of 64 or of a power of two more.
TYPED_TEST(RandomTrie, MemoryStaysWithinTheBoundOfItsPaths) {
  constexpr bool kIs4 = TypeParam::kBits == 32;
  constexpr std::size_t kWideBytesMin = 64 * sizeof(lpm::Value);
  constexpr std::size_t kBytesPerRoute = 8 + (kIs4 ? 2 * 1024 : 1024 + 10 * 64 + 2 * (640 + 8));
  const std::size_t empty = lpm::Trie<TypeParam>().memory_bytes();
  for (const Shape shape : shapes()) {
    const auto routes = random_routes::scattered<TypeParam>(shape, this->random_);
    EXPECT_LE(lpm::Trie<TypeParam>(routes).memory_bytes() - empty,
              kWideBytesMin + routes.size() * kBytesPerRoute);
  }
}

// The whole cost of the first route of a table, by its length. IPv4: a node of 256 words for each 8
// bits behind the root. IPv6: a line for each; a page of two lines for a site, and for a host
// route.
TYPED_TEST(RandomTrie, LoneRouteCostsWhatItsLengthSays) {
  const std::size_t empty = lpm::Trie<TypeParam>().memory_bytes();
  for (unsigned length = 0; length <= TypeParam::kBits; ++length) {
    lpm::RouteSet<TypeParam> routes;
    routes.insert(
        lpm::Prefix<TypeParam>::enclosing(probes::random_address<TypeParam>(this->random_), length),
        1);
    std::size_t bytes = 0;
    if (TypeParam::kBits == 32)
      bytes = length <= 16 ? 0 : length <= 24 ? 1024 : 2048;
    else if (length < 48)
      bytes = length <= 16 ? 0 : std::size_t{64} * ((length - 16 + 7) / 8);
    else if (length == 128)
      bytes = 256;
    else
      bytes = 128 + std::size_t{64} * ((length - 48 + 7) / 8);
    EXPECT_EQ(lpm::Trie<TypeParam>(routes).memory_bytes() - empty, bytes) << length;
  }
}

}  // namespace

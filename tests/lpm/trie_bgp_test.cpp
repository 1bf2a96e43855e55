// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <filesystem>
#include <variant>
#include <vector>

#include "lpm/trie.hpp"
#include "tests/lpm/bgp_table.hpp"
#include "tests/lpm/families.hpp"
#include "tests/lpm/probes.hpp"
#include "tests/support/map_per_length.hpp"
#include "tests/support/seed.hpp"

// A full table of the Internet, if it lies beside the source tree.
namespace {

template <class Address>
class BgpTrie : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(bgp_table::kPath))
      GTEST_SKIP() << "no routing table at " << bgp_table::kPath.lexically_normal();
    for (const lpm::AnyPrefix& any : bgp_table::read_prefixes())
      if (const auto* prefix = std::get_if<lpm::Prefix<Address>>(&any))
        prefixes_.push_back(*prefix);
  }

  std::vector<lpm::Prefix<Address>> prefixes_;
};
TYPED_TEST_SUITE(BgpTrie, Families, FamilyNames);

TYPED_TEST(BgpTrie, AgreesWithAMapPerLength) {
  ASSERT_FALSE(this->prefixes_.empty());
  lpm::RouteSet<TypeParam> routes;
  support::MapPerLength<TypeParam> oracle;
  for (const auto& prefix : this->prefixes_) {
    const auto value = static_cast<lpm::Value>(routes.size() + 1);
    routes.insert(prefix, value);
    oracle.insert(prefix, value);
  }
  const lpm::Trie<TypeParam> trie(routes);

  auto random = support::seeded_random();
  const auto some_prefix = [&] {
    return this->prefixes_[support::random_below(random, this->prefixes_.size())];
  };
  std::vector<TypeParam> addresses;
  for (int i = 0; i < 100'000; ++i) {
    addresses.push_back(probes::random_address<TypeParam>(random));
    addresses.push_back(probes::random_inside(some_prefix(), random));
  }
  for (int i = 0; i < 20'000; ++i)
    for (const TypeParam edge : probes::edges_of(some_prefix())) addresses.push_back(edge);

  for (const TypeParam address : addresses)
    ASSERT_EQ(trie.lookup(address), oracle.lookup(address)) << to_string(address);
}

}  // namespace

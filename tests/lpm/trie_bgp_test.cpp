// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>
#include <stdio.h>

#include <array>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lpm/trie.hpp"
#include "tests/lpm/families.hpp"
#include "tests/lpm/probes.hpp"
#include "tests/support/seed.hpp"

// A full table of the Internet, if it lies beside the source tree.
namespace {

const std::filesystem::path kTablePath =
    std::filesystem::path(STEER_SOURCE_ROOT) / "../shared/data/tables/bgp-2025-10.prefixes.txt.gz";

// One prefix a line. Throws at the first that is none.
std::vector<lpm::AnyPrefix> read_prefixes() {
  const std::string command = "zcat '" + kTablePath.string() + "'";
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::vector<lpm::AnyPrefix> prefixes;
  std::array<char, 128> line;
  while (fgets(line.data(), line.size(), pipe) != nullptr) {
    std::string_view text = line.data();
    // The lines of the published file end in CR LF.
    text = text.substr(0, text.find_first_of("\r\n"));
    prefixes.push_back(lpm::parse_prefix(text).value());
  }
  if (pclose(pipe) != 0) throw std::runtime_error(command + " failed");
  return prefixes;
}

// An oracle fast enough for a million routes: an exact match at every length, longest first.
template <class Address>
class MapPerLength {
 public:
  void insert(const lpm::Prefix<Address>& prefix, lpm::Value value) {
    maps_[prefix.length()][prefix.network()] = value;
  }
  [[nodiscard]] lpm::Value lookup(Address address) const {
    for (unsigned length = Address::kBits + 1; length-- > 0;) {
      const auto it = maps_[length].find(address.masked(length));
      if (it != maps_[length].end()) return it->second;
    }
    return lpm::kNoMatch;
  }

 private:
  std::array<std::map<Address, lpm::Value>, Address::kBits + 1> maps_;
};

template <class Address>
class BgpTrie : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kTablePath))
      GTEST_SKIP() << "no routing table at " << kTablePath.lexically_normal();
    for (const lpm::AnyPrefix& any : read_prefixes())
      if (const auto* prefix = std::get_if<lpm::Prefix<Address>>(&any))
        prefixes_.push_back(*prefix);
  }

  std::vector<lpm::Prefix<Address>> prefixes_;
};
TYPED_TEST_SUITE(BgpTrie, Families, FamilyNames);

TYPED_TEST(BgpTrie, AgreesWithAMapPerLength) {
  ASSERT_FALSE(this->prefixes_.empty());
  lpm::RouteSet<TypeParam> routes;
  MapPerLength<TypeParam> oracle;
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

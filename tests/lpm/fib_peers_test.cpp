// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/lpm/bgp_table.hpp"
#include "tests/lpm/probes.hpp"
#include "tests/support/seed.hpp"

// A full table of the Internet loaded, changed and unloaded whole, and asked beside the tables of
// DPDK, which share nothing with ours.
namespace {

using lpm::Address4;
using lpm::Address6;
using lpm::Prefix4;
using lpm::Prefix6;

constexpr std::size_t kKeys = 10'000'000;
constexpr std::size_t kBurst = 64;
// What rte_lpm and rte_lpm6 can hold.
constexpr lpm::Value kValueMax = (1U << 21) - 1;

template <class Address>
using Routes = std::vector<lpm::Route<Address>>;

std::runtime_error refused(const char* what) {
  return std::runtime_error(std::string(what) + ": " + rte_strerror(rte_errno));
}

template <class Address>
std::size_t blocks_longer_than(const Routes<Address>& routes, unsigned length) {
  std::set<Address> blocks;
  for (const auto& [prefix, value] : routes)
    if (prefix.length() > length) blocks.insert(prefix.network().masked(length));
  return blocks.size();
}

// --- the others. Each throws where it cannot hold the routes.

class RteFib {
 public:
  explicit RteFib(const Routes<Address4>& routes) {
    rte_fib_conf config{};
    config.type = RTE_FIB_DIR24_8;
    config.max_routes = static_cast<int>(routes.size() + 1);
    config.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
    config.dir24_8.num_tbl8 = static_cast<std::uint32_t>(blocks_longer_than(routes, 24) + 256);
    fib_.reset(rte_fib_create("rte_fib", SOCKET_ID_ANY, &config));
    if (!fib_) throw refused("rte_fib_create");
    for (const auto& [prefix, value] : routes)
      if (rte_fib_add(fib_.get(), prefix.network().bits, static_cast<std::uint8_t>(prefix.length()),
                      value) != 0)
        throw refused("rte_fib_add");
  }

  void lookup(std::span<const Address4> keys, std::span<lpm::Value> values) const {
    std::array<std::uint32_t, kBurst> bits;
    std::array<std::uint64_t, kBurst> hops;
    std::ranges::transform(keys, bits.begin(), &Address4::bits);
    rte_fib_lookup_bulk(fib_.get(), bits.data(), hops.data(), static_cast<int>(keys.size()));
    for (std::size_t i = 0; i < keys.size(); ++i) values[i] = static_cast<lpm::Value>(hops[i]);
  }

 private:
  struct Free {
    void operator()(rte_fib* fib) const { rte_fib_free(fib); }
  };
  std::unique_ptr<rte_fib, Free> fib_;
};

// It finds the place of a new rule by a search of all of its length: a table for each part of the
// address space has few of each.
class RteLpm {
 public:
  static constexpr unsigned kPartBits = 6;

  RteLpm(const Routes<Address4>& routes, std::uint32_t part) {
    const auto space = Prefix4::enclosing({part << (32 - kPartBits)}, kPartBits);
    Routes<Address4> inside;
    for (const auto& route : routes)
      if (space.overlaps(route.prefix)) inside.push_back(route);
    const rte_lpm_config config{
        .max_rules = static_cast<std::uint32_t>(inside.size() + 1),
        .number_tbl8s = static_cast<std::uint32_t>(blocks_longer_than(inside, 24) + 256),
        .flags = 0};
    lpm_.reset(rte_lpm_create("rte_lpm", SOCKET_ID_ANY, &config));
    if (!lpm_) throw refused("rte_lpm_create");
    for (const auto& [prefix, value] : inside) {
      // It knows no default route.
      if (prefix.length() == 0) throw std::invalid_argument("a default route");
      if (rte_lpm_add(lpm_.get(), prefix.network().bits, static_cast<std::uint8_t>(prefix.length()),
                      value) != 0)
        throw refused("rte_lpm_add");
    }
  }

  void lookup(std::span<const Address4> keys, std::span<lpm::Value> values) const {
    std::array<std::uint32_t, kBurst> bits;
    std::ranges::transform(keys, bits.begin(), &Address4::bits);
    rte_lpm_lookup_bulk(lpm_.get(), bits.data(), values.data(), static_cast<unsigned>(keys.size()));
    for (lpm::Value& value : values)
      value = (value & RTE_LPM_LOOKUP_SUCCESS) != 0 ? value & 0x00ffffff : lpm::kNoMatch;
  }

 private:
  struct Free {
    void operator()(rte_lpm* table) const { rte_lpm_free(table); }
  };
  std::unique_ptr<rte_lpm, Free> lpm_;
};

class RteLpm6 {
 public:
  explicit RteLpm6(const Routes<Address6>& routes) {
    std::size_t groups = 256;
    for (unsigned depth = 24; depth < 128; depth += 8) groups += blocks_longer_than(routes, depth);
    const rte_lpm6_config config{.max_rules = static_cast<std::uint32_t>(routes.size() + 1),
                                 .number_tbl8s = static_cast<std::uint32_t>(groups),
                                 .flags = 0};
    lpm_.reset(rte_lpm6_create("rte_lpm6", SOCKET_ID_ANY, &config));
    if (!lpm_) throw refused("rte_lpm6_create");
    for (const auto& [prefix, value] : routes)
      if (rte_lpm6_add(lpm_.get(), prefix.network().to_wire().data(),
                       static_cast<std::uint8_t>(prefix.length()), value) != 0)
        throw refused("rte_lpm6_add");
  }

  void lookup(std::span<const Address6> keys, std::span<lpm::Value> values) const {
    std::array<std::array<std::uint8_t, 16>, kBurst> wire;
    std::array<std::int32_t, kBurst> hops;
    std::ranges::transform(keys, wire.begin(), &Address6::to_wire);
    rte_lpm6_lookup_bulk_func(lpm_.get(), reinterpret_cast<std::uint8_t(*)[16]>(wire.data()),
                              hops.data(), static_cast<unsigned>(keys.size()));
    for (std::size_t i = 0; i < keys.size(); ++i)
      values[i] = hops[i] < 0 ? lpm::kNoMatch : static_cast<lpm::Value>(hops[i]);
  }

 private:
  struct Free {
    void operator()(rte_lpm6* table) const { rte_lpm6_free(table); }
  };
  std::unique_ptr<rte_lpm6, Free> lpm_;
};

// --- the test

// Half of them at the ends of routes, half anywhere.
template <class Address>
std::vector<Address> make_keys(const Routes<Address>& routes, std::size_t count,
                               std::mt19937_64& random) {
  constexpr std::size_t kEndsMax = 400'000;
  std::vector<Address> ends;
  const std::size_t step = 1 + routes.size() * 5 / kEndsMax;
  for (std::size_t i = support::random_below(random, step); i < routes.size(); i += step) {
    for (const Address edge : probes::edges_of(routes[i].prefix)) ends.push_back(edge);
    ends.push_back(probes::random_inside(routes[i].prefix, random));
  }
  std::vector<Address> keys;
  keys.reserve(count);
  while (keys.size() < count) {
    keys.push_back(probes::random_address<Address>(random));
    keys.push_back(ends[support::random_below(random, ends.size())]);
  }
  return keys;
}

// In how many keys they differ.
template <class Address>
std::size_t differences(const lpm::Trie<Address>& trie, const auto& other,
                        std::span<const Address> keys) {
  std::size_t different = 0;
  std::array<lpm::Value, kBurst> ours;
  std::array<lpm::Value, kBurst> theirs;
  for (std::size_t i = 0; i < keys.size(); i += kBurst) {
    const auto burst = keys.subspan(i, std::min(kBurst, keys.size() - i));
    trie.lookup_burst(burst, std::span(ours).first(burst.size()));
    other.lookup(burst, std::span(theirs).first(burst.size()));
    for (std::size_t k = 0; k < burst.size(); ++k) different += ours[k] != theirs[k] ? 1U : 0U;
  }
  return different;
}

class FibPeers : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    static std::vector<std::string> arguments{
        "fib_peers_test", "--no-huge", "--no-pci", "--no-shconf",  "--no-telemetry",
        "--lcores=0",     "-m",        "1536",     "--log-level=3"};
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    if (rte_eal_init(static_cast<int>(pointers.size()), pointers.data()) < 0)
      throw refused("rte_eal_init");
  }
  static void TearDownTestSuite() { rte_eal_cleanup(); }

  void SetUp() override {
    if (!std::filesystem::exists(bgp_table::kPath))
      GTEST_SKIP() << "no routing table at " << bgp_table::kPath.lexically_normal();
  }

  template <class Address>
  [[nodiscard]] Routes<Address> read() {
    Routes<Address> routes;
    for (const lpm::AnyPrefix& any : bgp_table::read_prefixes())
      if (const auto* prefix = std::get_if<lpm::Prefix<Address>>(&any))
        routes.push_back({*prefix, some_value()});
    return routes;
  }
  [[nodiscard]] lpm::Value some_value() { return 1 + support::random_below(random_, kValueMax); }

  // A third of the routes goes, a third changes its value; as many again come, hosts above all.
  template <class Address>
  [[nodiscard]] Routes<Address> changes_of(const Routes<Address>& routes) {
    Routes<Address> changes;
    for (const auto& [prefix, value] : routes) {
      const std::uint64_t dice = random_();
      if (dice % 3 == 0) changes.push_back({prefix, lpm::kNoMatch});
      if (dice % 3 == 1) changes.push_back({prefix, some_value()});
      if (dice / 3 % 8 == 0) {
        const unsigned length = dice / 24 % 2 == 0 ? Address::kBits : prefix.length() + 1;
        changes.push_back({lpm::Prefix<Address>::enclosing(probes::random_inside(prefix, random_),
                                                           std::min(length, Address::kBits)),
                           some_value()});
      }
    }
    std::ranges::shuffle(changes, random_);
    return changes;
  }

  // In change sets of 1 to 10,000.
  template <class Address>
  void apply(lpm::Fib<Address>& fib, const Routes<Address>& changes) {
    for (std::size_t i = 0; i < changes.size();) {
      const std::size_t size = std::min<std::size_t>(
          1 + support::random_below(random_, 1U << support::random_below(random_, 15U)),
          changes.size() - i);
      ASSERT_TRUE(fib.apply(std::span(changes).subspan(i, size)).has_value());
      fib.reclaim(fib.generation() - 1);
      i += size;
    }
    ASSERT_EQ(fib.verify(), std::nullopt);
  }

  template <class Address>
  void unload(lpm::Fib<Address>& fib) {
    Routes<Address> removals = fib.routes();
    std::ranges::shuffle(removals, random_);
    for (auto& removal : removals) removal.value = lpm::kNoMatch;
    ASSERT_NO_FATAL_FAILURE(apply(fib, removals));
    EXPECT_EQ(fib.size(), 0U);
    for (const auto& removal : removals)
      ASSERT_EQ(fib.current().lookup(removal.prefix.network()), lpm::kNoMatch);
  }

  std::mt19937_64 random_ = support::seeded_random();
};

TEST_F(FibPeers, FullTableOfIPv4AnswersAsRteFibAndRteLpm) {
  const auto all = read<Address4>();
  lpm::Fib4 fib;
  ASSERT_TRUE(fib.apply(all).has_value());
  ASSERT_EQ(fib.verify(), std::nullopt);
  for (const bool is_changed : {false, true}) {
    if (is_changed) {
      ASSERT_NO_FATAL_FAILURE(apply(fib, changes_of(all)));
    }
    const auto routes = fib.routes();
    auto keys = make_keys(routes, kKeys / 2, random_);
    EXPECT_EQ((differences<Address4>(fib.current(), RteFib(routes), keys)), 0U);
    std::ranges::sort(keys);
    for (std::uint32_t part = 0; part < 1U << RteLpm::kPartBits; ++part) {
      const auto end = std::ranges::partition_point(
          keys, [&](Address4 key) { return key.slice(0, RteLpm::kPartBits) <= part; });
      const auto begin = std::ranges::partition_point(
          keys, [&](Address4 key) { return key.slice(0, RteLpm::kPartBits) < part; });
      EXPECT_EQ((differences<Address4>(fib.current(), RteLpm(routes, part), {begin, end})), 0U);
    }
  }
  ASSERT_NO_FATAL_FAILURE(unload(fib));
}

TEST_F(FibPeers, FullTableOfIPv6AnswersAsRteLpm6) {
  const auto all = read<Address6>();
  lpm::Fib6 fib;
  ASSERT_TRUE(fib.apply(all).has_value());
  ASSERT_EQ(fib.verify(), std::nullopt);
  for (const bool is_changed : {false, true}) {
    if (is_changed) {
      ASSERT_NO_FATAL_FAILURE(apply(fib, changes_of(all)));
    }
    const auto routes = fib.routes();
    const auto keys = make_keys(routes, kKeys / 2, random_);
    EXPECT_EQ((differences<Address6>(fib.current(), RteLpm6(routes), keys)), 0U);
  }
  ASSERT_NO_FATAL_FAILURE(unload(fib));
}

}  // namespace

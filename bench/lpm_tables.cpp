// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm_tables.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <set>
#include <stdexcept>
#include <string_view>
#include <variant>

namespace bench {
namespace {

using lpm::Address4;
using lpm::Address6;

constexpr std::size_t kHostsPerSite = 19;
constexpr std::uint64_t kSeed = 12345;

class Random {
 public:
  std::uint64_t word() { return engine_(); }
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  void fill(Address4& address) { address.bits = static_cast<std::uint32_t>(word()); }
  void fill(Address6& address) { address = {word(), word()}; }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_{kSeed};
};

Address4 joined(Address4 network, Address4 rest) {
  return {network.bits | rest.bits};
}
Address6 joined(Address6 network, Address6 rest) {
  return {network.high | rest.high, network.low | rest.low};
}
Address4 without(Address4 address, Address4 network) {
  return {address.bits ^ network.bits};
}
Address6 without(Address6 address, Address6 network) {
  return {address.high ^ network.high, address.low ^ network.low};
}

template <class Address>
Address inside(Random& random, const lpm::Prefix<Address>& prefix) {
  Address address;
  random.fill(address);
  return joined(prefix.network(), without(address, address.masked(prefix.length())));
}

bool is_unicast(Address4 address) {
  const std::uint32_t first = address.bits >> 24;
  return first != 0 && first < 224;
}

lpm::Prefix4 random_site(Random& random, Address4) {
  for (;;) {
    Address4 address;
    random.fill(address);
    if (is_unicast(address)) return lpm::Prefix4::enclosing(address, 24);
  }
}
// Global unicast, 2000::/3.
lpm::Prefix6 random_site(Random& random, Address6) {
  Address6 address;
  random.fill(address);
  address.high = (address.high >> 3) | std::uint64_t{1} << 61;
  return lpm::Prefix6::enclosing(address, 48);
}

Address4 random_host(Random& random, const lpm::Prefix4& site) {
  return {site.network().bits | static_cast<std::uint32_t>(random.below(256))};
}
Address6 random_host(Random& random, const lpm::Prefix6& site) {
  const std::uint64_t subnet = random.below(4);
  const std::uint64_t host = random.below(2) != 0 ? random.word() : 1 + random.below(1000);
  return {site.network().high | subnet, host};
}

template <class Address>
std::vector<lpm::Prefix<Address>> draw_sites(Random& random, std::size_t count,
                                             const std::vector<lpm::Prefix<Address>>& internet) {
  constexpr unsigned kLength = Address::kBits == 32 ? 24 : 48;
  std::vector<lpm::Prefix<Address>> sites;
  for (const auto& prefix : internet)
    if (prefix.length() == kLength) sites.push_back(prefix);
  if (sites.size() < count) {
    std::set<lpm::Prefix<Address>> drawn;
    while (drawn.size() < count) drawn.insert(random_site(random, Address{}));
    sites.assign(drawn.begin(), drawn.end());
  }
  std::ranges::shuffle(sites, random.engine());
  sites.resize(count);
  return sites;
}

template <class Address, class Draw>
void add_keys(LpmTable<Address>& table, const char* name, Draw draw) {
  std::vector<Address> keys(kKeyCount);
  for (Address& key : keys) key = draw();
  table.key_sets.push_back({name, std::move(keys)});
}

}  // namespace

template <class Address>
std::vector<lpm::Prefix<Address>> read_prefixes(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<lpm::Prefix<Address>> prefixes;
  for (std::string line; std::getline(file, line);) {
    const auto any = lpm::parse_prefix(std::string_view(line).substr(0, line.find('\r')));
    if (!any) continue;
    const auto* const prefix = std::get_if<lpm::Prefix<Address>>(&*any);
    if (prefix != nullptr && prefix->length() != 0) prefixes.push_back(*prefix);
  }
  return prefixes;
}

template <class Address>
LpmTable<Address> binding_table(std::size_t count,
                                const std::vector<lpm::Prefix<Address>>& internet) {
  Random random;
  const auto sites = draw_sites<Address>(random, count / (1 + kHostsPerSite), internet);
  LpmTable<Address> table;
  lpm::Value value = 0;
  for (const auto& site : sites) table.routes.push_back({site, ++value});
  for (const auto& site : sites) {
    std::set<Address> hosts;
    while (hosts.size() < kHostsPerSite) hosts.insert(random_host(random, site));
    for (const Address host : hosts)
      table.routes.push_back({lpm::Prefix<Address>::enclosing(host, Address::kBits), ++value});
  }
  const auto host = [&] {
    const std::size_t hosts = table.routes.size() - sites.size();
    return table.routes[sites.size() + random.below(hosts)].prefix.network();
  };
  const auto in_site = [&] { return inside(random, sites[random.below(sites.size())]); };
  const auto elsewhere = [&] {
    if (Address::kBits == 128 && !internet.empty())
      return inside(random, internet[random.below(internet.size())]);
    Address address;
    random.fill(address);
    return address;
  };
  add_keys(table, "half", [&] {
    const std::uint64_t turn = random.below(4);
    return turn == 0 ? host() : turn == 1 ? in_site() : elsewhere();
  });
  add_keys(table, "all", [&] { return random.below(2) != 0 ? host() : in_site(); });
  return table;
}

template <class Address>
LpmTable<Address> internet_table(const std::vector<lpm::Prefix<Address>>& internet) {
  Random random;
  LpmTable<Address> table;
  lpm::Value value = 0;
  for (const auto& prefix : internet) table.routes.push_back({prefix, ++value});
  const auto in_prefix = [&] { return inside(random, internet[random.below(internet.size())]); };
  if constexpr (Address::kBits == 32)
    add_keys(table, "uniform", [&] {
      for (;;) {
        Address address;
        random.fill(address);
        if (is_unicast(address)) return address;
      }
    });
  add_keys(table, "prefix", in_prefix);

  std::vector<Address> flows(std::size_t{1} << 18);
  std::vector<double> weights;
  for (Address& flow : flows) flow = in_prefix();
  for (std::size_t i = 0; i < flows.size(); ++i)
    weights.push_back((i == 0 ? 0 : weights.back()) + std::pow(static_cast<double>(i + 1), -1.05));
  add_keys(table, "zipf", [&] {
    const auto at = std::ranges::upper_bound(weights, random.unit() * weights.back());
    return flows[std::min(static_cast<std::size_t>(at - weights.begin()), flows.size() - 1)];
  });

  auto sorted = internet;
  std::ranges::sort(sorted);
  std::size_t next = 0;
  add_keys(table, "seq", [&] {
    const std::size_t i = next++ * sorted.size() / kKeyCount;
    return inside(random, sorted[i]);
  });
  return table;
}

template LpmTable<Address4> binding_table(std::size_t, const std::vector<lpm::Prefix4>&);
template LpmTable<Address6> binding_table(std::size_t, const std::vector<lpm::Prefix6>&);
template LpmTable<Address4> internet_table(const std::vector<lpm::Prefix4>&);
template LpmTable<Address6> internet_table(const std::vector<lpm::Prefix6>&);
template std::vector<lpm::Prefix4> read_prefixes(const std::string&);
template std::vector<lpm::Prefix6> read_prefixes(const std::string&);

}  // namespace bench

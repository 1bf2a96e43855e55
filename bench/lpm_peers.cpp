// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm_peers.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>
#include <rte_vect.h>
#include <lpm_anchors.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <set>
#include <stdexcept>

namespace bench {
namespace {

using lpm::Address4;
using lpm::Address6;
using Routes4 = std::vector<lpm::Route<Address4>>;
using Routes6 = std::vector<lpm::Route<Address6>>;

constexpr std::uint32_t kValueMask = (1U << 24) - 1;  // what rte_lpm can hold
constexpr std::size_t kBurstMax = 64;
constexpr std::size_t kGroupBytes = 1024;  // of 256 next hops of 4 bytes

double ms_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

std::vector<lpm_anchors::Route4> restated(const Routes4& routes) {
  std::vector<lpm_anchors::Route4> all;
  for (const auto& [prefix, value] : routes)
    all.push_back({prefix.network().bits, static_cast<std::uint8_t>(prefix.length()), value});
  return all;
}
std::vector<lpm_anchors::Route6> restated(const Routes6& routes) {
  std::vector<lpm_anchors::Route6> all;
  for (const auto& [prefix, value] : routes)
    all.push_back({prefix.network().to_wire(), static_cast<std::uint8_t>(prefix.length()), value});
  return all;
}

// Both forms of a restated structure: a loop over lookup(), and lookup_burst().
template <class Table, class Key, class Route>
void add_restated(const std::string& name, const std::vector<Route>& routes, Peers& peers) {
  const auto start = std::chrono::steady_clock::now();
  std::shared_ptr<const Table> table;
  try {
    table = std::make_shared<const Table>(std::span<const Route>(routes));
  } catch (const std::length_error& error) {
    peers.left_out.push_back(name + ": " + error.what());
    return;
  }
  const double build_ms = ms_since(start);
  const bool wire_keys = sizeof(Key) == 16;
  peers.contenders.push_back(
      {.name = name + " lookup",
       .table = table,
       .burst =
           [](const void* self, const void* keys, std::uint32_t* values, std::size_t count) {
             const auto* const all = static_cast<const Key*>(keys);
             for (std::size_t i = 0; i < count; ++i)
               values[i] = static_cast<const Table*>(self)->lookup(all[i]);
           },
       .wire_keys = wire_keys,
       .memory_bytes = table->memory_bytes(),
       .build_ms = build_ms});
  peers.contenders.push_back(
      {.name = name + " lookup_burst",
       .table = table,
       .burst =
           [](const void* self, const void* keys, std::uint32_t* values, std::size_t count) {
             static_cast<const Table*>(self)->lookup_burst(static_cast<const Key*>(keys), values,
                                                           count);
           },
       .wire_keys = wire_keys,
       .memory_bytes = table->memory_bytes(),
       .build_ms = build_ms});
}

std::string reason(const std::string& name) {
  return name + ": " + rte_strerror(rte_errno);
}

std::uint32_t groups4(const Routes4& routes) {
  std::set<std::uint32_t> blocks;
  for (const auto& [prefix, value] : routes)
    if (prefix.length() > 24) blocks.insert(prefix.network().bits >> 8);
  return static_cast<std::uint32_t>(blocks.size() + 256);
}

// --- rte_lpm. rte_lpm_add() searches the rules of a length one by one, hours for a million routes:
// its public arrays are written instead.

rte_lpm_tbl_entry lpm_entry(std::uint32_t value, bool in_group) {
  rte_lpm_tbl_entry entry{};
  entry.next_hop = value & kValueMask;
  entry.valid = value != 0 ? 1 : 0;
  entry.valid_group = in_group && value != 0 ? 1 : 0;
  return entry;
}

void fill(rte_lpm& table, const std::vector<lpm_anchors::Route4>& routes) {
  const lpm_anchors::detail::Intervals<lpm_anchors::detail::Family4> intervals(routes);
  std::uint32_t groups = 0;
  std::size_t at = 0;
  for (std::uint32_t block = 0; block < 1U << 24; ++block) {
    at = intervals.advance(at, block << 8);
    if (intervals.covers(at, block << 8 | 255)) {
      table.tbl24[block] = lpm_entry(intervals.value(at), false);
      continue;
    }
    for (std::uint32_t host = 0; host < 256; ++host) {
      at = intervals.advance(at, block << 8 | host);
      table.tbl8[groups * 256 + host] = lpm_entry(intervals.value(at), true);
    }
    rte_lpm_tbl_entry entry{};
    entry.next_hop = groups++ & kValueMask;
    entry.valid = entry.valid_group = 1;
    table.tbl24[block] = entry;
  }
}

void lpm_bulk(const void* table, const void* keys, std::uint32_t* values, std::size_t count) {
  rte_lpm_lookup_bulk(static_cast<const rte_lpm*>(table), static_cast<const std::uint32_t*>(keys),
                      values, static_cast<unsigned>(count));
  for (std::size_t i = 0; i < count; ++i)
    values[i] = (values[i] & RTE_LPM_LOOKUP_SUCCESS) != 0 ? values[i] & kValueMask : 0;
}

void lpm_x4(const void* table, const void* keys, std::uint32_t* values, std::size_t count) {
  const auto* const all = static_cast<const std::uint32_t*>(keys);
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4)
    rte_lpm_lookupx4(static_cast<const rte_lpm*>(table),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(all + i)), values + i, 0);
  if (i < count) lpm_bulk(table, all + i, values + i, count - i);
}

void add_lpm(const Routes4& routes, Peers& peers) {
  const std::uint32_t groups = groups4(routes);
  const rte_lpm_config config{.max_rules = 1024, .number_tbl8s = groups, .flags = 0};
  rte_lpm* const created = rte_lpm_create("peer", SOCKET_ID_ANY, &config);
  if (created == nullptr) {
    peers.left_out.push_back(reason("rte_lpm"));
    return;
  }
  const std::shared_ptr<rte_lpm> table(created, rte_lpm_free);
  fill(*table, restated(routes));
  const std::size_t bytes = (std::size_t{1} << 26) + groups * kGroupBytes;
  peers.contenders.push_back(
      {.name = "rte_lpm bulk", .table = table, .burst = lpm_bulk, .memory_bytes = bytes});
  peers.contenders.push_back(
      {.name = "rte_lpm x4", .table = table, .burst = lpm_x4, .memory_bytes = bytes});
}

// --- rte_fib

void fib_bulk(const void* table, const void* keys, std::uint32_t* values, std::size_t count) {
  std::array<std::uint64_t, kBurstMax> hops;
  rte_fib_lookup_bulk(static_cast<rte_fib*>(const_cast<void*>(table)),
                      static_cast<std::uint32_t*>(const_cast<void*>(keys)), hops.data(),
                      static_cast<int>(count));
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint32_t>(hops[i]);
}

// name: of a table in EAL, one of its own.
std::shared_ptr<rte_fib> make_fib(const char* name, const Routes4& routes,
                                  std::vector<std::string>& left_out) {
  rte_fib_conf config{};
  config.type = RTE_FIB_DIR24_8;
  config.max_routes = static_cast<int>(routes.size() + 1024);
  config.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
  config.dir24_8.num_tbl8 = groups4(routes);
  rte_fib* const created = rte_fib_create(name, SOCKET_ID_ANY, &config);
  if (created == nullptr) {
    left_out.push_back(reason("rte_fib"));
    return nullptr;
  }
  std::shared_ptr<rte_fib> table(created, rte_fib_free);
  std::size_t refused = 0;
  for (const auto& [prefix, value] : routes)
    refused += rte_fib_add(created, prefix.network().bits,
                           static_cast<std::uint8_t>(prefix.length()), value) < 0
                   ? 1U
                   : 0U;
  if (refused == 0) return table;
  left_out.push_back("rte_fib: " + std::to_string(refused) + " routes refused");
  return nullptr;
}

void add_fib(const Routes4& routes, Peers& peers) {
  const auto start = std::chrono::steady_clock::now();
  const std::shared_ptr<rte_fib> table = make_fib("looked-up", routes, peers.left_out);
  if (!table) return;
  const double build_ms = ms_since(start);
  for (const auto& [name, type] : {std::pair{"rte_fib scalar", RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO},
                                   {"rte_fib avx512", RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512}}) {
    if (rte_fib_select_lookup(table.get(), type) != 0) {
      peers.left_out.push_back(std::string(name) + ": not on this processor");
      continue;
    }
    peers.contenders.push_back(
        {.name = name,
         .table = table,
         .burst = fib_bulk,
         .memory_bytes = (std::size_t{1} << 26) + groups4(routes) * kGroupBytes,
         .build_ms = build_ms,
         .select = [table, type] { rte_fib_select_lookup(table.get(), type); }});
  }
}

// --- IPv6

using Wire = std::array<std::uint8_t, 16>;

// Groups of 256 that a table with a root of 24 bits and steps of 8 needs for these routes.
std::size_t groups6(const Routes6& routes) {
  std::size_t groups = 0;
  for (unsigned depth = 24; depth < 128; depth += 8) {
    std::set<Address6> blocks;
    for (const auto& [prefix, value] : routes)
      if (prefix.length() > depth) blocks.insert(prefix.network().masked(depth));
    groups += blocks.size();
  }
  return groups;
}

// rte_fib6 reserves for each route as if it shared nothing.
std::size_t groups6_unshared(const Routes6& routes) {
  std::size_t groups = 0;
  for (const auto& [prefix, value] : routes)
    groups += prefix.length() > 24 ? (prefix.length() - 24 + 7) / 8 : 0;
  return groups;
}

// What is left for groups beside the roots and the rules.
std::size_t groups_that_fit(std::size_t huge_page_bytes) {
  constexpr std::size_t kBeside = std::size_t{256} << 20;
  return huge_page_bytes <= kBeside ? 0 : (huge_page_bytes - kBeside) / kGroupBytes / 2;
}

void lpm6_bulk(const void* table, const void* keys, std::uint32_t* values, std::size_t count) {
  std::array<std::int32_t, kBurstMax> hops;
  auto* const all = static_cast<std::uint8_t(*)[16]>(const_cast<void*>(keys));
  rte_lpm6_lookup_bulk_func(static_cast<const rte_lpm6*>(table), all, hops.data(),
                            static_cast<unsigned>(count));
  for (std::size_t i = 0; i < count; ++i)
    values[i] = hops[i] < 0 ? 0 : static_cast<std::uint32_t>(hops[i]);
}

void fib6_bulk(const void* table, const void* keys, std::uint32_t* values, std::size_t count) {
  std::array<std::uint64_t, kBurstMax> hops;
  auto* const all = static_cast<std::uint8_t(*)[16]>(const_cast<void*>(keys));
  rte_fib6_lookup_bulk(static_cast<rte_fib6*>(const_cast<void*>(table)), all, hops.data(),
                       static_cast<int>(count));
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint32_t>(hops[i]);
}

std::string does_not_fit(const char* name, std::size_t groups) {
  return std::string(name) + ": needs " + std::to_string(groups * kGroupBytes >> 20) +
         " MiB of groups";
}

void add_lpm6(const Routes6& routes, std::size_t huge_page_bytes, Peers& peers) {
  const std::size_t groups = groups6(routes) + 4096;
  if (groups > groups_that_fit(huge_page_bytes)) {
    peers.left_out.push_back(does_not_fit("rte_lpm6", groups));
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  const rte_lpm6_config config{.max_rules = static_cast<std::uint32_t>(routes.size() + 1024),
                               .number_tbl8s = static_cast<std::uint32_t>(groups),
                               .flags = 0};
  rte_lpm6* const created = rte_lpm6_create("peer6", SOCKET_ID_ANY, &config);
  if (created == nullptr) {
    peers.left_out.push_back(reason("rte_lpm6"));
    return;
  }
  const std::shared_ptr<rte_lpm6> table(created, rte_lpm6_free);
  std::size_t refused = 0;
  for (const auto& [prefix, value] : routes) {
    const Wire wire = prefix.network().to_wire();
    refused +=
        rte_lpm6_add(created, wire.data(), static_cast<std::uint8_t>(prefix.length()), value) < 0
            ? 1U
            : 0U;
  }
  if (refused != 0) {
    peers.left_out.push_back("rte_lpm6: " + std::to_string(refused) + " routes refused");
    return;
  }
  peers.contenders.push_back({.name = "rte_lpm6 bulk",
                              .table = table,
                              .burst = lpm6_bulk,
                              .wire_keys = true,
                              .memory_bytes = (std::size_t{1} << 26) + groups * kGroupBytes,
                              .build_ms = ms_since(start)});
}

std::shared_ptr<rte_fib6> make_fib6(const char* name, const Routes6& routes, std::size_t groups,
                                    std::vector<std::string>& left_out) {
  rte_fib6_conf config{};
  config.type = RTE_FIB6_TRIE;
  config.max_routes = static_cast<int>(routes.size() + 1024);
  config.trie.nh_sz = RTE_FIB6_TRIE_4B;
  config.trie.num_tbl8 = static_cast<std::uint32_t>(groups);
  rte_fib6* const created = rte_fib6_create(name, SOCKET_ID_ANY, &config);
  if (created == nullptr) {
    left_out.push_back(reason("rte_fib6"));
    return nullptr;
  }
  std::shared_ptr<rte_fib6> table(created, rte_fib6_free);
  std::size_t refused = 0;
  for (const auto& [prefix, value] : routes) {
    const Wire wire = prefix.network().to_wire();
    refused +=
        rte_fib6_add(created, wire.data(), static_cast<std::uint8_t>(prefix.length()), value) < 0
            ? 1U
            : 0U;
  }
  if (refused == 0) return table;
  left_out.push_back("rte_fib6: " + std::to_string(refused) + " routes refused");
  return nullptr;
}

std::size_t fib6_groups(const Routes6& routes, std::size_t huge_page_bytes) {
  return std::min(groups_that_fit(huge_page_bytes), groups6_unshared(routes) + 4096);
}

void add_fib6(const Routes6& routes, std::size_t huge_page_bytes, Peers& peers) {
  const std::size_t groups = fib6_groups(routes, huge_page_bytes);
  if (groups6(routes) > groups) {
    peers.left_out.push_back(does_not_fit("rte_fib6", groups6_unshared(routes)));
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  const std::shared_ptr<rte_fib6> table = make_fib6("looked-up", routes, groups, peers.left_out);
  if (!table) return;
  const double build_ms = ms_since(start);
  for (const auto& [name, type] : {std::pair{"rte_fib6 scalar", RTE_FIB6_LOOKUP_TRIE_SCALAR},
                                   {"rte_fib6 avx512", RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512}}) {
    if (rte_fib6_select_lookup(table.get(), type) != 0) {
      peers.left_out.push_back(std::string(name) + ": not on this processor");
      continue;
    }
    peers.contenders.push_back(
        {.name = name,
         .table = table,
         .burst = fib6_bulk,
         .wire_keys = true,
         .memory_bytes = (std::size_t{1} << 26) + groups * kGroupBytes,
         .build_ms = build_ms,
         .select = [table, type] { rte_fib6_select_lookup(table.get(), type); }});
  }
}

// --- updates

template <class Route, class Remove, class Add>
double update_ns(const std::vector<Route>& routes, Remove remove, Add add) {
  constexpr std::size_t kRoutes = 2000;
  std::mt19937_64 random(1);
  std::vector<Route> some;
  for (std::size_t i = 0; i < kRoutes; ++i) some.push_back(routes[random() % routes.size()]);
  const auto start = std::chrono::steady_clock::now();
  for (const Route& route : some) {
    remove(route);
    add(route);
  }
  return ms_since(start) * 1e6 / (2 * kRoutes);
}

}  // namespace

void start_eal(const std::vector<std::string>& options) {
  std::vector<std::string> words = options;
  words.insert(words.begin(), "lpm_bench");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0)
    throw std::runtime_error(std::string("EAL does not start: ") + rte_strerror(rte_errno));
}

Peers make_peers(const Routes4& routes, std::size_t /*huge_page_bytes*/) {
  Peers peers;
  add_lpm(routes, peers);
  add_fib(routes, peers);
  const auto all = restated(routes);
  using lpm_anchors::Key4;
  add_restated<lpm_anchors::Mtrie16_8_8, Key4>("mtrie 16-8-8", all, peers);
  add_restated<lpm_anchors::Poptrie4, Key4>("poptrie", all, peers);
  add_restated<lpm_anchors::Dxr, Key4>("dxr", all, peers);
  return peers;
}

Peers make_peers(const Routes6& routes, std::size_t huge_page_bytes) {
  Peers peers;
  add_lpm6(routes, huge_page_bytes, peers);
  add_fib6(routes, huge_page_bytes, peers);
  add_restated<lpm_anchors::Poptrie6, lpm_anchors::Key6>("poptrie", restated(routes), peers);
  return peers;
}

std::vector<UpdateCost> peer_update_costs(const Routes4& routes, std::size_t /*huge_page_bytes*/) {
  std::vector<std::string> left_out;
  const auto table = make_fib("changed", routes, left_out);
  if (!table) return {};
  const double ns = update_ns(
      routes,
      [&](const auto& route) {
        rte_fib_delete(table.get(), route.prefix.network().bits,
                       static_cast<std::uint8_t>(route.prefix.length()));
      },
      [&](const auto& route) {
        rte_fib_add(table.get(), route.prefix.network().bits,
                    static_cast<std::uint8_t>(route.prefix.length()), route.value);
      });
  return {{"rte_fib", ns}};
}

std::vector<UpdateCost> peer_update_costs(const Routes6& routes, std::size_t huge_page_bytes) {
  std::vector<std::string> left_out;
  const std::size_t groups = fib6_groups(routes, huge_page_bytes);
  if (groups6(routes) > groups) return {};
  const auto table = make_fib6("changed", routes, groups, left_out);
  if (!table) return {};
  const double ns = update_ns(
      routes,
      [&](const auto& route) {
        rte_fib6_delete(table.get(), route.prefix.network().to_wire().data(),
                        static_cast<std::uint8_t>(route.prefix.length()));
      },
      [&](const auto& route) {
        rte_fib6_add(table.get(), route.prefix.network().to_wire().data(),
                     static_cast<std::uint8_t>(route.prefix.length()), route.value);
      });
  return {{"rte_fib6", ns}};
}

}  // namespace bench

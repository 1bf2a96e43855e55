// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lpm/fib.hpp"

// What lookups are compared with: the tables that DPDK ships, and published structures restated in
// bench/anchors.
namespace bench {

// One way to look up in one table. A burst is a plain function, as it would be in a data plane.
struct Contender {
  // keys: Address4 or Address6; wire_keys: addresses of 16 bytes as on the wire.
  using Burst = void (*)(const void* table, const void* keys, std::uint32_t* values,
                         std::size_t count);
  std::string name;
  std::shared_ptr<const void> table;
  Burst burst;
  bool wire_keys = false;
  std::size_t memory_bytes = 0;
  double build_ms = 0;                // 0: not comparable
  std::function<void()> select = {};  // to be called before the first burst of several
};

struct Peers {
  std::vector<Contender> contenders;
  std::vector<std::string> left_out;  // "rte_lpm6: why it cannot hold these routes"
};

// Starts EAL with the options given. Throws std::runtime_error.
void start_eal(const std::vector<std::string>& options);

// huge_page_bytes: of huge pages that the tables of DPDK may take.
[[nodiscard]] Peers make_peers(const std::vector<lpm::Route<lpm::Address4>>& routes,
                               std::size_t huge_page_bytes);
[[nodiscard]] Peers make_peers(const std::vector<lpm::Route<lpm::Address6>>& routes,
                               std::size_t huge_page_bytes);

// Nanoseconds for one change (half of a removal and an addition of the same prefix), of a DPDK
// table that has all routes, or 0 where DPDK cannot hold them.
struct UpdateCost {
  std::string name;
  double ns;
};
[[nodiscard]] std::vector<UpdateCost> peer_update_costs(
    const std::vector<lpm::Route<lpm::Address4>>& routes, std::size_t huge_page_bytes);
[[nodiscard]] std::vector<UpdateCost> peer_update_costs(
    const std::vector<lpm::Route<lpm::Address6>>& routes, std::size_t huge_page_bytes);

}  // namespace bench

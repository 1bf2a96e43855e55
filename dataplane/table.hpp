// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "dataplane/match.hpp"
#include "dataplane/policy.hpp"
#include "lpm/fib.hpp"
#include "lpm/trie.hpp"

namespace dataplane {

namespace dpdk {
class Publisher;
}  // namespace dpdk

// Row 3 of the semantics as routes, which cost a packet nothing: loopback, link-local, multicast
// and limited broadcast. In prefix order. They cannot be onboarded, so that no binding lies inside
// them.
[[nodiscard]] std::span<const lpm::Route<lpm::Address4>> local_scope4();
[[nodiscard]] std::span<const lpm::Route<lpm::Address6>> local_scope6();

// Everything a worker needs to decide packets: handles of a few lines, so that to make one and to
// start using it cost the same whatever is bound. Immutable to its readers once it is published:
// any number of threads may read, and one burst is decided by one table.
class Table {
 public:
  // The tries carry Match words, and local scope. Where they are generations of a Fib, that
  // outlives this table's use by readers: a generation is reclaimed when they are gone.
  Table(std::uint64_t generation, std::shared_ptr<const Policy> policy, lpm::Trie4 trie4,
        lpm::Trie6 trie6, std::uint32_t highest_binding);
  // The same from routes alone, compiled for this table: for what is made once. Adds local scope by
  // itself. Throws std::bad_alloc.
  Table(std::uint64_t generation, std::shared_ptr<const Policy> policy, lpm::RouteSet4 routes4,
        lpm::RouteSet6 routes6, std::uint32_t highest_binding);
  Table(std::uint64_t generation, const Settings& settings, lpm::RouteSet4 routes4,
        lpm::RouteSet6 routes6, std::uint32_t highest_binding)
      : Table(generation, std::make_shared<const Policy>(settings), std::move(routes4),
              std::move(routes6), highest_binding) {}

  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  // No match has a binding of a higher number.
  [[nodiscard]] std::uint32_t highest_binding() const noexcept { return highest_binding_; }
  [[nodiscard]] const lpm::Trie4& trie4() const noexcept { return trie4_; }
  [[nodiscard]] const lpm::Trie6& trie6() const noexcept { return trie6_; }
  template <class Address>
  [[nodiscard]] const lpm::Trie<Address>& trie() const noexcept {
    if constexpr (Address::kBits == 32)
      return trie4_;
    else
      return trie6_;
  }

  [[nodiscard]] const Policy& policy() const noexcept { return *policy_; }
  [[nodiscard]] const Settings& settings() const noexcept { return policy_->settings(); }
  using Decisions = Policy::Decisions;
  [[nodiscard]] const Decisions& decisions(Direction direction, bool kernel_path) const noexcept {
    return policy_->decisions(direction, kernel_path);
  }
  [[nodiscard]] bool is_narrow(Service service) const noexcept {
    return policy_->is_narrow(service);
  }
  [[nodiscard]] bool has_narrow_services() const noexcept { return policy_->has_narrow_services(); }

 private:
  friend class dpdk::Publisher;
  // The publisher's note of a table that another has replaced; in the table itself (as Linux has
  // its rcu_head), so that publishing needs no memory. Written and read by its thread alone.
  struct Replaced {
    std::unique_ptr<const Table> after;  // the table that was replaced next
    std::uint64_t token = 0;             // RCU's: when it has passed, nobody reads the table
    std::uint64_t by_generation = 0;
  };

  std::uint64_t generation_;
  std::uint32_t highest_binding_;
  std::shared_ptr<const Policy> policy_;
  lpm::Trie4 trie4_;
  lpm::Trie6 trie6_;
  mutable Replaced replaced_;
};

}  // namespace dataplane

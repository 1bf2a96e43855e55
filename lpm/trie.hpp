// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "lpm/memory.hpp"
#include "lpm/route_set.hpp"
#include "lpm/view.hpp"

namespace lpm {

namespace detail {
template <class Address>
class Store;
}  // namespace detail

template <class Address>
class Fib;

// One generation of a table: longest-prefix match over an immutable set of routes, for reading by
// any number of threads at once. A handle, cheap to copy; it keeps the memory of its table alive,
// but what a generation made by a Fib answers is defined only until Fib::reclaim() says that its
// readers are gone.
//
// Cost of a lookup: lpm/README.md has the cache lines by table, and what was measured.
template <class Address>
class Trie {
 public:
  // Nothing matches.
  Trie();
  // All of `routes`, for good. Throws std::bad_alloc.
  explicit Trie(const RouteSet<Address>& routes,
                std::shared_ptr<Memory> memory = transparent_huge_pages());

  // The value of the longest prefix that contains `address`, or kNoMatch.
  [[nodiscard]] Value lookup(Address address) const noexcept;

  static constexpr std::size_t kBurstMax = 64;
  // values[i] = lookup(addresses[i]), all of one generation. Both spans of one size, at most
  // kBurstMax.
  void lookup_burst(std::span<const Address> addresses, std::span<Value> values) const noexcept;

  // Of what lookups read.
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_bytes_; }

  // The instruction sets that lookups were compiled for and that this processor has, widest first.
  // lookup() and lookup_burst() use the first; the others answer the same.
  [[nodiscard]] static std::vector<std::string_view> instruction_sets();
  // The same generation, looked up with another one. name: one of instruction_sets().
  [[nodiscard]] Trie with_instruction_set(std::string_view name) const;

 private:
  friend class Fib<Address>;
  using View = detail::ViewOf<Address>;
  explicit Trie(std::shared_ptr<const detail::Store<Address>> store);

  detail::LookupOne<View, Address> one_;
  detail::LookupBurst<View, Address> burst_;
  View view_;
  std::size_t memory_bytes_ = 0;
  std::shared_ptr<const detail::Store<Address>> store_;
};

using Trie4 = Trie<Address4>;
using Trie6 = Trie<Address6>;

extern template class Trie<Address4>;
extern template class Trie<Address6>;

}  // namespace lpm

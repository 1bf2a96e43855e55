// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "lpm/prefix.hpp"

namespace lpm {

// What a prefix maps to. The meaning of the bits is the user's; 0 is reserved for "no prefix
// matches".
using Value = std::uint32_t;
inline constexpr Value kNoMatch = 0;

// The set of routes that somebody edits; a Trie is compiled from it. An ordered map: O(log n) an
// edit, iteration in prefix order (a block before everything inside it), which is the order that
// the compiler of the trie wants.
//
// Not thread safe: one owner.
template <class Address>
class RouteSet {
 public:
  using Map = std::map<Prefix<Address>, Value>;

  // Sets the value of a prefix, new or not. value: not kNoMatch. True if the prefix is new.
  bool insert(const Prefix<Address>& prefix, Value value) {
    return routes_.insert_or_assign(prefix, value).second;
  }
  // True if the prefix was there.
  bool remove(const Prefix<Address>& prefix) { return routes_.erase(prefix) != 0; }
  // The value of exactly this prefix.
  [[nodiscard]] std::optional<Value> find(const Prefix<Address>& prefix) const {
    const auto it = routes_.find(prefix);
    if (it == routes_.end()) return std::nullopt;
    return it->second;
  }

  [[nodiscard]] std::size_t size() const noexcept { return routes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return routes_.empty(); }
  [[nodiscard]] typename Map::const_iterator begin() const noexcept { return routes_.begin(); }
  [[nodiscard]] typename Map::const_iterator end() const noexcept { return routes_.end(); }

 private:
  Map routes_;
};

using RouteSet4 = RouteSet<Address4>;
using RouteSet6 = RouteSet<Address6>;

}  // namespace lpm

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "lpm/route_set.hpp"

namespace support {

// An oracle fast enough for a million routes: an exact match at every length, longest first.
template <class Address>
class MapPerLength {
 public:
  MapPerLength() = default;
  explicit MapPerLength(const lpm::RouteSet<Address>& routes) {
    for (const auto& [prefix, value] : routes) insert(prefix, value);
  }

  void insert(const lpm::Prefix<Address>& prefix, lpm::Value value) {
    maps_[prefix.length()][prefix.network()] = value;
  }
  void remove(const lpm::Prefix<Address>& prefix) {
    maps_[prefix.length()].erase(prefix.network());
  }
  [[nodiscard]] lpm::Value lookup(Address address) const {
    for (unsigned length = Address::kBits + 1; length-- > 0;) {
      const Map& map = maps_[length];
      if (map.empty()) continue;
      const auto it = map.find(address.masked(length));
      if (it != map.end()) return it->second;
    }
    return lpm::kNoMatch;
  }
  [[nodiscard]] bool has(const lpm::Prefix<Address>& prefix) const {
    return maps_[prefix.length()].contains(prefix.network());
  }
  [[nodiscard]] std::size_t size() const {
    std::size_t size = 0;
    for (const Map& map : maps_) size += map.size();
    return size;
  }

 private:
  struct Hash {
    static std::size_t mixed(std::uint64_t bits) {
      return static_cast<std::size_t>((bits ^ bits >> 29) * 0x9e3779b97f4a7c15U >> 13);
    }
    std::size_t operator()(lpm::Address4 address) const { return mixed(address.bits); }
    std::size_t operator()(lpm::Address6 address) const {
      return mixed(mixed(address.high) ^ address.low);
    }
  };
  using Map = std::unordered_map<Address, lpm::Value, Hash>;

  std::array<Map, Address::kBits + 1> maps_;
};

}  // namespace support

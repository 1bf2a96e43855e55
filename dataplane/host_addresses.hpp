// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/match.hpp"
#include "lpm/address.hpp"

// The addresses of the host itself (row 3 of the semantics), for ports whose way to the kernel
// leads through the worker. Beside the tries, not in them: they come and go with the kernel's
// interfaces, may lie inside any binding, and concern few ports.
namespace dataplane {

// A set of addresses with a filter before it: one bit for each of 64 times as many values of a hash
// as there are addresses, so that nearly all packets cost a look into a few KiB. Immutable.
template <class Address>
class AddressSet {
 public:
  AddressSet() = default;
  // In any order, also repeatedly. Throws std::bad_alloc.
  explicit AddressSet(std::vector<Address> addresses) : sorted_(std::move(addresses)) {
    std::ranges::sort(sorted_);
    sorted_.erase(std::ranges::unique(sorted_).begin(), sorted_.end());
    if (sorted_.empty()) return;
    const std::size_t bits = std::bit_ceil(sorted_.size() * kBitsForEach);
    filter_.resize(bits / 64);
    shift_ = 64U - static_cast<unsigned>(std::countr_zero(bits));
    for (const Address& address : sorted_) {
      const std::size_t bit = hash(address) >> shift_;
      filter_[bit / 64] |= std::uint64_t{1} << bit % 64;
    }
  }

  [[nodiscard]] bool empty() const noexcept { return sorted_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return sorted_.size(); }
  [[nodiscard]] bool contains(const Address& address) const noexcept {
    return !sorted_.empty() && may_contain(address) && std::ranges::binary_search(sorted_, address);
  }

  // Adds Match::kHostAddress to the match of each of these; as many values as keys.
  void mark(std::span<const Address> keys, lpm::Value* values) const noexcept {
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (contains(keys[i])) [[unlikely]]
        values[i] |= Match::kHostAddress;
  }

  friend bool operator==(const AddressSet& a, const AddressSet& b) {
    return a.sorted_ == b.sorted_;
  }

 private:
  static constexpr std::size_t kBitsForEach = 64;

  // Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, section 6.4.
  static std::uint64_t hash(const Address& address) noexcept {
    constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
    if constexpr (Address::kBits == 32)
      return address.bits * kGolden;
    else
      return (std::rotl(address.high * kGolden, 32) ^ address.low) * kGolden;
  }
  [[nodiscard]] bool may_contain(const Address& address) const noexcept {
    const std::size_t bit = hash(address) >> shift_;
    return (filter_[bit / 64] >> bit % 64 & 1) != 0;
  }

  std::vector<Address> sorted_;
  std::vector<std::uint64_t> filter_;
  unsigned shift_ = 0;
};

struct HostAddresses {
  AddressSet<lpm::Address4> v4;
  AddressSet<lpm::Address6> v6;

  // Of the family of an Address.
  template <class Address>
  [[nodiscard]] const AddressSet<Address>& of() const noexcept {
    if constexpr (Address::kBits == 32)
      return v4;
    else
      return v6;
  }

  friend bool operator==(const HostAddresses&, const HostAddresses&) = default;
};

}  // namespace dataplane

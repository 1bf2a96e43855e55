// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "dataplane/xdp/layout.h"
#include "dataplane/xdp/prefix_map.hpp"
#include "lpm/prefix.hpp"

// The kernel's side of a PrefixMap: four maps that programs share (layout.h), and nothing of what
// they mean together.
namespace dataplane::xdp {

// IPv4 and IPv6 in one form: an IPv4 prefix is the first 32 bits of an address.
struct Net {
  std::uint32_t family = 0;  // steer_family
  lpm::Prefix6 prefix;

  friend auto operator<=>(const Net&, const Net&) = default;
};

// One writer, the PrefixMap.
class PrefixMap::Maps {
 public:
  // Throws XdpError.
  explicit Maps(std::uint32_t longer_max);
  ~Maps();
  Maps(const Maps&) = delete;
  Maps& operator=(const Maps&) = delete;

  // An entry of `longer`. state: steer_state, not 0.
  struct Entry {
    Net net;
    std::uint8_t state;
  };
  // Both end early at the first failure, and return its errno.
  std::expected<void, int> put(std::span<const Entry> entries);
  std::expected<void, int> remove(std::span<const Net> nets);

  // A nibble of `blocks`. block: the first 24 bits of its addresses.
  [[nodiscard]] std::uint8_t state_of(std::uint32_t family, std::uint32_t block) const noexcept;
  void set_state(std::uint32_t family, std::uint32_t block, std::uint8_t state) noexcept;

  // Programs look in `longer` only for lengths that are in use and for what passes the filter.
  void announce(const Net& net) noexcept;    // they look for it from now on
  void count(const Net& net) noexcept;       // it is in `longer`, announced before
  void uncount(const Net& net) noexcept;     // it was counted, and is in `longer` no more
  void unannounce(const Net& net) noexcept;  // it was announced, and never counted

  [[nodiscard]] Descriptors descriptors() const noexcept { return descriptors_; }

 private:
  void release() noexcept;

  Descriptors descriptors_{-1, -1, -1, -1};
  // Mapped memory of the kernel's arrays.
  std::uint64_t* blocks_ = nullptr;
  steer_lengths* lengths_ = nullptr;
  std::uint64_t* filter_ = nullptr;
  // How many entries of `longer` have a length, and a bit of the filter.
  std::array<std::array<std::uint32_t, 129>, 2> by_length_{};
  std::vector<std::uint32_t> by_bit_;
};

}  // namespace dataplane::xdp

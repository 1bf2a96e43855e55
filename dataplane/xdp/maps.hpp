// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <span>

#include "dataplane/xdp/prefix_map.hpp"
#include "lpm/prefix.hpp"

struct steer_lengths;

// The kernel's side of a PrefixMap: three maps that programs share (layout.h), and nothing of what
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

  // Whether the programs look for prefixes of this length (24 to 128, or 32 of IPv4).
  void set_length(std::uint32_t family, unsigned length, bool is_used) noexcept;

  [[nodiscard]] Descriptors descriptors() const noexcept { return descriptors_; }

 private:
  Descriptors descriptors_{-1, -1, -1};
  // Mapped memory of the kernel's arrays.
  std::uint64_t* blocks_ = nullptr;
  steer_lengths* lengths_ = nullptr;
};

}  // namespace dataplane::xdp

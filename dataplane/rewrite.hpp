// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/parse.hpp"

// What an output may ask for (semantics, section 5): a new link-layer header, as a router writes
// one. Pure functions on bytes, thread safe.
namespace dataplane {

using MacAddress = std::array<std::uint8_t, 6>;

struct Rewrite {
  MacAddress destination{};  // of the next hop
  MacAddress source{};
  std::uint16_t vlan = 0;     // identifier of the tag to write; 0: none
  bool decrement_ttl = true;  // false: for a service on the same link
  std::uint32_t mtu = 1500;   // largest IP packet in bytes that may leave
};

enum class Forwarding : std::uint8_t { possible, ttl_expired, too_big };

// Whether a packet may be forwarded; nothing is written. `parsed`: of this frame, network ipv4 or
// ipv6, with the header at hand.
[[nodiscard]] Forwarding judge(const Rewrite& rewrite, const Frame& frame,
                               const Parsed& parsed) noexcept;

// Bytes of the header that `write` puts in front of the IP header.
[[nodiscard]] constexpr std::uint32_t link_bytes(const Rewrite& rewrite) noexcept {
  return rewrite.vlan == 0 ? kEthernetBytes : kEthernetBytes + 4;
}

// Writes the link-layer header, all tags of the old one gone, into the link_bytes() before `ip`,
// and takes one from the TTL or hop limit. `ip`: the header of a packet that judge() found
// possible.
void write(const Rewrite& rewrite, Network network, std::uint8_t* ip) noexcept;

}  // namespace dataplane

// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/rewrite.hpp"

#include <algorithm>

namespace dataplane {
namespace {

constexpr std::uint32_t kIpv4Ttl = 8;
constexpr std::uint32_t kIpv4Checksum = 10;
constexpr std::uint32_t kIpv6HopLimit = 7;

std::uint8_t* put16(std::uint8_t* to, std::uint32_t value) noexcept {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
  return to + 2;
}

// RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). The TTL is the high byte of its word, so that
// m' - m is -0x0100, which in ones' complement is 0xfeff.
void decrement_ttl(std::uint8_t* ip) noexcept {
  ip[kIpv4Ttl] = static_cast<std::uint8_t>(ip[kIpv4Ttl] - 1);
  std::uint32_t sum = (~detail::read16(ip + kIpv4Checksum) & 0xffffU) + 0xfeffU;
  sum = (sum & 0xffff) + (sum >> 16);
  put16(ip + kIpv4Checksum, ~sum & 0xffffU);
}

}  // namespace

Forwarding judge(const Rewrite& rewrite, const Frame& frame, const Parsed& parsed) noexcept {
  const std::uint8_t* const ip = frame.bytes + parsed.ip_offset;
  const std::uint8_t hops = ip[parsed.network == Network::ipv4 ? kIpv4Ttl : kIpv6HopLimit];
  // RFC 1812 section 5.3.1, RFC 8200 section 3: discarded where it would become zero.
  if (rewrite.decrement_ttl && hops <= 1) return Forwarding::ttl_expired;
  return parsed.ip_length > rewrite.mtu ? Forwarding::too_big : Forwarding::possible;
}

void write(const Rewrite& rewrite, Network network, std::uint8_t* ip) noexcept {
  std::uint8_t* to = ip - link_bytes(rewrite);
  to = std::ranges::copy(rewrite.destination, to).out;
  to = std::ranges::copy(rewrite.source, to).out;
  if (rewrite.vlan != 0) to = put16(put16(to, 0x8100), rewrite.vlan);
  put16(to, network == Network::ipv4 ? 0x0800 : 0x86dd);
  if (!rewrite.decrement_ttl) return;
  if (network == Network::ipv4)
    decrement_ttl(ip);
  else
    ip[kIpv6HopLimit] = static_cast<std::uint8_t>(ip[kIpv6HopLimit] - 1);
}

}  // namespace dataplane

// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/too_big.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace dataplane {
namespace {

constexpr std::uint32_t kIcmpBytes = 8;
constexpr std::uint8_t kHops = 64;
constexpr std::uint32_t kAnswer4BytesMax = 576;   // RFC 1812 section 4.3.2.3
constexpr std::uint32_t kAnswer6BytesMax = 1280;  // RFC 4443 section 3.2

void put16(std::uint8_t* to, std::uint32_t value) noexcept {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
}

void put32(std::uint8_t* to, std::uint32_t value) noexcept {
  put16(to, value >> 16);
  put16(to + 2, value & 0xffff);
}

// RFC 1071.
std::uint32_t sum_of(std::span<const std::uint8_t> bytes, std::uint32_t sum = 0) noexcept {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += detail::read16(&bytes[i]);
  if (bytes.size() % 2 != 0) sum += std::uint32_t{bytes.back()} << 8;
  return sum;
}

std::uint32_t checksum_of(std::uint32_t sum) noexcept {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

bool is_one_host(const std::uint8_t* source4) noexcept {
  return source4[0] != 0 && source4[0] != 127 && source4[0] < 224;
}

bool is_one_host6(const std::uint8_t* source6) noexcept {
  static constexpr std::array<std::uint8_t, 16> kUnspecified{};
  static constexpr std::array<std::uint8_t, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0,
                                                          0, 0, 0, 0, 0, 0, 0, 1};
  return source6[0] != 0xff && std::memcmp(source6, kUnspecified.data(), 16) != 0 &&
         std::memcmp(source6, kLoopback.data(), 16) != 0;
}

// The offset field of IPv4; of IPv6 parse_transport() tells, for any fragment.
bool is_answerable(const Frame& frame, const Parsed& parsed) noexcept {
  constexpr std::uint32_t kOffsetMask = 0x1fff;
  const std::uint8_t* const ip = frame.bytes + parsed.ip_offset;
  if ((frame.bytes[0] & 1) != 0 || (frame.bytes[6] & 1) != 0) return false;
  const Transport transport = parse_transport(frame, parsed);
  if (transport.is_icmp_error) return false;
  if (parsed.network == Network::ipv4)
    return is_one_host(ip + 12) && ip[16] < 224 && (detail::read16(ip + 6) & kOffsetMask) == 0;
  return is_one_host6(ip + 8) && ip[kIpv6Destination] != 0xff &&
         transport.kind != Transport::Kind::fragment;
}

std::size_t write4(std::span<const std::uint8_t> quote, const TooBig& answer,
                   std::uint8_t* ip) noexcept {
  const std::uint8_t* const quoted = quote.data();
  std::uint8_t* const icmp = ip + kIpv4BytesMin;
  const auto size = static_cast<std::uint32_t>(kIpv4BytesMin + kIcmpBytes + quote.size());
  std::memset(ip, 0, kIpv4BytesMin + kIcmpBytes);
  ip[0] = 0x45;
  ip[1] = 0xc0;  // internetwork control, RFC 1812 section 4.3.2.5
  put16(ip + 2, size);
  ip[8] = kHops;
  ip[9] = 1;
  std::ranges::copy(answer.from.v4->to_wire(), ip + 12);
  std::memcpy(ip + kIpv4Destination, quoted + 12, 4);
  put16(ip + 10, checksum_of(sum_of({ip, kIpv4BytesMin})));
  icmp[0] = 3;
  icmp[1] = 4;
  put16(icmp + 6, std::min(answer.mtu, 0xffffU));
  std::memcpy(icmp + kIcmpBytes, quoted, quote.size());
  put16(icmp + 2, checksum_of(sum_of({icmp, kIcmpBytes + quote.size()})));
  return size;
}

std::size_t write6(std::span<const std::uint8_t> quote, const TooBig& answer,
                   std::uint8_t* ip) noexcept {
  const std::uint8_t* const quoted = quote.data();
  std::uint8_t* const icmp = ip + kIpv6Bytes;
  const auto payload = static_cast<std::uint32_t>(kIcmpBytes + quote.size());
  std::memset(ip, 0, kIpv6Bytes + kIcmpBytes);
  ip[0] = 0x60;
  put16(ip + 4, payload);
  ip[6] = 58;
  ip[7] = kHops;
  std::ranges::copy(answer.from.v6->to_wire(), ip + 8);
  std::memcpy(ip + kIpv6Destination, quoted + 8, 16);
  icmp[0] = 2;
  put32(icmp + 4, answer.mtu);
  std::memcpy(icmp + kIcmpBytes, quoted, quote.size());
  // RFC 4443 section 2.3: over a pseudo-header of both addresses, length and protocol too.
  const std::uint32_t pseudo = sum_of({ip + 8, 32}, payload + 58);
  put16(icmp + 2, checksum_of(sum_of({icmp, payload}, pseudo)));
  return kIpv6Bytes + payload;
}

}  // namespace

std::size_t answer_too_big(const Frame& frame, const Parsed& parsed, const TooBig& answer,
                           std::span<std::uint8_t> to) noexcept {
  const bool is_ipv4 = parsed.network == Network::ipv4;
  if (is_ipv4 ? !answer.from.v4.has_value() : !answer.from.v6.has_value()) return 0;
  if (!is_answerable(frame, parsed)) return 0;
  const std::uint32_t overhead = kIcmpBytes + (is_ipv4 ? kIpv4BytesMin : kIpv6Bytes);
  const std::uint32_t size_max = is_ipv4 ? kAnswer4BytesMax : kAnswer6BytesMax;
  const std::uint32_t quoted = std::min(
      {size_max - overhead, parsed.ip_length, frame.captured - std::uint32_t{parsed.ip_offset}});
  std::memcpy(to.data(), frame.bytes, parsed.ip_offset);  // EtherTypes and tags
  std::memcpy(to.data(), frame.bytes + 6, 6);
  std::memcpy(to.data() + 6, frame.bytes, 6);
  const std::span quote(frame.bytes + parsed.ip_offset, quoted);
  std::uint8_t* const ip = to.data() + parsed.ip_offset;
  return parsed.ip_offset + (is_ipv4 ? write4(quote, answer, ip) : write6(quote, answer, ip));
}

}  // namespace dataplane

// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/parse.hpp"

#include <algorithm>
#include <cstring>

namespace dataplane {
namespace {

using detail::read16;

std::uint32_t read32(const std::uint8_t* bytes) noexcept {
  return read16(bytes) << 16 | read16(bytes + 2);
}

// Bytes of a frame that are both there and real: a record may claim to hold more than the wire had.
std::uint32_t available(const Frame& frame) noexcept {
  return std::min(frame.captured, frame.wire_length);
}

Parsed refuse(Verdict error, std::uint32_t ip_offset, std::uint16_t vlan) noexcept {
  return {.network = Network::none,
          .error = error,
          .ip_offset = static_cast<std::uint16_t>(ip_offset),
          .vlan = vlan};
}

constexpr std::uint32_t kEtherTypeIpv4 = 0x0800;
constexpr std::uint32_t kEtherTypeIpv6 = 0x86dd;
constexpr std::uint32_t kTagBytes = 4;
constexpr unsigned kTagsMax = 2;

bool is_tag(std::uint32_t ether_type) noexcept {
  return ether_type == 0x8100 || ether_type == 0x88a8;  // IEEE 802.1Q C-TAG and S-TAG
}

Parsed parse_ipv4(const Frame& frame, std::uint32_t offset, std::uint16_t vlan) noexcept {
  if (available(frame) < offset + kIpv4BytesMin)
    return refuse(Verdict::drop_malformed_ip_truncated, offset, vlan);
  const std::uint8_t* const ip = frame.bytes + offset;
  const std::uint32_t room = frame.wire_length - offset;
  if (ip[0] >> 4 != 4) return refuse(Verdict::drop_malformed_ip_version, offset, vlan);
  const std::uint32_t header = (ip[0] & 0xfU) * 4;
  if (header < kIpv4BytesMin || header > room)
    return refuse(Verdict::drop_malformed_ip_header_length, offset, vlan);
  const std::uint32_t length = read16(ip + 2);
  if (length < kIpv4BytesMin || length > room)
    return refuse(Verdict::drop_malformed_ip_length, offset, vlan);
  if (header > length) return refuse(Verdict::drop_malformed_ip_header_length, offset, vlan);
  if (available(frame) < offset + header)
    return refuse(Verdict::drop_malformed_ip_truncated, offset, vlan);
  return {.network = Network::ipv4,
          .ip_offset = static_cast<std::uint16_t>(offset),
          .vlan = vlan,
          .ip_length = length};
}

// The length that a hop-by-hop options header at `header` gives in a jumbo payload option (RFC 2675
// section 2), if the header is at hand and has one. size: bytes readable from `header`.
std::optional<std::uint32_t> jumbo_payload_length(const std::uint8_t* header,
                                                  std::uint32_t size) noexcept {
  constexpr std::uint8_t kPad1 = 0;
  constexpr std::uint8_t kJumboPayload = 0xc2;
  if (size < 8) return std::nullopt;
  const std::uint32_t end = std::min(size, (header[1] + 1U) * 8);
  for (std::uint32_t at = 2; at < end;) {
    if (header[at] == kPad1) {
      ++at;
      continue;
    }
    if (at + 2 > end) return std::nullopt;
    const std::uint32_t option_end = at + 2 + header[at + 1];
    if (option_end > end) return std::nullopt;
    if (header[at] == kJumboPayload && header[at + 1] == 4) return read32(header + at + 2);
    at = option_end;
  }
  return std::nullopt;
}

Parsed parse_ipv6(const Frame& frame, std::uint32_t offset, std::uint16_t vlan) noexcept {
  if (available(frame) < offset + kIpv6Bytes)
    return refuse(Verdict::drop_malformed_ip_truncated, offset, vlan);
  const std::uint8_t* const ip = frame.bytes + offset;
  const std::uint32_t room = frame.wire_length - offset;
  if (ip[0] >> 4 != 6) return refuse(Verdict::drop_malformed_ip_version, offset, vlan);
  std::uint32_t payload = read16(ip + 4);
  const bool starts_with_hop_by_hop = ip[6] == 0;
  if (payload == 0 && starts_with_hop_by_hop) {
    const std::uint32_t behind = available(frame) - offset - kIpv6Bytes;
    payload = jumbo_payload_length(ip + kIpv6Bytes, behind).value_or(0);
  }
  if (payload > room - kIpv6Bytes) return refuse(Verdict::drop_malformed_ip_length, offset, vlan);
  return {.network = Network::ipv6,
          .ip_offset = static_cast<std::uint16_t>(offset),
          .vlan = vlan,
          .ip_length = kIpv6Bytes + payload};
}

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmp6 = 58;

// The bytes of an IP packet, or of as much of one as is at hand, from its first header on.
struct Packet {
  const std::uint8_t* bytes;
  std::uint32_t size;
};

// Where the walk over the headers of an IP packet ended.
struct Upper {
  Transport::Kind kind = Transport::Kind::unknown;
  bool is_later_fragment = false;
  std::uint8_t protocol = 0;
  std::uint32_t offset = 0;  // of the upper-layer header, from the IP header
};

// packet.size: at least the IPv4 header with its options.
Upper walk_ipv4(Packet packet) noexcept {
  constexpr std::uint32_t kMoreFragments = 0x2000;
  constexpr std::uint32_t kOffsetMask = 0x1fff;
  const std::uint32_t fragment = read16(packet.bytes + 6);
  const bool is_fragment = (fragment & (kMoreFragments | kOffsetMask)) != 0;
  return {.kind = is_fragment ? Transport::Kind::fragment : Transport::Kind::whole,
          .is_later_fragment = (fragment & kOffsetMask) != 0,
          .protocol = packet.bytes[9],
          .offset = (packet.bytes[0] & 0xfU) * 4};
}

bool is_extension(std::uint8_t next_header) noexcept {
  switch (next_header) {
    case 0:   // hop-by-hop options
    case 43:  // routing
    case 44:  // fragment
    case 51:  // authentication (RFC 4302)
    case 60:  // destination options
      return true;
    default:
      return false;
  }
}

// packet.size: at least the IPv6 header. Stops at a real fragment: all fragments of a datagram must
// be judged alike, and later ones show nothing but the Next Header of the Fragment header.
Upper walk_ipv6(Packet packet) noexcept {
  std::uint8_t next = packet.bytes[6];
  std::uint32_t offset = kIpv6Bytes;
  for (unsigned visited = 0; is_extension(next); ++visited) {
    constexpr std::uint32_t kExtensionBytesMin = 8;
    if (visited == kExtensionHeadersMax || offset + kExtensionBytesMin > packet.size) return {};
    const std::uint8_t* const header = packet.bytes + offset;
    std::uint32_t length = (header[1] + 1U) * 8;
    if (next == 51) length = (header[1] + 2U) * 4;
    if (next == 44) {
      length = 8;
      constexpr std::uint32_t kOffsetMask = 0xfff8;
      const std::uint32_t fragment = read16(header + 2);
      if ((fragment & (kOffsetMask | 1)) != 0)
        return {.kind = Transport::Kind::fragment,
                .is_later_fragment = (fragment & kOffsetMask) != 0,
                .protocol = header[0],
                .offset = offset + length};
    }
    if (length > packet.size - offset) return {};
    next = header[0];
    offset += length;
  }
  return {.kind = Transport::Kind::whole, .protocol = next, .offset = offset};
}

bool is_icmp_error(Network network, std::uint8_t type) noexcept {
  if (network == Network::ipv6) return type >= 1 && type <= 4;             // RFC 4443 section 2.1
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;  // RFC 792
}

// quote: what an ICMP error carries behind its 8 bytes of header. destination: of the error itself.
std::optional<Transport::Quoted> read_quote(Network network, Packet quote,
                                            const std::uint8_t* destination) noexcept {
  Upper upper;
  if (network == Network::ipv4) {
    if (quote.size < kIpv4BytesMin || quote.bytes[0] >> 4 != 4) return std::nullopt;
    const std::uint32_t header = (quote.bytes[0] & 0xfU) * 4;
    if (header < kIpv4BytesMin || header > quote.size) return std::nullopt;
    if (std::memcmp(quote.bytes + 12, destination, 4) != 0) return std::nullopt;
    upper = walk_ipv4(quote);
  } else {
    if (quote.size < kIpv6Bytes || quote.bytes[0] >> 4 != 6) return std::nullopt;
    if (std::memcmp(quote.bytes + 8, destination, 16) != 0) return std::nullopt;
    upper = walk_ipv6(quote);
    if (upper.kind == Transport::Kind::unknown) return std::nullopt;
  }
  Transport::Quoted quoted{.protocol = upper.protocol, .source_port = std::nullopt};
  const bool has_ports = upper.protocol == kTcp || upper.protocol == kUdp;
  if (has_ports && !upper.is_later_fragment) {
    if (upper.offset + 2 > quote.size) return std::nullopt;
    quoted.source_port = static_cast<std::uint16_t>(read16(quote.bytes + upper.offset));
  }
  return quoted;
}

void read_icmp(Network network, Packet packet, std::uint32_t offset,
               Transport& transport) noexcept {
  constexpr std::uint32_t kIcmpBytes = 8;
  if (offset + 1 > packet.size) return;
  const std::uint8_t type = packet.bytes[offset];
  transport.icmp_type = type;
  transport.is_icmp_error = is_icmp_error(network, type);
  if (!transport.is_icmp_error || offset + kIcmpBytes > packet.size) return;
  const std::uint32_t quote_offset = offset + kIcmpBytes;
  const std::uint32_t destination_offset =
      network == Network::ipv4 ? kIpv4Destination : kIpv6Destination;
  transport.quoted = read_quote(network, {packet.bytes + quote_offset, packet.size - quote_offset},
                                packet.bytes + destination_offset);
}

}  // namespace

Parsed detail::parse_any(const Frame& frame) noexcept {
  std::uint32_t offset = kEthernetBytes;
  std::uint16_t vlan = 0;
  if (available(frame) < offset) return refuse(Verdict::drop_malformed_ethernet, 0, vlan);
  std::uint32_t ether_type = read16(frame.bytes + 12);
  for (unsigned tags = 0; tags < kTagsMax && is_tag(ether_type); ++tags) {
    if (available(frame) < offset + kTagBytes)
      return refuse(Verdict::drop_malformed_ethernet, 0, vlan);
    if (tags == 0) vlan = static_cast<std::uint16_t>(read16(frame.bytes + offset) & 0xfff);
    ether_type = read16(frame.bytes + offset + 2);
    offset += kTagBytes;
  }
  if (ether_type == kEtherTypeIpv4) return parse_ipv4(frame, offset, vlan);
  if (ether_type == kEtherTypeIpv6) return parse_ipv6(frame, offset, vlan);
  return refuse(Verdict::drop_not_ip, offset, vlan);
}

Transport parse_transport(const Frame& frame, const Parsed& parsed) noexcept {
  const Packet packet{frame.bytes + parsed.ip_offset,
                      std::min(available(frame) - parsed.ip_offset, parsed.ip_length)};
  const Upper upper = parsed.network == Network::ipv4 ? walk_ipv4(packet) : walk_ipv6(packet);
  Transport transport;
  transport.kind = upper.kind;
  transport.protocol = upper.protocol;
  if (upper.kind != Transport::Kind::whole) return transport;
  if (upper.protocol == kTcp || upper.protocol == kUdp) {
    if (upper.offset + 4 <= packet.size)
      transport.destination_port =
          static_cast<std::uint16_t>(read16(packet.bytes + upper.offset + 2));
  } else if (upper.protocol == (parsed.network == Network::ipv4 ? kIcmp : kIcmp6)) {
    read_icmp(parsed.network, packet, upper.offset, transport);
  }
  return transport;
}

bool ip_checksum_is_right(const Frame& frame, const Parsed& parsed) noexcept {
  const std::uint8_t* const ip = frame.bytes + parsed.ip_offset;
  const std::uint32_t header = (ip[0] & 0xfU) * 4;
  std::uint32_t sum = 0;
  for (std::uint32_t at = 0; at < header; at += 2) sum += read16(ip + at);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}

}  // namespace dataplane

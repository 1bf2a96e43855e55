// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/frame.hpp"
#include "dataplane/verdict.hpp"

// Bounded parsing of untrusted frames: nothing is read beyond Frame::captured, and nothing is
// believed that contradicts Frame::wire_length. Pure functions, thread safe.
namespace dataplane {

enum class Network : std::uint8_t { none, ipv4, ipv6 };

// A frame's link layer and IP header.
struct Parsed {
  Network network = Network::none;
  // Why network is none: drop_malformed_* or drop_not_ip.
  Verdict error = Verdict::drop_not_ip;
  std::uint16_t ip_offset = 0;  // of the IP header, in bytes from the start of the frame
  std::uint16_t vlan = 0;       // identifier of the outer tag; 0: untagged or priority-tagged
  std::uint32_t ip_length = 0;  // of the IP packet in bytes: padding behind it is not counted
};

// Offsets into the headers (RFC 791 section 3.1, RFC 8200 section 3).
inline constexpr std::uint32_t kEthernetBytes = 14;
inline constexpr std::uint32_t kIpv4BytesMin = 20;
inline constexpr std::uint32_t kIpv6Bytes = 40;
inline constexpr std::uint32_t kIpv4Destination = 16;
inline constexpr std::uint32_t kIpv6Destination = 24;

namespace detail {
[[nodiscard]] Parsed parse_any(const Frame& frame) noexcept;

[[nodiscard]] inline std::uint32_t read16(const std::uint8_t* bytes) noexcept {
  return static_cast<std::uint32_t>(bytes[0]) << 8 | bytes[1];
}
}  // namespace detail

// Ethernet, up to two tags (0x8100, 0x88a8), the IP header and its lengths (rows 1 and 2 of the
// semantics). The two headers that nearly all traffic has are judged here, in line; everything
// else, and everything odd, by parse_any, which alone would give the same result.
[[nodiscard]] inline Parsed parse(const Frame& frame) noexcept {
  const std::uint8_t* const bytes = frame.bytes;
  if (frame.captured >= kEthernetBytes + kIpv6Bytes && frame.wire_length >= frame.captured) {
    const std::uint32_t ether_type = detail::read16(bytes + 12);
    const std::uint32_t room = frame.wire_length - kEthernetBytes;
    if (ether_type == 0x0800 && bytes[14] == 0x45) {
      const std::uint32_t length = detail::read16(bytes + 16);
      if (length >= kIpv4BytesMin && length <= room) [[likely]]
        return {.network = Network::ipv4, .ip_offset = kEthernetBytes, .ip_length = length};
    } else if (ether_type == 0x86dd && (bytes[14] & 0xf0) == 0x60) {
      const std::uint32_t payload = detail::read16(bytes + 18);
      if (payload != 0 && kIpv6Bytes + payload <= room) [[likely]]
        return {.network = Network::ipv6,
                .ip_offset = kEthernetBytes,
                .ip_length = kIpv6Bytes + payload};
    }
  }
  return detail::parse_any(frame);
}

// What `accept` and neighbour discovery ask of an IP packet.
struct Transport {
  enum class Kind : std::uint8_t {
    unknown,   // a chain of extension headers that is too long or truncated
    whole,     // an unfragmented datagram; atomic fragments (RFC 6946) are whole
    fragment,  // the first or a later one
  };
  // The flow that an ICMP error belongs to, told from the packet that it quotes.
  struct Quoted {
    std::uint8_t protocol = 0;
    // TCP or UDP source port; none for other protocols and in a quoted later fragment.
    std::optional<std::uint16_t> source_port;
  };

  Kind kind = Kind::unknown;
  // The protocol behind the extension headers; of a fragment, the one all fragments of the datagram
  // carry (IPv6: Next Header of the Fragment header).
  std::uint8_t protocol = 0;
  // Of a whole TCP or UDP datagram, if it is at hand.
  std::optional<std::uint16_t> destination_port;
  // Of a whole ICMP (IPv4) or ICMPv6 (IPv6) message, if it is at hand.
  std::optional<std::uint8_t> icmp_type;
  bool is_icmp_error = false;
  // Only of an ICMP error: none where the quoted packet did not come from the error's own
  // destination, or the quote ends before protocol and source port are known.
  std::optional<Quoted> quoted;
};

inline constexpr unsigned kExtensionHeadersMax = 8;

// The layers behind the IP header. parsed: of this frame, network ipv4 or ipv6. Cost: at most
// 2 x kExtensionHeadersMax headers are visited.
[[nodiscard]] Transport parse_transport(const Frame& frame, const Parsed& parsed) noexcept;

// RFC 1071 over the header. parsed: of this frame, network ipv4.
[[nodiscard]] bool ip_checksum_is_right(const Frame& frame, const Parsed& parsed) noexcept;

}  // namespace dataplane

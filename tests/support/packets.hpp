// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "dataplane/frame.hpp"
#include "lpm/address.hpp"

// Frames for tests, layer by layer from the inside out:
//   ethernet(0x0800, ipv4({.destination = v4("203.0.113.1")}, udp({.destination = 53})))
namespace support {

using Bytes = std::vector<std::uint8_t>;

inline void append16(Bytes& bytes, std::uint32_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value));
}

inline void append(Bytes& bytes, const auto& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) append(all, part);
  return all;
}

// Text that is known to be right.
inline lpm::Address4 v4(std::string_view text) {
  return lpm::parse_address4(text).value();
}
inline lpm::Address6 v6(std::string_view text) {
  return lpm::parse_address6(text).value();
}

inline Bytes ethernet(std::uint32_t ether_type, const Bytes& payload) {
  Bytes frame{0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2};
  append16(frame, ether_type);
  append(frame, payload);
  return frame;
}

// A VLAN tag behind its own EtherType: ethernet(0x8100, tag(7, 0x0800, ...)).
inline Bytes tag(std::uint32_t control, std::uint32_t ether_type, const Bytes& payload) {
  Bytes bytes;
  append16(bytes, control);
  append16(bytes, ether_type);
  append(bytes, payload);
  return bytes;
}

struct Ports {
  std::uint16_t source = 40000;
  std::uint16_t destination = 53;
};

inline Bytes udp(const Ports& ports, const Bytes& payload = {}) {
  Bytes bytes;
  append16(bytes, ports.source);
  append16(bytes, ports.destination);
  append16(bytes, static_cast<std::uint32_t>(8 + payload.size()));
  append16(bytes, 0);
  append(bytes, payload);
  return bytes;
}

inline Bytes tcp(const Ports& ports) {
  Bytes bytes;
  append16(bytes, ports.source);
  append16(bytes, ports.destination);
  append(bytes, Bytes{0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0});
  return bytes;
}

// ICMP or ICMPv6 with its 8 bytes of header.
inline Bytes icmp(std::uint8_t type, const Bytes& quote = {}) {
  Bytes bytes{type, 0, 0, 0, 0, 0, 0, 0};
  append(bytes, quote);
  return bytes;
}

struct Ipv4 {
  lpm::Address4 source = v4("198.18.0.1");
  lpm::Address4 destination = v4("203.0.113.1");
  std::uint8_t protocol = 17;
  std::uint16_t fragment = 0;  // flags and offset, as on the wire
  std::uint8_t version_and_ihl = 0x45;
  std::optional<std::uint16_t> length = std::nullopt;  // total length, if it is to be another
  Bytes options = {};
  bool right_checksum = true;
};

inline Bytes ipv4(const Ipv4& header, const Bytes& payload) {
  Bytes bytes{header.version_and_ihl, 0};
  append16(bytes, header.length.value_or(
                      static_cast<std::uint16_t>(20 + header.options.size() + payload.size())));
  append16(bytes, 0x1234);
  append16(bytes, header.fragment);
  append(bytes, Bytes{64, header.protocol, 0, 0});
  append(bytes, header.source.to_wire());
  append(bytes, header.destination.to_wire());
  append(bytes, header.options);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  const std::uint32_t checksum = (header.right_checksum ? ~sum : ~sum ^ 1) & 0xffff;
  bytes[10] = static_cast<std::uint8_t>(checksum >> 8);
  bytes[11] = static_cast<std::uint8_t>(checksum);
  append(bytes, payload);
  return bytes;
}

struct Ipv6 {
  lpm::Address6 source = v6("2001:db8:ffff::1");
  lpm::Address6 destination = v6("2001:db8::1");
  std::uint8_t next_header = 17;
  std::uint8_t hop_limit = 64;
  std::uint8_t version_byte = 0x60;
  std::optional<std::uint16_t> length = std::nullopt;  // payload length, if it is to be another
};

inline Bytes ipv6(const Ipv6& header, const Bytes& payload) {
  Bytes bytes{header.version_byte, 0, 0, 0};
  append16(bytes, header.length.value_or(static_cast<std::uint16_t>(payload.size())));
  append(bytes, Bytes{header.next_header, header.hop_limit});
  append(bytes, header.source.to_wire());
  append(bytes, header.destination.to_wire());
  append(bytes, payload);
  return bytes;
}

// Hop-by-hop options, destination options or routing: `units` times 8 bytes of padding more than 8.
inline Bytes extension(std::uint8_t next_header, std::uint8_t units, const Bytes& payload) {
  Bytes bytes{next_header, units, 1, static_cast<std::uint8_t>(4 + 8 * units)};
  bytes.resize(8 + std::size_t{8} * units);
  append(bytes, payload);
  return bytes;
}

struct Fragment {
  std::uint16_t offset = 0;  // in units of 8 bytes
  bool more = false;
};

inline Bytes fragment_header(std::uint8_t next_header, const Fragment& fragment,
                             const Bytes& payload) {
  Bytes bytes{next_header, 0};
  append16(bytes, static_cast<std::uint32_t>(fragment.offset << 3 | (fragment.more ? 1 : 0)));
  append(bytes, Bytes{0, 0, 0, 1});
  append(bytes, payload);
  return bytes;
}

// A hop-by-hop header with the jumbo payload option of RFC 2675.
inline Bytes jumbo_option(std::uint8_t next_header, std::uint32_t payload_length,
                          const Bytes& payload) {
  Bytes bytes{next_header, 0, 0xc2, 4};
  append16(bytes, payload_length >> 16);
  append16(bytes, payload_length & 0xffff);
  append(bytes, payload);
  return bytes;
}

inline dataplane::Frame whole(const Bytes& bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  return {.bytes = bytes.data(), .captured = size, .wire_length = size};
}

// As a capture with a snap length keeps it.
inline dataplane::Frame cut(const Bytes& bytes, std::uint32_t captured, std::uint32_t wire_length) {
  return {.bytes = bytes.data(), .captured = captured, .wire_length = wire_length};
}

}  // namespace support

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lpm/address.hpp"

// The smallest frames that say what a Query says.
namespace frame_builder {

using Bytes = std::vector<std::uint8_t>;

enum class Cut : std::uint8_t { whole, first_fragment, later_fragment, atomic_fragment };

struct Datagram {
  std::uint8_t protocol = 0;
  Cut cut = Cut::whole;
  bool has_options = false;  // IPv6: a destination options header
  Bytes payload;
};

inline void put16(Bytes& bytes, unsigned number) {
  bytes.push_back(static_cast<std::uint8_t>(number >> 8));
  bytes.push_back(static_cast<std::uint8_t>(number));
}
inline void put(Bytes& bytes, std::span<const std::uint8_t> more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

// RFC 791. An atomic fragment is one of IPv6 alone, here as whole.
inline Bytes packet(const Datagram& datagram, lpm::Address4 from, lpm::Address4 to) {
  Bytes bytes{0x45, 0};
  put16(bytes, static_cast<unsigned>(20 + datagram.payload.size()));
  put16(bytes, 0x1234);
  put16(bytes, datagram.cut == Cut::first_fragment   ? 0x2000
               : datagram.cut == Cut::later_fragment ? 0x0010
                                                     : 0);
  put(bytes, std::array<std::uint8_t, 4>{64, datagram.protocol, 0, 0});
  put(bytes, from.to_wire());
  put(bytes, to.to_wire());
  put(bytes, datagram.payload);
  return bytes;
}

// RFC 8200.
inline Bytes packet(const Datagram& datagram, lpm::Address6 from, lpm::Address6 to) {
  constexpr std::uint8_t kOptions = 60;
  constexpr std::uint8_t kFragment = 44;
  const bool is_cut = datagram.cut != Cut::whole;
  const std::uint8_t behind_options = is_cut ? kFragment : datagram.protocol;
  Bytes upper;
  if (datagram.has_options)
    put(upper, std::array<std::uint8_t, 8>{behind_options, 0, 1, 4, 0, 0, 0, 0});
  if (is_cut) {
    put(upper, std::array<std::uint8_t, 2>{datagram.protocol, 0});
    put16(upper, datagram.cut == Cut::first_fragment   ? 1
                 : datagram.cut == Cut::later_fragment ? 16
                                                       : 0);
    put(upper, std::array<std::uint8_t, 4>{0, 0, 0, 1});
  }
  put(upper, datagram.payload);

  Bytes bytes{0x60, 0, 0, 0};
  put16(bytes, static_cast<unsigned>(upper.size()));
  put(bytes, std::array<std::uint8_t, 2>{datagram.has_options ? kOptions : behind_options, 64});
  put(bytes, from.to_wire());
  put(bytes, to.to_wire());
  put(bytes, upper);
  return bytes;
}

// The start of TCP or UDP, which is the same for both.
inline Bytes ports(unsigned source, unsigned destination) {
  Bytes bytes;
  put16(bytes, source);
  put16(bytes, destination);
  put(bytes, std::array<std::uint8_t, 16>{});
  return bytes;
}

inline Bytes icmp(std::uint8_t type, const Bytes& quote) {
  Bytes bytes{type, 0, 0, 0, 0, 0, 0, 0};
  put(bytes, quote);
  return bytes;
}

inline Bytes ethernet(bool is_ipv4, const Bytes& packet) {
  Bytes bytes(12);
  put16(bytes, is_ipv4 ? 0x0800 : 0x86dd);
  put(bytes, packet);
  return bytes;
}

}  // namespace frame_builder

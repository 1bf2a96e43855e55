// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/frame.hpp"
#include "dataplane/parse.hpp"
#include "lpm/address.hpp"

namespace dataplane {

// The addresses that a host answers from; none: it does not answer that family.
struct OwnAddresses {
  std::optional<lpm::Address4> v4;
  std::optional<lpm::Address6> v6;
};

// Most bytes that an answer has: the shortest MTU of IPv6, a link-layer header and two tags.
inline constexpr std::size_t kAnswerBytesMax = 1280 + kEthernetBytes + 8;

struct TooBig {
  OwnAddresses from;
  std::uint32_t mtu = 0;  // that the packet exceeds
};

// Writes what tells the sender of a packet how large it may be: ICMP "fragmentation needed" (RFC
// 1191) or ICMPv6 "packet too big" (RFC 4443), in the frame's VLAN, back to the station that it
// came from. Also for an IPv4 packet that may be fragmented: nobody fragments here. Returns its
// size; 0 where there must be no answer (RFC 1122 section 3.2.2, RFC 4443 section 2.4): to an
// error, a later fragment, a frame or packet for many, a source that is no single host. parsed: of
// this frame, network ipv4 or ipv6. Pure; at most kAnswerBytesMax bytes are written to `to`, which
// has as many.
[[nodiscard]] std::size_t answer_too_big(const Frame& frame, const Parsed& parsed,
                                         const TooBig& answer, std::span<std::uint8_t> to) noexcept;

}  // namespace dataplane

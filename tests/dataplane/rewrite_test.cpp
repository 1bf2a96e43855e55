// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/rewrite.hpp"

#include <gtest/gtest.h>

#include "tests/support/packets.hpp"

namespace {

using dataplane::Forwarding;
using dataplane::Rewrite;
using support::Bytes;

Rewrite to_next_hop() {
  return {.destination = {2, 0, 0, 0, 0, 0xd}, .source = {2, 0, 0, 0, 0, 0x5}};
}

// What leaves, for a frame that may be forwarded; empty for another.
Bytes rewritten(const Rewrite& rewrite, const Bytes& bytes) {
  const dataplane::Frame frame = support::whole(bytes);
  const dataplane::Parsed parsed = dataplane::parse(frame);
  if (judge(rewrite, frame, parsed) != Forwarding::possible) return {};
  const std::uint32_t link = link_bytes(rewrite);
  Bytes out(link);
  out.insert(out.end(), bytes.begin() + parsed.ip_offset, bytes.end());
  write(rewrite, parsed.network, out.data() + link);
  return out;
}

Forwarding judged(const Rewrite& rewrite, const Bytes& bytes) {
  const dataplane::Frame frame = support::whole(bytes);
  return judge(rewrite, frame, dataplane::parse(frame));
}

Bytes ip4(std::uint8_t ttl, std::uint32_t identifier = 0x1234) {
  Bytes packet = support::ipv4({}, support::udp({}));
  packet[4] = static_cast<std::uint8_t>(identifier >> 8);
  packet[5] = static_cast<std::uint8_t>(identifier);
  packet[8] = ttl;
  packet[10] = packet[11] = 0;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 20; i += 2)
    sum += static_cast<std::uint32_t>(packet[i] << 8 | packet[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  packet[10] = static_cast<std::uint8_t>(~sum >> 8);
  packet[11] = static_cast<std::uint8_t>(~sum);
  return packet;
}

TEST(Rewrite, WritesTheEthernetHeaderOfARouter) {
  const Bytes expected = support::joined({{2, 0, 0, 0, 0, 0xd, 2, 0, 0, 0, 0, 5, 8, 0}, ip4(63)});
  EXPECT_EQ(rewritten(to_next_hop(), support::ethernet(0x0800, ip4(64))), expected);
}

TEST(Rewrite, ReplacesTagsByItsOwn) {
  Rewrite tagging = to_next_hop();
  tagging.vlan = 7;
  const Bytes tagged =
      support::joined({{2, 0, 0, 0, 0, 0xd, 2, 0, 0, 0, 0, 5, 0x81, 0, 0, 7, 8, 0}, ip4(63)});
  const Bytes untagged = support::joined({{2, 0, 0, 0, 0, 0xd, 2, 0, 0, 0, 0, 5, 8, 0}, ip4(63)});
  const Bytes plain = support::ethernet(0x0800, ip4(64));
  const Bytes one = support::ethernet(0x8100, support::tag(100, 0x0800, ip4(64)));
  const Bytes two =
      support::ethernet(0x88a8, support::tag(5, 0x8100, support::tag(0xe064, 0x0800, ip4(64))));
  for (const Bytes& frame : {plain, one, two}) {
    EXPECT_EQ(rewritten(tagging, frame), tagged);
    EXPECT_EQ(rewritten(to_next_hop(), frame), untagged);
  }
}

// RFC 1624: the incremental checksum equals the computed one, also where it is 0 or 0xffff.
TEST(Rewrite, KeepsTheChecksumOfEveryHeaderRight) {
  for (std::uint32_t identifier = 0; identifier < 0x10000; ++identifier)
    for (const std::uint8_t ttl : {std::uint8_t{2}, std::uint8_t{64}, std::uint8_t{255}}) {
      const Bytes out = rewritten(to_next_hop(), support::ethernet(0x0800, ip4(ttl, identifier)));
      const dataplane::Frame frame = support::whole(out);
      ASSERT_EQ(out[14 + 8], ttl - 1);
      ASSERT_TRUE(ip_checksum_is_right(frame, dataplane::parse(frame)))
          << identifier << " " << int{ttl};
    }
}

TEST(Rewrite, AWrongChecksumStaysWrong) {
  Bytes packet = ip4(64);
  packet[11] ^= 1;
  const Bytes out = rewritten(to_next_hop(), support::ethernet(0x0800, packet));
  const dataplane::Frame frame = support::whole(out);
  EXPECT_FALSE(ip_checksum_is_right(frame, dataplane::parse(frame)));
}

TEST(Rewrite, TakesOneFromTheHopLimit) {
  const Bytes before = support::ipv6({.hop_limit = 64}, support::udp({}));
  const Bytes after = support::ipv6({.hop_limit = 63}, support::udp({}));
  const Bytes expected =
      support::joined({{2, 0, 0, 0, 0, 0xd, 2, 0, 0, 0, 0, 5, 0x86, 0xdd}, after});
  EXPECT_EQ(rewritten(to_next_hop(), support::ethernet(0x86dd, before)), expected);
}

TEST(Rewrite, APacketAtItsLastHopIsNotForwarded) {
  Rewrite keeping = to_next_hop();
  keeping.decrement_ttl = false;
  for (const std::uint8_t hops : {std::uint8_t{0}, std::uint8_t{1}}) {
    const Bytes v4 = support::ethernet(0x0800, ip4(hops));
    const Bytes v6 =
        support::ethernet(0x86dd, support::ipv6({.hop_limit = hops}, support::udp({})));
    EXPECT_EQ(judged(to_next_hop(), v4), Forwarding::ttl_expired);
    EXPECT_EQ(judged(to_next_hop(), v6), Forwarding::ttl_expired);
    EXPECT_EQ(judged(keeping, v4), Forwarding::possible);
    const Bytes expected =
        support::joined({{2, 0, 0, 0, 0, 0xd, 2, 0, 0, 0, 0, 5, 8, 0}, ip4(hops)});
    EXPECT_EQ(rewritten(keeping, v4), expected);
  }
  EXPECT_EQ(judged(to_next_hop(), support::ethernet(0x0800, ip4(2))), Forwarding::possible);
}

TEST(Rewrite, ThePacketIsMeasuredNotTheFrame) {
  Rewrite small = to_next_hop();
  small.mtu = 100;
  const auto of = [](std::size_t payload) {
    Bytes frame = support::ethernet(0x0800, support::ipv4({}, support::udp({}, Bytes(payload))));
    frame.resize(frame.size() + 40);  // padding and trailer
    return frame;
  };
  EXPECT_EQ(judged(small, of(72)), Forwarding::possible);
  EXPECT_EQ(judged(small, of(73)), Forwarding::too_big);
  const Bytes v6 = support::ethernet(0x86dd, support::ipv6({}, support::udp({}, Bytes(53))));
  EXPECT_EQ(judged(small, v6), Forwarding::too_big);
}

}  // namespace

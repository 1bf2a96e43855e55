// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/parse.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/support/packets.hpp"
#include "tests/support/seed.hpp"

namespace {

using dataplane::Frame;
using dataplane::Network;
using dataplane::Parsed;
using dataplane::Transport;
using dataplane::Verdict;
using support::Bytes;

constexpr std::uint32_t kIpv4Type = 0x0800;
constexpr std::uint32_t kIpv6Type = 0x86dd;

TEST(Parse, FindsTheIpHeaderBehindUpToTwoTags) {
  const Bytes packet = support::ipv4({}, support::udp({}));
  struct Case {
    const char* description;
    Bytes frame;
    std::uint16_t offset;
    std::uint16_t vlan;
  };
  using support::ethernet;
  using support::tag;
  const Case cases[] = {
      {"untagged", ethernet(kIpv4Type, packet), 14, 0},
      {"802.1Q", ethernet(0x8100, tag(0x2007, kIpv4Type, packet)), 18, 7},
      {"802.1ad outside 802.1Q", ethernet(0x88a8, tag(100, 0x8100, tag(200, kIpv4Type, packet))),
       22, 100},
      {"two 802.1Q tags", ethernet(0x8100, tag(1, 0x8100, tag(2, kIpv4Type, packet))), 22, 1},
      {"priority tag", ethernet(0x8100, tag(0xa000, kIpv4Type, packet)), 18, 0},
  };
  for (const Case& test : cases) {
    const Parsed parsed = parse(support::whole(test.frame));
    EXPECT_EQ(parsed.network, Network::ipv4) << test.description;
    EXPECT_EQ(parsed.ip_offset, test.offset) << test.description;
    EXPECT_EQ(parsed.vlan, test.vlan) << test.description;
    EXPECT_EQ(parsed.ip_length, 28U) << test.description;
  }
}

TEST(Parse, RefusesWithTheReason) {
  using support::ethernet;
  using support::ipv4;
  using support::ipv6;
  using support::tag;
  const Bytes udp = support::udp({});
  const Bytes plain = ipv4({}, udp);
  struct Case {
    const char* description;
    Bytes frame;
    Verdict error;
  };
  const Case cases[] = {
      {"empty frame", {}, Verdict::drop_malformed_ethernet},
      {"13 bytes", Bytes(13), Verdict::drop_malformed_ethernet},
      {"tag cut short", Bytes(ethernet(0x8100, {0, 1, 8})), Verdict::drop_malformed_ethernet},
      {"second tag cut short", ethernet(0x8100, tag(1, 0x8100, {0, 1})),
       Verdict::drop_malformed_ethernet},
      {"ARP", ethernet(0x0806, Bytes(28)), Verdict::drop_not_ip},
      {"802.3 length field", ethernet(0x0026, Bytes(38)), Verdict::drop_not_ip},
      {"three tags", ethernet(0x8100, tag(1, 0x8100, tag(2, 0x8100, tag(3, kIpv4Type, plain)))),
       Verdict::drop_not_ip},
      {"tag of another EtherType", ethernet(0x9100, tag(1, kIpv4Type, plain)),
       Verdict::drop_not_ip},
      {"no IPv4 header", ethernet(kIpv4Type, {}), Verdict::drop_malformed_ip_truncated},
      {"19 bytes of IPv4", ethernet(kIpv4Type, Bytes(19, 0x45)),
       Verdict::drop_malformed_ip_truncated},
      {"39 bytes of IPv6", ethernet(kIpv6Type, Bytes(39, 0x60)),
       Verdict::drop_malformed_ip_truncated},
      {"IPv6 in an IPv4 frame", ethernet(kIpv4Type, ipv6({}, udp)),
       Verdict::drop_malformed_ip_version},
      {"IPv4 in an IPv6 frame", ethernet(kIpv6Type, ipv4({}, Bytes(40))),
       Verdict::drop_malformed_ip_version},
      {"IHL 4", ethernet(kIpv4Type, ipv4({.version_and_ihl = 0x44}, udp)),
       Verdict::drop_malformed_ip_header_length},
      {"IHL behind the frame", ethernet(kIpv4Type, ipv4({.version_and_ihl = 0x4f}, udp)),
       Verdict::drop_malformed_ip_header_length},
      {"IPv4 total length 0", ethernet(kIpv4Type, ipv4({.length = 0}, udp)),
       Verdict::drop_malformed_ip_length},
      {"IPv4 total length under the header", ethernet(kIpv4Type, ipv4({.length = 19}, udp)),
       Verdict::drop_malformed_ip_length},
      {"IPv4 total length over the frame", ethernet(kIpv4Type, ipv4({.length = 29}, udp)),
       Verdict::drop_malformed_ip_length},
      {"IPv6 payload over the frame", ethernet(kIpv6Type, ipv6({.length = 9}, udp)),
       Verdict::drop_malformed_ip_length},
      {"jumbogram over the frame",
       ethernet(kIpv6Type,
                ipv6({.next_header = 0, .length = 0}, support::jumbo_option(17, 70000, udp))),
       Verdict::drop_malformed_ip_length},
  };
  for (const Case& test : cases) {
    const Parsed parsed = parse(support::whole(test.frame));
    EXPECT_EQ(parsed.network, Network::none) << test.description;
    EXPECT_EQ(reason_of(parsed.error), reason_of(test.error)) << test.description;
  }
}

TEST(Parse, JudgesACutPacketByItsLengthOnTheWire) {
  const Bytes frame =
      support::ethernet(kIpv4Type, support::ipv4({.length = 1400}, support::udp({})));
  EXPECT_EQ(parse(support::cut(frame, 42, 1414)).network, Network::ipv4);
  EXPECT_EQ(parse(support::cut(frame, 34, 1414)).network, Network::ipv4) << "header just whole";
  EXPECT_EQ(parse(support::cut(frame, 33, 1414)).error, Verdict::drop_malformed_ip_truncated);
  EXPECT_EQ(parse(support::cut(frame, 42, 1413)).error, Verdict::drop_malformed_ip_length);
  EXPECT_EQ(parse(support::cut(frame, 42, 0)).error, Verdict::drop_malformed_ethernet)
      << "a record may claim to hold more than the wire had";
}

TEST(Parse, ReadsTheLengthOfAJumbogramFromItsOption) {
  const Bytes frame = support::ethernet(
      kIpv6Type, support::ipv6({.next_header = 0, .length = 0},
                               support::jumbo_option(17, 70000, support::udp({}))));
  const Parsed parsed = parse(support::cut(frame, 70, 14 + 40 + 70000));
  EXPECT_EQ(parsed.network, Network::ipv6);
  EXPECT_EQ(parsed.ip_length, 70040U);
  EXPECT_EQ(parse_transport(support::cut(frame, 70, 14 + 40 + 70000), parsed).destination_port, 53);
}

TEST(Parse, TakesAPayloadLengthOfZeroAtItsWordWithoutAJumboOption) {
  const Bytes frame = support::ethernet(
      kIpv6Type,
      support::ipv6({.next_header = 0, .length = 0}, support::extension(17, 0, support::udp({}))));
  const Parsed parsed = parse(support::whole(frame));
  EXPECT_EQ(parsed.network, Network::ipv6);
  EXPECT_EQ(parsed.ip_length, 40U);
  EXPECT_EQ(parse_transport(support::whole(frame), parsed).kind, Transport::Kind::unknown);
}

Transport transport_of(const Bytes& frame) {
  const Parsed parsed = parse(support::whole(frame));
  EXPECT_NE(parsed.network, Network::none);
  return parse_transport(support::whole(frame), parsed);
}

TEST(Transport, DoesNotReadPortsOutOfThePadding) {
  Bytes frame = support::ethernet(kIpv4Type, support::ipv4({.length = 22}, support::udp({})));
  EXPECT_FALSE(transport_of(frame).destination_port);
  frame = support::ethernet(kIpv4Type, support::ipv4({.length = 24}, support::udp({})));
  EXPECT_EQ(transport_of(frame).destination_port, 53);
}

TEST(Transport, ReadsPortsBehindIpv4Options) {
  const Bytes frame = support::ethernet(
      kIpv4Type, support::ipv4({.protocol = 6, .version_and_ihl = 0x47, .options = Bytes(8, 1)},
                               support::tcp({.destination = 443})));
  EXPECT_EQ(transport_of(frame).destination_port, 443);
}

// `count` extension headers in front of UDP.
Bytes chain(unsigned count) {
  Bytes payload = support::udp({});
  std::uint8_t next = 17;
  for (unsigned i = 0; i < count; ++i) {
    payload = support::extension(next, static_cast<std::uint8_t>(i % 3), payload);
    next = 60;
  }
  return support::ethernet(kIpv6Type, support::ipv6({.next_header = next}, payload));
}

TEST(Transport, WalksEightExtensionHeadersAndNoMore) {
  for (unsigned count = 0; count <= 8; ++count) {
    EXPECT_EQ(transport_of(chain(count)).kind, Transport::Kind::whole) << count;
    EXPECT_EQ(transport_of(chain(count)).destination_port, 53) << count;
  }
  EXPECT_EQ(transport_of(chain(9)).kind, Transport::Kind::unknown);
}

TEST(Transport, CountsTheUnitsOfAnAuthenticationHeaderAsFourBytes) {
  Bytes ah{17, 4};  // RFC 4302 section 2.2: (4 + 2) * 4 bytes
  ah.resize(24);
  const Bytes frame = support::ethernet(
      kIpv6Type,
      support::ipv6({.next_header = 51}, support::joined({ah, support::udp({.destination = 7})})));
  EXPECT_EQ(transport_of(frame).destination_port, 7);
}

TEST(Transport, JudgesAllFragmentsOfAnIpv6DatagramByTheFragmentHeader) {
  const Bytes options_then_udp = support::extension(17, 0, support::udp({}));
  const Bytes first = support::ethernet(
      kIpv6Type, support::ipv6({.next_header = 44},
                               support::fragment_header(60, {.more = true}, options_then_udp)));
  const Bytes later = support::ethernet(
      kIpv6Type,
      support::ipv6({.next_header = 44}, support::fragment_header(60, {.offset = 9}, Bytes(16))));
  for (const Bytes& frame : {first, later}) {
    EXPECT_EQ(transport_of(frame).kind, Transport::Kind::fragment);
    EXPECT_EQ(transport_of(frame).protocol, 60);
    EXPECT_FALSE(transport_of(frame).destination_port);
  }
}

TEST(Transport, TakesAnAtomicFragmentForAWholeDatagram) {
  const Bytes frame = support::ethernet(
      kIpv6Type, support::ipv6({.next_header = 44},
                               support::fragment_header(17, {}, support::udp({.destination = 9}))));
  EXPECT_EQ(transport_of(frame).kind, Transport::Kind::whole);
  EXPECT_EQ(transport_of(frame).destination_port, 9);
}

TEST(Transport, ReadsTheFlowThatAnIcmpErrorQuotes) {
  const lpm::Address4 service = support::v4("203.0.113.1");
  const Bytes quoted_tcp =
      support::ipv4({.source = service, .protocol = 6}, support::tcp({.source = 443}));
  struct Case {
    const char* description;
    Bytes message;
    bool is_error;
    std::optional<Transport::Quoted> quoted;
  };
  Bytes without_port = quoted_tcp;
  without_port.resize(21);
  const Case cases[] = {
      {"time exceeded", support::icmp(11, quoted_tcp), true,
       Transport::Quoted{.protocol = 6, .source_port = 443}},
      {"redirect", support::icmp(5, quoted_tcp), true,
       Transport::Quoted{.protocol = 6, .source_port = 443}},
      {"echo request with the same bytes", support::icmp(8, quoted_tcp), false, std::nullopt},
      {"a quote from another source",
       support::icmp(3, support::ipv4({.protocol = 6}, support::tcp({.source = 443}))), true,
       std::nullopt},
      {"a quote that ends before the port", support::icmp(3, without_port), true, std::nullopt},
      {"no quote", support::icmp(3), true, std::nullopt},
      {"a quoted later fragment",
       support::icmp(3,
                     support::ipv4({.source = service, .protocol = 6, .fragment = 100}, Bytes(8))),
       true, Transport::Quoted{.protocol = 6, .source_port = std::nullopt}},
      {"a quote of version 6 in ICMP", support::icmp(3, Bytes(60, 0x60)), true, std::nullopt},
  };
  for (const Case& test : cases) {
    const Transport transport = transport_of(support::ethernet(
        kIpv4Type, support::ipv4({.destination = service, .protocol = 1}, test.message)));
    EXPECT_EQ(transport.is_icmp_error, test.is_error) << test.description;
    ASSERT_EQ(transport.quoted.has_value(), test.quoted.has_value()) << test.description;
    if (!test.quoted) continue;
    EXPECT_EQ(transport.quoted->protocol, test.quoted->protocol) << test.description;
    EXPECT_EQ(transport.quoted->source_port, test.quoted->source_port) << test.description;
  }
}

TEST(Transport, WalksTheExtensionHeadersOfAQuotedIpv6Packet) {
  const lpm::Address6 service = support::v6("2001:db8::1");
  const Bytes quote = support::ipv6({.source = service, .next_header = 60},
                                    support::extension(17, 1, support::udp({.source = 443})));
  const Transport transport = transport_of(support::ethernet(
      kIpv6Type,
      support::ipv6({.destination = service, .next_header = 58}, support::icmp(2, quote))));
  ASSERT_TRUE(transport.quoted);
  EXPECT_EQ(transport.quoted->source_port, 443);
}

// The common headers are judged in line; that must not make a difference.
TEST(Parse, GivesTheSameInLineAndOutOfLineForRandomHeaders) {
  std::mt19937_64 random = support::seeded_random();
  for (unsigned round = 0; round < 200'000; ++round) {
    Bytes frame(random() % 80);
    for (std::uint8_t& byte : frame) byte = static_cast<std::uint8_t>(random() % 7 * 16);
    if (frame.size() > 20) {
      const bool is_ipv4 = random() % 2 == 0;
      frame[12] = is_ipv4 ? 0x08 : 0x86;
      frame[13] = is_ipv4 ? 0x00 : 0xdd;
      frame[14] = is_ipv4 ? 0x45 : 0x60;
      frame[16] = 0;
      frame[18] = 0;
      frame[17] = frame[19] = static_cast<std::uint8_t>(random() % 80);
    }
    const auto size = static_cast<std::uint32_t>(frame.size());
    const auto wire = static_cast<std::uint32_t>(random() % 120);
    const Frame whole{.bytes = frame.data(), .captured = size, .wire_length = wire};
    const Parsed fast = parse(whole);
    const Parsed slow = dataplane::detail::parse_any(whole);
    ASSERT_EQ(fast.network, slow.network);
    ASSERT_TRUE(fast.network != Network::none || fast.error == slow.error);
    ASSERT_EQ(fast.ip_offset, slow.ip_offset);
    ASSERT_EQ(fast.ip_length, slow.ip_length);
  }
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/steer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "dataplane/accept.hpp"
#include "dataplane/parse.hpp"
#include "tests/support/examples.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/seed.hpp"
#include "tests/support/tables.hpp"

namespace {

using dataplane::Decision;
using dataplane::Direction;
using dataplane::Frame;
using dataplane::Port;
using dataplane::Service;
using dataplane::Settings;
using dataplane::Table;
using dataplane::Verdict;
using support::Bytes;

Decision steer_one(const Table& table, const Port& port, const Frame& frame) {
  Decision decision;
  steer(table, port, {&frame, 1}, {&decision, 1});
  return decision;
}

Bytes ipv4_to(std::string_view destination) {
  return support::ethernet(
      0x0800, support::ipv4({.destination = support::v4(destination)}, support::udp({})));
}

TEST(Steer, HoldsTheExamplesOfTheSpecification) {
  for (const support::Example& example : support::examples()) {
    const Table table = support::table_of(example.bindings);
    const Bytes frame = support::packet_of(example);
    const Decision decision = steer_one(table, {.role = example.direction}, support::whole(frame));
    EXPECT_EQ(outcome_of(decision.verdict), example.outcome) << example.description;
  }
}

TEST(Steer, TellsTheLongestMatchInBothDirections) {
  const Table table = support::table_of(
      {{"203.0.113.0/24", Service::magic_transit}, {"203.0.113.1/32", Service::cdn}});
  for (const Direction direction : {Direction::ingress, Direction::egress}) {
    const Bytes host = ipv4_to("203.0.113.1");
    const Bytes rest = ipv4_to("203.0.113.2");
    const Bytes outside = ipv4_to("192.0.2.1");
    const Port port{.role = direction};
    EXPECT_EQ(steer_one(table, port, support::whole(host)).match.binding(), 2U);
    EXPECT_EQ(steer_one(table, port, support::whole(rest)).match.binding(), 1U);
    EXPECT_EQ(steer_one(table, port, support::whole(outside)).match.binding(), 0U);
  }
}

TEST(Steer, AnAddressOfAPendingPrefixIsUnmatchedButNoStranger) {
  Settings drop_unknown;
  drop_unknown.egress_unknown = Settings::Unknown::drop;
  lpm::RouteSet4 routes;
  routes.insert(lpm::Prefix4::enclosing(support::v4("203.0.113.0"), 24),
                dataplane::Match::kPendingPrefix);
  const Table table(1, drop_unknown, routes, {}, 0);
  const Bytes frame = ipv4_to("203.0.113.1");
  EXPECT_EQ(steer_one(table, {.role = Direction::ingress}, support::whole(frame)).verdict,
            Verdict::drop_unmatched);
  EXPECT_EQ(steer_one(table, {.role = Direction::egress}, support::whole(frame)).verdict,
            Verdict::magic_transit_egress_inside);
}

TEST(Steer, TheDestinationAloneIsTheKey) {
  const Table table = support::table_of({{"203.0.113.1/32", Service::spectrum}});
  constexpr std::uint8_t kProtocols[] = {0, 1, 6, 17, 47, 50, 132, 255};
  constexpr std::uint16_t kFragments[] = {0, 0x2000, 0x2005, 5};
  for (const std::uint8_t protocol : kProtocols)
    for (const std::uint16_t fragment : kFragments) {
      const Bytes frame = support::ethernet(
          0x0800, support::ipv4({.protocol = protocol, .fragment = fragment}, Bytes(16)));
      EXPECT_EQ(steer_one(table, {}, support::whole(frame)).verdict, Verdict::spectrum_bound);
    }
}

TEST(Steer, TheDirectionComesFromThePortAndItsVlans) {
  const Table table = support::table_of({{"203.0.113.1/32", Service::cdn}});
  dataplane::VlanRoles roles{};
  roles[10] = Direction::ingress;
  roles[20] = Direction::egress;
  const Port port{.role = Direction::egress, .vlan_roles = &roles};
  const Bytes packet = support::ipv4({}, support::udp({}));
  const auto verdict = [&](const Port& on, const Bytes& frame) {
    return steer_one(table, on, support::whole(frame)).verdict;
  };
  const Bytes untagged = support::ethernet(0x0800, packet);
  const auto tagged = [&](std::uint16_t vlan) {
    return support::ethernet(0x8100, support::tag(vlan, 0x0800, packet));
  };
  EXPECT_EQ(verdict(port, untagged), Verdict::magic_transit_egress_inside);
  EXPECT_EQ(verdict(port, tagged(0)), Verdict::magic_transit_egress_inside) << "priority tag";
  EXPECT_EQ(verdict(port, tagged(10)), Verdict::cdn_bound);
  EXPECT_EQ(verdict(port, tagged(20)), Verdict::magic_transit_egress_inside);
  EXPECT_EQ(verdict(port, tagged(30)), Verdict::drop_no_role);
  EXPECT_EQ(verdict({.role = std::nullopt, .vlan_roles = &roles, .kernel_path = true}, untagged),
            Verdict::kernel_no_role);
  EXPECT_EQ(verdict({.role = Direction::ingress}, tagged(30)), Verdict::cdn_bound)
      << "without VLAN roles tags do not matter";
  const Bytes outer_decides =
      support::ethernet(0x88a8, support::tag(20, 0x8100, support::tag(10, 0x0800, packet)));
  EXPECT_EQ(verdict(port, outer_decides), Verdict::magic_transit_egress_inside);
}

TEST(Steer, GivesTheKernelWhatIsItsWhereThereIsAKernelPath) {
  const Table table = support::table_of({{"2001:db8::/48", Service::cdn}});
  const Port with{.kernel_path = true};
  const Port without{};
  const auto icmp6 = [](std::uint8_t type, std::uint8_t hop_limit) {
    return support::ethernet(
        0x86dd, support::ipv6({.next_header = 58, .hop_limit = hop_limit}, support::icmp(type)));
  };
  struct Case {
    const char* description;
    Bytes frame;
    Verdict with_kernel_path;
    Verdict without;
  };
  const Case cases[] = {
      {"ARP", support::ethernet(0x0806, Bytes(28)), Verdict::kernel_not_ip, Verdict::drop_not_ip},
      {"malformed", support::ethernet(0x0800, {}), Verdict::drop_malformed_ip_truncated,
       Verdict::drop_malformed_ip_truncated},
      {"router solicitation", icmp6(133, 255), Verdict::kernel_neighbour_discovery,
       Verdict::cdn_bound},
      {"redirect", icmp6(137, 255), Verdict::kernel_neighbour_discovery, Verdict::cdn_bound},
      {"neighbour solicitation from afar", icmp6(135, 254), Verdict::cdn_bound, Verdict::cdn_bound},
      {"echo with hop limit 255", icmp6(128, 255), Verdict::cdn_bound, Verdict::cdn_bound},
      {"multicast",
       support::ethernet(
           0x86dd, support::ipv6(
                       {.destination = support::v6("ff02::1"), .next_header = 58, .hop_limit = 255},
                       support::icmp(135))),
       Verdict::kernel_local_scope, Verdict::drop_local_scope},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(steer_one(table, with, support::whole(test.frame)).verdict, test.with_kernel_path)
        << test.description;
    EXPECT_EQ(steer_one(table, without, support::whole(test.frame)).verdict, test.without)
        << test.description;
  }
}

TEST(Steer, JudgesTheChecksumOnlyWhenAskedTo) {
  Settings verify;
  verify.verify_checksum = true;
  const Table strict = support::table_of({{"203.0.113.0/24", Service::cdn}}, verify);
  const Table lax = support::table_of({{"203.0.113.0/24", Service::cdn}});
  const Bytes right = ipv4_to("203.0.113.1");
  const Bytes wrong =
      support::ethernet(0x0800, support::ipv4({.right_checksum = false}, support::udp({})));
  EXPECT_EQ(steer_one(strict, {}, support::whole(right)).verdict, Verdict::cdn_bound);
  EXPECT_EQ(steer_one(strict, {}, support::whole(wrong)).verdict, Verdict::drop_ip_checksum);
  EXPECT_EQ(steer_one(lax, {}, support::whole(wrong)).verdict, Verdict::cdn_bound);

  Frame vouched_for = support::whole(wrong);
  vouched_for.ip_checksum = dataplane::ChecksumStatus::good;
  EXPECT_EQ(steer_one(strict, {}, vouched_for).verdict, Verdict::cdn_bound)
      << "the hardware's word counts where there is one";
  Frame condemned = support::whole(right);
  condemned.ip_checksum = dataplane::ChecksumStatus::bad;
  EXPECT_EQ(steer_one(strict, {}, condemned).verdict, Verdict::drop_ip_checksum);
  EXPECT_EQ(steer_one(lax, {}, condemned).verdict, Verdict::cdn_bound);
}

TEST(Steer, WhatANarrowServiceDoesNotTakeFlowsThroughMagicTransit) {
  Settings narrow;
  narrow.cdn_accept = Settings::CdnAccept::http;
  narrow.spectrum_accept = Settings::SpectrumAccept::tcp_udp;
  const Table table = support::table_of(
      {{"203.0.113.1/32", Service::cdn}, {"203.0.113.2/32", Service::spectrum}}, narrow);
  const auto verdict = [&](std::string_view destination, std::uint8_t protocol,
                           std::uint16_t fragment, const Bytes& payload) {
    const Bytes frame = support::ethernet(
        0x0800,
        support::ipv4(
            {.destination = support::v4(destination), .protocol = protocol, .fragment = fragment},
            payload));
    return steer_one(table, {}, support::whole(frame)).verdict;
  };
  const Bytes https = support::tcp({.destination = 443});
  const Bytes ssh = support::tcp({.destination = 22});
  constexpr auto kNotAccepted = Verdict::magic_transit_not_accepted;
  EXPECT_EQ(verdict("203.0.113.1", 6, 0, https), Verdict::cdn_bound);
  EXPECT_EQ(verdict("203.0.113.1", 6, 0, ssh), kNotAccepted);
  EXPECT_EQ(verdict("203.0.113.1", 6, 0x2000, https), kNotAccepted) << "first fragment";
  EXPECT_EQ(verdict("203.0.113.2", 6, 0, ssh), Verdict::spectrum_bound);
  EXPECT_EQ(verdict("203.0.113.2", 6, 5, ssh), Verdict::spectrum_bound) << "later fragment";
  EXPECT_EQ(verdict("203.0.113.2", 1, 0, support::icmp(8)), kNotAccepted) << "echo";
}

// A burst of any size and mixture is decided like its packets one by one.
TEST(Steer, DecidesABurstLikeItsPacketsOneByOne) {
  Settings narrow;
  narrow.cdn_accept = Settings::CdnAccept::http;
  const Table table = support::table_of({{"203.0.113.0/24", Service::magic_transit},
                                         {"203.0.113.1/32", Service::cdn},
                                         {"2001:db8::/48", Service::spectrum},
                                         {"2001:db8::1/128", Service::cdn}},
                                        narrow);
  std::mt19937_64 random = support::seeded_random();
  const Bytes kinds[] = {
      ipv4_to("203.0.113.1"),
      ipv4_to("203.0.113.9"),
      ipv4_to("192.0.2.1"),
      ipv4_to("224.0.0.5"),
      support::ethernet(0x86dd, support::ipv6({}, support::udp({.destination = 443}))),
      support::ethernet(0x86dd, support::ipv6({.destination = support::v6("2001:db8::2")}, {})),
      support::ethernet(0x0806, Bytes(28)),
      Bytes(5),
      support::ethernet(0x8100, support::tag(9, 0x0800, support::ipv4({}, support::udp({})))),
  };
  for (std::size_t size = 0; size <= dataplane::kBurstMax; ++size) {
    std::vector<Frame> frames;
    for (std::size_t i = 0; i < size; ++i)
      frames.push_back(support::whole(kinds[support::random_below(random, std::size(kinds))]));
    std::vector<Decision> together(size);
    steer(table, {}, frames, together);
    for (std::size_t i = 0; i < size; ++i) {
      const Decision alone = steer_one(table, {}, frames[i]);
      ASSERT_EQ(together[i].verdict, alone.verdict) << size << " " << i;
      ASSERT_EQ(together[i].match, alone.match) << size << " " << i;
    }
  }
}

// Most frames are recognized without being parsed in full. Where checksums are judged all are
// parsed; where hardware vouches for them that changes no verdict.
TEST(Steer, DecidesWhatItRecognizesAsIfParsed) {
  Settings parsing;
  parsing.verify_checksum = true;
  const std::vector<support::Bound> bindings{{"203.0.113.0/24", Service::magic_transit},
                                             {"203.0.113.1/32", Service::cdn},
                                             {"2001:db8::/48", Service::spectrum}};
  const Table table = support::table_of(bindings);
  const Table parsing_table = support::table_of(bindings, parsing);
  std::mt19937_64 random = support::seeded_random();
  const Bytes originals[] = {
      ipv4_to("203.0.113.1"), ipv4_to("203.0.113.9"),
      support::ethernet(0x86dd, support::ipv6({}, support::udp({}))),
      support::ethernet(0x86dd, support::ipv6({.hop_limit = 255}, support::icmp(135))),
      support::ethernet(0x8100, support::tag(9, 0x0800, support::ipv4({}, support::udp({}))))};
  std::size_t differing = 0;
  for (unsigned round = 0; round < 20'000; ++round) {
    std::vector<Bytes> burst(1 + support::random_below(random, dataplane::kBurstMax));
    std::vector<Frame> frames;
    const bool is_mixed = random() % 2 == 0;
    const std::size_t kind = support::random_below(random, std::size(originals));
    for (Bytes& bytes : burst) {
      bytes = originals[is_mixed ? support::random_below(random, std::size(originals)) : kind];
      bytes.resize(std::max<std::size_t>(bytes.size(), 54 + random() % 3));
      // Now and then a field that decides takes a value at an edge, or any.
      if (random() % 16 == 0) {
        constexpr std::size_t kFields[] = {12, 13, 14, 16, 17, 18, 19, 20, 21};
        const auto size = static_cast<std::uint8_t>(bytes.size());
        const std::uint8_t values[] = {0,
                                       1,
                                       19,
                                       20,
                                       static_cast<std::uint8_t>(size - 14),
                                       static_cast<std::uint8_t>(size - 13),
                                       static_cast<std::uint8_t>(size - 54),
                                       static_cast<std::uint8_t>(size - 53),
                                       0x46,
                                       0x6f,
                                       static_cast<std::uint8_t>(random())};
        bytes[kFields[support::random_below(random, std::size(kFields))]] =
            values[support::random_below(random, std::size(values))];
      }
      if (random() % 32 == 0) bytes.resize(random() % 60);
      bytes.shrink_to_fit();
      const auto captured = static_cast<std::uint32_t>(bytes.size());
      std::uint32_t wire_length = captured;
      if (random() % 32 == 0) wire_length += static_cast<std::uint32_t>(random() % 3);
      if (random() % 32 == 0) wire_length -= std::min(wire_length, std::uint32_t{1});
      frames.push_back({.bytes = bytes.data(),
                        .captured = captured,
                        .wire_length = wire_length,
                        .ip_checksum = dataplane::ChecksumStatus::good});
    }
    const Port port{.role = random() % 2 == 0 ? Direction::ingress : Direction::egress,
                    .kernel_path = random() % 2 == 0};
    std::vector<Decision> recognized(frames.size());
    std::vector<Decision> parsed(frames.size());
    steer(table, port, frames, recognized);
    steer(parsing_table, port, frames, parsed);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      ASSERT_EQ(recognized[i].verdict, parsed[i].verdict)
          << testing::PrintToString(burst[i]) << " of " << frames[i].wire_length;
      ASSERT_EQ(recognized[i].match, parsed[i].match) << testing::PrintToString(burst[i]);
      differing += parsed[i].verdict != parsed[0].verdict ? 1U : 0U;
    }
  }
  EXPECT_GT(differing, 1000U);
}

// `accept` of plain TCP and UDP is judged without walking the headers, with the same result.
TEST(Steer, JudgesAcceptanceOfWhatItRecognizesAsIfParsed) {
  Settings narrow;
  narrow.cdn_accept = Settings::CdnAccept::http;
  narrow.spectrum_accept = Settings::SpectrumAccept::tcp_udp;
  const Table table = support::table_of({{"203.0.113.0/24", Service::cdn},
                                         {"203.0.113.1/32", Service::spectrum},
                                         {"2001:db8::/48", Service::cdn},
                                         {"2001:db8::1/128", Service::spectrum}},
                                        narrow);
  std::mt19937_64 random = support::seeded_random();
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (unsigned round = 0; round < 200'000; ++round) {
    constexpr std::uint8_t kProtocols[] = {1, 6, 6, 17, 17, 44, 58, 132};
    constexpr std::uint16_t kPorts[] = {22, 80, 443, 443, 8443};
    constexpr std::uint16_t kFragments[] = {0, 0, 0, 0x4000, 0x2000, 0x2001, 1, 0x8000};
    const std::uint8_t protocol = kProtocols[support::random_below(random, std::size(kProtocols))];
    const Bytes ports = support::udp(
        {.destination = kPorts[support::random_below(random, std::size(kPorts))]}, Bytes(16));
    Bytes payload = ports;
    payload.resize(random() % 4 == 0 ? random() % 24 : payload.size());
    const bool is_host = random() % 2 == 0;
    Bytes bytes;
    if (random() % 2 == 0) {
      bytes = support::ethernet(
          0x0800,
          support::ipv4(
              {.destination = support::v4(is_host ? "203.0.113.1" : "203.0.113.7"),
               .protocol = protocol,
               .fragment = kFragments[support::random_below(random, std::size(kFragments))]},
              payload));
    } else {
      bytes = support::ethernet(
          0x86dd,
          support::ipv6({.destination = support::v6(is_host ? "2001:db8::1" : "2001:db8::7"),
                         .next_header = protocol},
                        payload));
    }
    // Padding that looks like ports, or a snap length that cuts them off.
    if (random() % 2 == 0) support::append(bytes, ports);
    Frame frame = support::whole(bytes);
    if (random() % 4 == 0)
      frame.captured -= std::min(frame.captured, static_cast<std::uint32_t>(random() % 24));
    const Decision decision = steer_one(table, {}, frame);
    const dataplane::Parsed parsed = dataplane::parse(frame);
    if (parsed.network == dataplane::Network::none) continue;
    const Service service = decision.match.service();
    const bool takes = accepts(narrow, service, parse_transport(frame, parsed));
    const Verdict taken = service == Service::cdn ? Verdict::cdn_bound : Verdict::spectrum_bound;
    ASSERT_EQ(decision.verdict, takes ? taken : Verdict::magic_transit_not_accepted)
        << testing::PrintToString(bytes) << " captured " << frame.captured;
    (takes ? accepted : refused) += 1;
  }
  EXPECT_GT(accepted, 10'000U);
  EXPECT_GT(refused, 10'000U);
}

// Any bytes, cut anywhere, on any port get one verdict; the sanitizers watch what is read.
TEST(Steer, IsTotal) {
  Settings narrow;
  narrow.cdn_accept = Settings::CdnAccept::http;
  narrow.spectrum_accept = Settings::SpectrumAccept::tcp_udp;
  narrow.verify_checksum = true;
  const Table table = support::table_of(
      {{"0.0.0.0/1", Service::cdn}, {"128.0.0.0/1", Service::spectrum}, {"::/0", Service::cdn}},
      narrow);
  std::mt19937_64 random = support::seeded_random();
  for (unsigned round = 0; round < 100'000; ++round) {
    // Exactly as long as it says, on the heap, so that reading on is noticed.
    std::vector<std::uint8_t> bytes(random() % 120);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    if (bytes.size() > 23 && random() % 8 != 0) {
      const bool is_ipv4 = random() % 2 == 0;
      bytes[12] = is_ipv4 ? 0x08 : 0x86;
      bytes[13] = is_ipv4 ? 0x00 : 0xdd;
      bytes[14] = is_ipv4 ? static_cast<std::uint8_t>(0x45 + random() % 3) : 0x60;
      constexpr std::uint8_t kNext[] = {0, 1, 6, 17, 43, 44, 51, 58, 60};
      bytes[is_ipv4 ? 23 : 20] = kNext[random() % std::size(kNext)];
      bytes[is_ipv4 ? 16 : 18] = 0;
    }
    const auto size = static_cast<std::uint32_t>(bytes.size());
    const Frame frame{.bytes = bytes.data(),
                      .captured = size,
                      .wire_length = size + static_cast<std::uint32_t>(random() % 3 * 1000)};
    const Port port{.role = random() % 2 == 0 ? Direction::ingress : Direction::egress,
                    .kernel_path = random() % 2 == 0};
    EXPECT_LT(static_cast<std::size_t>(steer_one(table, port, frame).verdict),
              dataplane::kVerdicts);
  }
}

}  // namespace

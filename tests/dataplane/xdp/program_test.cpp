// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/xdp/program.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/dataplane/xdp/harness.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/tables.hpp"

namespace {

using dataplane::Direction;
using dataplane::Port;
using dataplane::Settings;
using dataplane::xdp::Onboarding;
using dataplane::xdp::Outcome;
using dataplane::xdp::PrefixMap;
using dataplane::xdp::Program;
using dataplane::xdp::ProgramOptions;
using support::Bytes;
using xdp_test::name_of;
using xdp_test::Runner;
using xdp_test::Socket;

class XdpProgram : public xdp_test::XdpTest {};

const ProgramOptions kLoopback{.interface = "lo", .attach = ProgramOptions::Attach::generic};

lpm::AnyPrefix cidr(std::string_view text) {
  return lpm::parse_prefix(text).value();
}

// 203.0.113.0/24 and 2001:db8::/32 are steered, 198.51.100.0/24 is pending; 203.0.113.9 and
// 2001:db8::9 are the host's.
void fill(PrefixMap& prefixes) {
  const std::vector steered{cidr("203.0.113.0/24"), cidr("2001:db8::/32")};
  const std::vector pending{cidr("198.51.100.0/24")};
  ASSERT_TRUE(prefixes.onboard(steered, Onboarding::steered));
  ASSERT_TRUE(prefixes.onboard(pending, Onboarding::pending));
  ASSERT_TRUE(
      prefixes.set_host_addresses({support::v4("203.0.113.9"), support::v6("2001:db8::9")}));
}

Bytes to4(std::string_view destination, const support::Ipv4& header = {}) {
  support::Ipv4 to = header;
  to.destination = support::v4(destination);
  return support::ethernet(0x0800, support::ipv4(to, support::udp({})));
}
Bytes to6(std::string_view destination) {
  return support::ethernet(
      0x86dd, support::ipv6({.destination = support::v6(destination)}, support::udp({})));
}
// Neighbour discovery, if type and hop limit say so, to an address that is steered.
Bytes icmp6(std::uint8_t type, std::uint8_t hop_limit) {
  return support::ethernet(
      0x86dd, support::ipv6({.next_header = 58, .hop_limit = hop_limit}, support::icmp(type)));
}
Bytes behind(std::uint8_t next_header, const Bytes& payload) {
  return support::ethernet(0x86dd,
                           support::ipv6({.next_header = next_header, .hop_limit = 255}, payload));
}
Bytes shortened(Bytes frame, std::size_t size) {
  frame.resize(size);
  return frame;
}

struct Case {
  const char* description;
  Bytes frame;
  Outcome ingress;
  Outcome egress;
};

void check(Program& program, const dataplane::Table& table, const std::vector<Case>& cases) {
  for (const Direction direction : {Direction::ingress, Direction::egress}) {
    const bool is_ingress = direction == Direction::ingress;
    program.configure({.role = direction}, table.policy());
    Runner runner(program);
    for (const Case& test : cases)
      EXPECT_EQ(name_of(runner.run(test.frame)), name_of(is_ingress ? test.ingress : test.egress))
          << test.description << (is_ingress ? ", ingress" : ", egress");
  }
}

TEST_F(XdpProgram, DecidesTheRowsOfTheSemanticsThatAreTheKernels) {
  PrefixMap prefixes;
  fill(prefixes);
  Program program(kLoopback, prefixes);
  const Socket socket("lo");
  constexpr Outcome kTaken = Outcome::redirected;
  constexpr Outcome kNotIp = Outcome::not_ip;
  constexpr Outcome kLocal = Outcome::local_scope;
  constexpr Outcome kHost = Outcome::host_address;
  constexpr Outcome kNeighbour = Outcome::neighbour_discovery;
  constexpr Outcome kUnmatched = Outcome::unmatched;
  check(program, support::table_of({}),
        {
            {"steered IPv4", to4("203.0.113.1"), kTaken, kTaken},
            {"first address of the block", to4("203.0.113.0"), kTaken, kTaken},
            {"last address of the block", to4("203.0.113.255"), kTaken, kTaken},
            {"just before", to4("203.0.112.255"), kUnmatched, kTaken},
            {"just behind", to4("203.0.114.0"), kUnmatched, kTaken},
            {"steered IPv6", to6("2001:db8::1"), kTaken, kTaken},
            {"outside IPv6, same block of 24 bits", to6("2001:db9::1"), kUnmatched, kTaken},
            {"outside IPv6", to6("2002::1"), kUnmatched, kTaken},
            {"pending", to4("198.51.100.1"), kUnmatched, kTaken},
            {"host address IPv4", to4("203.0.113.9"), kHost, kHost},
            {"beside it", to4("203.0.113.8"), kTaken, kTaken},
            {"host address IPv6", to6("2001:db8::9"), kHost, kHost},
            {"ARP", support::ethernet(0x0806, Bytes(28)), kNotIp, kNotIp},
            {"LLDP", support::ethernet(0x88cc, Bytes(46)), kNotIp, kNotIp},
            {"MPLS", support::ethernet(0x8847, Bytes(46)), kNotIp, kNotIp},
            {"three tags",
             support::ethernet(
                 0x88a8, support::tag(1, 0x8100, support::tag(2, 0x8100, support::tag(3, 0, {})))),
             kNotIp, kNotIp},
            {"loopback", to4("127.0.0.1"), kLocal, kLocal},
            {"link-local", to4("169.254.255.1"), kLocal, kLocal},
            {"multicast", to4("239.255.255.255"), kLocal, kLocal},
            {"limited broadcast", to4("255.255.255.255"), kLocal, kLocal},
            {"before the limited broadcast", to4("255.255.255.254"), kUnmatched, kTaken},
            {"IPv6 loopback", to6("::1"), kLocal, kLocal},
            {"unspecified", to6("::"), kUnmatched, kTaken},
            {"IPv6 link-local", to6("febf:ffff::1"), kLocal, kLocal},
            {"behind link-local", to6("fec0::1"), kUnmatched, kTaken},
            {"IPv6 multicast", to6("ff02::1"), kLocal, kLocal},
            {"neighbour solicitation", icmp6(135, 255), kNeighbour, kNeighbour},
            {"router solicitation", icmp6(133, 255), kNeighbour, kNeighbour},
            {"redirect", icmp6(137, 255), kNeighbour, kNeighbour},
            {"neighbour solicitation from afar", icmp6(135, 254), kTaken, kTaken},
            {"echo with hop limit 255", icmp6(128, 255), kTaken, kTaken},
            {"neighbour solicitation behind options",
             behind(60, support::extension(58, 1, support::icmp(135))), kNeighbour, kNeighbour},
            {"in an atomic fragment",
             behind(44, support::fragment_header(58, {}, support::icmp(135))), kNeighbour,
             kNeighbour},
            {"in a first fragment",
             behind(44, support::fragment_header(58, {.more = true}, support::icmp(135))), kTaken,
             kTaken},
            {"no bytes behind the Ethernet header", support::ethernet(0x0800, {}), kTaken, kTaken},
            {"tag cut", support::ethernet(0x8100, {0, 1}), kTaken, kTaken},
            {"IPv4 header cut", shortened(to4("192.0.2.1"), 33), kTaken, kTaken},
            {"IPv6 header cut", shortened(to6("2002::1"), 53), kTaken, kTaken},
            {"IPv4 version 6", to4("192.0.2.1", {.version_and_ihl = 0x65}), kTaken, kTaken},
            {"IHL 4", to4("192.0.2.1", {.version_and_ihl = 0x44}), kTaken, kTaken},
            {"IHL beyond the total length", to4("192.0.2.1", {.version_and_ihl = 0x4f}), kTaken,
             kTaken},
            {"total length beyond the frame", to4("192.0.2.1", {.length = 29}), kTaken, kTaken},
            {"total length 0", to4("192.0.2.1", {.length = 0}), kTaken, kTaken},
            {"padded", to4("192.0.2.1", {.length = 20}), kUnmatched, kTaken},
        });
}

TEST_F(XdpProgram, TakesDestinationsOutsideAllPrefixesAsTheSettingsSay) {
  PrefixMap prefixes;
  fill(prefixes);
  Program program(kLoopback, prefixes);
  const Socket socket("lo");
  using enum Settings::Unknown;
  struct {
    Settings::Unknown unmatched, egress_unknown;
    Outcome ingress_outside, egress_outside;
  } const tests[] = {
      {kernel, kernel, Outcome::unmatched, Outcome::egress_unknown},
      {drop, drop, Outcome::redirected, Outcome::redirected},
      {magic_transit, magic_transit, Outcome::redirected, Outcome::redirected},
      {kernel, magic_transit, Outcome::unmatched, Outcome::redirected},
      {drop, kernel, Outcome::redirected, Outcome::egress_unknown},
  };
  // One program throughout: the settings change while it runs.
  for (const auto& test : tests) {
    Settings settings;
    settings.unmatched = test.unmatched;
    settings.egress_unknown = test.egress_unknown;
    check(program, support::table_of({}, settings),
          {
              {"outside", to4("192.0.2.1"), test.ingress_outside, test.egress_outside},
              {"outside IPv6", to6("2002::1"), test.ingress_outside, test.egress_outside},
              {"pending", to4("198.51.100.1"), test.ingress_outside, Outcome::redirected},
              {"steered", to4("203.0.113.1"), Outcome::redirected, Outcome::redirected},
              {"host", to4("203.0.113.9"), Outcome::host_address, Outcome::host_address},
          });
  }
}

TEST_F(XdpProgram, TheRoleIsThatOfTheOuterVlan) {
  PrefixMap prefixes;
  fill(prefixes);
  Program program(kLoopback, prefixes);
  const Socket socket("lo");
  dataplane::VlanRoles roles{};
  roles[10] = Direction::ingress;
  roles[20] = Direction::egress;
  const Bytes outside = support::ipv4({.destination = support::v4("192.0.2.1")}, support::udp({}));
  const auto tagged = [&](std::uint16_t control) {
    return support::ethernet(0x8100, support::tag(control, 0x0800, outside));
  };
  const auto twice = [&](std::uint16_t outer, std::uint16_t inner) {
    return support::ethernet(0x88a8,
                             support::tag(outer, 0x8100, support::tag(inner, 0x0800, outside)));
  };
  struct {
    const char* description;
    Port port;
    Bytes frame;
    Outcome outcome;
  } const tests[] = {
      {"VLAN 10", {.vlan_roles = &roles}, tagged(10), Outcome::unmatched},
      {"with a priority", {.vlan_roles = &roles}, tagged(0xe00a), Outcome::unmatched},
      {"VLAN 20", {.vlan_roles = &roles}, tagged(20), Outcome::redirected},
      {"VLAN 30", {.vlan_roles = &roles}, tagged(30), Outcome::no_role},
      {"VLAN 0", {.role = Direction::egress, .vlan_roles = &roles}, tagged(0), Outcome::redirected},
      {"20 outside 10", {.vlan_roles = &roles}, twice(20, 10), Outcome::redirected},
      {"10 outside 20", {.vlan_roles = &roles}, twice(10, 20), Outcome::unmatched},
      {"untagged without role",
       {.role = std::nullopt, .vlan_roles = &roles},
       support::ethernet(0x0800, outside),
       Outcome::no_role},
      {"tags do not matter", {.role = Direction::egress}, tagged(4095), Outcome::redirected},
  };
  for (const auto& test : tests) {
    program.configure(test.port, dataplane::Policy({}));
    Runner runner(program);
    EXPECT_EQ(name_of(runner.run(test.frame)), name_of(test.outcome)) << test.description;
  }
}

TEST_F(XdpProgram, IsTheKernelsUntilItIsConfiguredAndHasASocket) {
  PrefixMap prefixes;
  fill(prefixes);
  Program program(kLoopback, prefixes);
  Runner runner(program);
  EXPECT_EQ(name_of(runner.run(to4("203.0.113.1"))), "no_role");
  program.configure({.role = Direction::ingress}, dataplane::Policy({}));
  EXPECT_EQ(name_of(runner.run(to4("203.0.113.1"))), "no_socket");
  {
    // libxdp finds the program and puts the socket into its map.
    const Socket socket("lo");
    EXPECT_EQ(name_of(runner.run(to4("203.0.113.1"))), "redirected");
  }
  EXPECT_EQ(name_of(runner.run(to4("203.0.113.1"))), "no_socket");
}

}  // namespace

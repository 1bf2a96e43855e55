// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/accept.hpp"

#include <gtest/gtest.h>

namespace {

using dataplane::Service;
using dataplane::Settings;
using dataplane::Transport;

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp = 1;

Settings narrow() {
  Settings settings;
  settings.cdn_accept = Settings::CdnAccept::http;
  settings.spectrum_accept = Settings::SpectrumAccept::tcp_udp;
  return settings;
}

Transport datagram(std::uint8_t protocol, std::uint16_t port) {
  Transport transport;
  transport.kind = Transport::Kind::whole;
  transport.protocol = protocol;
  transport.destination_port = port;
  return transport;
}

Transport fragment(std::uint8_t protocol) {
  Transport transport;
  transport.kind = Transport::Kind::fragment;
  transport.protocol = protocol;
  return transport;
}

Transport icmp_error(std::optional<Transport::Quoted> quoted) {
  Transport transport;
  transport.kind = Transport::Kind::whole;
  transport.protocol = kIcmp;
  transport.icmp_type = 3;
  transport.is_icmp_error = true;
  transport.quoted = quoted;
  return transport;
}

TEST(Accept, CdnTakesTheHttpPortsOfTcpAndUdp443) {
  constexpr std::uint16_t kHttp[] = {80,  8080, 8880, 2052, 2082, 2086, 2095,
                                     443, 2053, 2083, 2087, 2096, 8443};
  for (const std::uint16_t port : kHttp)
    EXPECT_TRUE(accepts(narrow(), Service::cdn, datagram(kTcp, port))) << port;
  constexpr std::uint16_t kOther[] = {0, 22, 79, 81, 442, 444, 8081, 65535};
  for (const std::uint16_t port : kOther)
    EXPECT_FALSE(accepts(narrow(), Service::cdn, datagram(kTcp, port))) << port;
  EXPECT_TRUE(accepts(narrow(), Service::cdn, datagram(kUdp, 443)));
  EXPECT_FALSE(accepts(narrow(), Service::cdn, datagram(kUdp, 80)));
  EXPECT_FALSE(accepts(narrow(), Service::cdn, datagram(132, 443))) << "SCTP";
}

TEST(Accept, TheListsOfPortsAreSettings) {
  Settings settings = narrow();
  settings.http_tcp = dataplane::ports({8000});
  EXPECT_TRUE(accepts(settings, Service::cdn, datagram(kTcp, 8000)));
  EXPECT_FALSE(accepts(settings, Service::cdn, datagram(kTcp, 80)));
}

TEST(Accept, CdnTakesNoFragmentAndSpectrumJudgesFragmentsByProtocol) {
  EXPECT_FALSE(accepts(narrow(), Service::cdn, fragment(kTcp)));
  EXPECT_TRUE(accepts(narrow(), Service::spectrum, fragment(kTcp)));
  EXPECT_TRUE(accepts(narrow(), Service::spectrum, fragment(kUdp)));
  EXPECT_FALSE(accepts(narrow(), Service::spectrum, fragment(kIcmp)));
}

TEST(Accept, AnIcmpErrorFollowsTheFlowThatItQuotes) {
  const Transport https = icmp_error(Transport::Quoted{.protocol = kTcp, .source_port = 443});
  const Transport ssh = icmp_error(Transport::Quoted{.protocol = kTcp, .source_port = 22});
  const Transport later_fragment =
      icmp_error(Transport::Quoted{.protocol = kTcp, .source_port = std::nullopt});
  const Transport nothing = icmp_error(std::nullopt);
  EXPECT_TRUE(accepts(narrow(), Service::cdn, https));
  EXPECT_FALSE(accepts(narrow(), Service::cdn, ssh));
  EXPECT_FALSE(accepts(narrow(), Service::cdn, later_fragment));
  EXPECT_FALSE(accepts(narrow(), Service::cdn, nothing));
  EXPECT_TRUE(accepts(narrow(), Service::spectrum, ssh));
  EXPECT_TRUE(accepts(narrow(), Service::spectrum, later_fragment));
  EXPECT_FALSE(accepts(narrow(), Service::spectrum, nothing));
}

TEST(Accept, AnyTakesWhatNobodyUnderstands) {
  const Transport unknown;
  EXPECT_TRUE(accepts({}, Service::cdn, unknown));
  EXPECT_TRUE(accepts({}, Service::spectrum, unknown));
  EXPECT_FALSE(accepts(narrow(), Service::cdn, unknown));
  EXPECT_FALSE(accepts(narrow(), Service::spectrum, unknown));
  EXPECT_TRUE(accepts(narrow(), Service::magic_transit, unknown));
}

}  // namespace

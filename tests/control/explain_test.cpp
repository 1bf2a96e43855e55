// SPDX-License-Identifier: BSD-3-Clause
#include "control/explain.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>

#include "control/compile.hpp"
#include "dataplane/steer.hpp"
#include "tests/control/change_text.hpp"
#include "tests/control/frame_builder.hpp"
#include "tests/control/random_changes.hpp"
#include "tests/support/seed.hpp"

namespace {

using change_text::cidr;
using change_text::set_of;
using control::BindingSet;
using control::explain;
using control::Explanation;
using control::Query;
using dataplane::Direction;
using dataplane::Outcome;
using dataplane::Settings;
using dataplane::Verdict;
using frame_builder::Bytes;
using frame_builder::Cut;
using random_changes::one_in;

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp6 = 58;

Query to(const char* address, Direction direction = Direction::ingress) {
  Query query{.direction = direction};
  if (const auto address4 = lpm::parse_address4(address))
    query.destination = *address4;
  else
    query.destination = lpm::parse_address6(address).value();
  return query;
}

TEST(Explain, ExamplesOfTheSpecificationHold) {
  struct Case {
    const char* bindings;
    const char* address;
    Direction direction;
    Outcome outcome;
  };
  constexpr const char* kMagicTransit =
      "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 magic_transit;"
      "bind 203.0.113.0/24 203.0.113.1/32 cdn; bind 203.0.113.0/24 203.0.113.2/32 spectrum";
  constexpr const char* kCdn =
      "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn;"
      "bind 203.0.113.0/24 203.0.113.1/32 spectrum";
  constexpr const char* kSpectrum =
      "onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 spectrum;"
      "bind 203.0.113.0/24 203.0.113.1/32 cdn";
  const Case cases[]{
      {kMagicTransit, "203.0.113.1", Direction::ingress, Outcome::cdn},
      {kMagicTransit, "203.0.113.2", Direction::ingress, Outcome::spectrum},
      {kMagicTransit, "203.0.113.3", Direction::ingress, Outcome::magic_transit},
      {kMagicTransit, "203.0.113.1", Direction::egress, Outcome::magic_transit},
      {kCdn, "203.0.113.1", Direction::ingress, Outcome::spectrum},
      {kCdn, "203.0.113.2", Direction::ingress, Outcome::cdn},
      {kSpectrum, "203.0.113.1", Direction::ingress, Outcome::cdn},
      {kSpectrum, "203.0.113.2", Direction::ingress, Outcome::spectrum},
      {"", "192.0.2.1", Direction::ingress, Outcome::drop},
      {"", "192.0.2.1", Direction::egress, Outcome::magic_transit},
  };
  for (const Case& test : cases) {
    const Explanation explanation =
        explain(set_of(test.bindings), {}, to(test.address, test.direction));
    EXPECT_EQ(outcome_of(explanation.verdict), test.outcome)
        << test.bindings << " " << test.address;
  }
}

TEST(Explain, NamesBindingAndPrefix) {
  const BindingSet set = set_of(
      "onboard 2001:db8::/48; bind 2001:db8::/48 2001:db8::/48 cdn;"
      "bind 2001:db8::/48 2001:db8::/64 spectrum; bind 2001:db8::/48 2001:db8::1/128 cdn");
  const Explanation host = explain(set, {}, to("2001:db8::1"));
  EXPECT_EQ(host.binding->cidr, cidr("2001:db8::1/128"));
  EXPECT_EQ(host.prefix, cidr("2001:db8::/48"));
  EXPECT_EQ(explain(set, {}, to("2001:db8::2")).binding->cidr, cidr("2001:db8::/64"));
  EXPECT_EQ(explain(set, {}, to("2001:db8:0:1::")).binding->cidr, cidr("2001:db8::/48"));
  EXPECT_FALSE(explain(set, {}, to("2001:db8:1::")).prefix);
}

TEST(Explain, PendingPrefixIsNotSteeredButInside) {
  const BindingSet set = set_of("onboard 203.0.113.0/24");
  const Explanation ingress = explain(set, {}, to("203.0.113.1"));
  EXPECT_EQ(ingress.verdict, Verdict::drop_unmatched);
  EXPECT_FALSE(ingress.binding);
  EXPECT_EQ(ingress.prefix, cidr("203.0.113.0/24"));
  const Settings strict{.egress_unknown = Settings::Unknown::drop};
  EXPECT_EQ(explain(set, strict, to("203.0.113.1", Direction::egress)).verdict,
            Verdict::magic_transit_egress_inside);
  EXPECT_EQ(explain(set, strict, to("203.0.114.1", Direction::egress)).verdict,
            Verdict::drop_egress_unknown);
}

TEST(Explain, AnAddressAloneIsOfUnknownProtocol) {
  const BindingSet set = set_of("onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn");
  EXPECT_EQ(explain(set, {}, to("203.0.113.1")).verdict, Verdict::cdn_bound);
  const Settings narrow{.cdn_accept = Settings::CdnAccept::http};
  EXPECT_EQ(explain(set, narrow, to("203.0.113.1")).verdict, Verdict::magic_transit_not_accepted);
}

// --- what steer does to packets ---

template <class Enumerator, std::size_t kCount>
Enumerator any_of(const std::array<Enumerator, kCount>& all, std::mt19937_64& random) {
  return all[support::random_below(random, kCount)];
}

Settings random_settings(std::mt19937_64& random) {
  using Unknown = Settings::Unknown;
  constexpr std::array kUnknown{Unknown::drop, Unknown::kernel, Unknown::magic_transit};
  Settings settings;
  if (one_in(random, 2)) settings.cdn_accept = Settings::CdnAccept::http;
  if (one_in(random, 2)) settings.spectrum_accept = Settings::SpectrumAccept::tcp_udp;
  settings.unmatched = any_of(kUnknown, random);
  settings.egress_unknown = any_of(kUnknown, random);
  if (one_in(random, 4)) settings.http_tcp = dataplane::ports({53});
  return settings;
}

BindingSet random_bindings(std::mt19937_64& random) {
  BindingSet set;
  for (int step = 0; step < 100; ++step) {
    // A refused one leaves the set as it is.
    [[maybe_unused]] const auto applied = set.apply(random_changes::change_set(random));
  }
  return set;
}

// In or near one of the prefixes that are onboarded, or anything.
template <class Address>
Address random_address(std::mt19937_64& random) {
  Address address;
  if constexpr (Address::kBits == 32)
    address.bits = static_cast<std::uint32_t>(random());
  else
    address = {random(), random()};
  if (one_in(random, 12)) return address;
  lpm::AnyPrefix block = random_changes::prefix(random);
  while (!std::holds_alternative<lpm::Prefix<Address>>(block))
    block = random_changes::prefix(random);
  const Address network = std::get<lpm::Prefix<Address>>(block).network();
  const std::uint32_t low = support::random_below(random, std::uint32_t{256});
  if constexpr (Address::kBits == 32)
    return {network.bits | (one_in(random, 2) ? low : low & 1)};
  else
    return {network.high | (one_in(random, 2) ? low << 8 : 0), low & 1};
}

struct Asked {
  Query query;
  Bytes frame;
};

// A query, and the frame that it describes.
template <class Address>
Asked random_packet(std::mt19937_64& random) {
  constexpr bool kIsIpv4 = Address::kBits == 32;
  constexpr std::uint8_t kOwnIcmp = kIsIpv4 ? kIcmp : kIcmp6;
  constexpr std::array<std::uint8_t, 7> kProtocols{kTcp, kTcp, kUdp, kUdp, kOwnIcmp, kOwnIcmp, 47};
  constexpr std::array<std::uint16_t, 6> kPorts{80, 443, 8443, 53, 22, 65535};
  constexpr std::array kCuts{Cut::whole,          Cut::whole,          Cut::whole,
                             Cut::first_fragment, Cut::later_fragment, Cut::atomic_fragment};
  constexpr std::array<std::uint8_t, 5> kErrors4{3, 4, 5, 11, 12};
  constexpr std::array<std::uint8_t, 4> kErrors6{1, 2, 3, 4};
  constexpr std::uint8_t kEcho = kIsIpv4 ? 8 : 128;

  const auto destination = random_address<Address>(random);
  const auto source = random_address<Address>(random);
  const std::uint16_t port = any_of(kPorts, random);
  frame_builder::Datagram datagram{.protocol = any_of(kProtocols, random),
                                   .cut = any_of(kCuts, random),
                                   .has_options = one_in(random, 3),
                                   .payload = frame_builder::ports(1024, port)};
  Query query{
      .direction = one_in(random, 4) ? Direction::egress : Direction::ingress,
      .destination = destination,
      .protocol = datagram.protocol,
      .destination_port = port,
      .fragment = datagram.cut == Cut::first_fragment || datagram.cut == Cut::later_fragment,
      .quoted = std::nullopt};
  if (datagram.protocol == kOwnIcmp) {
    const bool is_own_flow = !one_in(random, 4);
    const frame_builder::Datagram quoted{.protocol = any_of(kProtocols, random),
                                         .has_options = one_in(random, 4),
                                         .payload = frame_builder::ports(port, 1024)};
    const Bytes quote = frame_builder::packet(quoted, is_own_flow ? destination : source, source);
    const bool is_error = !one_in(random, 4);
    std::uint8_t type = kEcho;
    if (is_error && kIsIpv4) type = any_of(kErrors4, random);
    if (is_error && !kIsIpv4) type = any_of(kErrors6, random);
    datagram.payload = frame_builder::icmp(type, quote);
    if (is_error && (is_own_flow || source == destination)) query.quoted = {quoted.protocol, port};
  }
  return {query,
          frame_builder::ethernet(kIsIpv4, frame_builder::packet(datagram, source, destination))};
}

// Some that packets are sent to.
dataplane::HostAddresses random_hosts(std::mt19937_64& random) {
  std::vector<lpm::Address4> v4;
  std::vector<lpm::Address6> v6;
  for (int i = 0; i < 200; ++i) {
    v4.push_back(random_address<lpm::Address4>(random));
    v6.push_back(random_address<lpm::Address6>(random));
  }
  return {dataplane::AddressSet(std::move(v4)), dataplane::AddressSet(std::move(v6))};
}

TEST(Explain, AgreesWithSteerOnRandomPackets) {
  auto random = support::seeded_random();
  std::set<Verdict> seen;
  for (int round = 0; round < 300; ++round) {
    const BindingSet set = random_bindings(random);
    const Settings settings = random_settings(random);
    const dataplane::HostAddresses hosts = random_hosts(random);
    const control::CompiledTable compiled = control::compile(set, settings, 1, hosts);
    for (int packet = 0; packet < 200; ++packet) {
      Asked asked = one_in(random, 2) ? random_packet<lpm::Address4>(random)
                                      : random_packet<lpm::Address6>(random);
      if (one_in(random, 2)) asked.query.kernel_path = &hosts;
      const auto bytes = static_cast<std::uint32_t>(asked.frame.size());
      const std::array frames{dataplane::Frame{asked.frame.data(), bytes, bytes}};
      std::array<dataplane::Decision, 1> decisions;
      const dataplane::Port port{.role = asked.query.direction,
                                 .kernel_path = asked.query.kernel_path != nullptr};
      dataplane::steer(*compiled.table, port, frames, decisions);

      const Explanation explanation = explain(set, settings, asked.query);
      const dataplane::Match match = decisions[0].match;
      ASSERT_EQ(reason_of(explanation.verdict), reason_of(decisions[0].verdict))
          << "round " << round << ", packet " << packet;
      ASSERT_EQ(explanation.verdict, decisions[0].verdict);
      ASSERT_EQ(explanation.binding.has_value(), match.is_bound());
      if (match.is_bound()) {
        ASSERT_EQ(*explanation.binding, compiled.bindings_by_number[match.binding()]);
      }
      seen.insert(explanation.verdict);
    }
  }
  // Everything that can happen to well-formed packets, but for neighbour discovery.
  EXPECT_EQ(seen.size(), 14U);
}

}  // namespace

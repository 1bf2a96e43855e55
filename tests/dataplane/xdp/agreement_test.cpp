// SPDX-License-Identifier: BSD-3-Clause
//
// What the program passes to the kernel is what steer() gives to the kernel, for the same reason,
// and what it redirects is all else; exceptions are in dataplane/xdp/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "dataplane/parse.hpp"
#include "dataplane/steer.hpp"
#include "dataplane/xdp/program.hpp"
#include "tests/dataplane/xdp/harness.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/seed.hpp"

namespace {

using dataplane::Direction;
using dataplane::Match;
using dataplane::Verdict;
using dataplane::xdp::HostAddress;
using dataplane::xdp::Onboarding;
using dataplane::xdp::Outcome;
using dataplane::xdp::PrefixMap;
using dataplane::xdp::Program;
using dataplane::xdp::ProgramOptions;
using support::Bytes;
using support::random_below;
using Random = std::mt19937_64;

class XdpAgreement : public xdp_test::XdpTest {};

// Addresses of a small world, so that prefixes, hosts and packets meet. Most bits come from a few
// values; local scope is among them.
lpm::Address4 random_address4(Random& random) {
  constexpr std::uint32_t kStarts[] = {0x0a000000, 0x0a010000, 0xcb007000, 0xcb007100,
                                       0x7f000000, 0xa9fe0000, 0xe0000000, 0xffffff00};
  const std::uint32_t start = kStarts[random_below(random, std::size(kStarts))];
  const std::uint32_t ends[] = {0, 1, 127, 128, 255, 0x100, 0x1ff, random_below(random, 65536U)};
  return {start | ends[random_below(random, std::size(ends))]};
}
lpm::Address6 random_address6(Random& random) {
  constexpr std::uint64_t kStarts[] = {0x20010db800000000,
                                       0x20010db800010000,
                                       0x20010db900000000,
                                       0x2a00000000000000,
                                       0xfe80000000000000,
                                       0xff02000000000000,
                                       0};
  constexpr std::uint64_t kEnds[] = {0, 1, 2, 0x8000000000000000};
  const std::uint64_t more = random_below(random, std::uint64_t{4}) == 0
                                 ? std::uint64_t{1} << random_below(random, std::uint64_t{40})
                                 : 0;
  return {kStarts[random_below(random, std::size(kStarts))] | more,
          kEnds[random_below(random, std::size(kEnds))]};
}

lpm::AnyPrefix random_prefix(Random& random) {
  if (random_below(random, 2U) == 0) {
    constexpr unsigned kLengths[] = {8, 12, 16, 20, 22, 23, 24, 24, 24, 24, 25, 28, 31, 32};
    return lpm::Prefix4::enclosing(random_address4(random),
                                   kLengths[random_below(random, std::size(kLengths))]);
  }
  constexpr unsigned kLengths[] = {12, 16, 23, 24, 25, 29, 32, 32, 40,
                                   44, 48, 48, 48, 49, 64, 65, 128};
  return lpm::Prefix6::enclosing(random_address6(random),
                                 kLengths[random_below(random, std::size(kLengths))]);
}

HostAddress random_host(Random& random) {
  if (random_below(random, 2U) == 0) return random_address4(random);
  return random_address6(random);
}

bool overlap(const lpm::AnyPrefix& a, const lpm::AnyPrefix& b) {
  if (a.index() != b.index()) return false;
  if (const auto* const a4 = std::get_if<lpm::Prefix4>(&a))
    return a4->overlaps(std::get<lpm::Prefix4>(b));
  return std::get<lpm::Prefix6>(a).overlaps(std::get<lpm::Prefix6>(b));
}

bool is_local(const lpm::AnyPrefix& prefix) {
  constexpr const char* kBlocks[] = {
      "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",
      "::1/128",     "fe80::/10",      "ff00::/8"};
  return std::ranges::any_of(kBlocks, [&](const char* block) {
    return overlap(lpm::parse_prefix(block).value(), prefix);
  });
}

// Takes the map from what it has to a world of its own making: random prefixes, some of them old.
void change_prefixes(Random& random, PrefixMap& prefixes) {
  std::vector<lpm::AnyPrefix> gone;
  for (const auto& [prefix, state] : prefixes.prefixes())
    if (random_below(random, 3U) == 0) gone.push_back(prefix);
  ASSERT_TRUE(prefixes.offboard(gone));
  for (unsigned i = 0; i < 12; ++i) {
    const lpm::AnyPrefix prefix = random_prefix(random);
    const auto state = random_below(random, 4U) == 0 ? Onboarding::pending : Onboarding::steered;
    const bool is_alone = std::ranges::none_of(prefixes.prefixes(), [&](const auto& other) {
      return other.first != prefix && overlap(other.first, prefix);
    });
    EXPECT_EQ(prefixes.onboard({&prefix, 1}, state).has_value(), is_alone && !is_local(prefix));
  }
  std::set<HostAddress> hosts;
  for (const HostAddress& host : prefixes.host_addresses())
    if (random_below(random, 2U) == 0) hosts.insert(host);
  while (hosts.size() < 6) hosts.insert(random_host(random));
  ASSERT_TRUE(prefixes.set_host_addresses(hosts));
}

// What control compiles from the same prefixes, with bindings inside them.
dataplane::Table table_of(Random& random, const PrefixMap& prefixes,
                          const dataplane::Settings& settings) {
  lpm::RouteSet4 routes4;
  lpm::RouteSet6 routes6;
  std::uint32_t count = 0;
  const auto insert = [&](const lpm::AnyPrefix& prefix, lpm::Value word) {
    if (const auto* const prefix4 = std::get_if<lpm::Prefix4>(&prefix))
      routes4.insert(*prefix4, word | routes4.find(*prefix4).value_or(0));
    else
      routes6.insert(std::get<lpm::Prefix6>(prefix),
                     word | routes6.find(std::get<lpm::Prefix6>(prefix)).value_or(0));
  };
  const auto service = [&] { return dataplane::kServices[random_below(random, std::size_t{3})]; };
  for (const auto& [prefix, state] : prefixes.prefixes()) {
    if (state == Onboarding::pending) {
      insert(prefix, Match::kPendingPrefix);
      continue;
    }
    insert(prefix, Match::of(service(), ++count).word());
    if (const auto* const prefix4 = std::get_if<lpm::Prefix4>(&prefix);
        prefix4 != nullptr && prefix4->length() < 30)
      routes4.insert(lpm::Prefix4::enclosing(prefix4->network(), 30),
                     Match::of(service(), ++count).word());
  }
  for (const HostAddress& host : prefixes.host_addresses()) {
    if (const auto* const host4 = std::get_if<lpm::Address4>(&host))
      insert(lpm::Prefix4::enclosing(*host4, 32), Match::kHostAddress);
    else
      insert(lpm::Prefix6::enclosing(std::get<lpm::Address6>(host), 128), Match::kHostAddress);
  }
  return {1, settings, std::move(routes4), std::move(routes6), count};
}

dataplane::Settings random_settings(Random& random) {
  const auto unknown = [&] {
    return static_cast<dataplane::Settings::Unknown>(random_below(random, 3U));
  };
  dataplane::Settings settings;
  settings.unmatched = unknown();
  settings.egress_unknown = unknown();
  settings.spectrum_accept = dataplane::Settings::SpectrumAccept::tcp_udp;
  return settings;
}

std::optional<Direction> random_role(Random& random) {
  constexpr std::optional<Direction> kRoles[] = {Direction::ingress, Direction::egress,
                                                 std::nullopt};
  return kRoles[random_below(random, std::size(kRoles))];
}

Bytes random_upper6(Random& random, std::uint8_t& next_header) {
  constexpr std::uint8_t kTypes[] = {1, 128, 132, 133, 134, 135, 136, 137, 138};
  Bytes upper = support::icmp(kTypes[random_below(random, std::size(kTypes))]);
  next_header = 58;
  constexpr std::uint8_t kExtensions[] = {0, 43, 44, 51, 60};
  for (auto count = random_below(random, 11U); count > 7 || count % 4 == 1; --count) {
    const std::uint8_t extension = kExtensions[random_below(random, std::size(kExtensions))];
    const auto offset = static_cast<std::uint16_t>(random_below(random, 8U) == 0 ? 1 : 0);
    upper = extension == 44 ? support::fragment_header(
                                  next_header, {.offset = offset, .more = offset != 0}, upper)
                            // 51: its unit is 4 bytes, and 2 are not counted
                            : support::extension(next_header, extension == 51 ? 2 : 0, upper);
    if (extension == 51) upper.erase(upper.begin() + 16, upper.begin() + 24);
    next_header = extension;
  }
  return upper;
}

Bytes random_packet(Random& random, std::uint32_t& ether_type) {
  if (random_below(random, 16U) == 0) {
    ether_type = random_below(random, 2U) == 0 ? 0x0806 : random_below(random, 65536U);
    return Bytes(random_below(random, std::size_t{60}));
  }
  if (random_below(random, 2U) == 0) {
    ether_type = 0x0800;
    return support::ipv4({.destination = random_address4(random)}, support::udp({}));
  }
  ether_type = 0x86dd;
  std::uint8_t next_header = 17;
  Bytes upper = support::udp({});
  if (random_below(random, 2U) == 0) upper = random_upper6(random, next_header);
  return support::ipv6(
      {.destination = random_address6(random),
       .next_header = next_header,
       .hop_limit = static_cast<std::uint8_t>(random_below(random, 2U) == 0 ? 255 : 64)},
      upper);
}

Bytes random_frame(Random& random) {
  std::uint32_t ether_type = 0;
  Bytes packet = random_packet(random, ether_type);
  for (auto tags = random_below(random, 6U); tags > 2; --tags) {
    packet =
        support::tag(random_below(random, 8U) | random_below(random, 8U) << 13, ether_type, packet);
    ether_type = random_below(random, 2U) == 0 ? 0x8100 : 0x88a8;
  }
  Bytes frame = support::ethernet(ether_type, packet);
  const std::size_t headers = std::min<std::size_t>(frame.size(), 80);
  switch (random_below(random, 8U)) {
    case 0:  // cut; the kernel takes no frame under 14 bytes
      frame.resize(14 + random_below(random, frame.size() - 13));
      break;
    case 1:  // one bit
      frame[random_below(random, headers)] ^=
          static_cast<std::uint8_t>(1U << random_below(random, 8U));
      break;
    case 2:  // one byte
      frame[random_below(random, headers)] = static_cast<std::uint8_t>(random_below(random, 256U));
      break;
    default:
      break;
  }
  return frame;
}

Outcome expected(Verdict verdict) {
  switch (verdict) {
    case Verdict::kernel_not_ip:
      return Outcome::not_ip;
    case Verdict::kernel_no_role:
      return Outcome::no_role;
    case Verdict::kernel_local_scope:
      return Outcome::local_scope;
    case Verdict::kernel_host_address:
      return Outcome::host_address;
    case Verdict::kernel_neighbour_discovery:
      return Outcome::neighbour_discovery;
    case Verdict::kernel_egress_unknown:
      return Outcome::egress_unknown;
    case Verdict::kernel_unmatched:
      return Outcome::unmatched;
    default:
      EXPECT_NE(outcome_of(verdict), dataplane::Outcome::kernel);
      return Outcome::redirected;
  }
}

// The exception: the option of a jumbogram (RFC 2675) is not read by the program.
bool may_be_jumbogram(const Bytes& frame) {
  std::size_t offset = 12;
  while (offset + 4 < frame.size() && ((frame[offset] == 0x81 && frame[offset + 1] == 0) ||
                                       (frame[offset] == 0x88 && frame[offset + 1] == 0xa8)))
    offset += 4;
  return offset + 42 <= frame.size() && frame[offset] == 0x86 && frame[offset + 1] == 0xdd &&
         frame[offset + 6] == 0 && frame[offset + 7] == 0 && frame[offset + 8] == 0;
}

std::string hex(const Bytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

TEST_F(XdpAgreement, TheProgramPassesWhatSteerGivesToTheKernel) {
  Random random = support::seeded_random();
  PrefixMap prefixes;
  Program program({.interface = "lo", .attach = ProgramOptions::Attach::generic}, prefixes);
  const xdp_test::Socket socket("lo");
  xdp_test::Runner runner(program);
  std::map<std::string, unsigned> seen;
  unsigned jumbograms = 0;
  for (unsigned round = 0; round < 300; ++round) {
    change_prefixes(random, prefixes);
    if (HasFatalFailure()) return;
    const dataplane::Table table = table_of(random, prefixes, random_settings(random));
    dataplane::VlanRoles roles{};
    for (std::size_t vlan = 1; vlan < 8; ++vlan) roles[vlan] = random_role(random);
    const dataplane::Port port{.role = random_role(random),
                               .vlan_roles = random_below(random, 2U) == 0 ? &roles : nullptr,
                               .kernel_path = true};
    program.configure(port, table.policy());
    for (unsigned i = 0; i < 100; ++i) {
      const Bytes bytes = random_frame(random);
      const dataplane::Frame frame = support::whole(bytes);
      dataplane::Decision decision;
      steer(table, port, {&frame, 1}, {&decision, 1});
      const auto outcome = runner.run(bytes);
      if (may_be_jumbogram(bytes)) {
        ++jumbograms;
        continue;
      }
      const std::string name = xdp_test::name_of(outcome);
      ++seen[name];
      ASSERT_EQ(name, name_of(expected(decision.verdict)))
          << "round " << round << ", packet " << i << ", verdict " << reason_of(decision.verdict)
          << ", frame " << hex(bytes);
    }
  }
  // All of them were met, and often; redirected and the reasons but no_socket.
  EXPECT_EQ(seen.size(), dataplane::xdp::kOutcomes - 1);
  for (const auto& [name, times] : seen) {
    std::printf("%s %u\n", name.c_str(), times);
    EXPECT_GT(times, 100U) << name;
  }
  EXPECT_LT(jumbograms, 1000U);
}

}  // namespace

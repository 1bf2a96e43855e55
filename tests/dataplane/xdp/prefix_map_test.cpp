// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/xdp/prefix_map.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/xdp/program.hpp"
#include "tests/dataplane/xdp/harness.hpp"
#include "tests/support/packets.hpp"

namespace {

using dataplane::Direction;
using dataplane::xdp::Onboarding;
using dataplane::xdp::PrefixMap;
using dataplane::xdp::Program;
using dataplane::xdp::ProgramOptions;
using xdp_test::Runner;
using xdp_test::Socket;

std::vector<lpm::AnyPrefix> cidrs(const std::vector<std::string_view>& texts) {
  std::vector<lpm::AnyPrefix> prefixes;
  for (const std::string_view text : texts) prefixes.push_back(lpm::parse_prefix(text).value());
  return prefixes;
}

// What an ingress port does with packets to an address.
class XdpPrefixMap : public xdp_test::XdpTest {
 protected:
  std::string to(std::string_view address) {
    const support::Bytes packet =
        address.contains(':')
            ? support::ethernet(
                  0x86dd, support::ipv6({.destination = support::v6(address)}, support::udp({})))
            : support::ethernet(
                  0x0800, support::ipv4({.destination = support::v4(address)}, support::udp({})));
    return xdp_test::name_of(running_->runner.run(packet));
  }
  PrefixMap& prefixes() { return running_->prefixes; }
  const Program& program() { return running_->program; }

  void SetUp() override {
    XdpTest::SetUp();
    if (!IsSkipped()) running_ = std::make_unique<Running>();
  }

 private:
  static constexpr std::uint32_t kLongerMax = 64;
  struct Running {
    PrefixMap prefixes{kLongerMax};
    Program program{{.interface = "lo", .attach = ProgramOptions::Attach::generic}, prefixes};
    Socket socket{"lo"};
    Runner runner{program};

    Running() { program.configure({.role = Direction::ingress}, dataplane::Policy({})); }
  };
  std::unique_ptr<Running> running_;
};

TEST_F(XdpPrefixMap, TakesWhatIsOnboardedUntilItIsOffboarded) {
  const auto both = cidrs({"203.0.112.0/20", "2001:db8:1::/48"});
  ASSERT_TRUE(prefixes().onboard(both, Onboarding::steered));
  EXPECT_EQ(prefixes().prefixes().size(), 2U);
  for (const char* inside : {"203.0.112.0", "203.0.127.255", "2001:db8:1::", "2001:db8:1:ffff::"})
    EXPECT_EQ(to(inside), "redirected") << inside;
  for (const char* outside : {"203.0.111.255", "203.0.128.0", "2001:db8:0:ffff::", "2001:db8:2::"})
    EXPECT_EQ(to(outside), "unmatched") << outside;
  ASSERT_TRUE(prefixes().offboard(cidrs({"203.0.112.0/20", "192.0.2.0/24"})));
  EXPECT_EQ(to("203.0.112.1"), "unmatched");
  EXPECT_EQ(to("2001:db8:1::1"), "redirected");
  ASSERT_TRUE(prefixes().offboard(both));
  EXPECT_EQ(to("2001:db8:1::1"), "unmatched");
  EXPECT_TRUE(prefixes().prefixes().empty());
}

TEST_F(XdpPrefixMap, APendingPrefixIsSteeredWhenItsDefaultComes) {
  const auto both = cidrs({"203.0.113.0/24", "2001:db8::/48"});
  for (const Onboarding state : {Onboarding::pending, Onboarding::steered, Onboarding::pending}) {
    ASSERT_TRUE(prefixes().onboard(both, state));
    const char* const outcome = state == Onboarding::steered ? "redirected" : "unmatched";
    EXPECT_EQ(to("203.0.113.1"), outcome);
    EXPECT_EQ(to("2001:db8::1"), outcome);
  }
}

TEST_F(XdpPrefixMap, PrefixesOfAnyLengthAreExact) {
  ASSERT_TRUE(prefixes().onboard(cidrs({"203.0.113.64/26", "203.0.113.255/32", "2001:db8::/33",
                                        "2001:db8:8000::/49", "2001:db8:8000:8000:1::/80"}),
                                 Onboarding::steered));
  for (const char* inside : {"203.0.113.64", "203.0.113.127", "203.0.113.255", "2001:db8:7fff::",
                             "2001:db8:8000:7fff::", "2001:db8:8000:8000:1:ffff::"})
    EXPECT_EQ(to(inside), "redirected") << inside;
  for (const char* outside : {"203.0.113.63", "203.0.113.128", "203.0.113.254",
                              "2001:db7:ffff::", "2001:db8:8000:8000:2::", "2001:db8:8001::"})
    EXPECT_EQ(to(outside), "unmatched") << outside;
}

TEST_F(XdpPrefixMap, AHostAddressIsTheHostsWhateverIsOnboardedAroundIt) {
  const auto around = cidrs({"203.0.112.0/20", "2001:db8::/32"});
  ASSERT_TRUE(prefixes().set_host_addresses({support::v4("203.0.113.9"), support::v4("192.0.2.9"),
                                             support::v6("2001:db8::9"), support::v6("fe80::9")}));
  ASSERT_TRUE(prefixes().onboard(around, Onboarding::steered));
  for (const char* host : {"203.0.113.9", "192.0.2.9", "2001:db8::9", "fe80::9"})
    EXPECT_EQ(to(host), "host_address") << host;
  EXPECT_EQ(to("203.0.113.8"), "redirected");
  EXPECT_EQ(to("2001:db8::8"), "redirected");
  EXPECT_EQ(to("192.0.2.8"), "unmatched");
  EXPECT_EQ(to("fe80::8"), "local_scope");

  ASSERT_TRUE(
      prefixes().set_host_addresses({support::v4("203.0.113.10"), support::v4("192.0.2.9")}));
  EXPECT_EQ(to("203.0.113.10"), "host_address");
  EXPECT_EQ(to("203.0.113.9"), "redirected");
  EXPECT_EQ(to("2001:db8::9"), "redirected");
  EXPECT_EQ(to("fe80::9"), "local_scope");

  ASSERT_TRUE(prefixes().offboard(around));
  EXPECT_EQ(to("203.0.113.10"), "host_address");
  EXPECT_EQ(to("203.0.113.9"), "unmatched");
  EXPECT_EQ(to("2001:db8::9"), "unmatched");
}

// Packets run on another core while the map changes around their destinations.
TEST_F(XdpPrefixMap, NoPacketNoticesAChangeThatIsNotItsOwn) {
  ASSERT_TRUE(
      prefixes().onboard(cidrs({"203.0.112.0/20", "2001:db8:1::/48"}), Onboarding::steered));
  const support::Bytes frames[] = {
      support::ethernet(0x0800, support::ipv4({.destination = support::v4("203.0.113.1")}, {})),
      support::ethernet(0x86dd, support::ipv6({.destination = support::v6("2001:db8:1::1")}, {})),
  };
  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> sent = 0;
  std::thread packets([&] {
    while (!is_over)
      for (const support::Bytes& frame : frames) {
        constexpr int kRepeat = 1000;
        bpf_test_run_opts options = xdp_test::run_of(frame, kRepeat);
        if (bpf_prog_test_run_opts(program().program_descriptor(), &options) != 0) return;
        sent += kRepeat;
      }
  });
  // From a block that is all one to a mixed one and back, and between lengths in use and not.
  const auto beside = cidrs({"2001:db8:2::/48", "2001:db8:8000::/33", "2001:db8:4::/64"});
  unsigned changes = 0;
  for (; (sent < 300'000 || changes < 200) && changes < 100'000; ++changes) {
    EXPECT_TRUE(prefixes().set_host_addresses({support::v4("203.0.113.2"), support::v6("::2")}));
    EXPECT_TRUE(prefixes().onboard(beside, Onboarding::steered));
    EXPECT_TRUE(prefixes().set_host_addresses({support::v6("2001:db8:1::2")}));
    EXPECT_TRUE(prefixes().offboard(beside));
  }
  is_over = true;
  packets.join();
  EXPECT_GE(sent, 300'000U);
  const auto counters = program().read_counters();
  for (std::size_t i = 0; i < dataplane::xdp::kOutcomes; ++i)
    EXPECT_EQ(counters[i].packets, i == 0 ? sent.load() : 0U)
        << name_of(static_cast<dataplane::xdp::Outcome>(i));
}

// A prefix that gives way to a longer or shorter one: what lies in both is taken all the time.
TEST_F(XdpPrefixMap, NoPacketNoticesThatItsPrefixIsReplaced) {
  const std::vector<std::vector<std::string_view>> forms{
      {"203.0.113.0/24", "2001:db8:1::/48"},
      {"203.0.112.0/23", "2001:db8::/46"},
      {"203.0.113.0/25", "203.0.113.128/25", "2001:db8:1::/49", "2001:db8:1:8000::/49"},
      {"203.0.0.0/16", "2001:d00::/24"},
      {"203.0.113.0/27", "203.0.113.64/26", "2001:db8:1::/64"}};
  const auto states = [](const std::vector<std::string_view>& texts) {
    std::map<lpm::AnyPrefix, Onboarding> all;
    for (const lpm::AnyPrefix& prefix : cidrs(texts)) all.emplace(prefix, Onboarding::steered);
    return all;
  };
  ASSERT_TRUE(prefixes().onboard(cidrs(forms[0]), Onboarding::steered));
  std::atomic<bool> stop{false};
  std::atomic<bool> is_first_seen{false};
  std::vector<std::string> seen;
  std::thread reader([&] {
    for (unsigned i = 0; !stop; ++i) {
      for (const char* address : {"203.0.113.1", "203.0.113.70", "2001:db8:1::1"})
        if (const std::string verdict = to(address); verdict != "redirected")
          seen.push_back(std::string(address) + " " + verdict);
      is_first_seen = true;
    }
  });
  while (!is_first_seen) std::this_thread::yield();
  bool all_made = true;
  for (unsigned round = 0; round < 400; ++round)
    all_made &=
        prefixes()
            .replace(cidrs(forms[round % forms.size()]), states(forms[(round + 1) % forms.size()]))
            .has_value();
  stop = true;
  reader.join();
  EXPECT_TRUE(all_made);
  EXPECT_EQ(seen, std::vector<std::string>());
  EXPECT_EQ(prefixes().prefixes(), states(forms[0]));
  EXPECT_EQ(to("203.0.112.1"), "unmatched");
  EXPECT_FALSE(prefixes().replace(cidrs(forms[0]), states({"203.0.113.0/24", "203.0.112.0/23"})));
  EXPECT_EQ(prefixes().prefixes(), states(forms[0]));
  EXPECT_EQ(to("203.0.113.1"), "redirected");
}

TEST_F(XdpPrefixMap, RefusesOverlapsAndLocalScopeAndThenChangesNothing) {
  ASSERT_TRUE(prefixes().onboard(cidrs({"203.0.112.0/20", "2001:db8::/48"}), Onboarding::steered));
  struct {
    const char* prefix;
    const char* other;
  } const tests[] = {
      {"203.0.113.0/24", "203.0.112.0/20"},
      {"203.0.0.0/16", "203.0.112.0/20"},
      {"2001:db8::/32", "2001:db8::/48"},
      {"2001:db8:0:1::/64", "2001:db8::/48"},
      {"10.1.2.0/24", "10.1.0.0/16"},
      {"127.1.0.0/16", "127.0.0.0/8"},
      {"224.0.0.0/3", "224.0.0.0/4"},
      {"fe80::/16", "fe80::/10"},
      {"::/24", "::1/128"},
  };
  for (const auto& test : tests) {
    const auto refused =
        prefixes().onboard(cidrs({"10.1.0.0/16", test.prefix}), Onboarding::steered);
    ASSERT_FALSE(refused) << test.prefix;
    EXPECT_TRUE(refused.error().message.starts_with(test.prefix)) << refused.error().message;
    EXPECT_TRUE(refused.error().message.contains(test.other)) << refused.error().message;
    EXPECT_EQ(prefixes().prefixes().size(), 2U);
    EXPECT_EQ(to("10.1.0.1"), "unmatched") << test.prefix;
  }
}

TEST_F(XdpPrefixMap, WhatFindsNoRoomChangesNothing) {
  ASSERT_TRUE(prefixes().onboard(cidrs({"203.0.113.0/24"}), Onboarding::steered));
  std::vector<lpm::AnyPrefix> many;
  for (std::uint64_t i = 0; i < 100; ++i)
    many.push_back(lpm::Prefix6::enclosing({0x20010db800000000 | i << 16, 0}, 48));
  const auto refused = prefixes().onboard(many, Onboarding::steered);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.contains("no room")) << refused.error().message;
  EXPECT_EQ(prefixes().prefixes().size(), 1U);
  EXPECT_EQ(to("2001:db8::1"), "unmatched");
  EXPECT_EQ(to("2001:db8:63::1"), "unmatched");
  EXPECT_EQ(to("203.0.113.1"), "redirected");

  // The room of what was refused is free again: 64 with one loopback address each family.
  many.resize(50);
  for (unsigned i = 0; i < 3; ++i) {
    ASSERT_TRUE(prefixes().onboard(many, Onboarding::steered));
    EXPECT_EQ(to("2001:db8:31::1"), "redirected");
    ASSERT_TRUE(prefixes().offboard(many));
    EXPECT_EQ(to("2001:db8:31::1"), "unmatched");
  }
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/steerd.hpp"
#include "tests/support/captures.hpp"
#include "tests/support/packets.hpp"

namespace {

using e2e::json;
using e2e::Steerd;
using support::Bytes;

constexpr const char* kExamples = R"({"prefixes": [
  {"cidr": "203.0.113.0/24", "service": "magic_transit", "bindings": [
    {"cidr": "203.0.113.1/32", "service": "cdn"},
    {"cidr": "203.0.113.2/32", "service": "spectrum"}]}]})";

Bytes to(std::string_view destination, std::uint16_t mark = 0) {
  return support::ethernet(0x0800, support::ipv4({.destination = support::v4(destination)},
                                                 support::udp({.source = mark})));
}

// Ports that are files: what is in NAME.pcap arrives, what is sent comes to NAME-out.pcap.
std::string from_file(const Steerd& steerd, const std::string& name, int number,
                      const std::string& words) {
  return fmt::format("port = {} device=net_pcap{},rx_pcap={},tx_pcap={} {}\n", name, number,
                     (steerd / (name + ".pcap")).string(), (steerd / (name + "-out.pcap")).string(),
                     words);
}
std::string to_file(const Steerd& steerd, const std::string& name, int number) {
  return fmt::format("port = {} device=net_pcap{},tx_pcap={} role=none\n", name, number,
                     (steerd / (name + ".pcap")).string());
}
std::string three_outputs(const Steerd& steerd) {
  return to_file(steerd, "mt", 11) + to_file(steerd, "cdn", 12) + to_file(steerd, "sp", 13) +
         "output = magic_transit port=mt\noutput = cdn port=cdn\noutput = spectrum port=sp\n";
}

std::vector<Bytes> frames_in(const support::fs::path& path) {
  std::vector<Bytes> frames;
  for (support::Captured& packet : support::read_capture(path))
    frames.push_back(std::move(packet.bytes));
  return frames;
}

TEST(Steerd, HoldsTheExamplesOfTheSpecification) {
  Steerd steerd("", kExamples);
  support::write_capture(steerd / "in.pcap", {to("203.0.113.1"), to("203.0.113.2"),
                                              to("203.0.113.3"), to("192.0.2.1")});
  support::write_capture(steerd / "eg.pcap", {to("203.0.113.1"), to("192.0.2.1")});
  steerd.write_configuration(from_file(steerd, "in", 0, "role=ingress") +
                             from_file(steerd, "eg", 1, "role=egress") + three_outputs(steerd));
  ASSERT_TRUE(steerd.start());
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.count("received_packets") == 6; }));
  EXPECT_EQ(steerd.count("drop_unmatched_packets"), 1U) << "there is no way to the kernel";
  EXPECT_EQ(steerd.count("magic_transit_egress_inside_packets"), 1U);
  EXPECT_EQ(steerd.count("magic_transit_egress_outside_packets"), 1U);
  const json binding = steerd.ask("/steer/binding,203.0.113.1/32");
  EXPECT_EQ(binding.at("service"), "cdn");
  EXPECT_EQ(binding.at("matched_packets"), 1U);
  const auto result = steerd.stop();
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(frames_in(steerd / "cdn.pcap"), std::vector<Bytes>{to("203.0.113.1")});
  EXPECT_EQ(frames_in(steerd / "sp.pcap"), std::vector<Bytes>{to("203.0.113.2")});
  EXPECT_EQ(frames_in(steerd / "mt.pcap"),
            (std::vector<Bytes>{to("203.0.113.3"), to("203.0.113.1"), to("192.0.2.1")}));
}

// The same packets through the daemon and through the replay: the same bytes to the same services.
// Captures without packets that were cut: net_pcap does not tell their length on the wire.
TEST(Steerd, AgreesWithReplayOnCaptures) {
  const std::string data = STEER_SOURCE_ROOT "/tests/data/";
  for (const char* const name : {"addresses", "ethernet", "ipv4", "fragments"}) {
    const std::string capture = data + "captures/" + name + ".pcap";
    Steerd steerd("", support::contents_of(data + "captures/bindings.json"));
    std::filesystem::copy_file(capture, steerd / "in.pcap");
    steerd.write_configuration(from_file(steerd, "in", 0, "role=ingress") + three_outputs(steerd));
    const std::size_t packets = frames_in(capture).size();
    ASSERT_TRUE(steerd.start());
    ASSERT_TRUE(e2e::within_limit([&] { return steerd.count("received_packets") == packets; }))
        << name << ": " << steerd.ask("/steer/outcomes");
    EXPECT_EQ(steerd.stop().status, 0);
    const std::string replayed = (steerd / "replayed").string();
    const auto replay =
        support::run({STEER_REPLAY, "--bindings", (steerd / "bindings.json").string(), "--ingress",
                      capture, "--output-dir", replayed});
    ASSERT_EQ(replay.status, 0) << replay.error;
    EXPECT_EQ(frames_in(steerd / "mt.pcap"), frames_in(replayed + "/magic_transit.pcap")) << name;
    EXPECT_EQ(frames_in(steerd / "cdn.pcap"), frames_in(replayed + "/cdn.pcap")) << name;
    EXPECT_EQ(frames_in(steerd / "sp.pcap"), frames_in(replayed + "/spectrum.pcap")) << name;
  }
}

TEST(Steerd, RewritesForTheNextHop) {
  Steerd steerd("", kExamples);
  Bytes expired = to("203.0.113.1");
  expired[14 + 8] = 1;
  support::write_capture(
      steerd / "in.pcap",
      {to("203.0.113.1"), expired, support::ethernet(0x0800, support::ipv4({}, Bytes(1400)))});
  steerd.write_configuration(from_file(steerd, "in", 0, "role=ingress") +
                             to_file(steerd, "cdn", 12) +
                             "output = cdn port=cdn rewrite=ethernet next-hop=02:00:00:00:00:0d "
                             "source=02:00:00:00:00:05 vlan=7 mtu=1000\n");
  ASSERT_TRUE(steerd.start());
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.count("received_packets") == 3; }));
  EXPECT_EQ(steerd.count("drop_ttl_expired_packets"), 1U);
  EXPECT_EQ(steerd.count("drop_cdn_too_big_packets"), 1U);
  EXPECT_EQ(steerd.stop().status, 0);
  const std::vector<Bytes> sent = frames_in(steerd / "cdn.pcap");
  ASSERT_EQ(sent.size(), 1U);
  const Bytes link{2, 0, 0, 0, 0, 0xd, 2, 0, 0, 0, 0, 5, 0x81, 0, 0, 7, 8, 0};
  EXPECT_EQ(Bytes(sent[0].begin(), sent[0].begin() + 18), link);
  EXPECT_EQ(sent[0][18 + 8], 63) << "TTL";
}

TEST(Steerd, AServiceWithoutOutputIsDown) {
  Steerd steerd("", kExamples);
  support::write_capture(steerd / "in.pcap", {to("203.0.113.1"), to("203.0.113.2")});
  const std::string lines = from_file(steerd, "in", 0, "role=ingress") + to_file(steerd, "mt", 11) +
                            "output = magic_transit port=mt\n";
  steerd.write_configuration(lines);
  ASSERT_TRUE(steerd.start());
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.count("received_packets") == 2; }));
  EXPECT_EQ(steerd.count("drop_cdn_down_packets"), 1U);
  EXPECT_EQ(steerd.count("drop_spectrum_down_packets"), 1U);
  steerd.stop();
  steerd.write_configuration(lines + "on-output-down = magic_transit\n");
  ASSERT_TRUE(steerd.start());
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.count("received_packets") == 2; }));
  EXPECT_EQ(steerd.count("magic_transit_output_down_packets"), 2U);
  steerd.stop();
  EXPECT_EQ(frames_in(steerd / "mt.pcap").size(), 2U);
}

class SteerdReload : public testing::Test {
 protected:
  // A worker that is fed without end, into outputs that take everything.
  static std::string endless(const Steerd& steerd) {
    std::vector<Bytes> frames;
    for (std::uint16_t mark = 0; mark < 64; ++mark)
      frames.push_back(to(fmt::format("203.0.113.{}", mark % 4), mark));
    support::write_capture(steerd / "in.pcap", frames);
    return fmt::format(
        "port = in device=net_pcap0,rx_pcap={},infinite_rx=1 role=ingress\n"
        "port = mt device=net_null1 role=none\nport = cdn device=net_null2 role=none\n"
        "port = sp device=net_null3 role=none\n"
        "output = magic_transit port=mt\noutput = cdn port=cdn\noutput = spectrum port=sp\n",
        (steerd / "in.pcap").string());
  }
};

constexpr const char* kMoved = R"({"prefixes": [
  {"cidr": "203.0.113.0/24", "service": "magic_transit", "bindings": [
    {"cidr": "203.0.113.1/32", "service": "spectrum"},
    {"cidr": "203.0.113.2/32", "service": "cdn"}]}]})";

TEST_F(SteerdReload, LosesNothingUnderFullLoad) {
  Steerd steerd("", kExamples);
  steerd.write_configuration(endless(steerd));
  ASSERT_TRUE(steerd.start());
  for (int round = 0; round < 50; ++round) {
    steerd.write_bindings(round % 2 == 0 ? kMoved : kExamples);
    ASSERT_TRUE(steerd.reload()) << round;
  }
  const json outcomes = steerd.ask("/steer/outcomes");
  EXPECT_GT(outcomes.at("received_packets").get<std::uint64_t>(), 1000U);
  for (const auto& [name, count] : outcomes.items())
    EXPECT_TRUE(!name.starts_with("drop") || count == 0U) << name;
  // A burst may be under way between the two sums.
  const json balance = steerd.ask("/steer/balance");
  EXPECT_LE(
      balance.at("received").get<std::uint64_t>() - balance.at("outcomes").get<std::uint64_t>(),
      1'000'000U);
  const json times = steerd.ask("/steer/times");
  EXPECT_EQ(times.at("grace_count"), 50U);
  EXPECT_EQ(steerd.ask("/steer/generation").at("active"), 51U);
  EXPECT_EQ(steerd.stop().status, 0);
}

TEST_F(SteerdReload, ARefusedReloadChangesNothing) {
  Steerd steerd("", kExamples);
  const std::string lines = endless(steerd);
  steerd.write_configuration(lines);
  ASSERT_TRUE(steerd.start());
  steerd.write_bindings(R"({"prefixes": [{"cidr": "203.0.113.1/24"}]})");
  steerd.send(SIGHUP);
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.has_logged("generation 1 stays in force"); }));
  EXPECT_TRUE(steerd.has_logged("bindings.json:1:24: /prefixes/0/cidr: \"203.0.113.1/24\""));
  steerd.write_bindings(kExamples);
  steerd.write_configuration(lines + "idle = lazy\n");
  steerd.send(SIGHUP);
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.has_logged("idle must be busy"); }));
  EXPECT_EQ(steerd.ask("/steer/generation").at("active"), 1U);
  steerd.write_configuration(lines + "unmatched = magic_transit\nworkers = 2\n");
  ASSERT_TRUE(steerd.reload());
  EXPECT_TRUE(steerd.has_logged("workers has changed; it takes effect when steerd is restarted"));
  EXPECT_EQ(steerd.stop().status, 0);
}

TEST(Steerd, RefusesASecondInstanceOfItsName) {
  Steerd steerd("port = in device=net_null0 role=ingress\nidle = sleep\n", kExamples);
  ASSERT_TRUE(steerd.start());
  const auto second = support::run(steerd.command());
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.error.find("steerd is running already by the name test"), std::string::npos)
      << second.error;
  // After SIGKILL nothing stands in the way.
  steerd.send(SIGKILL);
  steerd.wait();
  ASSERT_TRUE(steerd.start());
  EXPECT_EQ(steerd.stop().status, 0);
  EXPECT_FALSE(std::filesystem::exists(steerd / "run/test.pid"));
}

TEST(Steerd, AStartThatFailsSaysWhy) {
  struct Case {
    const char* lines;
    const char* error;
  };
  for (const Case& wrong :
       {Case{"port = in interface=nowhere0 role=ingress\n",
             "port in: there is no interface nowhere0 in this network namespace"},
        Case{"port = in device=net_pcap0,rx_pcap=/nowhere.pcap role=ingress\n",
             "device net_pcap0 could not be made"},
        Case{"port = in device=net_nothing0 role=ingress\n",
             "device net_nothing0 could not be made"},
        Case{"port = in device=net_null0 role=ingress\nmemory = 16\n",
             "memory: 16 MiB are too little"},
        Case{"port = in device=net_null0 role=ingress\nworker-cpus = 1023\n",
             "worker-cpus: this process may not run on CPU 1023"}}) {
    Steerd steerd(wrong.lines, kExamples);
    const auto result = support::run(steerd.command());
    EXPECT_EQ(result.status, 1) << wrong.error;
    EXPECT_NE(result.error.find(wrong.error), std::string::npos) << result.error;
  }
}

TEST(Steerd, CheckSaysWhatWouldBeDone) {
  Steerd steerd(
      "port = in device=net_null0 role=ingress vlans=5:egress\nport = out device=net_null1 "
      "role=none\noutput = cdn port=out rewrite=ethernet next-hop=02:00:00:00:00:01 ttl=keep\n",
      kExamples);
  std::vector<std::string> command = steerd.command();
  command.emplace_back("--check");
  const auto result = support::run(command);
  EXPECT_EQ(result.status, 0) << result.error;
  for (const char* const line :
       {"bindings: 1 prefixes, 3 bindings from ",
        "port in: device net_null0, ingress for untagged frames, VLAN 5 egress\n",
        "port out: device net_null1, outputs only; what arrives stays where it is\n",
        "output cdn: port out, to 02:00:00:00:00:01, TTL kept, MTU of the port\n",
        "output spectrum: none: its packets are lost as spectrum_down\n"})
    EXPECT_NE(result.out.find(line), std::string::npos) << line << result.out;
}

}  // namespace

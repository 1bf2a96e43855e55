// SPDX-License-Identifier: BSD-3-Clause
//
// steerd on other devices of DPDK's than captures and interfaces, and with large frames.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/e2e/huge_pages.hpp"
#include "tests/e2e/steerd.hpp"
#include "tests/support/captures.hpp"
#include "tests/support/namespaces.hpp"
#include "tests/support/packets.hpp"

namespace {

using e2e::Steerd;
using std::chrono::milliseconds;
using support::Bytes;

constexpr const char* kBindings = R"({"prefixes": [{"cidr": "203.0.113.0/24", "service": "cdn"}]})";

Bytes packet(std::uint16_t mark, std::size_t payload_bytes = 20) {
  Bytes payload(payload_bytes);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(i * 7);
  return support::ethernet(0x0800, support::ipv4({.destination = support::v4("203.0.113.1")},
                                                 support::udp({.source = mark}, payload)));
}

std::vector<Bytes> frames_in(const support::fs::path& path) {
  std::vector<Bytes> frames;
  for (support::Captured& captured : support::read_capture(path))
    frames.push_back(std::move(captured.bytes));
  return frames;
}

// Frames of 9,000 bytes are chains of five packet buffers.
TEST(SteerdDevices, JumboFramesLeaveAsTheyCame) {
  Steerd steerd("", kBindings);
  const std::vector<Bytes> frames{packet(1, 8958), packet(2), packet(3, 2100), packet(4, 8000)};
  ASSERT_EQ(frames[0].size(), 9000U);
  support::write_capture(steerd / "in.pcap", frames);
  steerd.write_configuration(
      fmt::format("port = in device=net_pcap0,rx_pcap={} role=ingress\n"
                  "port = out device=net_pcap1,tx_pcap={} role=none\noutput = cdn port=out\n",
                  (steerd / "in.pcap").string(), (steerd / "out.pcap").string()));
  ASSERT_TRUE(steerd.start());
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.count("received_packets") == 4; }));
  EXPECT_EQ(steerd.count("received_bytes"),
            frames[0].size() + frames[1].size() + frames[2].size() + frames[3].size());
  EXPECT_EQ(steerd.stop().status, 0);
  EXPECT_EQ(frames_in(steerd / "out.pcap"), frames);
}

TEST(SteerdDevices, JumboFramesAreRewrittenInFront) {
  Steerd steerd("", kBindings);
  support::write_capture(steerd / "in.pcap", {packet(1, 8958), packet(2, 8972), packet(3, 8973)});
  steerd.write_configuration(
      fmt::format("port = in device=net_pcap0,rx_pcap={} role=ingress\n"
                  "port = out device=net_pcap1,tx_pcap={} role=none\n"
                  "output = cdn port=out rewrite=ethernet next-hop=02:00:00:00:00:0d "
                  "source=02:00:00:00:00:05 vlan=7 mtu=9000\n",
                  (steerd / "in.pcap").string(), (steerd / "out.pcap").string()));
  ASSERT_TRUE(steerd.start());
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.count("received_packets") == 3; }));
  EXPECT_EQ(steerd.count("drop_cdn_too_big_packets"), 1U) << "9,001 bytes of IP";
  EXPECT_EQ(steerd.stop().status, 0);
  const std::vector<Bytes> sent = frames_in(steerd / "out.pcap");
  ASSERT_EQ(sent.size(), 2U);
  const Bytes before = packet(1, 8958);
  const Bytes link{2, 0, 0, 0, 0, 0xd, 2, 0, 0, 0, 0, 5, 0x81, 0, 0, 7, 8, 0};
  ASSERT_EQ(sent[0].size(), before.size() + 4);
  EXPECT_EQ(Bytes(sent[0].begin(), sent[0].begin() + 18), link);
  EXPECT_EQ(sent[0][18 + 8], before[14 + 8] - 1) << "TTL";
  EXPECT_TRUE(std::equal(sent[0].begin() + 18 + 12, sent[0].end(), before.begin() + 14 + 12));
}

// From one steerd to another.
TEST(SteerdDevices, MemifJoinsTwoProcesses) {
  Steerd sender("", kBindings);
  Steerd receiver("", kBindings);
  const std::string socket = (sender / "memif.sock").string();
  support::write_capture(sender / "in.pcap", {packet(1), packet(2), packet(3), packet(4)});
  receiver.write_configuration(
      fmt::format("port = in device=net_memif0,role=server,id=0,socket-abstract=no,socket={} "
                  "role=ingress\nport = out device=net_null1 role=none\noutput = cdn port=out\n"
                  "idle = sleep\n",
                  socket));
  std::vector<std::string> command = receiver.command();
  command.insert(command.end(), {"--file-prefix", "receiver"});
  support::Program receiving(command);
  ASSERT_TRUE(e2e::within_limit([&] {
    return receiving.error_so_far().find("control: ready") != std::string::npos;
  })) << receiving.error_so_far();
  sender.write_configuration(
      fmt::format("port = in device=net_pcap0,rx_pcap={},infinite_rx=1 role=ingress\n"
                  "port = out device=net_memif0,role=client,id=0,socket-abstract=no,socket={} "
                  "role=none\noutput = cdn port=out\nidle = sleep\n",
                  (sender / "in.pcap").string(), socket));
  // The receiver's was the last to be made, and its folder has been DPDK's so far.
  setenv("RUNTIME_DIRECTORY", (sender / "").c_str(), 1);
  ASSERT_TRUE(sender.start());
  support::Telemetry telemetry(receiver / "dpdk/receiver/dpdk_telemetry.v2");
  EXPECT_TRUE(e2e::within_limit([&] {
    return telemetry.ask("/steer/outcomes").at("cdn_bound_packets").get<std::uint64_t>() > 1000;
  }));
  EXPECT_EQ(telemetry.ask("/steer/outcomes").at("drop_unmatched_packets"), 0U);
  receiving.send(SIGTERM);
  EXPECT_EQ(receiving.wait().status, 0);
  EXPECT_TRUE(e2e::within_limit([&] { return sender.count("drop_cdn_down_packets") > 0; }))
      << "the other end has gone";
  EXPECT_EQ(sender.stop().status, 0);
}

TEST(SteerdDevices, PacketSocketsReceiveAndSend) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: network namespaces";
  const support::NetworkNamespace outside("af-outside");
  const support::NetworkNamespace edge("af-edge");
  for (const char* const name : {"wan", "cdn"})
    support::shell(fmt::format("ip link add {0} netns {1} type veth peer name {0} netns {2}", name,
                               outside.name(), edge.name()));
  for (const char* const name : {"wan", "cdn"}) {
    outside.run(fmt::format("ip link set {} up", name));
    edge.run(fmt::format("ip link set {} up", name));
  }
  const support::FrameSocket from(outside, "wan");
  const support::FrameSocket to(outside, "cdn");
  Steerd steerd(
      "port = wan device=net_af_packet0,iface=wan role=ingress\n"
      "port = cdn device=net_af_packet1,iface=cdn role=none\noutput = cdn port=cdn\nidle = sleep\n",
      kBindings);
  ASSERT_TRUE(steerd.start({"/usr/sbin/ip", "netns", "exec", edge.name()}));
  const auto marked = [](std::uint16_t mark) {
    return [mark](const Bytes& frame) { return frame == packet(mark); };
  };
  for (std::uint16_t mark = 1; mark <= 20; ++mark) {
    from.send(packet(mark));
    EXPECT_TRUE(to.receive(marked(mark), milliseconds(2000))) << mark;
  }
  EXPECT_EQ(steerd.count("cdn_bound_packets"), 20U);
  EXPECT_EQ(steerd.stop().status, 0);
}

TEST(SteerdDevices, DumpcapAttachesToARunningOne) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: hugepages";
  Steerd steerd("", kBindings);
  constexpr unsigned kPagesNeeded = 80;
  const e2e::HugePages pages(kPagesNeeded, steerd / "huge");
  if (!pages.are_there()) GTEST_SKIP() << "there are no hugepages to have";
  support::write_capture(steerd / "in.pcap", {packet(7)});
  steerd.write_configuration(fmt::format(
      "port = in device=net_pcap0,rx_pcap={},infinite_rx=1 role=ingress\nhugepages = on\n"
      "port = out device=net_null1 role=none\noutput = cdn port=out\neal = --huge-dir={}\n"
      "idle = pause\n",
      (steerd / "in.pcap").string(), (steerd / "huge").string()));
  ASSERT_TRUE(steerd.start());
  const std::string file = (steerd / "captured.pcapng").string();
  const auto capture = support::run(
      {"/usr/bin/dpdk-dumpcap", "--file-prefix=test", "-i", "net_pcap0", "-c", "20", "-w", file});
  EXPECT_EQ(capture.status, 0) << capture.out << capture.error;
  const std::vector<Bytes> frames = frames_in(file);
  ASSERT_GE(frames.size(), 20U) << capture.error;
  for (const Bytes& frame : frames) EXPECT_EQ(frame, packet(7));
  const std::uint64_t before = steerd.count("cdn_bound_packets");
  EXPECT_TRUE(e2e::within_limit([&] { return steerd.count("cdn_bound_packets") > before + 1000; }))
      << "it goes on without the capture";
  EXPECT_EQ(steerd.stop().status, 0);
}

}  // namespace

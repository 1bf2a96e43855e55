// SPDX-License-Identifier: BSD-3-Clause
//
// steerd on interfaces: AF_XDP with our XDP program, between namespaces of its own. Needs root.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/steerd.hpp"
#include "tests/support/namespaces.hpp"
#include "tests/support/packets.hpp"

namespace {

using std::chrono::milliseconds;
using support::Bytes;
using support::FrameSocket;
using support::NetworkNamespace;

constexpr const char* kBindings = R"({"prefixes": [
  {"cidr": "203.0.113.0/24", "service": "magic_transit", "bindings": [
    {"cidr": "203.0.113.1/32", "service": "cdn"}]}]})";

Bytes datagram(std::string_view destination, std::uint16_t mark, std::size_t payload = 20) {
  return support::ethernet(0x0800, support::ipv4({.source = support::v4("192.0.2.1"),
                                                  .destination = support::v4(destination)},
                                                 support::udp({.source = mark}, Bytes(payload))));
}

// Frames with this UDP source port, tagged or not.
auto marked(std::uint16_t mark) {
  return [mark](const Bytes& frame) {
    return frame.size() > 36 && frame[12] == 8 && frame[23] == 17 &&
           (frame[34] << 8 | frame[35]) == mark;
  };
}

// client -- wan [edge: steerd] cdn -- server
class SteerdInterface : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: network namespaces and XDP";
    client_ = std::make_unique<NetworkNamespace>("client");
    edge_ = std::make_unique<NetworkNamespace>("edge");
    server_ = std::make_unique<NetworkNamespace>("server");
    join(*client_, "client", "wan", "192.0.2.");
    join(*server_, "server", "cdn", "198.51.100.");
    server_->run("ip link set server address 02:00:00:00:00:51");
    client_socket_ = std::make_unique<FrameSocket>(*client_, "client");
    server_socket_ = std::make_unique<FrameSocket>(*server_, "server");
    steerd_ = std::make_unique<e2e::Steerd>("", kBindings);
  }

  void join(const NetworkNamespace& other, const std::string& its, const std::string& ours,
            const std::string& network) {
    support::shell(fmt::format("ip link add {} netns {} type veth peer name {} netns {}", its,
                               other.name(), ours, edge_->name()));
    other.run(fmt::format("ip link set {} up", its));
    edge_->run(fmt::format("ip link set {} up", ours));
    other.run(fmt::format("ip addr add {}1/24 dev {}", network, its));
    edge_->run(fmt::format("ip addr add {}2/24 dev {}", network, ours));
  }

  testing::AssertionResult start(const std::string& output,
                                 const std::string& more = "idle = sleep\n") {
    steerd_->write_configuration(
        "port = wan interface=wan role=ingress\nport = cdn interface=cdn role=none\noutput = cdn "
        "port=cdn " +
        output + "\n" + more);
    return steerd_->start({"/usr/sbin/ip", "netns", "exec", edge_->name()});
  }

  // Whether a packet of the client comes out at the server's.
  std::optional<Bytes> steered(std::uint16_t mark, milliseconds limit = milliseconds(2000)) {
    client_socket_->send(datagram("203.0.113.1", mark));
    return server_socket_->receive(marked(mark), limit);
  }

  std::unique_ptr<NetworkNamespace> client_;
  std::unique_ptr<NetworkNamespace> edge_;
  std::unique_ptr<NetworkNamespace> server_;
  std::unique_ptr<FrameSocket> client_socket_;
  std::unique_ptr<FrameSocket> server_socket_;
  std::unique_ptr<e2e::Steerd> steerd_;
};

TEST_F(SteerdInterface, TakesOnboardedPrefixesAndLeavesAllElseToTheKernel) {
  ASSERT_TRUE(start("rewrite=none"));
  EXPECT_EQ(steered(1), datagram("203.0.113.1", 1));
  client_->run("ping -c 1 -W 2 192.0.2.2");  // ARP too
  // What the kernel gets is seen on the interface by a packet socket, what XDP takes is not.
  const FrameSocket kernels(*edge_, "wan");
  client_socket_->send(datagram("198.18.7.7", 2));
  EXPECT_TRUE(kernels.receive(marked(2), milliseconds(2000)));
  EXPECT_TRUE(steered(3));
  EXPECT_FALSE(kernels.receive(marked(3), milliseconds(50)));
  const auto port = steerd_->ask("/steer/ports,wan");
  EXPECT_EQ(port.at("xdp_redirected_packets"), 2U);
  EXPECT_GE(port.at("xdp_host_address_packets"), 1U);
  EXPECT_GE(port.at("xdp_not_ip_packets"), 1U) << "ARP";
  EXPECT_EQ(steerd_->stop().status, 0);
}

TEST_F(SteerdInterface, AReloadOnboardsAndOffboards) {
  ASSERT_TRUE(start("rewrite=none"));
  const FrameSocket kernels(*edge_, "wan");
  std::uint16_t mark = 10;
  for (int round = 0; round < 5; ++round) {
    steerd_->write_bindings(R"({"prefixes": []})");
    ASSERT_TRUE(steerd_->reload());
    client_socket_->send(datagram("203.0.113.1", ++mark));
    EXPECT_TRUE(kernels.receive(marked(mark), milliseconds(2000))) << "the kernel's again";
    steerd_->write_bindings(kBindings);
    ASSERT_TRUE(steerd_->reload());
    EXPECT_TRUE(steered(++mark));
  }
  EXPECT_EQ(steerd_->stop().status, 0);
}

// Of 16 entries local scope has 2, and the host 4: on `lo`, `wan` and `cdn`.
TEST_F(SteerdInterface, PrefixesThatTheProgramsHaveNoRoomForAreRefusedBeforeAnythingChanges) {
  const auto bindings = [](int prefixes) {
    std::string text = R"({"cidr": "203.0.113.0/24", "service": "cdn"})";
    for (int n = 0; n < prefixes; ++n)
      text += fmt::format(R"(, {{"cidr": "2001:db8:{:x}::/48", "service": "cdn"}})", n);
    return R"({"prefixes": [)" + text + "]}";
  };
  constexpr const char* kRefusal =
      "the XDP programs (port wan, port cdn) have room for 16 prefixes longer than 24 bits and "
      "host addresses, and 17 would be needed: 11 prefixes,";
  const std::string settings = "idle = sleep\nxdp-entries-max = 16\n";
  steerd_->write_bindings(bindings(10));
  ASSERT_TRUE(start("rewrite=none", settings));
  steerd_->write_bindings(bindings(11));
  steerd_->send(SIGHUP);
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_->has_logged("reload refused"); }));
  EXPECT_TRUE(steerd_->has_logged(kRefusal));
  EXPECT_EQ(steerd_->ask("/steer/generation").at("active"), 1U);
  EXPECT_TRUE(steered(1));
  EXPECT_EQ(steerd_->stop().status, 0);

  std::vector<std::string> command{"/usr/sbin/ip", "netns", "exec", edge_->name()};
  for (const std::string& word : steerd_->command()) command.push_back(word);
  for (const char* const mode : {"--check", "--bindings-max=1000"}) {
    command.emplace_back(mode);
    const auto ended = support::run(command);
    EXPECT_EQ(ended.status, 1);
    EXPECT_NE(ended.error.find(kRefusal), std::string::npos) << mode << ended.error;
    command.pop_back();
  }
}

// The binding of an address moves from one prefix into another that overlaps it: its service never
// ends.
TEST_F(SteerdInterface, APrefixThatIsReplacedByAnotherLengthLosesNothing) {
  ASSERT_TRUE(start("rewrite=none"));
  ASSERT_TRUE(steered(500));
  const FrameSocket kernels(*edge_, "wan");
  std::atomic<bool> stop{false};
  std::atomic<unsigned> sent{0};
  {
    const std::jthread client([&] {
      while (!stop) {
        client_socket_->send(datagram("203.0.113.1", 501));
        ++sent;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    });
    for (int round = 0; round < 12; ++round) {
      constexpr const char* kCidrs[] = {"203.0.112.0/23", "203.0.113.0/24", "203.0.0.0/16"};
      steerd_->write_bindings(fmt::format(
          R"({{"prefixes": [{{"cidr": "{}", "service": "magic_transit", "bindings": [
              {{"cidr": "203.0.113.1/32", "service": "cdn"}}]}}]}})",
          kCidrs[round % 3]));
      EXPECT_TRUE(steerd_->reload());
    }
    stop = true;
  }
  EXPECT_GT(sent, 100U);
  EXPECT_FALSE(kernels.receive(marked(501), milliseconds(200))) << "the kernel got one";
  EXPECT_TRUE(steered(502));
  EXPECT_EQ(steerd_->stop().status, 0);
}

TEST_F(SteerdInterface, FindsTheNextHopAndFollowsIt) {
  ASSERT_TRUE(start("rewrite=ethernet next-hop=198.51.100.1"));
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_->has_logged("198.51.100.1 found"); }));
  std::optional<Bytes> frame = steered(21);
  ASSERT_TRUE(frame);
  EXPECT_EQ(Bytes(frame->begin(), frame->begin() + 6), (Bytes{2, 0, 0, 0, 0, 0x51}));
  EXPECT_EQ((*frame)[22], 63) << "TTL";
  // Another machine takes the address over, and says so, as they do.
  server_->run("ip link set server down");
  server_->run("ip link set server address 02:00:00:00:00:52");
  server_->run("ip link set server up");
  server_->run("ping -c 1 -W 2 198.51.100.2");
  EXPECT_TRUE(e2e::within_limit([&] {
    frame = steered(22, milliseconds(100));
    return frame && (*frame)[5] == 0x52;
  }));
  EXPECT_EQ(steerd_->stop().status, 0);
}

// A flush, or the end of an entry's time, cost the packets of a tenth of a second.
TEST_F(SteerdInterface, AFlushOfTheNeighboursLosesNothing) {
  ASSERT_TRUE(start("rewrite=ethernet next-hop=198.51.100.1"));
  std::uint16_t mark = 300;
  for (int flush = 0; flush < 5; ++flush) {
    edge_->run("ip neigh flush dev cdn");
    for (int k = 0; k < 30; ++k) {
      const std::optional<Bytes> frame = steered(++mark, milliseconds(1000));
      ASSERT_TRUE(frame) << "packet " << k << " after flush " << flush;
      EXPECT_EQ((*frame)[5], 0x51);
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  EXPECT_EQ(steerd_->count("drop_cdn_unresolved_packets"), 0U);
  // Who is gone for good is noticed all the same.
  server_->run("ip addr del 198.51.100.1/24 dev server");
  edge_->run("ip neigh flush dev cdn");
  EXPECT_TRUE(steered(++mark)) << "in the first seconds nobody can tell";
  EXPECT_TRUE(e2e::within_limit([&] {
    steered(++mark, milliseconds(20));
    return steerd_->count("drop_cdn_unresolved_packets") > 0;
  }));
  EXPECT_EQ(steerd_->stop().status, 0);
}

TEST_F(SteerdInterface, IsNotReadyBeforeTheNextHopIsKnown) {
  server_->run("ip link set server arp off");  // the neighbour is silent
  edge_->run("ip neigh flush dev cdn");
  std::vector<std::string> command{"/usr/sbin/ip", "netns", "exec", edge_->name()};
  steerd_->write_configuration(
      "port = wan interface=wan role=ingress\nport = cdn interface=cdn role=none\n"
      "output = cdn port=cdn rewrite=ethernet next-hop=198.51.100.1\nidle = sleep\n");
  for (const std::string& word : steerd_->command()) command.push_back(word);
  support::Program program(command);
  ASSERT_TRUE(e2e::within_limit(
      [&] { return program.error_so_far().find("generation 1 active") != std::string::npos; }));
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(program.error_so_far().find("control: ready"), std::string::npos);
  server_->run("ip link set server arp on");
  ASSERT_TRUE(e2e::within_limit(
      [&] { return program.error_so_far().find("control: ready") != std::string::npos; }));
  const std::string said = program.error_so_far();
  EXPECT_LT(said.find("next hop 198.51.100.1 found"), said.find("control: ready"));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait().status, 0);
}

TEST_F(SteerdInterface, ANextHopThatIsNotThereIsCounted) {
  ASSERT_TRUE(start("rewrite=ethernet next-hop=198.51.100.77"));
  EXPECT_TRUE(steerd_->has_logged("output cdn: next hop 198.51.100.77 is not to be found: its"))
      << "it was ready in spite of that, after a while";
  EXPECT_FALSE(steered(31, milliseconds(50)));
  EXPECT_TRUE(
      e2e::within_limit([&] { return steerd_->count("drop_cdn_unresolved_packets") == 1; }));
  EXPECT_EQ(steerd_->stop().status, 0);
}

TEST_F(SteerdInterface, TellsTheSenderThatAPacketIsTooBig) {
  ASSERT_TRUE(start("rewrite=ethernet next-hop=02:00:00:00:00:51 mtu=1000"));
  client_socket_->send(datagram("203.0.113.1", 41, 1100));
  const auto is_answer = [](const Bytes& frame) {
    return frame.size() > 42 && frame[23] == 1 && frame[34] == 3 && frame[35] == 4;
  };
  const std::optional<Bytes> answer = client_socket_->receive(is_answer, milliseconds(2000));
  ASSERT_TRUE(answer);
  EXPECT_EQ((*answer)[40] << 8 | (*answer)[41], 1000);
  EXPECT_EQ(Bytes(answer->begin() + 26, answer->begin() + 34), (Bytes{192, 0, 2, 2, 192, 0, 2, 1}));
  EXPECT_EQ(steerd_->count("drop_cdn_too_big_packets"), 1U);
  EXPECT_EQ(steerd_->stop().status, 0);
}

TEST_F(SteerdInterface, SurvivesALinkThatGoesAndComes) {
  ASSERT_TRUE(start("rewrite=none"));
  EXPECT_TRUE(steered(51));
  server_->run("ip link set server down");
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_->has_logged("port cdn: link down"); }));
  EXPECT_FALSE(steered(52, milliseconds(50)));
  EXPECT_TRUE(e2e::within_limit([&] { return steerd_->count("drop_cdn_down_packets") == 1; }));
  server_->run("ip link set server up");
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_->has_logged("port cdn: link up"); }));
  EXPECT_TRUE(e2e::within_limit([&] { return steered(53, milliseconds(100)).has_value(); }));
  EXPECT_EQ(steerd_->stop().status, 0);
}

// A cable that is not plugged in must not keep a host's other ports down.
TEST_F(SteerdInterface, StartsWithoutALink) {
  server_->run("ip link set server down");
  ASSERT_TRUE(start("rewrite=none"));
  ASSERT_TRUE(e2e::within_limit([&] { return steerd_->has_logged("port cdn: link down"); }));
  EXPECT_FALSE(steered(56, milliseconds(50)));
  EXPECT_TRUE(e2e::within_limit([&] { return steerd_->count("drop_cdn_down_packets") == 1; }));
  server_->run("ip link set server up");
  EXPECT_TRUE(e2e::within_limit([&] { return steered(57, milliseconds(100)).has_value(); }));
  EXPECT_EQ(steerd_->stop().status, 0);
}

TEST_F(SteerdInterface, TheKernelHasAllTrafficAfterTheEnd) {
  const FrameSocket kernels(*edge_, "wan");
  std::uint16_t mark = 60;
  for (const int signal : {SIGKILL, SIGTERM}) {
    ASSERT_TRUE(start("rewrite=none"));
    EXPECT_TRUE(steered(++mark));
    steerd_->send(signal);
    const auto began = std::chrono::steady_clock::now();
    ++mark;
    std::optional<Bytes> seen;
    while (!seen && std::chrono::steady_clock::now() - began < milliseconds(2000)) {
      client_socket_->send(datagram("203.0.113.1", mark));
      seen = kernels.receive(marked(mark), milliseconds(2));
    }
    EXPECT_TRUE(seen);
    // 100 ms is the promise; the machine that tests may be busy with more than this.
    EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(500));
    steerd_->wait();
  }
}

TEST_F(SteerdInterface, GivesUpItsRights) {
  support::shell("chmod -R a+rX " + (*steerd_ / "").string());
  ASSERT_TRUE(start("rewrite=none", "idle = sleep\nuser = nobody\n"));
  const std::string pid = support::contents_of(*steerd_ / "run/test.pid");
  const std::string task = "/proc/" + pid.substr(0, pid.find('\n')) + "/task";
  int threads = 0;
  for (const auto& thread : std::filesystem::directory_iterator(task)) {
    const std::string status = support::contents_of(thread.path() / "status");
    EXPECT_NE(status.find("CapEff:\t0000000000000000"), std::string::npos) << status;
    EXPECT_NE(status.find("CapPrm:\t0000000000000000"), std::string::npos) << status;
    ++threads;
  }
  EXPECT_GT(threads, 2);
  EXPECT_TRUE(steered(71));
  steerd_->write_bindings(R"({"prefixes": [{"cidr": "203.0.113.0/24", "service": "cdn"}]})");
  ASSERT_TRUE(steerd_->reload()) << "it can still change the XDP map";
  client_socket_->send(datagram("203.0.113.200", 72));
  EXPECT_TRUE(server_socket_->receive(marked(72), milliseconds(2000)));
  EXPECT_EQ(steerd_->stop().status, 0);
}

TEST_F(SteerdInterface, ASecondInstanceIsRefusedByName) {
  ASSERT_TRUE(start("rewrite=none"));
  e2e::Steerd second("port = wan interface=wan role=ingress\nfile-prefix = other\n", kBindings);
  second.write_configuration("port = wan interface=wan role=ingress\n");
  std::vector<std::string> command{"/usr/sbin/ip", "netns", "exec", edge_->name()};
  for (const std::string& word : second.command()) command.push_back(word);
  command.insert(command.end(), {"--file-prefix", "other"});
  const auto result = support::run(command);
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.error.find("wan"), std::string::npos) << result.error;
  EXPECT_TRUE(steered(81)) << "the first goes on";
  EXPECT_EQ(steerd_->stop().status, 0);
}

// A port that DPDK owns, with a way to the kernel. The wire is a TAP too, whose other end is at
// hand.
constexpr const char* kTapSteerd =
    "port = wan device=net_tap0,iface=wire role=ingress kernel=tap tap=host\n"
    "port = out device=net_null1 role=none\noutput = magic_transit port=out\nidle = sleep\n";

TEST(SteerdKernelPath, TheKernelHasItsPacketsBothWays) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: network namespaces";
  const NetworkNamespace edge("tap");
  e2e::Steerd steerd(kTapSteerd, kBindings);
  ASSERT_TRUE(steerd.start({"/usr/sbin/ip", "netns", "exec", edge.name()}));
  edge.run("ip addr add 192.0.2.2/24 dev host");
  const FrameSocket wire(edge, "wire");
  // Who has 192.0.2.2? Tell 192.0.2.1.
  Bytes request = support::ethernet(0x0806, {0,   1, 8, 0, 6, 4, 0, 1, 2, 0, 0,   0, 0, 2,
                                             192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2});
  std::fill_n(request.begin(), 6, std::uint8_t{0xff});
  wire.send(request);
  const auto is_reply = [](const Bytes& frame) {
    return frame.size() >= 42 && frame[12] == 8 && frame[13] == 6 && frame[21] == 2;
  };
  const std::optional<Bytes> reply = wire.receive(is_reply, milliseconds(2000));
  ASSERT_TRUE(reply);
  EXPECT_EQ(Bytes(reply->begin(), reply->begin() + 6), (Bytes{2, 0, 0, 0, 0, 2}));
  EXPECT_GE(steerd.count("kernel_not_ip_packets"), 1U);
  EXPECT_GE(steerd.ask("/steer/workers,0").at("forwarded").get<int>(), 1);
  const std::uint64_t unmatched = steerd.count("kernel_unmatched_packets");
  wire.send(datagram("203.0.113.3", 1));
  wire.send(datagram("198.18.7.7", 2));
  EXPECT_TRUE(e2e::within_limit([&] { return steerd.count("magic_transit_bound_packets") == 1; }));
  EXPECT_TRUE(
      e2e::within_limit([&] { return steerd.count("kernel_unmatched_packets") == unmatched + 1; }));
  EXPECT_EQ(steerd.stop().status, 0);
}

// An address of the host inside a steered prefix, given to it while steerd runs and taken again.
TEST(SteerdKernelPath, TheHostsOwnAddressesAreTheKernels) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: network namespaces";
  const NetworkNamespace edge("tap");
  e2e::Steerd steerd(kTapSteerd, kBindings);
  ASSERT_TRUE(steerd.start({"/usr/sbin/ip", "netns", "exec", edge.name()}));
  const FrameSocket wire(edge, "wire");
  const FrameSocket kernels(edge, "host");
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.ask("/steer/ports,wan").at("is_up") == 1U; }));
  wire.send(datagram("203.0.113.3", 1));
  EXPECT_TRUE(e2e::within_limit([&] { return steerd.count("magic_transit_bound_packets") == 1; }));

  const auto generation = [&] { return steerd.ask("/steer/generation").at("active").get<int>(); };
  int before = generation();
  edge.run("ip addr add 203.0.113.3/32 dev host");
  ASSERT_TRUE(e2e::within_limit([&] { return generation() > before; }));
  wire.send(datagram("203.0.113.3", 2));
  EXPECT_TRUE(kernels.receive(marked(2), milliseconds(2000)));
  // It has left before it is counted.
  EXPECT_TRUE(e2e::within_limit([&] { return steerd.count("kernel_host_address_packets") == 1; }));
  EXPECT_EQ(steerd.count("magic_transit_bound_packets"), 1U);

  before = generation();
  edge.run("ip addr del 203.0.113.3/32 dev host");
  ASSERT_TRUE(e2e::within_limit([&] { return generation() > before; }));
  wire.send(datagram("203.0.113.3", 3));
  EXPECT_TRUE(e2e::within_limit([&] { return steerd.count("magic_transit_bound_packets") == 2; }));
  EXPECT_EQ(steerd.stop().status, 0);
}

// What an output cannot forward is the kernel's to answer, on a port that has a way there.
TEST(SteerdKernelPath, TheKernelGetsWhatHasExpiredAndWhatIsTooBig) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: network namespaces";
  const NetworkNamespace edge("tap");
  e2e::Steerd steerd(
      "port = wan device=net_tap0,iface=wire role=ingress kernel=tap tap=host\n"
      "port = out device=net_null1 role=none\nidle = sleep\n"
      "output = cdn port=out rewrite=ethernet next-hop=02:00:00:00:00:0d mtu=1000\n",
      kBindings);
  ASSERT_TRUE(steerd.start({"/usr/sbin/ip", "netns", "exec", edge.name()}));
  const FrameSocket wire(edge, "wire");
  const FrameSocket kernels(edge, "host");
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.ask("/steer/ports,wan").at("is_up") == 1U; }));
  Bytes expired = datagram("203.0.113.1", 91);
  expired[14 + 8] = 1;
  wire.send(expired);
  EXPECT_EQ(kernels.receive(marked(91), milliseconds(2000)), expired) << "as it came";
  const Bytes too_big = datagram("203.0.113.1", 92, 1100);
  wire.send(too_big);
  EXPECT_EQ(kernels.receive(marked(92), milliseconds(2000)), too_big) << "as it came";
  wire.send(datagram("203.0.113.1", 93));
  EXPECT_TRUE(e2e::within_limit([&] { return steerd.count("cdn_bound_packets") == 1; }));
  EXPECT_EQ(steerd.count("kernel_ttl_expired_packets"), 1U);
  EXPECT_EQ(steerd.count("kernel_too_big_packets"), 1U);
  EXPECT_EQ(steerd.count("drop_ttl_expired_packets"), 0U);
  EXPECT_EQ(steerd.count("drop_cdn_too_big_packets"), 0U);
  EXPECT_EQ(steerd.stop().status, 0);
}

}  // namespace

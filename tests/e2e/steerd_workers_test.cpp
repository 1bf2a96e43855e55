// SPDX-License-Identifier: BSD-3-Clause
//
// steerd with two workers: who serves which queue, and reloads while one sleeps or stands still.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/e2e/steerd.hpp"
#include "tests/support/captures.hpp"
#include "tests/support/namespaces.hpp"
#include "tests/support/packets.hpp"

namespace {

using e2e::json;
using e2e::Steerd;
using std::chrono::milliseconds;
using support::Bytes;

constexpr const char* kBindings = R"({"prefixes": [
  {"cidr": "203.0.113.0/24", "service": "magic_transit", "bindings": [
    {"cidr": "203.0.113.1/32", "service": "cdn"}]}]})";

// Flow: the source port; number: its place in the flow.
Bytes packet(std::string_view destination, std::uint16_t flow, std::uint16_t number) {
  const Bytes payload{static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  return support::ethernet(0x0800, support::ipv4({.source = support::v4("192.0.2.1"),
                                                  .destination = support::v4(destination)},
                                                 support::udp({.source = flow}, payload)));
}
std::uint16_t flow_of(const Bytes& frame) {
  return static_cast<std::uint16_t>(frame[34] << 8 | frame[35]);
}
std::uint16_t number_of(const Bytes& frame) {
  return static_cast<std::uint16_t>(frame[42] << 8 | frame[43]);
}

std::uint64_t of_worker(Steerd& steerd, unsigned worker, const std::string& what) {
  return steerd.ask(fmt::format("/steer/workers,{}", worker)).at(what).get<std::uint64_t>();
}

std::vector<Bytes> frames_in(const support::fs::path& path) {
  std::vector<Bytes> frames;
  for (support::Captured& captured : support::read_capture(path))
    frames.push_back(std::move(captured.bytes));
  return frames;
}

TEST(SteerdWorkers, EachQueueIsServedByOneAndLeavesByItsOwn) {
  Steerd steerd("", kBindings);
  std::array<std::vector<Bytes>, 2> arriving;
  std::array<std::vector<Bytes>, 2> to_cdn;
  for (std::uint16_t number = 0; number < 3000; ++number) {
    const unsigned queue = number % 3 == 0 ? 0 : 1;
    const bool is_cdn = number % 5 != 0;
    arriving[queue].push_back(packet(is_cdn ? "203.0.113.1" : "203.0.113.9",
                                     static_cast<std::uint16_t>(100 + queue), number));
    if (is_cdn) to_cdn[queue].push_back(arriving[queue].back());
  }
  support::write_capture(steerd / "in0.pcap", arriving[0]);
  support::write_capture(steerd / "in1.pcap", arriving[1]);
  const auto file = [&](const char* name) { return (steerd / name).string(); };
  steerd.write_configuration(fmt::format(
      "port = in device=net_pcap0,rx_pcap={},rx_pcap={},tx_pcap={} role=ingress\n"
      "port = mt device=net_pcap1,tx_pcap={},tx_pcap={} role=none\n"
      "port = cdn device=net_pcap2,tx_pcap={},tx_pcap={} role=none\n"
      "output = magic_transit port=mt\noutput = cdn port=cdn\nworkers = 2\nidle = sleep\n",
      file("in0.pcap"), file("in1.pcap"), file("unused.pcap"), file("mt0.pcap"), file("mt1.pcap"),
      file("cdn0.pcap"), file("cdn1.pcap")));
  ASSERT_TRUE(steerd.start());
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.count("received_packets") == 3000; }));
  std::uint64_t sum = 0;
  for (const unsigned worker : {0U, 1U}) {
    EXPECT_EQ(of_worker(steerd, worker, "received_packets"), arriving[worker].size());
    EXPECT_EQ(of_worker(steerd, worker, "cdn_bound_packets"), to_cdn[worker].size());
    const json counters = steerd.ask(fmt::format("/steer/workers,{}", worker));
    for (const auto& [name, value] : counters.items())
      if (name.ends_with("_packets") && name != "received_packets")
        sum += value.get<std::uint64_t>();
  }
  EXPECT_EQ(sum, 3000U) << "of the outcomes";
  EXPECT_EQ(steerd.ask("/steer/balance").at("outcomes"), 3000U);
  EXPECT_EQ(steerd.ask("/steer/binding,203.0.113.1/32").at("matched_packets"),
            to_cdn[0].size() + to_cdn[1].size());
  EXPECT_EQ(steerd.stop().status, 0);
  EXPECT_EQ(frames_in(steerd / "cdn0.pcap"), to_cdn[0]) << "in order";
  EXPECT_EQ(frames_in(steerd / "cdn1.pcap"), to_cdn[1]) << "in order";
  EXPECT_EQ(frames_in(steerd / "mt0.pcap").size(), arriving[0].size() - to_cdn[0].size());
  EXPECT_EQ(frames_in(steerd / "mt1.pcap").size(), arriving[1].size() - to_cdn[1].size());
}

// One queue that is fed without end, for worker 0, and outputs that take everything.
std::string endless(const Steerd& steerd, const std::string& more) {
  std::vector<Bytes> frames;
  for (std::uint16_t flow = 0; flow < 64; ++flow)
    frames.push_back(packet(fmt::format("203.0.113.{}", flow % 4), flow, 0));
  support::write_capture(steerd / "in.pcap", frames);
  return fmt::format(
      "port = in device=net_pcap0,rx_pcap={0},infinite_rx=1 role=ingress queues=1\n"
      "port = mt device=net_null1 role=none\nport = cdn device=net_null2 role=none\n"
      "output = magic_transit port=mt\noutput = cdn port=cdn\nworkers = 2\n{1}",
      (steerd / "in.pcap").string(), more);
}

TEST(SteerdWorkers, AReloadDoesNotWaitForOneThatSleeps) {
  Steerd steerd("", kBindings);
  steerd.write_configuration(endless(steerd, "idle = sleep\n"));
  ASSERT_TRUE(steerd.start());
  ASSERT_TRUE(e2e::within_limit([&] { return of_worker(steerd, 1, "is_asleep") == 1; }))
      << "it has no queue";
  for (int round = 0; round < 20; ++round) ASSERT_TRUE(steerd.reload()) << round;
  EXPECT_EQ(steerd.ask("/steer/generation").at("active"), 21U);
  EXPECT_EQ(steerd.ask("/steer/generation").at("late_workers"), 0U);
  EXPECT_GT(of_worker(steerd, 0, "received_packets"), 0U);
  EXPECT_EQ(of_worker(steerd, 1, "received_packets"), 0U);
  EXPECT_EQ(steerd.stop().status, 0);
}

// Two that poll on, one of them without work.
TEST(SteerdWorkers, AReloadIsActiveWhenBothHavePassed) {
  Steerd steerd("", kBindings);
  steerd.write_configuration(endless(steerd, "idle = pause\n"));
  ASSERT_TRUE(steerd.start());
  for (int round = 0; round < 20; ++round) ASSERT_TRUE(steerd.reload()) << round;
  for (const unsigned worker : {0U, 1U}) {
    EXPECT_EQ(of_worker(steerd, worker, "is_asleep"), 0U);
    const std::uint64_t rounds = of_worker(steerd, worker, "rounds");
    EXPECT_TRUE(e2e::within_limit([&] { return of_worker(steerd, worker, "rounds") > rounds; }));
  }
  EXPECT_EQ(steerd.stop().status, 0);
}

// A thread of another process, held still as a debugger does.
class HeldThread {
 public:
  explicit HeldThread(pid_t thread) : thread_(thread) {
    is_held_ = ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0 &&
               ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0 &&
               waitpid(thread_, nullptr, __WALL) == thread_;
  }
  ~HeldThread() { release(); }
  HeldThread(const HeldThread&) = delete;
  HeldThread& operator=(const HeldThread&) = delete;

  [[nodiscard]] bool is_held() const { return is_held_; }
  void release() {
    if (std::exchange(is_held_, false)) ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
  }

 private:
  pid_t thread_;
  bool is_held_ = false;
};

// DPDK names its threads.
pid_t thread_of_worker(const Steerd& steerd, int worker) {
  const std::string pid = support::contents_of(steerd / "run/test.pid");
  const std::string tasks = "/proc/" + pid.substr(0, pid.find('\n')) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks))
    if (support::contents_of(task.path() / "comm") == fmt::format("rte-worker-{}\n", worker + 1))
      return std::stoi(task.path().filename().string());
  return 0;
}

TEST(SteerdWorkers, OneThatStandsStillIsNamedAndHoldsUpTheGeneration) {
  Steerd steerd("", kBindings);
  steerd.write_configuration(endless(steerd, "grace-timeout = 50ms\nidle = pause\n"));
  ASSERT_TRUE(steerd.start());
  const pid_t thread = thread_of_worker(steerd, 1);
  ASSERT_GT(thread, 0);
  HeldThread held(thread);
  if (!held.is_held() && errno == EPERM) GTEST_SKIP() << "this process may not trace its children";
  ASSERT_TRUE(held.is_held());
  steerd.send(SIGHUP);
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.has_logged("worker 1 ("); }));
  EXPECT_TRUE(steerd.has_logged(
      "has been stuck for 50 ms: generation 2 is published, but not active until it goes on"));
  EXPECT_FALSE(steerd.has_logged("worker 0 (")) << "which has gone on";
  json generation = steerd.ask("/steer/generation");
  EXPECT_EQ(generation.at("published"), 2U);
  EXPECT_EQ(generation.at("active"), 1U);
  EXPECT_EQ(generation.at("late_workers"), 1U);
  EXPECT_FALSE(steerd.has_logged("generation 2 active"));
  held.release();
  ASSERT_TRUE(e2e::within_limit([&] { return steerd.has_logged("generation 2 active"); }));
  EXPECT_EQ(steerd.ask("/steer/generation").at("active"), 2U);
  EXPECT_TRUE(steerd.reload());
  EXPECT_EQ(steerd.stop().status, 0);
}

// Two AF_XDP queues of an interface, one for each worker.
TEST(SteerdWorkers, TwoQueuesOfAnInterfaceKeepTheOrderOfEachFlow) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: network namespaces and XDP";
  const support::NetworkNamespace client("two-client");
  const support::NetworkNamespace edge("two-edge");
  const support::NetworkNamespace server("two-server");
  const auto join = [&](const support::NetworkNamespace& other, const char* its, const char* ours) {
    support::shell(fmt::format(
        "ip link add {} numtxqueues 2 numrxqueues 2 netns {} type veth peer name {} numtxqueues 2 "
        "numrxqueues 2 netns {}",
        its, other.name(), ours, edge.name()));
    edge.run(fmt::format("ethtool -L {} rx 2 tx 2", ours));
    other.run(fmt::format("ethtool -L {} rx 2 tx 2", its));
    other.run(fmt::format("ip link set {} up", its));
    edge.run(fmt::format("ip link set {} up", ours));
  };
  join(client, "client", "wan");
  join(server, "server", "cdn");
  const support::FrameSocket from(client, "client");
  const support::FrameSocket to(server, "server");
  Steerd steerd("", kBindings);
  steerd.write_configuration(
      "port = wan interface=wan role=ingress\nport = cdn interface=cdn role=none\n"
      "output = cdn port=cdn\nworkers = 2\nidle = sleep\n");
  ASSERT_TRUE(steerd.start({"/usr/sbin/ip", "netns", "exec", edge.name()}));
  EXPECT_EQ(steerd.ask("/steer/ports,wan").at("queues"), 2U);
  for (const char* const port : {"/steer/ports,wan", "/steer/ports,cdn"})
    ASSERT_TRUE(e2e::within_limit([&] { return steerd.ask(port).at("is_up") == 1U; })) << port;
  constexpr std::uint16_t kFlows = 50;
  constexpr std::uint16_t kPackets = 40;
  constexpr std::uint16_t kFirstFlow = 2000;
  std::map<std::uint16_t, std::uint16_t> next;
  unsigned arrived = 0;
  const auto is_ours = [](const Bytes& frame) {
    return frame.size() >= 44 && frame[12] == 8 && frame[23] == 17 &&
           flow_of(frame) >= kFirstFlow && flow_of(frame) < kFirstFlow + kFlows;
  };
  for (std::uint16_t number = 0; number < kPackets; ++number) {
    for (std::uint16_t flow = 0; flow < kFlows; ++flow)
      from.send(packet("203.0.113.1", static_cast<std::uint16_t>(kFirstFlow + flow), number));
    if (number == kPackets / 2) {
      ASSERT_TRUE(steerd.reload());
    }
    for (unsigned k = 0; k < kFlows; ++k) {
      const auto frame = to.receive(is_ours, milliseconds(2000));
      ASSERT_TRUE(frame) << arrived << " have arrived";
      ++arrived;
      EXPECT_EQ(number_of(*frame), next[flow_of(*frame)]++) << "flow " << flow_of(*frame);
    }
  }
  const std::uint64_t first = of_worker(steerd, 0, "received_packets");
  const std::uint64_t second = of_worker(steerd, 1, "received_packets");
  EXPECT_GT(first, 0U);
  EXPECT_GT(second, 0U) << "the flows are spread over both queues";
  EXPECT_EQ(first + second, std::uint64_t{kFlows} * kPackets);
  EXPECT_EQ(steerd.ask("/steer/balance").at("xdp_taken"), first + second);
  EXPECT_EQ(steerd.ask("/steer/balance").at("outcomes"), first + second);
  EXPECT_EQ(steerd.stop().status, 0);
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/worker.hpp"

#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/dpdk/eal.hpp"
#include "tests/support/examples.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/tables.hpp"

namespace {

using dataplane::Direction;
using dataplane::Outcome;
using dataplane::Service;
using dataplane::Table;
using dataplane::Verdict;
using dataplane::Volume;
using dataplane::dpdk::Eal;
using dataplane::dpdk::port_input;
using dataplane::dpdk::port_output;
using dataplane::dpdk::Publisher;
using dataplane::dpdk::ring_input;
using dataplane::dpdk::ring_output;
using dataplane::dpdk::Wiring;
using dataplane::dpdk::Worker;
using support::Bytes;

constexpr unsigned kBuffers = 4095;
constexpr unsigned kRingSize = 1024;
constexpr auto kAnySocket = static_cast<unsigned>(SOCKET_ID_ANY);

struct FreeRing {
  void operator()(rte_ring* ring) const noexcept { rte_ring_free(ring); }
};
struct FreePool {
  void operator()(rte_mempool* pool) const noexcept { rte_mempool_free(pool); }
};
using Ring = std::unique_ptr<rte_ring, FreeRing>;
using Pool = std::unique_ptr<rte_mempool, FreePool>;

Ring make_ring(const std::string& name, unsigned size = kRingSize) {
  Ring ring(rte_ring_create(name.c_str(), size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ));
  EXPECT_TRUE(ring) << rte_strerror(rte_errno);
  return ring;
}

std::size_t index_of(Outcome outcome) {
  return static_cast<std::size_t>(outcome);
}

// A worker between rings, with packets from a real pool: what goes in at `ingress` and `egress`
// comes out at outputs, or is back in the pool.
class WorkerTest : public testing::Test {
 public:
  WorkerTest()
      : pool_(rte_pktmbuf_pool_create("pool", kBuffers, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                      SOCKET_ID_ANY)),
        ingress_(make_ring("ingress")),
        egress_(make_ring("egress")) {
    EXPECT_TRUE(pool_) << rte_strerror(rte_errno);
    for (std::size_t i = 0; i < index_of(Outcome::drop); ++i)
      outputs_[i] = make_ring("output" + std::to_string(i));
  }

  ~WorkerTest() override {
    for (const Ring& output : outputs_)
      for (rte_mbuf* const packet : taken_from(*output)) rte_pktmbuf_free(packet);
    EXPECT_EQ(rte_mempool_avail_count(pool_.get()), kBuffers) << "a packet was lost or freed twice";
  }

 protected:
  Wiring wiring(bool kernel_path = false) {
    Wiring wiring;
    wiring.inputs = {
        ring_input(*ingress_, {.role = Direction::ingress, .kernel_path = kernel_path}),
        ring_input(*egress_, {.role = Direction::egress, .kernel_path = kernel_path})};
    for (std::size_t i = 0; i < index_of(Outcome::drop); ++i)
      wiring.outputs[i] = ring_output(*outputs_[i]);
    wiring.outputs[index_of(Outcome::drop)] = dataplane::dpdk::pool_output();
    return wiring;
  }

  rte_mbuf* packet_of(const Bytes& bytes) {
    rte_mbuf* const packet = rte_pktmbuf_alloc(pool_.get());
    EXPECT_NE(packet, nullptr);
    char* const data = rte_pktmbuf_append(packet, static_cast<std::uint16_t>(bytes.size()));
    if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
    return packet;
  }

  void arrive(rte_ring& at, const Bytes& bytes) {
    ASSERT_EQ(rte_ring_enqueue(&at, packet_of(bytes)), 0);
  }

  std::vector<rte_mbuf*> taken_from(rte_ring& ring) {
    std::vector<rte_mbuf*> packets;
    void* packet = nullptr;
    while (rte_ring_dequeue(&ring, &packet) == 0) packets.push_back(static_cast<rte_mbuf*>(packet));
    return packets;
  }

  // The packets in an output, which go back to the pool.
  std::vector<Bytes> sent_to(Outcome outcome) {
    std::vector<Bytes> sent;
    for (rte_mbuf* const packet : taken_from(*outputs_[index_of(outcome)])) {
      Bytes bytes(packet->pkt_len);
      std::vector<std::uint8_t> scratch(packet->pkt_len);
      const void* const data = rte_pktmbuf_read(packet, 0, packet->pkt_len, scratch.data());
      std::memcpy(bytes.data(), data, bytes.size());
      sent.push_back(bytes);
      rte_pktmbuf_free(packet);
    }
    return sent;
  }

  Pool pool_;
  Ring ingress_;
  Ring egress_;
  std::array<Ring, dataplane::kOutcomes - 1> outputs_;
};

std::unique_ptr<const Table> examples(std::uint64_t generation = 1) {
  return std::make_unique<const Table>(
      support::table_of({{"203.0.113.0/24", Service::magic_transit},
                         {"203.0.113.1/32", Service::cdn},
                         {"203.0.113.2/32", Service::spectrum}},
                        {}, generation));
}

Bytes to(std::string_view destination, std::uint16_t mark = 0) {
  return support::ethernet(0x0800, support::ipv4({.destination = support::v4(destination)},
                                                 support::udp({.source = mark})));
}

void poll_once(Worker& worker) {
  worker.reader().online();
  worker.poll();
  worker.reader().offline();
}

Volume total(const Worker& worker) {
  Volume sum;
  for (std::size_t v = 0; v < dataplane::kVerdicts; ++v)
    sum += worker.counters().of(static_cast<Verdict>(v)).read();
  return sum;
}

TEST_F(WorkerTest, HoldsTheExamplesOfTheSpecification) {
  for (const support::Example& example : support::examples()) {
    Publisher publisher(1, std::make_unique<const Table>(support::table_of(example.bindings)));
    Worker worker(0, wiring(), publisher, 3);
    const Bytes packet = support::packet_of(example);
    arrive(example.direction == Direction::ingress ? *ingress_ : *egress_, packet);
    poll_once(worker);
    for (const Outcome outcome :
         {Outcome::magic_transit, Outcome::cdn, Outcome::spectrum, Outcome::kernel}) {
      const std::vector<Bytes> expected(outcome == example.outcome ? 1 : 0, packet);
      EXPECT_EQ(sent_to(outcome), expected) << example.description;
    }
  }
}

TEST_F(WorkerTest, CountsEachPacketOnce) {
  Publisher publisher(1, examples());
  Worker worker(0, wiring(), publisher, 3);
  for (const char* const destination : {"203.0.113.1", "203.0.113.2", "203.0.113.3", "192.0.2.1"}) {
    arrive(*ingress_, to(destination));
    arrive(*egress_, to(destination));
  }
  poll_once(worker);
  EXPECT_EQ(sent_to(Outcome::cdn), std::vector<Bytes>{to("203.0.113.1")});
  EXPECT_EQ(sent_to(Outcome::spectrum), std::vector<Bytes>{to("203.0.113.2")});
  const std::vector<Bytes> magic_transit{to("203.0.113.3"), to("203.0.113.1"), to("203.0.113.2"),
                                         to("203.0.113.3"), to("192.0.2.1")};
  EXPECT_EQ(sent_to(Outcome::magic_transit), magic_transit);
  EXPECT_TRUE(sent_to(Outcome::kernel).empty());
  const auto& counters = worker.counters();
  EXPECT_EQ(counters.of(Verdict::drop_unmatched).read().packets, 1U);
  EXPECT_EQ(counters.of(Verdict::magic_transit_egress_inside).read().packets, 3U);
  EXPECT_EQ(counters.of(Verdict::magic_transit_egress_outside).read().packets, 1U);
  EXPECT_EQ(counters.received().read().packets, 8U);
  EXPECT_EQ(total(worker), counters.received().read());
  for (std::uint32_t binding = 1; binding <= 3; ++binding)
    EXPECT_EQ(counters.of_binding(binding).read(), (Volume{1, 42})) << binding;
}

TEST_F(WorkerTest, GivesTheKernelItsPackets) {
  Publisher publisher(1, examples());
  Worker worker(0, wiring(true), publisher, 3);
  const Bytes arp = support::ethernet(0x0806, Bytes(28));
  arrive(*ingress_, arp);
  arrive(*ingress_, to("192.0.2.1"));
  poll_once(worker);
  EXPECT_EQ(sent_to(Outcome::kernel), (std::vector<Bytes>{arp, to("192.0.2.1")}));
  EXPECT_EQ(total(worker).packets, 2U);
}

TEST_F(WorkerTest, AFullQueueLosesOnlyItsOwnServicesPackets) {
  outputs_[index_of(Outcome::cdn)].reset();
  outputs_[index_of(Outcome::cdn)] = make_ring("small", 16);  // has room for 15
  Publisher publisher(1, examples());
  Worker worker(0, wiring(), publisher, 3);
  for (std::uint16_t mark = 0; mark < 20; ++mark)
    for (const char* const destination : {"203.0.113.1", "203.0.113.2", "203.0.113.3"})
      arrive(*ingress_, to(destination, mark));
  poll_once(worker);
  std::vector<Bytes> first_15;
  for (std::uint16_t mark = 0; mark < 15; ++mark) first_15.push_back(to("203.0.113.1", mark));
  EXPECT_EQ(sent_to(Outcome::cdn), first_15);
  EXPECT_EQ(sent_to(Outcome::spectrum).size(), 20U);
  EXPECT_EQ(sent_to(Outcome::magic_transit).size(), 20U);
  const auto& counters = worker.counters();
  EXPECT_EQ(counters.of(Verdict::cdn_bound).read(), (Volume{15, std::uint64_t{15} * 42}));
  EXPECT_EQ(counters.of(Verdict::drop_cdn_queue_full).read(), (Volume{5, std::uint64_t{5} * 42}));
  EXPECT_EQ(counters.of(Verdict::drop_spectrum_queue_full).read(), Volume());
  EXPECT_EQ(total(worker), counters.received().read());
}

TEST_F(WorkerTest, AnOutputThatIsNotThereIsFull) {
  Wiring without_spectrum = wiring();
  without_spectrum.outputs[index_of(Outcome::spectrum)] = {};
  Publisher publisher(1, examples());
  Worker worker(0, std::move(without_spectrum), publisher, 3);
  arrive(*ingress_, to("203.0.113.2"));
  poll_once(worker);
  EXPECT_EQ(worker.counters().of(Verdict::drop_spectrum_queue_full).read().packets, 1U);
}

TEST_F(WorkerTest, KeepsTheOrderOfAFlow) {
  Publisher publisher(1, examples());
  Worker worker(0, wiring(), publisher, 3);
  std::vector<Bytes> flow;
  for (std::uint16_t mark = 0; mark < 300; ++mark) {
    flow.push_back(to("203.0.113.1", mark));
    arrive(*ingress_, flow.back());
    arrive(*ingress_, to("203.0.113.9", mark));
  }
  for (int round = 0; round < 12; ++round) poll_once(worker);
  EXPECT_EQ(sent_to(Outcome::cdn), flow);
}

TEST_F(WorkerTest, FindsHeadersThatSpanSegments) {
  Publisher publisher(1, examples());
  Worker worker(0, wiring(), publisher, 3);
  const Bytes frame = to("203.0.113.1");
  for (std::size_t split = 1; split < frame.size(); ++split) {
    const auto at = frame.begin() + static_cast<std::ptrdiff_t>(split);
    rte_mbuf* const head = packet_of(Bytes(frame.begin(), at));
    ASSERT_EQ(rte_pktmbuf_chain(head, packet_of(Bytes(at, frame.end()))), 0);
    ASSERT_EQ(rte_ring_enqueue(ingress_.get(), head), 0);
  }
  poll_once(worker);
  EXPECT_EQ(sent_to(Outcome::cdn), std::vector<Bytes>(frame.size() - 1, frame));
}

TEST_F(WorkerTest, BelievesTheHardwareAboutChecksums) {
  dataplane::Settings settings;
  settings.verify_checksum = true;
  Publisher publisher(1, std::make_unique<const Table>(
                             support::table_of({{"203.0.113.0/24", Service::cdn}}, settings)));
  Worker worker(0, wiring(), publisher, 1);
  constexpr std::uint64_t kFlags[] = {RTE_MBUF_F_RX_IP_CKSUM_BAD, RTE_MBUF_F_RX_IP_CKSUM_GOOD, 0};
  for (const std::uint64_t flag : kFlags) {
    rte_mbuf* const packet = packet_of(to("203.0.113.1"));
    packet->ol_flags |= flag;
    ASSERT_EQ(rte_ring_enqueue(ingress_.get(), packet), 0);
  }
  poll_once(worker);
  EXPECT_EQ(worker.counters().of(Verdict::drop_ip_checksum).read().packets, 1U);
  EXPECT_EQ(sent_to(Outcome::cdn).size(), 2U);
}

TEST_F(WorkerTest, ShowsAnObserverWhatItDecided) {
  std::vector<Verdict> seen;
  Wiring observed = wiring();
  observed.observer = {
      .observe =
          [](void* self, rte_mbuf* const*, const dataplane::Decision* decisions,
             std::uint16_t count) {
            for (std::uint16_t i = 0; i < count; ++i)
              static_cast<std::vector<Verdict>*>(self)->push_back(decisions[i].verdict);
          },
      .context = &seen};
  Publisher publisher(1, examples());
  Worker worker(0, std::move(observed), publisher, 3);
  arrive(*ingress_, to("203.0.113.1"));
  arrive(*ingress_, to("192.0.2.1"));
  poll_once(worker);
  EXPECT_EQ(seen, (std::vector<Verdict>{Verdict::cdn_bound, Verdict::drop_unmatched}));
}

// Ports instead of rings: DPDK's ring driver, as a NIC's stand-in.
TEST_F(WorkerTest, WorksBetweenPortsOfDpdk) {
  std::map<std::string, std::uint16_t> ports;
  const auto make_port = [&](const std::string& name, rte_ring* ring) {
    const int port = rte_eth_from_rings(name.c_str(), &ring, 1, &ring, 1, kAnySocket);
    ASSERT_GE(port, 0);
    const auto id = static_cast<std::uint16_t>(port);
    const rte_eth_conf configuration{};
    ASSERT_EQ(rte_eth_dev_configure(id, 1, 1, &configuration), 0);
    ASSERT_EQ(rte_eth_rx_queue_setup(id, 0, 64, kAnySocket, nullptr, pool_.get()), 0);
    ASSERT_EQ(rte_eth_tx_queue_setup(id, 0, 64, kAnySocket, nullptr), 0);
    ASSERT_EQ(rte_eth_dev_start(id), 0);
    ports[name] = id;
  };
  make_port("in", ingress_.get());
  make_port("mt", outputs_[index_of(Outcome::magic_transit)].get());
  make_port("cdn", outputs_[index_of(Outcome::cdn)].get());
  {
    dataplane::dpdk::PortQueue in{.port = ports["in"]};
    dataplane::dpdk::PortQueue magic_transit{.port = ports["mt"]};
    dataplane::dpdk::PortQueue cdn{.port = ports["cdn"]};
    Wiring between_ports = wiring();
    between_ports.inputs = {port_input(in, {})};
    between_ports.outputs[index_of(Outcome::magic_transit)] = port_output(magic_transit);
    between_ports.outputs[index_of(Outcome::cdn)] = port_output(cdn);
    Publisher publisher(1, examples());
    Worker worker(0, std::move(between_ports), publisher, 3);
    arrive(*ingress_, to("203.0.113.1"));
    arrive(*ingress_, to("203.0.113.7"));
    poll_once(worker);
  }
  EXPECT_EQ(sent_to(Outcome::cdn), std::vector<Bytes>{to("203.0.113.1")});
  EXPECT_EQ(sent_to(Outcome::magic_transit), std::vector<Bytes>{to("203.0.113.7")});
  for (const auto& [name, port] : ports) {
    rte_eth_dev_stop(port);
    rte_eth_dev_close(port);
  }
}

// One address moves between CDN and Spectrum while packets for it arrive: none is lost, none goes
// anywhere else, and once a table is active no packet that comes then is decided by the one before.
TEST_F(WorkerTest, LosesNoPacketWhileTablesAreSwapped) {
  constexpr std::uint64_t kGenerations = 400;
  constexpr std::uint64_t kPacketsPerGeneration = 50;
  const auto table = [](std::uint64_t generation) {
    const Service service = generation % 2 == 0 ? Service::cdn : Service::spectrum;
    return std::make_unique<const Table>(support::table_of(
        {{"203.0.113.0/24", Service::magic_transit}, {"203.0.113.1/32", service}}, {}, generation));
  };
  Publisher publisher(1, table(1));
  Worker worker(0, wiring(), publisher, 2);
  std::atomic<bool> stop{false};
  std::thread lcore([&] { worker.run(stop); });
  std::uint64_t sent = 0;
  std::uint64_t misdirected = 0;
  std::array<std::uint64_t, 2> arrived{};  // at CDN and Spectrum
  const auto drain = [&] {
    arrived[0] += sent_to(Outcome::cdn).size();
    arrived[1] += sent_to(Outcome::spectrum).size();
    misdirected += sent_to(Outcome::magic_transit).size();
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  const auto is_late = [&] { return std::chrono::steady_clock::now() > deadline; };
  const auto drain_all = [&] {
    while (arrived[0] + arrived[1] + misdirected < sent && !is_late()) drain();
  };
  for (std::uint64_t generation = 2; generation <= kGenerations && !is_late(); ++generation) {
    publisher.publish(table(generation));
    // Packets that race with the change may take either service, and no third way.
    for (std::uint64_t i = 0; i < kPacketsPerGeneration; ++i, ++sent)
      arrive(*ingress_, to("203.0.113.1"));
    while (publisher.reclaim() < generation && !is_late()) std::this_thread::yield();
    drain_all();
    // Now it is active: every packet that comes takes the new service.
    const std::size_t active = generation % 2 == 0 ? 0 : 1;
    const std::uint64_t before = arrived[active];
    for (std::uint64_t i = 0; i < kPacketsPerGeneration; ++i, ++sent)
      arrive(*ingress_, to("203.0.113.1"));
    drain_all();
    EXPECT_EQ(arrived[active], before + kPacketsPerGeneration) << "generation " << generation;
  }
  stop = true;
  lcore.join();
  EXPECT_FALSE(is_late()) << "packets were lost, or a table never became active";
  EXPECT_EQ(misdirected, 0U);
  EXPECT_EQ(worker.counters().received().read().packets, sent);
  EXPECT_EQ(total(worker), worker.counters().received().read());
}

// What an output rewrites; worker 0 with one packet to each service.
dataplane::Rewrite to_next_hop(std::uint32_t mtu = 1500) {
  return {.destination = {2, 0, 0, 0, 0, 0xd}, .source = {2, 0, 0, 0, 0, 5}, .mtu = mtu};
}

TEST_F(WorkerTest, RewritesOnlyForTheOutputThatAsksForIt) {
  const dataplane::Rewrite rewrite = to_next_hop();
  Wiring rewriting = wiring();
  rewriting.outputs[index_of(Outcome::cdn)].rewrite = &rewrite;
  Publisher publisher(1, examples());
  Worker worker(0, std::move(rewriting), publisher, 3);
  const Bytes tagged = support::ethernet(
      0x8100, support::tag(9, 0x0800, support::ipv4({}, support::udp({.source = 5}))));
  arrive(*ingress_, to("203.0.113.1"));
  arrive(*ingress_, tagged);
  arrive(*ingress_, to("203.0.113.2"));
  poll_once(worker);
  const std::vector<Bytes> cdn = sent_to(Outcome::cdn);
  ASSERT_EQ(cdn.size(), 2U);
  const Bytes link{2, 0, 0, 0, 0, 0xd, 2, 0, 0, 0, 0, 5, 8, 0};
  for (const Bytes& frame : cdn) {
    EXPECT_EQ(Bytes(frame.begin(), frame.begin() + 14), link);
    EXPECT_EQ(frame.size(), 42U);
    EXPECT_EQ(frame[14 + 8], 63);
  }
  EXPECT_EQ(sent_to(Outcome::spectrum), std::vector<Bytes>{to("203.0.113.2")}) << "byte for byte";
  EXPECT_EQ(total(worker), worker.counters().received().read());
}

TEST_F(WorkerTest, AddsATagInFrontOfTheHeader) {
  dataplane::Rewrite rewrite = to_next_hop();
  rewrite.vlan = 7;
  Wiring rewriting = wiring();
  rewriting.outputs[index_of(Outcome::cdn)].rewrite = &rewrite;
  Publisher publisher(1, examples());
  Worker worker(0, std::move(rewriting), publisher, 3);
  // Also where the header lies in two segments.
  const Bytes frame = to("203.0.113.1");
  for (const std::size_t split : {std::size_t{15}, std::size_t{20}, std::size_t{40}}) {
    const auto at = frame.begin() + static_cast<std::ptrdiff_t>(split);
    rte_mbuf* const head = packet_of(Bytes(frame.begin(), at));
    ASSERT_EQ(rte_pktmbuf_chain(head, packet_of(Bytes(at, frame.end()))), 0);
    ASSERT_EQ(rte_ring_enqueue(ingress_.get(), head), 0);
  }
  poll_once(worker);
  const std::vector<Bytes> sent = sent_to(Outcome::cdn);
  ASSERT_EQ(sent.size(), 3U);
  for (const Bytes& out : sent) {
    EXPECT_EQ(out.size(), frame.size() + 4);
    EXPECT_EQ(Bytes(out.begin() + 12, out.begin() + 18), (Bytes{0x81, 0, 0, 7, 8, 0}));
    EXPECT_TRUE(std::equal(out.begin() + 30, out.end(), frame.begin() + 26)) << "addresses on";
  }
}

TEST_F(WorkerTest, WhatCannotBeForwardedIsCountedByWhy) {
  const dataplane::Rewrite rewrite = to_next_hop(100);
  Bytes expired = to("203.0.113.1");
  expired[14 + 8] = 1;
  const Bytes big = support::ethernet(0x0800, support::ipv4({}, Bytes(81)));
  for (const bool kernel_path : {false, true}) {
    Wiring rewriting = wiring(kernel_path);
    rewriting.outputs[index_of(Outcome::cdn)].rewrite = &rewrite;
    Publisher publisher(1, examples());
    Worker worker(0, std::move(rewriting), publisher, 3);
    arrive(*ingress_, expired);
    arrive(*ingress_, big);
    arrive(*ingress_, to("203.0.113.1"));
    poll_once(worker);
    const auto& counters = worker.counters();
    EXPECT_EQ(counters.of(Verdict::drop_ttl_expired).read().packets, kernel_path ? 0U : 1U);
    EXPECT_EQ(counters.of(Verdict::drop_cdn_too_big).read().packets, kernel_path ? 0U : 1U);
    EXPECT_EQ(sent_to(Outcome::kernel),
              kernel_path ? (std::vector<Bytes>{expired, big}) : std::vector<Bytes>());
    EXPECT_EQ(sent_to(Outcome::cdn).size(), 1U);
    EXPECT_EQ(total(worker), counters.received().read());
  }
}

TEST_F(WorkerTest, AnswersThatAPacketIsTooBig) {
  const dataplane::Rewrite rewrite = to_next_hop(100);
  const Ring back = make_ring("back");
  dataplane::dpdk::Answering answering{.pool = pool_.get(),
                                       .back = ring_output(*back),
                                       .from = {.v4 = support::v4("192.0.2.2"), .v6 = {}}};
  Wiring rewriting = wiring();
  rewriting.outputs[index_of(Outcome::cdn)].rewrite = &rewrite;
  rewriting.inputs[0].answering = &answering;
  Publisher publisher(1, examples());
  Worker worker(0, std::move(rewriting), publisher, 3);
  for (int i = 0; i < 200; ++i)
    arrive(*ingress_, support::ethernet(0x0800, support::ipv4({}, Bytes(81))));
  for (int round = 0; round < 4; ++round) poll_once(worker);
  EXPECT_EQ(worker.counters().of(Verdict::drop_cdn_too_big).read().packets, 200U);
  const std::vector<rte_mbuf*> answers = taken_from(*back);
  EXPECT_EQ(answers.size(), worker.progress().answers.load());
  EXPECT_GE(answers.size(), 64U);
  EXPECT_LT(answers.size(), 200U) << "more than the limit allows at once";
  for (rte_mbuf* const answer : answers) {
    EXPECT_EQ(*rte_pktmbuf_mtod_offset(answer, const std::uint8_t*, 34), 3);
    rte_pktmbuf_free(answer);
  }
  EXPECT_EQ(total(worker), worker.counters().received().read());
}

TEST_F(WorkerTest, AnOutputThatIsDownLosesOnlyItsOwnServicesPackets) {
  for (const bool to_magic_transit : {false, true}) {
    dataplane::dpdk::Condition cdn;
    dataplane::dpdk::Condition spectrum;
    cdn.set({.is_up = false});
    spectrum.set({.is_up = true, .is_resolved = false});
    Wiring down = wiring();
    down.down_to_magic_transit = to_magic_transit;
    down.outputs[index_of(Outcome::cdn)].condition = &cdn;
    down.outputs[index_of(Outcome::spectrum)].condition = &spectrum;
    Publisher publisher(1, examples());
    Worker worker(0, std::move(down), publisher, 3);
    for (const char* const destination : {"203.0.113.1", "203.0.113.2", "203.0.113.3"})
      arrive(*ingress_, to(destination));
    poll_once(worker);
    const auto& counters = worker.counters();
    const auto count = [&](Verdict verdict) { return counters.of(verdict).read().packets; };
    EXPECT_EQ(count(Verdict::drop_cdn_down), to_magic_transit ? 0U : 1U);
    EXPECT_EQ(count(Verdict::drop_spectrum_unresolved), to_magic_transit ? 0U : 1U);
    EXPECT_EQ(count(Verdict::magic_transit_output_down), to_magic_transit ? 2U : 0U);
    EXPECT_EQ(sent_to(Outcome::magic_transit).size(), to_magic_transit ? 3U : 1U);
    EXPECT_EQ(total(worker), counters.received().read());
    // Up again: packets flow, nothing was kept.
    cdn.set({});
    arrive(*ingress_, to("203.0.113.1", 9));
    poll_once(worker);
    EXPECT_EQ(sent_to(Outcome::cdn), std::vector<Bytes>{to("203.0.113.1", 9)});
  }
}

TEST_F(WorkerTest, TheNextHopIsThatOfTheCondition) {
  const dataplane::Rewrite rewrite = to_next_hop();
  dataplane::dpdk::Condition condition;
  Wiring rewriting = wiring();
  rewriting.outputs[index_of(Outcome::cdn)].rewrite = &rewrite;
  rewriting.outputs[index_of(Outcome::cdn)].condition = &condition;
  Publisher publisher(1, examples());
  Worker worker(0, std::move(rewriting), publisher, 3);
  for (const std::uint8_t last : {std::uint8_t{1}, std::uint8_t{0xff}}) {
    const dataplane::MacAddress next_hop{0xfe, 0x80, 0x7f, 0, 0xff, last};
    condition.set({.next_hop = next_hop});
    EXPECT_EQ(condition.get().next_hop, next_hop);
    EXPECT_TRUE(condition.get().is_up && condition.get().is_resolved);
    arrive(*ingress_, to("203.0.113.1"));
    poll_once(worker);
    const std::vector<Bytes> sent = sent_to(Outcome::cdn);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(std::equal(next_hop.begin(), next_hop.end(), sent[0].begin()));
  }
}

TEST_F(WorkerTest, SleepsOfflineAndWakesWhenItIsToEnd) {
  Publisher publisher(1, examples());
  Worker worker(0, wiring(), publisher, 3);
  dataplane::dpdk::Idler idler(dataplane::dpdk::Idler::Mode::sleep);
  std::atomic<bool> stop{false};
  std::thread lcore([&] { worker.run(stop, idler); });
  while (!worker.progress().is_asleep) std::this_thread::yield();
  // Nobody waits for a worker that sleeps.
  publisher.publish(examples(2));
  EXPECT_EQ(publisher.reclaim(), 2U);
  stop = true;
  const auto began = std::chrono::steady_clock::now();
  idler.wake();
  lcore.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(90));
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  dataplane::dpdk::EalOptions options;
  options.program = "dataplane_dpdk_test";
  options.memory_mib = 128;
  const Eal eal(options);
  return RUN_ALL_TESTS();
}

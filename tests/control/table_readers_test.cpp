// SPDX-License-Identifier: BSD-3-Clause
//
// Workers read tables, and count by bindings, while control makes one table after another. What is
// not synchronized here, a thread sanitizer finds.
#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "control/binding_set.hpp"
#include "control/table_maker.hpp"
#include "dataplane/dpdk/publisher.hpp"
#include "dataplane/dpdk/worker.hpp"
#include "tests/control/change_text.hpp"
#include "tests/support/packets.hpp"

namespace {

using change_text::cidr;
using control::BindingSet;
using control::Change;
using control::TableMaker;
using dataplane::Match;
using dataplane::Service;
using dataplane::Table;
using dataplane::dpdk::Publisher;

constexpr std::uint64_t kGenerations = 12'000;
constexpr std::size_t kReaders = 3;
constexpr std::uint64_t kUnreclaimedMax = 64;

// Bindings, what makes their tables, and where these are published: what the daemon has on two
// threads, here on one.
class Control {
 public:
  Control(std::uint32_t bindings_max, const std::vector<Change>& first) : maker_(bindings_max) {
    publisher_ = std::make_unique<Publisher>(kReaders, make(first));
  }

  void apply(const std::vector<Change>& changes) { publisher_->publish(make(changes)); }
  // Gives back what no worker needs, and returns the generation that is active.
  std::uint64_t reclaim() {
    const std::uint64_t active = publisher_->reclaim();
    maker_.reclaim(active);
    return active;
  }
  void await_active(std::uint64_t generation) {
    while (reclaim() < generation) std::this_thread::yield();
  }

  [[nodiscard]] Publisher& publisher() { return *publisher_; }
  [[nodiscard]] TableMaker& maker() { return maker_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

 private:
  std::unique_ptr<const Table> make(const std::vector<Change>& changes) {
    const auto delta = bindings_.apply(changes);
    if (!delta) throw std::invalid_argument(delta.error().front().message);
    auto table = maker_.prepare(*delta, policy_, ++generation_);
    if (!table) throw std::runtime_error(table.error().message);
    maker_.commit();
    return std::move(*table);
  }

  std::shared_ptr<const dataplane::Policy> policy_ =
      std::make_shared<const dataplane::Policy>(dataplane::Settings());
  BindingSet bindings_;
  TableMaker maker_;
  std::uint64_t generation_ = 0;
  std::unique_ptr<Publisher> publisher_;
};

const lpm::AnyPrefix kPrefix4 = cidr("203.0.113.0/24");
const lpm::AnyPrefix kPrefix6 = cidr("2001:db8::/48");
const lpm::AnyPrefix kHost4 = cidr("203.0.113.1/32");
const lpm::AnyPrefix kHost6 = cidr("2001:db8::1/128");

// The two prefixes, a host of each that stays, and prefixes around that make the tables large.
std::vector<Change> first_bindings() {
  std::vector<Change> changes;
  for (const auto& prefix : {kPrefix4, kPrefix6}) {
    changes.push_back(Change::add_prefix(prefix));
    changes.push_back(Change::add_binding({prefix, prefix}, Service::magic_transit));
  }
  changes.push_back(Change::add_binding({kPrefix4, cidr("203.0.113.2/32")}, Service::cdn));
  changes.push_back(Change::add_binding({kPrefix6, cidr("2001:db8::2/128")}, Service::cdn));
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const auto prefix = lpm::Prefix4::enclosing({0x0b000000 + i * 0x00011300}, 24);
    changes.push_back(Change::add_prefix(prefix));
    changes.push_back(Change::add_binding({prefix, prefix}, Service::spectrum));
  }
  return changes;
}

// One binding comes, changes its service and goes, of IPv4 in even generations and of IPv6 in odd
// ones: how often that has happened tells what a generation must say.
std::vector<Change> change_of(std::uint64_t generation) {
  const bool is_ipv4 = generation % 2 == 0;
  const Change::At at = is_ipv4 ? Change::At{kPrefix4, kHost4} : Change::At{kPrefix6, kHost6};
  switch ((is_ipv4 ? generation / 2 : (generation - 1) / 2) % 3) {
    case 1:
      return {Change::add_binding(at, Service::cdn)};
    case 2:
      return {Change::change_service(at, Service::spectrum)};
    default:
      return {Change::remove_binding(at)};
  }
}
Service service_after(std::uint64_t changes) {
  constexpr std::array kServices{Service::magic_transit, Service::cdn, Service::spectrum};
  return kServices[changes % 3];
}

bool is_right(const Table& table) {
  const std::array addresses4{lpm::Address4{0xcb007101}, lpm::Address4{0xcb007102},
                              lpm::Address4{0x0b011301}};
  const std::array addresses6{lpm::Address6{0x20010db800000000, 1},
                              lpm::Address6{0x20010db800000000, 2}};
  std::array<lpm::Value, 3> values4{};
  std::array<lpm::Value, 2> values6{};
  table.trie4().lookup_burst(addresses4, values4);
  table.trie6().lookup_burst(addresses6, values6);
  const std::uint64_t generation = table.generation();
  return Match(values4[0]).service() == service_after(generation / 2) &&
         Match(values6[0]).service() == service_after((generation - 1) / 2) &&
         Match(values4[1]).service() == Service::cdn &&
         Match(values6[1]).service() == Service::cdn &&
         Match(values4[2]).service() == Service::spectrum;
}

TEST(TableReaders, GetTheAnswersOfTheGenerationTheyHold) {
  Control control(10'000, first_bindings());
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> failures{0};
  std::array<std::atomic<std::uint64_t>, kReaders> seen{};
  const auto read = [&](unsigned number) {
    Publisher::Reader reader(control.publisher(), number);
    reader.online();
    std::uint64_t last = 0;
    while (!stop.load()) {
      const Table& table = reader.table();
      if (!is_right(table) || table.generation() < last) ++failures;
      if (table.generation() != last) ++seen[number];
      last = table.generation();
      reader.quiescent();
      if (last % 64 == number) std::this_thread::yield();
    }
    reader.offline();
  };
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < kReaders; ++number) threads.emplace_back(read, number);
  // As telemetry does.
  threads.emplace_back([&] {
    const std::uint32_t number =
        control.maker().numbering().find(cidr("203.0.113.2/32")).value().number;
    while (!stop.load()) {
      const auto stays = control.maker().numbering().find(cidr("203.0.113.2/32"));
      if (!stays || stays->number != number || stays->service != Service::cdn) ++failures;
      const auto comes = control.maker().numbering().find(kHost4);
      if (comes && (comes->number == number || comes->service == Service::magic_transit))
        ++failures;
      std::this_thread::yield();
    }
  });
  while (control.generation() < kGenerations) {
    control.apply(change_of(control.generation() + 1));
    while (control.reclaim() + kUnreclaimedMax < control.generation()) std::this_thread::yield();
  }
  control.await_active(kGenerations);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0U);
  for (const auto& generations : seen) EXPECT_GT(generations, 100U);
  EXPECT_FALSE(control.maker().fib4().verify()) << *control.maker().fib4().verify();
  EXPECT_FALSE(control.maker().fib6().verify()) << *control.maker().fib6().verify();
}

// Packets to some hosts in turn, for ever. Written by the worker's thread, read by anybody.
class Feed {
 public:
  static constexpr std::size_t kHosts = 4;
  static lpm::AnyPrefix host(std::size_t i) {
    return lpm::Prefix4::enclosing({0xcb007100 + 10 + static_cast<std::uint32_t>(i)}, 32);
  }

  Feed() {
    for (std::size_t i = 0; i < kHosts; ++i) {
      const support::Bytes frame = support::ethernet(
          0x0800, support::ipv4({.destination = {0xcb007100 + 10 + static_cast<std::uint32_t>(i)}},
                                support::udp({.destination = 53})));
      rte_mbuf& packet = packets_[i];
      packet.buf_addr = memory_[i].data();
      packet.data_off = RTE_PKTMBUF_HEADROOM;
      packet.nb_segs = 1;
      packet.data_len = static_cast<std::uint16_t>(frame.size());
      packet.pkt_len = packet.data_len;
      std::memcpy(rte_pktmbuf_mtod(&packet, void*), frame.data(), frame.size());
    }
  }

  dataplane::dpdk::Input input() {
    return {.receive =
                [](void* self, rte_mbuf** packets, std::uint16_t count) {
                  return static_cast<Feed*>(self)->receive(packets, count);
                },
            .queue = this,
            .port = {}};
  }
  // To a host, until now.
  [[nodiscard]] std::uint64_t fed(std::size_t i) const { return fed_[i].load(); }

 private:
  std::uint16_t receive(rte_mbuf** packets, std::uint16_t count) {
    for (std::uint16_t k = 0; k < count; ++k) {
      packets[k] = &packets_[next_];
      fed_[next_].fetch_add(1);
      next_ = (next_ + 1) % kHosts;
    }
    return count;
  }

  std::array<std::array<std::uint8_t, 2048>, kHosts> memory_{};
  std::array<rte_mbuf, kHosts> packets_{};
  std::array<std::atomic<std::uint64_t>, kHosts> fed_{};
  std::size_t next_ = 0;
};

// One number for four hosts, which have it in turn while a worker counts by it: none is told of
// more packets than came to it while it was bound.
TEST(TableReaders, CountsOfBindingsThatHaveOneNumberInTurnDoNotMix) {
  std::vector<Change> first{Change::add_prefix(kPrefix4),
                            Change::add_binding({kPrefix4, kPrefix4}, Service::magic_transit)};
  Control control(2, first);
  Feed feed;
  dataplane::dpdk::Wiring wiring;
  wiring.inputs.push_back(feed.input());
  for (auto& output : wiring.outputs)
    output = {.send = [](void*, rte_mbuf**, std::uint16_t count) { return count; },
              .queue = nullptr};
  dataplane::dpdk::Worker worker(0, std::move(wiring), control.publisher(), 2);
  control.maker().numbering().set_count(
      [&worker](std::uint32_t number) { return worker.counters().of_binding(number).read(); });
  std::atomic<bool> stop{false};
  std::thread thread([&] { worker.run(stop); });
  std::uint64_t counted = 0;
  for (std::size_t turn = 0; turn < 400; ++turn) {
    const std::size_t i = turn % Feed::kHosts;
    const Change::At at{kPrefix4, Feed::host(i)};
    const std::uint64_t fed_before = feed.fed(i);
    control.apply({Change::add_binding(at, Service::cdn)});
    control.await_active(control.generation());
    const std::uint64_t fed_from = feed.fed(i);
    while (feed.fed(i) < fed_from + 200) std::this_thread::yield();
    const auto numbered = control.maker().numbering().find(at.cidr);
    ASSERT_TRUE(numbered);
    EXPECT_EQ(numbered->number, 2U);
    // And those of the burst that had been received, but not looked up, when the table came.
    EXPECT_LE(numbered->counted.packets, feed.fed(i) - fed_before + dataplane::kBurstMax)
        << "turn " << turn;
    // All that was fed since the table was active, but for the burst under way and the one before.
    EXPECT_GE(numbered->counted.packets, 200U - 2 * dataplane::kBurstMax) << "turn " << turn;
    counted += numbered->counted.packets;
    control.apply({Change::remove_binding(at)});
    control.await_active(control.generation());
  }
  stop = true;
  thread.join();
  const std::uint64_t in_all = worker.counters().of_binding(2).read().packets;
  EXPECT_GT(counted, 0U);
  EXPECT_LE(counted, in_all) << "what came between the last look and the removal is nobody's";
}

}  // namespace

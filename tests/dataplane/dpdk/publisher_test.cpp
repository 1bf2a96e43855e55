// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/publisher.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/packets.hpp"
#include "tests/support/tables.hpp"

namespace {

using dataplane::Match;
using dataplane::Service;
using dataplane::Table;
using dataplane::dpdk::Publisher;

// Generation g binds 203.0.113.1 to binding number 1 + g % 2.
std::unique_ptr<const Table> make(std::uint64_t generation) {
  if (generation % 2 == 0)
    return std::make_unique<const Table>(
        support::table_of({{"203.0.113.1/32", Service::cdn}}, {}, generation));
  return std::make_unique<const Table>(support::table_of(
      {{"198.51.100.0/24", Service::cdn}, {"203.0.113.1/32", Service::spectrum}}, {}, generation));
}

TEST(Publisher, IsActiveOnlyAfterEveryWorkerPassed) {
  Publisher publisher(2, make(1));
  Publisher::Reader first(publisher, 0);
  Publisher::Reader second(publisher, 1);
  first.online();
  second.online();
  EXPECT_EQ(publisher.reclaim(), 1U);
  publisher.publish(make(2));
  EXPECT_EQ(first.table().generation(), 2U) << "visible at once";
  EXPECT_EQ(publisher.reclaim(), 1U);
  first.quiescent();
  EXPECT_EQ(publisher.reclaim(), 1U) << "the second worker may still read the old table";
  second.quiescent();
  EXPECT_EQ(publisher.reclaim(), 2U);
  first.offline();
  second.offline();
}

TEST(Publisher, DoesNotWaitForWorkersThatSleep) {
  Publisher publisher(2, make(1));
  Publisher::Reader awake(publisher, 0);
  Publisher::Reader asleep(publisher, 1);
  awake.online();
  publisher.publish(make(2));
  publisher.publish(make(3));
  awake.quiescent();
  EXPECT_EQ(publisher.reclaim(), 3U);
  asleep.online();
  EXPECT_EQ(asleep.table().generation(), 3U);
  asleep.offline();
  awake.offline();
}

TEST(Publisher, RefusesNumbersOfWorkersThatRcuCannotServe) {
  EXPECT_THROW(Publisher(0, make(1)), std::runtime_error);
}

// Readers spin while tables change: each sees generations that only grow, and whole tables.
TEST(Publisher, AReaderNeverSeesATableThatIsHalfOneAndHalfAnother) {
  constexpr std::uint64_t kGenerations = 3000;
  Publisher publisher(2, make(1));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> failures{0};
  const auto read = [&](unsigned number) {
    Publisher::Reader reader(publisher, number);
    reader.online();
    std::uint64_t last = 0;
    while (!stop.load()) {
      const Table& table = reader.table();
      const Match match(table.trie4().lookup(support::v4("203.0.113.1")));
      const bool is_right = table.generation() % 2 == 0 ? match == Match::of(Service::cdn, 1)
                                                        : match == Match::of(Service::spectrum, 2);
      if (!is_right || table.generation() < last) ++failures;
      last = table.generation();
      reader.quiescent();
    }
    reader.offline();
  };
  std::vector<std::thread> readers;
  for (unsigned number = 0; number < 2; ++number) readers.emplace_back(read, number);
  for (std::uint64_t generation = 2; generation <= kGenerations; ++generation) {
    publisher.publish(make(generation));
    if (generation % 16 == 0)
      while (publisher.reclaim() < generation) std::this_thread::yield();
  }
  while (publisher.reclaim() < kGenerations) std::this_thread::yield();
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(failures, 0U);
}

}  // namespace

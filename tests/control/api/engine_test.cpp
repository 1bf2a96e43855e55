// SPDX-License-Identifier: BSD-3-Clause
//
// Durability, and what failures leave behind.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/control/api/harness.hpp"

namespace {

using namespace api_test;
using control::api::Method;
using support::FaultVfs;

class Durability : public ApiTest {
 protected:
  Durability() {
    prefix_ = make_prefix("203.0.113.0/24");
    make_binding(prefix_, "203.0.113.0/24", kMagicTransit);
  }
  std::string host(int n) const { return "203.0.113." + std::to_string(n) + "/32"; }

  std::string prefix_;
};

TEST_F(Durability, NoReplyLeavesBeforeItsFlushReturned) {
  std::atomic<bool> may_go{false};
  std::atomic<int> waiting{0};
  FaultVfs::instance().on_sync([&] {
    ++waiting;
    while (!may_go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return SQLITE_OK;
  });
  int replies = 0;
  const auto count = [&](Reply&&) { ++replies; };
  send(Method::post, bindings(prefix_), binding_body(host(1), kCdn), {}, count);
  while (waiting == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // A reader that comes meanwhile would see what is not durable.
  send(Method::get, bindings(prefix_), "", {}, count);
  const std::uint64_t before = steering_.published;
  EXPECT_FALSE(loop_.run_one(std::chrono::milliseconds(50)));
  EXPECT_EQ(replies, 0);
  EXPECT_EQ(steering_.published, before) << "published before it was durable";
  may_go = true;
  while (replies < 2) ASSERT_TRUE(loop_.run_one());
  EXPECT_EQ(steering_.published, before + 1);
}

TEST_F(Durability, WhatWaitsTogetherIsCommittedTogether) {
  std::atomic<bool> may_go{false};
  std::atomic<int> waiting{0};
  FaultVfs::instance().on_sync([&] {
    ++waiting;
    while (!may_go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return SQLITE_OK;
  });
  int created = 0;
  const auto count = [&](Reply&& reply) { created += reply.status == 201 ? 1 : 0; };
  constexpr int kMany = 50;
  const std::uint64_t publications = steering_.publications;
  send(Method::post, bindings(prefix_), binding_body(host(1), kCdn), {}, count);
  while (waiting == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (int n = 2; n <= kMany; ++n)
    send(Method::post, bindings(prefix_), binding_body(host(n), kCdn), {}, count);
  const std::uint64_t syncs = FaultVfs::instance().syncs();
  may_go = true;
  while (created < kMany) ASSERT_TRUE(loop_.run_one());
  EXPECT_EQ(steering_.publications, publications + 2);
  EXPECT_LE(FaultVfs::instance().syncs() - syncs, 4U);
  expect_store_equals_table();
}

TEST_F(Durability, AStoreThatFailsIsA503ThatChangesNothing) {
  const auto refused = [&](int n) {
    const Reply reply = post(bindings(prefix_), binding_body(host(n), kCdn));
    EXPECT_EQ(reply.status, 503U);
    EXPECT_EQ(reply.code(), 10503);
    EXPECT_EQ(reply.response.retry_after_s, 1U);
    return reply.message();
  };
  const std::uint64_t before = steering_.published;
  FaultVfs::instance().on_sync([] { return SQLITE_IOERR_FSYNC; });
  EXPECT_NE(refused(1).find("check the disk"), std::string::npos);
  FaultVfs::instance().on_sync([] { return SQLITE_FULL; });
  EXPECT_NE(refused(1).find("the disk is full"), std::string::npos);
  FaultVfs::instance().clear();
  FaultVfs::instance().on_write([] { return SQLITE_READONLY; });
  EXPECT_NE(refused(1).find("it cannot be written"), std::string::npos);
  EXPECT_EQ(get(bindings(prefix_)).result().size(), 1U) << "it can be read meanwhile";
  EXPECT_EQ(steering_.published, before);
  FaultVfs::instance().clear();
  EXPECT_FALSE(complaints_.empty());
  make_binding(prefix_, host(1), kCdn);
  expect_store_equals_table();
}

TEST_F(Durability, ATableThatCannotBeMadeRefusesTheChange) {
  steering_.refusal = "no memory";
  const std::uint64_t syncs = FaultVfs::instance().syncs();
  const Reply refused = post(bindings(prefix_), binding_body(host(1), kCdn));
  EXPECT_EQ(refused.status, 503U);
  EXPECT_NE(refused.message().find("no memory"), std::string::npos);
  EXPECT_EQ(FaultVfs::instance().syncs(), syncs) << "before anything is durable";
  steering_.refusal.clear();
  expect_store_equals_table();
  make_binding(prefix_, host(1), kCdn);
  expect_store_equals_table();
}

TEST_F(Durability, ARestartFindsWhatWasAcknowledged) {
  const std::string id = make_binding(prefix_, host(1), kSpectrum);
  const Reply before = get(bindings(prefix_) + "/" + id);
  stop();
  start();
  EXPECT_EQ(get(bindings(prefix_) + "/" + id).body, before.body);
  expect_store_equals_table();
}

// Random requests, of which some meet a store that fails; in the end, memory, store and table
// agree.
TEST_F(Durability, StateStoreAndTableAgreeAfterRandomFailures) {
  unsigned seed = 7;
  const auto random = [&seed](unsigned below) {
    seed = seed * 1'664'525U + 1'013'904'223U;
    return (seed >> 8) % below;
  };
  constexpr const char* kServices[] = {kMagicTransit, kCdn, kSpectrum};
  int failures = 0;
  int pending = 0;
  for (int round = 0; round < 400; ++round) {
    const bool fails = random(4) == 0;
    FaultVfs::instance().on_sync([fails] { return fails ? SQLITE_FULL : SQLITE_OK; });
    for (unsigned i = random(8); i-- > 0;) {
      ++pending;
      const auto done = [&](Reply&& reply) {
        --pending;
        failures += reply.status == 503 ? 1 : 0;
      };
      const std::string block = "203.0.113." + std::to_string(random(8) * 16) + "/" +
                                std::to_string(28 + random(4) / 3 * 4);
      if (random(3) != 0) {
        send(Method::post, bindings(prefix_), binding_body(block, kServices[random(3)]), {}, done);
        continue;
      }
      const json rows = get(bindings(prefix_)).result();
      if (rows.empty()) {
        --pending;
        continue;
      }
      const std::string id = rows.at(random(static_cast<unsigned>(rows.size()))).at("id");
      send(Method::del, bindings(prefix_) + "/" + id, "", {}, done);
    }
    while (pending > 0) {
      ASSERT_TRUE(loop_.run_one());
      api_->set_active(steering_.published);
    }
    FaultVfs::instance().clear();
    if (round % 20 == 0) expect_store_equals_table();
    json listed = json::object();
    const json rows = get(bindings(prefix_)).result();
    for (const json& row : rows) listed[row.at("cidr")] = row.at("service_name");
    EXPECT_EQ(listed.size(), steering_.in_force.binding_count());
  }
  EXPECT_GT(failures, 20);
  expect_store_equals_table();
}

}  // namespace

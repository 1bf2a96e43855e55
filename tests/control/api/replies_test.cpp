// SPDX-License-Identifier: BSD-3-Clause
//
// Many replies, and large ones: memory, and the time of the control thread, stay bounded.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/control/api/harness.hpp"

namespace {

using namespace api_test;
using control::api::Method;
using support::FaultVfs;

constexpr int kHosts = 100;

class Replies : public ApiTest {
 protected:
  Replies() {
    prefix_ = make_prefix("203.0.113.0/24");
    make_binding(prefix_, "203.0.113.0/24", kMagicTransit);
    for (int n = 0; n < kHosts; ++n) ids_.push_back(make_binding(prefix_, host(n), kCdn));
    listing_bytes_ = get(bindings(prefix_)).response.body.size();
  }
  static std::string host(int n) { return "203.0.113." + std::to_string(n) + "/32"; }

  // From now on with these limits, as multiples of one listing.
  void restart_with(std::size_t untaken, std::size_t of_group) {
    stop();
    options_.engine.reply_bytes_max = untaken * listing_bytes_;
    options_.engine.group_reply_bytes_max = of_group * listing_bytes_;
    start();
  }
  // Asks for the listing; the client keeps what it gets, untaken.
  unsigned list_and_leave(const char* token) {
    std::optional<unsigned> status;
    leave(token, [&](const api::Response& response) { status = response.status; });
    while (!status && loop_.run_one()) {
    }
    return status.value_or(0);
  }
  void leave(const char* token, const std::function<void(const api::Response&)>& seen) {
    api::Request head{.method = Method::get,
                      .target = bindings(prefix_),
                      .authorization = std::string("Bearer ") + token,
                      .auth_key = {},
                      .allow = {},
                      .if_match = {},
                      .body = {}};
    auto admitted = api_->admit(std::move(head), api::Api::Clock::now());
    ASSERT_TRUE(admitted);
    api_->perform(std::move(admitted->job), [this, seen](api::Response&& response) {
      seen(response);
      untaken_.push_back(std::move(response));
    });
  }

  std::string prefix_;
  std::vector<std::string> ids_;
  std::size_t listing_bytes_ = 0;
  std::vector<api::Response> untaken_;
};

TEST_F(Replies, AClientThatTakesNoneOfItsListingsRunsIntoALimitNotOutOfMemory) {
  restart_with(8, 1000);
  std::size_t bytes = 0;
  unsigned last = 200;
  for (int n = 0; n < 100 && last == 200; ++n) last = list_and_leave(kReader);
  ASSERT_EQ(last, 503U);
  EXPECT_EQ(untaken_.back().retry_after_s, 1U);
  for (const api::Response& response : untaken_) bytes += response.body.size();
  EXPECT_LE(bytes, 6 * listing_bytes_) << "half of the limit, and one";
  EXPECT_EQ(list_and_leave(kWriter), 200U) << "another token is served";
  untaken_.clear();
  EXPECT_EQ(list_and_leave(kReader), 200U) << "what was taken does not count";
}

TEST_F(Replies, AFloodOfListingsDoesNotKeepOutWhoeverHasToChangeSomething) {
  restart_with(4, 1000);
  while (list_and_leave(kReader) == 200) {
  }
  while (list_and_leave(kWriter) == 200) {
  }
  EXPECT_EQ(get(bindings(prefix_)).status, 503U);
  EXPECT_EQ(post(bindings(prefix_), binding_body(host(200), kCdn)).status, 201U);
  EXPECT_EQ(get("/steer/v1/status").status, 200U);
}

TEST_F(Replies, ManyListingsAskedForAtOnceAreNotAllMadeAtOnce) {
  restart_with(1000, 3);
  std::atomic<bool> may_go{false};
  std::atomic<int> waiting{0};
  FaultVfs::instance().on_sync([&] {
    ++waiting;
    while (!may_go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return SQLITE_OK;
  });
  send(Method::post, bindings(prefix_), binding_body(host(200), kCdn), {}, [](Reply&&) {});
  while (waiting == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // Wait together for the store thread.
  constexpr int kMany = 20;
  int replies = 0;
  for (int n = 0; n < kMany; ++n)
    leave(kReader, [&](const api::Response& response) {
      EXPECT_EQ(response.status, 200U);
      ++replies;
    });
  may_go = true;
  int most = 0;
  while (replies < kMany) {
    const int before = replies;
    ASSERT_TRUE(loop_.run_one());
    most = std::max(most, replies - before);
  }
  EXPECT_LE(most, 3);
}

TEST_F(Replies, ManyRepliesThatWaitedForOneTableAreNotAllSentInOneCallback) {
  is_stuck_ = true;
  constexpr int kMany = 20;
  int replies = 0;
  for (int n = 0; n < kMany; ++n)
    send(Method::del, bindings(prefix_) + "/" + ids_.at(static_cast<std::size_t>(n)), "",
         {.allow = "mass-change"}, [&](Reply&& reply) {
           EXPECT_EQ(reply.status, 200U);
           ++replies;
           // As long as a callback may take.
           std::this_thread::sleep_for(api::Api::kSendTime);
         });
  while (steering_.in_force.binding_count() > kHosts + 1 - kMany) ASSERT_TRUE(loop_.run_one());
  ASSERT_EQ(replies, 0);
  api_->set_active(steering_.published);
  EXPECT_EQ(replies, 1);
  while (replies < kMany) {
    const int before = replies;
    ASSERT_TRUE(loop_.run_one());
    EXPECT_LE(replies - before, 1);
  }
}

}  // namespace

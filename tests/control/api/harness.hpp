// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/api/api.hpp"
#include "control/api/body_file.hpp"
#include "control/store/sqlite_store.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/program.hpp"

// The API with a store on disk and a data plane that is played: tables count as passed when the
// test says so.
namespace api_test {

using nlohmann::json;
using namespace control;

class PlayedSteering final : public api::Steering {
 public:
  struct Made final : Table {
    BindingSet bindings;
    std::uint64_t generation = 0;
    bool is_committed = false;
  };

  std::expected<std::unique_ptr<Table>, std::string> prepare(const api::State& state) override {
    if (!refusal.empty()) return std::unexpected(refusal);
    EXPECT_TRUE(state.delta() == difference(committed, state.bindings()))
        << "what is said to be different is not";
    auto made = std::make_unique<Made>();
    made->bindings = state.bindings();
    made->generation = state.generation();
    return made;
  }
  void commit(Table& table) noexcept override {
    auto& made = static_cast<Made&>(table);
    made.is_committed = true;
    committed = made.bindings;
  }
  void publish(std::unique_ptr<Table> table) override {
    auto& made = static_cast<Made&>(*table);
    EXPECT_TRUE(made.is_committed);
    EXPECT_GT(made.generation, published);
    published = made.generation;
    in_force = std::move(made.bindings);
    ++publications;
  }
  std::string refusal;  // of the next tables
  std::uint64_t published = 0;
  std::uint64_t publications = 0;
  BindingSet in_force;
  BindingSet committed;  // store thread
};

// Set by the test while no request is under way.
class PlayedObserver final : public api::Observer {
 public:
  [[nodiscard]] Output output(dataplane::Service service) const noexcept override {
    return outputs.at(static_cast<std::size_t>(service) - 1);
  }
  [[nodiscard]] bool is_down_to_magic_transit() const noexcept override {
    return down_to_magic_transit;
  }
  [[nodiscard]] bool has_kernel_path(dataplane::Direction /*direction*/) const override {
    return kernel_path;
  }
  [[nodiscard]] std::shared_ptr<const dataplane::Policy> policy() const override {
    return the_policy;
  }
  [[nodiscard]] Traffic traffic_of(const lpm::AnyPrefix& cidr) const override {
    const auto found = traffic.find(cidr);
    return found == traffic.end() ? Traffic() : found->second;
  }
  [[nodiscard]] std::shared_ptr<const std::vector<lpm::AnyPrefix>> busiest(
      Order order) const override {
    return std::make_shared<const std::vector<lpm::AnyPrefix>>(
        order == Order::packets ? busiest_by_packets : busiest_by_rate);
  }
  [[nodiscard]] Counters counters() const override { return all; }

  std::array<Output, 3> outputs{};
  bool down_to_magic_transit = false;
  bool kernel_path = false;
  std::shared_ptr<const dataplane::Policy> the_policy =
      std::make_shared<const dataplane::Policy>(dataplane::Settings());
  std::map<lpm::AnyPrefix, Traffic> traffic;
  std::vector<lpm::AnyPrefix> busiest_by_packets;
  std::vector<lpm::AnyPrefix> busiest_by_rate;
  Counters all;
};

// The control thread, played by the thread of the test.
class Loop {
 public:
  void post(std::function<void()> what) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(what));
    }
    wake_.notify_one();
  }
  // Runs one thing; false: none came in time.
  bool run_one(std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait_for(lock, limit, [this] { return !queue_.empty(); })) return false;
    const auto what = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    what();
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
};

struct Reply {
  unsigned status = 0;
  json body;
  api::Response response;

  [[nodiscard]] int code() const {
    return body.at("errors").empty() ? 0 : body.at("errors").at(0).at("code").get<int>();
  }
  [[nodiscard]] std::string message() const {
    return body.at("errors").empty() ? "" : body.at("errors").at(0).at("message");
  }
  // A copy: a reply is mostly a temporary.
  [[nodiscard]] json result() const { return body.at("result"); }
};

inline constexpr const char* kWriter = "the secret of a writer";
inline constexpr const char* kReader = "the secret of a reader";
inline constexpr const char* kStranger = "the secret of another account";
inline constexpr const char* kAccount = "0123456789abcdef0123456789abcdef";

inline constexpr const char* kMagicTransit = "6d0c1f27a35e4e2b9b7c4f5a8e913d70";
inline constexpr const char* kCdn = "b2f9c84e17d04a6c8e35a90d61c7f248";
inline constexpr const char* kSpectrum = "e47a5b093c2d4f18a6d1083fb5927ec6";

class ApiTest : public testing::Test {
 public:
  ~ApiTest() override {
    support::FaultVfs::instance().clear();
    stop();
  }

 protected:
  ApiTest() {
    support::FaultVfs::instance().clear();
    std::vector<store::TokenRow>& rows = given_tokens_;
    const auto add = [&](const char* secret, bool may_write, const char* account) {
      rows.push_back({.number = static_cast<store::TokenNumber>(rows.size()) + 1,
                      .name = secret,
                      .may_write = may_write,
                      .account = account,
                      .hash = api::hash_of(secret)});
    };
    add(kWriter, true, kAccount);
    add(kReader, false, kAccount);
    add(kStranger, true, "another");
    options_.requests_per_second = 1e9;
    options_.body_directory = (scratch_ / "").string();
    start();
  }

  void start() {
    auto store = store::SqliteStore::open(scratch_ / "steer.db", {.vfs = support::FaultVfs::kName});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    api::State state{BindingRules{}};
    auto loaded = state.load(*store_);
    ASSERT_TRUE(loaded) << loaded.error().message;
    if (state.tokens().empty()) {
      ASSERT_TRUE(store_->write({.tokens = given_tokens_}));
      loaded = state.load(*store_);
    }
    steering_.in_force = state.bindings();
    steering_.committed = state.bindings();
    steering_.published = state.generation();
    api_ = std::make_unique<api::Api>(
        std::move(state), *store_, steering_, tokens_,
        api::Api::Hooks{
            .to_control = to_control_,
            .complain = [this](const std::string& what) { complaints_.push_back(what); },
            .observer = &observer_},
        options_);
  }
  void stop() {
    api_.reset();
    while (loop_.run_one(std::chrono::milliseconds(0))) {
    }
    store_.reset();
  }

  struct Extra {
    const char* token = kWriter;
    unsigned retry_count = 0;
    std::string allow = {};
    std::string if_match = {};
    bool is_local = false;
  };

  // Asks, without waiting for the reply.
  void send(api::Method method, const std::string& target, const std::string& body,
            const Extra& extra, const std::function<void(Reply&&)>& done) {
    api::Request head{
        .method = method,
        .target = target,
        .authorization = extra.token == nullptr ? "" : std::string("Bearer ") + extra.token,
        .auth_key = {},
        .allow = extra.allow,
        .if_match = extra.if_match,
        .retry_count = extra.retry_count,
        .is_local = extra.is_local,
        .body = {}};
    const auto take = [done](api::Response&& response) {
      done({.status = response.status, .body = json::parse(response.body), .response = response});
    };
    auto admitted = api_->admit(std::move(head), api::Api::Clock::now());
    if (!admitted) return take(std::move(admitted.error()));
    if (admitted->job.request.file)
      ASSERT_TRUE(admitted->job.request.file->append(body));
    else
      admitted->job.request.body = body;
    api_->perform(std::move(admitted->job), take);
  }
  // With a data plane that passes at once.
  Reply ask(api::Method method, const std::string& target, const std::string& body,
            const Extra& extra) {
    std::optional<Reply> reply;
    send(method, target, body, extra, [&](Reply&& got) { reply = std::move(got); });
    while (!reply && loop_.run_one())
      if (!is_stuck_) api_->set_active(steering_.published);
    EXPECT_TRUE(reply) << "no reply";
    return reply.value_or(Reply{});
  }
  Reply get(const std::string& path) { return get(path, {}); }
  Reply get(const std::string& path, const Extra& extra) {
    return ask(api::Method::get, path, "", extra);
  }
  Reply post(const std::string& path, const std::string& body) { return post(path, body, {}); }
  Reply post(const std::string& path, const std::string& body, const Extra& extra) {
    return ask(api::Method::post, path, body, extra);
  }
  Reply put(const std::string& path, const std::string& body, const Extra& extra) {
    return ask(api::Method::put, path, body, extra);
  }
  Reply del(const std::string& path) { return del(path, {}); }
  Reply del(const std::string& path, const Extra& extra) {
    return ask(api::Method::del, path, "", extra);
  }

  static std::string prefixes() {
    return std::string("/client/v4/accounts/") + kAccount + "/addressing/prefixes";
  }
  static std::string bindings(const std::string& prefix) {
    return prefixes() + "/" + prefix + "/bindings";
  }
  static std::string binding_body(const std::string& cidr, const char* service) {
    return json{{"cidr", cidr}, {"service_id", service}}.dump();
  }
  // The ids of what was made.
  std::string make_prefix(const std::string& cidr) {
    const Reply made = post(prefixes(), json{{"cidr", cidr}, {"asn", 64500}}.dump());
    EXPECT_EQ(made.status, 201U) << made.body;
    return made.result().at("id");
  }
  std::string make_binding(const std::string& prefix, const std::string& cidr,
                           const char* service) {
    const Reply made = post(bindings(prefix), binding_body(cidr, service));
    EXPECT_EQ(made.status, 201U) << made.body;
    return made.result().at("id");
  }
  // What a restart finds is what is in force.
  void expect_store_equals_table() {
    const auto store = store::SqliteStore::open(scratch_ / "steer.db");
    ASSERT_TRUE(store);
    api::State state{BindingRules{}};
    ASSERT_TRUE(state.load(**store));
    EXPECT_TRUE(state.bindings() == steering_.in_force);
    EXPECT_EQ(state.generation(), steering_.published);
  }

  support::Scratch scratch_;
  std::vector<store::TokenRow> given_tokens_;
  api::Tokens tokens_;
  api::ApiOptions options_;
  PlayedSteering steering_;
  PlayedObserver observer_;
  Loop loop_;
  std::function<void(std::function<void()>)> to_control_ = [this](std::function<void()> what) {
    loop_.post(std::move(what));
  };
  bool is_stuck_ = false;  // no worker passes
  std::vector<std::string> complaints_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<api::Api> api_;
};

}  // namespace api_test

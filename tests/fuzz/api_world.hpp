// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/body_file.hpp"
#include "control/api/operations.hpp"
#include "control/http/fields.hpp"

// The API without sockets and threads, on a state in memory that every request finds the same.
namespace fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

using namespace control;
using dataplane::Service;

inline constexpr const char* kAccount = "acme";
inline constexpr const char* kOtherAccount = "other";
// Secrets of tokens; short, so that a fuzzer finds them.
inline constexpr const char* kWriter = "w";
inline constexpr const char* kReader = "r";
inline constexpr const char* kAnyAccount = "a";
inline constexpr const char* kPrefixId = "00000000000000000000000000000001";
inline constexpr const char* kBindingId = "00000000000000000000000000000002";

class MemoryStore final : public store::Store {
 public:
  std::expected<std::uint64_t, store::StoreError> load(store::StateReader& reader) override {
    const auto cidr = [](const char* text) { return lpm::parse_prefix(text).value(); };
    const auto prefix = [&](const char* id, const char* account, const char* text) {
      reader.prefix({.id = ObjectId::parse(id).value(),
                     .account = account,
                     .cidr = cidr(text),
                     .asn = 64500,
                     .description = "d",
                     .loa_document_id = {},
                     .created_by = 1,
                     .created_at = kNow - 1'000'000,
                     .modified_at = kNow - 1'000'000,
                     .generation = 1});
    };
    char last = '0';
    const auto binding = [&](const char* around, const char* text, Service service) {
      std::string id(32, '0');
      id[30] = '2';
      id[31] = last++;
      if (text == std::string_view("203.0.113.1/32")) id = kBindingId;
      reader.binding({.id = ObjectId::parse(id).value(),
                      .prefix = cidr(around),
                      .cidr = cidr(text),
                      .service = service,
                      .created_by = 1,
                      .created_at = kNow - 1'000'000,
                      .modified_at = kNow - 1'000'000,
                      .generation = 1});
    };
    prefix(kPrefixId, kAccount, "203.0.113.0/24");
    prefix("00000000000000000000000000000011", kAccount, "2001:db8::/48");
    prefix("00000000000000000000000000000012", kOtherAccount, "198.51.100.0/24");
    binding("203.0.113.0/24", "203.0.113.0/24", Service::magic_transit);
    binding("203.0.113.0/24", "203.0.113.1/32", Service::cdn);
    binding("203.0.113.0/24", "203.0.113.64/26", Service::cdn);
    binding("203.0.113.0/24", "203.0.113.66/32", Service::spectrum);
    binding("198.51.100.0/24", "198.51.100.0/24", Service::spectrum);
    for (store::TokenRow& row : tokens()) reader.token(std::move(row));
    return 1;
  }
  std::expected<void, store::StoreError> write(const store::Batch&) override { return {}; }
  std::expected<std::vector<store::HistoryRow>, store::StoreError> history(
      const HistoryQuery& query) override {
    std::vector<store::HistoryRow> rows;
    if (query.above < 1 && query.below > 1 && query.limit > 0)
      rows.push_back({1, kNow, 1, kWriter, "+prefix 203.0.113.0/24\n"});
    return rows;
  }

  std::expected<std::uint64_t, store::StoreError> rollback_from() override { return 1; }

  static std::vector<store::TokenRow> tokens() {
    std::vector<store::TokenRow> rows;
    for (const auto& [secret, may_write, account] :
         {std::tuple{kWriter, true, kAccount}, {kReader, false, kAccount}, {kAnyAccount, true, ""}})
      rows.push_back({.number = static_cast<store::TokenNumber>(rows.size()) + 1,
                      .name = secret,
                      .may_write = may_write,
                      .account = account,
                      .hash = api::hash_of(secret)});
    return rows;
  }

  static constexpr store::Micros kNow = 1'700'000'000'000'000;
};

// A data plane that has counted nothing.
class NoTraffic final : public api::Observer {
 public:
  [[nodiscard]] Output output(Service service) const noexcept override {
    return {.is_up = service != Service::spectrum, .is_resolved = true};
  }
  [[nodiscard]] bool is_down_to_magic_transit() const noexcept override { return true; }
  [[nodiscard]] bool has_kernel_path(dataplane::Direction direction) const override {
    return direction == dataplane::Direction::ingress;
  }
  [[nodiscard]] std::shared_ptr<const dataplane::Policy> policy() const override { return policy_; }
  [[nodiscard]] Traffic traffic_of(const lpm::AnyPrefix&) const override { return {}; }
  [[nodiscard]] std::shared_ptr<const std::vector<lpm::AnyPrefix>> busiest(Order) const override {
    return std::make_shared<const std::vector<lpm::AnyPrefix>>();
  }
  [[nodiscard]] Counters counters() const override { return {}; }

 private:
  std::shared_ptr<const dataplane::Policy> policy_ =
      std::make_shared<const dataplane::Policy>(dataplane::Settings());
};

class World {
 public:
  World() {
    require(state_.load(store_).has_value());
    state_.mark();
    tokens_.set(state_.tokens());
    before_ = snapshot();
  }

  // What the API answers, its shape checked. Whatever the request did is undone afterwards.
  api::Response answer(api::Request&& request) {
    api::Response response = carry_out(std::move(request));
    check_shape(response);
    // Refused is refused as a whole.
    if (response.status >= 300) require(!state_.is_changed() && snapshot() == before_);
    state_.undo();
    require(snapshot() == before_);
    return response;
  }

 private:
  struct Snapshot {
    std::uint64_t generation;
    BindingSet bindings;
    std::vector<store::PrefixRow> prefixes;
    std::vector<store::BindingRow> rows;
    std::vector<store::TokenRow> tokens;

    bool operator==(const Snapshot& other) const {
      return generation == other.generation && bindings == other.bindings &&
             prefixes == other.prefixes && rows == other.rows && tokens == other.tokens;
    }
  };

  [[nodiscard]] Snapshot snapshot() const {
    const auto& prefixes = state_.catalog().prefixes();
    const auto& bindings = state_.catalog().bindings();
    return {.generation = state_.generation(),
            .bindings = state_.bindings(),
            .prefixes = {prefixes.begin(), prefixes.end()},
            .rows = {bindings.begin(), bindings.end()},
            .tokens = state_.tokens()};
  }

  // As Api lets requests in, but for its rate limit.
  api::Response carry_out(api::Request&& request) {
    auto principal = tokens_.find(request);
    if (!principal) return refusal(401);
    auto found = api::route(request.method, request.target);
    if (!found) return api::response_of(found.error());
    if (!found->account.empty() && !principal->may_see(found->account)) return refusal(404);
    const api::Right right = found->endpoint->right;
    if ((right == api::Right::write && !principal->may_write) ||
        (right == api::Right::administer && !principal->may_administer))
      return refusal(403);
    if (found->endpoint->operation == api::Operation::import_state) {
      request.file =
          std::make_shared<api::BodyFile>(std::filesystem::temp_directory_path().string());
      require(request.file->append(request.body).has_value());
      request.body.clear();
    }
    is_enveloped_ = found->endpoint->operation != api::Operation::export_state;
    const api::Job job{.route = std::move(*found),
                       .principal = std::move(*principal),
                       .request = std::move(request)};
    api::Response response = api::carry_out(state_,
                                            {.progress = {.active = 1},
                                             .now = MemoryStore::kNow,
                                             .store = &store_,
                                             .observer = &observer_},
                                            job)
                                 .response;
    // A table and a row of the store are made of what changed.
    if (response.status < 300) {
      [[maybe_unused]] const auto delta = state_.delta();
      [[maybe_unused]] const auto batch = state_.batch(MemoryStore::kNow);
    }
    return response;
  }

  static api::Response refusal(unsigned status) {
    return api::response_of(api::Error::of(status, api::Code::not_allowed, "refused"));
  }

  void check_shape(const api::Response& response) const {
    const auto body = nlohmann::json::parse(response.body, nullptr, false);
    require(body.is_object());
    if (response.status < 300 && !is_enveloped_) return;
    require(body.at("success") == (response.status < 300));
    require(body.at("errors").empty() == (response.status < 300));
    for (const auto& error : body.at("errors")) {
      require(error.at("code") >= 1000);
      require(!error.at("message").get_ref<const std::string&>().empty());
    }
    require(response.status < 500);
  }

  MemoryStore store_;
  NoTraffic observer_;
  bool is_enveloped_ = true;  // the response at hand
  api::State state_{BindingRules{}};
  api::Tokens tokens_;
  std::optional<Snapshot> before_;
};

inline World& world() {
  static World one;
  return one;
}

}  // namespace fuzz

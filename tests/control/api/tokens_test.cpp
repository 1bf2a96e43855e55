// SPDX-License-Identifier: BSD-3-Clause
//
// Tokens, and what the history says of changes.
#include <gtest/gtest.h>

#include <string>

#include "tests/control/api/harness.hpp"

namespace {

using namespace api_test;
using control::api::Method;

class TokensApi : public ApiTest {
 protected:
  static Extra local() { return {.token = nullptr, .is_local = true}; }
  static constexpr const char* kTokens = "/steer/v1/tokens";
};

TEST_F(TokensApi, ATokenIsShownOnceAndWorksAtOnce) {
  const Reply made =
      post(kTokens, R"({"name": "ci", "role": "write", "account": "acme"})", local());
  ASSERT_EQ(made.status, 201U) << made.body;
  const std::string secret = made.result().at("token");
  EXPECT_GE(secret.size(), 64U);
  const std::string theirs = "/client/v4/accounts/acme/addressing/prefixes";
  EXPECT_EQ(get(theirs, {.token = secret.c_str()}).status, 200U);
  EXPECT_EQ(get(prefixes(), {.token = secret.c_str()}).status, 404U) << "another account";
  const json rows = get(kTokens, local()).result();
  EXPECT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows.at(3).at("name"), "ci");
  EXPECT_FALSE(rows.at(3).contains("token"));
  for (const char* const suffix : {"", "-wal"})
    EXPECT_EQ(support::contents_of((scratch_ / "steer.db").string() + suffix).find(secret),
              std::string::npos)
        << "it is stored";
  stop();
  start();
  EXPECT_EQ(get(theirs, {.token = secret.c_str()}).status, 200U);
  const std::string number = std::to_string(made.result().at("number").get<int>());
  EXPECT_EQ(del(kTokens + ("/" + number), local()).status, 200U);
  EXPECT_EQ(get(theirs, {.token = secret.c_str()}).status, 401U);
  stop();
  start();
  EXPECT_EQ(get(theirs, {.token = secret.c_str()}).status, 401U);
}

TEST_F(TokensApi, OnlyTheUnixSocketMakesTokens) {
  EXPECT_EQ(post(kTokens, R"({"role": "write"})").status, 403U);
  EXPECT_EQ(get(kTokens).status, 403U);
  EXPECT_EQ(post(kTokens, R"({"role": "write"})", {.token = nullptr}).status, 401U);
  EXPECT_EQ(post(kTokens, R"({"role": "admin"})", local()).code(), 1022);
  EXPECT_EQ(post(kTokens, "{}", local()).code(), 1022);
  EXPECT_EQ(post(kTokens, R"({"role": "read", "account": "a/b"})", local()).code(), 1022);
  EXPECT_EQ(del(std::string(kTokens) + "/9", local()).status, 404U);
}

TEST_F(TokensApi, AMisspeltOrEmptyAccountMakesNoTokenOfAllAccounts) {
  for (const char* const wrong :
       {R"({"role": "write", "account_id": "x"})", R"({"role": "write", "account": ""})"}) {
    const Reply refused = post(kTokens, wrong, local());
    EXPECT_EQ(refused.status, 400U) << wrong;
    EXPECT_EQ(refused.code(), 1022) << wrong;
  }
  EXPECT_EQ(get(kTokens, local()).result().size(), 3U);
}

TEST_F(TokensApi, WhatWasLetInBeforeItsTokenWasRevokedIsNotCarriedOut) {
  auto admitted = api_->admit({.method = Method::post,
                               .target = prefixes(),
                               .authorization = std::string("Bearer ") + kWriter,
                               .auth_key = {},
                               .allow = {},
                               .if_match = {},
                               .body = {}},
                              control::api::Api::Clock::now());
  ASSERT_TRUE(admitted);
  EXPECT_EQ(del(std::string(kTokens) + "/1", local()).status, 200U);
  admitted->job.request.body = R"({"cidr": "203.0.113.0/24", "asn": 1})";
  std::optional<control::api::Response> response;
  api_->perform(std::move(admitted->job),
                [&](control::api::Response&& got) { response = std::move(got); });
  while (!response) ASSERT_TRUE(loop_.run_one());
  EXPECT_EQ(response->status, 401U);
  EXPECT_EQ(json::parse(response->body).at("errors").at(0).at("code"), 10000);
  EXPECT_EQ(get(prefixes(), local()).result(), json::array());
}

TEST_F(TokensApi, ATokenThatCouldNotBeStoredDoesNotWork) {
  support::FaultVfs::instance().on_sync([] { return SQLITE_FULL; });
  const Reply refused = post(kTokens, R"({"role": "write"})", local());
  EXPECT_EQ(refused.status, 503U);
  support::FaultVfs::instance().clear();
  EXPECT_EQ(get(kTokens, local()).result().size(), 3U);
}

TEST_F(TokensApi, TheHistorySaysWhoDidWhat) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  const std::string id = make_binding(prefix, "203.0.113.0/24", kCdn);
  del(bindings(prefix) + "/" + id);
  const json rows = get("/steer/v1/history?limit=2", local()).result();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.at(0).at("who"), kWriter);
  EXPECT_EQ(rows.at(0).at("what"), "-binding 203.0.113.0/24 cdn in 203.0.113.0/24\n");
  EXPECT_EQ(rows.at(1).at("what"), "+binding 203.0.113.0/24 cdn in 203.0.113.0/24\n");
  EXPECT_EQ(rows.at(0).at("generation"), steering_.published);
  EXPECT_EQ(get("/steer/v1/history").status, 403U) << "a token of one account";
  EXPECT_EQ(get("/steer/v1/history?limits=2", local()).code(), 1400);
  EXPECT_EQ(get("/steer/v1/history?limit=x", local()).code(), 1400);
}

TEST_F(TokensApi, TheStatusSaysHowFarChangesHaveCome) {
  make_prefix("203.0.113.0/24");
  const json status = get("/steer/v1/status").result();
  EXPECT_EQ(status.at("generation"), steering_.published);
  EXPECT_EQ(status.at("active"), steering_.published);
  EXPECT_EQ(status.at("prefixes"), 1);
}

TEST_F(TokensApi, ATokenOfOneAccountIsNotToldHowMuchOthersHave) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  make_binding(prefix, "203.0.113.0/24", kCdn);
  const std::string theirs = "/client/v4/accounts/another/addressing/prefixes";
  const Extra stranger{.token = kStranger};
  const Reply made = post(theirs, R"({"cidr": "198.51.100.0/24", "asn": 1})", stranger);
  ASSERT_EQ(made.status, 201U) << made.body;
  const auto counts = [&](const Extra& who) {
    const json status = get("/steer/v1/status", who).result();
    return std::pair<int, int>(status.at("prefixes"), status.at("bindings"));
  };
  EXPECT_EQ(counts({}), std::pair(1, 1));
  EXPECT_EQ(counts(stranger), std::pair(1, 0));
  EXPECT_EQ(counts(local()), std::pair(2, 1));

  bool is_set = false;
  api_->engine().submit([](control::api::State& state) { state.set_bindings_max(1); },
                        [&](const std::string&) { is_set = true; });
  while (!is_set) ASSERT_TRUE(loop_.run_one());
  const std::string path = theirs + "/" + made.result().at("id").get<std::string>() + "/bindings";
  const std::string body = binding_body("198.51.100.0/24", kCdn);
  EXPECT_EQ(post(path, body, stranger).message(),
            "198.51.100.0/24 is one binding too many: this host has no room for more");
  EXPECT_NE(post(path, body, local()).message().find("2 bindings in all"), std::string::npos);
}

}  // namespace

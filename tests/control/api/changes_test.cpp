// SPDX-License-Identifier: BSD-3-Clause
//
// POST /steer/v1/changes and /steer/v1/rollback, and the guard on all routes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/control/api/harness.hpp"

namespace {

using namespace api_test;
using control::api::Method;

constexpr const char* kChanges = "/steer/v1/changes";
constexpr const char* kRollback = "/steer/v1/rollback";

class Changes : public ApiTest {
 protected:
  Changes() {
    prefix_ = make_prefix("203.0.113.0/24");
    make_binding(prefix_, "203.0.113.0/24", kMagicTransit);
  }
  static std::string host(int n) { return "203.0.113." + std::to_string(n) + "/32"; }
  static json create(const std::string& cidr, const char* service) {
    return {{"op", "create"}, {"cidr", cidr}, {"service", service}};
  }
  static json remove(const std::string& cidr) { return {{"op", "delete"}, {"cidr", cidr}}; }
  using Items = std::vector<json>;
  static std::string body(const Items& items) { return json{{"changes", items}}.dump(); }
  Reply apply(const Items& items) { return post(kChanges, body(items)); }
  Reply apply(const Items& items, const Extra& extra) { return post(kChanges, body(items), extra); }
  // CIDR -> service, of the prefix.
  std::map<std::string, std::string> services() {
    std::map<std::string, std::string> all;
    const json rows = get(bindings(prefix_)).result();
    for (const json& row : rows) all[row.at("cidr")] = row.at("service_name");
    return all;
  }
  std::string id_of(const std::string& cidr) {
    const json rows = get(bindings(prefix_)).result();
    for (const json& row : rows)
      if (row.at("cidr") == cidr) return row.at("id");
    return {};
  }
  // Hosts 1 to n, so that there are n + 1 bindings.
  void make_hosts(int n) {
    Items items;
    for (int i = 1; i <= n; ++i) items.push_back(create(host(i), "cdn"));
    ASSERT_EQ(apply(items).status, 200U);
  }

  std::string prefix_;
};

TEST_F(Changes, AreOneGenerationAndOneTable) {
  const std::uint64_t before = steering_.published;
  const std::uint64_t publications = steering_.publications;
  const Reply reply = apply({create(host(1), "cdn"),
                             {{"op", "add_prefix"},
                              {"cidr", "198.51.100.0/24"},
                              {"asn", 64500},
                              {"description", "d"},
                              {"service", "spectrum"}},
                             create("198.51.100.7/32", kCdn)});
  ASSERT_EQ(reply.status, 200U) << reply.body;
  EXPECT_EQ(steering_.publications, publications + 1);
  const json result = reply.result();
  EXPECT_EQ(result.at("generation"), before + 1);
  EXPECT_EQ(reply.response.etag, before + 1);
  EXPECT_EQ(result.at("state"), "provisioning");
  EXPECT_EQ(result.at("counts"), (json{{"prefixes_added", 1},
                                       {"prefixes_deleted", 0},
                                       {"bindings_created", 3},
                                       {"bindings_deleted", 0},
                                       {"bindings_changed", 0}}));
  EXPECT_EQ(result.at("addresses_moved4"), "257");
  EXPECT_EQ(result.at("addresses_moved6"), "0");
  ASSERT_EQ(result.at("changes").size(), 4U);
  EXPECT_EQ(result.at("changes").at(0), (json{{"kind", "prefix"},
                                              {"op", "add_prefix"},
                                              {"cidr", "198.51.100.0/24"},
                                              {"prefix", "198.51.100.0/24"},
                                              {"before", nullptr},
                                              {"after", "spectrum"}}));
  EXPECT_EQ(result.at("changes").at(2).at("prefix"), "198.51.100.0/24");
  EXPECT_EQ(result.at("guard"), (json{{"refuses", false}, {"reason", nullptr}}));
  expect_store_equals_table();
}

TEST_F(Changes, AMoveNeverShowsTheServiceBeneath) {
  make_binding(prefix_, host(1), kCdn);
  const std::string id = id_of(host(1));
  const std::uint64_t publications = steering_.publications;
  const Reply reply = apply({remove(host(1)), create(host(1), "spectrum")});
  ASSERT_EQ(reply.status, 200U) << reply.body;
  EXPECT_EQ(reply.result().at("counts").at("bindings_changed"), 1);
  EXPECT_EQ(steering_.publications, publications + 1);
  EXPECT_EQ(id_of(host(1)), id);
  const Reply back = apply({{{"op", "change"}, {"id", id}, {"service", kCdn}}});
  ASSERT_EQ(back.status, 200U) << back.body;
  EXPECT_EQ(services().at(host(1)), "CDN");
}

TEST_F(Changes, AllOrNothing) {
  const std::uint64_t before = steering_.published;
  const Reply reply = apply(
      {create(host(1), "cdn"), create(host(2), "magic_transit"), create("203.0.113.9/24", "cdn")});
  EXPECT_EQ(reply.status, 400U);
  EXPECT_EQ(reply.body.at("errors").at(0).at("source").at("pointer"), "/changes/2/cidr");
  const Reply rule = apply({create(host(1), "cdn"), create(host(2), "magic_transit")});
  EXPECT_EQ(rule.status, 400U);
  EXPECT_EQ(rule.code(), 1003);
  EXPECT_EQ(rule.body.at("errors").at(0).at("source").at("pointer"), "/changes/1/service");
  EXPECT_EQ(steering_.published, before);
  EXPECT_EQ(services().size(), 1U);
}

TEST_F(Changes, WhatIsWrongIsSaidWhere) {
  struct Case {
    std::string body;
    unsigned status;
    int code;
    const char* pointer;  // null: none
  };
  const std::vector<Case> cases{
      {"", 400, 1022, nullptr},
      {"[]", 400, 1022, nullptr},
      {"{}", 400, 1022, "/changes"},
      {R"({"changes":[]})", 400, 1022, "/changes"},
      {R"({"changes":{}})", 400, 1022, "/changes"},
      {R"({"changes":[1]})", 400, 1022, "/changes/0"},
      {R"({"changes":[{"op":"create"}],"more":1})", 400, 1022, "/more"},
      {R"({"changes":[{}]})", 400, 1022, "/changes/0/op"},
      {R"({"changes":[{"op":"erase"}]})", 400, 1022, "/changes/0/op"},
      {R"({"changes":[{"op":"delete","op":"delete"}]})", 400, 1022, "/changes/0/op"},
      {R"({"changes":[{"op":"delete"}]})", 400, 1022, "/changes/0"},
      {R"({"changes":[{"op":"delete","cidr":"10.0.0.0/8","id":"a"}]})", 400, 1022, "/changes/0"},
      {R"({"changes":[{"op":"delete","cidr":7}]})", 400, 1022, "/changes/0/cidr"},
      {R"({"changes":[{"op":"delete","cidr":["x"]}]})", 400, 1022, "/changes/0/cidr"},
      {R"({"changes":[{"op":"delete","id":"0000"}]})", 404, 1002, "/changes/0/id"},
      {R"({"changes":[{"op":"delete","cidr":"203.0.113.1/32"}]})", 404, 1002, "/changes/0/cidr"},
      {R"({"changes":[{"op":"delete","cidr":"192.0.2.1/32"}]})", 404, 1002, "/changes/0/cidr"},
      {R"({"changes":[{"op":"create","cidr":"192.0.2.1/32","service":"cdn"}]})", 404, 1000,
       "/changes/0/cidr"},
      {R"({"changes":[{"op":"create","cidr":"203.0.113.1/32","service":"dns"}]})", 400, 1003,
       "/changes/0/service"},
      {R"({"changes":[{"op":"create","cidr":"203.0.113.0/24","service":"cdn"}]})", 409, 1108,
       "/changes/0/cidr"},
      {R"({"changes":[{"op":"create","cidr":"203.0.113.1/32","service":"cdn","prefix":"x"}]})", 400,
       1022, "/changes/0/prefix"},
      {R"({"changes":[{"op":"delete_prefix","cidr":"203.0.113.0/24"}]})", 400, 1003,
       "/changes/0/cidr"},
      {R"({"changes":[{"op":"delete_prefix","cidr":"203.0.113.0/24","cascade":1}]})", 400, 1022,
       "/changes/0/cascade"},
      {R"({"changes":[{"op":"delete_where"}]})", 400, 1022, "/changes/0"},
      {R"({"changes":[{"op":"delete_where","service":null}]})", 400, 1022, "/changes/0"},
      {R"({"changes":[{"op":"delete_where","prefix":"192.0.2.0/24"}]})", 404, 1000,
       "/changes/0/prefix"},
      {R"({"changes":[{"op":"add_prefix","cidr":"203.0.112.0/23"}]})", 409, 1108,
       "/changes/0/cidr"},
      {R"({"changes":[{"op":"add_prefix","cidr":"198.51.100.0/24","asn":4294967296}]})", 400, 1022,
       "/changes/0/asn"},
      {R"({"changes":[{"op":"add_prefix","cidr":"198.51.100.0/24","account":"another"}]})", 404,
       7003, "/changes/0/account"}};
  for (const Case& wrong : cases) {
    const Reply reply = post(kChanges, wrong.body);
    EXPECT_EQ(reply.status, wrong.status) << wrong.body << reply.body;
    EXPECT_EQ(reply.code(), wrong.code) << wrong.body << reply.body;
    const json fault = reply.body.at("errors").at(0);
    if (wrong.pointer == nullptr) continue;
    EXPECT_EQ(fault.at("source").at("pointer"), wrong.pointer) << wrong.body;
  }
  expect_store_equals_table();
}

TEST_F(Changes, ErrorsAreBoundedHoweverManyThereAre) {
  Items items;
  for (int n = 0; n < 5000; ++n) items.push_back(remove(host(n % 250)));
  EXPECT_EQ(apply(items).body.at("errors").size(), 100U);
}

TEST_F(Changes, AQueryThatIsUnknownIsRefused) {
  const std::string one = body({create(host(1), "cdn")});
  for (const char* const query : {"?dryrun=true", "?dry_run=yes", "?wait=1", "?allow=all"})
    EXPECT_EQ(post(std::string(kChanges) + query, one).status, 400U) << query;
  EXPECT_EQ(post(kChanges, one, {.allow = "everything"}).status, 400U);
  EXPECT_EQ(post(kChanges, one, {.token = kReader}).status, 403U);
  EXPECT_EQ(services().size(), 1U);
}

TEST_F(Changes, ADryRunTellsAndChangesNothing) {
  const std::uint64_t before = steering_.published;
  const Reply reply = post(std::string(kChanges) + "?dry_run=true", body({create(host(1), "cdn")}));
  ASSERT_EQ(reply.status, 200U) << reply.body;
  EXPECT_EQ(reply.result().at("dry_run"), true);
  EXPECT_EQ(reply.result().at("generation"), before);
  EXPECT_EQ(reply.result().at("counts").at("bindings_created"), 1);
  EXPECT_EQ(reply.result().at("addresses_moved4"), "1");
  EXPECT_EQ(steering_.published, before);
  EXPECT_EQ(services().size(), 1U);
}

TEST_F(Changes, IfMatchIsTheGeneration) {
  const std::uint64_t now = steering_.published;
  const Items items{create(host(1), "cdn")};
  const Reply old = apply(items, {.if_match = fmt::format("\"{}\"", now - 1)});
  EXPECT_EQ(old.status, 412U);
  EXPECT_EQ(old.code(), 1412);
  EXPECT_EQ(old.message(), fmt::format("the state is at generation {}, not {}", now, now - 1));
  EXPECT_EQ(apply(items, {.if_match = "W/\"1\""}).status, 400U);
  EXPECT_EQ(apply(items, {.if_match = "1,"}).status, 412U);
  EXPECT_EQ(apply(items, {.if_match = fmt::format("\"1\", \"{}\"", now)}).status, 200U);
  EXPECT_EQ(apply({remove(host(1))}, {.if_match = std::to_string(now + 1)}).status, 200U);
  EXPECT_EQ(apply(items, {.if_match = "*"}).status, 200U);
}

// In whatever groups they are carried out.
TEST_F(Changes, OfTwoWritersWithTheSameIfMatchExactlyOneWins) {
  for (int round = 1; round <= 50; ++round) {
    const std::string match = fmt::format("\"{}\"", steering_.published);
    std::vector<unsigned> statuses;
    for (int writer = 0; writer < 2; ++writer)
      send(Method::post, kChanges, body({create(host(2 * round + writer), "cdn")}),
           {.if_match = match}, [&](Reply&& reply) { statuses.push_back(reply.status); });
    while (statuses.size() < 2) ASSERT_TRUE(loop_.run_one());
    EXPECT_EQ(std::ranges::count(statuses, 200U), 1) << round;
    EXPECT_EQ(std::ranges::count(statuses, 412U), 1) << round;
  }
  EXPECT_EQ(services().size(), 51U);
}

TEST_F(Changes, CanBeWaitedFor) {
  is_stuck_ = true;
  std::optional<Reply> reply;
  const auto take = [&](Reply&& got) { reply = std::move(got); };
  send(Method::post, std::string(kChanges) + "?wait=active", body({create(host(1), "cdn")}), {},
       take);
  ASSERT_TRUE(loop_.run_one());
  EXPECT_FALSE(reply);
  api_->set_active(steering_.published);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200U);
  EXPECT_EQ(reply->result().at("state"), "active");
  reply.reset();
  send(Method::post, std::string(kChanges) + "?wait=active", body({create(host(2), "cdn")}), {},
       take);
  ASSERT_TRUE(loop_.run_one());
  api_->expire(api::Api::Clock::now() + std::chrono::seconds(2));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503U);
  EXPECT_NE(reply->message().find("durable"), std::string::npos);
}

TEST_F(Changes, AFilterDeletesWhatFitsAndTheDefaultOnlyWhereNothingElseIsLeft) {
  make_hosts(5);
  make_binding(prefix_, host(9), kSpectrum);
  const json where{{"op", "delete_where"}, {"service", "cdn"}, {"within", "203.0.113.0/30"}};
  const Reply some = apply({where});
  EXPECT_EQ(some.result().at("counts").at("bindings_deleted"), 3) << some.body;
  EXPECT_EQ(apply({{{"op", "delete_where"}, {"service", "magic_transit"}}})
                .result()
                .at("counts")
                .at("bindings_deleted"),
            0);
  const Reply all = apply({{{"op", "delete_where"}, {"prefix", "203.0.113.0/24"}}});
  EXPECT_EQ(all.result().at("counts").at("bindings_deleted"), 4);
  EXPECT_TRUE(services().empty());
  EXPECT_EQ(get(prefixes()).result().size(), 1U) << "the prefix stays";
}

TEST_F(Changes, AnotherAccountsObjectsAreNotThere) {
  const Extra stranger{.token = kStranger};
  make_binding(prefix_, host(1), kCdn);
  EXPECT_EQ(apply({remove(host(1))}, stranger).code(), 1002);
  EXPECT_EQ(apply({{{"op", "delete"}, {"id", id_of(host(1))}}}, stranger).code(), 1002);
  EXPECT_EQ(apply({create(host(2), "cdn")}, stranger).code(), 1000);
  EXPECT_EQ(apply({{{"op", "delete_prefix"}, {"id", prefix_}, {"cascade", true}}}, stranger).code(),
            1000);
  EXPECT_EQ(apply({{{"op", "delete_where"}, {"prefix", "203.0.113.0/24"}}}, stranger).code(), 1000);
  EXPECT_EQ(apply({{{"op", "delete_where"}, {"service", "cdn"}}}, stranger)
                .result()
                .at("counts")
                .at("bindings_deleted"),
            0);
  EXPECT_EQ(services().size(), 2U);
}

class GuardedApi : public Changes {
 protected:
  GuardedApi() { make_hosts(19); }
  Reply drop(int n) { return del(bindings(prefix_) + "/" + id_of(host(n))); }
};

TEST_F(GuardedApi, SingleDeletesOfTheOfficialApiAddUpAndNameTheOverride) {
  EXPECT_EQ(drop(1).status, 200U);
  EXPECT_EQ(drop(2).status, 200U);
  const Reply refused = drop(3);
  EXPECT_EQ(refused.status, 403U);
  EXPECT_EQ(refused.code(), 10000);
  EXPECT_NE(refused.message().find("3 of 20 bindings"), std::string::npos) << refused.message();
  EXPECT_NE(refused.message().find("X-Steer-Allow: mass-change"), std::string::npos);
  EXPECT_NE(refused.message().find("?allow=mass-change"), std::string::npos);
  const std::string path = bindings(prefix_) + "/" + id_of(host(3));
  EXPECT_EQ(del(path, {.allow = "mass-chang"}).status, 403U);
  EXPECT_EQ(del(path, {.allow = "mass-change"}).status, 200U);
  EXPECT_EQ(del(bindings(prefix_) + "/" + id_of(host(4)) + "?allow=mass-change").status, 200U);
  EXPECT_EQ(post(bindings(prefix_), binding_body(host(100), kCdn)).status, 201U)
      << "what takes nothing is not held up";
  expect_store_equals_table();
}

TEST_F(GuardedApi, DeleteAndCreateIsAReServiceAlsoInTwoRequests) {
  for (int n = 1; n <= 2; ++n) {
    EXPECT_EQ(drop(n).status, 200U);
    make_binding(prefix_, host(n), kSpectrum);
  }
  EXPECT_EQ(drop(3).status, 403U);
  EXPECT_EQ(apply({{{"op", "change"}, {"cidr", host(3)}, {"service", "spectrum"}}}).status, 403U);
  EXPECT_EQ(apply({remove(host(3)), create(host(3), "spectrum")}).status, 403U);
  EXPECT_EQ(apply({remove(host(3)), create(host(3), "cdn")}).status, 200U) << "nothing changes";
}

TEST_F(GuardedApi, ACascadeAndAFilterAndADefaultAreWhatTheyTake) {
  EXPECT_EQ(
      apply({{{"op", "delete_prefix"}, {"cidr", "203.0.113.0/24"}, {"cascade", true}}}).status,
      403U);
  EXPECT_EQ(apply({{{"op", "delete_where"}, {"service", "cdn"}}}).status, 403U);
  const json one{{"op", "change"}, {"cidr", "203.0.113.0/24"}, {"service", "spectrum"}};
  const Reply moved = apply({one});
  EXPECT_EQ(moved.status, 403U) << "one binding, but 237 of 256 addresses";
  EXPECT_EQ(services().size(), 20U);
  const Reply tried = post(std::string(kChanges) + "?dry_run=true", body({one}));
  EXPECT_EQ(tried.status, 200U);
  EXPECT_EQ(tried.result().at("guard").at("refuses"), true);
  EXPECT_EQ(tried.result().at("addresses_moved4"), "237");
  EXPECT_EQ(drop(1).status, 200U) << "what was refused does not count";
}

TEST_F(GuardedApi, AGroupThatCouldNotBeWrittenDoesNotCount) {
  support::FaultVfs::instance().on_sync([] { return SQLITE_FULL; });
  for (int n = 1; n <= 4; ++n) EXPECT_EQ(drop(n).status, 503U);
  support::FaultVfs::instance().clear();
  EXPECT_EQ(drop(1).status, 200U);
  EXPECT_EQ(drop(2).status, 200U);
  EXPECT_EQ(drop(3).status, 403U);
}

TEST_F(GuardedApi, WhatCountedCountsAfterARestart) {
  EXPECT_EQ(drop(1).status, 200U);
  EXPECT_EQ(drop(2).status, 200U);
  stop();
  start();
  EXPECT_EQ(drop(3).status, 403U);
  make_binding(prefix_, host(1), kCdn);
  stop();
  start();
  EXPECT_EQ(drop(3).status, 200U) << "what came back";
}

TEST_F(GuardedApi, AnOverrideIsNotHeldAgainstOthersAndIsInTheHistory) {
  Items many;
  for (int n = 1; n <= 9; ++n) many.push_back(remove(host(n)));
  for (int n = 30; n < 50; ++n) many.push_back(create(host(n), "cdn"));
  EXPECT_EQ(apply(many, {.allow = "mass-change"}).status, 200U);
  EXPECT_EQ(drop(10).status, 200U);
  const json latest =
      get("/steer/v1/history?limit=2", {.token = nullptr, .is_local = true}).result();
  EXPECT_NE(latest.at(1).at("what").get<std::string>().find("allowed mass-change"),
            std::string::npos);
}

class Rollback : public Changes {
 protected:
  Rollback() { before_ = picture(); }
  // All that a rollback brings back.
  json picture() {
    json prefixes = get(ApiTest::prefixes()).result();
    json all = json::array();
    for (json& prefix : prefixes) {
      json bound = get(bindings(prefix.at("id"))).result();
      for (json& one : bound) one.erase("provisioning");
      prefix.erase("modified_at");
      all.push_back({prefix, bound});
    }
    return all;
  }
  Reply back_to(std::uint64_t generation) { return back_to(generation, kRollback); }
  Reply back_to(std::uint64_t generation, const std::string& path) {
    return post(path, json{{"generation", generation}}.dump(), kLocal);
  }

  inline static const Extra kLocal{.token = nullptr, .is_local = true};
  json before_;
};

TEST_F(Rollback, BringsBackBindingsPrefixesAndWhatWasSaidOfThem) {
  ASSERT_EQ(apply({{{"op", "add_prefix"},
                    {"cidr", "2001:db8::/48"},
                    {"asn", 64501},
                    {"description", "a \"name\"\n"},
                    {"service", "cdn"}},
                   create("2001:db8::1/128", "spectrum"),
                   create(host(1), "cdn")})
                .status,
            200U);
  const json there = picture();
  const std::uint64_t generation = steering_.published;
  ASSERT_EQ(apply({{{"op", "delete_prefix"}, {"cidr", "2001:db8::/48"}, {"cascade", true}}}).status,
            200U);
  ASSERT_EQ(apply({{{"op", "change"}, {"cidr", host(1)}, {"service", "spectrum"}},
                   create(host(2), "cdn")})
                .status,
            200U);
  ASSERT_EQ(
      ask(Method::patch, ApiTest::prefixes() + "/" + prefix_, R"({"description":"other"})", {})
          .status,
      200U);
  const Reply tried = back_to(generation, std::string(kRollback) + "?dry_run=true");
  EXPECT_EQ(tried.result().at("counts").at("prefixes_added"), 1) << tried.body;
  const Reply back = back_to(generation);
  ASSERT_EQ(back.status, 200U) << back.body;
  EXPECT_EQ(back.result().at("counts"), (json{{"prefixes_added", 1},
                                              {"prefixes_deleted", 0},
                                              {"bindings_created", 2},
                                              {"bindings_deleted", 1},
                                              {"bindings_changed", 1}}));
  EXPECT_EQ(picture(), there) << "with ids, and when they were made";
  expect_store_equals_table();
  stop();
  start();
  EXPECT_EQ(picture(), there);
}

TEST_F(Rollback, OfARollbackGoesForwardAgain) {
  const std::uint64_t generation = steering_.published;
  make_binding(prefix_, host(1), kCdn);
  const json there = picture();
  const std::uint64_t later = steering_.published;
  ASSERT_EQ(back_to(generation).status, 200U);
  EXPECT_EQ(picture(), before_);
  ASSERT_EQ(back_to(later).status, 200U);
  EXPECT_EQ(picture(), there);
}

TEST_F(Rollback, ToNowhereIs404) {
  const Reply reply = back_to(steering_.published + 1);
  EXPECT_EQ(reply.status, 404U);
  EXPECT_NE(reply.message().find(fmt::format("0 to {}", steering_.published)), std::string::npos)
      << reply.message();
  EXPECT_EQ(back_to(steering_.published).status, 200U) << "where it is already";
  EXPECT_EQ(post(kRollback, R"({"generation":1})").status, 403U) << "a token of one account";
  EXPECT_EQ(post(kRollback, R"({"generation":"1"})", kLocal).status, 400U);
  EXPECT_EQ(post(kRollback, R"({"generation":1,"force":true})", kLocal).status, 400U);
}

TEST_F(Rollback, IsGuarded) {
  const std::uint64_t generation = steering_.published;
  make_hosts(25);
  EXPECT_EQ(back_to(generation).status, 403U);
  EXPECT_EQ(services().size(), 26U);
  EXPECT_EQ(back_to(generation, std::string(kRollback) + "?allow=mass-change").status, 200U);
  EXPECT_EQ(picture(), before_);
}

// A rollback of what waits with it for the same transaction knows it too.
TEST_F(Rollback, KnowsWhatIsNotWrittenYet) {
  const std::uint64_t generation = steering_.published;
  for (int round = 0; round < 20; ++round) {
    int replies = 0;
    send(Method::post, kChanges, body({create(host(1), "cdn")}), {},
         [&](Reply&& reply) { replies += reply.status == 200 ? 1 : 0; });
    send(Method::post, kRollback, json{{"generation", generation}}.dump(), kLocal,
         [&](Reply&& reply) { replies += reply.status == 200 ? 1 : 0; });
    while (replies < 2) ASSERT_TRUE(loop_.run_one());
    EXPECT_EQ(picture(), before_);
  }
}

// Random change sets; every generation can be gone back to.
TEST_F(Rollback, AnyGenerationCanBeGoneBackTo) {
  unsigned seed = 11;
  const auto random = [&seed](unsigned below) {
    seed = seed * 1'664'525U + 1'013'904'223U;
    return (seed >> 8) % below;
  };
  constexpr const char* kServices[] = {"magic_transit", "cdn", "spectrum"};
  const std::vector<std::string> prefixes{"198.51.100.0/24", "192.0.2.0/24", "192.0.2.0/23"};
  std::map<std::uint64_t, BindingSet> states;
  for (int round = 0; round < 300; ++round) {
    Items items;
    for (unsigned n = 1 + random(3); n-- > 0;) {
      const std::string& prefix = prefixes.at(random(3));
      const std::string inside =
          prefix.substr(0, prefix.rfind('.')) + "." + std::to_string(random(4)) + "/32";
      const char* const service = kServices[random(3)];
      switch (random(5)) {
        case 0:
          items.push_back({{"op", "add_prefix"}, {"cidr", prefix}, {"service", service}});
          break;
        case 1:
          items.push_back({{"op", "delete_prefix"}, {"cidr", prefix}, {"cascade", true}});
          break;
        case 2:
          items.push_back(remove(inside));
          break;
        case 3:
          items.push_back({{"op", "change"}, {"cidr", prefix}, {"service", service}});
          break;
        default:
          items.push_back(create(inside, service));
      }
    }
    apply(items, {.allow = "mass-change"});
    states.insert_or_assign(steering_.published, steering_.in_force);
    if (round % 10 != 9) continue;
    auto target = states.begin();
    std::advance(target, random(static_cast<unsigned>(states.size())));
    const Reply back = back_to(target->first, std::string(kRollback) + "?allow=mass-change");
    ASSERT_EQ(back.status, 200U) << back.body;
    EXPECT_TRUE(steering_.in_force == target->second) << "generation " << target->first;
    states.insert_or_assign(steering_.published, steering_.in_force);
    expect_store_equals_table();
  }
  EXPECT_GT(states.size(), 60U);
}

}  // namespace

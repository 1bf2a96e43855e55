// SPDX-License-Identifier: BSD-3-Clause
//
// The routes of the official clients: shapes, statuses, codes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "tests/control/api/harness.hpp"

namespace {

using namespace api_test;
using control::api::Method;

class OfficialApi : public ApiTest {};

TEST_F(OfficialApi, ListsTheServices) {
  const Reply reply = get(std::string("/client/v4/accounts/") + kAccount + "/addressing/services");
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.body.at("success"), true);
  EXPECT_EQ(reply.result(), json::array({{{"id", kMagicTransit}, {"name", "Magic Transit"}},
                                         {{"id", kCdn}, {"name", "CDN"}},
                                         {{"id", kSpectrum}, {"name", "Spectrum"}}}));
  EXPECT_EQ(get(std::string("/accounts/") + kAccount + "/addressing/services").body, reply.body)
      << "without the mount point";
}

TEST_F(OfficialApi, APrefixHasItsShape) {
  const Reply made = post(prefixes(), R"({"cidr": "203.0.113.0/24", "asn": 64500,
                                          "description": "d\u00e9jà \"vu\"\n", "delegate_loa_creation": true})");
  ASSERT_EQ(made.status, 201U) << made.body;
  json prefix = made.result();
  const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)");
  EXPECT_TRUE(std::regex_match(prefix.at("id").get<std::string>(), std::regex("[0-9a-f]{32}")));
  EXPECT_TRUE(std::regex_match(prefix.at("created_at").get<std::string>(), time));
  EXPECT_EQ(prefix.at("modified_at"), prefix.at("created_at"));
  const std::string id = prefix.at("id");
  EXPECT_EQ(get(prefixes() + "/" + id).result(), prefix);
  EXPECT_EQ(get(prefixes()).result(), json::array({prefix}));
  for (const char* const key : {"id", "created_at", "modified_at"}) prefix.erase(key);
  EXPECT_EQ(prefix, (json{{"account_id", kAccount},
                          {"cidr", "203.0.113.0/24"},
                          {"asn", 64500},
                          {"approved", "V"},
                          {"description", "d\u00e9j\u00e0 \"vu\"\n"},
                          {"advertised", false},
                          {"on_demand_enabled", false},
                          {"on_demand_locked", false},
                          {"loa_document_id", nullptr}}));
}

TEST_F(OfficialApi, ABindingIsProvisioningThenActive) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  is_stuck_ = true;
  const Reply made = post(bindings(prefix), binding_body("203.0.113.0/24", kMagicTransit));
  ASSERT_EQ(made.status, 201U) << made.body;
  const std::string id = made.result().at("id");
  EXPECT_EQ(made.result(), (json{{"id", id},
                                 {"cidr", "203.0.113.0/24"},
                                 {"service_id", kMagicTransit},
                                 {"service_name", "Magic Transit"},
                                 {"provisioning", {{"state", "provisioning"}}}}));
  EXPECT_EQ(get(bindings(prefix) + "/" + id).result(), made.result());
  is_stuck_ = false;
  api_->set_active(steering_.published);
  const std::string active = "/provisioning/state";
  EXPECT_EQ(get(bindings(prefix) + "/" + id).result().at(json::json_pointer(active)), "active");
  observer_.outputs[0].is_up = false;
  EXPECT_EQ(get(bindings(prefix)).result().at(0).at(json::json_pointer(active)),
            "magic_transit_route_missing");
}

TEST_F(OfficialApi, ADeleteAnswersWhenItIsInForce) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  make_binding(prefix, "203.0.113.0/24", kMagicTransit);
  const std::string id = make_binding(prefix, "203.0.113.1/32", kCdn);
  const Reply gone = del(bindings(prefix) + "/" + id);
  EXPECT_EQ(gone.status, 200U);
  EXPECT_EQ(gone.body,
            (json{{"success", true}, {"errors", json::array()}, {"messages", json::array()}}));
  EXPECT_EQ(api_->engine().active(), steering_.published);
  EXPECT_EQ(get(bindings(prefix) + "/" + id).code(), 1002);
  EXPECT_EQ(steering_.in_force.binding_count(), 1U);
}

TEST_F(OfficialApi, ADeleteThatAWorkerHoldsUpIsDurableAndSaidToBe) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  const std::string id = make_binding(prefix, "203.0.113.0/24", kCdn);
  is_stuck_ = true;
  std::optional<Reply> reply;
  send(Method::del, bindings(prefix) + "/" + id, "", {}, [&](Reply&& got) { reply = got; });
  ASSERT_TRUE(loop_.run_one());
  EXPECT_FALSE(reply);
  api_->expire(api::Api::Clock::now() + std::chrono::milliseconds(900));
  EXPECT_FALSE(reply) << "before the grace timeout";
  api_->expire(api::Api::Clock::now() + std::chrono::milliseconds(1100));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503U);
  EXPECT_EQ(reply->code(), 10503);
  EXPECT_NE(reply->message().find("durable, but not yet in force"), std::string::npos);
  is_stuck_ = false;
  const Reply again = del(bindings(prefix) + "/" + id, {.retry_count = 1});
  EXPECT_EQ(again.status, 200U) << "the client asks again by itself";
  expect_store_equals_table();
}

TEST_F(OfficialApi, RefusesByStatusAndCode) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  make_binding(prefix, "203.0.113.0/24", kMagicTransit);
  make_binding(prefix, "203.0.113.128/25", kCdn);
  const std::string pending = make_prefix("198.51.100.0/24");
  struct Case {
    std::string path;
    std::string body;
    unsigned status;
    int code;
    const char* pointer;
  };
  const std::string in = bindings(prefix);
  for (const Case& wrong : {
           Case{in, binding_body("203.0.113.1/24", kCdn), 400, 1001, "/cidr"},
           Case{in, binding_body("203.0.113.1", kCdn), 400, 1001, "/cidr"},
           Case{in, binding_body("198.51.100.1/32", kCdn), 400, 1001, "/cidr"},
           Case{in, binding_body("2001:db8::/48", kCdn), 400, 1001, "/cidr"},
           Case{in, binding_body("203.0.113.1/32", kMagicTransit), 400, 1003, "/service_id"},
           Case{in, binding_body("203.0.113.129/32", kCdn), 400, 1003, "/service_id"},
           Case{in, binding_body("203.0.113.1/32", kAccount), 400, 1003, "/service_id"},
           Case{bindings(pending), binding_body("198.51.100.1/32", kCdn), 400, 1003, "/cidr"},
           Case{in, binding_body("203.0.113.128/25", kSpectrum), 409, 1108, "/cidr"},
           Case{in, binding_body("203.0.113.0/24", kMagicTransit), 409, 1108, "/cidr"},
           Case{in, "", 400, 1022, ""},
           Case{in, "cidr=1", 400, 1022, ""},
           Case{in, "[]", 400, 1022, ""},
           Case{in, R"({"cidr": "203.0.113.1/32"})", 400, 1022, "/service_id"},
           Case{in, R"({"cidr": 7, "service_id": "x"})", 400, 1022, "/cidr"},
           Case{in, R"({"cidr": "203.0.113.1/32", "cidr": "203.0.113.2/32"})", 400, 1022, "/cidr"},
           Case{in, "{\"cidr\": \"\xff\"}", 400, 1022, "/cidr"},
           Case{in, R"({"cidr": "\ud800"})", 400, 1022, "/cidr"},
           Case{in, std::string(33, '[') + std::string(33, ']'), 400, 1022, nullptr},
           Case{prefixes(), R"({"cidr": "203.0.113.0/24", "asn": 1})", 409, 1108, "/cidr"},
           Case{prefixes(), R"({"cidr": "203.0.112.0/23", "asn": 1})", 409, 1108, "/cidr"},
           Case{prefixes(), R"({"cidr": "203.0.114.0/25", "asn": 1})", 400, 1001, "/cidr"},
           Case{prefixes(), R"({"cidr": "224.0.0.0/24", "asn": 1})", 400, 1001, "/cidr"},
           Case{prefixes(), R"({"cidr": "192.0.2.0/24"})", 400, 1022, "/asn"},
           Case{prefixes(), R"({"cidr": "192.0.2.0/24", "asn": -1})", 400, 1022, "/asn"},
           Case{prefixes(), R"({"cidr": "192.0.2.0/24", "asn": 4294967296})", 400, 1022, "/asn"},
           Case{prefixes(), R"({"cidr": "192.0.2.0/24", "asn": 1.5})", 400, 1022, "/asn"},
           Case{prefixes(),
                R"({"cidr": "192.0.2.0/24", "asn": 1, "description": ")" + std::string(1001, 'x') +
                    "\"}",
                400, 1022, "/description"},
           Case{bindings(std::string(32, '0')), binding_body("203.0.113.1/32", kCdn), 404, 1000,
                ""},
       }) {
    const std::uint64_t before = steering_.published;
    const Reply reply = post(wrong.path, wrong.body);
    EXPECT_EQ(reply.status, wrong.status) << wrong.body << reply.body;
    EXPECT_EQ(reply.code(), wrong.code) << wrong.body << reply.body;
    EXPECT_EQ(reply.body.at("success"), false);
    EXPECT_EQ(reply.result(), nullptr);
    EXPECT_EQ(reply.response.must_not_retry, wrong.status == 409) << wrong.body;
    const json& error = reply.body.at("errors").at(0);
    if (wrong.pointer != nullptr) {
      const json pointer = error.contains("source") ? error.at("source").at("pointer") : json("");
      EXPECT_EQ(pointer, wrong.pointer) << wrong.body << reply.body;
    }
    EXPECT_EQ(steering_.published, before) << "nothing changes";
  }
  EXPECT_EQ(post(in, binding_body("203.0.113.128/25", kSpectrum)).message(),
            "binding already exists for CIDR 203.0.113.128/25 (cdn); one CIDR carries one binding");
}

TEST_F(OfficialApi, WhatIsInTheWayIsNamed) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  const std::string whole = make_binding(prefix, "203.0.113.0/24", kMagicTransit);
  const std::string half = make_binding(prefix, "203.0.113.0/25", kCdn);
  make_binding(prefix, "203.0.113.1/32", kSpectrum);
  const Reply refused = del(bindings(prefix) + "/" + whole);
  EXPECT_EQ(refused.status, 400U);
  EXPECT_EQ(refused.code(), 1003);
  EXPECT_NE(refused.message().find("203.0.113.0/25"), std::string::npos) << refused.message();
  EXPECT_EQ(del(prefixes() + "/" + prefix).code(), 1003);
  EXPECT_EQ(del(bindings(prefix) + "/" + half).status, 200U) << "spectrum may stand on the default";
}

TEST_F(OfficialApi, LeadsNowhereButWhereItShould) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  const std::string id = make_binding(prefix, "203.0.113.0/24", kMagicTransit);
  const std::string in = bindings(prefix);
  struct Case {
    Method method;
    std::string target;
    unsigned status;
    int code;
  };
  for (const Case& wrong : {
           Case{Method::get, "/", 404, 7003},
           Case{Method::get, "/client/v4", 404, 7003},
           Case{Method::get, "/client/v4/client/v4/accounts/x/addressing/services", 404, 7003},
           Case{Method::get, "//accounts/x/addressing/services", 404, 7003},
           Case{Method::get, "/client/v4/accounts//addressing/services", 404, 7003},
           Case{Method::get, "/client/v4/accounts/a%20b/addressing/services", 404, 7003},
           Case{Method::get, "/client/v4/accounts/x/addressing/services", 404, 7003},
           Case{Method::get, "accounts/x/addressing/services", 404, 7003},
           Case{Method::get, prefixes() + "/", 404, 7003},
           Case{Method::del, in, 405, 10405},
           Case{Method::del, prefixes(), 405, 10405},
           Case{Method::del, in + "/", 404, 7003},
           Case{Method::del, fmt::format("{}//{}", in, id), 404, 7003},
           Case{Method::del, in + "/../bindings", 404, 7003},
           Case{Method::del, fmt::format("{}?id={}", in, id), 405, 10405},
           Case{Method::del, in + "/%2e", 404, 7003},
           Case{Method::del, in + "/*", 404, 7003},
           Case{Method::del, fmt::format("{}/{:a<37}", in, ""), 404, 7003},
           Case{Method::del, fmt::format("{}/{:f<32}", in, ""), 404, 1002},
           Case{Method::del, in + "/all", 404, 1002},
           Case{Method::get, prefixes() + "/nosuch", 404, 1000},
           Case{Method::patch, fmt::format("{}/{}", in, id), 405, 10405},
           Case{Method::put, fmt::format("{}/{}", in, id), 405, 10405},
           Case{Method::other, fmt::format("{}/{}", in, id), 405, 10405},
       }) {
    const Reply reply = ask(wrong.method, wrong.target, "", {});
    EXPECT_EQ(reply.status, wrong.status) << wrong.target;
    EXPECT_EQ(reply.code(), wrong.code) << wrong.target;
  }
  EXPECT_EQ(ask(Method::del, in, "", {}).response.allowed_methods, "GET, POST");
  EXPECT_EQ(get(in).result().size(), 1U) << "all are still there";
}

TEST_F(OfficialApi, KnowsWhoMayDoWhat) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  const std::string body = binding_body("203.0.113.0/24", kCdn);
  for (const char* const nobody : {static_cast<const char*>(nullptr), "", "a guess"}) {
    const Reply reply = get(prefixes(), {.token = nobody});
    EXPECT_EQ(reply.status, 401U);
    EXPECT_EQ(reply.code(), 10000);
  }
  EXPECT_EQ(get(prefixes(), {.token = kReader}).status, 200U);
  const Reply forbidden = post(bindings(prefix), body, {.token = kReader});
  EXPECT_EQ(forbidden.status, 403U);
  EXPECT_EQ(forbidden.code(), 10000);
  EXPECT_EQ(get(prefixes(), {.token = kStranger}).status, 404U);
  const std::string theirs = "/client/v4/accounts/another/addressing/prefixes";
  EXPECT_EQ(get(theirs, {.token = kStranger}).result(), json::array());
  EXPECT_EQ(get(theirs + "/" + prefix, {.token = kStranger}).code(), 1000);
  EXPECT_EQ(post(theirs + "/" + prefix + "/bindings", body, {.token = kStranger}).code(), 1000);
  const Reply overlap =
      post(theirs, R"({"cidr": "203.0.112.0/23", "asn": 1})", {.token = kStranger});
  EXPECT_EQ(overlap.status, 409U);
  EXPECT_EQ(overlap.message().find("203.0.113"), std::string::npos)
      << "names what is another's: " << overlap.message();
  EXPECT_EQ(get(prefixes(), {.token = nullptr, .is_local = true}).status, 200U);
}

TEST_F(OfficialApi, ARevokedTokenIsNobodys) {
  auto rows = tokens_.rows();
  rows[0].revoked_at = 1;
  tokens_.put(rows[0]);
  EXPECT_EQ(get(prefixes()).status, 401U);
}

TEST_F(OfficialApi, AnswersARepeatedRequestLikeTheFirst) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  const std::string body = binding_body("203.0.113.0/24", kCdn);
  const std::string in = bindings(prefix);
  const std::string id = make_binding(prefix, "203.0.113.0/24", kCdn);
  const Reply again = post(in, body, {.retry_count = 1});
  EXPECT_EQ(again.status, 201U);
  EXPECT_EQ(again.result().at("id"), id);
  EXPECT_EQ(post(in, body).status, 409U);
  EXPECT_EQ(post(in, binding_body("203.0.113.0/24", kSpectrum), {.retry_count = 1}).status, 409U);
  EXPECT_EQ(post(prefixes(), R"({"cidr": "203.0.113.0/24", "asn": 64500})", {.retry_count = 2})
                .result()
                .at("id"),
            prefix);
  // Also when a restart is what lost the reply.
  stop();
  start();
  EXPECT_EQ(post(in, body, {.retry_count = 1}).status, 201U);
  EXPECT_EQ(del(in + "/" + id).status, 200U);
  EXPECT_EQ(del(in + "/" + id).status, 404U);
  EXPECT_EQ(del(in + "/" + id, {.retry_count = 1}).status, 200U);
  stop();
  start();
  EXPECT_EQ(del(in + "/" + id, {.retry_count = 1}).status, 200U);
  EXPECT_EQ(del(fmt::format("{}/{:f<32}", in, ""), {.retry_count = 1}).status, 404U)
      << "it never was";
}

TEST_F(OfficialApi, EditsADescription) {
  const std::string prefix = make_prefix("203.0.113.0/24");
  const Reply edited =
      ask(Method::patch, prefixes() + "/" + prefix, R"({"description": "new"})", {});
  EXPECT_EQ(edited.status, 200U) << edited.body;
  EXPECT_EQ(edited.result().at("description"), "new");
  EXPECT_EQ(ask(Method::patch, prefixes() + "/" + prefix, "{}", {}).code(), 1022);
  stop();
  start();
  EXPECT_EQ(get(prefixes() + "/" + prefix).result().at("description"), "new");
}

TEST_F(OfficialApi, LimitsTheRateOfAToken) {
  stop();
  options_.requests_per_second = 5;
  start();
  unsigned served = 0;
  Reply last;
  for (int i = 0; i < 20; ++i) {
    last = get(prefixes());
    if (last.status == 200) ++served;
  }
  EXPECT_GE(served, 5U);
  EXPECT_LT(served, 20U);
  EXPECT_EQ(last.status, 429U);
  EXPECT_EQ(last.code(), 10429);
  EXPECT_EQ(last.response.retry_after_s, 1U);
  EXPECT_EQ(get(prefixes(), {.token = kReader}).status, 200U) << "another token";
}

}  // namespace

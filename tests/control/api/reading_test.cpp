// SPDX-License-Identifier: BSD-3-Clause
//
// What is read below /steer/v1: prefixes, bindings, explanations, counters, the export.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "control/api/reading.hpp"
#include "control/bindings_file.hpp"
#include "tests/control/api/harness.hpp"

namespace {

using namespace api_test;
using dataplane::Service;

lpm::AnyPrefix cidr(std::string_view text) {
  return lpm::parse_prefix(text).value();
}

class ReadingApi : public ApiTest {
 protected:
  static Extra local() { return {.token = nullptr, .is_local = true}; }
  static Extra stranger() { return {.token = kStranger}; }
  static constexpr const char* kBindings = "/steer/v1/bindings";
  static constexpr const char* kExplain = "/steer/v1/explain?address=";

  // 203.0.113.0/24 with two hosts and 2001:db8::/32 of the account; 198.51.100.0/24 of another, and
  // 192.0.2.0/24, which is pending.
  void make_some() {
    change(R"({"op": "add_prefix", "cidr": "203.0.113.0/24", "account": ")" +
           std::string(kAccount) +
           R"(", "asn": 64500, "description": "a \"quoted\" one", "service": "magic_transit"})");
    change(R"({"op": "create", "cidr": "203.0.113.1/32", "service": "cdn"})");
    change(R"({"op": "create", "cidr": "203.0.113.2/32", "service": "spectrum"})");
    change(R"({"op": "add_prefix", "cidr": "192.0.2.0/24", "account": ")" + std::string(kAccount) +
           R"("})");
    change(R"({"op": "add_prefix", "cidr": "2001:db8::/32", "account": ")" + std::string(kAccount) +
           R"(", "service": "cdn"})");
    change(
        R"({"op": "add_prefix", "cidr": "198.51.100.0/24", "account": "another", "service": "spectrum"})");
    change(R"({"op": "create", "cidr": "198.51.100.7/32", "service": "cdn"})");
  }
  void change(const std::string& item) {
    const Reply made = post("/steer/v1/changes", R"({"changes": [)" + item + "]}", local());
    ASSERT_EQ(made.status, 200U) << made.body;
  }
  // 10.0.0.0/15 and, from its first address on, more hosts than a request looks at.
  void make_many(const std::string& account) {
    std::string items = R"({"op": "add_prefix", "cidr": "10.0.0.0/15", "account": ")" + account +
                        R"(", "service": "cdn"})";
    for (unsigned i = 0; i < control::api::kScannedMax + 100; ++i)
      items += R"(,{"op": "create", "cidr": "10.)" + std::to_string(i / 65536) + "." +
               std::to_string(i / 256 % 256) + "." + std::to_string(i % 256) +
               R"(/32", "service": "spectrum"})";
    change(items);
  }
  std::vector<std::string> cidrs_of(const std::string& query, const Extra& extra = {}) {
    const Reply reply = get(kBindings + query, extra);
    EXPECT_EQ(reply.status, 200U) << reply.body;
    std::vector<std::string> all;
    const json result = reply.result();
    for (const json& row : result.at("bindings")) all.push_back(row.at("cidr"));
    return all;
  }
  using Cidrs = std::vector<std::string>;
};

TEST_F(ReadingApi, PrefixesAreShownWithTheirDefaultAndHowManyBindings) {
  make_some();
  const Reply reply = get("/steer/v1/prefixes", local());
  ASSERT_EQ(reply.status, 200U);
  const json rows = reply.result();
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows.at(0).at("cidr"), "192.0.2.0/24");
  EXPECT_EQ(rows.at(0).at("service"), nullptr);
  EXPECT_EQ(rows.at(0).at("bindings"), 0);
  EXPECT_EQ(rows.at(2).at("cidr"), "203.0.113.0/24");
  EXPECT_EQ(rows.at(2).at("service"), "magic_transit");
  EXPECT_EQ(rows.at(2).at("bindings"), 3);
  EXPECT_EQ(rows.at(2).at("asn"), 64500);
  EXPECT_EQ(rows.at(2).at("account"), kAccount);
  EXPECT_EQ(rows.at(2).at("description"), "a \"quoted\" one");
  EXPECT_EQ(rows.at(2).at("generation"), 1);
  EXPECT_EQ(reply.response.etag, 7U);
  EXPECT_EQ(get("/steer/v1/prefixes").result().size(), 3U) << "those of the account";
  EXPECT_EQ(get("/steer/v1/prefixes?account=another", local()).result().size(), 1U);
  EXPECT_EQ(get("/steer/v1/prefixes?account=another").result().size(), 0U) << "not to be seen";
  EXPECT_EQ(get("/steer/v1/prefixes?acount=another", local()).code(), 1400);
  for (const char* const path : {"prefixes", "bindings", "export"})
    EXPECT_EQ(get(std::string("/steer/v1/") + path + "?account=a/b", local()).status, 400U) << path;
}

TEST_F(ReadingApi, FiltersOfBindingsHoldTogether) {
  make_some();
  EXPECT_EQ(cidrs_of("", local()), (Cidrs{"198.51.100.0/24", "198.51.100.7/32", "203.0.113.0/24",
                                          "203.0.113.1/32", "203.0.113.2/32", "2001:db8::/32"}));
  EXPECT_EQ(cidrs_of("?service=cdn", local()),
            (Cidrs{"198.51.100.7/32", "203.0.113.1/32", "2001:db8::/32"}));
  EXPECT_EQ(cidrs_of("?service=" + std::string(kSpectrum), local()),
            (Cidrs{"198.51.100.0/24", "203.0.113.2/32"}));
  EXPECT_EQ(cidrs_of("?prefix=203.0.113.0/24&service=cdn", local()), (Cidrs{"203.0.113.1/32"}));
  EXPECT_EQ(cidrs_of("?within=203.0.113.0/31", local()), (Cidrs{"203.0.113.1/32"}));
  EXPECT_EQ(cidrs_of("?within=192.0.0.0/2", local()).size(), 5U);
  EXPECT_EQ(cidrs_of("?within=::/0", local()), (Cidrs{"2001:db8::/32"}));
  EXPECT_EQ(cidrs_of("?within=203.0.113.128/25", local()), Cidrs{});
  EXPECT_EQ(cidrs_of("?address=203.0.113.1", local()), (Cidrs{"203.0.113.0/24", "203.0.113.1/32"}));
  EXPECT_EQ(cidrs_of("?address=203.0.113.1&service=cdn", local()), (Cidrs{"203.0.113.1/32"}));
  EXPECT_EQ(cidrs_of("?address=2001:db8::9", local()), (Cidrs{"2001:db8::/32"}));
  EXPECT_EQ(cidrs_of("?address=192.0.2.1", local()), Cidrs{});
  EXPECT_EQ(cidrs_of("?address=203.0.113.1&limit=1", local()), (Cidrs{"203.0.113.0/24"}));
  EXPECT_EQ(cidrs_of("?address=203.0.113.1&after=203.0.113.0/24", local()),
            (Cidrs{"203.0.113.1/32"}));
  EXPECT_EQ(cidrs_of("?account=another", local()), (Cidrs{"198.51.100.0/24", "198.51.100.7/32"}));
  EXPECT_EQ(cidrs_of("?account=another&address=203.0.113.1", local()), Cidrs{});
  EXPECT_EQ(cidrs_of("?state=active", local()).size(), 6U);
  EXPECT_EQ(cidrs_of("?state=provisioning", local()), Cidrs{});
  observer_.outputs[0].is_up = false;
  EXPECT_EQ(cidrs_of("?state=magic_transit_route_missing", local()), (Cidrs{"203.0.113.0/24"}));
}

TEST_F(ReadingApi, WrongFiltersAreRefusedWithWhatIsAllowed) {
  make_some();
  const auto refused = [&](const std::string& query, int code) {
    const Reply reply = get(kBindings + query, local());
    EXPECT_EQ(reply.status, 400U) << query;
    EXPECT_EQ(reply.code(), code) << query;
    return reply.message();
  };
  EXPECT_NE(refused("?within=203.0.113.1/24", 1001).find("host bits"), std::string::npos);
  EXPECT_NE(refused("?service=mt", 1400).find("spectrum"), std::string::npos);
  EXPECT_NE(refused("?limit=0", 1400).find("from 1 to 10000"), std::string::npos);
  EXPECT_NE(refused("?limit=10001", 1400).find("10001"), std::string::npos);
  EXPECT_NE(refused("?state=up", 1400).find("provisioning, active"), std::string::npos);
  EXPECT_NE(refused("?address=203.0.113.1/32", 1400).find("IPv6 address"), std::string::npos);
  EXPECT_NE(refused("?servce=cdn", 1400).find("service"), std::string::npos);
  EXPECT_NE(refused("?order=rate&after=203.0.113.0/24", 1400).find("order"), std::string::npos);
  EXPECT_EQ(refused("?limit=x&service=y", 1400),
            "service must be magic_transit, cdn, spectrum or "
            "the id of one, not \"y\"");
  EXPECT_EQ(get(std::string(kBindings) + "?prefix=203.0.112.0/24", local()).status, 404U);
}

TEST_F(ReadingApi, PagesTogetherAreTheWhole) {
  make_some();
  for (const char* const filter : {"", "&service=cdn", "&within=203.0.113.0/24"}) {
    const Cidrs whole = cidrs_of(std::string("?limit=1000") + filter, local());
    for (const int limit : {1, 2, 3}) {
      Cidrs joined;
      std::string after;
      int pages = 0;
      do {
        const json result =
            get(kBindings + ("?limit=" + std::to_string(limit)) + filter + after, local()).result();
        for (const json& row : result.at("bindings")) joined.push_back(row.at("cidr"));
        ASSERT_LE(result.at("bindings").size(), static_cast<std::size_t>(limit));
        after = result.at("next").is_null() ? "" : "&after=" + result.at("next").get<std::string>();
        ASSERT_LT(++pages, 10);
      } while (!after.empty());
      EXPECT_EQ(joined, whole) << limit << filter;
    }
  }
}

TEST_F(ReadingApi, APageGoesOnBehindWhatIsGone) {
  make_some();
  EXPECT_EQ(cidrs_of("?after=203.0.113.1/32", local()), (Cidrs{"203.0.113.2/32", "2001:db8::/32"}));
  change(R"({"op": "delete", "cidr": "203.0.113.1/32"})");
  EXPECT_EQ(cidrs_of("?after=203.0.113.1/32", local()), (Cidrs{"203.0.113.2/32", "2001:db8::/32"}));
  EXPECT_EQ(cidrs_of("?after=ffff::/16", local()), Cidrs{});
  EXPECT_EQ(cidrs_of("?after=203.0.113.1/32&within=2001:db8::/32", local()),
            (Cidrs{"2001:db8::/32"}));
  EXPECT_EQ(cidrs_of("?after=2001:db8::/32&within=203.0.113.0/24", local()), Cidrs{});
}

TEST_F(ReadingApi, ATokenOfOneAccountSeesNothingOfAnother) {
  make_some();
  EXPECT_EQ(cidrs_of("", stranger()), (Cidrs{"198.51.100.0/24", "198.51.100.7/32"}));
  EXPECT_EQ(cidrs_of("?address=203.0.113.1", stranger()), Cidrs{});
  EXPECT_EQ(cidrs_of("?within=203.0.113.0/24", stranger()), Cidrs{});
  observer_.busiest_by_rate = {cidr("203.0.113.1/32")};
  EXPECT_EQ(cidrs_of("?order=rate", stranger()).size(), 2U);
  const std::string another = "there is no prefix \"203.0.113.0/24\"";
  EXPECT_EQ(get(std::string(kBindings) + "?prefix=203.0.113.0/24", stranger()).message(), another);
  const Reply theirs = get(std::string(kExplain) + "203.0.113.1", stranger());
  const Reply nobodys = get(std::string(kExplain) + "203.0.112.1", stranger());
  EXPECT_EQ(theirs.status, 404U);
  EXPECT_EQ(theirs.code(), nobodys.code());
  EXPECT_EQ(theirs.message(), "no prefix of this account is around 203.0.113.1");
  EXPECT_EQ(nobodys.message(), "no prefix of this account is around 203.0.112.1");
  EXPECT_EQ(get(std::string(kExplain) + "198.51.100.7", stranger()).status, 200U);
  EXPECT_EQ(get("/steer/v1/counters", stranger()).status, 403U);
  EXPECT_EQ(get("/steer/v1/export", stranger()).body.dump().find("203.0.113"), std::string::npos);
}

TEST_F(ReadingApi, CountersOfBindingsAreThoseOfTheDataPlane) {
  make_some();
  observer_.traffic[cidr("203.0.113.1/32")] = {.counted = {10, 640},
                                               .packets_per_second = 2.5,
                                               .bits_per_second = 1280,
                                               .last_seen = 1'700'000'000'000'000};
  observer_.traffic[cidr("203.0.113.2/32")] = {.counted = {30, 64}, .packets_per_second = 1};
  const json rows =
      get(std::string(kBindings) + "?order=packets&limit=2", local()).result().at("bindings");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.at(0).at("cidr"), "203.0.113.2/32");
  EXPECT_EQ(rows.at(0).at("last_seen"), nullptr);
  const json& cdn = rows.at(1);
  EXPECT_EQ(cdn.at("cidr"), "203.0.113.1/32");
  EXPECT_EQ(cdn.at("packets"), 10);
  EXPECT_EQ(cdn.at("bytes"), 640);
  EXPECT_EQ(cdn.at("packets_per_second"), 2.5);
  EXPECT_EQ(cdn.at("bits_per_second"), 1280.0);
  EXPECT_EQ(cdn.at("last_seen"), "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(cdn.at("account"), kAccount);
  EXPECT_EQ(cdn.at("state"), "active");
  EXPECT_EQ(cidrs_of("?order=rate&limit=2", local()), (Cidrs{"203.0.113.1/32", "203.0.113.2/32"}));
}

// More than are looked at: the data plane knows which are the busiest.
TEST_F(ReadingApi, OfManyBindingsTheBusiestComeFromTheDataPlane) {
  make_many("another");
  // 10.0.3.1 is looked at, 10.0.195.150 is not.
  observer_.busiest_by_rate = {cidr("10.0.195.150/32"), cidr("10.9.9.9/32")};
  observer_.traffic[cidr("10.0.195.150/32")] = {.counted = {}, .packets_per_second = 9};
  observer_.traffic[cidr("10.0.3.1/32")] = {.counted = {}, .packets_per_second = 8};
  EXPECT_EQ(cidrs_of("?order=rate&limit=2", local()), (Cidrs{"10.0.195.150/32", "10.0.3.1/32"}));
  EXPECT_EQ(cidrs_of("?order=rate&within=10.0.3.0/24", local()).front(), "10.0.3.1/32");
  // Which of its bindings are among the busiest of all is not for a token of one account.
  EXPECT_EQ(get(std::string(kBindings) + "?order=rate", stranger()).status, 400U);
  EXPECT_EQ(cidrs_of("?order=rate&within=10.0.3.0/24", stranger()).front(), "10.0.3.1/32");
}

TEST_F(ReadingApi, ARequestLooksAtABoundedNumberOfBindings) {
  make_many("acme");
  const json first = get(std::string(kBindings) + "?service=magic_transit", local()).result();
  EXPECT_TRUE(first.at("bindings").empty());
  ASSERT_TRUE(first.at("next").is_string()) << "it has not looked at all";
  const json second = get(std::string(kBindings) +
                              "?service=magic_transit&after=" + first.at("next").get<std::string>(),
                          local())
                          .result();
  EXPECT_TRUE(second.at("next").is_null());
}

TEST_F(ReadingApi, ExplainHasTheExamplesOfTheSpecification) {
  make_some();
  const auto asked = [&](const std::string& query) {
    const Reply reply = get(kExplain + query, local());
    EXPECT_EQ(reply.status, 200U) << reply.body;
    return reply.result();
  };
  const json cdn = asked("203.0.113.1");
  EXPECT_EQ(cdn.at("outcome"), "cdn_bound");
  EXPECT_EQ(cdn.at("service"), "cdn");
  EXPECT_EQ(cdn.at("binding").at("cidr"), "203.0.113.1/32");
  EXPECT_EQ(cdn.at("prefix").at("cidr"), "203.0.113.0/24");
  EXPECT_EQ(cdn.at("reason"), "the longest match is the binding of 203.0.113.1/32 (cdn)");
  EXPECT_EQ(cdn.at("generation"), 7);
  EXPECT_EQ(asked("203.0.113.2").at("service"), "spectrum");
  EXPECT_EQ(asked("203.0.113.3").at("service"), "magic_transit");
  EXPECT_EQ(asked("203.0.113.1&direction=egress").at("outcome"), "magic_transit_egress_inside");
  EXPECT_EQ(asked("8.8.8.8&direction=egress").at("outcome"), "magic_transit_egress_outside");
  EXPECT_EQ(asked("8.8.8.8").at("outcome"), "drop_unmatched");
  EXPECT_EQ(asked("8.8.8.8").at("service"), nullptr);
  EXPECT_NE(asked("192.0.2.1").at("reason").get<std::string>().find("pending"), std::string::npos);
  EXPECT_EQ(asked("2001:DB8:0::1").at("address"), "2001:db8::1");
  EXPECT_EQ(asked("224.0.0.1").at("outcome"), "drop_local_scope");
}

TEST_F(ReadingApi, ExplainJudgesWhatAServiceAccepts) {
  make_some();
  dataplane::Settings settings;
  settings.cdn_accept = dataplane::Settings::CdnAccept::http;
  observer_.the_policy = std::make_shared<const dataplane::Policy>(settings);
  const auto outcome = [&](const std::string& query) {
    return get(kExplain + query, local()).result().at("outcome").get<std::string>();
  };
  EXPECT_EQ(outcome("203.0.113.1&protocol=tcp&port=443&source=8.8.8.8&source_port=40000"),
            "cdn_bound");
  EXPECT_EQ(outcome("203.0.113.1&protocol=6&port=22"), "magic_transit_not_accepted");
  EXPECT_EQ(outcome("203.0.113.1&protocol=tcp&port=443&fragment=true"),
            "magic_transit_not_accepted");
  EXPECT_EQ(outcome("203.0.113.1"), "magic_transit_not_accepted");
}

TEST_F(ReadingApi, ExplainKnowsTheWayToTheKernel) {
  make_some();
  observer_.the_policy = std::make_shared<const dataplane::Policy>(
      dataplane::Settings(),
      dataplane::HostAddresses{dataplane::AddressSet(std::vector{lpm::Address4{0xcb007101}}), {}});
  const auto outcome = [&](const std::string& query) {
    return get(kExplain + query, local()).result().at("outcome").get<std::string>();
  };
  EXPECT_EQ(outcome("203.0.113.1"), "cdn_bound") << "no port has a kernel path";
  observer_.kernel_path = true;
  EXPECT_EQ(outcome("203.0.113.1"), "kernel_host_address");
  EXPECT_EQ(outcome("8.8.8.8"), "kernel_unmatched");
  EXPECT_EQ(outcome("8.8.8.8&kernel_path=false"), "drop_unmatched");
}

TEST_F(ReadingApi, ExplainSaysWhatAnOutputThatIsDownDoes) {
  make_some();
  const auto outcome = [&](const std::string& query) {
    return get(kExplain + query, local()).result().at("outcome").get<std::string>();
  };
  observer_.outputs[1] = {.is_up = false, .is_resolved = true};
  EXPECT_EQ(outcome("203.0.113.1"), "drop_cdn_down");
  observer_.outputs[1] = {.is_up = true, .is_resolved = false};
  EXPECT_EQ(outcome("203.0.113.1"), "drop_cdn_unresolved");
  observer_.down_to_magic_transit = true;
  EXPECT_EQ(outcome("203.0.113.1"), "magic_transit_output_down");
  observer_.outputs[0].is_up = false;
  EXPECT_EQ(outcome("203.0.113.1"), "drop_magic_transit_down");
  EXPECT_EQ(outcome("203.0.113.3"), "drop_magic_transit_down");
}

TEST_F(ReadingApi, ExplainRefusesWhatItCannotRead) {
  const auto refused = [&](const std::string& query) {
    const Reply reply = get("/steer/v1/explain" + query, local());
    EXPECT_EQ(reply.status, 400U) << query;
    return reply.message();
  };
  EXPECT_EQ(refused(""), "address is missing: the destination to explain");
  EXPECT_NE(refused("?address=203.0.113.256").find("203.0.113.256"), std::string::npos);
  EXPECT_NE(refused("?address=8.8.8.8&protocol=sctp").find("sctp"), std::string::npos);
  EXPECT_NE(refused("?address=8.8.8.8&protocol=256").find("256"), std::string::npos);
  EXPECT_NE(refused("?address=8.8.8.8&port=65536").find("65535"), std::string::npos);
  EXPECT_NE(refused("?address=8.8.8.8&source=::1").find("family"), std::string::npos);
  EXPECT_NE(refused("?address=8.8.8.8&direction=in").find("ingress, egress"), std::string::npos);
}

TEST_F(ReadingApi, CountersAreShownByName) {
  observer_.all.received = {5, 500};
  observer_.all.outcomes = {{"cdn_bound", {3, 300}}, {"drop_not_ip", {2, 200}}};
  observer_.all.services = {{Service::cdn, {false, true}, {{"queue_full", 4}}}};
  observer_.all.workers = {{"3", true, {{"rounds", 7}}}};
  observer_.all.ports = {{"edge\"0", true, {{"missed", 1}}, {{"taken", 9}}}, {"b", false, {}, {}}};
  const json all = get("/steer/v1/counters", local()).result();
  EXPECT_EQ(all.at("received").at("packets"), 5);
  EXPECT_EQ(all.at("outcomes").at("cdn_bound").at("bytes"), 300);
  EXPECT_EQ(all.at("outcomes").at("drop_not_ip").at("packets"), 2);
  EXPECT_EQ(all.at("services").at(0).at("service"), "cdn");
  EXPECT_EQ(all.at("services").at(0).at("is_up"), false);
  EXPECT_EQ(all.at("services").at(0).at("queue_full"), 4);
  EXPECT_EQ(all.at("workers").at(0).at("cpu"), "3");
  EXPECT_EQ(all.at("workers").at(0).at("rounds"), 7);
  EXPECT_EQ(all.at("ports").at(0).at("name"), "edge\"0");
  EXPECT_EQ(all.at("ports").at(0).at("xdp").at("taken"), 9);
  EXPECT_FALSE(all.at("ports").at(1).contains("xdp"));
}

TEST_F(ReadingApi, AnExportIsABindingsDocument) {
  make_some();
  const Reply reply = get("/steer/v1/export", local());
  ASSERT_EQ(reply.status, 200U);
  const json& document = reply.body;
  EXPECT_EQ(document.at("generation"), 7);
  ASSERT_EQ(document.at("prefixes").size(), 4U);
  const json& pending = document.at("prefixes").at(0);
  EXPECT_EQ(
      pending,
      json::parse(
          R"({"cidr": "192.0.2.0/24", "service": null, "account": ")" + std::string(kAccount) +
          R"(", "asn": null, "description": "", "loa_document_id": null, "bindings": []})"));
  const json& bound = document.at("prefixes").at(2);
  EXPECT_EQ(bound.at("service"), "magic_transit");
  EXPECT_EQ(bound.at("asn"), 64500);
  EXPECT_EQ(bound.at("bindings"), json::parse(R"([{"cidr": "203.0.113.1/32", "service": "cdn"},
                            {"cidr": "203.0.113.2/32", "service": "spectrum"}])"));
  EXPECT_EQ(get("/steer/v1/export?account=another", local()).body.at("prefixes").size(), 1U);
  EXPECT_EQ(get("/steer/v1/export").body.at("prefixes").size(), 3U);
}

TEST_F(ReadingApi, AnExportImportedIsWhatItWas) {
  make_some();
  const std::string before = get("/steer/v1/export", local()).response.body;
  Extra all = local();
  const Reply same = put("/steer/v1/import", before, all);
  ASSERT_EQ(same.status, 200U) << same.body;
  EXPECT_TRUE(same.result().at("changes").empty()) << same.body;
  EXPECT_EQ(get("/steer/v1/export", local()).response.body, before);
  all.allow = "mass-change";
  ASSERT_EQ(put("/steer/v1/import", R"({"prefixes": []})", all).status, 200U);
  EXPECT_TRUE(get("/steer/v1/prefixes", local()).result().empty());
  ASSERT_EQ(put("/steer/v1/import", before, all).status, 200U);
  const json back = get("/steer/v1/export", local()).body;
  EXPECT_EQ(back.at("prefixes"), json::parse(before).at("prefixes"));
}

TEST_F(ReadingApi, WhatIsOfOneAccountIsAppliedToThatAlone) {
  make_some();
  const std::string theirs = get("/steer/v1/export?account=another", local()).response.body;
  Extra all = local();
  all.allow = "mass-change";
  const Reply same = put("/steer/v1/import?account=another", theirs, all);
  ASSERT_EQ(same.status, 200U) << same.body;
  EXPECT_TRUE(same.result().at("changes").empty()) << same.body;
  const Reply gone = put("/steer/v1/import?account=another", R"({"prefixes": []})", all);
  ASSERT_EQ(gone.status, 200U) << gone.body;
  EXPECT_EQ(gone.result().at("counts").at("prefixes_deleted"), 1);
  EXPECT_EQ(get("/steer/v1/prefixes", local()).result().size(), 3U);
  EXPECT_EQ(put("/steer/v1/import?account=another", theirs, {}).status, 404U) << "not to be seen";
  EXPECT_EQ(put("/steer/v1/import?account=", theirs, all).status, 400U);
  EXPECT_EQ(post("/steer/v1/changes?account=another", "{}", all).status, 400U);
}

TEST_F(ReadingApi, AFilterOfDeletesMayNameAnAccount) {
  make_some();
  Extra all = local();
  all.allow = "mass-change";
  const auto remove = [&](const std::string& members) {
    return post("/steer/v1/changes",
                R"({"changes": [{"op": "delete_where", "service": "cdn")" + members + "}]}", all);
  };
  const Reply theirs = remove(R"(, "account": "another")");
  ASSERT_EQ(theirs.status, 200U) << theirs.body;
  EXPECT_EQ(theirs.result().at("counts").at("bindings_deleted"), 1);
  EXPECT_EQ(cidrs_of("?service=cdn", local()), (Cidrs{"203.0.113.1/32", "2001:db8::/32"}));
}

}  // namespace

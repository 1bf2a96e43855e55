// SPDX-License-Identifier: BSD-3-Clause
//
// PUT /steer/v1/import.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "control/bindings_file.hpp"
#include "tests/control/api/harness.hpp"
#include "tests/support/seed.hpp"

namespace {

using namespace api_test;
using control::api::Method;

constexpr const char* kImport = "/steer/v1/import";

std::string host(int n) {
  return "203.0.113." + std::to_string(n) + "/32";
}

json entry(const std::string& cidr, const char* service) {
  return {{"cidr", cidr}, {"service", service}};
}

using Prefixes = std::vector<json>;

std::string document(const Prefixes& prefixes) {
  return json{{"prefixes", prefixes}}.dump();
}

class Import : public ApiTest {
 protected:
  Import() {
    prefix_ = make_prefix("203.0.113.0/24");
    make_binding(prefix_, "203.0.113.0/24", kMagicTransit);
    make_binding(prefix_, host(1), kCdn);
    make_binding(prefix_, host(2), kSpectrum);
  }
  Reply import(const Prefixes& prefixes) { return import(prefixes, {}); }
  Reply import(const Prefixes& prefixes, const Extra& extra) {
    return put(kImport, document(prefixes), extra);
  }
  Reply import_text(const std::string& body) { return put(kImport, body, {}); }
  // Everything of the account that the API shows.
  json picture() {
    json all = json::array();
    const json prefixes = get(ApiTest::prefixes()).result();
    for (const json& prefix : prefixes)
      all.push_back({prefix, get(bindings(prefix.at("id"))).result()});
    return all;
  }
  json prefix_row(const std::string& cidr) {
    const json prefixes = get(ApiTest::prefixes()).result();
    for (const json& row : prefixes)
      if (row.at("cidr") == cidr) return row;
    return nullptr;
  }
  json binding_row(const std::string& prefix, const std::string& cidr) {
    const json rows = get(bindings(prefix)).result();
    for (const json& row : rows)
      if (row.at("cidr") == cidr) return row;
    return nullptr;
  }
  static std::string pointer_of(const Reply& reply) {
    const json fault = reply.body.at("errors").at(0);
    return fault.contains("source") ? fault.at("source").at("pointer") : "";
  }
  // What there is now, as a document.
  static Prefixes as_it_is() {
    return {{{"cidr", "203.0.113.0/24"},
             {"service", "magic_transit"},
             {"bindings", {entry(host(1), "cdn"), entry(host(2), "spectrum")}}}};
  }

  inline static const Extra kLocal{.token = nullptr, .is_local = true};
  std::string prefix_;
};

TEST_F(Import, MakesTheStateEqualToTheDocumentInOneGeneration) {
  const std::uint64_t before = steering_.published;
  const json own = prefix_row("203.0.113.0/24");
  const json first = binding_row(prefix_, host(1));
  const Reply made = import({{{"cidr", "203.0.113.0/24"},
                              {"service", "magic_transit"},
                              {"bindings", {entry(host(1), "spectrum"), entry(host(3), "cdn")}}},
                             {{"cidr", "198.51.100.0/24"},
                              {"service", kCdn},
                              {"asn", 64501},
                              {"description", "d"},
                              {"loa_document_id", "l"}},
                             {{"cidr", "2001:db8::/48"}}});
  ASSERT_EQ(made.status, 200U) << made.body;
  EXPECT_EQ(steering_.published, before + 1);
  EXPECT_EQ(made.result().at("counts"), (json{{"prefixes_added", 2},
                                              {"prefixes_deleted", 0},
                                              {"bindings_created", 2},
                                              {"bindings_deleted", 1},
                                              {"bindings_changed", 1}}));
  EXPECT_EQ(made.result().at("addresses_moved4"), "259");
  EXPECT_EQ(made.response.etag, before + 1);
  const json changed = binding_row(prefix_, host(1));
  EXPECT_EQ(changed.at("id"), first.at("id"));
  EXPECT_EQ(changed.at("service_name"), "Spectrum");
  EXPECT_EQ(binding_row(prefix_, host(2)), nullptr);
  EXPECT_EQ(binding_row(prefix_, host(3)).at("service_name"), "CDN");
  EXPECT_EQ(prefix_row("203.0.113.0/24"), own) << "nothing was said of it";
  const json other = prefix_row("198.51.100.0/24");
  EXPECT_EQ(other.at("asn"), 64501);
  EXPECT_EQ(other.at("description"), "d");
  EXPECT_EQ(other.at("loa_document_id"), "l");
  EXPECT_EQ(other.at("account_id"), kAccount);
  EXPECT_EQ(get(bindings(prefix_row("2001:db8::/48").at("id"))).result().size(), 0U);
  expect_store_equals_table();
}

TEST_F(Import, OfWhatIsThereChangesNothing) {
  const std::uint64_t before = steering_.published;
  const json picture_before = picture();
  const Reply made = import(as_it_is());
  ASSERT_EQ(made.status, 200U) << made.body;
  EXPECT_EQ(made.result().at("changes"), json::array());
  EXPECT_EQ(made.result().at("generation"), before);
  EXPECT_EQ(steering_.published, before);
  EXPECT_EQ(picture(), picture_before);
}

// Whatever was there before.
TEST_F(Import, EndsAtTheDocumentFromAnyState) {
  auto random = support::seeded_random();
  const auto one_of = [&](std::initializer_list<const char*> words) {
    return words.begin()[support::random_below(random, words.size())];
  };
  const auto random_prefix = [&](const std::string& cidr, const std::string& start) {
    json prefix{{"cidr", cidr}, {"account", kAccount}};
    if (support::random_below(random, 5U) == 0) return prefix;  // pending
    const std::string service = one_of({"magic_transit", "cdn", "spectrum"});
    json bound = json::array();
    const char* const other = service == "cdn" ? "spectrum" : "cdn";
    const char* const third = other == std::string("cdn") ? "spectrum" : "cdn";
    const bool has_half = support::random_below(random, 2U) == 0;
    if (has_half) bound.push_back(entry(start + "0/25", other));
    for (auto n = support::random_below(random, 9U); n > 0; --n) {
      const std::string last = std::to_string(16 * n + support::random_below(random, 2U));
      bound.push_back(entry(start + last + "/32", has_half && 16 * n < 128 ? third : other));
    }
    if (support::random_below(random, 2U) == 0)
      prefix["service"] = service;
    else
      bound.push_back(entry(cidr, service.c_str()));
    prefix["bindings"] = bound;
    return prefix;
  };
  int imported = 0;
  for (int round = 0; round < 60; ++round) {
    Prefixes prefixes;
    for (const char* const start : {"192.0.2.", "198.51.100.", "203.0.113."})
      if (support::random_below(random, 4U) != 0)
        prefixes.push_back(random_prefix(start + std::string("0/24"), start));
    // Around one of them, instead of it.
    if (support::random_below(random, 3U) == 0) {
      std::erase_if(prefixes, [](const json& one) { return one.at("cidr") == "203.0.113.0/24"; });
      prefixes.push_back(random_prefix("203.0.112.0/22", "203.0.113."));
      if (prefixes.back().contains("bindings"))
        std::erase_if(prefixes.back()["bindings"].get_ref<json::array_t&>(),
                      [](const json& one) { return one.at("cidr") == "203.0.113.0/25"; });
    }
    const std::string text = document(prefixes);
    const auto wanted = control::parse_bindings(text, {});
    if (!wanted) continue;  // without the half, some have no other service
    Extra extra = kLocal;
    extra.allow = "mass-change";
    const Reply made = put(kImport, text, extra);
    ASSERT_EQ(made.status, 200U) << made.body << text;
    ASSERT_TRUE(steering_.in_force == *wanted) << text;
    ++imported;
  }
  EXPECT_GE(imported, 20);
  expect_store_equals_table();
}

TEST_F(Import, ADryRunTellsAndChangesNothing) {
  const std::uint64_t before = steering_.published;
  const json picture_before = picture();
  const Reply tried = put(std::string(kImport) + "?dry_run=true", document({}), {});
  ASSERT_EQ(tried.status, 200U) << tried.body;
  EXPECT_EQ(tried.result().at("dry_run"), true);
  EXPECT_EQ(tried.result().at("counts").at("prefixes_deleted"), 1);
  EXPECT_EQ(tried.result().at("counts").at("bindings_deleted"), 3);
  EXPECT_EQ(steering_.published, before);
  EXPECT_EQ(picture(), picture_before);
}

TEST_F(Import, HasTheQueryAndTheHeadersOfAChangeSet) {
  const std::uint64_t now = steering_.published;
  Prefixes wanted = as_it_is();
  wanted[0]["bindings"].push_back(entry(host(3), "cdn"));
  EXPECT_EQ(import(wanted, {.if_match = fmt::format("\"{}\"", now - 1)}).status, 412U);
  EXPECT_EQ(import(wanted, {.allow = "everything"}).status, 400U);
  EXPECT_EQ(import(wanted, {.token = kReader}).status, 403U);
  EXPECT_EQ(put(std::string(kImport) + "?acount=x", document(wanted), {}).status, 400U);
  EXPECT_EQ(steering_.published, now);
  EXPECT_EQ(import(wanted, {.if_match = fmt::format("\"{}\"", now)}).status, 200U);
  wanted[0]["bindings"].push_back(entry(host(4), "cdn"));
  is_stuck_ = true;
  std::optional<Reply> reply;
  send(Method::put, std::string(kImport) + "?wait=active", document(wanted), {},
       [&](Reply&& got) { reply = std::move(got); });
  ASSERT_TRUE(loop_.run_one());
  EXPECT_FALSE(reply);
  api_->set_active(steering_.published);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->result().at("state"), "active");
}

TEST_F(Import, AnEmptyListIsHeldUpByTheGuard) {
  Prefixes many = as_it_is();
  for (int n = 3; n <= 30; ++n) many[0]["bindings"].push_back(entry(host(n), "cdn"));
  ASSERT_EQ(import(many).status, 200U);
  const json before = picture();
  const Reply refused = import(Prefixes{});
  EXPECT_EQ(refused.status, 403U) << refused.body;
  EXPECT_NE(refused.message().find("X-Steer-Allow: mass-change"), std::string::npos);
  EXPECT_EQ(picture(), before);
  const Reply tried = put(std::string(kImport) + "?dry_run=true", document({}), {});
  EXPECT_EQ(tried.result().at("guard").at("refuses"), true);
  EXPECT_EQ(import(Prefixes{}, {.allow = "mass-change"}).status, 200U);
  EXPECT_EQ(picture(), json::array());
}

TEST_F(Import, OfAnAccountIsOfThatAccountAlone) {
  const Extra stranger{.token = kStranger};
  const json before = picture();
  // Theirs is empty, and stays so.
  EXPECT_EQ(import(Prefixes{}, stranger).result().at("changes"), json::array());
  const Prefixes theirs{{{"cidr", "198.51.100.0/24"}, {"service", "cdn"}, {"account", "another"}}};
  ASSERT_EQ(import(theirs, stranger).status, 200U);
  EXPECT_EQ(picture(), before);
  const Reply taken = import({{{"cidr", "203.0.113.0/24"}, {"service", "cdn"}}}, stranger);
  EXPECT_EQ(taken.status, 409U);
  EXPECT_EQ(pointer_of(taken), "/prefixes/0/cidr");
  EXPECT_EQ(taken.body.at("errors").size(), 1U) << taken.body;
  const Reply overlap = import({{{"cidr", "203.0.112.0/23"}}}, stranger);
  EXPECT_EQ(overlap.status, 409U);
  EXPECT_EQ(overlap.message(), "203.0.112.0/23 overlaps a prefix that is onboarded already");
  const Reply named =
      import({theirs[0], {{"cidr", "192.0.2.0/24"}, {"account", kAccount}}}, stranger);
  EXPECT_EQ(named.status, 404U);
  EXPECT_EQ(pointer_of(named), "/prefixes/1/account");
  EXPECT_EQ(picture(), before);
  // And ours goes without theirs.
  ASSERT_EQ(import(Prefixes{}).status, 200U);
  EXPECT_EQ(picture(), json::array());
  EXPECT_EQ(steering_.in_force.prefixes().size(), 1U);
}

TEST_F(Import, OfAllAccountsNeedsTheAccountOfWhatIsNew) {
  Prefixes wanted = as_it_is();
  wanted.push_back({{"cidr", "198.51.100.0/24"}});
  const Reply missing = import(wanted, kLocal);
  EXPECT_EQ(missing.status, 400U);
  EXPECT_EQ(missing.code(), 1022);
  EXPECT_EQ(pointer_of(missing), "/prefixes/1/account");
  wanted[1]["account"] = "another";
  ASSERT_EQ(import(wanted, kLocal).status, 200U);
  EXPECT_EQ(prefix_row("203.0.113.0/24").at("account_id"), kAccount) << "absent is unchanged";
  EXPECT_EQ(prefix_row("198.51.100.0/24"), nullptr);
  wanted[1]["account"] = kAccount;
  const Reply moved = import(wanted, kLocal);
  EXPECT_EQ(moved.result().at("changes").at(0).at("op"), "edit_prefix") << moved.body;
  EXPECT_EQ(prefix_row("198.51.100.0/24").at("account_id"), kAccount);
  ASSERT_EQ(import(Prefixes{}, kLocal).status, 200U);
  EXPECT_TRUE(steering_.in_force.prefixes().empty());
}

TEST_F(Import, WhatIsNotSaidOfAPrefixStaysAndNullIsNothing) {
  Prefixes wanted = as_it_is();
  wanted[0].update({{"asn", 64510}, {"description", "d"}, {"loa_document_id", "l"}});
  ASSERT_EQ(import(wanted).status, 200U);
  ASSERT_EQ(import(as_it_is()).status, 200U);
  const json stays = prefix_row("203.0.113.0/24");
  EXPECT_EQ(stays.at("id"), prefix_);
  EXPECT_EQ(stays.at("asn"), 64510);
  EXPECT_EQ(stays.at("description"), "d");
  EXPECT_EQ(stays.at("loa_document_id"), "l");
  wanted[0].update({{"asn", nullptr}, {"description", nullptr}, {"loa_document_id", nullptr}});
  ASSERT_EQ(import(wanted).status, 200U);
  const json none = prefix_row("203.0.113.0/24");
  EXPECT_EQ(none.at("asn"), nullptr);
  EXPECT_EQ(none.at("description"), "");
  EXPECT_EQ(none.at("created_at"), stays.at("created_at"));
}

TEST_F(Import, AServiceOfNullIsPending) {
  ASSERT_EQ(
      import({{{"cidr", "203.0.113.0/24"}, {"service", nullptr}, {"bindings", json::array()}}})
          .status,
      200U);
  EXPECT_EQ(prefix_row("203.0.113.0/24").at("id"), prefix_);
  EXPECT_EQ(get(bindings(prefix_)).result().size(), 0U);
}

TEST_F(Import, RefusesWhatIsNoDocumentWithAPointer) {
  struct Case {
    const char* body;
    unsigned status;
    int code;
    const char* pointer;
  };
  const std::string deep = R"({"prefixes":)" + std::string(40, '[');
  const Case cases[]{
      {"", 400, 1022, ""},
      {"[]", 400, 1022, ""},
      {"{}", 400, 1022, ""},
      {R"({"prefixes":[]} x)", 400, 1022, ""},
      {"{\"prefixes\":[\"\xff\"]}", 400, 1022, "/prefixes"},
      {deep.c_str(), 400, 1022, nullptr},
      {R"({"prefixes":[],"prefixes":[]})", 400, 1022, "/prefixes"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24","cidr":"192.0.2.0/24"}]})", 400, 1022,
       "/prefixes/0/cidr"},
      {R"({"prefixes":[],"bindings":[]})", 400, 1022, "/bindings"},
      {R"({"prefixes":[],"generation":"1"})", 400, 1022, "/generation"},
      {R"({"prefixes":[{}]})", 400, 1022, "/prefixes/0"},
      {R"({"prefixes":[{"cidr":"192.0.2.1/24"}]})", 400, 1001, "/prefixes/0/cidr"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24","asn":4294967296}]})", 400, 1022, "/prefixes/0/asn"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24","account":"a b"}]})", 400, 1022,
       "/prefixes/0/account"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24","service":"dns"}]})", 400, 1003,
       "/prefixes/0/service"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/25"}]})", 400, 1001, "/prefixes/0/cidr"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24"},{"cidr":"192.0.2.0/24"}]})", 409, 1108,
       "/prefixes/1/cidr"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24"},{"cidr":"192.0.2.0/23"}]})", 409, 1108,
       "/prefixes/1/cidr"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24","service":"cdn","bindings":[
          {"cidr":"192.0.2.0/24","service":"cdn"}]}]})",
       409, 1108, "/prefixes/0/bindings/0/cidr"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24","service":"cdn","bindings":[
          {"cidr":"192.0.2.1/32","service":"spectrum"},{"cidr":"192.0.2.1/32","service":"cdn"}]}]})",
       409, 1108, "/prefixes/0/bindings/1/cidr"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24","service":"cdn","bindings":[
          {"cidr":"192.0.3.1/32","service":"spectrum"}]}]})",
       400, 1001, "/prefixes/0/bindings/0/cidr"},
      {R"({"prefixes":[{"cidr":"192.0.2.0/24","bindings":[
          {"cidr":"192.0.2.1/32","service":"spectrum"}]}]})",
       400, 1003, "/prefixes/0/bindings/0/cidr"},
      {R"({"prefixes":[{"cidr":"203.0.113.0/24","bindings":[
          {"cidr":"203.0.113.1/32","service":"cdn"}]}]})",
       400, 1003, "/prefixes/0/bindings/0/cidr"},
      {R"({"prefixes":[{"cidr":"203.0.113.0/24","service":"cdn","bindings":[
          {"cidr":"203.0.113.1/32","service":"cdn"}]}]})",
       400, 1003, "/prefixes/0/bindings/0/service"}};
  const json before = picture();
  for (const Case& wrong : cases) {
    const Reply reply = import_text(wrong.body);
    EXPECT_EQ(reply.status, wrong.status) << wrong.body << reply.body;
    EXPECT_EQ(reply.code(), wrong.code) << wrong.body << reply.body;
    if (wrong.pointer == nullptr) continue;
    EXPECT_EQ(pointer_of(reply), wrong.pointer) << wrong.body;
  }
  EXPECT_EQ(picture(), before);
  expect_store_equals_table();
}

// The rule is broken by what the document leaves out.
TEST_F(Import, WhatIsLeftUncoveredIsNamedByItsPlace) {
  const auto wanted = [](const json& bound) {
    return Prefixes{{{"cidr", "203.0.113.0/24"}, {"service", "cdn"}, {"bindings", bound}}};
  };
  ASSERT_EQ(import(wanted({entry("203.0.113.0/25", "spectrum"), entry(host(7), "cdn")})).status,
            200U);
  const Reply refused = import(wanted({entry(host(9), "spectrum"), entry(host(7), "cdn")}));
  EXPECT_EQ(refused.status, 400U);
  EXPECT_EQ(pointer_of(refused), "/prefixes/0/bindings/1/service") << refused.body;
}

TEST_F(Import, ErrorsAreBoundedHoweverManyThereAre) {
  Prefixes wrong;
  Prefixes twice;
  for (int n = 0; n < 5000; ++n) {
    wrong.push_back({{"cidr", n}});
    twice.push_back({{"cidr", "192.0.2.0/24"}});
  }
  EXPECT_EQ(import(wrong).body.at("errors").size(), 100U);
  EXPECT_EQ(import(twice).body.at("errors").size(), 100U);
}

TEST_F(Import, IsOneAtATime) {
  const auto head = [] {
    return api::Request{.method = Method::put,
                        .target = kImport,
                        .authorization = std::string("Bearer ") + kWriter,
                        .auth_key = {},
                        .allow = {},
                        .if_match = {},
                        .body = {}};
  };
  {
    const auto receiving = api_->admit(head(), api::Api::Clock::now());
    ASSERT_TRUE(receiving);
    const Reply second = import(as_it_is());
    EXPECT_EQ(second.status, 503U);
    EXPECT_TRUE(second.response.retry_after_s);
    EXPECT_EQ(get(prefixes()).status, 200U) << "others are not held up";
  }
  EXPECT_EQ(import_text("[]").status, 400U);
  EXPECT_EQ(import(as_it_is()).status, 200U) << "what was refused is over";
}

TEST_F(Import, ThatCannotBeWrittenLeavesNothing) {
  const json before = picture();
  support::FaultVfs::instance().on_sync([] { return SQLITE_FULL; });
  EXPECT_EQ(import({{{"cidr", "192.0.2.0/24"}, {"service", "cdn"}}}).status, 503U);
  support::FaultVfs::instance().clear();
  EXPECT_EQ(picture(), before);
  EXPECT_EQ(import({{{"cidr", "192.0.2.0/24"}, {"service", "cdn"}}}).status, 200U);
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
//
// What each command asks for, and what it makes of the answers, without a steerd.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/ctl/session.hpp"
#include "tests/control/ctl/played_server.hpp"
#include "tests/support/program.hpp"

namespace {

using namespace control::ctl;
using namespace ctl_test;
using nlohmann::json;
using Words = std::vector<std::string>;

std::string success(const json& result) {
  return json{{"success", true}, {"errors", json::array()}, {"result", result}}.dump();
}

std::string failure(int code, const std::string& message, const std::string& pointer = "") {
  json error{{"code", code}, {"message", message}};
  if (!pointer.empty()) error["source"] = {{"pointer", pointer}};
  return json{{"success", false}, {"errors", {error}}, {"result", nullptr}}.dump();
}

// The answer to a change set that creates and deletes so many bindings.
json outcome(unsigned created, unsigned deleted, const char* guard = nullptr) {
  json changes = json::array();
  if (created != 0)
    changes.push_back({{"kind", "binding"},
                       {"op", "create"},
                       {"cidr", "203.0.113.1/32"},
                       {"prefix", "203.0.113.0/24"},
                       {"before", nullptr},
                       {"after", "cdn"}});
  if (deleted != 0)
    changes.push_back({{"kind", "binding"},
                       {"op", "delete"},
                       {"cidr", "203.0.113.2/32"},
                       {"prefix", "203.0.113.0/24"},
                       {"before", "spectrum"},
                       {"after", nullptr}});
  return {{"generation", 16},
          {"state", "active"},
          {"dry_run", false},
          {"counts",
           {{"prefixes_added", 0},
            {"prefixes_deleted", 0},
            {"bindings_created", created},
            {"bindings_deleted", deleted},
            {"bindings_changed", 0}}},
          {"addresses_moved4", std::to_string(created + deleted)},
          {"addresses_moved6", "0"},
          {"changes", changes},
          {"guard",
           {{"refuses", guard != nullptr}, {"reason", guard == nullptr ? json() : json(guard)}}}};
}

class CommandTest : public testing::Test {
 protected:
  ExitStatus run_steerctl(Words words, PlayedServer& server) {
    words.insert(words.begin(), {"--api", server.url()});
    return run_steerctl(words);
  }
  ExitStatus run_steerctl(const Words& words) {
    std::vector<const char*> argv{"steerctl"};
    for (const std::string& word : words) argv.push_back(word.c_str());
    out_.clear();
    error_.clear();
    questions_.clear();
    Console console{.out = [this](std::string_view text) { out_ += text; },
                    .error = [this](std::string_view text) { error_ += text; },
                    .confirm =
                        [this](const std::string& question) {
                          questions_.push_back(question);
                          return says_yes_;
                        },
                    .pause = [this](std::chrono::milliseconds) { return --pauses_ > 0; },
                    .can_ask = can_ask_};
    return run(
        parse_options(static_cast<int>(argv.size()), argv.data()),
        [](const char* name) { return name == std::string("STEER_TOKEN") ? "secret" : nullptr; },
        console);
  }
  static void expect_has(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in:\n" << text;
  }
  std::string document() {
    std::ofstream(scratch_ / "state.json") << R"({"prefixes": []})";
    return (scratch_ / "state.json").string();
  }

  support::Scratch scratch_;
  std::string out_;
  std::string error_;
  std::vector<std::string> questions_;
  bool can_ask_ = false;
  bool says_yes_ = false;
  int pauses_ = 1;
};

TEST_F(CommandTest, AsksWithTheTokenForTheAccount) {
  PlayedServer server({{200, success({{{"id", "abc"}, {"name", "CDN"}}})}});
  EXPECT_EQ(run_steerctl({"services", "--account", "acme"}, server), kDone) << error_;
  const auto asked = server.asked();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].method, "GET");
  EXPECT_EQ(asked[0].target, "/accounts/acme/addressing/services");
  EXPECT_EQ(asked[0].fields.at("authorization"), "Bearer secret");
  EXPECT_EQ(asked[0].fields.at("host"), server.url().substr(7));
  EXPECT_EQ(out_, "NAME  ID\nCDN   abc\n");
}

TEST_F(CommandTest, JsonIsWhatTheApiSays) {
  const json result = {
      {"generation", 17}, {"active", 16}, {"magic_transit_up", false}, {"other", {1}}};
  PlayedServer server({{200, success(result)}});
  EXPECT_EQ(run_steerctl({"status", "--json"}, server), kDone);
  EXPECT_EQ(json::parse(out_), result);
}

TEST_F(CommandTest, BindingsAreOneChangeSet) {
  PlayedServer server({{200, success(outcome(2, 0))}, {200, success(outcome(0, 0))}});
  EXPECT_EQ(run_steerctl({"bindings", "add", "203.0.113.1/32", "203.0.113.9/32", "cdn", "--wait",
                          "--if-match", "15"},
                         server),
            kDone)
      << error_;
  EXPECT_EQ(run_steerctl({"bindings", "move", "203.0.113.1/32", "spectrum", "--allow-mass-change"},
                         server),
            kDone);
  const auto asked = server.asked();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].method + asked[0].target, "POST/steer/v1/changes?wait=active");
  EXPECT_EQ(asked[0].fields.at("if-match"), "\"15\"");
  EXPECT_FALSE(asked[0].fields.contains("x-steer-allow"));
  EXPECT_EQ(json::parse(asked[0].body),
            json::parse(R"({"changes":[{"op":"create","cidr":"203.0.113.1/32","service":"cdn"},
                                       {"op":"create","cidr":"203.0.113.9/32","service":"cdn"}]})"));
  EXPECT_EQ(asked[1].target, "/steer/v1/changes");
  EXPECT_EQ(asked[1].fields.at("x-steer-allow"), "mass-change");
  EXPECT_EQ(
      json::parse(asked[1].body),
      json::parse(R"({"changes":[{"op":"change","cidr":"203.0.113.1/32","service":"spectrum"}]})"));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CommandTest, AConnectionIsKeptAndMadeAnewWhereTheServerEndedIt) {
  const json page = {{"generation", 3}, {"bindings", json::array()}, {"next", nullptr}};
  PlayedServer server({{200, success(page)}, {200, success(page), true}, {200, success(page)}});
  pauses_ = 3;
  EXPECT_EQ(run_steerctl({"top", "--json"}, server), kDone) << error_;
  EXPECT_EQ(server.asked().size(), 3U);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CommandTest, PrefixesSayWhatIsKnownOfThem) {
  PlayedServer server({{200, success(outcome(1, 0))}, {200, success(outcome(0, 1))}});
  EXPECT_EQ(run_steerctl({"prefixes", "add", "203.0.113.0/24", "--asn", "64500", "--account",
                          "acme", "--service", "cdn", "--description", "a \"b\""},
                         server),
            kDone);
  EXPECT_EQ(json::parse(server.asked()[0].body),
            json::parse(R"({"changes":[{"op":"add_prefix","cidr":"203.0.113.0/24","account":"acme",
                            "asn":64500,"description":"a \"b\"","service":"cdn"}]})"));
  EXPECT_EQ(run_steerctl({"prefixes", "delete", "203.0.113.0/24"}, server), kDone);
  EXPECT_EQ(json::parse(server.asked()[1].body),
            json::parse(R"({"changes":[{"op":"delete_prefix","cidr":"203.0.113.0/24"}]})"));
}

TEST_F(CommandTest, AFilterNeverMeansAll) {
  EXPECT_EQ(run_steerctl({"bindings", "delete"}), kUsage);
  expect_has(error_, "at least one of");
  EXPECT_EQ(run_steerctl({"bindings", "delete", "203.0.113.1/32", "--service", "cdn"}), kUsage);
}

TEST_F(CommandTest, ASmallDifferenceIsMadeAsItWasShown) {
  PlayedServer server({{200, success(outcome(1, 1))}, {200, success(outcome(1, 1))}});
  EXPECT_EQ(run_steerctl({"apply", document()}, server), kDone) << error_;
  const auto asked = server.asked();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].method + asked[0].target, "PUT/steer/v1/import?dry_run=true");
  EXPECT_EQ(asked[0].body, R"({"prefixes": []})");
  EXPECT_EQ(asked[1].method + asked[1].target, "PUT/steer/v1/import");
  EXPECT_EQ(asked[1].body, asked[0].body);
  EXPECT_EQ(asked[1].fields.at("if-match"), "\"16\"");
  EXPECT_EQ(out_,
            "+ 203.0.113.1/32 in 203.0.113.0/24: cdn\n"
            "- 203.0.113.2/32 in 203.0.113.0/24: spectrum\n"
            "1 binding created, 1 binding deleted; IPv4 addresses with another service: 2\n"
            "generation 16, active\n");
}

TEST_F(CommandTest, ALargeDifferenceIsAskedAbout) {
  const std::string large = success(outcome(0, 21));
  {
    PlayedServer server({{200, large}});
    EXPECT_EQ(run_steerctl({"apply", document()}, server), kRefused);
    expect_has(error_, "21 changes are many");
    expect_has(error_, "--yes");
    EXPECT_EQ(server.asked().size(), 1U) << "only shown";
  }
  can_ask_ = true;
  {
    PlayedServer server({{200, large}});
    EXPECT_EQ(run_steerctl({"rollback", "7"}, server), kRefused);
    EXPECT_EQ(questions_, Words{"Make these 21 changes? [y/N] "});
    EXPECT_EQ(error_, "steerctl: nothing was changed\n");
    EXPECT_EQ(server.asked().size(), 1U);
  }
  says_yes_ = true;
  {
    PlayedServer server({{200, large}, {200, large}});
    EXPECT_EQ(run_steerctl({"rollback", "7"}, server), kDone);
    EXPECT_EQ(questions_.size(), 1U);
    EXPECT_EQ(server.asked()[1].method + server.asked()[1].target, "POST/steer/v1/rollback");
    EXPECT_EQ(server.asked()[1].body, R"({"generation":7})");
  }
  can_ask_ = false;
  PlayedServer server({{200, large}, {200, large}});
  EXPECT_EQ(run_steerctl({"bindings", "delete", "--service", "cdn", "--yes", "--json"}, server),
            kDone);
  EXPECT_EQ(questions_, Words{});
  EXPECT_EQ(json::parse(server.asked()[1].body),
            json::parse(R"({"changes":[{"op":"delete_where","service":"cdn"}]})"));
  EXPECT_EQ(json::parse(out_).at("counts").at("bindings_deleted"), 21);
}

TEST_F(CommandTest, TheGuardTakesMoreThanAYes) {
  const std::string guarded = success(outcome(0, 3, "3 of 20 bindings in ten minutes"));
  {
    PlayedServer server({{200, guarded}});
    EXPECT_EQ(run_steerctl({"apply", document(), "--yes"}, server), kRefused);
    expect_has(error_, "3 of 20 bindings in ten minutes");
    expect_has(error_, "--allow-mass-change");
    EXPECT_EQ(server.asked().size(), 1U);
  }
  {
    PlayedServer server({{200, guarded}});
    EXPECT_EQ(run_steerctl({"apply", document(), "--allow-mass-change"}, server), kRefused);
    expect_has(error_, "3 changes are many");
  }
  PlayedServer server({{200, guarded}, {200, guarded}});
  EXPECT_EQ(run_steerctl({"apply", document(), "--allow-mass-change", "--yes"}, server), kDone);
  EXPECT_EQ(server.asked()[1].fields.at("x-steer-allow"), "mass-change");
}

TEST_F(CommandTest, ADryRunChangesNothing) {
  for (const Words& words :
       std::vector<Words>{{"apply", document()},
                          {"rollback", "3"},
                          {"bindings", "add", "203.0.113.1/32", "cdn"},
                          {"prefixes", "delete", "203.0.113.0/24", "--cascade"}}) {
    PlayedServer server({{200, success(outcome(1, 30, "too many"))}});
    Words dry = words;
    dry.emplace_back("--dry-run");
    EXPECT_EQ(run_steerctl(dry, server), kDone) << error_;
    ASSERT_EQ(server.asked().size(), 1U);
    expect_has(server.asked()[0].target, "dry_run=true");
    expect_has(out_, "the guard would refuse this: too many\na dry run: nothing was changed\n");
  }
}

TEST_F(CommandTest, NothingToChangeIsDone) {
  PlayedServer server({{200, success(outcome(0, 0))}});
  EXPECT_EQ(run_steerctl({"apply", document()}, server), kDone);
  EXPECT_EQ(out_, "nothing changes\n");
  EXPECT_EQ(server.asked().size(), 1U);
}

TEST_F(CommandTest, WhatSomebodyElseChangedMeanwhileIsNotOverwritten) {
  PlayedServer server({{200, success(outcome(1, 0))},
                       {412, failure(1412, "the state is at generation 17, not 16")}});
  EXPECT_EQ(run_steerctl({"apply", document()}, server), kRefused);
  EXPECT_EQ(error_,
            "steerctl: refused (412): the state is at generation 17, not 16 (code 1412)\n"
            "  somebody else was faster: look again, and repeat it\n");
}

TEST_F(CommandTest, TheServersWordsAreShownWholeAndHarmless) {
  const std::string message =
      "binding already exists for CIDR " + std::string(500, 'x') + "\x1b[2J";
  PlayedServer server({{409, failure(1108, message, "/changes/0/cidr")}});
  EXPECT_EQ(run_steerctl({"bindings", "add", "203.0.113.1/32", "cdn"}, server), kRefused);
  EXPECT_EQ(error_, "steerctl: refused (409): binding already exists for CIDR " +
                        std::string(500, 'x') + "\\x1b[2J (code 1108), at /changes/0/cidr\n");
  EXPECT_EQ(out_, "");
}

TEST_F(CommandTest, SaysWhatToDo) {
  const struct {
    unsigned status;
    std::string body;
    const char* advice;
  } cases[] = {
      {401, failure(10000, "no valid credentials"), "STEER_TOKEN"},
      {403, failure(10000, "refused; X-Steer-Allow: mass-change"), "--allow-mass-change"},
      {403, failure(10000, "tokens are made by the Unix socket alone"), "--api unix:PATH"},
      {404, failure(7003, "there is no account"), "--account"},
      {502, "<html>Bad Gateway</html>", "CLOUDFLARE_BASE_URL"},
      {200, "<html>a portal</html>", "not as steerd does"},
  };
  for (const auto& one : cases) {
    PlayedServer server({{one.status, one.body}});
    EXPECT_EQ(run_steerctl({"status"}, server), kRefused);
    expect_has(error_, one.advice);
  }
}

TEST_F(CommandTest, AnAnswerOfAnotherShapeIsAnError) {
  PlayedServer server({{200, success({{"generation", "seventeen"}})}});
  EXPECT_EQ(run_steerctl({"explain", "203.0.113.1"}, server), kRefused);
  expect_has(error_, "not what the API says");
}

TEST_F(CommandTest, WhereNobodyListensItsStatusIsAnother) {
  std::string url;
  {
    const PlayedServer gone({});
    url = gone.url();
  }
  EXPECT_EQ(run_steerctl({"--api", url, "status"}), kUnreachable);
  expect_has(error_, "cannot connect to " + url);
  EXPECT_EQ(run_steerctl({"--api", "unix:" + (scratch_ / "no.sock").string(), "status"}),
            kUnreachable);
  expect_has(error_, "No such file");
}

TEST_F(CommandTest, ABrokenOffReplyIsNotTakenForOne) {
  {
    PlayedServer server({{200, success(outcome(1, 0)), false, true}});
    EXPECT_EQ(run_steerctl({"bindings", "add", "203.0.113.1/32", "cdn"}, server), kUnreachable);
    expect_has(error_, "whether it was carried out is not known");
  }
  PlayedServer server({{200, "", false, false, true}});
  EXPECT_EQ(run_steerctl({"bindings", "add", "203.0.113.1/32", "cdn"}, server), kUnreachable);
  EXPECT_EQ(server.asked().size(), 1U) << "a change is not sent twice";
}

TEST_F(CommandTest, ASlowServerIsNotWaitedForForever) {
  // It accepts, and says nothing: the request is never complete.
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size), 0);
  EXPECT_EQ(run_steerctl({"--api", "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port)),
                          "--timeout", "1", "status"}),
            kUnreachable);
  expect_has(error_, "no answer in time");
  close(listener);
}

TEST_F(CommandTest, PagesAreOneListing) {
  const auto row = [](const char* cidr) {
    return json{
        {"cidr", cidr},    {"service", "cdn"}, {"state", "active"},   {"prefix", "203.0.113.0/24"},
        {"packets", 1234}, {"bytes", 5},       {"last_seen", nullptr}};
  };
  const json first = {
      {"generation", 3}, {"bindings", {row("203.0.113.1/32")}}, {"next", "203.0.113.1/32"}};
  const json second = {{"generation", 4}, {"bindings", {row("203.0.113.2/32")}}, {"next", nullptr}};
  {
    PlayedServer server({{200, success(first)}, {200, success(second)}});
    EXPECT_EQ(run_steerctl({"bindings", "list", "--service", "cdn", "--json"}, server), kDone);
    EXPECT_EQ(server.asked()[0].target, "/steer/v1/bindings?service=cdn&limit=10000");
    EXPECT_EQ(server.asked()[1].target,
              "/steer/v1/bindings?service=cdn&limit=10000&after=203.0.113.1/32");
    const json all = json::parse(out_);
    EXPECT_EQ(all.at("bindings"), (json{row("203.0.113.1/32"), row("203.0.113.2/32")}));
    EXPECT_EQ(all.at("next"), nullptr);
    expect_has(error_, "generation 3 to 4");
  }
  PlayedServer server({{200, success(first)}});
  EXPECT_EQ(run_steerctl({"bindings", "list", "--limit", "1"}, server), kDone);
  EXPECT_EQ(server.asked()[0].target, "/steer/v1/bindings?limit=1");
  expect_has(out_, "203.0.113.1/32  cdn      active  203.0.113.0/24    1,234      5  -\n");
}

TEST_F(CommandTest, AnExportTakesTheFilesPlaceWhenItIsWhole) {
  const std::string path = (scratch_ / "state.json").string();
  std::ofstream(path) << "before";
  const std::string large = "{\"prefixes\":[]}" + std::string(300'000, ' ');
  {
    PlayedServer server({{200, large, false, true}});
    EXPECT_EQ(run_steerctl({"export", "--output", path}, server), kUnreachable);
    EXPECT_EQ(support::contents_of(path), "before");
  }
  {
    PlayedServer server({{200, large}});
    EXPECT_EQ(run_steerctl({"export", "--account", "acme", "--output", path}, server), kDone)
        << error_;
    EXPECT_EQ(server.asked()[0].target, "/steer/v1/export?account=acme");
    EXPECT_EQ(support::contents_of(path), large);
  }
  const auto files = std::distance(support::fs::directory_iterator(scratch_ / ""), {});
  EXPECT_EQ(files, 1) << "nothing is left behind";
  PlayedServer server({{200, large}});
  EXPECT_EQ(run_steerctl({"export"}, server), kDone);
  EXPECT_EQ(out_, large);
}

TEST_F(CommandTest, ExplainAsksForThePacket) {
  const json result = {
      {"address", "203.0.113.1"},
      {"direction", "ingress"},
      {"outcome", "magic_transit"},
      {"service", "magic_transit"},
      {"binding", {{"cidr", "203.0.113.1/32"}, {"service", "cdn"}, {"state", "active"}}},
      {"prefix", {{"cidr", "203.0.113.0/24"}}},
      {"reason", "the CDN does not accept it"},
      {"generation", 17}};
  PlayedServer server({{200, success(result)}});
  EXPECT_EQ(run_steerctl({"explain", "203.0.113.1", "--protocol", "tcp", "--port", "22", "--source",
                          "2001:db8::1", "--source-port", "1", "--fragment"},
                         server),
            kDone)
      << error_;
  EXPECT_EQ(
      server.asked()[0].target,
      "/steer/v1/explain?address=203.0.113.1&protocol=tcp&port=22&source=2001:db8::1&source_port=1&"
      "fragment=true");
  expect_has(out_, "203.0.113.1 (ingress): magic_transit\n");
  expect_has(out_, "the CDN does not accept it\n");
  expect_has(out_, "203.0.113.1/32 cdn, active\n");
}

TEST_F(CommandTest, APrefixThatIsAddedWithoutAServiceIsNotShownAsDeleted) {
  json result = outcome(0, 0);
  result["counts"]["prefixes_added"] = 1;
  result["changes"] = {{{"kind", "prefix"},
                        {"op", "add_prefix"},
                        {"cidr", "203.0.113.0/24"},
                        {"prefix", "203.0.113.0/24"},
                        {"before", nullptr},
                        {"after", nullptr}}};
  PlayedServer server({{200, success(result)}});
  EXPECT_EQ(run_steerctl({"prefixes", "add", "203.0.113.0/24"}, server), kDone) << error_;
  expect_has(out_, "+ prefix 203.0.113.0/24\n");
}

TEST_F(CommandTest, AGenerationThatIsUnknownIsNoWrongPlace) {
  const json unknown = {{"success", false},
                        {"errors",
                         {{{"code", 7003},
                           {"message", "the history does not reach to generation 99"},
                           {"source", {{"pointer", "/generation"}}}}}},
                        {"messages", json::array()},
                        {"result", nullptr}};
  PlayedServer server({{404, unknown.dump()}});
  EXPECT_EQ(run_steerctl({"rollback", "99"}, server), kRefused);
  expect_has(error_, "does not reach");
  EXPECT_EQ(error_.find("STEER_API"), std::string::npos) << error_;
}

TEST_F(CommandTest, StatsHaveServicesWorkersPortsAndXdp) {
  const json counters = {
      {"at", "2026-01-02T03:04:05.000000Z"},
      {"generation", 3},
      {"active", 3},
      {"received", {{"packets", 7}, {"bytes", 700}}},
      {"outcomes",
       {{"cdn_bound", {{"packets", 7}, {"bytes", 700}}},
        {"drop_not_ip", {{"packets", 0}, {"bytes", 0}}}}},
      {"services", {{{"service", "cdn"}, {"is_up", true}, {"queue_full", 12345}}}},
      {"workers", {{{"cpu", "3"}, {"rounds", 9}}}},
      {"ports", {{{"name", "wan"}, {"missed", 0}, {"xdp", {{"taken", 54321}}}}}}};
  PlayedServer server({{200, success(counters)}, {200, success(counters)}});
  EXPECT_EQ(run_steerctl({"stats"}, server), kDone) << error_;
  for (const char* const part :
       {"cdn_bound", "12,345", "rounds", "wan", "XDP program of wan", "54,321"})
    expect_has(out_, part);
  EXPECT_EQ(out_.find("drop_not_ip"), std::string::npos);
  EXPECT_EQ(run_steerctl({"stats", "--all"}, server), kDone);
  expect_has(out_, "drop_not_ip");
}

// An export of one account that is applied as the state of all would take the others' away.
TEST_F(CommandTest, AnAccountNarrowsListsFiltersAndWhatIsApplied) {
  const json none = {{"generation", 3}, {"bindings", json::array()}, {"next", nullptr}};
  PlayedServer server({{200, success(outcome(0, 0))},
                       {200, success(outcome(0, 0))},
                       {200, success(none)},
                       {200, success(none)}});
  EXPECT_EQ(run_steerctl({"--account", "acme", "apply", document()}, server), kDone) << error_;
  EXPECT_EQ(run_steerctl({"--account", "acme", "bindings", "delete", "--service", "cdn"}, server),
            kDone)
      << error_;
  EXPECT_EQ(run_steerctl({"--account", "acme", "bindings", "list"}, server), kDone) << error_;
  EXPECT_EQ(run_steerctl({"--account", "acme", "top", "--count", "1", "--json"}, server), kDone)
      << error_;
  const auto asked = server.asked();
  EXPECT_EQ(asked[0].target, "/steer/v1/import?account=acme&dry_run=true");
  EXPECT_EQ(json::parse(asked[1].body).at("changes").at(0).at("account"), "acme");
  EXPECT_TRUE(asked[2].target.starts_with("/steer/v1/bindings?account=acme&")) << asked[2].target;
  EXPECT_TRUE(asked[3].target.starts_with("/steer/v1/bindings?account=acme&")) << asked[3].target;
}

TEST_F(CommandTest, ValuesCannotBecomeOtherParameters) {
  PlayedServer server({{400, failure(1001, "no")}});
  EXPECT_EQ(run_steerctl({"explain", "1&direction=egress #\r\nX: y"}, server), kRefused);
  EXPECT_EQ(server.asked()[0].target,
            "/steer/v1/explain?address=1%26direction%3Degress%20%23%0D%0AX:%20y");
}

TEST_F(CommandTest, TopGoesOnWithoutTheCountersOfAll) {
  const json page = {{"generation", 3},
                     {"bindings",
                      {{{"cidr", "203.0.113.1/32"},
                        {"service", "cdn"},
                        {"packets_per_second", 1234.5},
                        {"bits_per_second", 2e9},
                        {"packets", 7},
                        {"last_seen", "2026-01-02T03:04:05.000000Z"}}}},
                     {"next", nullptr}};
  PlayedServer server(
      {{200, success(page)}, {403, failure(10000, "of all accounts")}, {200, success(page)}});
  pauses_ = 2;
  EXPECT_EQ(run_steerctl({"top"}, server), kDone) << error_;
  EXPECT_EQ(server.asked().size(), 3U);
  EXPECT_EQ(server.asked()[2].target, "/steer/v1/bindings?limit=20&order=rate");
  expect_has(out_, "203.0.113.1/32  cdn         1.23 k  2.00 G        7  2026-01-02 03:04:05\n");
}

TEST_F(CommandTest, TheHistoryIsCutForPeople) {
  const json entry = {{"generation", 1234},
                      {"at", "2026-01-02T03:04:05.000000Z"},
                      {"token", 1},
                      {"who", "ci"},
                      {"what", "1\n2\n3\n4\n5\n6\n7\n"}};
  const json none = json::array();
  PlayedServer server({{200, success(json::array({entry}))},
                       {200, success(none)},
                       {200, success(json::array({entry}))},
                       {200, success(none)}});
  EXPECT_EQ(run_steerctl({"history", "--below", "2000"}, server), kDone);
  EXPECT_EQ(server.asked()[0].target, "/steer/v1/history?limit=20&below=2000");
  EXPECT_EQ(
      out_,
      "1234  2026-01-02 03:04:05 UTC  ci\n    1\n    2\n    3\n    4\n    5\n    and 2 lines more "
      "(--full)\n");
  EXPECT_EQ(run_steerctl({"history", "--full"}, server), kDone);
  expect_has(out_, "    7\n");
}

TEST_F(CommandTest, ALongHistoryIsAskedForInPieces) {
  const auto entry = [](int generation) {
    return json{{"generation", generation},
                {"at", "2026-01-02T03:04:05.000000Z"},
                {"token", 1},
                {"who", "ci"},
                {"what", "1\n"}};
  };
  PlayedServer server(
      {{200, success(json::array({entry(9), entry(8)}))}, {200, success(json::array({entry(5)}))}});
  EXPECT_EQ(run_steerctl({"history", "--limit", "3", "--json"}, server), kDone) << error_;
  EXPECT_EQ(server.asked()[1].target, "/steer/v1/history?limit=1&below=8");
  EXPECT_EQ(json::parse(out_).size(), 3U);
}

TEST_F(CommandTest, ASecretAloneGoesToStandardOutput) {
  const json token = {{"number", 3},
                      {"name", "token-3"},
                      {"role", "write"},
                      {"account", nullptr},
                      {"token", "steer_0123"}};
  PlayedServer server({{201, success(token)}, {200, success(token)}, {404, failure(7003, "no")}});
  EXPECT_EQ(run_steerctl({"token", "create"}, server), kUsage);
  EXPECT_EQ(run_steerctl({"token", "create", "--role", "write"}, server), kDone);
  EXPECT_EQ(server.asked()[0].body, R"({"role":"write"})");
  EXPECT_EQ(out_, "steer_0123\n");
  expect_has(error_, "token 3 (token-3), write, for all accounts");
  EXPECT_EQ(run_steerctl({"token", "revoke", "3"}, server), kDone);
  EXPECT_EQ(server.asked()[1].method + server.asked()[1].target, "DELETE/steer/v1/tokens/3");
  EXPECT_EQ(run_steerctl({"token", "revoke", "3/../4"}, server), kUsage);
  EXPECT_EQ(run_steerctl({"token", "revoke", "4"}, server), kRefused);
}

}  // namespace

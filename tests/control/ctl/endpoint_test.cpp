// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl/endpoint.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "tests/support/program.hpp"

namespace {

using namespace control::ctl;
using Variables = std::map<std::string, std::string>;

std::expected<Access, std::string> access(const Given& given, const Variables& variables) {
  return access_of(given, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Endpoint, ReadsUrlsAndSockets) {
  const struct {
    const char* text;
    const char* canonical;
  } cases[] = {
      {"http://127.0.0.1:8642", "http://127.0.0.1:8642"},
      {"http://127.0.0.1:8642/client/v4", "http://127.0.0.1:8642"},
      {"http://127.0.0.1:8642/client/v4/", "http://127.0.0.1:8642"},
      {"https://edge.example", "https://edge.example:443"},
      {"http://localhost/", "http://localhost:80"},
      {"https://[2001:db8::1]:8642/edge/7/client/v4", "https://[2001:db8::1]:8642/edge/7"},
      {"unix:/run/steer/steer.sock", "unix:/run/steer/steer.sock"},
      {"unix:api.sock", "unix:api.sock"},
  };
  for (const auto& one : cases) {
    const auto endpoint = parse_endpoint(one.text);
    ASSERT_TRUE(endpoint) << endpoint.error();
    EXPECT_EQ(to_string(*endpoint), one.canonical);
    EXPECT_EQ(parse_endpoint(one.canonical), endpoint);
  }
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* const text :
       {"", "edge.example:8642", "ftp://edge", "http://", "http://:80", "http://a:0",
        "http://a:65536", "http://a:b", "http://a:", "http://user@a", "http://a/b?c", "http://a/#b",
        "http://[::1", "http://[::1]x", "http://a b", "http://a\r\nHost: b", "unix:"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_NE(endpoint.error().find("unix:PATH"), std::string::npos) << endpoint.error();
  }
  EXPECT_FALSE(parse_endpoint("unix:/" + std::string(107, 'a')));
}

TEST(Access, TheCommandLineCountsThenSteersVariablesThenTheOthers) {
  Variables all{{"STEER_API", "http://localhost:1"},
                {"STEER_TOKEN", "ours"},
                {"CLOUDFLARE_BASE_URL", "http://localhost:2/client/v4"},
                {"CLOUDFLARE_API_TOKEN", "theirs"},
                {"CLOUDFLARE_ACCOUNT_ID", "acme"}};
  EXPECT_EQ(access({.api = "http://localhost:3"}, all)->endpoint.port, "3");
  EXPECT_EQ(access({.account = "other"}, all)->account, "other");
  EXPECT_EQ(access({}, all)->endpoint.port, "1");
  EXPECT_EQ(access({}, all)->token, "ours");
  all.erase("STEER_API");
  EXPECT_EQ(access({}, all)->endpoint.port, "2");
  EXPECT_EQ(access({}, all)->token, "ours");
  EXPECT_EQ(access({}, all)->account, "acme");
  all.erase("STEER_TOKEN");
  EXPECT_EQ(access({}, all)->token, "theirs");
  EXPECT_EQ(to_string(access({}, {})->endpoint), "http://127.0.0.1:8642");
}

TEST(Access, ATokenForAnotherPlaceIsNotSent) {
  const Variables theirs{{"CLOUDFLARE_BASE_URL", "https://api.example/client/v4"},
                         {"CLOUDFLARE_API_TOKEN", "secret"},
                         {"CLOUDFLARE_ACCOUNT_ID", "acme"}};
  EXPECT_EQ(access({}, theirs)->token, "secret");
  const auto elsewhere = access({.api = "http://localhost:1"}, theirs);
  EXPECT_EQ(elsewhere->token, "");
  EXPECT_EQ(elsewhere->account, "");
  EXPECT_EQ(access({}, {{"CLOUDFLARE_API_TOKEN", "secret"}})->token, "");
  EXPECT_EQ(access({.api = "https://api.example"}, theirs)->token, "secret") << "the same place";
  // With a token the socket would no longer be the one that may do everything.
  EXPECT_EQ(access({.api = "unix:/a"}, {{"STEER_TOKEN", "secret"}})->token, "");
}

TEST(Access, ATokenIsNotSentInTheClearBeyondThisHost) {
  const Variables token{{"STEER_TOKEN", "secret"}};
  for (const char* const here :
       {"http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://edge.example"})
    EXPECT_TRUE(access({.api = here}, token)) << here;
  const auto refused = access({.api = "http://192.0.2.1:1"}, token);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("use https://"), std::string::npos);
  EXPECT_FALSE(access({.api = "http://127.0.0.1.evil.example:1"}, token)) << "a name, no address";
  EXPECT_TRUE(access({.api = "http://192.0.2.1:1"}, {})) << "without a token there is none to lose";
}

TEST(Access, TheTokenIsTheFirstLineOfAFile) {
  const support::Scratch scratch;
  const std::string path = (scratch / "token").string();
  std::ofstream(path) << "steer_0123\r\nsecond\n";
  EXPECT_EQ(access({.token_file = path}, {{"STEER_TOKEN", "other"}})->token, "steer_0123");
  EXPECT_EQ(access({.api = "unix:/a", .token_file = path}, {})->token, "steer_0123")
      << "it was asked for";
  std::ofstream(path) << "";
  EXPECT_FALSE(access({.token_file = path}, {}));
  EXPECT_FALSE(access({.token_file = path + ".not"}, {}));
  const auto wrong = access({}, {{"STEER_TOKEN", "a\nX-Steer-Allow: mass-change"}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), "STEER_TOKEN: this is no token");
}

TEST(Access, SaysWhichSourceIsWrong) {
  EXPECT_EQ(access({}, {{"STEER_API", "x"}}).error().find("STEER_API: \"x\""), 0U);
  EXPECT_EQ(access({.api = "y"}, {}).error().find("--api: \"y\""), 0U);
  EXPECT_FALSE(access({.api = "http://localhost", .ca = "ca.pem"}, {}));
}

}  // namespace

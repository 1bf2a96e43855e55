// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/route.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>

namespace {

using namespace control::api;

// "GET /path" of each operation that openapi.yaml describes, by its indentation.
std::set<std::string> documented() {
  std::ifstream file(STEER_SOURCE_ROOT "/control/api/openapi.yaml");
  std::set<std::string> all;
  std::string path;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("components:")) break;
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    for (const Method method :
         {Method::get, Method::post, Method::patch, Method::put, Method::del}) {
      std::string name(name_of(method));
      std::string key = "    ";
      std::ranges::transform(name, std::back_inserter(key),
                             [](char c) { return static_cast<char>(c | 0x20); });
      key += ':';
      if (line == key) all.insert(name.append(" ").append(path));
    }
  }
  return all;
}

TEST(Route, TheDocumentHasWhatTheRouterHasAndNothingElse) {
  std::set<std::string> routed;
  for (const Endpoint& endpoint : endpoints())
    EXPECT_TRUE(
        routed.insert(std::string(name_of(endpoint.method)) + " " + std::string(endpoint.path))
            .second)
        << endpoint.path << " twice";
  EXPECT_EQ(routed, documented());
}

TEST(Route, ReadsParametersAndQueries) {
  const auto found = route(Method::get,
                           "/client/v4/accounts/A-1/addressing/prefixes/p/bindings/b"
                           "?cidr=10.0.0.0%2F8&wait=a+b&flag");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->account, "A-1");
  EXPECT_EQ(found->prefix, "p");
  EXPECT_EQ(found->binding, "b");
  EXPECT_EQ(found->query.at("cidr"), "10.0.0.0/8");
  EXPECT_EQ(found->query.at("wait"), "a b");
  EXPECT_EQ(found->query.at("flag"), "");
  for (const char* const wrong :
       {"?a=%", "?a=%2", "?a=%zz", "?a=1&a=2", "?%ff=1", "?a=%80", "?a=\xc3\xa4"})
    EXPECT_EQ(route(Method::get, std::string("/steer/v1/status") + wrong).error().status, 400U)
        << wrong;
}

}  // namespace

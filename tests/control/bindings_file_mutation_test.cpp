// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "control/bindings_file.hpp"
#include "tests/support/seed.hpp"

namespace {

constexpr std::string_view kValid = R"({"prefixes": [
  {"cidr": "203.0.113.0/24", "service": "magic_transit",
   "bindings": [{"cidr": "203.0.113.1/32", "service": "cdn"},
                {"cidr": "203.0.113.2/32", "service": "spectrum"}]},
  {"cidr": "2001:db8:1::/48", "service": "cdn", "bindings": []},
  {"cidr": "198.51.100.0/24"}
]})";

std::string mutated(std::string text, std::mt19937_64& random) {
  for (auto times = 1 + support::random_below(random, 4U); times > 0; --times) {
    const std::size_t at = support::random_below(random, text.size());
    const auto byte = static_cast<char>(support::random_below(random, 256U));
    switch (support::random_below(random, 5U)) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << support::random_below(random, 8U)));
        break;
      case 1:
        text[at] = byte;
        break;
      case 2:
        text.insert(at, 1, byte);
        break;
      case 3:
        text.erase(at, 1 + support::random_below(random, 20U));
        break;
      default:
        text.insert(at, text.substr(support::random_below(random, text.size()), 40));
    }
    if (text.empty()) text = " ";
  }
  return text;
}

TEST(BindingsFile, MutationsGiveAResultOrErrorsInsideTheText) {
  ASSERT_TRUE(control::parse_bindings(kValid, {}));
  auto random = support::seeded_random();
  for (int round = 0; round < 50'000; ++round) {
    const std::string text = mutated(std::string(kValid), random);
    const auto parsed = control::parse_bindings(text, {});
    if (parsed) continue;
    ASSERT_FALSE(parsed.error().empty()) << text;
    const auto lines = static_cast<std::size_t>(1 + std::ranges::count(text, '\n'));
    for (const control::FileError& error : parsed.error()) {
      ASSERT_GE(error.place.line, 1U) << text;
      ASSERT_LE(error.place.line, lines) << text;
      ASSERT_GE(error.place.column, 1U) << text;
      ASSERT_LE(error.place.column, text.size() + 1) << text;
      ASSERT_FALSE(error.message.empty()) << text;
    }
    ASSERT_TRUE(std::ranges::is_sorted(parsed.error(), {}, &control::FileError::place)) << text;
  }
}

TEST(BindingsFile, EveryCutIsRefused) {
  for (std::size_t size = 0; size < kValid.size(); ++size)
    ASSERT_FALSE(control::parse_bindings(kValid.substr(0, size), {})) << size;
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/prefix.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "tests/lpm/families.hpp"
#include "tests/lpm/probes.hpp"
#include "tests/support/seed.hpp"

namespace {

using lpm::Address4;
using lpm::AnyPrefix;
using lpm::parse_prefix;
using lpm::parse_prefix_clearing_host_bits;
using lpm::Prefix4;
using lpm::PrefixError;

template <class>
class Prefix : public testing::Test {};
TYPED_TEST_SUITE(Prefix, Families, FamilyNames);

TYPED_TEST(Prefix, ByDefaultIsEverything) {
  const lpm::Prefix<TypeParam> everything;
  EXPECT_EQ(everything.length(), 0U);
  EXPECT_EQ(everything.network(), TypeParam{});
  EXPECT_TRUE(everything.contains(probes::previous(TypeParam{})));
}

TYPED_TEST(Prefix, ContainsItsEdgesAndNothingOutside) {
  auto random = support::seeded_random();
  for (unsigned length = 1; length <= TypeParam::kBits; ++length) {
    const auto inside = probes::random_address<TypeParam>(random);
    const auto prefix = lpm::Prefix<TypeParam>::enclosing(inside, length);
    const auto [before, first, last, after] = probes::edges_of(prefix);
    EXPECT_TRUE(prefix.contains(inside)) << to_string(prefix);
    EXPECT_TRUE(prefix.contains(first)) << to_string(prefix);
    EXPECT_TRUE(prefix.contains(last)) << to_string(prefix);
    EXPECT_FALSE(prefix.contains(before)) << to_string(prefix);
    EXPECT_FALSE(prefix.contains(after)) << to_string(prefix);
  }
}

TYPED_TEST(Prefix, ContainsOnlyLongerOnesOnItsPath) {
  auto random = support::seeded_random();
  const auto address = probes::random_address<TypeParam>(random);
  for (unsigned length = 1; length <= TypeParam::kBits; ++length) {
    const auto outer = lpm::Prefix<TypeParam>::enclosing(address, length - 1);
    const auto inner = lpm::Prefix<TypeParam>::enclosing(address, length);
    const auto sibling =
        lpm::Prefix<TypeParam>::enclosing(probes::with_bit_flipped(address, length - 1), length);
    EXPECT_TRUE(inner.contains(inner));
    EXPECT_TRUE(outer.contains(inner));
    EXPECT_FALSE(inner.contains(outer));
    EXPECT_FALSE(inner.contains(sibling));
    EXPECT_TRUE(outer.overlaps(inner) && inner.overlaps(outer));
    EXPECT_FALSE(sibling.overlaps(inner));
  }
}

TYPED_TEST(Prefix, BlockSortsBeforeEverythingInsideAndThatBeforeWhatFollows) {
  auto random = support::seeded_random();
  std::vector<lpm::Prefix<TypeParam>> sorted;
  // Few different first bits and short lengths, so that many contain each other.
  for (int i = 0; i < 300; ++i)
    sorted.push_back(lpm::Prefix<TypeParam>::enclosing(probes::random_address<TypeParam>(random),
                                                       support::random_below(random, 12U)));
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    bool left = false;
    for (std::size_t j = i + 1; j < sorted.size(); ++j) {
      const bool inside = sorted[i].contains(sorted[j]);
      EXPECT_FALSE(left && inside) << to_string(sorted[i]) << ' ' << to_string(sorted[j]);
      EXPECT_TRUE(sorted[i] == sorted[j] || !sorted[j].contains(sorted[i]));
      left = left || !inside;
    }
  }
}

TYPED_TEST(Prefix, MakeRefusesEveryHostBit) {
  for (unsigned length = 0; length <= TypeParam::kBits; ++length)
    for (unsigned bit = 0; bit < TypeParam::kBits; ++bit) {
      const auto made =
          lpm::Prefix<TypeParam>::make(probes::with_bit_flipped(TypeParam{}, bit), length);
      if (bit < length)
        EXPECT_TRUE(made.has_value()) << length << ' ' << bit;
      else
        EXPECT_EQ(made, std::unexpected(PrefixError::host_bits_set)) << length << ' ' << bit;
    }
}

TYPED_TEST(Prefix, MakeRefusesLengthsBeyondTheAddress) {
  // 256 + 24 would be 24 in the byte that the length is kept in.
  for (const unsigned length : {TypeParam::kBits + 1, 255U, 256U + 24U, ~0U})
    EXPECT_EQ(lpm::Prefix<TypeParam>::make(TypeParam{}, length),
              std::unexpected(PrefixError::length_out_of_range))
        << length;
}

TEST(AnyPrefix, AllIPv4SortsBeforeAllIPv6) {
  EXPECT_LT(AnyPrefix(Prefix4::enclosing(Address4{~0U}, 32)), AnyPrefix(lpm::Prefix6{}));
}

TEST(ParsePrefix, TextComesBackAsItWas) {
  for (const char* text : {"0.0.0.0/0", "203.0.113.0/24", "255.255.255.255/32", "128.0.0.0/1",
                           "0.0.0.0/32", "::/0", "::/128", "2001:db8::/32", "2001:db8::1/128",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "2001:db8:0:8000::/49"}) {
    const auto prefix = parse_prefix(text);
    ASSERT_TRUE(prefix.has_value()) << text;
    EXPECT_EQ(to_string(*prefix), text);
    EXPECT_EQ(parse_prefix_clearing_host_bits(text), prefix);
  }
}

TEST(ParsePrefix, AnythingElseIsRefusedForItsReason) {
  using enum PrefixError;
  using namespace std::string_view_literals;
  struct Refusal {
    const char* description;
    std::string_view text;
    PrefixError error;
  };
  for (const auto& [description, text, error] : std::array<Refusal, 32>{{
           {"nothing", "", malformed},
           {"no length", "203.0.113.0", malformed},
           {"empty length", "203.0.113.0/", malformed},
           {"empty address", "/24", malformed},
           {"only a slash", "/", malformed},
           {"two lengths", "203.0.113.0/24/24", malformed},
           {"two slashes", "203.0.113.0//24", malformed},
           {"short address", "203.0.113/24", malformed},
           {"address part over 255", "203.0.256.0/24", malformed},
           {"leading zero in the address", "203.0.013.0/24", malformed},
           {"netmask", "203.0.113.0/255.255.255.0", malformed},
           {"leading zero in the length", "203.0.113.0/024", malformed},
           {"two zeros for a length", "0.0.0.0/00", malformed},
           {"plus sign", "203.0.113.0/+24", malformed},
           {"minus sign", "203.0.113.0/-1", malformed},
           {"space before", " 203.0.113.0/24", malformed},
           {"space behind", "203.0.113.0/24 ", malformed},
           {"space before the slash", "203.0.113.0 /24", malformed},
           {"space behind the slash", "203.0.113.0/ 24", malformed},
           {"newline behind", "203.0.113.0/24\n", malformed},
           {"terminator in the address", "203.0.113.0\0/24"sv, malformed},
           {"terminator in the length", "203.0.113.0/24\0"sv, malformed},
           {"hexadecimal length", "203.0.113.0/0x18", malformed},
           {"zone", "fe80::1%eth0/128", malformed},
           {"bad address before a bad length", "203.0.113/33", malformed},
           {"length 33", "203.0.113.0/33", length_out_of_range},
           {"length 129", "2001:db8::/129", length_out_of_range},
           {"length that overflows 32 bits", "203.0.113.0/4294967320", length_out_of_range},
           {"length that overflows 64 bits", "::/18446744073709551616", length_out_of_range},
           {"host bit", "203.0.113.1/24", host_bits_set},
           {"host bit next to the length", "128.0.0.0/0", host_bits_set},
           {"host bit of IPv6", "2001:db8::1/127", host_bits_set},
       }})
    EXPECT_EQ(parse_prefix(text), std::unexpected(error)) << description;
}

TEST(ParsePrefix, HostBitsAreClearedWhereThatWasAsked) {
  struct Case {
    std::string_view text, meant;
  };
  for (const auto& [text, meant] : std::array<Case, 4>{{
           {"203.0.113.1/24", "203.0.113.0/24"},
           {"255.255.255.255/0", "0.0.0.0/0"},
           {"2001:db8::1/127", "2001:db8::/127"},
           {"2001:db8:ffff::1/33", "2001:db8:8000::/33"},
       }})
    EXPECT_EQ(parse_prefix_clearing_host_bits(text), parse_prefix(meant)) << text;
}

TEST(ParsePrefix, ClearingHostBitsForgivesNothingElse) {
  EXPECT_EQ(parse_prefix_clearing_host_bits("203.0.113/24"),
            std::unexpected(PrefixError::malformed));
  EXPECT_EQ(parse_prefix_clearing_host_bits("203.0.113.1/33"),
            std::unexpected(PrefixError::length_out_of_range));
}

}  // namespace

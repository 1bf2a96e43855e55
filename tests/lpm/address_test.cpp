// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/address.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "tests/lpm/families.hpp"
#include "tests/lpm/probes.hpp"
#include "tests/support/seed.hpp"

namespace {

using lpm::Address4;
using lpm::Address6;

template <class>
class Address : public testing::Test {};
TYPED_TEST_SUITE(Address, Families, FamilyNames);

TYPED_TEST(Address, ComesBackFromTheWire) {
  auto random = support::seeded_random();
  for (int i = 0; i < 1000; ++i) {
    const auto address = probes::random_address<TypeParam>(random);
    EXPECT_EQ(TypeParam::from_wire(address.to_wire().data()), address);
  }
}

TYPED_TEST(Address, IsReadAtAnyAlignment) {
  std::array<std::uint8_t, 2 * TypeParam::kBytes> bytes{};
  for (std::size_t start = 0; start <= TypeParam::kBytes; ++start) {
    bytes.fill(0);
    bytes[start + TypeParam::kBytes - 1] = 1;
    EXPECT_EQ(TypeParam::from_wire(bytes.data() + start), probes::next(TypeParam{})) << start;
  }
}

TYPED_TEST(Address, MaskKeepsTheFirstBitsAtEveryLength) {
  auto random = support::seeded_random();
  for (int i = 0; i < 20; ++i) {
    const auto address = probes::random_address<TypeParam>(random);
    for (unsigned length = 0; length <= TypeParam::kBits; ++length) {
      const TypeParam masked = address.masked(length);
      for (unsigned bit = 0; bit < TypeParam::kBits; ++bit)
        ASSERT_EQ(probes::bit_of(masked, bit), bit < length && probes::bit_of(address, bit))
            << to_string(address) << " length " << length << " bit " << bit;
    }
  }
}

TYPED_TEST(Address, SliceReadsBitsAndThenZeros) {
  auto random = support::seeded_random();
  const auto address = probes::random_address<TypeParam>(random);
  for (unsigned offset = 0; offset < TypeParam::kBits; ++offset) {
    std::uint64_t expected = 0;
    for (unsigned count = 1; count <= 32; ++count) {
      const unsigned bit = offset + count - 1;
      expected = expected << 1 | (bit < TypeParam::kBits && probes::bit_of(address, bit) ? 1 : 0);
      ASSERT_EQ(address.slice(offset, count), expected)
          << to_string(address) << " offset " << offset << " count " << count;
    }
  }
}

TYPED_TEST(Address, SortsAsTheAddressSpaceDoes) {
  auto random = support::seeded_random();
  for (int i = 0; i < 1000; ++i) {
    const auto one = probes::random_address<TypeParam>(random);
    const auto other = probes::random_address<TypeParam>(random);
    EXPECT_EQ(one < other, one.to_wire() < other.to_wire());
  }
}

TEST(Address4, FirstByteOnTheWireIsTheHighest) {
  const std::array<std::uint8_t, 4> wire{203, 0, 113, 1};
  EXPECT_EQ(Address4::from_wire(wire.data()).bits, 0xcb007101U);
  EXPECT_EQ(Address4{0xcb007101U}.to_wire(), wire);
}

TEST(Address6, FirstByteOnTheWireIsTheHighest) {
  const std::array<std::uint8_t, 16> wire{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
  const Address6 address{0x20010db800000000U, 7};
  EXPECT_EQ(Address6::from_wire(wire.data()), address);
  EXPECT_EQ(address.to_wire(), wire);
}

TEST(Address4, TextComesBackAsItWas) {
  for (const char* text : {"0.0.0.0", "255.255.255.255", "203.0.113.1", "10.0.0.200"}) {
    const auto address = lpm::parse_address4(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(to_string(*address), text);
  }
}

TEST(Address6, TextIsPrintedInItsShortForm) {
  struct Case {
    std::string_view text, printed;
  };
  for (const auto& [text, printed] : std::array<Case, 8>{{
           {"::", "::"},
           {"::1", "::1"},
           {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
           {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
           {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
           {"2001:db8:1:1:1:1::1", "2001:db8:1:1:1:1:0:1"},
           {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
           {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
       }}) {
    const auto address = lpm::parse_address6(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(to_string(*address), printed);
    EXPECT_EQ(lpm::parse_address6(printed), address);
  }
}

TYPED_TEST(Address, AnyAddressSurvivesItsText) {
  auto random = support::seeded_random();
  for (int i = 0; i < 1000; ++i) {
    const auto address = probes::random_address<TypeParam>(random);
    const std::string text = to_string(address);
    if constexpr (std::is_same_v<TypeParam, Address4>)
      EXPECT_EQ(lpm::parse_address4(text), address) << text;
    else
      EXPECT_EQ(lpm::parse_address6(text), address) << text;
  }
}

struct Refusal {
  const char* description;
  std::string_view text;
};

TEST(Address4, LooseTextIsRefused) {
  using namespace std::string_view_literals;
  for (const auto& [description, text] : std::array<Refusal, 17>{{
           {"nothing", ""},
           {"three parts", "10.0.0"},
           {"five parts", "10.0.0.0.0"},
           {"a part over 255", "10.0.0.256"},
           {"a leading zero", "10.0.0.01"},
           {"octal", "010.0.0.1"},
           {"hexadecimal", "0x0a.0.0.1"},
           {"one number", "167772160"},
           {"an empty part", "10..0.1"},
           {"a dot behind", "10.0.0.1."},
           {"a space before", " 10.0.0.1"},
           {"a space behind", "10.0.0.1 "},
           {"a newline behind", "10.0.0.1\n"},
           {"a sign", "+10.0.0.1"},
           {"a terminator behind", "10.0.0.1\0"sv},
           {"a terminator inside", "10.0.0.1\0.5"sv},
           {"IPv6", "::ffff:10.0.0.1"},
       }})
    EXPECT_FALSE(lpm::parse_address4(text).has_value()) << description;
}

TEST(Address6, LooseTextIsRefused) {
  using namespace std::string_view_literals;
  for (const auto& [description, text] : std::array<Refusal, 18>{{
           {"nothing", ""},
           {"a colon", ":"},
           {"three colons", ":::"},
           {"two gaps", "2001::db8::1"},
           {"seven groups", "1:2:3:4:5:6:7"},
           {"nine groups", "1:2:3:4:5:6:7:8:9"},
           {"five digits", "2001:0db80::1"},
           {"not a digit", "2001:dbg::1"},
           {"brackets", "[2001:db8::1]"},
           {"a zone", "fe80::1%eth0"},
           {"an empty zone", "fe80::1%"},
           {"a space behind", "2001:db8::1 "},
           {"a colon behind", "2001:db8::1:"},
           {"a terminator behind", "2001:db8::1\0"sv},
           {"a terminator inside", "2001:db8::1\0:1"sv},
           {"a bad IPv4 tail", "::ffff:10.0.0.256"},
           {"IPv4", "10.0.0.1"},
           {"longer than any address", "0000:0000:0000:0000:0000:0000:255.255.255.2555"},
       }})
    EXPECT_FALSE(lpm::parse_address6(text).has_value()) << description;
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/too_big.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/support/packets.hpp"

namespace {

using support::Bytes;

const dataplane::OwnAddresses kOwn{.v4 = support::v4("192.0.2.2"),
                                   .v6 = support::v6("2001:db8:2::2")};

Bytes answer_to(const Bytes& bytes, const dataplane::TooBig& how = {.from = kOwn, .mtu = 1300}) {
  const dataplane::Frame frame = support::whole(bytes);
  std::array<std::uint8_t, dataplane::kAnswerBytesMax> to{};
  const std::size_t size = answer_too_big(frame, dataplane::parse(frame), how, to);
  return {to.begin(), to.begin() + static_cast<std::ptrdiff_t>(size)};
}

std::uint32_t ones_complement_sum(const Bytes& bytes, std::size_t from, std::size_t to,
                                  std::uint32_t sum = 0) {
  for (std::size_t i = from; i < to; i += 2)
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | (i + 1 < to ? bytes[i + 1] : 0));
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

TEST(TooBig, AnIpv4SenderIsToldTheMtu) {
  const Bytes packet =
      support::ipv4({.source = support::v4("198.18.0.1")}, support::udp({}, Bytes(1400, 7)));
  const Bytes answer = answer_to(support::ethernet(0x0800, packet));
  ASSERT_EQ(answer.size(), 14U + 576);
  EXPECT_EQ(Bytes(answer.begin(), answer.begin() + 14),
            (Bytes{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0}))
      << "back to the station that it came from";
  EXPECT_EQ(Bytes(answer.begin() + 14 + 12, answer.begin() + 14 + 20),
            (Bytes{192, 0, 2, 2, 198, 18, 0, 1}));
  EXPECT_EQ(ones_complement_sum(answer, 14, 34), 0xffffU);
  EXPECT_EQ(Bytes(answer.begin() + 34, answer.begin() + 36), (Bytes{3, 4}));
  EXPECT_EQ(Bytes(answer.begin() + 38, answer.begin() + 42), (Bytes{0, 0, 1300 >> 8, 1300 & 255}));
  EXPECT_EQ(ones_complement_sum(answer, 34, answer.size()), 0xffffU);
  EXPECT_TRUE(std::equal(answer.begin() + 42, answer.end(), packet.begin())) << "the quote";
}

TEST(TooBig, AnIpv6SenderIsToldTheMtu) {
  const Bytes packet = support::ipv6({}, support::udp({}, Bytes(1400, 7)));
  const Bytes answer = answer_to(support::ethernet(0x86dd, packet));
  ASSERT_EQ(answer.size(), 14U + 1280);
  EXPECT_EQ(answer[14 + 6], 58);
  EXPECT_EQ(answer[54], 2) << "packet too big";
  EXPECT_EQ(Bytes(answer.begin() + 58, answer.begin() + 62), (Bytes{0, 0, 1300 >> 8, 1300 & 255}));
  const std::uint32_t pseudo = ones_complement_sum(answer, 22, 54, 1240 + 58);
  EXPECT_EQ(ones_complement_sum(answer, 54, answer.size(), pseudo), 0xffffU);
  EXPECT_TRUE(std::equal(answer.begin() + 62, answer.end(), packet.begin()));
}

TEST(TooBig, AnAnswerStaysInItsVlan) {
  const Bytes packet = support::ipv4({}, support::udp({}, Bytes(50)));
  const Bytes answer = answer_to(support::ethernet(0x8100, support::tag(0x2007, 0x0800, packet)));
  ASSERT_EQ(answer.size(), 18U + 28 + packet.size()) << "a short packet is quoted whole";
  EXPECT_EQ(Bytes(answer.begin() + 12, answer.begin() + 18), (Bytes{0x81, 0, 0x20, 7, 8, 0}));
}

struct Silent {
  const char* description;
  Bytes frame;
};

TEST(TooBig, NobodyIsAnsweredWhoMustNotBe) {
  const Bytes payload(100);
  Bytes to_all = support::ethernet(0x0800, support::ipv4({}, support::udp({}, payload)));
  to_all[0] = 0xff;
  const auto from4 = [&](std::string_view source) {
    return support::ethernet(
        0x0800, support::ipv4({.source = support::v4(source)}, support::udp({}, payload)));
  };
  const auto from6 = [&](std::string_view source) {
    return support::ethernet(
        0x86dd, support::ipv6({.source = support::v6(source)}, support::udp({}, payload)));
  };
  const std::vector<Silent> cases{
      {"an error",
       support::ethernet(0x0800, support::ipv4({.protocol = 1}, support::icmp(3, payload)))},
      {"an ICMPv6 error",
       support::ethernet(0x86dd, support::ipv6({.next_header = 58}, support::icmp(2, payload)))},
      {"a later fragment", support::ethernet(0x0800, support::ipv4({.fragment = 5}, payload))},
      {"a broadcast frame", to_all},
      {"nobody", from4("0.0.0.0")},
      {"loopback", from4("127.0.0.1")},
      {"a group", from4("224.0.0.1")},
      {"broadcast", from4("255.255.255.255")},
      {"nobody, IPv6", from6("::")},
      {"loopback, IPv6", from6("::1")},
      {"a group, IPv6", from6("ff02::1")},
  };
  for (const Silent& silent : cases)
    EXPECT_TRUE(answer_to(silent.frame).empty()) << silent.description;
  EXPECT_FALSE(answer_to(from4("192.0.2.9")).empty())
      << "the cases are silent for their own reason";
  EXPECT_FALSE(answer_to(from6("2001:db8::9")).empty());
  EXPECT_FALSE(answer_to(support::ethernet(
                             0x0800, support::ipv4({.protocol = 1}, support::icmp(8, payload))))
                   .empty())
      << "an echo request is no error";
}

TEST(TooBig, AHostWithoutAddressOfTheFamilyIsSilent) {
  const Bytes packet = support::ipv4({}, support::udp({}, Bytes(100)));
  const dataplane::TooBig only6{.from = {.v4 = std::nullopt, .v6 = kOwn.v6}, .mtu = 90};
  EXPECT_TRUE(answer_to(support::ethernet(0x0800, packet), only6).empty());
}

}  // namespace

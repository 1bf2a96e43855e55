// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/host_addresses.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

#include "dataplane/steer.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/seed.hpp"
#include "tests/support/tables.hpp"

namespace {

using dataplane::AddressSet;
using dataplane::Decision;
using dataplane::Direction;
using dataplane::Frame;
using dataplane::HostAddresses;
using dataplane::Port;
using dataplane::Service;
using dataplane::Table;
using dataplane::Verdict;
using support::Bytes;

template <class Address>
Address near(std::mt19937_64& random, std::uint64_t spread);
template <>
lpm::Address4 near(std::mt19937_64& random, std::uint64_t spread) {
  return {static_cast<std::uint32_t>(0xcb007100 + random() % spread)};
}
template <>
lpm::Address6 near(std::mt19937_64& random, std::uint64_t spread) {
  return {0x20010db800000000 + random() % 3, random() % spread};
}

template <class Address>
void expect_as_set() {
  std::mt19937_64 random = support::seeded_random();
  for (const std::size_t count : {0UL, 1UL, 2UL, 3UL, 63UL, 64UL, 1000UL, 5000UL}) {
    std::vector<Address> addresses;
    for (std::size_t i = 0; i < count; ++i)
      addresses.push_back(near<Address>(random, 2 * count + 1));
    const std::set<Address> oracle(addresses.begin(), addresses.end());
    const AddressSet<Address> set(addresses);
    EXPECT_EQ(set.size(), oracle.size());
    EXPECT_EQ(set.empty(), oracle.empty());
    for (int i = 0; i < 20'000; ++i) {
      const auto key = near<Address>(random, 4 * count + 4);
      ASSERT_EQ(set.contains(key), oracle.contains(key)) << count << " addresses";
    }
    for (const Address& address : addresses) ASSERT_TRUE(set.contains(address));
  }
}

TEST(HostAddresses, AreASetOfIpv4) {
  expect_as_set<lpm::Address4>();
}

TEST(HostAddresses, AreASetOfIpv6) {
  expect_as_set<lpm::Address6>();
}

TEST(HostAddresses, AreTheSameInAnyOrder) {
  const std::vector<lpm::Address4> some{{3}, {1}, {2}, {1}};
  const std::vector<lpm::Address4> same{{1}, {2}, {3}};
  EXPECT_EQ(AddressSet(some), AddressSet(same));
  EXPECT_NE(AddressSet(some), AddressSet(std::vector<lpm::Address4>{{1}, {2}}));
}

class SteeringWithHosts : public testing::Test {
 protected:
  const Table table_ = support::table_of(
      {{"203.0.113.0/24", Service::cdn}, {"2001:db8::/48", Service::spectrum}}, {}, 1,
      HostAddresses{
          .v4 = AddressSet<lpm::Address4>({support::v4("203.0.113.9"), support::v4("192.0.2.9")}),
          .v6 = AddressSet<lpm::Address6>({support::v6("2001:db8::9")})});

  static Bytes to4(std::string_view address) {
    return support::ethernet(
        0x0800, support::ipv4({.destination = support::v4(address)}, support::udp({})));
  }
  static Bytes to6(std::string_view address) {
    return support::ethernet(
        0x86dd, support::ipv6({.destination = support::v6(address)}, support::udp({})));
  }
  static Bytes tagged_to4(std::string_view address) {
    return support::ethernet(
        0x8100,
        support::tag(7, 0x0800,
                     support::ipv4({.destination = support::v4(address)}, support::udp({}))));
  }

  std::vector<Verdict> verdicts(const Port& port, const std::vector<Bytes>& packets) const {
    std::vector<Frame> frames;
    for (const Bytes& packet : packets) frames.push_back(support::whole(packet));
    std::vector<Decision> decisions(frames.size());
    steer(table_, port, frames, decisions);
    std::vector<Verdict> all;
    for (const Decision& decision : decisions) all.push_back(decision.verdict);
    return all;
  }
};

constexpr Verdict kHost = Verdict::kernel_host_address;

TEST_F(SteeringWithHosts, TheyAreTheKernelsWhereThereIsAWayThere) {
  for (const Direction direction : {Direction::ingress, Direction::egress}) {
    const Port port{.role = direction, .kernel_path = true};
    EXPECT_EQ(verdicts(port, {to4("203.0.113.9"), to4("192.0.2.9")}), (std::vector{kHost, kHost}));
    EXPECT_EQ(verdicts(port, {to6("2001:db8::9")}), std::vector{kHost});
    EXPECT_EQ(verdicts(port, {tagged_to4("203.0.113.9")}), std::vector{kHost}) << "an odd packet";
    EXPECT_EQ(verdicts(port, {to6("2001:db8::9"), to4("192.0.2.9"), tagged_to4("192.0.2.9")}),
              (std::vector{kHost, kHost, kHost}))
        << "a mixed burst";
  }
}

TEST_F(SteeringWithHosts, TheirNeighboursAreSteered) {
  const Port port{.role = Direction::ingress, .kernel_path = true};
  EXPECT_EQ(verdicts(port, {to4("203.0.113.8"), to4("203.0.113.9"), to4("192.0.2.8")}),
            (std::vector{Verdict::cdn_bound, kHost, Verdict::kernel_unmatched}));
  EXPECT_EQ(verdicts(port, {to6("2001:db8::8"), to6("2001:db8::9")}),
            (std::vector{Verdict::spectrum_bound, kHost}));
}

TEST_F(SteeringWithHosts, WithoutAWayToTheKernelTheyAreSteeredLikeOthers) {
  const Port port{.role = Direction::ingress};
  EXPECT_EQ(verdicts(port, {to4("203.0.113.9"), to4("192.0.2.9")}),
            (std::vector{Verdict::cdn_bound, Verdict::drop_unmatched}));
  EXPECT_EQ(verdicts(port, {to6("2001:db8::9")}), std::vector{Verdict::spectrum_bound});
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/map_room.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "dataplane/xdp/prefix_map.hpp"

namespace {

using control::Delta;
using control::PrefixState;
using control::daemon::MapRoom;

constexpr std::size_t kOwn = dataplane::xdp::PrefixMap::kOwnEntries;

using Texts = std::vector<std::string>;

Delta delta(const Texts& added, const Texts& removed = {}) {
  std::map<lpm::AnyPrefix, Delta::OfPrefix> all;
  const auto add = [&all](const std::string& text, PrefixState before, PrefixState after) {
    const lpm::AnyPrefix prefix = lpm::parse_prefix(text).value();
    all[prefix] = {prefix, before, after};
  };
  for (const std::string& text : added) add(text, PrefixState::absent, PrefixState::pending);
  for (const std::string& text : removed) add(text, PrefixState::steered, PrefixState::absent);
  Delta made;
  for (const auto& [prefix, of] : all) made.prefixes.push_back(of);
  return made;
}

// Of so many prefixes, and as many more entries as the map has of its own.
class Room {
 public:
  explicit Room(std::size_t entries, std::size_t hosts = 0)
      : room_(entries + kOwn, "port in", hosts) {}

  // Committed where there is room. What is lacking otherwise.
  std::string take(const Delta& delta) {
    const auto reserved = room_.reserve(delta, generation_ + 1);
    if (!reserved) return reserved.error();
    room_.commit();
    ++generation_;
    return {};
  }
  bool takes(const Texts& added, const Texts& removed = {}) {
    return take(delta(added, removed)).empty();
  }
  // All that is under way is in the map.
  void settle() { room_.release(generation_); }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  MapRoom& operator*() { return room_; }

 private:
  MapRoom room_;
  std::uint64_t generation_ = 0;
};

TEST(MapRoom, RefusesWhatIsMoreThanThereIsRoomFor) {
  Room room(2, 1);
  EXPECT_TRUE(room.takes({"2001:db8::/48"}));
  EXPECT_EQ(room.take(delta({"2001:db8:1::/48"})),
            "the XDP programs (port in) have room for 4 prefixes longer than 24 bits and host "
            "addresses, and 5 would be needed: 2 prefixes, 0 that overlap others while they are "
            "replaced, 1 addresses of this host, 2 of local scope; raise xdp-entries-max and "
            "restart steerd");
  EXPECT_TRUE(room.takes({}, {"2001:db8::/48"}));
  room.settle();
  EXPECT_TRUE(room.takes({"2001:db8:1::/48"})) << "what was refused takes no room";
}

TEST(MapRoom, PrefixesOfUpTo24BitsTakeNone) {
  Room room(1);
  EXPECT_TRUE(room.takes({"10.0.0.0/8", "192.0.2.0/24", "2001:d00::/24", "192.0.3.128/25"}));
  EXPECT_FALSE(room.takes({"192.0.4.128/25"}));
  EXPECT_TRUE(room.takes({"203.0.113.0/24"}));
}

// The old one is let go before the new one is taken in.
TEST(MapRoom, AFullMapCanReplacePrefixesThatDoNotOverlap) {
  Room room(2);
  EXPECT_TRUE(room.takes({"2001:db8::/48", "2001:db8:1::/48"}));
  room.settle();
  EXPECT_TRUE(room.takes({"2001:db8:2::/48"}, {"2001:db8::/48"}));
  EXPECT_TRUE(room.takes({"2001:db8:3::/48"}, {"2001:db8:1::/48"}))
      << "while the other is under way";
}

// They are put before the old ones go, so that no packet sees neither.
TEST(MapRoom, PrefixesThatReplaceOthersWhereTheyOverlapAreThereBesideThem) {
  const Texts two{"2001:db8::/48", "2001:db8:1::/48"};
  for (const std::size_t entries : {2U, 3U}) {
    Room shorter(entries);
    EXPECT_TRUE(shorter.takes({"2001:db8::/47"}));
    shorter.settle();
    EXPECT_EQ(shorter.takes(two, {"2001:db8::/47"}), entries == 3) << "one, then both beside it";
    Room longer(entries);
    EXPECT_TRUE(longer.takes(two));
    longer.settle();
    EXPECT_EQ(longer.takes({"2001:db8::/47"}, two), entries == 3) << "two, then one beside them";
  }
}

// A change that waits for one that is under way is put in force together with what waits already,
// in one step, in which the prefixes of both overlap.
TEST(MapRoom, ChangesThatMeetAreCountedAsOneStep) {
  Room room(3);
  EXPECT_TRUE(room.takes({"2001:db8::/47", "2001:db8:10::/48"}));
  room.settle();
  EXPECT_TRUE(room.takes({}, {"2001:db8::/47"}));
  EXPECT_FALSE(room.takes({"2001:db8::/48", "2001:db8:1::/48"}))
      << "the two that are there may be, when both are put beside them";
  EXPECT_TRUE(room.takes({"2001:db8::/48"}));
  room.settle();
  EXPECT_TRUE(room.takes({"2001:db8:1::/48"}));
}

TEST(MapRoom, WhatTakesInNothingIsNeverRefused) {
  Room room(2);
  EXPECT_TRUE(room.takes({"2001:db8::/47", "2001:db8:10::/48"}));
  EXPECT_TRUE(room.takes({}, {"2001:db8::/47"}));
  EXPECT_TRUE(room.takes({}));
  EXPECT_TRUE(room.takes({}, {"2001:db8:10::/48"}));
}

TEST(MapRoom, WhatIsAbandonedTakesNoRoom) {
  Room room(1);
  ASSERT_TRUE((*room).reserve(delta({"2001:db8::/48"}), 1));
  EXPECT_FALSE((*room).reserve_hosts(1)) << "it is promised";
  (*room).abandon();
  EXPECT_TRUE(room.takes({"2001:db8:1::/48"}));
}

TEST(MapRoom, AddressesOfTheHostTakeWhatIsFreeAndNotWhatIsPromised) {
  Room room(3, 1);
  EXPECT_TRUE(room.takes({"2001:db8::/48"}));
  EXPECT_TRUE((*room).reserve_hosts(2));
  EXPECT_FALSE((*room).reserve_hosts(3));
  EXPECT_FALSE(room.takes({"2001:db8:1::/48"}));
  (*room).settle_hosts(1);
  EXPECT_TRUE(room.takes({"2001:db8:1::/48"}));
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include "control/activity.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "tests/control/change_text.hpp"

namespace {

using namespace std::chrono_literals;
using change_text::cidr;
using control::Activity;
using control::Delta;
using control::Numbering;
using dataplane::Service;
using dataplane::Volume;

class ActivityTest : public testing::Test {
 protected:
  ActivityTest() {
    numbering_.set_count([this](std::uint32_t number) { return counts_[number]; });
  }
  void change(const Delta::OfBinding& binding) {
    ASSERT_TRUE(numbering_.prepare({&binding, 1}));
    numbering_.commit(++generation_);
    numbering_.reclaim(generation_);
  }
  void bind(std::string_view text) { change({cidr(text), std::nullopt, Service::cdn}); }
  void unbind(std::string_view text) { change({cidr(text), Service::cdn, std::nullopt}); }
  Volume& count(std::string_view text) { return counts_[numbering_.find(cidr(text))->number]; }
  void pass() {
    while (!activity_.sample_some(now_)) {
    }
  }
  [[nodiscard]] Activity::Seen seen(std::string_view text) const {
    return activity_.find(cidr(text), now_).value();
  }

  std::uint64_t generation_ = 0;
  std::map<std::uint32_t, Volume> counts_;
  Numbering numbering_{5000};
  Activity activity_{numbering_};
  Activity::Clock::time_point now_ = Activity::Clock::now();
};

TEST_F(ActivityTest, ARateIsThatBetweenTwoLooks) {
  bind("203.0.113.1/32");
  pass();
  EXPECT_FALSE(seen("203.0.113.1/32").last);
  count("203.0.113.1/32") = {1000, 64'000};
  now_ += 2s;
  pass();
  EXPECT_DOUBLE_EQ(seen("203.0.113.1/32").packets_per_second, 500);
  EXPECT_DOUBLE_EQ(seen("203.0.113.1/32").bits_per_second, 256'000);
  const auto last = now_;
  now_ += 2s;
  pass();
  EXPECT_DOUBLE_EQ(seen("203.0.113.1/32").packets_per_second, 0);
  ASSERT_TRUE(seen("203.0.113.1/32").last);
  EXPECT_LE(*seen("203.0.113.1/32").last, last);
  EXPECT_GT(*seen("203.0.113.1/32").last, last - 200ms);
  EXPECT_EQ(seen("203.0.113.1/32").counted, (Volume{1000, 64'000}));
}

TEST_F(ActivityTest, WhatIsCountedAfterTheLookIsSeenNow) {
  bind("203.0.113.1/32");
  pass();
  count("203.0.113.1/32") = {1, 64};
  now_ += 1s;
  EXPECT_EQ(seen("203.0.113.1/32").last, now_);
}

TEST_F(ActivityTest, TheNextBindingOfANumberHasNothingOfTheLast) {
  bind("203.0.113.1/32");
  const std::uint32_t number = numbering_.find(cidr("203.0.113.1/32"))->number;
  pass();
  count("203.0.113.1/32") = {1000, 64'000};
  now_ += 1s;
  pass();
  unbind("203.0.113.1/32");
  bind("203.0.113.2/32");
  ASSERT_EQ(numbering_.find(cidr("203.0.113.2/32"))->number, number);
  EXPECT_FALSE(activity_.find(cidr("203.0.113.1/32"), now_));
  EXPECT_EQ(seen("203.0.113.2/32").packets_per_second, 0);
  EXPECT_FALSE(seen("203.0.113.2/32").last);
  count("203.0.113.2/32") = {1500, 96'000};
  now_ += 1s;
  pass();
  EXPECT_DOUBLE_EQ(seen("203.0.113.2/32").packets_per_second, 500);
  EXPECT_EQ(seen("203.0.113.2/32").counted, (Volume{500, 32'000}));
}

TEST_F(ActivityTest, TheBusiestComeFirst) {
  for (int i = 0; i < 3000; ++i)
    bind("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + "/32");
  pass();
  EXPECT_TRUE(activity_.busiest(Activity::Order::packets)->empty());
  count("10.0.11.249/32") = {1000, 0};
  count("10.0.0.0/32") = {10, 0};
  now_ += 1s;
  pass();
  count("10.0.0.0/32") = {20, 0};
  count("10.0.5.5/32") = {15, 0};
  now_ += 1s;
  pass();
  EXPECT_EQ(*activity_.busiest(Activity::Order::packets),
            (std::vector{cidr("10.0.11.249/32"), cidr("10.0.0.0/32"), cidr("10.0.5.5/32")}));
  EXPECT_EQ(*activity_.busiest(Activity::Order::rate),
            (std::vector{cidr("10.0.5.5/32"), cidr("10.0.0.0/32")}));
}

}  // namespace

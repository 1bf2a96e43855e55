// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/counters.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace {

using dataplane::Counters;
using dataplane::Verdict;
using dataplane::Volume;

TEST(Counters, KeepVerdictsAndBindingsApart) {
  Counters counters(3);
  counters.of(Verdict::cdn_bound).add({.packets = 2, .bytes = 120});
  counters.of(Verdict::cdn_bound).add({.packets = 1, .bytes = 60});
  counters.of_binding(3).add({.packets = 1, .bytes = 60});
  EXPECT_EQ(counters.of(Verdict::cdn_bound).read(), (Volume{3, 180}));
  EXPECT_EQ(counters.of(Verdict::spectrum_bound).read(), Volume());
  EXPECT_EQ(counters.of_binding(3).read(), (Volume{1, 60}));
  EXPECT_EQ(counters.of_binding(2).read(), Volume());
}

TEST(Counters, OfTwoWorkersShareNoCacheLine) {
  const Counters counters[2]{Counters(1), Counters(1)};
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&counters[1]) % 64, 0U);
}

TEST(Counters, AReaderNeverSeesThemRunBackwards) {
  Counters counters(1);
  std::thread writer([&] {
    for (int i = 0; i < 100'000; ++i) counters.of(Verdict::cdn_bound).add({1, 60});
  });
  std::uint64_t last = 0;
  while (last < 100'000) {
    const std::uint64_t now = counters.of(Verdict::cdn_bound).read().packets;
    ASSERT_GE(now, last);
    last = now;
  }
  writer.join();
}

}  // namespace

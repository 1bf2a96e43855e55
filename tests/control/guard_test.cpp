// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard.hpp"

#include <gtest/gtest.h>

#include "tests/control/change_text.hpp"

namespace {

using namespace control;
using change_text::cidr;
using dataplane::Service;

constexpr std::int64_t kMinute = 60'000'000;

Fate of_binding(const std::string& text, Service before, std::optional<Service> after,
                const std::string& account = "a") {
  return {.key = {false, cidr(text)},
          .account = account,
          .was_there = true,
          .is_there = after.has_value(),
          .before = before,
          .after = after,
          .addresses = size_of(cidr(text))};
}
Fate gone(int n, const std::string& account = "a") {
  return of_binding("203.0.113." + std::to_string(n) + "/32", Service::cdn, std::nullopt, account);
}
Fate back(int n, Service service) {
  return {.key = gone(n).key, .account = "a", .is_there = true, .after = service};
}

// What there is is counted along.
class Guarded : public testing::Test {
 protected:
  explicit Guarded(std::size_t bindings = 20) {
    extent_ = {.bindings = bindings, .prefixes = 50, .addresses = {.v4 = 1 << 16}};
    accounts_["a"] = extent_;
  }
  bool allows(const std::vector<Fate>& fates, bool has_leave = false) {
    const bool may = has_leave || !guard_.judge(fates, {extent_, accounts_}, now_);
    if (may) {
      guard_.note(fates, {extent_, accounts_}, has_leave, now_);
      for (const Fate& fate : fates) follow(fate);
    }
    return may;
  }
  void follow(const Fate& fate) {
    for (Extent* const extent : {&extent_, &accounts_[fate.account]}) {
      std::size_t& count = fate.key.is_prefix ? extent->prefixes : extent->bindings;
      if (fate.was_there) --count;
      if (fate.is_there) ++count;
    }
  }

  Guard guard_;
  Extent extent_;
  std::map<std::string, Extent, std::less<>> accounts_;
  std::int64_t now_ = 1'700'000'000'000'000;
};

TEST_F(Guarded, SingleDeletesAddUp) {
  EXPECT_TRUE(allows({gone(1)}));
  EXPECT_TRUE(allows({gone(2)})) << "a tenth of 20";
  EXPECT_FALSE(allows({gone(3)})) << "though only 18 are left, which would need no guard";
  const auto why = guard_.judge(std::vector{gone(3)}, {extent_, accounts_}, now_);
  EXPECT_EQ(why->reason,
            "it would delete or re-service 3 of 20 bindings within ten minutes; more than 10 % are "
            "taken for an accident");
}

TEST_F(Guarded, IsForgottenAfterTenMinutes) {
  extent_.bindings = accounts_["a"].bindings = 40;
  EXPECT_TRUE(allows({gone(1), gone(2), gone(3), gone(4)}));
  now_ += 10 * kMinute;
  EXPECT_FALSE(allows({gone(5)}));
  now_ += 1;
  EXPECT_FALSE(allows({gone(5), gone(6), gone(7), gone(8)})) << "of 36";
  EXPECT_TRUE(allows({gone(5), gone(6), gone(7)}));
}

TEST_F(Guarded, ADeleteAndACreateWithAnotherServiceAreAReService) {
  for (int n = 1; n <= 2; ++n) {
    EXPECT_TRUE(allows({gone(n)}));
    EXPECT_TRUE(allows({back(n, Service::spectrum)}));
  }
  EXPECT_FALSE(allows({gone(3)}));
  EXPECT_FALSE(allows({of_binding("203.0.113.3/32", Service::cdn, Service::spectrum)}));
}

TEST_F(Guarded, WhatComesBackAsItWasIsNoLoss) {
  for (int n = 1; n <= 10; ++n) {
    EXPECT_TRUE(allows({gone(n)}));
    EXPECT_TRUE(allows({back(n, Service::cdn)}));
  }
  EXPECT_TRUE(allows({gone(11), gone(12)}));
  EXPECT_FALSE(allows({gone(13)}));
  EXPECT_TRUE(allows({back(11, Service::cdn)})) << "repairing is always possible";
}

TEST_F(Guarded, WhatOneHadLeaveForIsNotHeldAgainstOthers) {
  for (int n = 1; n < 6; ++n) extent_.bindings = accounts_["a"].bindings += 6;
  EXPECT_FALSE(allows({gone(1), gone(2), gone(3), gone(4), gone(5), gone(6)}));
  EXPECT_TRUE(allows({gone(1), gone(2), gone(3), gone(4), gone(5), gone(6)}, true));
  EXPECT_TRUE(allows({gone(7), gone(8)}));
  EXPECT_TRUE(guard_.kept().size() == 2);
}

TEST_F(Guarded, UndoTakesBackWhatCountedAndWhatWasForgiven) {
  EXPECT_TRUE(allows({gone(1), gone(2)}));
  guard_.mark();
  EXPECT_TRUE(allows({back(1, Service::cdn), gone(3)}));
  guard_.undo();
  EXPECT_FALSE(allows({gone(4)}));
  EXPECT_TRUE(allows({back(2, Service::cdn)}));
  EXPECT_EQ(guard_.dropped(), std::vector{gone(2).key});
}

TEST_F(Guarded, CountsOnAfterARestart) {
  EXPECT_TRUE(allows({gone(1), gone(2)}));
  Guard after;
  for (Loss& loss : guard_.kept()) after.restore(std::move(loss));
  guard_ = std::move(after);
  EXPECT_FALSE(allows({gone(3)}));
}

TEST_F(Guarded, TooManyAtOnceNeedLeaveWhateverTheirShare) {
  extent_ = accounts_["a"] = {.bindings = 100'000, .prefixes = 50, .addresses = {.v4 = 1 << 24}};
  std::vector<Fate> fates;
  for (int n = 0; n <= 100; ++n) fates.push_back(gone(n));
  EXPECT_FALSE(allows(fates));
  fates.pop_back();
  EXPECT_TRUE(allows(fates));
}

class GuardedSmall : public Guarded {
 protected:
  GuardedSmall() : Guarded(19) {}
};

TEST_F(GuardedSmall, NothingIsHeldUpOrRemembered) {
  for (int n = 0; n < 19; ++n) EXPECT_TRUE(allows({gone(n)}));
  EXPECT_TRUE(guard_.kept().empty());
}

TEST_F(Guarded, AnAccountIsGuardedThoughItIsSmallAmongAll) {
  extent_.bindings = 10'000;
  EXPECT_TRUE(allows({gone(1), gone(2)}));
  EXPECT_FALSE(allows({gone(3)}));
  accounts_["b"] = {.bindings = 15, .prefixes = 1, .addresses = {.v4 = 256}};
  EXPECT_TRUE(allows({gone(31, "b"), gone(32, "b"), gone(33, "b")}));
}

TEST_F(Guarded, AnAccidentOverManySmallAccountsIsOne) {
  extent_ = {.bindings = 100, .prefixes = 100, .addresses = {.v4 = 1 << 16}};
  accounts_.clear();
  for (int n = 0; n < 10; ++n)
    accounts_[std::to_string(n)] = {.bindings = 10, .prefixes = 10, .addresses = {.v4 = 1 << 12}};
  for (int n = 0; n < 10; ++n) EXPECT_TRUE(allows({gone(n, std::to_string(n))}));
  const auto why = guard_.judge(std::vector{gone(10, "0")}, {extent_, accounts_}, now_);
  ASSERT_TRUE(why);
  EXPECT_NE(why->reason.find("11 of 100"), std::string::npos) << why->reason;
  EXPECT_EQ(why->plain_reason.find("100"), std::string::npos) << why->plain_reason;
}

TEST_F(Guarded, OneBindingCanCarryTooManyAddresses) {
  EXPECT_TRUE(allows({of_binding("10.0.0.0/20", Service::cdn, Service::spectrum)}));
  EXPECT_FALSE(allows({of_binding("10.0.16.0/20", Service::cdn, Service::spectrum)}));
}

TEST_F(Guarded, PrefixesAreAShareOfTheirOwn) {
  const auto prefix = [](int n) {
    return Fate{.key = {true, cidr("10.0." + std::to_string(n) + ".0/24")},
                .account = "a",
                .was_there = true};
  };
  for (int n = 0; n < 5; ++n) EXPECT_TRUE(allows({prefix(n)})) << "a pending one";
  EXPECT_FALSE(allows({prefix(5)}));
}

TEST_F(Guarded, LimitsCanBeSet) {
  guard_.set_limits({.share_percent = 100, .bindings_at_once = 2});
  EXPECT_TRUE(allows({gone(1), gone(2)}));
  EXPECT_FALSE(allows({gone(3), gone(4), gone(5)}));
  EXPECT_TRUE(allows({gone(3), gone(4)}));
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include "control/table_maker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/compile.hpp"
#include "tests/control/change_text.hpp"
#include "tests/control/random_changes.hpp"
#include "tests/support/seed.hpp"

namespace {

using change_text::changes;
using change_text::set_of;
using control::BindingSet;
using control::CompiledTable;
using control::Delta;
using control::TableError;
using control::TableMaker;
using dataplane::Match;
using dataplane::Service;
using dataplane::Table;

std::shared_ptr<const dataplane::Policy> policy() {
  return std::make_shared<const dataplane::Policy>(dataplane::Settings());
}

// Around everything that random_changes names.
std::vector<lpm::Address4> addresses4() {
  std::vector<lpm::Address4> all;
  for (std::uint32_t low = 0; low < 512; ++low) all.push_back({0xcb007000 + low});
  for (std::uint32_t low = 0; low < 256; ++low) all.push_back({0xc6336400 + low});
  for (const std::uint32_t other :
       {0x7f000001U, 0xa9fe0001U, 0xe0000001U, 0xffffffffU, 0x08080808U})
    all.push_back({other});
  return all;
}
std::vector<lpm::Address6> addresses6() {
  std::vector<lpm::Address6> all;
  for (std::uint64_t site = 0; site < 16; ++site)
    for (std::uint64_t low = 0; low < 256; low += 5)
      for (std::uint64_t host = 0; host < 3; ++host)
        all.push_back({0x20010db800000000 | site << 16 | low << 8, host});
  all.push_back({0, 1});
  all.push_back({0xfe80000000000000, 1});
  all.push_back({0xff02000000000000, 1});
  return all;
}

// One state, and what was made of it step by step, beside what is made of it at once.
class Agreement {
 public:
  explicit Agreement(const TableMaker& maker) : maker_(maker) {}

  // Tables that say the same, and numbers that mean the same bindings.
  void check(const Table& table, const BindingSet& set) const {
    const CompiledTable whole = control::compile(set, {}, table.generation());
    const auto same = [&](Match match, Match wanted) {
      ASSERT_EQ(match.word() & Match::kDecisionMask, wanted.word() & Match::kDecisionMask);
      ASSERT_EQ(match.binding() == 0, wanted.binding() == 0);
      if (match.binding() == 0) return;
      const control::Binding& binding = whole.bindings_by_number[wanted.binding()];
      const auto numbered = maker_.numbering().find(binding.cidr);
      ASSERT_TRUE(numbered) << to_string(binding.cidr);
      ASSERT_EQ(numbered->number, match.binding()) << to_string(binding.cidr);
      ASSERT_EQ(numbered->service, binding.service);
      ASSERT_LE(match.binding(), table.highest_binding());
    };
    for (const lpm::Address4 address : addresses4_)
      ASSERT_NO_FATAL_FAILURE(
          same(Match(table.trie4().lookup(address)), Match(whole.table->trie4().lookup(address))))
          << to_string(address);
    for (const lpm::Address6 address : addresses6_)
      ASSERT_NO_FATAL_FAILURE(
          same(Match(table.trie6().lookup(address)), Match(whole.table->trie6().lookup(address))))
          << to_string(address);
  }

 private:
  const TableMaker& maker_;
  const std::vector<lpm::Address4> addresses4_ = addresses4();
  const std::vector<lpm::Address6> addresses6_ = addresses6();
};

// Who has which number, and which may not be given yet.
class NumberModel {
 public:
  void follow(const TableMaker& maker, const Delta& delta, std::uint64_t generation) {
    for (const Delta::OfBinding& binding : delta.bindings)
      if (!binding.after) {
        waiting_[numbers_.at(binding.cidr)] = generation;
        numbers_.erase(binding.cidr);
        ASSERT_FALSE(maker.numbering().find(binding.cidr)) << to_string(binding.cidr);
      }
    for (const Delta::OfBinding& binding : delta.bindings)
      if (!binding.before) {
        const std::uint32_t number = maker.numbering().find(binding.cidr)->number;
        ASSERT_FALSE(waiting_.contains(number)) << "number " << number << " is given too early";
        for (const auto& [cidr, other] : numbers_) ASSERT_NE(other, number) << to_string(cidr);
        numbers_[binding.cidr] = number;
      }
    for (const auto& [cidr, number] : numbers_)
      ASSERT_EQ(maker.numbering().find(cidr)->number, number) << to_string(cidr);
  }
  void reclaim(std::uint64_t active) {
    std::erase_if(waiting_, [active](const auto& entry) { return entry.second <= active; });
  }

 private:
  std::map<lpm::AnyPrefix, std::uint32_t> numbers_;
  std::map<std::uint32_t, std::uint64_t> waiting_;
};

TEST(TableMaker, SaysStepByStepWhatIsSaidAtOnce) {
  auto random = support::seeded_random();
  int accepted = 0;
  int reused = 0;
  for (int round = 0; round < 10; ++round) {
    BindingSet set;
    TableMaker maker(1000);
    NumberModel model;
    const Agreement agreement(maker);
    std::vector<std::unique_ptr<const Table>> tables;
    std::uint64_t generation = 0;
    for (int step = 0; step < 1000; ++step) {
      auto checked = set.check(random_changes::change_set(random));
      if (!checked) continue;
      const Delta delta = checked->delta();
      // Generations may be left out; a change set may be given up and come again.
      generation += 1 + support::random_below(random, 3U);
      if (random_changes::one_in(random, 3)) {
        ASSERT_TRUE(maker.prepare(delta, policy(), generation));
        maker.abandon();
        if (!tables.empty()) {
          ASSERT_NO_FATAL_FAILURE(agreement.check(*tables.back(), set)) << "after abandon()";
        }
        if (random_changes::one_in(random, 2)) continue;
      }
      const std::uint32_t highest = maker.numbering().highest();
      auto table = maker.prepare(delta, policy(), generation);
      ASSERT_TRUE(table) << table.error().message;
      maker.commit();
      set.commit(std::move(*checked));
      tables.push_back(std::move(*table));
      ++accepted;
      const bool adds = std::ranges::any_of(
          delta.bindings, [](const Delta::OfBinding& binding) { return !binding.before; });
      if (adds && maker.numbering().highest() == highest) ++reused;
      ASSERT_NO_FATAL_FAILURE(model.follow(maker, delta, generation));
      ASSERT_NO_FATAL_FAILURE(agreement.check(*tables.back(), set))
          << "round " << round << ", step " << step;
      ASSERT_FALSE(maker.fib4().verify()) << *maker.fib4().verify();
      ASSERT_FALSE(maker.fib6().verify()) << *maker.fib6().verify();
      if (!random_changes::one_in(random, 3)) continue;
      // Some table is active; those before it are gone.
      const std::size_t active = support::random_below(random, tables.size());
      const std::uint64_t active_generation = tables[active]->generation();
      tables.erase(tables.begin(), tables.begin() + static_cast<std::ptrdiff_t>(active));
      maker.reclaim(active_generation);
      model.reclaim(active_generation);
    }
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(reused, 50);
}

// Older tables go on saying what they said until they are reclaimed.
TEST(TableMaker, ATableStaysAsItIsUntilItIsReclaimed) {
  auto random = support::seeded_random();
  BindingSet set;
  TableMaker maker(1000);
  const Agreement agreement(maker);
  struct Kept {
    std::unique_ptr<const Table> table;
    std::vector<lpm::Value> values;
  };
  std::vector<Kept> kept;
  const std::vector<lpm::Address4> addresses = addresses4();
  const auto values_of = [&](const Table& table) {
    std::vector<lpm::Value> values;
    for (const lpm::Address4 address : addresses) values.push_back(table.trie4().lookup(address));
    return values;
  };
  for (std::uint64_t generation = 1; generation < 400; ++generation) {
    const auto delta = set.apply(random_changes::change_set(random));
    if (!delta) continue;
    auto table = maker.prepare(*delta, policy(), generation);
    ASSERT_TRUE(table);
    maker.commit();
    std::vector<lpm::Value> values = values_of(**table);
    kept.push_back({std::move(*table), std::move(values)});
    if (kept.size() > 5) {
      kept.erase(kept.begin(), kept.begin() + 3);
      maker.reclaim(kept.front().table->generation());
    }
    for (const Kept& one : kept) ASSERT_EQ(values_of(*one.table), one.values);
  }
}

TEST(TableMaker, SettingsAloneMakeANewTableOfTheSameTries) {
  TableMaker maker(10);
  const BindingSet set = set_of("onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 cdn");
  const auto first = maker.prepare(difference(BindingSet(), set), policy(), 1);
  ASSERT_TRUE(first);
  maker.commit();
  const auto second = maker.prepare({},
                                    std::make_shared<const dataplane::Policy>(dataplane::Settings{
                                        .cdn_accept = dataplane::Settings::CdnAccept::http}),
                                    2);
  ASSERT_TRUE(second);
  maker.commit();
  EXPECT_FALSE((*first)->is_narrow(Service::cdn));
  EXPECT_TRUE((*second)->is_narrow(Service::cdn));
  EXPECT_EQ(Match((*second)->trie4().lookup({0xcb007101})), Match::of(Service::cdn, 1));
}

TEST(TableMaker, RefusesMoreBindingsThanThereAreNumbers) {
  BindingSet set;
  TableMaker maker(2);
  auto checked = set.check(
      changes("onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 magic_transit;"
              "bind 203.0.113.0/24 203.0.113.1/32 cdn; bind 203.0.113.0/24 203.0.113.2/32 cdn"));
  const auto refused = maker.prepare(checked->delta(), policy(), 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, TableError::Code::numbers_exhausted);
  EXPECT_EQ(
      refused.error().message,
      "3 bindings are new, but of 2 numbers (bindings-max) 2 are free; raise bindings-max and "
      "restart, or remove bindings first");
}

TEST(TableMaker, RefusesANumberThatOldTablesStillUse) {
  BindingSet set;
  TableMaker maker(2);
  const auto make = [&](std::string_view text, std::uint64_t generation) {
    auto checked = set.check(changes(text));
    auto table = maker.prepare(checked.value().delta(), policy(), generation);
    if (!table) return table.error().message;
    maker.commit();
    set.commit(std::move(*checked));
    return std::string();
  };
  EXPECT_EQ(make("onboard 203.0.113.0/24; bind 203.0.113.0/24 203.0.113.0/24 magic_transit;"
                 "bind 203.0.113.0/24 203.0.113.1/32 cdn",
                 1),
            "");
  EXPECT_EQ(make("unbind 203.0.113.0/24 203.0.113.1/32", 2), "");
  EXPECT_EQ(make("bind 203.0.113.0/24 203.0.113.2/32 cdn", 3),
            "1 bindings are new, but of 2 numbers (bindings-max) 0 are free; 1 more are free when "
            "every worker has let go of the bindings that were removed: try again then");
  maker.reclaim(2);
  EXPECT_EQ(make("bind 203.0.113.0/24 203.0.113.2/32 cdn", 3), "");
}

// The limit is met somewhere on the way to many bindings: what is refused has changed nothing.
TEST(TableMaker, WhereMemoryEndsTheTableInForceStays) {
  constexpr std::size_t kLimit = std::size_t{8} << 20;
  BindingSet set;
  TableMaker maker(1'000'000, lpm::limited(lpm::transparent_huge_pages(), kLimit));
  std::unique_ptr<const Table> current;
  std::uint64_t generation = 0;
  bool is_refused = false;
  std::vector<lpm::Address4> hosts;
  for (std::uint32_t block = 0; block < 6000 && !is_refused; ++block) {
    std::vector<control::Change> more;
    const auto prefix = lpm::Prefix4::enclosing({0x0b000000 + block * 0x00010000}, 24);
    more.push_back(control::Change::add_prefix(prefix));
    more.push_back(control::Change::add_binding({prefix, prefix}, Service::magic_transit));
    for (std::uint32_t host = 1; host < 255; host += 2)
      more.push_back(control::Change::add_binding(
          {prefix, lpm::Prefix4::enclosing({prefix.network().bits + host}, 32)}, Service::cdn));
    auto checked = set.check(more);
    ASSERT_TRUE(checked);
    const std::uint32_t highest = maker.numbering().highest();
    auto table = maker.prepare(checked->delta(), policy(), ++generation);
    if (!table) {
      is_refused = true;
      EXPECT_EQ(table.error().code, TableError::Code::out_of_memory);
      EXPECT_EQ(maker.numbering().highest(), highest);
      EXPECT_FALSE(maker.numbering().find(prefix));
      EXPECT_EQ(current->trie4().lookup({prefix.network().bits + 1}), lpm::kNoMatch);
      break;
    }
    maker.commit();
    set.commit(std::move(*checked));
    current = std::move(*table);
    maker.reclaim(generation);
    hosts.push_back({prefix.network().bits + 1});
  }
  ASSERT_TRUE(is_refused);
  ASSERT_GT(hosts.size(), 10U);
  EXPECT_FALSE(maker.fib4().verify()) << *maker.fib4().verify();
  for (const lpm::Address4 host : hosts)
    ASSERT_EQ(Match(current->trie4().lookup(host)).service(), Service::cdn);
  // What needs no memory for prefixes still works.
  const auto other_settings = maker.prepare({}, policy(), ++generation);
  ASSERT_TRUE(other_settings) << other_settings.error().message;
  maker.commit();
  EXPECT_EQ(Match((*other_settings)->trie4().lookup(hosts.back())).service(), Service::cdn);
}

}  // namespace

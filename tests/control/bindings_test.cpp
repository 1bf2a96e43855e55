// SPDX-License-Identifier: BSD-3-Clause
#include "control/bindings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "tests/control/change_text.hpp"
#include "tests/support/seed.hpp"

namespace {

using change_text::cidr;
using control::Binding;
using control::BindingChange;
using control::Bindings;
using control::contains;
using dataplane::Service;

// The same, as simply as can be.
using Model = std::map<lpm::AnyPrefix, Service>;

lpm::AnyPrefix host(std::uint32_t number) {
  return lpm::Prefix4::enclosing({0x0a000000 + number}, 32);
}

Bindings hosts(std::uint32_t count) {
  std::vector<BindingChange> changes;
  for (std::uint32_t i = 0; i < count; ++i)
    changes.push_back({host(i), std::nullopt, Service::cdn});
  return Bindings().with(changes);
}

// Leaves as they lie in memory: bindings one behind the other.
std::vector<std::size_t> leaves_of(const Bindings& bindings) {
  std::vector<std::size_t> leaves;
  const Binding* last = nullptr;
  for (const Binding& binding : bindings) {
    const bool is_next = last != nullptr && &binding == last + 1;
    if (is_next && leaves.back() < Bindings::kLeafMax)
      ++leaves.back();
    else
      leaves.push_back(1);
    last = &binding;
  }
  return leaves;
}

bool agree(const Bindings& bindings, const Model& model) {
  return bindings.size() == model.size() &&
         std::equal(bindings.begin(), bindings.end(), model.begin(), model.end(),
                    [](const Binding& binding, const auto& wanted) {
                      return binding.cidr == wanted.first && binding.service == wanted.second;
                    });
}

// Blocks of all lengths in 10.0.0.0/8, or in 2001:db8::/32.
lpm::AnyPrefix some_block(std::mt19937_64& random) {
  const unsigned more = support::random_below(random, 25U);
  const std::uint32_t bits = support::random_below(random, 1U << 24);
  if (support::random_below(random, 2U) == 0)
    return lpm::Prefix4::enclosing({0x0a000000 + bits}, 8 + more);
  return lpm::Prefix6::enclosing({0x20010db800000000 + (std::uint64_t{bits} << 8), bits},
                                 more % 2 == 0 ? 32 + more : 104 + more);
}

// Changes of some neighbours, or of things everywhere; more that add than remove, or fewer.
std::vector<BindingChange> some_changes(const Model& model, bool grows, std::mt19937_64& random) {
  std::map<lpm::AnyPrefix, BindingChange> changes;
  const auto change = [&](const lpm::AnyPrefix& block) {
    const auto found = model.find(block);
    BindingChange one{block, std::nullopt, std::nullopt};
    if (found != model.end()) one.before = found->second;
    if (found == model.end() || (grows && support::random_below(random, 4U) != 0))
      one.after = dataplane::kServices[support::random_below(random, 3U)];
    changes.emplace(block, one);
  };
  const std::size_t count =
      1 + support::random_below(random, 1U << support::random_below(random, 15U));
  if (grows) {
    for (std::size_t i = 0; i < count; ++i) change(some_block(random));
  } else if (!model.empty()) {
    auto at = model.lower_bound(some_block(random));
    for (std::size_t i = 0; i < count && at != model.end(); ++i, ++at) change(at->first);
  }
  std::vector<BindingChange> sorted;
  for (const auto& [block, one] : changes) sorted.push_back(one);
  return sorted;
}

TEST(Bindings, AreWhatAMapIsAfterRandomChanges) {
  auto random = support::seeded_random();
  std::size_t most = 0;
  for (int round = 0; round < 6; ++round) {
    Bindings bindings;
    Model model;
    for (int step = 0; step < 120; ++step) {
      const bool grows = step % 60 < 30;
      const auto changes = some_changes(model, grows, random);
      const Bindings before = bindings;
      const Model model_before = model;
      bindings = bindings.with(changes);
      for (const BindingChange& change : changes) {
        model.erase(change.cidr);
        if (change.after) model.emplace(change.cidr, *change.after);
      }
      ASSERT_TRUE(agree(bindings, model)) << "round " << round << ", step " << step;
      ASSERT_TRUE(agree(before, model_before)) << "round " << round << ", step " << step;
      const std::vector<std::size_t> leaves = leaves_of(bindings);
      for (std::size_t i = 0; i + 1 < leaves.size(); ++i)
        ASSERT_GE(leaves[i], Bindings::kLeafMax / 4) << "leaf " << i << " of " << leaves.size();
      most = std::max(most, leaves.size());
    }
  }
  EXPECT_GT(most, 2 * Bindings::kBranchMax) << "else there was hardly more than one branch";
}

TEST(Bindings, FindWhatAScanFinds) {
  auto random = support::seeded_random();
  Model model;
  Bindings bindings;
  while (model.size() < 4000) {
    const auto changes = some_changes(model, true, random);
    bindings = bindings.with(changes);
    for (const BindingChange& change : changes) {
      model.erase(change.cidr);
      if (change.after) model.emplace(change.cidr, *change.after);
    }
  }
  std::size_t covered = 0;
  for (int i = 0; i < 1000; ++i) {
    const lpm::AnyPrefix block =
        i % 2 == 0
            ? some_block(random)
            : std::next(model.begin(),
                        static_cast<std::ptrdiff_t>(support::random_below(random, model.size())))
                  ->first;
    const Binding* cover = nullptr;
    for (const Binding& binding : bindings)
      if (binding.cidr != block && contains(binding.cidr, block) &&
          (cover == nullptr || contains(cover->cidr, binding.cidr)))
        cover = &binding;
    covered += cover != nullptr ? 1U : 0U;
    ASSERT_EQ(bindings.cover_of(block), cover) << to_string(block);
    const auto not_before =
        std::find_if(bindings.begin(), bindings.end(),
                     [&](const Binding& binding) { return !(binding.cidr < block); });
    ASSERT_EQ(bindings.lower_bound(block), not_before) << to_string(block);
    const Binding* const found = bindings.find(block);
    ASSERT_EQ(found != nullptr, model.contains(block)) << to_string(block);
    if (found == nullptr) continue;
    ASSERT_EQ(found->cidr, block);
    const auto behind = std::find_if(not_before, bindings.end(), [&](const Binding& binding) {
      return !contains(block, binding.cidr);
    });
    ASSERT_EQ(bindings.behind(not_before), behind) << to_string(block);
  }
  EXPECT_GT(covered, 500U) << "else the test would say little";
}

TEST(Bindings, AChangeOfOneCopiesOneLeaf) {
  const Bindings before = hosts(100'000);
  const std::vector<BindingChange> change{{host(50'000), Service::cdn, Service::spectrum}};
  const Bindings after = before.with(change);
  std::set<const Binding*> known;
  for (const Binding& binding : before) known.insert(&binding);
  std::size_t copied = 0;
  for (const Binding& binding : after) copied += known.contains(&binding) ? 0U : 1U;
  EXPECT_GE(copied, 1U);
  EXPECT_LE(copied, Bindings::kLeafMax);
}

TEST(Bindings, AreSortedAcrossFamilies) {
  const std::vector<BindingChange> changes{
      {cidr("203.0.113.0/24"), std::nullopt, Service::magic_transit},
      {cidr("2001:db8::/48"), std::nullopt, Service::cdn}};
  const Bindings bindings = Bindings().with(changes);
  EXPECT_EQ(bindings.cover_of(cidr("2001:db8::/49"))->cidr, cidr("2001:db8::/48"));
  EXPECT_EQ(bindings.cover_of(cidr("2001:db7::/48")), nullptr) << "behind those of IPv4";
  EXPECT_EQ(bindings.cover_of(cidr("0.0.0.0/0")), nullptr);
}

TEST(Bindings, AreEqualWhateverTheyShare) {
  const Bindings built = hosts(1000);
  const std::vector<BindingChange> away{{host(500), Service::cdn, std::nullopt}};
  const std::vector<BindingChange> back{{host(500), std::nullopt, Service::cdn}};
  EXPECT_FALSE(built == built.with(away));
  EXPECT_TRUE(built == built.with(away).with(back));
  EXPECT_TRUE(hosts(0) == hosts(0));
}

}  // namespace

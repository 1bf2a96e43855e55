// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <ranges>
#include <vector>

#include "lpm/node.hpp"
#include "lpm/prefix.hpp"

namespace lpm::detail {

// Prefixes in order, with transactions. A prefix that was removed stays, with the word 0, until
// commit(): so rollback() needs no memory.
template <class Address>
class JournalMap {
 public:
  using Map = std::map<Prefix<Address>, Word>;
  using ConstIterator = typename Map::const_iterator;

  // word 0 removes. Returns what was there, or 0. Throws std::bad_alloc; the transaction is then to
  // be rolled back.
  Word set(const Prefix<Address>& prefix, Word word) {
    steps_.reserve(steps_.size() == steps_.capacity() ? 2 * steps_.size() + 16 : 0);
    const auto [it, is_new] = map_.try_emplace(prefix, 0);
    const Word old = it->second;
    steps_.push_back({it, &*it, old, is_new});
    it->second = word;
    return old;
  }
  // 0 if it is not there.
  [[nodiscard]] Word find(const Prefix<Address>& prefix) const {
    const auto it = map_.find(prefix);
    return it == map_.end() ? 0 : it->second;
  }
  // Of prefixes that are in order not before `prefix`. May come upon words 0: nothing.
  [[nodiscard]] ConstIterator from(const Prefix<Address>& prefix) const {
    return map_.lower_bound(prefix);
  }
  [[nodiscard]] ConstIterator begin() const noexcept { return map_.begin(); }
  [[nodiscard]] ConstIterator end() const noexcept { return map_.end(); }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return map_.size() * (sizeof(typename Map::value_type) + 4 * sizeof(void*));
  }

  void commit() noexcept {
    // A prefix may have been set several times.
    std::ranges::sort(steps_, {}, &Step::entry);
    const typename Map::value_type* before = nullptr;
    for (const Step& step : steps_) {
      if (step.entry == before) continue;
      before = step.entry;
      if (step.at->second == 0) map_.erase(step.at);
    }
    steps_.clear();
  }
  void rollback() noexcept {
    for (const Step& step : std::views::reverse(steps_)) {
      step.at->second = step.old;
      if (step.is_new) map_.erase(step.at);
    }
    steps_.clear();
  }
  // Outside a transaction.
  void clear() noexcept { map_.clear(); }

 private:
  struct Step {
    typename Map::iterator at;
    const typename Map::value_type* entry;  // what `at` is at
    Word old;
    bool is_new;
  };

  Map map_;
  std::vector<Step> steps_;  // of the running transaction
};

}  // namespace lpm::detail

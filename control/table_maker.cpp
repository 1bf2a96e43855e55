// SPDX-License-Identifier: BSD-3-Clause
#include "control/table_maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>
#include <variant>

namespace control {
namespace {

using dataplane::Match;

// Memory for so many changes is kept from one change set to the next.
constexpr std::size_t kChangesKept = 65'536;

template <class Address>
void sort_new(std::vector<lpm::Change<Address>>& changes, std::size_t sorted) {
  using Change = lpm::Change<Address>;
  const auto middle = changes.begin() + static_cast<std::ptrdiff_t>(sorted);
  std::ranges::sort(middle, changes.end(), {}, &Change::prefix);
  std::ranges::inplace_merge(changes.begin(), middle, changes.end(), {}, &Change::prefix);
}

template <class Address>
void forget(std::vector<lpm::Change<Address>>& changes) noexcept {
  changes.clear();
  if (changes.capacity() > kChangesKept) std::exchange(changes, {});
}

}  // namespace

TableMaker::TableMaker(std::uint32_t bindings_max, std::shared_ptr<lpm::Memory> memory)
    : numbering_(bindings_max), fib4_(memory), fib6_(std::move(memory)) {}

std::expected<std::unique_ptr<const dataplane::Table>, TableError> TableMaker::prepare(
    const Delta& delta, std::shared_ptr<const dataplane::Policy> policy, std::uint64_t generation) {
  assert(generations_.empty() || generation > generations_.back());
  bool has_prepared4 = false;
  bool has_prepared6 = false;
  try {
    if (const auto numbered = numbering_.prepare(delta.bindings); !numbered)
      return std::unexpected(exhausted(numbered.error()));
    // So that commit() cannot fail.
    if (generations_.size() == generations_.capacity())
      generations_.reserve(2 * generations_.size() + 8);
    list_changes(delta);
    const auto trie4 = fib4_.prepare(changes4_);
    has_prepared4 = trie4.has_value();
    if (!trie4) throw std::bad_alloc();
    const auto trie6 = fib6_.prepare(changes6_);
    has_prepared6 = trie6.has_value();
    if (!trie6) throw std::bad_alloc();
    auto table = std::make_unique<const dataplane::Table>(generation, std::move(policy), *trie4,
                                                          *trie6, numbering_.highest());
    forget_changes();
    prepared_generation_ = generation;
    return table;
  } catch (const std::bad_alloc&) {
    if (has_prepared4) fib4_.abandon();
    if (has_prepared6) fib6_.abandon();
    numbering_.abandon();
    forget_changes();
    return std::unexpected(TableError{
        .code = TableError::Code::out_of_memory,
        .message = fmt::format("no memory for the next table ({} bindings change); the one in "
                               "force stays",
                               delta.bindings.size())});
  }
}

void TableMaker::commit() noexcept {
  fib4_.commit();
  fib6_.commit();
  numbering_.commit(prepared_generation_);
  generations_.push_back(prepared_generation_);
}

void TableMaker::abandon() noexcept {
  fib4_.abandon();
  fib6_.abandon();
  numbering_.abandon();
}

void TableMaker::reclaim(std::uint64_t active) noexcept {
  const auto newer = std::ranges::upper_bound(generations_, active);
  if (newer == generations_.begin()) return;
  // The last of these is still read; what was before it is not.
  const auto newer_count = static_cast<std::uint64_t>(generations_.end() - newer);
  const std::uint64_t of_active = fib4_.generation() - newer_count;
  fib4_.reclaim(of_active - 1);
  fib6_.reclaim(of_active - 1);
  numbering_.reclaim(active);
  generations_.erase(generations_.begin(), newer - 1);
}

TableError TableMaker::exhausted(const Numbering::Exhausted& numbers) const {
  std::string message =
      fmt::format("{} bindings are new, but of {} numbers (bindings-max) {} are free",
                  numbers.wanted, numbering_.bindings_max(), numbers.free);
  if (numbers.free + numbers.waiting >= numbers.wanted)
    message += fmt::format(
        "; {} more are free when every worker has let go of the bindings that were removed: try "
        "again then",
        numbers.waiting);
  else
    message += "; raise bindings-max and restart, or remove bindings first";
  return {.code = TableError::Code::numbers_exhausted, .message = std::move(message)};
}

// A CIDR may be named as a prefix and as a binding; the order sees to it that what holds after the
// change set comes last:
//   a prefix that was pending loses its mark    its default binding, if any, follows
//   bindings                                    each CIDR once
//   a prefix that is pending gets its mark      it has no binding
void TableMaker::list_changes(const Delta& delta) {
  changes4_.clear();
  changes6_.clear();
  const auto add = [this](const lpm::AnyPrefix& cidr, lpm::Value word) {
    if (const auto* const cidr4 = std::get_if<lpm::Prefix4>(&cidr))
      changes4_.push_back({*cidr4, word});
    else
      changes6_.push_back({std::get<lpm::Prefix6>(cidr), word});
  };
  if (delta.bindings.size() > kChangesKept) {
    const auto six = std::ranges::partition_point(delta.bindings, [](const auto& binding) {
      return std::holds_alternative<lpm::Prefix4>(binding.cidr);
    });
    const std::size_t more = delta.prefixes.size() + 8;
    changes4_.reserve(static_cast<std::size_t>(six - delta.bindings.begin()) + more);
    changes6_.reserve(static_cast<std::size_t>(delta.bindings.end() - six) + more);
  }
  for (const Delta::OfPrefix& prefix : delta.prefixes)
    if (prefix.before == PrefixState::pending) add(prefix.prefix, lpm::kNoMatch);
  for (std::size_t i = 0; i < delta.bindings.size(); ++i) {
    const Delta::OfBinding& binding = delta.bindings[i];
    add(binding.cidr,
        binding.after ? Match::of(*binding.after, numbering_.number(i)).word() : lpm::kNoMatch);
  }
  const std::size_t sorted4 = changes4_.size();
  const std::size_t sorted6 = changes6_.size();
  for (const Delta::OfPrefix& prefix : delta.prefixes)
    if (prefix.after == PrefixState::pending) add(prefix.prefix, Match::kPendingPrefix);
  if (fib4_.generation() != 0) return;
  // The first table is built in bulk, which is fastest in order; nothing is named twice in it.
  changes4_.insert(changes4_.end(), dataplane::local_scope4().begin(),
                   dataplane::local_scope4().end());
  changes6_.insert(changes6_.end(), dataplane::local_scope6().begin(),
                   dataplane::local_scope6().end());
  sort_new(changes4_, sorted4);
  sort_new(changes6_, sorted6);
}

void TableMaker::forget_changes() noexcept {
  forget(changes4_);
  forget(changes6_);
}

}  // namespace control

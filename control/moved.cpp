// SPDX-License-Identifier: BSD-3-Clause
#include "control/moved.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

namespace control {
namespace {

using dataplane::Service;
using Changes = std::span<const Delta::OfBinding>;
using Services = std::optional<Service>;

// The binding of one block, before and after, and what lies around it.
struct Node {
  static constexpr std::size_t kNone = ~std::size_t{0};

  lpm::AnyPrefix cidr;
  Services before = std::nullopt;
  Services after = std::nullopt;
  Services effective_before = std::nullopt;  // with what is inherited
  Services effective_after = std::nullopt;
  std::size_t decider = kNone;  // whose service it had before: a place in the stack
  AddressNumber own = 0;        // addresses that no smaller block has
  AddressNumber taken = 0;      // of those it decided
};

bool is_changed(const Node& node) noexcept {
  return node.before != node.after;
}

// Goes through the blocks of one region, each before those inside it.
class Walk {
 public:
  // cover: the service around the region, which stays.
  Walk(Services cover, Moved& moved) : cover_(cover), moved_(moved) {}

  void enter(const lpm::AnyPrefix& cidr, Services before, Services after) {
    while (!stack_.empty() && !contains(stack_.back().cidr, cidr)) leave();
    Node node{.cidr = cidr, .before = before, .after = after, .own = size_of(cidr)};
    if (stack_.empty()) {
      node.effective_before = before ? before : cover_;
      node.effective_after = after ? after : cover_;
    } else {
      Node& around = stack_.back();
      around.own -= node.own;
      node.effective_before = before ? before : around.effective_before;
      node.effective_after = after ? after : around.effective_after;
      node.decider = around.decider;
    }
    if (before) node.decider = stack_.size();
    stack_.push_back(node);
  }
  void finish() {
    while (!stack_.empty()) leave();
  }

 private:
  void leave() {
    const Node node = stack_.back();
    if (node.effective_before != node.effective_after) {
      moved_.addresses.of(node.cidr) += node.own;
      if (node.decider != Node::kNone) stack_[node.decider].taken += node.own;
    }
    const AddressNumber taken = stack_.back().taken;
    stack_.pop_back();
    if (node.before && is_changed(node))
      moved_.taken.push_back({node.cidr, *node.before, node.after, taken});
  }

  Services cover_;
  Moved& moved_;
  std::vector<Node> stack_;
};

// Calls visit with each binding inside a block, in order. Where that returns false, those inside
// this binding are left out.
template <class Visit>
void for_each_in(const BindingSet& set, const lpm::AnyPrefix& block, const Visit& visit) {
  auto prefix = set.prefixes().lower_bound(block);
  if (prefix != set.prefixes().begin() && contains(std::prev(prefix)->first, block)) --prefix;
  for (; prefix != set.prefixes().end(); ++prefix) {
    const bool is_around = contains(prefix->first, block);
    if (!is_around && !contains(block, prefix->first)) return;
    const Bindings& bindings = *prefix->second;
    auto binding = is_around ? bindings.lower_bound(block) : bindings.begin();
    while (binding != bindings.end() && contains(block, binding->cidr)) {
      if (visit(*binding))
        ++binding;
      else
        binding = bindings.behind(binding);
    }
  }
}

void walk_region(const BindingSet& before, const lpm::AnyPrefix& block, Services cover,
                 Changes changes, Moved& moved) {
  Walk walk(cover, moved);
  auto change = changes.begin();
  for_each_in(before, block, [&](const Binding& binding) {
    for (; change != changes.end() && change->cidr < binding.cidr; ++change)
      walk.enter(change->cidr, change->before, change->after);
    const bool is_changed = change != changes.end() && change->cidr == binding.cidr;
    walk.enter(binding.cidr, binding.service, is_changed ? change->after : binding.service);
    if (is_changed) ++change;
    // Inside one that stays, and inside which nothing changes, nothing moves.
    return is_changed || (change != changes.end() && contains(binding.cidr, change->cidr));
  });
  for (; change != changes.end(); ++change) walk.enter(change->cidr, change->before, change->after);
  walk.finish();
}

// Those at the front that lie in a block.
Changes front_in(Changes changes, const lpm::AnyPrefix& block) {
  const auto end = std::ranges::find_if_not(
      changes, [&](const Delta::OfBinding& change) { return contains(block, change.cidr); });
  return changes.first(static_cast<std::size_t>(std::distance(changes.begin(), end)));
}

// Changes inside one prefix that was there before.
void walk_prefix(const BindingSet& before, const lpm::AnyPrefix& prefix, const Bindings& bindings,
                 Changes changes, Moved& moved) {
  // Looking up what lies around a change costs about as much as passing so many bindings by.
  constexpr std::size_t kLookup = 64;
  if (changes.size() * kLookup > bindings.size())
    return walk_region(before, prefix, std::nullopt, changes, moved);
  while (!changes.empty()) {
    const lpm::AnyPrefix& block = changes.front().cidr;
    const Changes own = front_in(changes, block);
    const Binding* const cover = bindings.cover_of(block);
    walk_region(before, block, cover == nullptr ? std::nullopt : Services(cover->service), own,
                moved);
    changes = changes.subspan(own.size());
  }
}

}  // namespace

AddressNumber size_of(const lpm::AnyPrefix& cidr) noexcept {
  const auto size = [](unsigned bits) {
    constexpr unsigned kWidth = 128;
    return bits >= kWidth ? ~AddressNumber{0} : AddressNumber{1} << bits;
  };
  if (const auto* const block4 = std::get_if<lpm::Prefix4>(&cidr))
    return size(lpm::Address4::kBits - block4->length());
  const auto* const block6 = std::get_if<lpm::Prefix6>(&cidr);
  return block6 == nullptr ? 0 : size(lpm::Address6::kBits - block6->length());
}

Moved moved_by(const BindingSet& before, const Delta& delta) {
  Moved moved;
  Changes changes = delta.bindings;
  while (!changes.empty()) {
    const lpm::AnyPrefix& block = changes.front().cidr;
    auto around = before.prefixes().upper_bound(block);
    const bool is_inside =
        around != before.prefixes().begin() && contains((--around)->first, block);
    const Changes own = front_in(changes, is_inside ? around->first : block);
    if (is_inside)
      walk_prefix(before, around->first, *around->second, own, moved);
    else
      walk_region(before, block, std::nullopt, own, moved);
    changes = changes.subspan(own.size());
  }
  return moved;
}

}  // namespace control

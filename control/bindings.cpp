// SPDX-License-Identifier: BSD-3-Clause
#include "control/bindings.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <variant>

namespace control {
namespace {

unsigned common_bits(lpm::Address4 a, lpm::Address4 b) noexcept {
  return static_cast<unsigned>(std::countl_zero(a.bits ^ b.bits));
}

unsigned common_bits(lpm::Address6 a, lpm::Address6 b) noexcept {
  const int high = std::countl_zero(a.high ^ b.high);
  return static_cast<unsigned>(high < 64 ? high : 64 + std::countl_zero(a.low ^ b.low));
}

// The smallest block that may be around both: `cidr`, and `before`, which is not around it and
// comes before it. Nothing: no block is around both.
template <class Address>
bool widen(lpm::Prefix<Address>& cidr, const lpm::AnyPrefix& before) noexcept {
  const auto* const other = std::get_if<lpm::Prefix<Address>>(&before);
  if (other == nullptr) return false;
  const unsigned common = common_bits(cidr.network(), other->network());
  cidr = cidr.enclosing(cidr.network(), std::min({common, cidr.length(), other->length()}));
  return true;
}

// Puts items into blocks of at most kMax and, but for the last, at least a quarter of it; takes
// whole blocks over where it can.
template <class Item, std::size_t kMax>
class Packer {
 public:
  using Block = std::vector<Item>;
  using Handle = std::shared_ptr<const Block>;

  void add(Item item) {
    open_.push_back(std::move(item));
    if (open_.size() == kMax + kMin) close(kMax);
  }
  void add(const Handle& block) {
    if (open_.size() >= kMin) close_all();
    if (open_.empty() && block->size() >= kMin) {
      blocks_.push_back(block);
      return;
    }
    for (const Item& item : *block) add(item);
  }
  // No small block would be left if these were all.
  [[nodiscard]] bool is_whole() const noexcept {
    return open_.empty() || open_.size() >= kMin || !blocks_.empty();
  }
  [[nodiscard]] std::vector<Handle> take() {
    if (!open_.empty() && open_.size() < kMin && !blocks_.empty()) {
      const Handle last = std::move(blocks_.back());
      blocks_.pop_back();
      open_.insert(open_.begin(), last->begin(), last->end());
    }
    if (!open_.empty()) close_all();
    return std::exchange(blocks_, {});
  }

 private:
  static constexpr std::size_t kMin = kMax / 4;

  void close_all() {
    if (open_.size() > kMax) close(open_.size() / 2);
    close(open_.size());
  }
  // The first `count` become a block.
  void close(std::size_t count) {
    const auto end = open_.begin() + static_cast<std::ptrdiff_t>(count);
    blocks_.push_back(std::make_shared<const Block>(std::make_move_iterator(open_.begin()),
                                                    std::make_move_iterator(end)));
    open_.erase(open_.begin(), end);
  }

  Block open_;
  std::vector<Handle> blocks_;
};

using Changes = std::span<const BindingChange>;
using Leaves = Packer<Binding, Bindings::kLeafMax>;

// Those at the front that come before `end`; null: all.
Changes take_before(Changes& changes, const Binding* end) {
  const auto rest = end == nullptr
                        ? changes.end()
                        : std::ranges::lower_bound(changes, end->cidr, {}, &BindingChange::cidr);
  const Changes own = changes.first(static_cast<std::size_t>(rest - changes.begin()));
  changes = changes.subspan(own.size());
  return own;
}

void merge(const Bindings::Leaf& leaf, Changes changes, Leaves& to) {
  auto change = changes.begin();
  const auto make = [&] {
    if (change->after) to.add({change->cidr, *change->after});
    ++change;
  };
  for (const Binding& binding : leaf) {
    while (change != changes.end() && change->cidr < binding.cidr) make();
    if (change != changes.end() && change->cidr == binding.cidr)
      make();
    else
      to.add(binding);
  }
  while (change != changes.end()) make();
}

}  // namespace

Bindings Bindings::with(std::span<const BindingChange> changes) const {
  Packer<LeafHandle, kBranchMax> branches;
  Leaves leaves;  // of branches that are opened, one after another
  bool is_open = root_.empty();
  const auto close = [&] {
    for (LeafHandle& leaf : leaves.take()) branches.add(std::move(leaf));
    is_open = false;
  };
  Bindings after;
  after.size_ = size_;
  for (const BindingChange& change : changes)
    after.size_ = after.size_ + (change.after ? 1 : 0) - (change.before ? 1 : 0);

  if (root_.empty()) merge({}, changes, leaves);
  for (std::size_t b = 0; b < root_.size(); ++b) {
    const Branch& branch = *root_[b];
    const bool is_last = b + 1 == root_.size();
    Changes of_branch = take_before(changes, is_last ? nullptr : &root_[b + 1]->front()->front());
    // Where too little is left of those before to stand alone, it goes on.
    if (of_branch.empty() && (!is_open || leaves.is_whole())) {
      if (is_open) close();
      branches.add(root_[b]);
      continue;
    }
    is_open = true;
    for (std::size_t l = 0; l < branch.size(); ++l) {
      const bool is_last_leaf = l + 1 == branch.size();
      const Changes own = take_before(of_branch, is_last_leaf ? nullptr : &branch[l + 1]->front());
      if (own.empty())
        leaves.add(branch[l]);
      else
        merge(*branch[l], own, leaves);
    }
  }
  if (is_open) close();
  after.root_ = branches.take();
  return after;
}

template <class Holds>
bool Bindings::last(const Holds& holds, Place& place) const noexcept {
  const auto branch = std::ranges::partition_point(
      root_, [&](const BranchHandle& one) { return holds(one->front()->front()); });
  if (branch == root_.begin()) return false;
  place.branch = static_cast<std::size_t>(branch - root_.begin()) - 1;
  const Branch& leaves = *root_[place.branch];
  const auto leaf = std::ranges::partition_point(
      leaves, [&](const LeafHandle& one) { return holds(one->front()); });
  place.leaf = static_cast<std::size_t>(leaf - leaves.begin()) - 1;
  const Leaf& own = *leaves[place.leaf];
  const auto binding = std::ranges::partition_point(own, holds);
  place.binding = static_cast<std::size_t>(binding - own.begin()) - 1;
  return true;
}

template <class Holds>
Bindings::iterator Bindings::first_not(const Holds& holds) const noexcept {
  Place place{};
  if (!last(holds, place)) return begin();
  ++place.binding;
  return {*this, place};
}

const Binding* Bindings::find(const lpm::AnyPrefix& cidr) const {
  const iterator found = lower_bound(cidr);
  return found != end() && found->cidr == cidr ? &*found : nullptr;
}

Bindings::iterator Bindings::lower_bound(const lpm::AnyPrefix& cidr) const noexcept {
  return first_not([&](const Binding& binding) { return binding.cidr < cidr; });
}

Bindings::iterator Bindings::behind(iterator at) const noexcept {
  const lpm::AnyPrefix block = at->cidr;
  // Most are hosts.
  if (++at == end() || !contains(block, at->cidr)) return at;
  return first_not([&](const Binding& binding) {
    return binding.cidr <= block || contains(block, binding.cidr);
  });
}

const Binding* Bindings::cover_of(const lpm::AnyPrefix& cidr) const {
  return std::visit(
      [&]<class Address>(const lpm::Prefix<Address>& inner) -> const Binding* {
        if (inner.length() == 0) return nullptr;
        // Whatever is around it is at most this long, and not behind it.
        lpm::Prefix<Address> widest = inner.enclosing(inner.network(), inner.length() - 1);
        for (;;) {
          Place place{};
          const lpm::AnyPrefix bound = widest;
          if (!last([&](const Binding& binding) { return binding.cidr <= bound; }, place))
            return nullptr;
          const Binding& found = (*(*root_[place.branch])[place.leaf])[place.binding];
          if (contains(found.cidr, cidr)) return &found;
          if (!widen(widest, found.cidr)) return nullptr;
        }
      },
      cidr);
}

Bindings::iterator::iterator(const Bindings& bindings, const Place& place) noexcept
    : root_(&bindings.root_), branch_(place.branch), leaf_(place.leaf) {
  const Leaf& leaf = *(*(*root_)[branch_])[leaf_];
  at_ = leaf.data() + place.binding;
  leaf_end_ = leaf.data() + leaf.size();
  if (at_ == leaf_end_) next_leaf();
}

void Bindings::iterator::next_leaf() noexcept {
  if (++leaf_ == (*root_)[branch_]->size()) {
    leaf_ = 0;
    ++branch_;
  }
  if (branch_ == root_->size()) {
    at_ = leaf_end_ = nullptr;
    return;
  }
  const Leaf& leaf = *(*(*root_)[branch_])[leaf_];
  at_ = leaf.data();
  leaf_end_ = leaf.data() + leaf.size();
}

bool operator==(const Bindings& a, const Bindings& b) {
  return a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin());
}

}  // namespace control

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "control/binding.hpp"

namespace control {

// The bindings of one prefix, sorted by CIDR: the default, if there is one, comes first, and each
// block before everything inside it.
//
// A value that never changes: with() makes the next one, which shares with this one all that no
// change touches. Inside it is a tree of three levels: leaves of bindings, branches of leaves, and
// the root, a list of branches. All but the last of each are at least a quarter full.
//
// Copies are cheap and may be read and dropped by any thread.
class Bindings {
 public:
  // What a change of one binding copies: one leaf, one branch and the root.
  static constexpr std::size_t kLeafMax = 256;   // bindings, 40 bytes each
  static constexpr std::size_t kBranchMax = 64;  // leaves

  using Leaf = std::vector<Binding>;
  using LeafHandle = std::shared_ptr<const Leaf>;
  using Branch = std::vector<LeafHandle>;
  using BranchHandle = std::shared_ptr<const Branch>;

  // The names that ranges are known by.
  class iterator;                   // NOLINT(readability-identifier-naming)
  using const_iterator = iterator;  // NOLINT(readability-identifier-naming)
  using value_type = Binding;

  Bindings() = default;

  // Those after `changes`, which are sorted, each CIDR once, and say rightly what is there before.
  // O(n) for n changes, the leaves and branches that they touch, and the root. Throws
  // std::bad_alloc.
  [[nodiscard]] Bindings with(std::span<const BindingChange> changes) const;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] iterator begin() const noexcept;
  [[nodiscard]] iterator end() const noexcept;

  // The following are O(log n). Pointers are good for as long as any value shares the binding.

  // On exactly this CIDR; null: none.
  [[nodiscard]] const Binding* find(const lpm::AnyPrefix& cidr) const;
  // The first one that is not before this CIDR.
  [[nodiscard]] iterator lower_bound(const lpm::AnyPrefix& cidr) const noexcept;
  // The first one behind `at` that does not lie inside it.
  [[nodiscard]] iterator behind(iterator at) const noexcept;
  // The nearest one strictly around a block; null: none. For each that lies beside the way O(log n)
  // more, at most one for each length of a CIDR.
  [[nodiscard]] const Binding* cover_of(const lpm::AnyPrefix& cidr) const;

  // O(n).
  friend bool operator==(const Bindings& a, const Bindings& b);

 private:
  // Where a binding is.
  struct Place {
    std::size_t branch;
    std::size_t leaf;
    std::size_t binding;
  };
  // Of the last binding for which `holds` does: it must hold for all before one of them, and for
  // none from there on. False: for none.
  template <class Holds>
  bool last(const Holds& holds, Place& place) const noexcept;
  template <class Holds>
  [[nodiscard]] iterator first_not(const Holds& holds) const noexcept;

  std::vector<BranchHandle> root_;
  std::size_t size_ = 0;
};

// Forward; good for as long as what it goes through.
class Bindings::iterator {  // NOLINT(readability-identifier-naming)
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = Binding;
  using difference_type = std::ptrdiff_t;
  using reference = const Binding&;
  using pointer = const Binding*;

  iterator() = default;

  [[nodiscard]] reference operator*() const noexcept { return *at_; }
  [[nodiscard]] pointer operator->() const noexcept { return at_; }
  iterator& operator++() noexcept {
    if (++at_ == leaf_end_) next_leaf();
    return *this;
  }
  iterator operator++(int) noexcept {
    const iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }

 private:
  friend class Bindings;
  // place: its binding may be one behind the end of its leaf.
  iterator(const Bindings& bindings, const Place& place) noexcept;
  void next_leaf() noexcept;

  const Binding* at_ = nullptr;  // null: the end
  const Binding* leaf_end_ = nullptr;
  const std::vector<BranchHandle>* root_ = nullptr;
  std::size_t branch_ = 0;
  std::size_t leaf_ = 0;
};

inline Bindings::iterator Bindings::begin() const noexcept {
  return root_.empty() ? iterator() : iterator(*this, {.branch = 0, .leaf = 0, .binding = 0});
}

inline Bindings::iterator Bindings::end() const noexcept {
  return {};
}

}  // namespace control

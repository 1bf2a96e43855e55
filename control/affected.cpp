// SPDX-License-Identifier: BSD-3-Clause
#include "control/affected.hpp"

#include <algorithm>
#include <utility>

namespace control {
namespace {

using Blocks = std::span<const lpm::AnyPrefix>;

// Those at the front that lie in a block.
Blocks front_in(Blocks blocks, const lpm::AnyPrefix& block) {
  const auto end = std::ranges::find_if_not(
      blocks, [&](const lpm::AnyPrefix& inner) { return contains(block, inner); });
  return blocks.first(static_cast<std::size_t>(end - blocks.begin()));
}

// Goes through the named blocks in the order of the address space, and finds bindings in that
// order.
class Search {
 public:
  explicit Search(const Bindings& bindings) : bindings_(bindings) {}

  // Of the named block that comes first, and those around and inside it; then of the others.
  void look_at(Blocks named) {
    while (!named.empty()) {
      const Blocks own = front_in(named, named.front());
      find_covers(named.front());
      find_inside(named.front(), own);
      named = named.subspan(own.size());
    }
  }
  // A binding that lies around all that is looked at from now on.
  void take_around(const Binding& binding) {
    found_.push_back(binding);
    around_.push_back(binding.cidr);
  }
  [[nodiscard]] std::vector<Binding> take() { return std::move(found_); }

 private:
  // Those that are not found yet: a block around a named one that is none itself is met here first.
  void find_covers(const lpm::AnyPrefix& cidr) {
    while (!around_.empty() && !contains(around_.back(), cidr)) around_.pop_back();
    const std::size_t first = found_.size();
    const Binding* cover = bindings_.cover_of(cidr);
    for (; cover != nullptr && (around_.empty() || cover->cidr != around_.back());
         cover = bindings_.cover_of(cover->cidr))
      found_.push_back(*cover);
    std::reverse(found_.begin() + static_cast<std::ptrdiff_t>(first), found_.end());
    for (std::size_t i = first; i < found_.size(); ++i) around_.push_back(found_[i].cidr);
  }

  // named: block and those inside it.
  void find_inside(const lpm::AnyPrefix& block, Blocks named) {
    const std::size_t depth = around_.size();
    auto at = bindings_.lower_bound(block);
    while (at != bindings_.end() && contains(block, at->cidr)) {
      while (!named.empty() && named.front() < at->cidr) named = named.subspan(1);
      found_.push_back(*at);
      if (!named.empty() && named.front() == at->cidr) {
        ++at;
        continue;
      }
      // It stays as it is, so that what it lies around is of no interest but where it is named.
      if (const Blocks inside = front_in(named, at->cidr); !inside.empty()) {
        around_.push_back(at->cidr);
        look_at(inside);
        around_.resize(depth);
        named = named.subspan(inside.size());
      }
      at = bindings_.behind(at);
    }
  }

  const Bindings& bindings_;
  std::vector<Binding> found_;
  std::vector<lpm::AnyPrefix> around_;  // the last one found; outermost first
};

// The first that is not named; null: there is none.
const Binding* first_other(Blocks named, const Bindings& bindings) {
  for (const Binding& binding : bindings) {
    while (!named.empty() && named.front() < binding.cidr) named = named.subspan(1);
    if (named.empty() || named.front() != binding.cidr) return &binding;
  }
  return nullptr;
}

}  // namespace

std::vector<Binding> affected_by(const NamedBlocks& named, const Bindings& bindings) {
  Search search(bindings);
  Blocks rest = named.cidrs;
  if (named.is_default_gone) {
    search.take_around(*bindings.begin());
    rest = rest.subspan(1);
  }
  search.look_at(rest);
  std::vector<Binding> found = search.take();
  if (!named.is_default_gone && !named.must_be_all) return found;
  if (const Binding* const other = first_other(named.cidrs, bindings)) {
    const auto place = std::ranges::lower_bound(found, other->cidr, {}, &Binding::cidr);
    if (place == found.end() || place->cidr != other->cidr) found.insert(place, *other);
  }
  return found;
}

}  // namespace control

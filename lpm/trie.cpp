// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/trie.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <stdexcept>
#include <utility>

namespace lpm {

// Builds a trie depth first: the nodes of a long path with few branches, as host routes make them,
// come to lie side by side, so that a lookup along it touches few cache lines and pages.
template <class Address>
class Trie<Address>::Compiler {
 public:
  Compiler(Trie& trie, const RouteSet<Address>& routes) : trie_(trie) {
    // Every level walks the routes that reach it: an array is faster to walk than a map.
    routes_.reserve(routes.size());
    for (const auto& [prefix, value] : routes) routes_.push_back({prefix, value});
  }

  void compile() {
    compile_root();
    while (!pending_.empty()) {
      const Block block = pending_.back();
      pending_.pop_back();
      compile_node(block);
    }
    trie_.nodes_.shrink_to_fit();
    trie_.values_.shrink_to_fit();
  }

 private:
  static constexpr std::size_t kSlots = std::size_t{1} << kStrideBits;
  static constexpr std::size_t kCountMax = std::numeric_limits<std::uint32_t>::max();
  static_assert(kCountMax <= kNoNode, "no index may look like kNoNode");

  struct Route {
    Prefix<Address> prefix;
    Value value;
  };
  using Routes = std::span<const Route>;

  // A block of addresses that gets a node: some route in it is longer than the levels before.
  struct Block {
    Routes routes;       // longer than the block, in prefix order
    Value inherited;     // of the longest route around the block
    std::uint32_t node;  // index, already reserved
    unsigned offset;     // of the bits that index the node, = length of the block
  };

  // Splits the routes of a block over the 2^stride slots of its node, whose bits start at `offset`:
  // paint(slot, count, value) for each route that ends here, covering `count` slots, and
  // go_on(slot, routes) for the routes inside one slot. Prefix order sees to it that a slot was
  // painted by every route around it, the longest last, before go_on() is called for it.
  template <class Paint, class GoOn>
  static void divide(Routes routes, unsigned offset, unsigned stride, Paint paint, GoOn go_on) {
    const unsigned end = offset + stride;
    for (std::size_t i = 0; i < routes.size();) {
      const auto& [prefix, value] = routes[i];
      const std::uint32_t slot = prefix.network().slice(offset, stride);
      if (prefix.length() <= end) {
        paint(slot, std::size_t{1} << (end - prefix.length()), value);
        ++i;
        continue;
      }
      const std::size_t first = i++;
      while (i < routes.size() && routes[i].prefix.network().slice(offset, stride) == slot) ++i;
      go_on(slot, routes.subspan(first, i - first));
    }
  }

  void compile_root() {
    auto& root = trie_.root_;
    const auto paint = [&](std::uint32_t slot, std::size_t count, Value value) {
      std::fill_n(root.begin() + slot, count, RootEntry{.value = value});
    };
    const auto go_on = [&](std::uint32_t slot, Routes routes) {
      root[slot].node = reserve_node();
      pending_.push_back({routes, root[slot].value, root[slot].node, kRootBits});
    };
    divide(routes_, 0, kRootBits, paint, go_on);
  }

  void compile_node(const Block& block) {
    Node node{.first_child = static_cast<std::uint32_t>(trie_.nodes_.size()),
              .first_value = static_cast<std::uint32_t>(trie_.values_.size())};
    std::array<Value, kSlots> values;
    values.fill(block.inherited);
    const auto paint = [&](std::uint32_t slot, std::size_t count, Value value) {
      std::fill_n(values.begin() + slot, count, value);
    };
    const auto go_on = [&](std::uint32_t slot, Routes routes) {
      node.children |= std::uint64_t{1} << slot;
      pending_.push_back({routes, values[slot], reserve_node(), block.offset + kStrideBits});
    };
    divide(block.routes, block.offset, kStrideBits, paint, go_on);
    node.value_starts = append_runs(values, node.children);
    trie_.nodes_[block.node] = node;
  }

  // Nodes reserved one after the other, as the children of one node are, are neighbours.
  [[nodiscard]] std::uint32_t reserve_node() { return append(trie_.nodes_, Node{}); }

  // Returns the index of the new element. Keeps the size within 32 bits (invariant I1).
  template <class Element>
  static std::uint32_t append(std::vector<Element>& elements, const Element& element) {
    if (elements.size() >= kCountMax)
      throw std::length_error("lpm::Trie: more than 2^32 - 1 nodes or values");
    elements.push_back(element);
    return static_cast<std::uint32_t>(elements.size() - 1);
  }

  // Appends the values of the slots without a child, a run of equal ones once, and returns where
  // the runs start.
  [[nodiscard]] std::uint64_t append_runs(const std::array<Value, kSlots>& values,
                                          std::uint64_t children) {
    std::uint64_t starts = 0;
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      if ((children >> slot & 1) != 0) continue;
      if (starts != 0 && values[slot] == trie_.values_.back()) continue;
      starts |= std::uint64_t{1} << slot;
      append(trie_.values_, values[slot]);
    }
    return starts;
  }

  Trie& trie_;
  std::vector<Route> routes_;
  std::vector<Block> pending_;  // a stack: blocks whose node is reserved, but not yet made
};

template <class Address>
Trie<Address>::Trie() : Trie(RouteSet<Address>{}) {}

template <class Address>
Trie<Address>::Trie(const RouteSet<Address>& routes) : root_(std::size_t{1} << kRootBits) {
  Compiler(*this, routes).compile();
}

// Level by level over all addresses, so that the cache misses of a level overlap.
template <class Address>
void Trie<Address>::lookup_burst(std::span<const Address> addresses,
                                 std::span<Value> values) const noexcept {
  assert(addresses.size() <= kBurstMax && values.size() == addresses.size());
  struct Walk {
    std::uint32_t node;
    std::uint32_t i;  // of the address
  };
  std::array<Walk, kBurstMax> walks;
  std::size_t walking = 0;
  const auto walk_on = [&](std::uint32_t node, std::uint32_t i) {
    __builtin_prefetch(&nodes_[node]);
    walks[walking++] = {node, i};
  };

  for (std::uint32_t i = 0; i < addresses.size(); ++i) {
    const RootEntry entry = root_[addresses[i].slice(0, kRootBits)];
    if (entry.node == kNoNode)
      values[i] = entry.value;
    else
      walk_on(entry.node, i);
  }
  for (unsigned offset = kRootBits; walking != 0; offset += kStrideBits) {
    // walk_on() writes at or before the walk that is being read.
    const std::size_t count = std::exchange(walking, 0);
    for (std::size_t w = 0; w < count; ++w) {
      const auto [index, i] = walks[w];
      const Node& node = nodes_[index];
      const std::uint32_t slot = addresses[i].slice(offset, kStrideBits);
      if (node.has_child(slot))
        walk_on(node.child(slot), i);
      else
        values[i] = values_[node.value(slot)];
    }
  }
}

template <class Address>
std::size_t Trie<Address>::memory_bytes() const noexcept {
  return sizeof *this + root_.size() * sizeof(RootEntry) + nodes_.size() * sizeof(Node) +
         values_.size() * sizeof(Value);
}

template class Trie<Address4>;
template class Trie<Address6>;

}  // namespace lpm

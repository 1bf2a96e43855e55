// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lpm/route_set.hpp"

namespace lpm {

// Longest-prefix match over an immutable set of routes, for reading by many threads at once.
//
// A multibit trie: the first 16 bits index a table, every further level takes 6 bits and is one
// node whose 64 slots are compressed by population count: a bitmap of the slots that continue in a
// child, and a bitmap of the slots at which the value changes (so that a run of equal values is
// stored once). Children of a node, and values of a node, are neighbours in memory.
// Source of the layout: H. Asai and Y. Ohara, "Poptrie", SIGCOMM 2015.
//
// Invariants (kept by the constructor, relied on by lookups):
//   I1  a child or value index read from a node or the root lies inside its array;
//   I2  a run of values starts at the first slot without a child in every node that has one, so
//       that rank - 1 never underflows; a slot with a child belongs to whatever run goes on around
//       it, and its own value is nowhere read;
//   I3  a path is the root entry and at most ceil((kBits - 16) / 6) nodes: 4 steps for IPv4, 20 for
//       IPv6.
//
// Cost: a lookup reads one root entry, one node a level, one value. Memory: 512 KiB for the root,
// 24 bytes a node, 4 bytes a value; at most 3 (IPv4) or 19 (IPv6) nodes a route, and at most as
// many values as there are nodes, plus two a route.
template <class Address>
class Trie {
 public:
  // Nothing matches.
  Trie();
  // Compiles `routes`. Time and space O(routes x levels). Throws std::bad_alloc, or
  // std::length_error beyond 2^32 - 1 nodes or values.
  explicit Trie(const RouteSet<Address>& routes);

  // The value of the longest prefix that contains `address`, or kNoMatch. Thread safe.
  [[nodiscard]] Value lookup(Address address) const noexcept {
    return descend(root_[address.slice(0, kRootBits)], address);
  }

  static constexpr std::size_t kBurstMax = 64;
  // values[i] = lookup(addresses[i]). Both spans of one size, at most kBurstMax. Thread safe.
  void lookup_burst(std::span<const Address> addresses, std::span<Value> values) const noexcept;

  [[nodiscard]] std::size_t memory_bytes() const noexcept;

 private:
  static constexpr unsigned kRootBits = 16;
  static constexpr unsigned kStrideBits = 6;

  struct RootEntry {
    std::uint32_t node = kNoNode;  // where the path continues, or
    Value value = kNoMatch;        // the answer, when node is kNoNode
  };
  struct Node {
    std::uint64_t children = 0;      // bit s: slot s continues in a child
    std::uint64_t value_starts = 0;  // bit s: a run of equal values starts at slot s
    std::uint32_t first_child = 0;   // index into nodes_
    std::uint32_t first_value = 0;   // index into values_

    [[nodiscard]] bool has_child(std::uint32_t slot) const noexcept {
      return (children >> slot & 1) != 0;
    }
    // Index into nodes_. slot: one that has a child.
    [[nodiscard]] std::uint32_t child(std::uint32_t slot) const noexcept {
      return first_child + rank(children, slot) - 1;
    }
    // Index into values_. slot: one that has no child.
    [[nodiscard]] std::uint32_t value(std::uint32_t slot) const noexcept {
      return first_value + rank(value_starts, slot) - 1;
    }
    // How many of the bits 0 to slot are set.
    [[nodiscard]] static std::uint32_t rank(std::uint64_t bits, std::uint32_t slot) noexcept {
      const std::uint64_t up_to = (std::uint64_t{2} << slot) - 1;
      return static_cast<std::uint32_t>(__builtin_popcountll(bits & up_to));
    }
  };
  static_assert(sizeof(Node) == 24);
  static constexpr std::uint32_t kNoNode = ~std::uint32_t{0};

  class Compiler;

  [[nodiscard]] Value descend(RootEntry entry, Address address) const noexcept {
    std::uint32_t index = entry.node;
    if (index == kNoNode) return entry.value;
    for (unsigned offset = kRootBits;; offset += kStrideBits) {
      const Node& node = nodes_[index];
      const std::uint32_t slot = address.slice(offset, kStrideBits);
      if (!node.has_child(slot)) return values_[node.value(slot)];
      index = node.child(slot);
    }
  }

  std::vector<RootEntry> root_;
  std::vector<Node> nodes_;
  std::vector<Value> values_;
};

using Trie4 = Trie<Address4>;
using Trie6 = Trie<Address6>;

extern template class Trie<Address4>;
extern template class Trie<Address6>;

}  // namespace lpm

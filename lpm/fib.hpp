// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lpm/trie.hpp"

namespace lpm {

template <class Address>
struct Route {
  Prefix<Address> prefix;
  Value value;

  friend bool operator==(const Route&, const Route&) = default;
};

// A change of one prefix: its new value, or kNoMatch to remove it. Setting a prefix that is there
// changes its value; removing one that is not there does nothing.
template <class Address>
using Change = Route<Address>;

enum class FibError : std::uint8_t {
  out_of_memory,  // of the Memory, or of its address space
};

// What takes how much of a table.
struct MemoryPart {
  std::string name;
  std::size_t count;  // of nodes, pages, words
  std::size_t bytes;
};

// One thing that a lookup looks at.
struct LookupStep {
  const char* what;
  unsigned first_bit;  // of the address: which bits lead on from here
  unsigned bits;
  Value value;  // the best answer after this step
};

// 1 MiB. Alone in the caches, tables of up to 4 MiB are looked up faster in the small form (1.6
// to 2.7 ns against 2.5 to 3.1); behind packets that do not fit into the caches themselves, the
// fewer lines of the large form count.
inline constexpr std::size_t kSmallNodesMax = 1024;

// A table that changes: a writer makes one generation after another, each sharing with the one
// before every node that no change touched, while readers look up in Tries of the generations.
//
//   prepare(changes)   makes the next generation beside the current one. Nobody sees it.
//   commit()           makes it the current one. Cannot fail. Give current() to the readers;
//                      or abandon(), and it never was.
//   reclaim(n)         once no reader holds generation n or an older one, what only those used is
//                      used again.
//
// Any number of generations may be unreclaimed. One thread writes; Tries may be read by any number
// of threads meanwhile.
//
// Cost of prepare(), per change: the path to the prefix is copied once per change set: a node and a
// record (IPv4), or 1 page of a hash table and up to 10 nodes (IPv6), each up to 1,088 bytes. What
// is not in proportion:
//   a prefix as long as the root's bits (16; of a large table of IPv4, 18) or shorter writes each
//   of the words of the root inside it, and once more in the other copy of the root at the next
//   change set; below those whose value changes, IPv4 makes the record anew and changes the up to
//   64 nodes that inherit from it, IPv6 changes the node; one of IPv4 from 19 to 23 bits makes its
//   record anew and changes the up to 32 nodes inside it; one of IPv6 of n * 8 + m bits (m from 1
//   to 7) copies the up to 2^(8 - m) nodes directly below; a table of up to kSmallNodesMax nodes
//   (IPv4) is kept in a form of its own: a change there makes the nodes of its /16 anew, and the
//   change that exceeds it rebuilds the whole; the directory of a hash table (4 bytes for every 9
//   to 18 entries) is copied when it doubles.
template <class Address>
class Fib {
 public:
  // Empty: generation 0. small_nodes_max: IPv4, up to how many nodes of 1 KiB the table is kept in
  // the form that is fastest for small ones. Throws std::bad_alloc.
  explicit Fib(std::shared_ptr<Memory> memory = transparent_huge_pages(),
               std::size_t small_nodes_max = kSmallNodesMax);
  Fib(Fib&&) noexcept;
  Fib& operator=(Fib&&) noexcept;
  ~Fib();

  // The current generation.
  [[nodiscard]] const Trie<Address>& current() const noexcept { return current_; }
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  // How many prefixes it has.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // The generation after the current one, if all of `changes`, in order, are made: of two of the
  // same prefix the later wins. The first change set of an empty Fib is built in bulk, from any
  // order; fastest if sorted. On an error nothing has changed.
  // Not while another is prepared.
  [[nodiscard]] std::expected<Trie<Address>, FibError> prepare(
      std::span<const Change<Address>> changes);
  void commit() noexcept;
  void abandon() noexcept;
  // prepare() and commit().
  [[nodiscard]] std::expected<void, FibError> apply(std::span<const Change<Address>> changes);

  void reclaim(std::uint64_t generation) noexcept;

  // --- diagnosis, of the current generation; not while another is prepared

  // In bytes.
  struct Usage {
    std::size_t current;  // what lookups in the current generation read
    std::size_t copies;   // second copies of the root and of directories
    std::size_t retired;  // what waits for readers of older generations
    std::size_t notes;    // what only the writer reads
    std::size_t taken;    // from the Memory: the first three, and blocks that are free
  };
  [[nodiscard]] Usage usage() const;
  // Adds up to usage().current.
  [[nodiscard]] std::vector<MemoryPart> memory_by_level() const;
  // How many prefixes are found by how many steps of path(), if no other prefix takes one more.
  [[nodiscard]] std::vector<std::size_t> depth_histogram() const;
  [[nodiscard]] std::vector<LookupStep> path(Address address) const;
  // In prefix order.
  [[nodiscard]] std::vector<Route<Address>> routes() const;
  // Walks the whole table and checks the invariants:
  //   I1  every block that a word names is in use, no two words name the same node, and the blocks
  //       reached are all that are in use;
  //   I2  the ranks of a node are the counts of its bits, the cells of nodes and records lie inside
  //       their blocks, and each holds something;
  //   I3  cells[0] of a node is what the prefixes of its parent say of its block, that of a record
  //   and
  //       of a child of the root what the prefixes up to the root's bits say;
  //   I4  a word without child is what the prefixes of its node (or of its record and shorter ones,
  //   or
  //       of the root) say of its slot;
  //   I5  every key of a hash table lies in the page that its hash leads to, with the right
  //       fingerprint, and a site's entry counts its host routes;
  //   I6  a wide value has a place while a prefix has it, and no longer;
  //   I7  the number of prefixes is size().
  // Returns what is wrong, or nothing.
  [[nodiscard]] std::optional<std::string> verify() const;

 private:
  std::shared_ptr<detail::Store<Address>> store_;
  std::uint64_t generation_ = 0;
  std::size_t size_ = 0;
  Trie<Address> current_;
  std::optional<Trie<Address>> prepared_;
};

using Fib4 = Fib<Address4>;
using Fib6 = Fib<Address6>;

extern template class Fib<Address4>;
extern template class Fib<Address6>;

}  // namespace lpm

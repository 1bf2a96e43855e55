// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "lpm/arena.hpp"
#include "lpm/fib.hpp"
#include "lpm/hash_table.hpp"
#include "lpm/journal_map.hpp"
#include "lpm/node.hpp"
#include "lpm/record.hpp"
#include "lpm/view.hpp"
#include "lpm/wide_values.hpp"
#include "lpm/word_array.hpp"

namespace lpm::detail {

[[nodiscard]] HashSeed random_seed();

// All of a table: what readers read and what the writer knows besides. One transaction at a time;
// apply() throws std::bad_alloc, rollback() is due then.
template <class Address>
class Store {
 public:
  Store(std::shared_ptr<Memory> memory, std::size_t small_nodes_max);

  void apply(std::span<const Change<Address>> changes);
  // generation: the last one that readers may hold of what the transaction replaced.
  void commit(std::uint64_t generation) noexcept;
  void rollback() noexcept;
  void reclaim(std::uint64_t up_to) noexcept;

  // Of the newest generation; in a transaction, of the one that it makes.
  [[nodiscard]] ViewOf<Address> view() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return state_.size; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return arena_.used_bytes() - copies_bytes();
  }

  [[nodiscard]] typename Fib<Address>::Usage usage() const;
  [[nodiscard]] std::vector<MemoryPart> memory_by_level() const;
  [[nodiscard]] std::vector<Route<Address>> routes() const;
  [[nodiscard]] std::vector<std::size_t> depth_histogram() const;
  [[nodiscard]] std::vector<LookupStep> path(Address address) const;
  [[nodiscard]] std::optional<std::string> verify() const;

 private:
  static constexpr bool kIs4 = Address::kBits == 32;
  // Up to so many prefixes, and small_nodes_max_ nodes, a table of IPv4 is small; it becomes small
  // again when it has a quarter of them.
  static constexpr std::size_t kSmallRoutesMax = 16384;
  // Of a small table: bits that lead through its root, and the size of its nodes.
  static constexpr unsigned kSmallRootBits = 16;
  static constexpr std::uint32_t kSmallNodeLines = kSlots * sizeof(Word) / kLineBytes;
  // First change sets of fewer changes are not worth sorting.
  static constexpr std::size_t kBulkMin = 64;
  // Of IPv6: from here on a table does not fit into the caches near a core.
  static constexpr std::size_t kLargeBytes = std::size_t{1} << 20;
  // Of IPv6: prefixes from here on belong to sites.
  static constexpr unsigned kSiteBits = 48;

  // A prefix with the Word of its value.
  struct Coded {
    Prefix<Address> prefix;
    Word value;
    std::uint32_t order = 0;  // among changes, while they are sorted
  };
  using CodedSpan = std::span<const Coded>;

  // What rollback() puts back.
  struct State {
    std::size_t size = 0;
    std::size_t small_nodes = 0;
    bool small = kIs4;
  };

  // Of IPv6.
  struct Hashes {
    explicit Hashes(Arena& arena) : Hashes(arena, random_seed()) {}
    Hashes(Arena& arena, HashSeed seed) : sites(arena, seed), hosts(arena, seed) {}
    HashTable<2> sites;
    HashTable<4> hosts;
  };
  void apply_bulk(std::span<const Change<Address>> changes);
  void set(const Prefix<Address>& prefix, Word value);
  void count(Word old, Word value);

  // --- the root
  [[nodiscard]] unsigned root_bits() const noexcept {
    return kIs4 && !state_.small ? Record::kFirstBit : 16;
  }
  [[nodiscard]] std::size_t root_slot_of(const Prefix<Address>& prefix) const noexcept {
    return prefix.network().slice(0, root_bits());
  }
  // The block of a slot.
  [[nodiscard]] Prefix<Address> root_block(std::size_t slot) const noexcept;
  [[nodiscard]] Word root_child(std::size_t slot) const noexcept;
  void set_root_value(std::size_t slot, Word value);
  // The value of the longest prefix up to the root's that contains `prefix`, which is as long or
  // shorter.
  [[nodiscard]] Word short_value(const Prefix<Address>& prefix) const;
  // Lets prefixes up to the root's say what they say of the slots inside one of them.
  void paint_root(const Prefix<Address>& prefix);
  // Of the routes that are too long for the root, in prefix order.
  void build_below_root(CodedSpan routes);

  // --- nodes
  [[nodiscard]] Word edit(Word node, unsigned depth, Word inherited, const Prefix<Address>& prefix,
                          Word value, Word& old);
  [[nodiscard]] Word build(CodedSpan routes, unsigned depth, Word inherited);

  // --- IPv4: records of a large table
  [[nodiscard]] Word set_in_record(const Prefix<Address>& prefix, Word value);
  [[nodiscard]] Word set_below_record(const Prefix<Address>& prefix, Word value);
  [[nodiscard]] Word inherited_at(std::size_t slot) const noexcept;
  void remake_record(std::size_t slot, Word inherited);
  void put_record(std::size_t slot, const Records::Words& words, Word inherited);
  void build_record(std::size_t slot, CodedSpan routes);
  void give_up_record(std::size_t slot);

  // --- IPv6: sites
  [[nodiscard]] Word set_in_site(const Prefix<Address>& prefix, Word value);
  void build_site(CodedSpan routes);

  // --- IPv4: small tables
  void set_small(const Prefix<Address>& prefix, Word value);
  void remake_small();
  void remake_small_slot(std::size_t slot);
  void give_up_small_slot(std::size_t slot);
  [[nodiscard]] bool fits_small(CodedSpan routes) const;
  void make_small(CodedSpan routes);
  void make_large(std::vector<Coded> routes);
  void to_large();
  void to_small();
  [[nodiscard]] Word small_word(Word child, unsigned slot) const noexcept;

  // --- diagnosis
  template <class Visit>
  void walk(Word node, unsigned depth, Address base, const Visit& visit) const;
  template <class Visit, class VisitRecord>
  void walk_all(const Visit& visit, const VisitRecord& visit_record) const;
  [[nodiscard]] std::vector<Coded> coded_routes() const;
  [[nodiscard]] std::size_t copies_bytes() const noexcept;
  [[nodiscard]] std::size_t steps_of(unsigned length) const noexcept;
  class Verifier;

  std::shared_ptr<Memory> memory_;
  std::size_t small_nodes_max_;
  Arena arena_;
  Nodes nodes_;
  WordArray root_;
  WideValues wide_;
  JournalMap<Address> short_;        // prefixes that the root suffices for
  JournalMap<Address> small_;        // of a small table: all others
  std::vector<std::size_t> remake_;  // slots of a small table that this transaction touched
  std::conditional_t<kIs4, Records, Hashes> more_;
  State state_;
  State state_before_;
};

}  // namespace lpm::detail

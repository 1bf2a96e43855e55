// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lpm/arena.hpp"
#include "lpm/node.hpp"

// The records of a large table of IPv4: what its root points at.
//
// A record stands for a block of 18 bits and looks at the next 6, the slot. It answers for all
// prefixes of up to 24 bits, shorter ones included; what is longer lies in a node that a word of
// the record names. Most are one cache line, which is all that a lookup touches between root and
// node.
//
// Blocks in which no prefix of more than 18 bits lies have short records: one value for all slots.
// Every block with the same value shares one, so that a root of nothing but records costs little,
// and a lookup need not ask what a word of the root is.
namespace lpm::detail {

// The word of slot s is cells[r], r being the number of bits set up to and with bit s.
// Source: bitmap over runs of equal words, Asai and Ohara, "Poptrie", SIGCOMM 2015; here the words
// stand behind their bitmap.
struct Record {
  static constexpr unsigned kFirstBit = 18;
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kLength =
      kFirstBit + kBits;  // the longest prefixes that it answers for
  static constexpr unsigned kSlots = 1U << kBits;
  static constexpr std::size_t kCellsOffset = 8;

  std::uint64_t starts;  // bit s: slot s has another word than slot s - 1; bit 0 is always set
  // Word cells[]: cells[0] is what prefixes of up to 18 bits say of the block, or 0.
};

// A record is named by its place (node.hpp): a multiple of kPlacesPerLine. That of a short record
// is none, because a line of them begins with what is not one.
inline constexpr Word kShortRecordPlaces = 16 / kPlaceBytes;
[[nodiscard]] constexpr bool is_short(Word record) noexcept {
  return record % kPlacesPerLine != 0;
}

// Makes and changes records, and notes which prefixes of 19 to 24 bits there are. Like Nodes: works
// in the running transaction of the arena, throws std::bad_alloc.
class Records {
 public:
  using Words = std::array<Word, Record::kSlots>;

  explicit Records(Arena& arena) : arena_(arena) {}

  // The short record of a value, for one more slot of the root.
  [[nodiscard]] Word take_short(Word value);
  void drop_short(Word record);

  [[nodiscard]] Word make(const Words& words, Word inherited);
  [[nodiscard]] Words words(Word record) const noexcept;
  [[nodiscard]] Word word(Word record, unsigned slot) const noexcept {
    return cells(record)[index(record, slot)];
  }
  [[nodiscard]] Word inherited(Word record) const noexcept { return cells(record)[0]; }
  // Puts a node where one was. Returns the record after it: the same if it is of this transaction.
  [[nodiscard]] Word replace_child(Word record, unsigned slot, Word child);
  void give_up(Word record);

  // The prefixes of 19 to 24 bits below a slot of the root, in order of code.
  [[nodiscard]] const std::vector<Own>& own(std::size_t root_slot) const noexcept;
  [[nodiscard]] std::vector<Own>& edit_own(std::size_t root_slot);
  // What they and shorter ones (inherited) say of each slot.
  [[nodiscard]] Words painted(std::size_t root_slot, Word inherited) const noexcept;

  // Of records that are not short.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  // Of lines that hold short records, in use or not: they are kept.
  [[nodiscard]] const std::vector<Line>& short_lines() const noexcept { return short_lines_; }
  // How many slots of the root have the short record of a value.
  [[nodiscard]] std::size_t short_uses(Word value) const;
  [[nodiscard]] std::size_t notes_bytes() const noexcept;

  // Together with the arena's.
  void commit(std::uint64_t generation) noexcept;
  void rollback() noexcept;
  void reclaim(std::uint64_t up_to) noexcept;

 private:
  struct Edit {
    std::size_t root_slot;
    std::vector<Own> before;
  };

  struct Short {
    Word record;
    std::uint32_t uses;
  };
  struct Step {
    Word value;
    int change;  // of its uses
  };
  struct Retired {
    std::uint64_t generation;
    Word record;
  };

  [[nodiscard]] Record& at(Word record) const noexcept {
    return *reinterpret_cast<Record*>(arena_.base() + record * kPlaceBytes);
  }
  [[nodiscard]] Word* cells(Word record) const noexcept {
    return reinterpret_cast<Word*>(arena_.base() + record * kPlaceBytes + Record::kCellsOffset);
  }
  [[nodiscard]] Word new_short();
  void reserve_step();
  void note_uses(Word value, int change) noexcept;
  [[nodiscard]] unsigned index(Word record, unsigned slot) const noexcept;

  Arena& arena_;
  std::vector<std::vector<Own>> own_;       // by slot of the root; none before the first edit
  std::vector<Edit> edits_;                 // of the running transaction
  std::unordered_map<Word, Short> shorts_;  // by value
  std::pair<const Word, Short>* last_taken_ = nullptr;
  std::vector<Line> short_lines_;
  std::vector<Word> free_;  // short records; has room for all, as retired_ has
  std::vector<Retired> retired_;
  std::vector<Step> steps_;             // of the running transaction
  std::size_t short_lines_before_ = 0;  // it
  std::size_t count_ = 0;
  std::size_t count_before_ = 0;  // the running transaction
};

[[nodiscard]] constexpr std::uint32_t lines_for_record(unsigned starts) noexcept {
  return static_cast<std::uint32_t>(
      (Record::kCellsOffset + (1 + starts) * sizeof(Word) + kLineBytes - 1) / kLineBytes);
}

}  // namespace lpm::detail

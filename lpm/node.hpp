// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "lpm/arena.hpp"

// The nodes of the tries: what a reader finds in memory, and how the writer makes and changes them.
//
// A node stands for one block of addresses and looks at the next 8 bits, the slot. It answers for
// the prefixes that are up to 8 bits longer than its block; what is longer lies in a child.
namespace lpm::detail {

// What a slot holds:
//   0                    nothing here: what shorter prefixes say goes on
//   bit 31 clear         a value: bit 30 clear, the value itself; bit 30 set, its place among the
//                        wide values (those of 2^30 and more)
//   bit 31 set           a child: bit 30 its form, bits 0-28 its place: the offset from the arena's
//                        base in units of 8 bytes, which processors add without another instruction
using Word = std::uint32_t;
inline constexpr Word kChild = Word{1} << 31;
inline constexpr Word kRunsForm = Word{1} << 30;
inline constexpr Word kPlaceMask = (Word{1} << 29) - 1;
inline constexpr std::size_t kPlaceBytes = 8;
inline constexpr Word kPlacesPerLine = kLineBytes / kPlaceBytes;
inline constexpr Word kWideValue = Word{1} << 30;

[[nodiscard]] constexpr bool is_child(Word word) noexcept {
  return (word & kChild) != 0;
}
[[nodiscard]] constexpr Line line_of(Word child) noexcept {
  return (child & kPlaceMask) / kPlacesPerLine;
}
[[nodiscard]] constexpr Word place_of(Line line) noexcept {
  return static_cast<Word>(line * kPlacesPerLine);
}

// Node, compressed. `bits` marks slots; `rank[i]` is the number of bits set before bits[i]. The
// word of a slot is cells[r], r being the number of bits set up to and with the slot's own, and
//   exceptions form (of the Word that points here): if the slot's own bit is set, else cells[0];
//   runs form: always. A bit is set where the word changes, first of all at slot 0.
// cells[0] is what the parent's own prefixes say of this block, or 0. It is there in both forms.
// Sources: population count in place of stored slots, Asai and Ohara, "Poptrie", SIGCOMM 2015;
// exceptions to a default, Degermark et al., "Small forwarding tables", SIGCOMM 1997.
struct CompressedNode {
  static constexpr std::size_t kCellsOffset = 36;

  std::uint64_t bits[4];
  std::uint8_t rank[4];
  // Word cells[]: as many as the block's lines hold.
};
inline constexpr unsigned kSlots = 256;

// A prefix by its place in a node: its 1 to 8 bits behind a leading one. 2 to 511. Shorter prefixes
// have smaller codes.
using Code = std::uint16_t;
[[nodiscard]] constexpr Code code_of(unsigned length, std::uint32_t bits) noexcept {
  return static_cast<Code>(1U << length | bits);
}
struct Own {
  Code code;
  Word value;
};

// Makes and changes nodes. A change returns the Word of the node after it: the same node where the
// running transaction of the arena made it and it still fits, else a new one, and the old one is
// given up.
//
// All functions throw std::bad_alloc; the transaction is then to be rolled back.
class Nodes {
 public:
  explicit Nodes(Arena& arena) : arena_(arena) {}

  // All there is to know of a node.
  struct Content {
    Word inherited = 0;                   // cells[0]
    std::vector<Own> own;                 // in order of code
    std::array<Word, kSlots> children{};  // 0: none

    [[nodiscard]] bool empty() const noexcept;
    // The value of the longest own prefix for each slot, 0 where there is none.
    [[nodiscard]] std::array<Word, kSlots> painted() const noexcept;
  };
  // Lets children inherit what their slots say (changing them where needed).
  [[nodiscard]] Word make(Content& content);
  [[nodiscard]] Content content(Word node) const;

  // The child at a slot, or 0.
  [[nodiscard]] Word child(Word node, unsigned slot) const noexcept;
  // The word of a slot, as a lookup finds it; in exceptions form 0 where it would take cells[0].
  [[nodiscard]] Word word(Word node, unsigned slot) const noexcept;
  // What own prefixes say of a slot, or 0.
  [[nodiscard]] Word own_value(Word node, unsigned slot) const;

  // Sets or (value 0) removes a prefix. Returns 0 if nothing is left. old: what it was, or 0.
  [[nodiscard]] Word set(Word node, Code code, Word value, Word& old);
  // Puts a child where one was.
  [[nodiscard]] Word replace_child(Word node, unsigned slot, Word child);
  // Puts a child (which inherits own_value() already) where none was.
  [[nodiscard]] Word add_child(Word node, unsigned slot, Word child);
  // Takes a child away. Returns 0 if nothing is left.
  // inherited: cells[0] of the child that was there.
  [[nodiscard]] Word remove_child(Word node, unsigned slot, Word inherited);

  void give_up(Word node);
  // Together with the arena's.
  void commit() noexcept;
  void rollback() noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t notes_bytes() const noexcept;
  // cells[0].
  [[nodiscard]] Word inherited(Word node) const noexcept { return cells(node)[0]; }
  // The node with another cells[0]: for whoever keeps a node at the top.
  [[nodiscard]] Word with_inherited(Word node, Word inherited);

 private:
  // A node whose words do not tell its prefixes apart (some are shorter than a slot) has a list.
  using List = std::shared_ptr<const std::vector<Own>>;

  [[nodiscard]] bool has_list(Word node) const {
    return !lists_.empty() && lists_.contains(line_of(node));
  }
  [[nodiscard]] Word* cells(Word node) const noexcept;
  // Index into cells of the word of a slot; exceptions form: 0 if it has none of its own.
  [[nodiscard]] unsigned index(Word node, unsigned slot) const noexcept;
  [[nodiscard]] unsigned bits_set(Word node) const noexcept;
  [[nodiscard]] Line allocate(std::uint32_t lines);
  // The node, or a copy of it, to be changed in place.
  [[nodiscard]] Word writable(Word node);
  // For nodes without a list. word 0: none.
  [[nodiscard]] Word set_word(Word node, unsigned slot, Word word);
  [[nodiscard]] Word insert_cell(Word node, unsigned slot, Word word);
  [[nodiscard]] Word erase_cell(Word node, unsigned slot);
  [[nodiscard]] Word rebuilt(Word node, Content& content);
  void note_list(Line line, List list);

  Arena& arena_;
  std::unordered_map<Line, List> lists_;
  std::size_t count_ = 0;
  std::size_t count_before_ = 0;    // the running transaction
  std::vector<Line> lists_made_;    // in it
  std::vector<Line> lists_doomed_;  // by it
};

[[nodiscard]] constexpr std::uint32_t lines_for(unsigned cells) noexcept {
  return static_cast<std::uint32_t>(
      (CompressedNode::kCellsOffset + cells * sizeof(Word) + kLineBytes - 1) / kLineBytes);
}

}  // namespace lpm::detail

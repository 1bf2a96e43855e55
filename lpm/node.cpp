// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/node.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace lpm::detail {
namespace {

constexpr Code kFirstExact = Code{kSlots};  // of the prefixes that are one slot long

struct SlotRange {
  unsigned first;
  unsigned count;
};
SlotRange slots_of(Code code) noexcept {
  const auto length = static_cast<unsigned>(std::bit_width(code)) - 1;
  const unsigned shift = 8 - length;
  return {(code - (1U << length)) << shift, 1U << shift};
}

bool is_runs(Word node) noexcept {
  return (node & kRunsForm) != 0;
}

void set_bit(CompressedNode& node, unsigned slot) noexcept {
  node.bits[slot / 64] |= std::uint64_t{1} << (slot % 64);
  for (unsigned i = slot / 64 + 1; i < 4; ++i) ++node.rank[i];
}
void clear_bit(CompressedNode& node, unsigned slot) noexcept {
  node.bits[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  for (unsigned i = slot / 64 + 1; i < 4; ++i) --node.rank[i];
}

}  // namespace

bool Nodes::Content::empty() const noexcept {
  return own.empty() && std::ranges::all_of(children, [](Word child) { return child == 0; });
}

std::array<Word, kSlots> Nodes::Content::painted() const noexcept {
  std::array<Word, kSlots> words{};
  for (const auto [code, value] : own) {
    const auto [first, count] = slots_of(code);
    std::fill_n(words.begin() + first, count, value);
  }
  return words;
}

Line Nodes::allocate(std::uint32_t lines) {
  const Line line = arena_.allocate(lines);
  ++count_;
  return line;
}

Word* Nodes::cells(Word node) const noexcept {
  return reinterpret_cast<Word*>(arena_.at(line_of(node)) + CompressedNode::kCellsOffset);
}

unsigned Nodes::index(Word node, unsigned slot) const noexcept {
  const auto& compressed = *arena_.at<const CompressedNode>(line_of(node));
  // The slot's own bit becomes the highest.
  const std::uint64_t up_to = compressed.bits[slot / 64] << (63 - slot % 64);
  if (!is_runs(node) && static_cast<std::int64_t>(up_to) >= 0) return 0;
  return compressed.rank[slot / 64] + static_cast<unsigned>(std::popcount(up_to));
}

unsigned Nodes::bits_set(Word node) const noexcept {
  const auto& compressed = *arena_.at<const CompressedNode>(line_of(node));
  return compressed.rank[3] + static_cast<unsigned>(std::popcount(compressed.bits[3]));
}

Word Nodes::word(Word node, unsigned slot) const noexcept {
  const unsigned i = index(node, slot);
  return i == 0 ? 0 : cells(node)[i];
}

Word Nodes::child(Word node, unsigned slot) const noexcept {
  const Word found = word(node, slot);
  return is_child(found) ? found : 0;
}

Word Nodes::own_value(Word node, unsigned slot) const {
  if (!has_list(node)) {
    const Word found = word(node, slot);
    return is_child(found) ? inherited(found) : found;
  }
  const std::vector<Own>& list = *lists_.at(line_of(node));
  for (unsigned length = 8; length > 0; --length) {
    const Code code = code_of(length, slot >> (8 - length));
    const auto it = std::ranges::lower_bound(list, code, {}, &Own::code);
    if (it != list.end() && it->code == code) return it->value;
  }
  return 0;
}

Nodes::Content Nodes::content(Word node) const {
  Content content;
  content.inherited = inherited(node);
  const bool listed = has_list(node);
  if (listed) content.own = *lists_.at(line_of(node));
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    const Word found = word(node, slot);
    if (found == 0) continue;
    if (is_child(found)) content.children[slot] = found;
    if (listed) continue;
    const Word value = is_child(found) ? inherited(found) : found;
    if (value != 0) content.own.push_back({static_cast<Code>(kFirstExact + slot), value});
  }
  return content;
}

Word Nodes::make(Content& content) {
  const auto painted = content.painted();
  std::array<Word, kSlots> words;
  unsigned exceptions = 0;
  unsigned runs = 0;
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    Word& child = content.children[slot];
    if (child != 0) child = with_inherited(child, painted[slot]);
    words[slot] = child != 0 ? child : painted[slot];
    exceptions += words[slot] != 0 ? 1U : 0U;
    runs += slot == 0 || words[slot] != words[slot - 1] ? 1U : 0U;
  }
  const bool listed = !content.own.empty() && content.own.front().code < kFirstExact;
  const bool in_runs = listed && runs < exceptions;
  const Line line = allocate(lines_for(1 + (in_runs ? runs : exceptions)));
  const Word node = kChild | (in_runs ? kRunsForm : 0) | place_of(line);
  auto& compressed = *arena_.at<CompressedNode>(line);
  compressed = {};
  Word* const cell = cells(node);
  cell[0] = content.inherited;
  unsigned used = 0;
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    if (slot % 64 == 0) compressed.rank[slot / 64] = static_cast<std::uint8_t>(used);
    const bool starts = in_runs ? slot == 0 || words[slot] != words[slot - 1] : words[slot] != 0;
    if (!starts) continue;
    compressed.bits[slot / 64] |= std::uint64_t{1} << (slot % 64);
    cell[++used] = words[slot] != 0 ? words[slot] : content.inherited;
  }
  if (listed)
    note_list(line_of(node), std::make_shared<const std::vector<Own>>(std::move(content.own)));
  return node;
}

void Nodes::note_list(Line line, List list) {
  lists_made_.push_back(line);
  lists_[line] = std::move(list);
}

Word Nodes::rebuilt(Word node, Content& content) {
  const Word made = content.empty() ? 0 : make(content);
  give_up(node);
  return made;
}

void Nodes::give_up(Word node) {
  const Line line = line_of(node);
  if (has_list(node)) {
    if (arena_.is_new(line))
      lists_.erase(line);
    else
      lists_doomed_.push_back(line);
  }
  arena_.give_up(line);
  --count_;
}

void Nodes::commit() noexcept {
  for (const Line line : lists_doomed_) lists_.erase(line);
  lists_doomed_.clear();
  lists_made_.clear();
  count_before_ = count_;
}

void Nodes::rollback() noexcept {
  for (const Line line : lists_made_) lists_.erase(line);
  lists_doomed_.clear();
  lists_made_.clear();
  count_ = count_before_;
}

Word Nodes::writable(Word node) {
  const Line line = line_of(node);
  if (arena_.is_new(line)) return node;
  const std::uint32_t lines = arena_.lines_of(line);
  const Line copy = allocate(lines);
  std::memcpy(arena_.at(copy), arena_.at(line), lines * kLineBytes);
  if (has_list(node)) note_list(copy, lists_.at(line));
  give_up(node);
  return (node & ~kPlaceMask) | place_of(copy);
}

Word Nodes::with_inherited(Word node, Word inherited) {
  if (this->inherited(node) == inherited) return node;
  if (is_runs(node)) {
    Content all = content(node);
    all.inherited = inherited;
    return rebuilt(node, all);
  }
  const Word changed = writable(node);
  cells(changed)[0] = inherited;
  return changed;
}

Word Nodes::replace_child(Word node, unsigned slot, Word child) {
  if (this->child(node, slot) == child) return node;
  const Word changed = writable(node);
  cells(changed)[index(changed, slot)] = child;
  return changed;
}

Word Nodes::add_child(Word node, unsigned slot, Word child) {
  if (!has_list(node)) return set_word(node, slot, child);
  Content all = content(node);
  all.children[slot] = child;
  return rebuilt(node, all);
}

Word Nodes::remove_child(Word node, unsigned slot, Word inherited) {
  if (!has_list(node)) return set_word(node, slot, inherited);
  Content all = content(node);
  all.children[slot] = 0;
  return rebuilt(node, all);
}

Word Nodes::set(Word node, Code code, Word value, Word& old) {
  if (code >= kFirstExact && !has_list(node)) {
    const unsigned slot = code - kFirstExact;
    const Word found = word(node, slot);
    if (is_child(found)) {
      old = inherited(found);
      return replace_child(node, slot, with_inherited(found, value));
    }
    old = found;
    return set_word(node, slot, value);
  }
  Content all = content(node);
  const auto it = std::ranges::lower_bound(all.own, code, {}, &Own::code);
  const bool known = it != all.own.end() && it->code == code;
  old = known ? it->value : 0;
  if (known && value != 0)
    it->value = value;
  else if (known)
    all.own.erase(it);
  else if (value != 0)
    all.own.insert(it, {code, value});
  return rebuilt(node, all);
}

Word Nodes::set_word(Word node, unsigned slot, Word word) {
  const unsigned i = index(node, slot);
  if (i == 0) return word == 0 ? node : insert_cell(node, slot, word);
  if (word == 0) return erase_cell(node, slot);
  if (cells(node)[i] == word) return node;
  const Word changed = writable(node);
  cells(changed)[i] = word;
  return changed;
}

Word Nodes::insert_cell(Word node, unsigned slot, Word word) {
  const unsigned before = 1 + bits_set(node);
  const Line line = line_of(node);
  const bool in_place = arena_.is_new(line) && lines_for(before + 1) == arena_.lines_of(line);
  const Line target = in_place ? line : allocate(lines_for(before + 1));
  const Word made = (node & ~kPlaceMask) | place_of(target);
  auto& compressed = *arena_.at<CompressedNode>(target);
  const Word* const old_cells = cells(node);
  Word* const new_cells = cells(made);
  if (!in_place) compressed = *arena_.at<const CompressedNode>(line);
  set_bit(compressed, slot);
  const unsigned i = index(made, slot);
  std::memmove(new_cells + i + 1, old_cells + i, (before - i) * sizeof(Word));
  if (!in_place) std::memcpy(new_cells, old_cells, i * sizeof(Word));
  new_cells[i] = word;
  if (!in_place) give_up(node);
  return made;
}

Word Nodes::erase_cell(Word node, unsigned slot) {
  const unsigned before = 1 + bits_set(node);
  const unsigned i = index(node, slot);
  if (before == 2) {
    give_up(node);
    return 0;
  }
  const Line line = line_of(node);
  const bool in_place = arena_.is_new(line) && lines_for(before - 1) == arena_.lines_of(line);
  const Line target = in_place ? line : allocate(lines_for(before - 1));
  const Word made = (node & ~kPlaceMask) | place_of(target);
  auto& compressed = *arena_.at<CompressedNode>(target);
  const Word* const old_cells = cells(node);
  Word* const new_cells = cells(made);
  if (!in_place) compressed = *arena_.at<const CompressedNode>(line);
  clear_bit(compressed, slot);
  if (!in_place) std::memcpy(new_cells, old_cells, i * sizeof(Word));
  std::memmove(new_cells + i, old_cells + i + 1, (before - 1 - i) * sizeof(Word));
  if (!in_place) give_up(node);
  return made;
}

std::size_t Nodes::notes_bytes() const noexcept {
  std::size_t bytes = lists_.bucket_count() * sizeof(void*);
  for (const auto& [line, list] : lists_)
    bytes += 64 + list->capacity() * sizeof(Own);  // 64: of a node of the map and of the vector
  return bytes;
}

}  // namespace lpm::detail

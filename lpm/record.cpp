// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/record.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <ranges>
#include <utility>

namespace lpm::detail {

Word Records::make(const Words& words, Word inherited) {
  std::uint64_t starts = 1;
  for (unsigned slot = 1; slot < Record::kSlots; ++slot)
    starts |= std::uint64_t{words[slot] != words[slot - 1]} << slot;
  const Line line = arena_.allocate(lines_for_record(static_cast<unsigned>(std::popcount(starts))));
  ++count_;
  const Word record = place_of(line);
  at(record).starts = starts;
  Word* cell = cells(record);
  *cell++ = inherited;
  for (; starts != 0; starts &= starts - 1)
    *cell++ = words[static_cast<unsigned>(std::countr_zero(starts))];
  return record;
}

Word Records::take_short(Word value) {
  reserve_step();
  // Neighbours mostly have the same.
  if (last_taken_ != nullptr && last_taken_->first == value) {
    ++last_taken_->second.uses;
    note_uses(value, +1);
    return last_taken_->second.record;
  }
  auto known = shorts_.find(value);
  if (known == shorts_.end()) {
    const Word record = new_short();
    known = shorts_.emplace(value, Short{record, 0}).first;
    free_.pop_back();
    // Nobody reads it before the generation that names it is published.
    at(record).starts = 1;
    cells(record)[0] = cells(record)[1] = value;
  }
  note_uses(value, +1);
  ++known->second.uses;
  last_taken_ = &*known;
  return known->second.record;
}

void Records::drop_short(Word record) {
  reserve_step();
  const Word value = inherited(record);
  note_uses(value, -1);
  --shorts_.find(value)->second.uses;
}

// Before anything changes, so that what has changed is always noted.
void Records::reserve_step() {
  if (steps_.size() == steps_.capacity()) steps_.reserve(2 * steps_.size() + 16);
}

void Records::note_uses(Word value, int change) noexcept {
  // Where many slots change alike, they take and drop the same in turn.
  for (std::size_t back = 1; back <= 2 && back <= steps_.size(); ++back) {
    Step& step = steps_[steps_.size() - back];
    if (step.value != value) continue;
    step.change += change;
    return;
  }
  steps_.push_back({value, change});
}

std::size_t Records::short_uses(Word value) const {
  const auto known = shorts_.find(value);
  return known == shorts_.end() ? 0 : known->second.uses;
}

// The last of free_.
Word Records::new_short() {
  if (free_.empty()) {
    constexpr std::size_t kPerLine = kPlacesPerLine / kShortRecordPlaces - 1;
    const std::size_t all = (short_lines_.size() + 1) * kPerLine;
    if (free_.capacity() < all) free_.reserve(2 * all);
    if (retired_.capacity() < all) retired_.reserve(2 * all);
    short_lines_.reserve(
        short_lines_.size() + 1 > short_lines_.capacity() ? 2 * short_lines_.size() + 16 : 0);
    const Line line = arena_.allocate(1);
    short_lines_.push_back(line);
    for (Word i = kPerLine; i > 0; --i) free_.push_back(place_of(line) + i * kShortRecordPlaces);
  }
  return free_.back();
}

unsigned Records::index(Word record, unsigned slot) const noexcept {
  const std::uint64_t starts = at(record).starts;
  return static_cast<unsigned>(std::popcount(starts << (63 - slot)));
}

Records::Words Records::words(Word record) const noexcept {
  const std::uint64_t starts = at(record).starts;
  const Word* cell = cells(record);
  Words words;
  for (unsigned slot = 0; slot < Record::kSlots; ++slot) {
    cell += starts >> slot & 1;
    words[slot] = *cell;
  }
  return words;
}

Word Records::replace_child(Word record, unsigned slot, Word child) {
  const Line line = line_of(record);
  Word changed = record;
  if (!arena_.is_new(line)) {
    const std::uint32_t lines = arena_.lines_of(line);
    const Line copy = arena_.allocate(lines);
    ++count_;
    std::memcpy(arena_.at(copy), arena_.at(line), lines * kLineBytes);
    give_up(record);
    changed = place_of(copy);
  }
  cells(changed)[index(changed, slot)] = child;
  return changed;
}

void Records::give_up(Word record) {
  arena_.give_up(line_of(record));
  --count_;
}

const std::vector<Own>& Records::own(std::size_t root_slot) const noexcept {
  static const std::vector<Own> kNone;
  return own_.empty() ? kNone : own_[root_slot];
}

std::vector<Own>& Records::edit_own(std::size_t root_slot) {
  if (own_.empty()) own_.resize(std::size_t{1} << Record::kFirstBit);
  edits_.push_back({root_slot, own_[root_slot]});
  return own_[root_slot];
}

Records::Words Records::painted(std::size_t root_slot, Word inherited) const noexcept {
  Words words;
  words.fill(inherited);
  for (const auto [code, value] : own(root_slot)) {
    const auto length = static_cast<unsigned>(std::bit_width(code)) - 1;
    const unsigned shift = Record::kBits - length;
    std::fill_n(words.begin() + ((code - (1U << length)) << shift), 1U << shift, value);
  }
  return words;
}

std::size_t Records::notes_bytes() const noexcept {
  std::size_t bytes = shorts_.size() * 48 + own_.capacity() * sizeof(std::vector<Own>);
  for (const std::vector<Own>& list : own_) bytes += list.capacity() * sizeof(Own);
  return bytes;
}

void Records::commit(std::uint64_t generation) noexcept {
  edits_.clear();
  count_before_ = count_;
  for (const Step& step : steps_) {
    const auto known = shorts_.find(step.value);
    if (known == shorts_.end() || known->second.uses != 0) continue;
    retired_.push_back({generation, known->second.record});
    shorts_.erase(known);
  }
  steps_.clear();
  last_taken_ = nullptr;
  short_lines_before_ = short_lines_.size();
}

void Records::rollback() noexcept {
  for (Edit& edit : std::views::reverse(edits_)) own_[edit.root_slot] = std::move(edit.before);
  edits_.clear();
  count_ = count_before_;
  for (const Step& step : steps_)
    shorts_.find(step.value)->second.uses -= static_cast<std::uint32_t>(step.change);
  for (const Step& step : steps_) {
    const auto known = shorts_.find(step.value);
    if (known == shorts_.end() || known->second.uses != 0) continue;
    free_.push_back(known->second.record);
    shorts_.erase(known);
  }
  steps_.clear();
  last_taken_ = nullptr;
  // The arena takes the lines back.
  for (; short_lines_.size() > short_lines_before_; short_lines_.pop_back())
    std::erase_if(free_,
                  [line = short_lines_.back()](Word record) { return line_of(record) == line; });
}

void Records::reclaim(std::uint64_t up_to) noexcept {
  std::erase_if(retired_, [&](const Retired& retired) {
    if (retired.generation > up_to) return false;
    free_.push_back(retired.record);
    return true;
  });
}

}  // namespace lpm::detail

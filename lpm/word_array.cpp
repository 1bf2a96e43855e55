// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/word_array.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace lpm::detail {
namespace {

std::uint32_t lines_of_words(std::size_t words) {
  return static_cast<std::uint32_t>(words * sizeof(Word) / kLineBytes);
}

}  // namespace

WordArray::WordArray(Arena& arena, std::size_t words) : arena_(arena) {
  current_ = add_buffer(words);
  std::memset(arena_.at(buffers_[current_].line), 0, words * sizeof(Word));
}

std::size_t WordArray::add_buffer(std::size_t words) {
  buffers_.reserve(buffers_.size() + 1);
  const Line line = arena_.allocate(lines_of_words(words));
  buffers_.push_back({.line = line, .words = words, .stale = {}});
  return buffers_.size() - 1;
}

void WordArray::begin() {
  const auto idle = std::ranges::find_if(buffers_, &Buffer::idle);
  if (idle == buffers_.end()) {
    next_ = add_buffer(size());
    next_is_added_ = true;
    std::memcpy(words_of(buffers_[next_]), words_of(buffers_[current_]), size() * sizeof(Word));
    return;
  }
  Word* const words = words_of(*idle);
  const Word* const up_to_date = words_of(buffers_[current_]);
  if (idle->all_stale)
    std::memcpy(words, up_to_date, idle->words * sizeof(Word));
  else
    for (const std::uint32_t i : idle->stale) words[i] = up_to_date[i];
  idle->stale.clear();
  idle->all_stale = false;
  next_ = static_cast<std::size_t>(idle - buffers_.begin());
  next_is_added_ = false;
}

void WordArray::set(std::size_t i, Word word) {
  if ((*this)[i] == word) return;
  if (next_ == kNone) begin();
  written_.push_back(static_cast<std::uint32_t>(i));
  words_of(buffers_[next_])[i] = word;
}

void WordArray::resize(std::size_t words) {
  (void)change_size(words);
  std::memset(words_of(buffers_[next_]), 0, words * sizeof(Word));
}

void WordArray::double_size() {
  const std::size_t words = size();
  // Given up by now perhaps, but nothing was allocated since.
  const Word* const from = arena_.at<const Word>(change_size(2 * words));
  Word* const to = words_of(buffers_[next_]);
  for (std::size_t i = 0; i < words; ++i) to[2 * i] = to[2 * i + 1] = from[i];
}

Line WordArray::change_size(std::size_t words) {
  const Line from = line();
  const bool is_first = size() == buffers_[current_].words;  // time in this transaction
  const std::size_t grown = add_buffer(words);
  const std::size_t before = std::exchange(next_, grown);
  const bool before_is_added = std::exchange(next_is_added_, true);
  if (before != kNone && !before_is_added) add_stale(buffers_[before], written_);
  written_.clear();
  // From here on rollback() knows what to do.
  if (before != kNone && before_is_added) {
    arena_.give_up(buffers_[before].line);
    buffers_.erase(buffers_.begin() + static_cast<std::ptrdiff_t>(before));
    --next_;
  }
  // Those of the old size leave the list when this is committed.
  if (is_first)
    for (std::size_t i = 0; i < next_; ++i) arena_.give_up(buffers_[i].line);
  return from;
}

void WordArray::add_stale(Buffer& buffer, const std::vector<std::uint32_t>& words) noexcept {
  if (buffer.all_stale) return;
  // Beyond this, copying the whole is as fast.
  buffer.all_stale = buffer.stale.size() + words.size() > buffer.words / 8;
  try {
    if (!buffer.all_stale) buffer.stale.insert(buffer.stale.end(), words.begin(), words.end());
  } catch (const std::bad_alloc&) {
    buffer.all_stale = true;
  }
}

std::size_t WordArray::copies_bytes() const noexcept {
  // Where the newest is larger, the others were given up.
  std::size_t copies = 0;
  for (const Buffer& buffer : buffers_) copies += buffer.words == size() ? 1U : 0U;
  return (copies - 1) * size() * sizeof(Word);
}

void WordArray::commit(std::uint64_t generation) noexcept {
  if (next_ == kNone) return;
  if (buffers_[next_].words != buffers_[current_].words) {
    buffers_.front() = std::move(buffers_[next_]);
    buffers_.resize(1);
    current_ = 0;
  } else {
    buffers_[current_].generation = generation;
    buffers_[next_].idle = false;
    current_ = next_;
    for (Buffer& other : buffers_)
      if (&other != &buffers_[current_]) add_stale(other, written_);
  }
  next_ = kNone;
  next_is_added_ = false;
  written_.clear();
}

void WordArray::rollback() noexcept {
  if (next_ == kNone) return;
  if (next_is_added_)
    buffers_.erase(buffers_.begin() + static_cast<std::ptrdiff_t>(next_));
  else
    add_stale(buffers_[next_], written_);
  next_ = kNone;
  next_is_added_ = false;
  written_.clear();
}

void WordArray::reclaim(std::uint64_t up_to) noexcept {
  bool have_idle = next_ != kNone && !next_is_added_;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    Buffer& buffer = buffers_[i];
    if (i == current_ || i == next_) continue;
    buffer.idle = buffer.idle || buffer.generation <= up_to;
    // Those of another size were given up by the running transaction.
    if (!buffer.idle || buffer.words != size()) continue;
    if (!have_idle) {
      have_idle = true;
      continue;
    }
    arena_.free_unused(buffer.line);
    buffers_.erase(buffers_.begin() + static_cast<std::ptrdiff_t>(i));
    if (current_ > i) --current_;
    if (next_ != kNone && next_ > i) --next_;
    --i;
  }
}

}  // namespace lpm::detail

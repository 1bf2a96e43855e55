// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lpm/arena.hpp"
#include "lpm/node.hpp"

namespace lpm::detail {

// An array of words that has generations: the root of a trie, the directory of a hash table. Too
// large to copy for every change and too hot to be cut into pages, it is kept twice. A transaction
// writes into the copy that no reader uses, after the words that went out of date in it have been
// brought up to date; commit() makes it the current one. Where a reader may still use the other
// copy (the generation before was not reclaimed yet), one more is made.
//
// Cost: the words written in this transaction and in those since the copy was last current.
class WordArray {
 public:
  // words: a multiple of 16, as everywhere. All zeros. Throws std::bad_alloc, as all functions that
  // are not noexcept do; the transaction is then to be rolled back.
  WordArray(Arena& arena, std::size_t words);

  [[nodiscard]] std::size_t size() const noexcept { return buffers_[newest()].words; }
  // As the running transaction sees it.
  [[nodiscard]] Word operator[](std::size_t i) const noexcept {
    return arena_.at<const Word>(buffers_[newest()].line)[i];
  }
  void set(std::size_t i, Word word);
  // Another number of words, all zeros. At most once in a transaction to a size that it had before.
  void resize(std::size_t words);
  // Twice as many words: each takes two places.
  void double_size();

  // Where readers of the newest generation find it; in a transaction, of the one that it makes.
  [[nodiscard]] Line line() const noexcept { return buffers_[newest()].line; }

  // Of copies that are not the newest one.
  [[nodiscard]] std::size_t copies_bytes() const noexcept;

  // generation: the last one whose readers may use what was current so far.
  void commit(std::uint64_t generation) noexcept;
  void rollback() noexcept;
  // No reader holds generation `up_to` or an older one any more.
  void reclaim(std::uint64_t up_to) noexcept;

 private:
  struct Buffer {
    Line line = 0;
    std::size_t words = 0;
    std::uint64_t generation = 0;      // the last one that used it
    bool idle = false;                 // no reader uses it
    bool all_stale = false;            // too much differs from the current one to say what
    std::vector<std::uint32_t> stale;  // words in which it differs from the current one
  };
  static constexpr std::size_t kNone = ~std::size_t{0};

  [[nodiscard]] std::size_t newest() const noexcept { return next_ == kNone ? current_ : next_; }
  [[nodiscard]] Word* words_of(const Buffer& buffer) const noexcept {
    return arena_.at<Word>(buffer.line);
  }
  [[nodiscard]] std::size_t add_buffer(std::size_t words);
  void begin();
  // A buffer of another size, with anything in it, becomes the newest; returns the one before.
  [[nodiscard]] Line change_size(std::size_t words);
  static void add_stale(Buffer& buffer, const std::vector<std::uint32_t>& words) noexcept;

  Arena& arena_;
  std::vector<Buffer> buffers_;
  std::size_t current_ = 0;
  std::size_t next_ = kNone;            // written by the running transaction
  bool next_is_added_ = false;          // and made by it
  std::vector<std::uint32_t> written_;  // by it
};

}  // namespace lpm::detail

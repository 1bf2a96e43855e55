// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "lpm/arena.hpp"
#include "lpm/node.hpp"
#include "lpm/word_array.hpp"

// Exact match with generations: what a reader finds in memory, and how the writer changes it.
//
// A directory of 2^n words, indexed by the first n bits of a key's hash, names pages; neighbouring
// words name the same page until it is full and splits. A change copies one page. Source: Fagin et
// al., "Extendible hashing", ACM TODS 1979; the fingerprints that decide which entry to look at,
// by one comparison of vectors, are those of Kulukundis' "Swiss tables", 2017.
namespace lpm::detail {

// First line of a page; three entries lie in each line behind it.
struct alignas(kLineBytes) PageHead {
  static constexpr unsigned kEntriesMax = 27;

  std::uint16_t fingerprints[28];  // 0: no entry
  Line next;                       // more of the same, or 0
  std::uint8_t count;              // of the entries in this page
  std::uint8_t depth;              // how many bits of the hash all keys of the page share
  std::uint16_t unused;
};
static_assert(sizeof(PageHead) == kLineBytes);

struct Entry {
  std::uint32_t words[5];  // the key, then what belongs to it
};
inline constexpr unsigned kEntriesPerLine = 3;
// Of entry i, from the head of its page.
[[nodiscard]] constexpr unsigned offset_of_entry(unsigned i) noexcept {
  return static_cast<unsigned>(kLineBytes * (1 + i / kEntriesPerLine) +
                               sizeof(Entry) * (i % kEntriesPerLine));
}

// Of a table, against keys chosen to collide.
struct HashSeed {
  std::uint64_t high;
  std::uint64_t low;
};
// Source: the folded 64 x 64 multiplication of Yi's wyhash.
[[nodiscard, gnu::always_inline]] inline std::uint64_t hash_of(HashSeed seed, std::uint64_t high,
                                                               std::uint64_t low) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(high ^ seed.high) * (low ^ seed.low);
  const auto folded =
      static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
  return folded * 0x9e3779b97f4a7c15U;
}
[[nodiscard, gnu::always_inline]] inline constexpr std::uint16_t fingerprint_of(
    std::uint64_t hash) noexcept {
  return static_cast<std::uint16_t>(hash >> 16 | 0x8000);
}
// bits: of the directory, 0 to 32.
[[nodiscard, gnu::always_inline]] inline constexpr std::size_t directory_slot(
    std::uint64_t hash, unsigned bits) noexcept {
  return static_cast<std::size_t>(hash >> 1 >> (63 - bits));
}

// kKeyWords of an entry are its key: 4 for an address, 2 for the first 64 bits of one.
template <unsigned kKeyWords>
class HashTable {
 public:
  using Key = std::array<std::uint64_t, kKeyWords / 2>;

  // All functions that are not noexcept throw std::bad_alloc; the transaction is then to be rolled
  // back.
  HashTable(Arena& arena, HashSeed seed) : arena_(arena), seed_(seed), directory_(arena, 16) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // nullptr if there is none. Valid until the next change.
  [[nodiscard]] const Entry* find(const Key& key) const noexcept;
  // The entry of a key, new (all zeros behind the key) or not, to be changed until the next call.
  [[nodiscard]] Entry& edit(const Key& key);
  // key: one that is there.
  void erase(const Key& key);

  // Calls visit(entry) for each, in no order.
  template <class Visit>
  void for_each(Visit visit) const {
    Line before = 0;
    for (std::size_t slot = 0; slot < directory_.size(); ++slot) {
      const Line first = directory_[slot];
      if (first == before) continue;
      before = first;
      for (Line page = first; page != 0; page = head(page).next)
        for (unsigned i = 0; i < head(page).count; ++i) visit(entry(page, i));
    }
  }
  // Of pages, by how many entries they hold.
  [[nodiscard]] std::size_t page_bytes() const noexcept;

  // Of second copies of the directory.
  [[nodiscard]] std::size_t copies_bytes() const noexcept { return directory_.copies_bytes(); }

  [[nodiscard]] Line directory() const noexcept { return directory_.line(); }
  [[nodiscard]] unsigned directory_bits() const noexcept { return bits_; }
  [[nodiscard]] HashSeed seed() const noexcept { return seed_; }

  // Throws nothing; verify() says what is wrong, or nothing.
  [[nodiscard]] const char* verify() const;

  void commit(std::uint64_t generation) noexcept;
  void rollback() noexcept;
  void reclaim(std::uint64_t up_to) noexcept { directory_.reclaim(up_to); }

 private:
  // From so many entries a word of the directory on, the directory doubles rather than a page
  // gets a second one.
  static constexpr std::size_t kLoadMax = 18;
  // Two pages with no more than this between them become one.
  static constexpr unsigned kMergeMax = 13;

  [[nodiscard]] PageHead& head(Line page) const noexcept { return *arena_.at<PageHead>(page); }
  [[nodiscard]] Entry& entry(Line page, unsigned i) const noexcept {
    return *reinterpret_cast<Entry*>(arena_.at(page) + offset_of_entry(i));
  }
  [[nodiscard]] static Key key_of(const Entry& entry) noexcept {
    Key key;
    std::memcpy(key.data(), entry.words, sizeof key);
    return key;
  }
  [[nodiscard]] std::uint64_t hash(const Key& key) const noexcept {
    return hash_of(seed_, key.front(), kKeyWords == 4 ? key.back() : 0);
  }
  [[nodiscard]] static std::uint32_t lines_for_entries(unsigned count) noexcept {
    return 1 + (count + kEntriesPerLine - 1) / kEntriesPerLine;
  }
  // Index in the page, or kEntriesMax.
  [[nodiscard]] unsigned find_in(Line page, const Key& key, std::uint64_t hash) const noexcept;
  // A page (chain) with exactly these entries.
  [[nodiscard]] Line make(const std::vector<Entry>& entries, unsigned depth);
  void give_up_chain(Line page);
  [[nodiscard]] std::vector<Entry> entries_of(Line page) const;
  // Points all words at `page` that share its first `depth` bits with `hash`.
  void point(std::uint64_t hash, unsigned depth, Line page);
  // Makes the page of `hash` hold these entries, in as many pages as they need.
  void store(std::uint64_t hashed, unsigned depth, std::vector<Entry>& entries);
  void merge_around(std::uint64_t hash);

  Arena& arena_;
  HashSeed seed_;
  WordArray directory_;
  unsigned bits_ = 4;
  std::size_t size_ = 0;
  unsigned bits_before_ = 4;  // the running transaction
  std::size_t size_before_ = 0;
};

extern template class HashTable<2>;
extern template class HashTable<4>;

}  // namespace lpm::detail

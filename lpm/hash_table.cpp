// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/hash_table.hpp"

#include <algorithm>

namespace lpm::detail {

template <unsigned kKeyWords>
unsigned HashTable<kKeyWords>::find_in(Line page, const Key& key,
                                       std::uint64_t hash) const noexcept {
  const PageHead& page_head = head(page);
  const std::uint16_t fingerprint = fingerprint_of(hash);
  for (unsigned i = 0; i < page_head.count; ++i)
    if (page_head.fingerprints[i] == fingerprint && key_of(entry(page, i)) == key) return i;
  return PageHead::kEntriesMax;
}

template <unsigned kKeyWords>
const Entry* HashTable<kKeyWords>::find(const Key& key) const noexcept {
  const std::uint64_t hashed = hash(key);
  for (Line page = directory_[directory_slot(hashed, bits_)]; page != 0; page = head(page).next) {
    const unsigned i = find_in(page, key, hashed);
    if (i != PageHead::kEntriesMax) return &entry(page, i);
  }
  return nullptr;
}

template <unsigned kKeyWords>
Entry& HashTable<kKeyWords>::edit(const Key& key) {
  const std::uint64_t hashed = hash(key);
  const Line page = directory_[directory_slot(hashed, bits_)];
  const unsigned depth = page == 0 ? bits_ : head(page).depth;
  const Entry* const known = find(key);
  if (page != 0 && head(page).next == 0) {
    const unsigned count = head(page).count;
    const unsigned wanted = known != nullptr ? count : count + 1;
    // The usual case: the page alone changes.
    if (wanted <= PageHead::kEntriesMax) {
      const bool in_place =
          arena_.is_new(page) && lines_for_entries(wanted) <= arena_.lines_of(page);
      const Line target = in_place ? page : arena_.allocate(lines_for_entries(wanted));
      if (!in_place) {
        std::memcpy(arena_.at(target), arena_.at(page), lines_for_entries(count) * kLineBytes);
        point(hashed, depth, target);
        arena_.give_up(page);
      }
      if (known != nullptr) return entry(target, find_in(target, key, hashed));
      head(target).fingerprints[count] = fingerprint_of(hashed);
      head(target).count = static_cast<std::uint8_t>(wanted);
      Entry& made = entry(target, count);
      made = {};
      std::memcpy(made.words, key.data(), sizeof key);
      ++size_;
      return made;
    }
  }
  std::vector<Entry> entries = entries_of(page);
  if (known == nullptr) {
    Entry& made = entries.emplace_back();
    made = {};
    std::memcpy(made.words, key.data(), sizeof key);
    ++size_;
  }
  give_up_chain(page);
  store(hashed, depth, entries);
  // Found again among pages that are new now.
  return const_cast<Entry&>(*find(key));
}

template <unsigned kKeyWords>
void HashTable<kKeyWords>::erase(const Key& key) {
  const std::uint64_t hashed = hash(key);
  const Line page = directory_[directory_slot(hashed, bits_)];
  const unsigned depth = head(page).depth;
  std::vector<Entry> entries = entries_of(page);
  std::erase_if(entries, [&](const Entry& entry) { return key_of(entry) == key; });
  give_up_chain(page);
  --size_;
  point(hashed, depth, entries.empty() ? 0 : make(entries, depth));
  merge_around(hashed);
}

template <unsigned kKeyWords>
std::vector<Entry> HashTable<kKeyWords>::entries_of(Line page) const {
  std::vector<Entry> entries;
  entries.reserve(PageHead::kEntriesMax + 1);
  for (; page != 0; page = head(page).next)
    for (unsigned i = 0; i < head(page).count; ++i) entries.push_back(entry(page, i));
  return entries;
}

template <unsigned kKeyWords>
void HashTable<kKeyWords>::give_up_chain(Line page) {
  while (page != 0) {
    const Line next = head(page).next;
    arena_.give_up(page);
    page = next;
  }
}

template <unsigned kKeyWords>
Line HashTable<kKeyWords>::make(const std::vector<Entry>& entries, unsigned depth) {
  Line next = 0;
  // From the end, so that each page can name the one behind it; all but the last are full.
  std::size_t end = entries.size();
  while (end > 0) {
    const std::size_t begin = (end - 1) / PageHead::kEntriesMax * PageHead::kEntriesMax;
    const auto count = static_cast<unsigned>(end - begin);
    const Line page = arena_.allocate(lines_for_entries(count));
    PageHead& made = head(page);
    made = {};
    made.next = next;
    made.count = static_cast<std::uint8_t>(count);
    made.depth = static_cast<std::uint8_t>(depth);
    for (unsigned i = 0; i < count; ++i) {
      const Entry& from = entries[begin + i];
      made.fingerprints[i] = fingerprint_of(hash(key_of(from)));
      entry(page, i) = from;
    }
    next = page;
    end = begin;
  }
  return next;
}

template <unsigned kKeyWords>
void HashTable<kKeyWords>::point(std::uint64_t hash, unsigned depth, Line page) {
  const std::size_t count = std::size_t{1} << (bits_ - depth);
  const std::size_t first = directory_slot(hash, bits_) & ~(count - 1);
  for (std::size_t slot = first; slot < first + count; ++slot) directory_.set(slot, page);
}

template <unsigned kKeyWords>
void HashTable<kKeyWords>::store(std::uint64_t hashed, unsigned depth,
                                 std::vector<Entry>& entries) {
  if (entries.size() > PageHead::kEntriesMax && depth == bits_ && size_ > kLoadMax << bits_) {
    directory_.double_size();
    ++bits_;
  }
  if (entries.size() <= PageHead::kEntriesMax || depth == bits_) {
    point(hashed, depth, entries.empty() ? 0 : make(entries, depth));
    return;
  }
  const auto goes_right = [&](const Entry& entry) {
    return (directory_slot(hash(key_of(entry)), depth + 1) & 1) != 0;
  };
  std::vector<Entry> right;
  for (const Entry& entry : entries)
    if (goes_right(entry)) right.push_back(entry);
  std::erase_if(entries, goes_right);
  const std::uint64_t bit = std::uint64_t{1} << (63 - depth);
  store(hashed & ~bit, depth + 1, entries);
  store(hashed | bit, depth + 1, right);
}

template <unsigned kKeyWords>
void HashTable<kKeyWords>::merge_around(std::uint64_t hash) {
  for (;;) {
    const Line page = directory_[directory_slot(hash, bits_)];
    if (page == 0 || head(page).next != 0) return;
    const unsigned depth = head(page).depth;
    if (depth == 0) return;
    const std::uint64_t other_hash = hash ^ std::uint64_t{1} << (64 - depth);
    const Line other = directory_[directory_slot(other_hash, bits_)];
    if (other == 0 || head(other).depth != depth || head(other).next != 0) return;
    if (unsigned{head(page).count} + head(other).count > kMergeMax) return;
    std::vector<Entry> entries = entries_of(page);
    const std::vector<Entry> more = entries_of(other);
    entries.insert(entries.end(), more.begin(), more.end());
    arena_.give_up(page);
    arena_.give_up(other);
    point(hash, depth - 1, make(entries, depth - 1));
  }
}

template <unsigned kKeyWords>
std::size_t HashTable<kKeyWords>::page_bytes() const noexcept {
  std::size_t lines = 0;
  Line before = 0;
  for (std::size_t slot = 0; slot < directory_.size(); ++slot) {
    const Line first = directory_[slot];
    if (first != before)
      for (Line page = first; page != 0; page = head(page).next) lines += arena_.lines_of(page);
    before = first;
  }
  return lines * kLineBytes;
}

template <unsigned kKeyWords>
const char* HashTable<kKeyWords>::verify() const {
  std::size_t entries = 0;
  for (std::size_t slot = 0; slot < directory_.size();) {
    const Line first = directory_[slot];
    if (first == 0) {
      ++slot;
      continue;
    }
    const unsigned depth = head(first).depth;
    if (depth > bits_) return "a page is deeper than the directory";
    const std::size_t count = std::size_t{1} << (bits_ - depth);
    if (slot % count != 0) return "a page's words of the directory are not aligned";
    for (std::size_t i = 0; i < count; ++i)
      if (directory_[slot + i] != first) return "a page is not named by all its words";
    for (Line page = first; page != 0; page = head(page).next) {
      const PageHead& page_head = head(page);
      if (page_head.count == 0 || page_head.count > PageHead::kEntriesMax)
        return "a page is empty or too full";
      if (page_head.depth != depth) return "pages of one chain differ in depth";
      entries += page_head.count;
      for (unsigned i = 0; i < 28; ++i) {
        if (i >= page_head.count) {
          if (page_head.fingerprints[i] != 0) return "a fingerprint without entry";
          continue;
        }
        const std::uint64_t hashed = hash(key_of(entry(page, i)));
        if (page_head.fingerprints[i] != fingerprint_of(hashed)) return "a wrong fingerprint";
        if (directory_slot(hashed, bits_) / count != slot / count) return "a key in a wrong page";
      }
    }
    slot += count;
  }
  return entries == size_ ? nullptr : "the number of entries is wrong";
}

template <unsigned kKeyWords>
void HashTable<kKeyWords>::commit(std::uint64_t generation) noexcept {
  directory_.commit(generation);
  bits_before_ = bits_;
  size_before_ = size_;
}

template <unsigned kKeyWords>
void HashTable<kKeyWords>::rollback() noexcept {
  directory_.rollback();
  bits_ = bits_before_;
  size_ = size_before_;
}

template class HashTable<2>;
template class HashTable<4>;

}  // namespace lpm::detail

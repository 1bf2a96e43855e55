// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/store.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <utility>

namespace lpm::detail {

HashSeed random_seed() {
  std::random_device random;
  const auto word = [&random] { return std::uint64_t{random()} << 32 | random(); };
  return {.high = word(), .low = word()};
}

namespace {

template <class Address>
Code code_in(const Prefix<Address>& prefix, unsigned depth) {
  const unsigned length = prefix.length() - depth;
  return code_of(length, prefix.network().slice(depth, length));
}

// `address` with the `count` bits from `offset` on (which are zero) set to `bits`.
Address4 with_bits(Address4 address, unsigned offset, unsigned count, std::uint32_t bits) {
  return {address.bits | bits << (32 - offset - count)};
}
Address6 with_bits(Address6 address, unsigned offset, unsigned count, std::uint32_t bits) {
  if (offset < 64)
    return {address.high | std::uint64_t{bits} << (64 - offset - count), address.low};
  return {address.high, address.low | std::uint64_t{bits} << (128 - offset - count)};
}

std::array<std::uint64_t, 2> host_key(Address6 address) {
  return {address.high, address.low};
}
std::array<std::uint64_t, 1> site_key(Address6 address) {
  return {address.high & ~std::uint64_t{0xffff}};
}

}  // namespace

template <class Address>
Store<Address>::Store(std::shared_ptr<Memory> memory, std::size_t small_nodes_max)
    : memory_(std::move(memory)),
      small_nodes_max_(small_nodes_max),
      arena_(memory_),
      nodes_(arena_),
      root_(arena_, std::size_t{1} << 16),
      wide_(arena_),
      more_(arena_) {
  arena_.commit(0);
}

template <class Address>
ViewOf<Address> Store<Address>::view() const noexcept {
  ViewOf<Address> view{};
  view.base = arena_.base();
  view.root = arena_.at<const Word>(root_.line());
  view.wide = arena_.at<const Word>(wide_.line());
  view.has_wide = !wide_.empty();
  if constexpr (kIs4) {
    view.small = state_.small;
  } else {
    const auto table = [this](const auto& hash) {
      return HashView{arena_.at<const Line>(hash.directory()), hash.directory_bits(), hash.seed()};
    };
    view.sites = table(more_.sites);
    view.hosts = table(more_.hosts);
    view.large = memory_bytes() - root_.size() * sizeof(Word) >= kLargeBytes;
    view.has_hosts = more_.hosts.size() != 0;
  }
  return view;
}

template <class Address>
void Store<Address>::apply(std::span<const Change<Address>> changes) {
  if (state_.size == 0 && changes.size() >= kBulkMin) {
    apply_bulk(changes);
    return;
  }
  for (const auto& [prefix, value] : changes)
    set(prefix, value == kNoMatch ? 0 : wide_.take(value));
  if constexpr (kIs4) {
    if (state_.small)
      remake_small();
    else if (more_.count() + nodes_.count() <= small_nodes_max_ / 4 &&
             state_.size <= kSmallRoutesMax / 4)
      to_small();
  }
}

template <class Address>
void Store<Address>::count(Word old, Word value) {
  if (old != 0) wide_.drop(old);
  state_.size += value != 0 ? 1U : 0U;
  state_.size -= old != 0 ? 1U : 0U;
}

template <class Address>
void Store<Address>::set(const Prefix<Address>& prefix, Word value) {
  if (prefix.length() <= root_bits()) {
    const Word old = short_.set(prefix, value);
    count(old, value);
    if (old != value) paint_root(prefix);
    return;
  }
  if constexpr (kIs4) {
    if (state_.small)
      set_small(prefix, value);
    else
      count(set_in_record(prefix, value), value);
  } else {
    if (prefix.length() >= kSiteBits) {
      count(set_in_site(prefix, value), value);
      return;
    }
    const std::size_t slot = root_slot_of(prefix);
    const Word child = root_child(slot);
    const Word inherited = child != 0 ? nodes_.inherited(child) : root_[slot];
    Word old = 0;
    const Word changed = edit(child, 16, inherited, prefix, value, old);
    root_.set(slot, changed != 0 ? changed : inherited);
    count(old, value);
  }
}

template <class Address>
void Store<Address>::commit(std::uint64_t generation) noexcept {
  nodes_.commit();
  root_.commit(generation);
  wide_.commit(generation);
  short_.commit();
  small_.commit();
  if constexpr (kIs4) {
    more_.commit(generation);
  } else {
    more_.sites.commit(generation);
    more_.hosts.commit(generation);
  }
  if (!state_.small) small_.clear();
  arena_.commit(generation);
  state_before_ = state_;
}

template <class Address>
void Store<Address>::rollback() noexcept {
  nodes_.rollback();
  root_.rollback();
  wide_.rollback();
  short_.rollback();
  small_.rollback();
  if constexpr (kIs4) {
    more_.rollback();
  } else {
    more_.sites.rollback();
    more_.hosts.rollback();
  }
  remake_.clear();
  arena_.rollback();
  state_ = state_before_;
}

template <class Address>
void Store<Address>::reclaim(std::uint64_t up_to) noexcept {
  root_.reclaim(up_to);
  wide_.reclaim(up_to);
  if constexpr (kIs4) {
    more_.reclaim(up_to);
  } else {
    more_.sites.reclaim(up_to);
    more_.hosts.reclaim(up_to);
  }
  arena_.reclaim(up_to);
}

// --- the root

template <class Address>
Prefix<Address> Store<Address>::root_block(std::size_t slot) const noexcept {
  const unsigned bits = root_bits();
  return Prefix<Address>::enclosing(with_bits(Address{}, 0, bits, static_cast<std::uint32_t>(slot)),
                                    bits);
}

template <class Address>
Word Store<Address>::root_child(std::size_t slot) const noexcept {
  const Word word = root_[slot];
  if (kIs4 && !state_.small) return is_short(word) ? 0 : word;
  return is_child(word) ? word : 0;
}

template <class Address>
void Store<Address>::set_root_value(std::size_t slot, Word value) {
  const Word child = root_child(slot);
  if constexpr (kIs4) {
    if (!state_.small) {
      const Word before = root_[slot];
      if (more_.inherited(before) == value) return;
      if (!is_short(before)) {
        remake_record(slot, value);
        return;
      }
      root_.set(slot, more_.take_short(value));
      more_.drop_short(before);
    } else if (child == 0) {
      root_.set(slot, value);
    } else {
      remake_.push_back(slot);
    }
  } else {
    root_.set(slot, child == 0 ? value : nodes_.with_inherited(child, value));
  }
}

template <class Address>
Word Store<Address>::short_value(const Prefix<Address>& prefix) const {
  for (unsigned length = prefix.length() + 1; length-- > 0;)
    if (const Word value = short_.find(Prefix<Address>::enclosing(prefix.network(), length));
        value != 0)
      return value;
  return 0;
}

template <class Address>
void Store<Address>::paint_root(const Prefix<Address>& prefix) {
  const unsigned bits = root_bits();
  const std::size_t first = root_slot_of(prefix);
  std::vector<Word> words(std::size_t{1} << (bits - prefix.length()), short_value(prefix));
  for (auto it = short_.from(prefix); it != short_.end() && prefix.contains(it->first); ++it) {
    const auto& [inside, value] = *it;
    if (value == 0 || inside.length() <= prefix.length()) continue;
    const std::size_t begin = root_slot_of(inside) - first;
    std::fill_n(words.begin() + static_cast<std::ptrdiff_t>(begin),
                std::size_t{1} << (bits - inside.length()), value);
  }
  for (std::size_t i = 0; i < words.size(); ++i) set_root_value(first + i, words[i]);
}

template <class Address>
void Store<Address>::build_below_root(CodedSpan routes) {
  for (std::size_t i = 0; i < routes.size();) {
    const std::size_t slot = root_slot_of(routes[i].prefix);
    const std::size_t first = i++;
    while (i < routes.size() && root_slot_of(routes[i].prefix) == slot) ++i;
    const CodedSpan inside = routes.subspan(first, i - first);
    if constexpr (kIs4)
      build_record(slot, inside);
    else
      root_.set(slot, build(inside, 16, root_[slot]));
  }
}

// --- nodes

template <class Address>
Word Store<Address>::edit(Word node, unsigned depth, Word inherited, const Prefix<Address>& prefix,
                          Word value, Word& old) {
  if (prefix.length() <= depth + 8) {
    const Code code = code_in(prefix, depth);
    if (node != 0) return nodes_.set(node, code, value, old);
    if (value == 0) return 0;
    Nodes::Content content{.inherited = inherited, .own = {{code, value}}};
    return nodes_.make(content);
  }
  const unsigned slot = prefix.network().slice(depth, 8);
  const Word child = node == 0 ? 0 : nodes_.child(node, slot);
  if (child == 0 && value == 0) return node;
  const Word own = node == 0 ? 0 : nodes_.own_value(node, slot);
  const Word changed = edit(child, depth + 8, own, prefix, value, old);
  if (changed == child) return node;
  if (node == 0) {
    Nodes::Content content;
    content.inherited = inherited;
    content.children[slot] = changed;
    return nodes_.make(content);
  }
  if (child == 0) return nodes_.add_child(node, slot, changed);
  if (changed == 0) return nodes_.remove_child(node, slot, own);
  return nodes_.replace_child(node, slot, changed);
}

// routes: in prefix order, all longer than `depth` and inside one block of that length.
template <class Address>
Word Store<Address>::build(CodedSpan routes, unsigned depth, Word inherited) {
  Nodes::Content content;
  content.inherited = inherited;
  for (const Coded& route : routes)
    if (route.prefix.length() <= depth + 8)
      content.own.push_back({code_in(route.prefix, depth), route.value});
  std::ranges::sort(content.own, {}, &Own::code);
  if (content.own.size() < routes.size()) {
    const auto painted = content.painted();
    for (std::size_t i = 0; i < routes.size();) {
      if (routes[i].prefix.length() <= depth + 8) {
        ++i;
        continue;
      }
      const unsigned slot = routes[i].prefix.network().slice(depth, 8);
      const std::size_t first = i++;
      while (i < routes.size() && routes[i].prefix.network().slice(depth, 8) == slot) ++i;
      content.children[slot] = build(routes.subspan(first, i - first), depth + 8, painted[slot]);
    }
  }
  return nodes_.make(content);
}

// --- IPv4: records of a large table

template <class Address>
Word Store<Address>::inherited_at(std::size_t slot) const noexcept {
  if constexpr (kIs4) {
    return more_.inherited(root_[slot]);
  } else {
    std::unreachable();
  }
}

template <class Address>
Word Store<Address>::set_in_record(const Prefix<Address>& prefix, Word value) {
  if constexpr (kIs4) {
    if (prefix.length() > Record::kLength) return set_below_record(prefix, value);
    const std::size_t slot = root_slot_of(prefix);
    const Code code = code_in(prefix, Record::kFirstBit);
    const std::vector<Own>& list = more_.own(slot);
    const auto known = std::ranges::lower_bound(list, code, {}, &Own::code);
    const bool is_there = known != list.end() && known->code == code;
    const Word old = is_there ? known->value : 0;
    if (old == value) return old;
    const auto at = known - list.begin();
    std::vector<Own>& own = more_.edit_own(slot);
    if (value == 0)
      own.erase(own.begin() + at);
    else if (is_there)
      own[static_cast<std::size_t>(at)].value = value;
    else
      own.insert(own.begin() + at, {code, value});
    remake_record(slot, inherited_at(slot));
    return old;
  } else {
    std::unreachable();
  }
}

template <class Address>
Word Store<Address>::set_below_record(const Prefix<Address>& prefix, Word value) {
  if constexpr (kIs4) {
    const std::size_t slot = root_slot_of(prefix);
    const unsigned below = prefix.network().slice(Record::kFirstBit, Record::kBits);
    const Word record = root_[slot];
    const Word node = more_.word(record, below);
    const Code code = code_in(prefix, Record::kLength);
    if (!is_child(node)) {
      if (value == 0) return 0;
      Nodes::Content content{.inherited = node, .own = {{code, value}}};
      Records::Words words = more_.words(record);
      words[below] = nodes_.make(content);
      put_record(slot, words, more_.inherited(record));
      return 0;
    }
    const Word around = nodes_.inherited(node);
    Word old = 0;
    const Word changed = nodes_.set(node, code, value, old);
    if (changed == node) return old;
    if (changed != 0) {
      root_.set(slot, more_.replace_child(record, below, changed));
      return old;
    }
    Records::Words words = more_.words(record);
    words[below] = around;
    put_record(slot, words, more_.inherited(record));
    return old;
  } else {
    std::unreachable();
  }
}

// After a change of the prefixes of up to 24 bits.
template <class Address>
void Store<Address>::remake_record(std::size_t slot, Word inherited) {
  if constexpr (kIs4) {
    Records::Words words = more_.painted(slot, inherited);
    if (const Word record = root_child(slot); record != 0) {
      const Records::Words before = more_.words(record);
      for (unsigned i = 0; i < Record::kSlots; ++i)
        if (is_child(before[i])) words[i] = nodes_.with_inherited(before[i], words[i]);
    }
    put_record(slot, words, inherited);
  } else {
    std::unreachable();
  }
}

template <class Address>
void Store<Address>::put_record(std::size_t slot, const Records::Words& words, Word inherited) {
  if constexpr (kIs4) {
    const Word before = root_[slot];
    const bool is_needed = !more_.own(slot).empty() || std::ranges::any_of(words, is_child);
    root_.set(slot, is_needed ? more_.make(words, inherited) : more_.take_short(inherited));
    if (is_short(before))
      more_.drop_short(before);
    else
      more_.give_up(before);
  } else {
    std::unreachable();
  }
}

// routes: in prefix order; the slot has none yet.
template <class Address>
void Store<Address>::build_record(std::size_t slot, CodedSpan routes) {
  if constexpr (kIs4) {
    std::vector<Own>* own = nullptr;
    for (const auto& [prefix, value, order] : routes) {
      if (prefix.length() > Record::kLength) continue;
      if (own == nullptr) own = &more_.edit_own(slot);
      own->push_back({code_in(prefix, Record::kFirstBit), value});
    }
    if (own != nullptr) std::ranges::sort(*own, {}, &Own::code);
    const Word inherited = inherited_at(slot);
    Records::Words words = more_.painted(slot, inherited);
    const auto slot_of = [](const Coded& route) {
      return route.prefix.network().slice(Record::kFirstBit, Record::kBits);
    };
    for (std::size_t i = 0; i < routes.size();) {
      const unsigned below = slot_of(routes[i]);
      Nodes::Content content{.inherited = words[below], .own = {}};
      for (; i < routes.size() && slot_of(routes[i]) == below; ++i)
        if (routes[i].prefix.length() > Record::kLength)
          content.own.push_back({code_in(routes[i].prefix, Record::kLength), routes[i].value});
      if (content.own.empty()) continue;
      std::ranges::sort(content.own, {}, &Own::code);
      words[below] = nodes_.make(content);
    }
    put_record(slot, words, inherited);
  } else {
    std::unreachable();
  }
}

template <class Address>
void Store<Address>::give_up_record(std::size_t slot) {
  if constexpr (kIs4) {
    const Word record = root_[slot];
    if (is_short(record)) {
      more_.drop_short(record);
      return;
    }
    for (const Word word : more_.words(record))
      if (is_child(word)) nodes_.give_up(word);
    if (!more_.own(slot).empty()) more_.edit_own(slot).clear();
    more_.give_up(record);
  } else {
    std::unreachable();
  }
}

// One array holds all, since memory that was never touched costs more than sorting it.
template <class Address>
void Store<Address>::apply_bulk(std::span<const Change<Address>> changes) {
  std::vector<Coded> routes;
  routes.reserve(changes.size());
  for (const auto& [prefix, value] : changes)
    routes.push_back({prefix, value, static_cast<std::uint32_t>(routes.size())});
  if (!std::ranges::is_sorted(routes, {}, &Coded::prefix))
    std::ranges::sort(routes, [](const Coded& a, const Coded& b) {
      const auto order = a.prefix <=> b.prefix;
      return order != 0 ? order < 0 : a.order < b.order;
    });
  std::vector<Coded> below_root;  // IPv6: of 17 to 47 bits
  std::size_t kept = 0;
  bool has_short = false;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const auto& [prefix, value, order] = routes[i];
    // Of several for one prefix the last one counts.
    if (i + 1 < routes.size() && routes[i + 1].prefix == prefix) continue;
    if (value == kNoMatch) continue;
    const Coded route{prefix, wide_.take(value)};
    ++state_.size;
    if (prefix.length() <= root_bits()) {
      (void)short_.set(prefix, route.value);
      has_short = true;
    } else if (!kIs4 && prefix.length() < kSiteBits) {
      below_root.push_back(route);
    } else {
      routes[kept++] = route;
    }
  }
  routes.resize(kept);
  if (has_short) paint_root(Prefix<Address>());
  if constexpr (kIs4) {
    if (fits_small(routes))
      make_small(routes);
    else
      make_large(std::move(routes));
  } else {
    build_below_root(below_root);
    for (std::size_t i = 0; i < routes.size();) {
      const auto key = site_key(routes[i].prefix.network());
      const std::size_t first = i++;
      while (i < routes.size() && site_key(routes[i].prefix.network()) == key) ++i;
      build_site(CodedSpan(routes).subspan(first, i - first));
    }
  }
}

// --- IPv6: sites. Words of an entry behind the key: value, flags and child, number of host routes.

template <class Address>
Word Store<Address>::set_in_site(const Prefix<Address>& prefix, Word value) {
  if constexpr (!kIs4) {
    const auto key = site_key(prefix.network());
    const Entry* const known = more_.sites.find(key);
    Entry site = known != nullptr ? *known : Entry{};
    Word old = 0;
    if (prefix.length() == kSiteBits) {
      old = std::exchange(site.words[2], value);
    } else if (prefix.length() == Address::kBits) {
      const auto host = host_key(prefix.network());
      const Entry* const route = more_.hosts.find(host);
      old = route == nullptr ? 0 : route->words[4];
      if (value != 0)
        more_.hosts.edit(host).words[4] = value;
      else if (old != 0)
        more_.hosts.erase(host);
      site.words[4] += value != 0 ? 1U : 0U;
      site.words[4] -= old != 0 ? 1U : 0U;
    } else {
      site.words[3] = edit(site.words[3] & ~kSiteHasHosts, kSiteBits, 0, prefix, value, old);
    }
    site.words[3] = (site.words[3] & ~kSiteHasHosts) | (site.words[4] != 0 ? kSiteHasHosts : 0);
    if ((site.words[2] | site.words[3] | site.words[4]) == 0) {
      if (known != nullptr) more_.sites.erase(key);
      return old;
    }
    // Nothing to write down where only a host route changed its value.
    if (known != nullptr && std::equal(site.words + 2, site.words + 5, known->words + 2))
      return old;
    Entry& entry = more_.sites.edit(key);
    std::copy(site.words + 2, site.words + 5, entry.words + 2);
    return old;
  } else {
    std::unreachable();
  }
}

template <class Address>
void Store<Address>::build_site(CodedSpan routes) {
  if constexpr (!kIs4) {
    std::array<Word, 3> words{};
    std::vector<Coded> between;
    for (const Coded& route : routes) {
      if (route.prefix.length() == kSiteBits) {
        words[0] = route.value;
      } else if (route.prefix.length() == Address::kBits) {
        more_.hosts.edit(host_key(route.prefix.network())).words[4] = route.value;
        ++words[2];
      } else {
        between.push_back(route);
      }
    }
    if (!between.empty()) words[1] = build(between, kSiteBits, 0);
    if (words[2] != 0) words[1] |= kSiteHasHosts;
    Entry& site = more_.sites.edit(site_key(routes.front().prefix.network()));
    std::ranges::copy(words, site.words + 2);
  }
}

// --- IPv4: small tables. Every node is dense; its words include what shorter prefixes say, and a
// child word holds a place in words instead of a Line.

template <class Address>
Word Store<Address>::small_word(Word child, unsigned slot) const noexcept {
  return reinterpret_cast<const Word*>(arena_.base())[(child & ~kChild) + slot];
}

template <class Address>
bool Store<Address>::fits_small(CodedSpan routes) const {
  std::size_t nodes = 0;
  constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t slot = kNone;
  std::uint64_t deep = kNone;
  for (const Coded& route : routes) {
    const std::uint64_t bits24 = route.prefix.network().slice(0, 24);
    if (bits24 >> 8 != slot) ++nodes;
    slot = bits24 >> 8;
    if (route.prefix.length() <= 24) continue;
    if (bits24 != deep) ++nodes;
    deep = bits24;
  }
  return nodes <= small_nodes_max_ && routes.size() <= kSmallRoutesMax;
}

template <class Address>
void Store<Address>::set_small(const Prefix<Address>& prefix, Word value) {
  count(small_.set(prefix, value), value);
  remake_.push_back(root_slot_of(prefix));
}

template <class Address>
void Store<Address>::remake_small() {
  std::ranges::sort(remake_);
  const auto rest = std::ranges::unique(remake_);
  remake_.erase(rest.begin(), rest.end());
  // Taken first: making a slot notes nothing.
  const std::vector<std::size_t> slots = std::exchange(remake_, {});
  for (const std::size_t slot : slots) {
    remake_small_slot(slot);
    if (state_.small_nodes <= small_nodes_max_ && state_.size <= kSmallRoutesMax) continue;
    to_large();
    return;
  }
}

template <class Address>
void Store<Address>::give_up_small_slot(std::size_t slot) {
  const Word node = root_child(slot);
  if (node == 0) return;
  constexpr std::uint32_t kWordsPerLine = kLineBytes / sizeof(Word);
  for (unsigned i = 0; i < kSlots; ++i) {
    const Word leaf = small_word(node, i);
    if (!is_child(leaf)) continue;
    arena_.give_up((leaf & ~kChild) / kWordsPerLine);
    --state_.small_nodes;
  }
  arena_.give_up((node & ~kChild) / kWordsPerLine);
  --state_.small_nodes;
}

template <class Address>
void Store<Address>::remake_small_slot(std::size_t slot) {
  give_up_small_slot(slot);
  constexpr std::uint32_t kWordsPerLine = kLineBytes / sizeof(Word);
  const auto make = [this](Word filled_with) {
    const Line line = arena_.allocate(kSmallNodeLines);
    ++state_.small_nodes;
    std::fill_n(arena_.at<Word>(line), kSlots, filled_with);
    return kChild | line * kWordsPerLine;
  };
  const auto words_of = [this](Word node) {
    return reinterpret_cast<Word*>(arena_.base()) + (node & ~kChild);
  };
  const Prefix<Address> block = root_block(slot);
  const Word value_of_root = short_value(block);
  Word node = 0;
  for (auto it = small_.from(block); it != small_.end() && block.contains(it->first); ++it) {
    const auto& [prefix, value] = *it;
    if (value == 0) continue;
    if (node == 0) node = make(value_of_root);
    const std::uint32_t i = prefix.network().slice(kSmallRootBits, 8);
    if (prefix.length() <= 24) {
      std::fill_n(words_of(node) + i, std::size_t{1} << (24 - prefix.length()), value);
      continue;
    }
    // In prefix order: what covers this leaf was painted before.
    Word& leaf = words_of(node)[i];
    if (!is_child(leaf)) leaf = make(leaf);
    std::fill_n(words_of(leaf) + prefix.network().slice(24, 8),
                std::size_t{1} << (32 - prefix.length()), value);
  }
  root_.set(slot, node != 0 ? node : value_of_root);
}

// routes: all that a root of 16 bits does not suffice for, in prefix order.
template <class Address>
void Store<Address>::make_small(CodedSpan routes) {
  for (const auto& [prefix, value, order] : routes) {
    (void)small_.set(prefix, value);
    remake_.push_back(root_slot_of(prefix));
  }
  remake_small();
}

// routes: likewise.
template <class Address>
void Store<Address>::make_large(std::vector<Coded> routes) {
  state_.small = false;
  std::erase_if(routes, [&](const Coded& route) {
    if (route.prefix.length() > root_bits()) return false;
    (void)short_.set(route.prefix, route.value);
    return true;
  });
  if constexpr (kIs4) {
    root_.resize(std::size_t{1} << root_bits());
    for (std::size_t slot = 0; slot < root_.size(); ++slot) root_.set(slot, more_.take_short(0));
  }
  paint_root(Prefix<Address>());
  build_below_root(routes);
}

template <class Address>
void Store<Address>::to_large() {
  std::vector<Coded> routes;
  for (const auto& [prefix, value] : small_)
    if (value != 0) routes.push_back({prefix, value});
  for (std::size_t slot = 0; slot < root_.size(); ++slot) give_up_small_slot(slot);
  make_large(std::move(routes));
}

template <class Address>
void Store<Address>::to_small() {
  std::vector<Coded> routes = coded_routes();
  std::erase_if(routes, [](const Coded& route) { return route.prefix.length() <= kSmallRootBits; });
  if (!fits_small(routes)) return;
  for (std::size_t slot = 0; slot < root_.size(); ++slot) give_up_record(slot);
  for (const auto& [prefix, value, order] : routes)
    if (prefix.length() <= root_bits()) (void)short_.set(prefix, 0);
  state_.small = true;
  root_.resize(std::size_t{1} << root_bits());
  paint_root(Prefix<Address>());
  make_small(routes);
}

template class Store<Address4>;
template class Store<Address6>;

}  // namespace lpm::detail

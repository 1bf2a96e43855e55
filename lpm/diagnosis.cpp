// SPDX-License-Identifier: BSD-3-Clause
//
// What Store tells about itself.
#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <unordered_set>

#include "lpm/store.hpp"

namespace lpm::detail {
namespace {

Address4 with_slot(Address4 address, unsigned depth, unsigned count, std::uint32_t bits) {
  return {address.bits | bits << (32 - depth - count)};
}
Address6 with_slot(Address6 address, unsigned depth, unsigned count, std::uint32_t bits) {
  if (depth < 64) return {address.high | std::uint64_t{bits} << (64 - depth - count), address.low};
  return {address.high, address.low | std::uint64_t{bits} << (128 - depth - count)};
}

Address6 address_of(const Entry& entry, unsigned key_words) {
  std::array<std::uint64_t, 2> key{};
  std::memcpy(key.data(), entry.words, key_words * sizeof(std::uint32_t));
  return {key[0], key[1]};
}

}  // namespace

// Calls visit(node, depth, base) for a node and all below it. base: the block's first address.
template <class Address>
template <class Visit>
void Store<Address>::walk(Word node, unsigned depth, Address base, const Visit& visit) const {
  visit(node, depth, base);
  for (unsigned slot = 0; slot < kSlots; ++slot)
    if (const Word child = nodes_.child(node, slot); child != 0)
      walk(child, depth + 8, with_slot(base, depth, 8, slot), visit);
}

// Calls visit(node, depth, base) for all nodes below the root, and visit_record(record, slot, base)
// for all records of IPv4.
template <class Address>
template <class Visit, class VisitRecord>
void Store<Address>::walk_all(const Visit& visit, const VisitRecord& visit_record) const {
  for (std::size_t slot = 0; !state_.small && slot < root_.size(); ++slot) {
    const Word child = root_child(slot);
    if (child == 0) continue;
    const Address base = root_block(slot).network();
    if constexpr (kIs4) {
      visit_record(child, slot, base);
      const Records::Words words = more_.words(child);
      for (unsigned i = 0; i < Record::kSlots; ++i)
        if (is_child(words[i]))
          walk(words[i], Record::kLength, with_slot(base, Record::kFirstBit, Record::kBits, i),
               visit);
    } else {
      walk(child, root_bits(), base, visit);
    }
  }
  if constexpr (!kIs4)
    more_.sites.for_each([&](const Entry& site) {
      if (const Word child = site.words[3] & ~kSiteHasHosts; child != 0)
        walk(child, kSiteBits, address_of(site, 2), visit);
    });
}

template <class Address>
std::vector<typename Store<Address>::Coded> Store<Address>::coded_routes() const {
  std::vector<Coded> routes;
  const auto add_all = [&routes](const JournalMap<Address>& map) {
    for (const auto& [prefix, value] : map)
      if (value != 0) routes.push_back({prefix, value});
  };
  const auto add_own = [&routes](const std::vector<Own>& own, unsigned depth, Address base) {
    for (const auto [code, value] : own) {
      const auto length = static_cast<unsigned>(std::bit_width(code)) - 1;
      const Address network = with_slot(base, depth, length, code - (1U << length));
      routes.push_back({Prefix<Address>::enclosing(network, depth + length), value});
    }
  };
  add_all(short_);
  if (state_.small) add_all(small_);
  walk_all([&](Word node, unsigned depth,
               Address base) { add_own(nodes_.content(node).own, depth, base); },
           [&](Word /*record*/, std::size_t slot, Address base) {
             if constexpr (kIs4) add_own(more_.own(slot), Record::kFirstBit, base);
           });
  if constexpr (!kIs4) {
    more_.sites.for_each([&](const Entry& site) {
      if (site.words[2] != 0)
        routes.push_back(
            {Prefix<Address>::enclosing(address_of(site, 2), kSiteBits), site.words[2]});
    });
    more_.hosts.for_each([&](const Entry& host) {
      routes.push_back(
          {Prefix<Address>::enclosing(address_of(host, 4), Address::kBits), host.words[4]});
    });
  }
  std::ranges::sort(routes, {}, &Coded::prefix);
  return routes;
}

template <class Address>
std::vector<Route<Address>> Store<Address>::routes() const {
  std::vector<Route<Address>> routes;
  for (const Coded& route : coded_routes())
    routes.push_back({route.prefix, wide_.value_of(route.value)});
  return routes;
}

template <class Address>
std::size_t Store<Address>::copies_bytes() const noexcept {
  std::size_t bytes = root_.copies_bytes();
  if constexpr (!kIs4) bytes += more_.sites.copies_bytes() + more_.hosts.copies_bytes();
  return bytes;
}

template <class Address>
typename Fib<Address>::Usage Store<Address>::usage() const {
  std::size_t records = 0;
  if constexpr (kIs4) records = more_.notes_bytes();
  return {.current = memory_bytes(),
          .copies = copies_bytes(),
          .retired = arena_.retired_bytes(),
          .notes = arena_.bookkeeping_bytes() + nodes_.notes_bytes() + short_.bytes() +
                   small_.bytes() + records,
          .taken = arena_.committed_bytes()};
}

template <class Address>
std::vector<MemoryPart> Store<Address>::memory_by_level() const {
  std::vector<MemoryPart> parts{{"root", root_.size(), root_.size() * sizeof(Word)}};
  MemoryPart records{"records at bit 18", 0, 0};
  std::map<unsigned, MemoryPart> levels;
  walk_all(
      [&](Word node, unsigned depth, Address /*base*/) {
        MemoryPart& part = levels[depth];
        part.name = "nodes at bit " + std::to_string(depth);
        ++part.count;
        part.bytes += arena_.lines_of(line_of(node)) * kLineBytes;
      },
      [&](Word record, std::size_t /*slot*/, Address /*base*/) {
        ++records.count;
        records.bytes += arena_.lines_of(line_of(record)) * kLineBytes;
      });
  if (records.count != 0) parts.push_back(records);
  if constexpr (kIs4) {
    const std::size_t lines = more_.short_lines().size();
    if (lines != 0) parts.push_back({"short records", lines, lines * kLineBytes});
  }
  if (state_.small)
    parts.push_back({"nodes of a small table", state_.small_nodes,
                     state_.small_nodes * kSmallNodeLines * kLineBytes});
  if constexpr (!kIs4) {
    const auto add_table = [&parts](const char* name, const auto& table) {
      const std::size_t words = std::size_t{1} << table.directory_bits();
      parts.push_back({std::string("directory of ") + name, words, words * sizeof(Word)});
      parts.push_back({std::string("pages of ") + name, table.size(), table.page_bytes()});
    };
    add_table("sites", more_.sites);
    add_table("hosts", more_.hosts);
  }
  for (const auto& [level, part] : levels) parts.push_back(part);
  if (wide_.bytes() != 0) parts.push_back({"wide values", wide_.bytes() / 4, wide_.bytes()});
  return parts;
}

template <class Address>
std::size_t Store<Address>::steps_of(unsigned length) const noexcept {
  if constexpr (kIs4) {
    if (length <= root_bits()) return 1;
    return length <= Record::kLength ? 2 : 3;
  } else {
    // A site, and if that does not decide, the root.
    if (length < kSiteBits) return length <= 16 ? 2 : 2 + (length - 16 + 7) / 8;
    if (length == kSiteBits) return 1;
    return length == Address::kBits ? 2 : 1 + (length - kSiteBits + 7) / 8;
  }
}

template <class Address>
std::vector<std::size_t> Store<Address>::depth_histogram() const {
  std::vector<std::size_t> prefixes;
  for (const Coded& route : coded_routes()) {
    const std::size_t steps = steps_of(route.prefix.length());
    if (prefixes.size() <= steps) prefixes.resize(steps + 1);
    ++prefixes[steps];
  }
  return prefixes;
}

template <class Address>
std::vector<LookupStep> Store<Address>::path(Address address) const {
  std::vector<LookupStep> steps;
  Word best = 0;
  const auto step = [&](const char* what, unsigned first_bit, unsigned bits) {
    steps.push_back({what, first_bit, bits, wide_.value_of(best)});
  };
  if constexpr (kIs4) {
    // What a slot says where nothing longer does.
    Word word = root_[address.slice(0, root_bits())];
    if (state_.small) {
      if (!is_child(word)) best = word;
      step("root", 0, kSmallRootBits);
      if (!is_child(word)) return steps;
      word = small_word(word, address.slice(kSmallRootBits, 8));
      if (!is_child(word)) best = word;
      step("node of a small table", kSmallRootBits, 8);
      if (!is_child(word)) return steps;
      best = small_word(word, address.slice(24, 8));
      step("node of a small table", 24, 8);
      return steps;
    }
    best = more_.inherited(word);
    step("root", 0, Record::kFirstBit);
    word = more_.word(word, address.slice(Record::kFirstBit, Record::kBits));
    best = is_child(word) ? nodes_.inherited(word) : word;
    step("record", Record::kFirstBit, Record::kBits);
    if (!is_child(word)) return steps;
    if (const Word said = nodes_.word(word, address.slice(Record::kLength, 8)); said != 0)
      best = said;
    step("node", Record::kLength, 8);
  } else {
    const auto descend = [&](Word child, unsigned depth) {
      while (is_child(child)) {
        const Word word = nodes_.word(child, address.slice(depth, 8));
        const Word said = is_child(word) || word == 0 ? nodes_.inherited(child) : word;
        if (said != 0) best = said;
        step("node", depth, 8);
        child = word;
        depth += 8;
      }
    };
    const Entry* const site = more_.sites.find({address.high & ~std::uint64_t{0xffff}});
    if (site != nullptr) best = site->words[2];
    step("site", 0, kSiteBits);
    if (site != nullptr) {
      if ((site->words[3] & kSiteHasHosts) != 0) {
        const Entry* const host = more_.hosts.find({address.high, address.low});
        if (host != nullptr) best = host->words[4];
        step("host", 0, Address::kBits);
        if (host != nullptr) return steps;
      }
      descend(site->words[3] & ~kSiteHasHosts, kSiteBits);
    }
    if (best != 0) return steps;
    const Word word = root_[address.slice(0, 16)];
    best = is_child(word) ? nodes_.inherited(word) : word;
    step("root", 0, 16);
    descend(word, 16);
  }
  return steps;
}

// Walks everything that a reader can reach.
template <class Address>
class Store<Address>::Verifier {
 public:
  explicit Verifier(const Store& store) : store_(store), nodes_(store.nodes_) {}

  std::optional<std::string> run() {
    check_root();
    if constexpr (!kIs4) check_hashes();
    std::size_t lines = 0;
    if constexpr (kIs4) lines += store_.more_.short_lines().size();
    for (const Line line : seen_) lines += store_.arena_.lines_of(line);
    const std::size_t expected = lines * kLineBytes + store_.root_.size() * sizeof(Word) +
                                 hash_bytes_ + store_.wide_.bytes();
    if (expected != store_.memory_bytes())
      wrong("I1: " + std::to_string(expected) + " bytes are reached, " +
            std::to_string(store_.memory_bytes()) + " in use");
    std::size_t expected_nodes = nodes_.count();
    if constexpr (kIs4) expected_nodes += store_.more_.count() + store_.state_.small_nodes;
    if (seen_.size() != expected_nodes) wrong("I1: a node is not reached");
    check_counts();
    return wrong_;
  }

 private:
  // The first counts.
  void wrong(std::string what) {
    if (!wrong_) wrong_ = std::move(what);
  }
  void wrong(const char* what, Address base, unsigned depth) {
    wrong(std::string(what) + " at " + to_string(Prefix<Address>::enclosing(base, depth)));
  }

  void check_root() {
    const unsigned bits = store_.root_bits();
    std::vector<Word> painted(store_.root_.size());
    for (const auto& [prefix, value] : store_.short_)
      if (value != 0)
        std::fill_n(painted.begin() + static_cast<std::ptrdiff_t>(store_.root_slot_of(prefix)),
                    std::size_t{1} << (bits - prefix.length()), value);
    for (std::size_t slot = 0; slot < painted.size(); ++slot) {
      const Address base = store_.root_block(slot).network();
      const Word child = store_.root_child(slot);
      if constexpr (kIs4) {
        if (!store_.state_.small) {
          check_record(store_.root_[slot], slot, base, painted[slot]);
          continue;
        }
      }
      if (child == 0) {
        if (store_.root_[slot] != painted[slot]) wrong("I4: wrong word of the root", base, bits);
      } else if constexpr (!kIs4) {
        check_node(child, bits, base, painted[slot]);
      } else {
        check_small(child, base, painted[slot]);
      }
    }
    if constexpr (kIs4)
      for (const auto& [value, uses] : short_uses_)
        if (store_.more_.short_uses(value) != uses)
          wrong("I1: the uses of a short record are miscounted");
  }

  void check_record(Word record, std::size_t slot, Address base, Word inherited) {
    if constexpr (kIs4) {
      const Records& records = store_.more_;
      constexpr unsigned kDepth = Record::kFirstBit;
      if (is_short(record)) {
        ++short_uses_[inherited];
        if (records.inherited(record) != inherited || records.word(record, 63) != inherited ||
            !records.own(slot).empty())
          wrong("I4: wrong short record", base, kDepth);
        return;
      }
      see(line_of(record), base, kDepth);
      if (records.inherited(record) != inherited) wrong("I3: wrong cells[0]", base, kDepth);
      const std::uint64_t starts = store_.arena_.template at<const Record>(line_of(record))->starts;
      if ((starts & 1) == 0) wrong("I2: no run starts at slot 0", base, kDepth);
      if (lines_for_record(static_cast<unsigned>(std::popcount(starts))) !=
          store_.arena_.lines_of(line_of(record)))
        wrong("I2: wrong size", base, kDepth);
      const Records::Words words = records.words(record);
      const Records::Words painted = records.painted(slot, inherited);
      if (records.own(slot).empty() && std::ranges::none_of(words, is_child))
        wrong("I2: a record without anything", base, kDepth);
      for (unsigned i = 0; i < Record::kSlots; ++i) {
        const Address below = with_slot(base, kDepth, Record::kBits, i);
        if (is_child(words[i]))
          check_node(words[i], Record::kLength, below, painted[i]);
        else if (words[i] != painted[i])
          wrong("I4: wrong word", below, Record::kLength);
      }
      count_values(records.own(slot));
    }
  }

  void see(Line line, Address base, unsigned depth) {
    if (line == 0 || !seen_.insert(line).second) wrong("I1: a node is named twice", base, depth);
  }

  void check_node(Word node, unsigned depth, Address base, Word inherited) {
    const Line line = line_of(node);
    see(line, base, depth);
    const auto content = nodes_.content(node);
    if (content.empty()) wrong("I2: a node without anything", base, depth);
    if (nodes_.inherited(node) != inherited) wrong("I3: wrong cells[0]", base, depth);
    const auto& compressed = *store_.arena_.template at<const CompressedNode>(line);
    unsigned rank = 0;
    for (unsigned i = 0; i < 4; ++i) {
      if (compressed.rank[i] != rank) wrong("I2: wrong rank", base, depth);
      rank += static_cast<unsigned>(std::popcount(compressed.bits[i]));
    }
    if (lines_for(1 + rank) != store_.arena_.lines_of(line)) wrong("I2: wrong size", base, depth);
    const auto painted = content.painted();
    const bool in_runs = (node & kRunsForm) != 0;
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      const auto below = with_slot(base, depth, 8, slot);
      const Word child = nodes_.child(node, slot);
      if (child != 0) {
        check_node(child, depth + 8, below, painted[slot]);
        continue;
      }
      const Word expected = painted[slot] != 0 ? painted[slot] : in_runs ? inherited : 0;
      if (nodes_.word(node, slot) != expected) wrong("I4: wrong word", below, depth + 8);
    }
    count_values(content.own);
  }

  void count_values(const std::vector<Own>& own) {
    for (const auto [code, value] : own) count_value(value);
  }
  void count_value(Word value) {
    ++prefixes_;
    if ((value & kWideValue) != 0) wide_.insert(value);
  }

  void check_small(Word node, Address base, Word inherited) {
    see_small(node, base, kSmallRootBits);
    std::array<Word, kSlots> words;
    words.fill(inherited);
    std::map<unsigned, std::array<Word, kSlots>> leaves;
    const auto block = Prefix<Address>::enclosing(base, kSmallRootBits);
    for (auto it = store_.small_.from(block);
         it != store_.small_.end() && block.contains(it->first); ++it) {
      const auto& [prefix, value] = *it;
      const unsigned slot = prefix.network().slice(kSmallRootBits, 8);
      if (prefix.length() <= 24) {
        std::fill_n(words.begin() + slot, std::size_t{1} << (24 - prefix.length()), value);
        continue;
      }
      const auto [leaf, is_new] = leaves.try_emplace(slot);
      if (is_new) leaf->second.fill(words[slot]);
      std::fill_n(leaf->second.begin() + prefix.network().slice(24, 8),
                  std::size_t{1} << (32 - prefix.length()), value);
    }
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      const Word word = store_.small_word(node, slot);
      const auto below = with_slot(base, kSmallRootBits, 8, slot);
      const auto leaf = leaves.find(slot);
      if (is_child(word) != (leaf != leaves.end())) {
        wrong("I4: a leaf too many or too few", below, 24);
        continue;
      }
      if (leaf == leaves.end()) {
        if (word != words[slot]) wrong("I4: wrong word", below, 24);
        continue;
      }
      see_small(word, below, 24);
      for (unsigned last = 0; last < kSlots; ++last)
        if (store_.small_word(word, last) != leaf->second[last])
          wrong("I4: wrong word", with_slot(below, 24, 8, last), 32);
    }
  }
  void see_small(Word node, Address base, unsigned depth) {
    see((node & ~kChild) / (kLineBytes / sizeof(Word)), base, depth);
  }

  void check_hashes() {
    const auto& [sites, hosts] = store_.more_;
    if (const char* what = sites.verify()) wrong(std::string("I5: sites: ") + what);
    if (const char* what = hosts.verify()) wrong(std::string("I5: hosts: ") + what);
    hash_bytes_ =
        sites.page_bytes() + hosts.page_bytes() +
        ((std::size_t{1} << sites.directory_bits()) + (std::size_t{1} << hosts.directory_bits())) *
            sizeof(Word);
    std::map<std::uint64_t, std::uint32_t> hosts_in;
    hosts.for_each([&](const Entry& host) {
      ++hosts_in[address_of(host, 4).high >> 16];
      count_value(host.words[4]);
    });
    sites.for_each([&](const Entry& site) {
      const Address base = address_of(site, 2);
      if (site.words[2] != 0) count_value(site.words[2]);
      const auto found = hosts_in.find(base.high >> 16);
      const std::uint32_t count = found == hosts_in.end() ? 0 : found->second;
      if (site.words[4] != count || ((site.words[3] & kSiteHasHosts) != 0) != (count != 0))
        wrong("I5: host routes miscounted", base, kSiteBits);
      if (found != hosts_in.end()) hosts_in.erase(found);
      const Word child = site.words[3] & ~kSiteHasHosts;
      if (child != 0) check_node(child, kSiteBits, base, 0);
      if (child == 0 && site.words[2] == 0 && count == 0)
        wrong("I5: an empty site", base, kSiteBits);
    });
    if (!hosts_in.empty()) wrong("I5: a host route outside any site");
  }

  void check_counts() {
    for (const auto& [prefix, value] : store_.short_) count_value(value);
    if (store_.state_.small)
      for (const auto& [prefix, value] : store_.small_) count_value(value);
    if (prefixes_ != store_.state_.size)
      wrong("I7: " + std::to_string(prefixes_) + " prefixes, size is " +
            std::to_string(store_.state_.size));
    if (wide_.size() != store_.wide_.size()) wrong("I6: wide values miscounted");
  }

  const Store& store_;
  const Nodes& nodes_;
  std::unordered_set<Line> seen_;
  std::unordered_set<Word> wide_;
  std::map<Word, std::size_t> short_uses_;
  std::size_t prefixes_ = 0;
  std::size_t hash_bytes_ = 0;
  std::optional<std::string> wrong_;
};

template <class Address>
std::optional<std::string> Store<Address>::verify() const {
  return Verifier(*this).run();
}

template std::vector<Store<Address4>::Coded> Store<Address4>::coded_routes() const;
template std::vector<Route<Address4>> Store<Address4>::routes() const;
template std::size_t Store<Address4>::copies_bytes() const noexcept;
template Fib<Address4>::Usage Store<Address4>::usage() const;
template std::vector<MemoryPart> Store<Address4>::memory_by_level() const;
template std::vector<std::size_t> Store<Address4>::depth_histogram() const;
template std::vector<LookupStep> Store<Address4>::path(Address4) const;
template std::optional<std::string> Store<Address4>::verify() const;
template std::vector<Route<Address6>> Store<Address6>::routes() const;
template std::size_t Store<Address6>::copies_bytes() const noexcept;
template Fib<Address6>::Usage Store<Address6>::usage() const;
template std::vector<MemoryPart> Store<Address6>::memory_by_level() const;
template std::vector<std::size_t> Store<Address6>::depth_histogram() const;
template std::vector<LookupStep> Store<Address6>::path(Address6) const;
template std::optional<std::string> Store<Address6>::verify() const;

}  // namespace lpm::detail

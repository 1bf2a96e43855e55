// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "lpm/address.hpp"
#include "lpm/hash_table.hpp"
#include "lpm/node.hpp"
#include "lpm/record.hpp"

// What a reader knows of one generation, and the lookups. These are compiled several times, once
// for each instruction set; best_kernels() picks.
namespace lpm::detail {

struct HashView {
  const Line* directory;
  unsigned directory_bits;
  HashSeed seed;
};

struct View4 {
  const std::byte* base;
  // small: 2^16 words, each the place (in words from `base`, with kChild) of a dense node of 256
  // words, or a value; the words of the node likewise.
  // Else: 2^18 words, each the place of a record (record.hpp). A word of a record names a node
  // (node.hpp) or is a value.
  const Word* root;
  const Word* wide;  // the values that do not fit into a Word of a node
  bool small;
  bool has_wide;
};

struct View6 {
  const std::byte* base;
  const Word* root;  // 2^16 words: a node, or the value of the longest prefix of up to 16 bits
  const Word* wide;
  // The blocks of 48 bits that have a prefix of 48 bits or more. Entry: key (the bits, in the top
  // of 64), value of the prefix of exactly 48 bits or 0, child and kSiteHasHosts, number of host
  // routes.
  HashView sites;
  // The prefixes of 128 bits. Entry: key (high, low), value.
  HashView hosts;
  bool has_hosts;
  bool has_wide;
  bool large;  // beyond the caches near a core: prefetch
};
// In the second word behind the key of a site, beside the Word of the node for the prefixes of 49
// to 127 bits: that there are prefixes of 128 bits.
inline constexpr Word kSiteHasHosts = Word{1} << 29;

template <class View, class Address>
using LookupBurst = void (*)(const View& view, const Address* addresses, Word* values,
                             std::size_t count) noexcept;
template <class View, class Address>
using LookupOne = Word (*)(const View& view, Address address) noexcept;
template <class Address>
struct ViewFor;
template <>
struct ViewFor<Address4> {
  using Type = View4;
};
template <>
struct ViewFor<Address6> {
  using Type = View6;
};
template <class Address>
using ViewOf = typename ViewFor<Address>::Type;
// One and a burst (up to 64) of each family; the same answers from all tables of functions.
struct Kernels {
  const char* name;
  LookupOne<View4, Address4> one4;
  LookupBurst<View4, Address4> burst4;
  LookupOne<View6, Address6> one6;
  LookupBurst<View6, Address6> burst6;
};
extern const Kernels kPortableKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
// Widest first; those that this processor can run.
[[nodiscard]] const Kernels* const* usable_kernels(std::size_t& count) noexcept;

}  // namespace lpm::detail

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lpm/fib.hpp"

// The tables and the keys of the benchmark of lookups: the same at every run.
namespace bench {

inline constexpr std::size_t kKeyCount = std::size_t{1} << 20;

template <class Address>
struct Keys {
  std::string name;
  std::vector<Address> keys;  // kKeyCount
};

template <class Address>
struct LpmTable {
  std::vector<lpm::Route<Address>> routes;  // every prefix with a value of its own, 1, 2, ...
  std::vector<Keys<Address>> key_sets;
};

// One prefix a line, both families, as routing tables are published; lines that are none are
// passed over. Throws std::runtime_error if the file cannot be read.
template <class Address>
[[nodiscard]] std::vector<lpm::Prefix<Address>> read_prefixes(const std::string& path);

// `count` bindings: a prefix (/24 or /48) to 19 of its host addresses. Those of IPv6 lie in four
// /64, half of them low numbers. The prefixes are drawn from `internet`, or at random where that
// has too few. Keys:
//   half  a quarter are bound hosts, a quarter lie in bound prefixes, the rest elsewhere (IPv6: in
//         prefixes of `internet`, if there are any)
//   all   half are bound hosts, half lie in bound prefixes
template <class Address>
[[nodiscard]] LpmTable<Address> binding_table(std::size_t count,
                                              const std::vector<lpm::Prefix<Address>>& internet);

// A routing table of the Internet. Keys:
//   uniform  (IPv4) any unicast address
//   prefix   inside a prefix drawn at random
//   zipf     of 262,144 such addresses, drawn by Zipf's law with exponent 1.05
//   seq      inside the prefixes, one after the other in order of address
template <class Address>
[[nodiscard]] LpmTable<Address> internet_table(const std::vector<lpm::Prefix<Address>>& internet);

extern template LpmTable<lpm::Address4> binding_table(std::size_t,
                                                      const std::vector<lpm::Prefix4>&);
extern template LpmTable<lpm::Address6> binding_table(std::size_t,
                                                      const std::vector<lpm::Prefix6>&);
extern template LpmTable<lpm::Address4> internet_table(const std::vector<lpm::Prefix4>&);
extern template LpmTable<lpm::Address6> internet_table(const std::vector<lpm::Prefix6>&);
extern template std::vector<lpm::Prefix4> read_prefixes(const std::string&);
extern template std::vector<lpm::Prefix6> read_prefixes(const std::string&);

}  // namespace bench

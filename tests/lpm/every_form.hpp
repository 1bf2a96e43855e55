// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "lpm/trie.hpp"

namespace every_form {

// One by one, and in bursts of 1, 2, 3, ... (1 again after 64), with each instruction set: the same
// answers. False, and a failure of the test, where one differs.
template <class Address>
[[nodiscard]] bool answers(const lpm::Trie<Address>& trie, std::span<const Address> addresses,
                           std::span<const lpm::Value> expected) {
  for (const auto name : lpm::Trie<Address>::instruction_sets()) {
    const auto form = trie.with_instruction_set(name);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const lpm::Value value = form.lookup(addresses[i]);
      if (value == expected[i]) continue;
      ADD_FAILURE() << name << ": " << to_string(addresses[i]) << " gives " << value
                    << " instead of " << expected[i];
      return false;
    }
    std::vector<lpm::Value> values(addresses.size());
    for (std::size_t begin = 0, size = 0; begin < addresses.size(); begin += size) {
      size = std::min(size % lpm::Trie<Address>::kBurstMax + 1, addresses.size() - begin);
      form.lookup_burst(addresses.subspan(begin, size), std::span(values).subspan(begin, size));
    }
    const auto wrong = std::ranges::mismatch(values, expected);
    if (wrong.in1 == values.end()) continue;
    const auto i = static_cast<std::size_t>(wrong.in1 - values.begin());
    ADD_FAILURE() << name << ", in a burst: " << to_string(addresses[i]) << " gives " << values[i]
                  << " instead of " << expected[i];
    return false;
  }
  return true;
}

template <class Address>
[[nodiscard]] bool agrees(const lpm::Trie<Address>& trie, const auto& oracle,
                          std::span<const Address> addresses) {
  std::vector<lpm::Value> expected;
  expected.reserve(addresses.size());
  for (const Address address : addresses) expected.push_back(oracle.lookup(address));
  return answers<Address>(trie, addresses, expected);
}

}  // namespace every_form

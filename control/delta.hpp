// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "control/bindings.hpp"

namespace control {

class BindingSet;

enum class PrefixState : std::uint8_t {
  absent,   // not onboarded
  pending,  // without a default binding: known, but not steered
  steered,
};

// What is different between two states of a BindingSet, whatever way led from the one to the other.
struct Delta {
  using OfBinding = BindingChange;
  struct OfPrefix {
    lpm::AnyPrefix prefix;
    PrefixState before = PrefixState::absent;
    PrefixState after = PrefixState::absent;

    friend bool operator==(const OfPrefix&, const OfPrefix&) = default;
  };

  // Each sorted, each CIDR once; only what is different.
  std::vector<OfBinding> bindings;
  std::vector<OfPrefix> prefixes;

  [[nodiscard]] bool empty() const noexcept { return bindings.empty() && prefixes.empty(); }
  friend bool operator==(const Delta&, const Delta&) = default;
};

// For states that no change set connects, such as two readings of a file. O(bindings), but for
// prefixes whose bindings both share, which cost nothing. Throws std::bad_alloc.
[[nodiscard]] Delta difference(const BindingSet& before, const BindingSet& after);

// Puts a Delta together, prefix by prefix, in their order. Throws std::bad_alloc.
class DeltaMaker {
 public:
  // The bindings of a prefix, null where it is not onboarded. O(n) of both.
  void add(const lpm::AnyPrefix& prefix, const Bindings* before, const Bindings* after);
  // The same where the difference is known, sorted.
  void add(const Delta::OfPrefix& prefix, std::vector<BindingChange>&& changes);
  [[nodiscard]] Delta take();

 private:
  Delta delta_;
};

[[nodiscard]] PrefixState state_of(const Bindings* bindings) noexcept;

}  // namespace control

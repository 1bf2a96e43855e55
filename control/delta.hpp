// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "control/binding.hpp"

namespace control {

class BindingSet;

enum class PrefixState : std::uint8_t {
  absent,   // not onboarded
  pending,  // without a default binding: known, but not steered
  steered,
};

// What is different between two states of a BindingSet, whatever way led from the one to the other.
struct Delta {
  // Of the binding on one CIDR. It was added (no before), removed (no after) or changed its
  // service.
  struct OfBinding {
    lpm::AnyPrefix cidr;
    std::optional<dataplane::Service> before;
    std::optional<dataplane::Service> after;

    friend bool operator==(const OfBinding&, const OfBinding&) = default;
  };
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

// Puts a Delta together, prefix by prefix.
class DeltaMaker {
 public:
  // The bindings of a prefix, null where it is not onboarded. O(n) of both; throws std::bad_alloc.
  void add(const lpm::AnyPrefix& prefix, const Bindings* before, const Bindings* after);
  // The prefixes must have come in their order.
  [[nodiscard]] Delta take();

 private:
  Delta delta_;
};

}  // namespace control

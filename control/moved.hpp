// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "control/binding_set.hpp"
#include "control/delta.hpp"

// How many addresses a change set gives another service.
namespace control {

// A number of addresses of one family: up to 2^125, what can be onboarded of IPv6.
__extension__ using AddressNumber = unsigned __int128;

struct Addresses {
  AddressNumber v4 = 0;
  AddressNumber v6 = 0;

  // Of the family of `cidr`.
  [[nodiscard]] AddressNumber& of(const lpm::AnyPrefix& cidr) noexcept {
    return std::holds_alternative<lpm::Prefix4>(cidr) ? v4 : v6;
  }
  friend bool operator==(const Addresses&, const Addresses&) = default;
};
[[nodiscard]] AddressNumber size_of(const lpm::AnyPrefix& cidr) noexcept;

struct Moved {
  // A binding that is deleted or gets another service, and the addresses for which it was the one
  // that decided, and that another service, or none, has afterwards.
  struct Taken {
    lpm::AnyPrefix cidr;
    dataplane::Service before = dataplane::Service::magic_transit;
    std::optional<dataplane::Service> after;
    AddressNumber addresses = 0;
  };

  // All addresses whose service is another afterwards; "none" is one of its own here.
  Addresses addresses;
  std::vector<Taken> taken;
};

// delta: from `before` to any other state. O(n log n) for n changes and the bindings directly below
// them; where most of a prefix changes, its bindings. Throws std::bad_alloc.
[[nodiscard]] Moved moved_by(const BindingSet& before, const Delta& delta);

}  // namespace control

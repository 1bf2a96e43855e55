// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <variant>

#include "dataplane/service.hpp"
#include "lpm/prefix.hpp"

namespace control {

// CIDR -> service. Where the CIDR equals its prefix it is the prefix's default binding.
struct Binding {
  lpm::AnyPrefix cidr;
  dataplane::Service service = dataplane::Service::magic_transit;

  friend bool operator==(const Binding&, const Binding&) = default;
};

// What becomes of the binding on one CIDR: it is added (no before), removed (no after) or gets
// another service.
struct BindingChange {
  lpm::AnyPrefix cidr;
  std::optional<dataplane::Service> before;
  std::optional<dataplane::Service> after;

  friend bool operator==(const BindingChange&, const BindingChange&) = default;
};

// True also for equal blocks; false for blocks of different families.
[[nodiscard]] inline bool contains(const lpm::AnyPrefix& outer,
                                   const lpm::AnyPrefix& inner) noexcept {
  if (const auto* const outer4 = std::get_if<lpm::Prefix4>(&outer)) {
    const auto* const inner4 = std::get_if<lpm::Prefix4>(&inner);
    return inner4 != nullptr && outer4->contains(*inner4);
  }
  const auto* const outer6 = std::get_if<lpm::Prefix6>(&outer);
  const auto* const inner6 = std::get_if<lpm::Prefix6>(&inner);
  return outer6 != nullptr && inner6 != nullptr && outer6->contains(*inner6);
}

}  // namespace control

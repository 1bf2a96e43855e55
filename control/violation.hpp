// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace control {

// Why a change is refused; the numbers in the comments are rules of the semantics, section 3.
enum class ViolationCode : std::uint8_t {
  malformed_cidr,      // 4
  host_bits_set,       // 4
  unknown_service,     // 4
  prefix_too_long,     // 5
  prefix_not_allowed,  // 5: multicast, link-local, loopback, ...
  prefix_exists,       // 4
  prefix_overlaps,     // 4
  prefix_not_found,
  prefix_not_empty,             // 6: bindings left, and no cascade
  missing_default,              // 1: the first binding of a prefix is not the prefix
  outside_prefix,               // 4
  magic_transit_below_default,  // 2
  same_service_as_cover,        // 2
  binding_exists,               // 3
  binding_not_found,
  binding_in_the_way,  // 6: rule 1 or 2 would break for a binding below
  too_many_bindings,
};

// Which part of a change is wrong.
enum class Field : std::uint8_t { prefix, cidr, service };

struct Violation {
  ViolationCode code = ViolationCode::malformed_cidr;
  std::size_t change = 0;  // index into the change set
  Field field = Field::cidr;
  std::string value;    // the offending one
  std::string message;  // for the operator: what, which value, what is allowed or in the way
};

// Collects violations. One change in one way wrong is reported once, however many bindings it
// breaks: the first is named. Not thread safe.
class Violations {
 public:
  // O(log n).
  void add(Violation&& violation);

  [[nodiscard]] bool empty() const noexcept { return violations_.empty(); }
  // All of them, in the order of the changes. Leaves this empty.
  [[nodiscard]] std::vector<Violation> take();

 private:
  // By change and code.
  std::map<std::pair<std::size_t, ViolationCode>, Violation> violations_;
};

}  // namespace control

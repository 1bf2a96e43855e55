// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "control/violation.hpp"
#include "dataplane/service.hpp"
#include "dataplane/table.hpp"

// Which bindings may exist (semantics, section 3): what can be said of a text or a block alone.
// What bindings of one prefix may stand beside each other is in judge.hpp, and overlap of prefixes
// in the BindingSet, which knows the neighbours. Pure functions.
namespace control {

struct BindingRules {
  // Longest prefixes that can be onboarded, 0 to 32 and 0 to 128 bits; bindings may be longer.
  unsigned longest_prefix4 = 24;
  unsigned longest_prefix6 = 48;
  // Bindings in all. 0 to Match::kBindingsMax, more counts as that: a Match has no room for more.
  std::uint32_t bindings_max = dataplane::Match::kBindingsMax;
};

struct Problem {
  ViolationCode code = ViolationCode::malformed_cidr;
  std::string message;
};

// Text from an operator to values: rule 4.
[[nodiscard]] std::expected<lpm::AnyPrefix, Problem> read_cidr(std::string_view text);
[[nodiscard]] std::expected<dataplane::Service, Problem> read_service(std::string_view text);

// What can be said of a prefix: letters, digits and -, 1 to kAccountBytesMax of them; a description
// and the number of a letter of authority of at most so much.
inline constexpr std::size_t kAccountBytesMax = 36;
inline constexpr std::size_t kDescriptionCharactersMax = 1000;
inline constexpr std::size_t kLoaBytesMax = 255;
[[nodiscard]] bool is_account(std::string_view text) noexcept;
// Characters (code points) of valid UTF-8.
[[nodiscard]] std::size_t characters_in(std::string_view text) noexcept;

// Rule 5: whether a block can be onboarded at all.
[[nodiscard]] std::optional<Problem> judge_prefix(const lpm::AnyPrefix& prefix,
                                                  const BindingRules& rules);

}  // namespace control

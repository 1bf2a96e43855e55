// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "dataplane/service.hpp"
#include "lpm/route_set.hpp"

namespace dataplane {

// The value that the tries hold for a prefix, in one word:
//   bits 0-1   Service, 0: no binding
//   bit  2     local scope: multicast, link-local, loopback, limited broadcast
//   bit  3     an address of the host itself: not in the tries, but added where it matters, see
//              HostAddresses
//   bit  4     inside an onboarded prefix that has no default binding yet (pending); no service
//   bits 5-28  number of the binding, 1 to kBindingsMax; 0: no binding
//   bits 29-31 zero: the tries hold values of up to 30 bits in place (lpm/README.md)
class Match {
 public:
  static constexpr std::uint32_t kBindingsMax = (1U << 24) - 1;
  static constexpr std::uint32_t kLocalScope = 1U << 2;
  static constexpr std::uint32_t kHostAddress = 1U << 3;
  static constexpr std::uint32_t kPendingPrefix = 1U << 4;
  // Matches differ for a decision in these bits only.
  static constexpr std::uint32_t kDecisionMask = 0x1f;

  constexpr Match() noexcept = default;
  explicit constexpr Match(lpm::Value word) noexcept : word_(word) {}
  // binding: 1 to kBindingsMax.
  [[nodiscard]] static constexpr Match of(Service service, std::uint32_t binding) noexcept {
    return Match(static_cast<std::uint32_t>(service) | binding << 5);
  }

  [[nodiscard]] constexpr bool is_bound() const noexcept { return (word_ & 3) != 0; }
  // Of a prefix that is steered, or pending.
  [[nodiscard]] constexpr bool is_inside_prefix() const noexcept {
    return is_bound() || (word_ & kPendingPrefix) != 0;
  }
  // Only where is_bound().
  [[nodiscard]] constexpr Service service() const noexcept {
    return static_cast<Service>(word_ & 3);
  }
  [[nodiscard]] constexpr std::uint32_t binding() const noexcept { return word_ >> 5; }
  [[nodiscard]] constexpr lpm::Value word() const noexcept { return word_; }

  friend constexpr bool operator==(Match, Match) = default;

 private:
  lpm::Value word_ = 0;
};

}  // namespace dataplane

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>

#include "dataplane/service.hpp"
#include "dataplane/verdict.hpp"
#include "lpm/trie.hpp"

namespace dataplane {

// The value that the tries hold for a prefix, in one word:
//   bits 0-1   Service, 0: no binding
//   bit  2     local scope: multicast, link-local, loopback, limited broadcast
//   bit  3     an address of the host itself (matters on ports with a kernel path)
//   bit  4     inside an onboarded prefix that has no default binding yet (pending); no service
//   bits 5-7   zero
//   bits 8-31  number of the binding, 1 to kBindingsMax; 0: no binding
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
    return Match(static_cast<std::uint32_t>(service) | binding << 8);
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
  [[nodiscard]] constexpr std::uint32_t binding() const noexcept { return word_ >> 8; }
  [[nodiscard]] constexpr lpm::Value word() const noexcept { return word_; }

  friend constexpr bool operator==(Match, Match) = default;

 private:
  lpm::Value word_ = 0;
};

enum class Direction : std::uint8_t { ingress, egress };

using PortSet = std::bitset<65536>;
[[nodiscard]] PortSet ports(std::initializer_list<std::uint16_t> numbers);

// How packets are treated beyond their bindings (semantics, section 2). Part of the table, so that
// a change of settings takes effect like a change of bindings: for whole bursts, at one generation.
struct Settings {
  enum class CdnAccept : std::uint8_t { any, http };
  enum class SpectrumAccept : std::uint8_t { any, tcp_udp };
  // What happens where no binding covers the destination; kernel becomes drop on a port without a
  // kernel path.
  enum class Unknown : std::uint8_t { drop, kernel, magic_transit };

  CdnAccept cdn_accept = CdnAccept::any;
  SpectrumAccept spectrum_accept = SpectrumAccept::any;
  Unknown unmatched = Unknown::kernel;              // ingress
  Unknown egress_unknown = Unknown::magic_transit;  // egress
  bool verify_checksum = false;                     // of the IPv4 header
  // The ports that are HTTP where cdn_accept is http: the ones that the CDN listens on.
  PortSet http_tcp = ports({80, 8080, 8880, 2052, 2082, 2086, 2095,  //
                            443, 2053, 2083, 2087, 2096, 8443});
  PortSet http_udp = ports({443});
};

// Everything a worker needs to decide packets. Immutable to its readers once it is published: any
// number of threads may read, and one burst is decided by one table.
class Table {
 public:
  // `routes4` and `routes6` carry Match words. Adds the local-scope blocks by itself; they cannot
  // be onboarded, so that nothing in `routes` lies inside them (host addresses excepted, which
  // win). binding_count: bindings are numbered 1 to binding_count.
  Table(std::uint64_t generation, const Settings& settings, lpm::RouteSet4 routes4,
        lpm::RouteSet6 routes6, std::uint32_t binding_count);

  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  [[nodiscard]] std::uint32_t binding_count() const noexcept { return binding_count_; }
  [[nodiscard]] const lpm::Trie4& trie4() const noexcept { return trie4_; }
  [[nodiscard]] const lpm::Trie6& trie6() const noexcept { return trie6_; }

  // The verdict that rows 3 to 8 of the semantics give to a match, by match.word() & kDecisionMask,
  // before `accept` and neighbour discovery are considered.
  using Decisions = std::array<Verdict, Match::kDecisionMask + 1>;
  [[nodiscard]] const Decisions& decisions(Direction direction, bool kernel_path) const noexcept {
    return decisions_[static_cast<std::size_t>(direction)][kernel_path ? 1 : 0];
  }

  // True where `accept` has to be judged for packets bound to this service.
  [[nodiscard]] bool is_narrow(Service service) const noexcept {
    return (narrow_services_ >> static_cast<unsigned>(service) & 1) != 0;
  }
  [[nodiscard]] bool has_narrow_services() const noexcept { return narrow_services_ != 0; }

 private:
  std::uint64_t generation_;
  Settings settings_;
  std::uint32_t binding_count_;
  std::uint32_t narrow_services_ = 0;  // bit per Service number
  std::array<std::array<Decisions, 2>, 2> decisions_{};
  lpm::Trie4 trie4_;
  lpm::Trie6 trie6_;
};

}  // namespace dataplane

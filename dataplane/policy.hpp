// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "dataplane/host_addresses.hpp"
#include "dataplane/match.hpp"
#include "dataplane/service.hpp"
#include "dataplane/verdict.hpp"

namespace dataplane {

enum class Direction : std::uint8_t { ingress, egress };

using PortSet = std::bitset<65536>;
[[nodiscard]] PortSet ports(std::initializer_list<std::uint16_t> numbers);

// How packets are treated beyond their bindings (semantics, section 2).
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

  friend bool operator==(const Settings&, const Settings&) = default;
};

// What settings make of a match, and which addresses are the host's own. Part of the table, so that
// a change of settings takes effect like a change of bindings: for whole bursts, at one generation.
// Immutable, and shared by the tables of one configuration: 17 KiB that are not copied with each,
// and stay in the workers' caches when the table changes.
class Policy {
 public:
  explicit Policy(const Settings& settings, HostAddresses hosts = {});

  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  // They count where a port has a kernel path.
  [[nodiscard]] const HostAddresses& host_addresses() const noexcept { return hosts_; }

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
  std::array<std::array<Decisions, 2>, 2> decisions_{};
  std::uint32_t narrow_services_ = 0;  // bit per Service number
  Settings settings_;
  HostAddresses hosts_;
};

}  // namespace dataplane

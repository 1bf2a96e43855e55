// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// What happened to one packet. A Verdict is an outcome together with its reason; every packet gets
// exactly one, and one counter belongs to each (semantics: "the balance").
namespace dataplane {

// Where a packet went. The first three are the output queues of the services, in that order.
enum class Outcome : std::uint8_t { magic_transit, cdn, spectrum, kernel, drop };
inline constexpr std::size_t kOutcomes = 5;

[[nodiscard]] constexpr std::string_view name_of(Outcome outcome) noexcept {
  constexpr std::array<std::string_view, kOutcomes> kNames{"magic_transit", "cdn", "spectrum",
                                                           "kernel", "drop"};
  return kNames[static_cast<std::size_t>(outcome)];
}

enum class Verdict : std::uint8_t {
  // Steered.
  magic_transit_bound,
  cdn_bound,
  spectrum_bound,
  magic_transit_not_accepted,    // the bound service does not take this traffic
  magic_transit_egress_inside,   // destination inside an onboarded prefix
  magic_transit_egress_outside,  // destination outside all of them
  magic_transit_unmatched,       // unmatched = magic_transit
  magic_transit_output_down,     // on-output-down = magic_transit
  // To the kernel, on ports that have a kernel path.
  kernel_not_ip,
  kernel_no_role,
  kernel_local_scope,
  kernel_host_address,
  kernel_neighbour_discovery,
  kernel_egress_unknown,
  kernel_unmatched,
  kernel_ttl_expired,
  kernel_too_big,
  // Dropped by what they are or by configuration.
  drop_malformed_ethernet,          // frame shorter than its Ethernet header or VLAN tags
  drop_malformed_ip_truncated,      // frame or captured part ends inside the IP header
  drop_malformed_ip_version,        // version field contradicts the EtherType
  drop_malformed_ip_header_length,  // IPv4 IHL under 5, or longer than the packet
  drop_malformed_ip_length,         // total, payload or jumbo payload length contradicts the frame
  drop_ip_checksum,
  drop_not_ip,
  drop_no_role,
  drop_local_scope,
  drop_egress_unknown,
  drop_unmatched,
  drop_ttl_expired,  // at its last hop before an output that rewrites
  // Dropped because the output queue was full; in the order of Outcome, as those that follow.
  drop_magic_transit_queue_full,
  drop_cdn_queue_full,
  drop_spectrum_queue_full,
  drop_kernel_queue_full,
  // Larger than the output's MTU.
  drop_magic_transit_too_big,
  drop_cdn_too_big,
  drop_spectrum_too_big,
  // The output's link is down, its consumer is dead, or there is none.
  drop_magic_transit_down,
  drop_cdn_down,
  drop_spectrum_down,
  // The MAC address of the output's next hop is not known.
  drop_magic_transit_unresolved,
  drop_cdn_unresolved,
  drop_spectrum_unresolved,
};
inline constexpr std::size_t kVerdicts =
    static_cast<std::size_t>(Verdict::drop_spectrum_unresolved) + 1;

struct VerdictInfo {
  Outcome outcome;
  std::string_view reason;  // as in counters and verdict files
};

namespace detail {
inline constexpr std::array<VerdictInfo, kVerdicts> kVerdictInfos{{
    {Outcome::magic_transit, "bound"},
    {Outcome::cdn, "bound"},
    {Outcome::spectrum, "bound"},
    {Outcome::magic_transit, "not_accepted"},
    {Outcome::magic_transit, "egress"},
    {Outcome::magic_transit, "egress"},
    {Outcome::magic_transit, "unmatched"},
    {Outcome::magic_transit, "output_down"},
    {Outcome::kernel, "not_ip"},
    {Outcome::kernel, "no_role"},
    {Outcome::kernel, "local_scope"},
    {Outcome::kernel, "host_address"},
    {Outcome::kernel, "neighbour_discovery"},
    {Outcome::kernel, "egress_unknown"},
    {Outcome::kernel, "unmatched"},
    {Outcome::kernel, "ttl_expired"},
    {Outcome::kernel, "too_big"},
    {Outcome::drop, "malformed_ethernet"},
    {Outcome::drop, "malformed_ip_truncated"},
    {Outcome::drop, "malformed_ip_version"},
    {Outcome::drop, "malformed_ip_header_length"},
    {Outcome::drop, "malformed_ip_length"},
    {Outcome::drop, "ip_checksum"},
    {Outcome::drop, "not_ip"},
    {Outcome::drop, "no_role"},
    {Outcome::drop, "local_scope"},
    {Outcome::drop, "egress_unknown"},
    {Outcome::drop, "unmatched"},
    {Outcome::drop, "ttl_expired"},
    {Outcome::drop, "magic_transit_queue_full"},
    {Outcome::drop, "cdn_queue_full"},
    {Outcome::drop, "spectrum_queue_full"},
    {Outcome::drop, "kernel_queue_full"},
    {Outcome::drop, "magic_transit_too_big"},
    {Outcome::drop, "cdn_too_big"},
    {Outcome::drop, "spectrum_too_big"},
    {Outcome::drop, "magic_transit_down"},
    {Outcome::drop, "cdn_down"},
    {Outcome::drop, "spectrum_down"},
    {Outcome::drop, "magic_transit_unresolved"},
    {Outcome::drop, "cdn_unresolved"},
    {Outcome::drop, "spectrum_unresolved"},
}};
}  // namespace detail

[[nodiscard]] constexpr const VerdictInfo& info_of(Verdict verdict) noexcept {
  return detail::kVerdictInfos[static_cast<std::size_t>(verdict)];
}
[[nodiscard]] constexpr Outcome outcome_of(Verdict verdict) noexcept {
  return info_of(verdict).outcome;
}
[[nodiscard]] constexpr std::string_view reason_of(Verdict verdict) noexcept {
  return info_of(verdict).reason;
}

namespace detail {
[[nodiscard]] constexpr Verdict by_outcome(Verdict of_magic_transit, Outcome outcome) noexcept {
  return static_cast<Verdict>(static_cast<std::size_t>(of_magic_transit) +
                              static_cast<std::size_t>(outcome));
}
}  // namespace detail

// The drop of a packet whose output queue was full. outcome: not drop.
[[nodiscard]] constexpr Verdict queue_full_of(Outcome outcome) noexcept {
  return detail::by_outcome(Verdict::drop_magic_transit_queue_full, outcome);
}
// Of a packet that its output cannot send. outcome: a service.
[[nodiscard]] constexpr Verdict too_big_of(Outcome outcome) noexcept {
  return detail::by_outcome(Verdict::drop_magic_transit_too_big, outcome);
}
[[nodiscard]] constexpr Verdict down_of(Outcome outcome) noexcept {
  return detail::by_outcome(Verdict::drop_magic_transit_down, outcome);
}
[[nodiscard]] constexpr Verdict unresolved_of(Outcome outcome) noexcept {
  return detail::by_outcome(Verdict::drop_magic_transit_unresolved, outcome);
}

}  // namespace dataplane

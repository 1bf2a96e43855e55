// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/policy.hpp"

#include <utility>

namespace dataplane {
namespace {

Verdict ingress_unmatched(Settings::Unknown unknown, bool kernel_path) noexcept {
  if (unknown == Settings::Unknown::magic_transit) return Verdict::magic_transit_unmatched;
  const bool to_kernel = unknown == Settings::Unknown::kernel && kernel_path;
  return to_kernel ? Verdict::kernel_unmatched : Verdict::drop_unmatched;
}

Verdict egress_outside(Settings::Unknown unknown, bool kernel_path) noexcept {
  if (unknown == Settings::Unknown::magic_transit) return Verdict::magic_transit_egress_outside;
  const bool to_kernel = unknown == Settings::Unknown::kernel && kernel_path;
  return to_kernel ? Verdict::kernel_egress_unknown : Verdict::drop_egress_unknown;
}

Verdict bound_to(Service service) noexcept {
  switch (service) {
    case Service::magic_transit:
      return Verdict::magic_transit_bound;
    case Service::cdn:
      return Verdict::cdn_bound;
    case Service::spectrum:
      return Verdict::spectrum_bound;
  }
  return Verdict::drop_unmatched;
}

// Rows 3 to 8 of the semantics; the first that fits decides.
Verdict decide(Match match, Direction direction, bool kernel_path,
               const Settings& settings) noexcept {
  if ((match.word() & Match::kLocalScope) != 0)
    return kernel_path ? Verdict::kernel_local_scope : Verdict::drop_local_scope;
  if ((match.word() & Match::kHostAddress) != 0 && kernel_path) return Verdict::kernel_host_address;
  if (direction == Direction::egress)
    return match.is_inside_prefix() ? Verdict::magic_transit_egress_inside
                                    : egress_outside(settings.egress_unknown, kernel_path);
  return match.is_bound() ? bound_to(match.service())
                          : ingress_unmatched(settings.unmatched, kernel_path);
}

std::uint32_t bit_of(Service service) noexcept {
  return 1U << static_cast<unsigned>(service);
}

}  // namespace

PortSet ports(std::initializer_list<std::uint16_t> numbers) {
  PortSet set;
  for (const std::uint16_t number : numbers) set.set(number);
  return set;
}

Policy::Policy(const Settings& settings, HostAddresses hosts)
    : settings_(settings), hosts_(std::move(hosts)) {
  if (settings.cdn_accept != Settings::CdnAccept::any) narrow_services_ |= bit_of(Service::cdn);
  if (settings.spectrum_accept != Settings::SpectrumAccept::any)
    narrow_services_ |= bit_of(Service::spectrum);
  for (const Direction direction : {Direction::ingress, Direction::egress})
    for (const bool kernel_path : {false, true})
      for (std::uint32_t bits = 0; bits <= Match::kDecisionMask; ++bits)
        decisions_[static_cast<std::size_t>(direction)][kernel_path ? 1 : 0][bits] =
            decide(Match(bits), direction, kernel_path, settings);
}

}  // namespace dataplane

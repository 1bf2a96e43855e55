// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/table.hpp"

#include <utility>

namespace dataplane {
namespace {

// Row 3 of the semantics. As routes they cost a packet nothing.
lpm::RouteSet4 with_local_scope(lpm::RouteSet4 routes) {
  const auto add = [&routes](std::uint32_t network, unsigned length) {
    routes.insert(lpm::Prefix4::enclosing({network}, length), Match::kLocalScope);
  };
  add(0x7f000000, 8);   // loopback, RFC 1122 section 3.2.1.3
  add(0xa9fe0000, 16);  // link-local, RFC 3927
  add(0xe0000000, 4);   // multicast, RFC 5771
  add(0xffffffff, 32);  // limited broadcast, RFC 919
  return routes;
}

lpm::RouteSet6 with_local_scope(lpm::RouteSet6 routes) {
  const auto add = [&routes](lpm::Address6 network, unsigned length) {
    routes.insert(lpm::Prefix6::enclosing(network, length), Match::kLocalScope);
  };
  add({0, 1}, 128);                  // loopback, RFC 4291 section 2.5.3
  add({0xfe80000000000000, 0}, 10);  // link-local, RFC 4291 section 2.5.6
  add({0xff00000000000000, 0}, 8);   // multicast, RFC 4291 section 2.7
  return routes;
}

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

Table::Table(std::uint64_t generation, const Settings& settings, lpm::RouteSet4 routes4,
             lpm::RouteSet6 routes6, std::uint32_t binding_count)
    : generation_(generation),
      settings_(settings),
      binding_count_(binding_count),
      trie4_(with_local_scope(std::move(routes4))),
      trie6_(with_local_scope(std::move(routes6))) {
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

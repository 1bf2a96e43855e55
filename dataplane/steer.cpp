// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/steer.hpp"

#include <array>

#include "dataplane/accept.hpp"
#include "dataplane/parse.hpp"

namespace dataplane {
namespace {

// The frames of a burst that have an address to look up, by address family.
template <class Address>
struct Lookups {
  std::size_t count = 0;
  std::array<Address, kBurstMax> keys;
  std::array<lpm::Value, kBurstMax> values;
  std::array<std::uint8_t, kBurstMax> frame;  // index into the burst
  std::array<Direction, kBurstMax> direction;

  void add(Address key, std::size_t index, Direction role) noexcept {
    keys[count] = key;
    frame[count] = static_cast<std::uint8_t>(index);
    direction[count] = role;
    ++count;
  }
};

struct Burst {
  std::array<Parsed, kBurstMax> parsed;
  Lookups<lpm::Address4> lookups4;
  Lookups<lpm::Address6> lookups6;
};

std::optional<Direction> role_of(const Port& port, std::uint16_t vlan) noexcept {
  if (vlan == 0 || port.vlan_roles == nullptr) return port.role;
  return (*port.vlan_roles)[vlan];
}

Verdict refusal(const Parsed& parsed, bool kernel_path) noexcept {
  const bool to_kernel = kernel_path && parsed.error == Verdict::drop_not_ip;
  return to_kernel ? Verdict::kernel_not_ip : parsed.error;
}

bool has_wrong_checksum(const Frame& frame, const Parsed& parsed) noexcept {
  if (parsed.network != Network::ipv4 || frame.ip_checksum == ChecksumStatus::good) return false;
  return frame.ip_checksum == ChecksumStatus::bad || !ip_checksum_is_right(frame, parsed);
}

// Rows 1 and 2: what gets no further is decided, the rest is queued for its lookup.
void classify(const Table& table, const Port& port, std::span<const Frame> frames,
              std::span<Decision> decisions, Burst& burst) noexcept {
  const bool verify_checksum = table.settings().verify_checksum;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Frame& frame = frames[i];
    const Parsed parsed = burst.parsed[i] = parse(frame);
    if (parsed.network == Network::none) [[unlikely]] {
      decisions[i] = {refusal(parsed, port.kernel_path), Match()};
      continue;
    }
    const std::optional<Direction> role = role_of(port, parsed.vlan);
    if (!role) [[unlikely]] {
      decisions[i] = {port.kernel_path ? Verdict::kernel_no_role : Verdict::drop_no_role, Match()};
      continue;
    }
    if (verify_checksum && has_wrong_checksum(frame, parsed)) [[unlikely]] {
      decisions[i] = {Verdict::drop_ip_checksum, Match()};
      continue;
    }
    const std::uint8_t* const ip = frame.bytes + parsed.ip_offset;
    if (parsed.network == Network::ipv4)
      burst.lookups4.add(lpm::Address4::from_wire(ip + kIpv4Destination), i, *role);
    else
      burst.lookups6.add(lpm::Address6::from_wire(ip + kIpv6Destination), i, *role);
  }
}

// Rows 3 to 8, but for what needs a look behind the IP header.
template <class Address>
void look_up(const Table& table, const Port& port, const lpm::Trie<Address>& trie,
             Lookups<Address>& lookups, std::span<Decision> decisions) noexcept {
  const std::size_t count = lookups.count;
  if (count == 0) return;
  trie.lookup_burst({lookups.keys.data(), count}, {lookups.values.data(), count});
  const std::array by_direction{&table.decisions(Direction::ingress, port.kernel_path),
                                &table.decisions(Direction::egress, port.kernel_path)};
  for (std::size_t k = 0; k < count; ++k) {
    const Match match(lookups.values[k]);
    const Table::Decisions& verdicts =
        *by_direction[static_cast<std::size_t>(lookups.direction[k])];
    decisions[lookups.frame[k]] = {verdicts[match.word() & Match::kDecisionMask], match};
  }
}

// `accept`: packets that their service does not take flow through Magic Transit.
void judge_acceptance(const Table& table, std::span<const Frame> frames,
                      std::span<Decision> decisions, const Burst& burst) noexcept {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Decision& decision = decisions[i];
    if (decision.verdict != Verdict::cdn_bound && decision.verdict != Verdict::spectrum_bound)
      continue;
    const Service service = decision.match.service();
    if (!table.is_narrow(service)) continue;
    if (!accepts(table.settings(), service, parse_transport(frames[i], burst.parsed[i])))
      decision.verdict = Verdict::magic_transit_not_accepted;
  }
}

bool is_neighbour_discovery(const Frame& frame, const Parsed& parsed) noexcept {
  constexpr std::uint8_t kHopLimit = 255;  // RFC 4861 section 7.1: else it came through a router
  if (parsed.network != Network::ipv6 || frame.bytes[parsed.ip_offset + 7] != kHopLimit)
    return false;
  const std::optional<std::uint8_t> type = parse_transport(frame, parsed).icmp_type;
  return type && *type >= 133 && *type <= 137;
}

// Row 3, neighbour discovery: a duty of the host, whatever address it is sent to.
void give_neighbour_discovery_to_kernel(std::span<const Frame> frames,
                                        std::span<Decision> decisions,
                                        const Burst& burst) noexcept {
  for (std::size_t k = 0; k < burst.lookups6.count; ++k) {
    const std::size_t i = burst.lookups6.frame[k];
    Verdict& verdict = decisions[i].verdict;
    if (verdict == Verdict::kernel_local_scope || verdict == Verdict::kernel_host_address) continue;
    if (is_neighbour_discovery(frames[i], burst.parsed[i]))
      verdict = Verdict::kernel_neighbour_discovery;
  }
}

}  // namespace

void steer(const Table& table, const Port& port, std::span<const Frame> frames,
           std::span<Decision> decisions) noexcept {
  Burst burst;
  classify(table, port, frames, decisions, burst);
  look_up(table, port, table.trie4(), burst.lookups4, decisions);
  look_up(table, port, table.trie6(), burst.lookups6, decisions);
  if (table.has_narrow_services()) judge_acceptance(table, frames, decisions, burst);
  if (port.kernel_path) give_neighbour_discovery_to_kernel(frames, decisions, burst);
}

}  // namespace dataplane

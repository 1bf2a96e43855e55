// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/steer.hpp"

#include <optional>

#include "dataplane/accept.hpp"
#include "dataplane/steer_burst.hpp"

namespace dataplane {
namespace {

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

bool is_neighbour_discovery(const Frame& frame, const Parsed& parsed) noexcept {
  constexpr std::uint8_t kHopLimit = 255;  // RFC 4861 section 7.1: else it came through a router
  if (parsed.network != Network::ipv6 || frame.bytes[parsed.ip_offset + 7] != kHopLimit)
    return false;
  const std::optional<std::uint8_t> type = parse_transport(frame, parsed).icmp_type;
  return type && *type >= 133 && *type <= 137;
}

class FrameSource {
 public:
  explicit FrameSource(std::span<const Frame> frames) noexcept : frames_(frames) {}
  [[nodiscard]] std::size_t size() const noexcept { return frames_.size(); }
  [[nodiscard]] Head head(std::size_t i) const noexcept {
    return {frames_[i].bytes, frames_[i].captured, frames_[i].wire_length};
  }
  [[nodiscard]] const Frame& frame(std::size_t i) const noexcept { return frames_[i]; }

 private:
  std::span<const Frame> frames_;
};

}  // namespace

namespace detail {

// Rows 1 and 2.
void Rest::take(std::size_t i, const Frame& frame) noexcept {
  const Parsed parsed = parse(frame);
  if (parsed.network == Network::none) {
    decisions_[i] = {refusal(parsed, port_.kernel_path), Match()};
    return;
  }
  const std::optional<Direction> role = role_of(port_, parsed.vlan);
  if (!role) {
    decisions_[i] = {port_.kernel_path ? Verdict::kernel_no_role : Verdict::drop_no_role, Match()};
    return;
  }
  if (table_.settings().verify_checksum && has_wrong_checksum(frame, parsed)) {
    decisions_[i] = {Verdict::drop_ip_checksum, Match()};
    return;
  }
  const std::uint8_t* const ip = frame.bytes + parsed.ip_offset;
  const auto direction = static_cast<std::size_t>(*role);
  if (parsed.network == Network::ipv4)
    v4_[direction].add(ip + kIpv4Destination, i);
  else
    v6_[direction].add(ip + kIpv6Destination, i);
}

void Rest::finish() noexcept {
  const auto note = [this](std::size_t i, const Decision& decision) { decisions_[i] = decision; };
  for (const Direction direction : {Direction::ingress, Direction::egress}) {
    decide_all(deciders_of<lpm::Address4>(table_, direction, port_.kernel_path),
               v4_[static_cast<std::size_t>(direction)], note);
    decide_all(deciders_of<lpm::Address6>(table_, direction, port_.kernel_path),
               v6_[static_cast<std::size_t>(direction)], note);
  }
}

void Rest::judge_acceptance(std::size_t i, const Frame& frame) noexcept {
  Decision& decision = decisions_[i];
  if (!accepts(table_.settings(), decision.match.service(), parse_transport(frame, parse(frame))))
    decision.verdict = Verdict::magic_transit_not_accepted;
}

bool Rest::judge_plain(std::size_t i, const Head& head) noexcept {
  constexpr std::uint8_t kTcp = 6;
  constexpr std::uint8_t kUdp = 17;
  constexpr std::uint32_t kFragmentMask = 0x3fff;  // more fragments, and the offset
  constexpr std::uint32_t kPortsBytes = 4;
  const std::uint8_t* const bytes = beginning(head);
  const std::uint8_t* const ip = bytes + kEthernetBytes;
  std::uint8_t protocol = 0;
  std::uint32_t ports = 0;  // where they are, in the frame
  if (is_plain_ipv4(head, bytes)) {
    if ((read16(ip + 6) & kFragmentMask) != 0 || read16(ip + 2) < kIpv4BytesMin + kPortsBytes)
      return false;
    protocol = ip[9];
    ports = kEthernetBytes + kIpv4BytesMin;
  } else if (is_plain_ipv6(head, bytes)) {
    if (read16(ip + 4) < kPortsBytes) return false;
    protocol = ip[6];
    ports = kEthernetBytes + kIpv6Bytes;
  }
  if ((protocol != kTcp && protocol != kUdp) || head.captured < ports + kPortsBytes) return false;
  Decision& decision = decisions_[i];
  const auto port = static_cast<std::uint16_t>(read16(bytes + ports + 2));
  if (!accepts_datagram(table_.settings(), decision.match.service(), protocol, port))
    decision.verdict = Verdict::magic_transit_not_accepted;
  return true;
}

bool Rest::is_looked_up(std::size_t i) const noexcept {
  const Verdict verdict = decisions_[i].verdict;
  switch (outcome_of(verdict)) {
    case Outcome::kernel:  // not what row 3 has given to the kernel before
      return verdict == Verdict::kernel_egress_unknown || verdict == Verdict::kernel_unmatched;
    case Outcome::drop:
      return verdict == Verdict::drop_egress_unknown || verdict == Verdict::drop_unmatched;
    default:
      return true;
  }
}

void Rest::give_neighbour_discovery_to_kernel(std::size_t i, const Frame& frame) noexcept {
  if (is_neighbour_discovery(frame, parse(frame)))
    decisions_[i].verdict = Verdict::kernel_neighbour_discovery;
}

}  // namespace detail

void steer(const Table& table, const Port& port, std::span<const Frame> frames,
           std::span<Decision> decisions) noexcept {
  steer_burst(table, port, FrameSource(frames), decisions,
              [decisions](std::size_t i, const Decision& decision) { decisions[i] = decision; });
}

}  // namespace dataplane

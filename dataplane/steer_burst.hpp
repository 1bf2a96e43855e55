// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "dataplane/parse.hpp"
#include "dataplane/steer.hpp"

// How steer() decides a burst, for packets wherever they lie: a worker need not make a Frame of
// each. A Source is such a burst:
//   std::size_t size() const           at most kBurstMax
//   Head head(std::size_t i) const     what can be read at once
//   Frame frame(std::size_t i) const   all there is; asked of few packets
namespace dataplane {

// The beginning of a packet: see Frame.
struct Head {
  const std::uint8_t* bytes;
  std::uint32_t captured;
  std::uint32_t wire_length;
};

namespace detail {

// An array whose elements are written before they are read: to fill in defaults would cost more
// than to decide a packet.
template <class T, std::size_t kSize>
class Scratch {
 public:
  static_assert(std::is_trivially_destructible_v<T>);
  void set(std::size_t i, const T& value) noexcept {
    std::construct_at(reinterpret_cast<T*>(bytes_) + i, value);
  }
  // The first elements, all of which were set.
  [[nodiscard]] std::span<const T> first(std::size_t count) const noexcept {
    return {std::launder(reinterpret_cast<const T*>(bytes_)), count};
  }

 private:
  alignas(T) std::byte bytes_[kSize * sizeof(T)];
};

// Numbers of packets within their burst.
struct Numbers {
  std::size_t count = 0;
  std::uint8_t number[kBurstMax];

  [[nodiscard]] std::span<const std::uint8_t> all() const noexcept { return {number, count}; }
};

// The packets that have an address to look up, of one family.
template <class Address>
struct Lookups {
  Numbers packets;
  Scratch<Address, kBurstMax> keys;

  void add(const std::uint8_t* address, std::size_t number) noexcept {
    keys.set(packets.count, Address::from_wire(address));
    packets.number[packets.count++] = static_cast<std::uint8_t>(number);
  }
};

[[nodiscard]] inline std::uint64_t read64(const std::uint8_t* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

inline constexpr std::uint32_t kAtHand = kEthernetBytes + kIpv6Bytes;

// The packet's first bytes, kAtHand at least, or as many zeros if there are fewer.
[[nodiscard]] inline const std::uint8_t* beginning(const Head& head) noexcept {
  alignas(64) static constexpr std::uint8_t kNothing[kAtHand + 2]{};
  const bool is_long = head.captured >= kAtHand && head.wire_length >= head.captured;
  return is_long ? head.bytes : kNothing;
}

static_assert(std::endian::native == std::endian::little);

// Whether a frame is of IPv4 without options, untagged and with nothing strange about it, as nearly
// all are: parse() would say the same. bytes: its beginning(). No branch that could be
// mispredicted.
[[nodiscard]] inline bool is_plain_ipv4(const Head& head, const std::uint8_t* bytes) noexcept {
  // In the order of the bytes: EtherType, version and header length.
  constexpr std::uint32_t kMask = 0xffffff;
  constexpr std::uint32_t kWanted = 0x450008;
  const std::uint64_t word = read64(bytes + 12);
  const std::uint32_t length = __builtin_bswap16(static_cast<std::uint16_t>(word >> 32));
  const std::uint32_t room = head.wire_length - kEthernetBytes;
  return ((static_cast<std::uint32_t>(word) & kMask) == kWanted) &
         (length - kIpv4BytesMin <= room - kIpv4BytesMin);
}
// Likewise of IPv6.
[[nodiscard]] inline bool is_plain_ipv6(const Head& head, const std::uint8_t* bytes) noexcept {
  constexpr std::uint32_t kMask = 0xf0ffff;
  constexpr std::uint32_t kWanted = 0x60dd86;
  const std::uint64_t word = read64(bytes + 12);
  const std::uint32_t payload = __builtin_bswap16(static_cast<std::uint16_t>(word >> 48));
  const std::uint32_t room = head.wire_length - kEthernetBytes;
  return ((static_cast<std::uint32_t>(word) & kMask) == kWanted) & (payload != 0) &
         (payload + kIpv6Bytes <= room);
}

[[nodiscard]] inline const std::uint8_t* ipv4_destination(const std::uint8_t* bytes) noexcept {
  return bytes + kEthernetBytes + kIpv4Destination;
}

[[nodiscard]] inline const std::uint8_t* ipv6_destination(const std::uint8_t* bytes) noexcept {
  return bytes + kEthernetBytes + kIpv6Destination;
}

// What rows 3 to 8 say of a match, but for what needs a look behind the IP header.
[[nodiscard]] inline Decision decision_of(const Table::Decisions& verdicts,
                                          lpm::Value value) noexcept {
  return {verdicts[value & Match::kDecisionMask], Match(value)};
}

// What packets of one family and direction are decided by.
template <class Address>
struct Deciders {
  const lpm::Trie<Address>& trie;
  const Table::Decisions& verdicts;
  const AddressSet<Address>* hosts;  // null: no address is the host's
};

template <class Address>
[[nodiscard]] Deciders<Address> deciders_of(const Table& table, Direction direction,
                                            bool kernel_path) noexcept {
  const AddressSet<Address>& hosts = table.policy().host_addresses().of<Address>();
  return {.trie = table.trie<Address>(),
          .verdicts = table.decisions(direction, kernel_path),
          .hosts = kernel_path && !hosts.empty() ? &hosts : nullptr};
}

// values: one for each key.
template <class Address>
void look_up(const Deciders<Address>& by, std::span<const Address> keys,
             lpm::Value* values) noexcept {
  by.trie.lookup_burst(keys, {values, keys.size()});
  if (by.hosts != nullptr) by.hosts->mark(keys, values);
}

// The common case: decides a burst of nothing but plain packets of one family. False at the first
// other packet, with nothing done.
template <class Address, class Source, class Take>
[[nodiscard]] bool decide_if_all_plain(const Deciders<Address>& by, const Source& source,
                                       Take&& take) noexcept {
  constexpr bool kIs4 = Address::kBits == 32;
  Scratch<Address, kBurstMax> keys;
  const std::size_t size = source.size();
  for (std::size_t i = 0; i < size; ++i) {
    const Head head = source.head(i);
    const std::uint8_t* const bytes = beginning(head);
    if (!(kIs4 ? is_plain_ipv4(head, bytes) : is_plain_ipv6(head, bytes))) return false;
    keys.set(i, Address::from_wire(kIs4 ? ipv4_destination(bytes) : ipv6_destination(bytes)));
  }
  lpm::Value values[kBurstMax];
  look_up(by, keys.first(size), values);
  for (std::size_t i = 0; i < size; ++i) take(i, decision_of(by.verdicts, values[i]));
  return true;
}

template <class Source>
void sort_out_ipv4(const Source& source, Lookups<lpm::Address4>& v4, Numbers& others) noexcept {
  std::size_t count4 = 0;
  std::size_t count_others = 0;
  const std::size_t size = source.size();
  for (std::size_t i = 0; i < size; ++i) {
    const Head head = source.head(i);
    const std::uint8_t* const bytes = beginning(head);
    const bool is_wanted = is_plain_ipv4(head, bytes);
    v4.keys.set(count4, lpm::Address4::from_wire(ipv4_destination(bytes)));
    v4.packets.number[count4] = static_cast<std::uint8_t>(i);
    others.number[count_others] = static_cast<std::uint8_t>(i);
    count4 += is_wanted ? 1 : 0;
    count_others += is_wanted ? 0 : 1;
  }
  v4.packets.count = count4;
  others.count = count_others;
}

// Of what is left, the frames of IPv6, likewise. others: what was left, then what is.
template <class Source>
void sort_out_ipv6(const Source& source, Lookups<lpm::Address6>& v6, Numbers& others) noexcept {
  std::size_t count6 = 0;
  std::size_t count_others = 0;
  for (std::size_t k = 0; k < others.count; ++k) {
    const std::uint8_t i = others.number[k];
    const Head head = source.head(i);
    const std::uint8_t* const bytes = beginning(head);
    const bool is_wanted = is_plain_ipv6(head, bytes);
    v6.keys.set(count6, lpm::Address6::from_wire(ipv6_destination(bytes)));
    v6.packets.number[count6] = i;
    others.number[count_others] = i;
    count6 += is_wanted ? 1 : 0;
    count_others += is_wanted ? 0 : 1;
  }
  v6.packets.count = count6;
  others.count = count_others;
}

template <class Address, class Take>
void decide_all(const Deciders<Address>& by, const Lookups<Address>& lookups,
                Take&& take) noexcept {
  const std::size_t count = lookups.packets.count;
  if (count == 0) return;
  lpm::Value values[kBurstMax];
  look_up(by, lookups.keys.first(count), values);
  for (std::size_t k = 0; k < count; ++k)
    take(lookups.packets.number[k], decision_of(by.verdicts, values[k]));
}

// What is left when a burst is looked up: the odd packets, `accept`, neighbour discovery.
class Rest {
 public:
  Rest(const Table& table, const Port& port, std::span<Decision> decisions) noexcept
      : table_(table), port_(port), decisions_(decisions) {}

  // Packet i of the odd ones: decides it by rows 1 and 2, or queues it.
  void take(std::size_t i, const Frame& frame) noexcept;
  // Decides what was queued.
  void finish() noexcept;

  [[nodiscard]] bool is_to_be_judged(std::size_t i) const noexcept {
    const Decision& decision = decisions_[i];
    return (decision.verdict == Verdict::cdn_bound ||
            decision.verdict == Verdict::spectrum_bound) &&
           table_.is_narrow(decision.match.service());
  }
  // `accept`: a packet that its service does not take flows through Magic Transit.
  void judge_acceptance(std::size_t i, const Frame& frame) noexcept;
  // The same, if the packet is of the plain ones and carries TCP or UDP as nearly all do; else
  // false.
  [[nodiscard]] bool judge_plain(std::size_t i, const Head& head) noexcept;

  // Row 3: a duty of the host, whatever address it is sent to. Packet i: one that was looked up.
  void give_neighbour_discovery_to_kernel(std::size_t i, const Frame& frame) noexcept;
  [[nodiscard]] bool is_looked_up(std::size_t i) const noexcept;

 private:
  const Table& table_;
  const Port& port_;
  std::span<Decision> decisions_;
  std::array<Lookups<lpm::Address4>, 2> v4_;  // by Direction
  std::array<Lookups<lpm::Address6>, 2> v6_;
};

// Apart, so that only bursts that need it make room for it.
template <class Source>
[[gnu::noinline]] void decide_rest(const Table& table, const Port& port, const Source& source,
                                   std::span<Decision> decisions, const Numbers& v6,
                                   const Numbers& odd) noexcept {
  Rest rest(table, port, decisions);
  for (const std::uint8_t i : odd.all()) rest.take(i, source.frame(i));
  rest.finish();
  if (table.has_narrow_services())
    for (std::size_t i = 0; i < source.size(); ++i)
      if (rest.is_to_be_judged(i) && !rest.judge_plain(i, source.head(i)))
        rest.judge_acceptance(i, source.frame(i));
  if (!port.kernel_path) return;
  for (const Numbers* const numbers : {&v6, &odd})
    for (const std::uint8_t i : numbers->all())
      if (rest.is_looked_up(i)) rest.give_neighbour_discovery_to_kernel(i, source.frame(i));
}

}  // namespace detail

// steer() of a Source. take(i, decision) is called once for each packet, those of IPv4 in the order
// of the burst and those of IPv6 likewise. scratch: as many as there are packets; what is in it
// afterwards means nothing.
template <class Source, class Take>
void steer_burst(const Table& table, const Port& port, const Source& source,
                 std::span<Decision> scratch, Take&& take) noexcept {
  const std::size_t size = source.size();
  detail::Lookups<lpm::Address4> v4;
  detail::Lookups<lpm::Address6> v6;
  detail::Numbers odd;
  if (port.role && !table.settings().verify_checksum) [[likely]] {
    const auto by4 = detail::deciders_of<lpm::Address4>(table, *port.role, port.kernel_path);
    const auto by6 = detail::deciders_of<lpm::Address6>(table, *port.role, port.kernel_path);
    const bool is_all_known = !table.has_narrow_services();
    if (is_all_known) {
      if (detail::decide_if_all_plain(by4, source, take)) return;
      // On a port with a kernel path it may be neighbour discovery.
      if (!port.kernel_path && detail::decide_if_all_plain(by6, source, take)) return;
    }
    detail::sort_out_ipv4(source, v4, odd);
    detail::sort_out_ipv6(source, v6, odd);
    const bool may_be_discovery = port.kernel_path && v6.packets.count != 0;
    if (odd.count == 0 && is_all_known && !may_be_discovery) {
      detail::decide_all(by4, v4, take);
      detail::decide_all(by6, v6, take);
      return;
    }
    const auto note = [scratch](std::size_t i, const Decision& decision) { scratch[i] = decision; };
    detail::decide_all(by4, v4, note);
    detail::decide_all(by6, v6, note);
  } else {
    for (std::size_t i = 0; i < size; ++i) odd.number[i] = static_cast<std::uint8_t>(i);
    odd.count = size;
  }
  detail::decide_rest(table, port, source, scratch, v6.packets, odd);
  for (std::size_t i = 0; i < size; ++i) take(i, Decision(scratch[i]));
}

}  // namespace dataplane

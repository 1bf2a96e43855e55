// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <variant>

#include "dataplane/xdp/error.hpp"
#include "lpm/prefix.hpp"

namespace dataplane::xdp {

enum class Onboarding : std::uint8_t {
  pending,  // without a default binding: known, but not steered
  steered,
};

using HostAddress = std::variant<lpm::Address4, lpm::Address6>;

// Which destinations the XDP programs take from the kernel: the onboarded prefixes, and the host's
// own addresses, which are never taken. One map serves the programs of all interfaces.
//
// This is a second place beside the table, so the order of a change is fixed (the caller's duty):
//   onboarding   publish the table; when it is active, onboard()
//   offboarding  offboard(); let the workers drain their sockets; publish the table
// Until onboard() a prefix is the kernel's, as it was before. A default binding that is created in
// a pending prefix, or deleted from it, is the same: onboard(prefix, steered) afterwards,
// onboard(prefix, pending) before.
//
// Any length is exact, /24 and /48 are no limits here; what it costs is in README.md.
//
// A change that the kernel refuses is taken back; XdpError is thrown if it refuses that too.
//
// Not thread safe: one owner, the control thread. The programs read at any time: a packet sees a
// prefix as it was before a change or as it is after, never neither. Nothing blocks; a change
// costs a system call for each prefix longer than 24 bits (or for many in a batch), none for
// others, which are written to mapped memory: 65,536 blocks (a /8) take less than a millisecond.
class PrefixMap {
 public:
  static constexpr std::uint32_t kLongerMax = 1U << 18;
  // longer_max: room for prefixes longer than 24 bits and for host addresses; 16 bytes each whether
  // used or not, about 110 more where used. Throws XdpError.
  explicit PrefixMap(std::uint32_t longer_max = kLongerMax);
  ~PrefixMap();
  PrefixMap(const PrefixMap&) = delete;
  PrefixMap& operator=(const PrefixMap&) = delete;

  // Adds prefixes, or changes their state. All or none: refuses a prefix that overlaps another one
  // that is in, or local scope (multicast, link-local, loopback), and more than there is room for.
  std::expected<void, Refusal> onboard(std::span<const lpm::AnyPrefix> prefixes, Onboarding state);
  // Removes prefixes; those that are not in are passed over. Fails only if the kernel does, and
  // then removes none.
  std::expected<void, Refusal> offboard(std::span<const lpm::AnyPrefix> prefixes);
  // Removes prefixes and adds others, which may overlap those: packets to addresses that lie in
  // both are taken all the time. All or none; refuses as onboard() does.
  // Where prefixes longer than 24 bits are removed for others it waits for the kernel, a fraction
  // of a millisecond or some.
  std::expected<void, Refusal> replace(std::span<const lpm::AnyPrefix> removed,
                                       const std::map<lpm::AnyPrefix, Onboarding>& added);
  // Makes these the host's own addresses, all of them: adds what is new before it removes what is
  // gone. They may lie inside onboarded prefixes, and win there.
  std::expected<void, Refusal> set_host_addresses(const std::set<HostAddress>& addresses);

  // Who needs that room: of each prefix for which this is true, one; of each host address; and what
  // a map has from its beginning.
  [[nodiscard]] static bool takes_entry(const lpm::AnyPrefix& prefix);
  static constexpr std::size_t kOwnEntries = 2;

  // What is in, in the order of the address space.
  [[nodiscard]] const std::map<lpm::AnyPrefix, Onboarding>& prefixes() const noexcept {
    return prefixes_;
  }
  [[nodiscard]] const std::set<HostAddress>& host_addresses() const noexcept {
    return host_addresses_;
  }

  // The maps, for the programs that are to share them.
  struct Descriptors {
    int blocks;
    int longer;
    int lengths;
    int filter;
  };
  [[nodiscard]] Descriptors descriptors() const noexcept;

 private:
  class Maps;
  class Editor;
  struct Was {
    lpm::AnyPrefix prefix;
    std::optional<Onboarding> state;
  };
  [[nodiscard]] std::optional<Refusal> judge(const lpm::AnyPrefix& prefix) const;
  void put_back(std::span<const Was> was);

  std::unique_ptr<Editor> editor_;
  std::map<lpm::AnyPrefix, Onboarding> prefixes_;
  std::set<HostAddress> host_addresses_;
};

}  // namespace dataplane::xdp

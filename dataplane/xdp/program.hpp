// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/counters.hpp"
#include "dataplane/policy.hpp"
#include "dataplane/port.hpp"
#include "dataplane/xdp/error.hpp"
#include "dataplane/xdp/prefix_map.hpp"

namespace dataplane::xdp {

// What became of the frames that the program saw.
enum class Outcome : std::uint8_t {
  redirected,  // to the socket of its queue: a worker has it, or the socket's statistics say why
               // not
  // Passed to the kernel.
  no_socket,  // what would have been redirected, while the queue has no socket (start, stop)
  not_ip,     // the others are named after the verdicts kernel_* of steer()
  no_role,
  local_scope,
  host_address,
  neighbour_discovery,
  egress_unknown,
  unmatched,
};
inline constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::unmatched) + 1;

// As in counters.
[[nodiscard]] constexpr std::string_view name_of(Outcome outcome) noexcept {
  constexpr std::array<std::string_view, kOutcomes> kNames{
      "redirected",   "no_socket",           "not_ip",         "no_role",  "local_scope",
      "host_address", "neighbour_discovery", "egress_unknown", "unmatched"};
  return kNames[static_cast<std::size_t>(outcome)];
}

// By Outcome. Their sum is what the interface received.
using OutcomeVolumes = std::array<Volume, kOutcomes>;

enum class Mode : std::uint8_t {
  native,   // in the driver
  generic,  // in the network stack: every driver, slow, and sees frames later
};

struct ProgramOptions {
  std::string interface;  // by name, in this network namespace
  enum class Attach : std::uint8_t { native, generic, native_or_generic };
  // native_or_generic falls back only where the driver has no XDP; mode() tells which it became.
  Attach attach = Attach::native_or_generic;
};

// The XDP program of one interface, from its attachment on. With it and no configuration yet, all
// frames are the kernel's.
//
// The order, for a daemon:
//   start  PrefixMap, then Program and configure() for each interface, *then* the DPDK ports
//          (net_af_xdp without `xdp_prog=`: libxdp finds this program by its name and version and
//          puts its sockets into this program's map), then raise_descriptor()
//   stop   the Programs first (the kernel has the traffic from here on), then the ports
// The program is attached by a link, which the kernel removes with the process, however it ends.
//
// Needs CAP_NET_ADMIN and CAP_BPF (or root) until it is constructed; afterwards, on Linux 5.19 and
// later, nothing.
//
// Not thread safe: one owner, the control thread. The program runs meanwhile.
class Program {
 public:
  // Loads and attaches. prefixes: outlives this. Throws XdpError: no such interface, another
  // program is attached (a second instance, say), no XDP in the driver, missing privileges.
  Program(const ProgramOptions& options, const PrefixMap& prefixes);
  // Detaches.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // What the program decides from: the roles of the port and its VLANs, and what the
  // settings say of destinations outside all prefixes (`unmatched`, `egress_unknown`). Call again
  // when either has changed: after the new table is active where the workers get more by it, before
  // it is published where they get less. port.kernel_path is taken as true, whatever it says: the
  // kernel path of the port is this program.
  void configure(const Port& port, const Policy& policy) noexcept;

  // Moves the link's descriptor to a high number. At the end of a process the kernel closes its
  // descriptors in their order, and removing a link takes milliseconds: with the sockets closed
  // first, the kernel has the traffic of all interfaces before the first link is gone. Call after
  // the ports have started. Throws XdpError if there is no number left.
  void raise_descriptor();

  // The kernel has all traffic from here on. Idempotent.
  void detach() noexcept;

  // Since the attachment; any number of times. Throws XdpError if the kernel refuses.
  [[nodiscard]] OutcomeVolumes read_counters() const;

  [[nodiscard]] const std::string& interface() const noexcept { return interface_; }
  [[nodiscard]] Mode mode() const noexcept { return mode_; }

  // For tests and benches: the program, and its map of sockets.
  [[nodiscard]] int program_descriptor() const noexcept;
  [[nodiscard]] int sockets_descriptor() const noexcept;

 private:
  struct Loaded;
  void load(const PrefixMap& prefixes);

  std::string interface_;
  Mode mode_ = Mode::native;
  std::unique_ptr<Loaded> loaded_;
  int link_ = -1;
};

}  // namespace dataplane::xdp

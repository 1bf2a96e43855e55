// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/xdp/program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "dataplane/xdp/layout.h"
#include "dataplane/xdp/options.hpp"
// Its program, made by bpftool; needs the types of layout.h.
#include <steer.skel.h>

namespace dataplane::xdp {
namespace {

static_assert(kOutcomes == STEER_OUTCOMES);
static_assert(static_cast<int>(Outcome::redirected) == STEER_REDIRECTED);
static_assert(static_cast<int>(Outcome::no_socket) == STEER_NO_SOCKET);
static_assert(static_cast<int>(Outcome::not_ip) == STEER_NOT_IP);
static_assert(static_cast<int>(Outcome::no_role) == STEER_NO_ROLE);
static_assert(static_cast<int>(Outcome::local_scope) == STEER_LOCAL_SCOPE);
static_assert(static_cast<int>(Outcome::host_address) == STEER_HOST_ADDRESS);
static_assert(static_cast<int>(Outcome::neighbour_discovery) == STEER_NEIGHBOUR_DISCOVERY);
static_assert(static_cast<int>(Outcome::egress_unknown) == STEER_EGRESS_UNKNOWN);
static_assert(static_cast<int>(Outcome::unmatched) == STEER_UNMATCHED);

std::uint8_t role_of(std::optional<Direction> direction) noexcept {
  if (!direction) return STEER_ROLE_NONE;
  return *direction == Direction::ingress ? STEER_ROLE_INGRESS : STEER_ROLE_EGRESS;
}

// The table's word for what the program knows of a destination.
lpm::Value word_of(std::uint8_t state) noexcept {
  lpm::Value word = 0;
  if ((state & STEER_STEERED) != 0) word |= static_cast<lpm::Value>(Service::magic_transit);
  if ((state & STEER_PENDING) != 0) word |= Match::kPendingPrefix;
  if ((state & STEER_LOCAL) != 0) word |= Match::kLocalScope;
  if ((state & STEER_HOST) != 0) word |= Match::kHostAddress;
  return word;
}

// What is not the kernel's is for the worker to send or to drop.
Outcome outcome_after(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::kernel_local_scope:
      return Outcome::local_scope;
    case Verdict::kernel_host_address:
      return Outcome::host_address;
    case Verdict::kernel_egress_unknown:
      return Outcome::egress_unknown;
    case Verdict::kernel_unmatched:
      return Outcome::unmatched;
    default:
      return Outcome::redirected;
  }
}

// The program reads it meanwhile; each byte stands for itself, so that no order matters.
void store(std::uint8_t& byte, std::uint8_t value) noexcept {
  std::atomic_ref(byte).store(value, std::memory_order_relaxed);
}

std::string advice(int error, const std::string& interface) {
  switch (error) {
    case EBUSY:
    case EEXIST:
      return "another XDP program is attached to it (a second steerd?): stop its owner, or detach "
             "it with `ip link set dev " +
             interface + " xdp off`";
    case EOPNOTSUPP:
      return "its driver has no native XDP: choose generic";
    case EPERM:
      return "start as root or with CAP_NET_ADMIN and CAP_BPF";
    case ERANGE:
    case EINVAL:
      return std::string(std::strerror(error)) +
             "; native XDP wants a smaller MTU (3400 on veth, on its peer too) and no LRO or "
             "hardware GRO";
    default:
      return std::strerror(error);
  }
}

int attach(int program, unsigned index, Mode mode) noexcept {
  auto options = make_options<bpf_link_create_opts>();
  options.flags = mode == Mode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  return bpf_link_create(program, static_cast<int>(index), BPF_XDP, &options);
}

}  // namespace

// The skeleton: the program and its maps in the kernel, and the configuration in mapped memory.
struct Program::Loaded {
  steer_bpf* skeleton;

  Loaded() {
    // libbpf tells of every section that it does not know; libxdp's is for libxdp.
    const libbpf_print_fn_t print = libbpf_set_print(nullptr);
    skeleton = steer_bpf::open();
    libbpf_set_print(print);
  }
  ~Loaded() { steer_bpf::destroy(skeleton); }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
};

Program::Program(const ProgramOptions& options, const PrefixMap& prefixes)
    : interface_(options.interface), loaded_(std::make_unique<Loaded>()) {
  const unsigned index = if_nametoindex(interface_.c_str());
  if (index == 0)
    throw XdpError("no interface `" + interface_ + "`: name one that `ip link` shows");
  load(prefixes);
  using Attach = ProgramOptions::Attach;
  mode_ = options.attach == Attach::generic ? Mode::generic : Mode::native;
  link_ = attach(program_descriptor(), index, mode_);
  if (link_ < 0 && errno == EOPNOTSUPP && options.attach == Attach::native_or_generic) {
    mode_ = Mode::generic;
    link_ = attach(program_descriptor(), index, mode_);
  }
  if (link_ < 0)
    throw XdpError("cannot attach the XDP program to `" + interface_ +
                   "`: " + advice(errno, interface_));
}

Program::~Program() {
  detach();
}

void Program::load(const PrefixMap& prefixes) {
  steer_bpf* const skeleton = loaded_->skeleton;
  if (skeleton == nullptr)
    throw XdpError("cannot open the XDP program: " + std::string(std::strerror(errno)));
  const PrefixMap::Descriptors shared = prefixes.descriptors();
  const bool is_shared = bpf_map__reuse_fd(skeleton->maps.blocks, shared.blocks) == 0 &&
                         bpf_map__reuse_fd(skeleton->maps.longer, shared.longer) == 0 &&
                         bpf_map__reuse_fd(skeleton->maps.lengths, shared.lengths) == 0 &&
                         bpf_map__reuse_fd(skeleton->maps.filter, shared.filter) == 0;
  if (!is_shared || steer_bpf::load(skeleton) != 0)
    throw XdpError("the kernel does not take the XDP program: " + advice(errno, interface_));
  // Until configure() every VLAN is without a role, and so the kernel's; malformed packets too, for
  // want of a socket.
}

void Program::configure(const Port& port, const Policy& policy) noexcept {
  steer_config& config = loaded_->skeleton->bss->config;
  for (const Direction direction : {Direction::ingress, Direction::egress})
    for (std::uint8_t state = 0; state < 16; ++state) {
      const Verdict verdict = policy.decisions(direction, true)[word_of(state)];
      store(config.outcomes[role_of(direction)][state],
            static_cast<std::uint8_t>(outcome_after(verdict)));
    }
  store(config.roles[0], role_of(port.role));
  for (std::size_t vlan = 1; vlan < kVlans; ++vlan)
    store(config.roles[vlan],
          role_of(port.vlan_roles == nullptr ? port.role : (*port.vlan_roles)[vlan]));
}

void Program::raise_descriptor() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  // Above what ports use, but no higher: the kernel's table of descriptors grows to the highest.
  constexpr rlim_t kHigh = 4096;
  const int raised =
      fcntl(link_, F_DUPFD_CLOEXEC, static_cast<int>(std::min(limit.rlim_cur / 2, kHigh)));
  if (raised < 0)
    throw XdpError("no descriptor left for the XDP program of `" + interface_ +
                   "`: " + std::strerror(errno) + "; raise the limit of open files");
  close(link_);  // the link lives on in the copy
  link_ = raised;
}

void Program::detach() noexcept {
  if (link_ >= 0) close(link_);
  link_ = -1;
}

OutcomeVolumes Program::read_counters() const {
  const int descriptor = bpf_map__fd(loaded_->skeleton->maps.counters);
  std::vector<steer_volume> by_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  OutcomeVolumes volumes{};
  for (std::uint32_t outcome = 0; outcome < kOutcomes; ++outcome) {
    if (bpf_map_lookup_elem(descriptor, &outcome, by_cpu.data()) != 0)
      throw XdpError("cannot read the counters of the XDP program of `" + interface_ +
                     "`: " + std::strerror(errno));
    for (const steer_volume& volume : by_cpu)
      volumes[outcome] += {.packets = volume.packets, .bytes = volume.bytes};
  }
  return volumes;
}

int Program::program_descriptor() const noexcept {
  return bpf_program__fd(loaded_->skeleton->progs.xsk_def_prog);
}

int Program::sockets_descriptor() const noexcept {
  return bpf_map__fd(loaded_->skeleton->maps.xsks_map);
}

}  // namespace dataplane::xdp

// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/data_plane.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_pdump.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <thread>
#include <utility>

#include "control/daemon/instance.hpp"
#include "control/daemon/interface.hpp"
#include "control/daemon/log.hpp"

namespace control::daemon {
namespace {

using dataplane::Outcome;
using dataplane::dpdk::Device;
using dataplane::dpdk::DeviceOptions;
using dataplane::dpdk::Idler;
using log::Module;

std::string list_of(const std::vector<unsigned>& cpus) {
  std::string list;
  for (const unsigned cpu : cpus) list += (list.empty() ? "" : ",") + std::to_string(cpu);
  return list;
}

// The control thread may run anywhere: it checks on workers that may share its CPU.
std::string lcores_of(const Layout& layout) {
  const std::string anywhere = list_of(usable_cpus());
  std::string lcores = fmt::format("0@({})", anywhere);
  for (const Layout::Worker& worker : layout.workers)
    lcores += fmt::format(",{}@{}", worker.number + 1,
                          worker.cpu ? std::to_string(*worker.cpu) : "(" + anywhere + ")");
  return lcores;
}

std::vector<std::string> eal_arguments(const Config& config, const Layout& layout) {
  std::vector<std::string> arguments{"steerd", "--lcores", lcores_of(layout), "--file-prefix",
                                     config.file_prefix};
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  if (config.hugepages)
    add({"--socket-mem", std::to_string(layout.memory_mib)});
  else
    add({"--no-huge", "--no-shconf", "-m", std::to_string(layout.memory_mib)});
  bool has_pci = false;
  for (const Layout::Device& device : layout.devices)
    if (device.is_pci) {
      add({"--allow", device.arguments});
      has_pci = true;
    }
  // Drivers of virtual devices take virtual addresses, and AF_XDP needs its buffers in one piece.
  if (!has_pci) add({"--no-pci", "--iova-mode=va"});
  add({"--log-level=lib.*:notice", "--log-level=pmd.*:notice"});
  arguments.insert(arguments.end(), config.eal.begin(), config.eal.end());
  return arguments;
}

dataplane::xdp::ProgramOptions::Attach attach_of(PortConfig::Xdp xdp) {
  using Attach = dataplane::xdp::ProgramOptions::Attach;
  switch (xdp) {
    case PortConfig::Xdp::native:
      return Attach::native;
    case PortConfig::Xdp::generic:
      return Attach::generic;
    case PortConfig::Xdp::automatic:
      break;
  }
  return Attach::native_or_generic;
}

Idler::Mode mode_of(Idle idle) {
  switch (idle) {
    case Idle::pause:
      return Idler::Mode::pause;
    case Idle::sleep:
      return Idler::Mode::sleep;
    case Idle::busy:
      break;
  }
  return Idler::Mode::busy;
}

// Those of the interface, or of the host where it has none of a family.
dataplane::OwnAddresses own_addresses(const std::string& interface) {
  dataplane::OwnAddresses own;
  for (const HostAddresses& some : {host_addresses(interface), host_addresses()}) {
    for (const lpm::Address4 address : some.v4)
      if (!own.v4 && address.bits >> 24 != 127) own.v4 = address;
    for (const lpm::Address6& address : some.v6)
      if (!own.v6 && address != lpm::Address6{0, 1}) own.v6 = address;
  }
  return own;
}

constexpr std::size_t index_of(dataplane::Service service) {
  return static_cast<std::size_t>(service) - 1;
}

}  // namespace

dataplane::Port DataPlane::Port::for_steering() const noexcept {
  // An interface's XDP program has given the kernel its packets already.
  return {.role = config->role,
          .vlan_roles = vlan_roles.get(),
          .kernel_path = config->kernel == PortConfig::KernelPath::tap};
}

void DataPlane::FreePool::operator()(rte_mempool* pool) const noexcept {
  rte_mempool_free(pool);
}

DataPlane::DataPlane(const Config& config, const Layout& layout,
                     std::unique_ptr<const dataplane::Table> first, std::uint32_t bindings_max)
    : config_(config),
      layout_(layout),
      eal_(eal_arguments(config, layout)),
      publisher_(config.workers, std::move(first)) {
  for (const PortConfig& port : config.ports) {
    Port& added = ports_.emplace_back();
    added.config = &port;
    if (port.vlans.empty()) continue;
    added.vlan_roles = std::make_unique<dataplane::VlanRoles>();
    for (const VlanRole& vlan : port.vlans) (*added.vlan_roles)[vlan.vlan] = vlan.direction;
  }
  attach_programs(publisher_.current().policy());
  make_pool();
  start_devices();
  make_rings();
  make_outputs();
  make_workers(bindings_max);
}

DataPlane::~DataPlane() {
  stop();
}

// Before the devices: their driver puts its sockets into the program that it finds attached.
void DataPlane::attach_programs(const dataplane::Policy& policy) {
  for (Port& port : ports_) {
    if (!port.config->is_kernels()) continue;
    if (!prefixes_)
      prefixes_ = std::make_unique<dataplane::xdp::PrefixMap>(config_.xdp_entries_max);
    port.program = std::make_unique<dataplane::xdp::Program>(
        dataplane::xdp::ProgramOptions{.interface = port.config->interface,
                                       .attach = attach_of(port.config->xdp)},
        *prefixes_);
    const bool is_native = port.program->mode() == dataplane::xdp::Mode::native;
    if (!is_native && port.config->xdp == PortConfig::Xdp::automatic)
      log::warning(Module::ports,
                   "port {}: the driver of {} has no XDP; the program runs in the kernel's stack, "
                   "which is slow (xdp=generic says that this is meant)",
                   port.config->name, port.config->interface);
  }
  configure_programs(policy);
}

void DataPlane::configure_programs(const dataplane::Policy& policy) noexcept {
  for (const Port& port : ports_)
    if (port.program && port.config->receives())
      port.program->configure(port.for_steering(), policy);
}

void DataPlane::make_pool() {
  // For dpdk-dumpcap. Without hugepages nobody can attach, and there is nothing to prepare.
  if (config_.hugepages && rte_pdump_init() != 0)
    log::warning(Module::ports, "packets cannot be captured by dpdk-dumpcap ({})",
                 rte_strerror(rte_errno));
  constexpr unsigned kCache = 256;
  pool_.reset(rte_pktmbuf_pool_create("steer_packets", layout_.packet_buffers, kCache, 0,
                                      static_cast<std::uint16_t>(layout_.packet_buffer_bytes),
                                      SOCKET_ID_ANY));
  if (!pool_)
    throw StartError(
        fmt::format("there is no memory for {} packet buffers ({}): raise memory, or lower "
                    "descriptors{}",
                    layout_.packet_buffers, rte_strerror(rte_errno),
                    config_.hugepages ? "; hugepages are reserved by sysctl vm.nr_hugepages" : ""));
}

// A TAP has the address of its port, whose device was made before it.
std::string DataPlane::arguments_of(const Layout::Device& device) const {
  if (!device.is_tap) return device.arguments;
  const dataplane::MacAddress mac = devices_[ports_[device.port].devices.front()].mac();
  return fmt::format("{},mac={:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", device.arguments, mac[0],
                     mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void DataPlane::start_devices() {
  devices_.reserve(layout_.devices.size());
  for (const Layout::Device& wanted : layout_.devices) {
    const PortConfig& port = config_.ports[wanted.port];
    devices_.push_back(wanted.is_pci ? Device::find(wanted.name)
                                     : Device::make(arguments_of(wanted)));
    Device& device = devices_.back();
    const std::vector<int> sockets_before = dataplane::dpdk::af_xdp_sockets();
    device.configure(
        {.rx_queues = static_cast<std::uint16_t>(wanted.rx_queues),
         .tx_queues = static_cast<std::uint16_t>(wanted.tx_queues),
         .descriptors = static_cast<std::uint16_t>(config_.descriptors),
         .rss =
             port.rss == PortConfig::Rss::l3 ? DeviceOptions::Rss::l3 : DeviceOptions::Rss::l3_l4,
         .mtu = wanted.is_tap ? devices_[ports_[wanted.port].devices.front()].mtu() : port.mtu,
         .all_multicast = port.kernel == PortConfig::KernelPath::tap},
        *pool_);
    device.start();
    std::vector<int>& sockets = device_sockets_.emplace_back();
    std::ranges::set_difference(dataplane::dpdk::af_xdp_sockets(), sockets_before,
                                std::back_inserter(sockets));
    if (port.is_kernels() && sockets.size() != 1)
      throw StartError(fmt::format("port {}: the AF_XDP driver did not open a socket for {}",
                                   port.name, wanted.name));
    if (wanted.is_tap)
      ports_[wanted.port].tap = devices_.size() - 1;
    else
      ports_[wanted.port].devices.push_back(devices_.size() - 1);
  }
  for (Port& port : ports_) {
    if (port.program) port.program->raise_descriptor();
    const std::optional<Interface> interface =
        port.config->is_kernels() ? find_interface(port.config->interface) : std::nullopt;
    port.mtu = interface ? interface->mtu : devices_[port.devices.front()].mtu();
  }
}

DataPlane::Port* DataPlane::port_named(std::string_view name) noexcept {
  const auto found =
      std::ranges::find_if(ports_, [&](const Port& port) { return port.config->name == name; });
  return found == ports_.end() ? nullptr : &*found;
}

void DataPlane::make_rings() {
  std::size_t made = 0;
  for (const OutputConfig& output : config_.outputs) {
    if (output.ring.empty()) continue;
    if (!board_) board_.emplace();
    const bool is_shared = output.producers == OutputConfig::Producers::multi;
    Rings& rings = rings_[index_of(output.service)];
    rings.first = made;
    for (unsigned n = 0; n < (is_shared ? 1 : config_.workers); ++n, ++made)
      rings.rings.push_back(
          &board_->make(is_shared ? output.ring : fmt::format("{}.{}", output.ring, n),
                        output.ring_packets, is_shared));
  }
}

void DataPlane::make_outputs() {
  for (const OutputConfig& output : config_.outputs) {
    if (!output.rewrite) continue;
    dataplane::Rewrite& rewrite = rewrites_[index_of(output.service)].emplace(*output.rewrite);
    const Port* const port = output.port.empty() ? nullptr : port_named(output.port);
    if (port == nullptr) continue;
    if (!output.has_source) rewrite.source = devices_[port->devices.front()].mac();
    if (!output.has_mtu) rewrite.mtu = port->mtu;
  }
  look_around();
}

dataplane::dpdk::Wiring DataPlane::wiring_of(const Layout::Worker& worker) {
  using dataplane::dpdk::PortQueue;
  dataplane::dpdk::Wiring wiring;
  const auto queue_of = [this](const Layout::Queue& queue) -> PortQueue& {
    return queues_.emplace_back(PortQueue{.port = devices_[queue.device].number(),
                                          .queue = static_cast<std::uint16_t>(queue.device_queue)});
  };
  for (const Layout::Queue& from : worker.inputs) {
    PortQueue& queue = queue_of(from);
    dataplane::dpdk::Input& input = wiring.inputs.emplace_back(
        dataplane::dpdk::port_input(queue, ports_[from.port].for_steering()));
    // By the queue of the same number, which no other worker has.
    if (ports_[from.port].program)
      input.answering = &answerings_.emplace_back(
          dataplane::dpdk::Answering{.pool = pool_.get(),
                                     .back = dataplane::dpdk::port_output(queue),
                                     .from = own_addresses(ports_[from.port].config->interface)});
  }
  for (const dataplane::Service service : dataplane::kServices)
    wiring.outputs[index_of(service)].condition = &conditions_[index_of(service)];
  for (const OutputConfig& config : config_.outputs)
    wiring.outputs[index_of(config.service)] = output_of(config, worker);
  add_taps(worker, wiring);
  wiring.outputs[static_cast<std::size_t>(Outcome::drop)] = dataplane::dpdk::pool_output();
  wiring.down_to_magic_transit = config_.output_down_to_magic_transit;
  return wiring;
}

dataplane::dpdk::Output DataPlane::output_of(const OutputConfig& config,
                                             const Layout::Worker& worker) {
  dataplane::dpdk::Output output;
  if (config.port.empty()) {
    const std::vector<rte_ring*>& rings = rings_[index_of(config.service)].rings;
    output = dataplane::dpdk::ring_output(*rings[worker.number % rings.size()]);
  } else {
    const auto port = static_cast<std::size_t>(
        std::ranges::find(config_.ports, config.port, &PortConfig::name) - config_.ports.begin());
    const Layout::Queue queue = layout_.transmit_queue(port, worker.number);
    output = dataplane::dpdk::port_output(queues_.emplace_back(
        dataplane::dpdk::PortQueue{.port = devices_[queue.device].number(),
                                   .queue = static_cast<std::uint16_t>(queue.device_queue)}));
  }
  output.condition = &conditions_[index_of(config.service)];
  const auto& rewrite = rewrites_[index_of(config.service)];
  output.rewrite = rewrite ? &*rewrite : nullptr;
  return output;
}

// Each worker has a queue of every TAP, and of its port, whether it receives from the port or not.
void DataPlane::add_taps(const Layout::Worker& worker, dataplane::dpdk::Wiring& wiring) {
  using dataplane::dpdk::PortQueue;
  for (std::size_t index = 0; index < ports_.size(); ++index) {
    if (!ports_[index].tap) continue;
    PortQueue& tap =
        queues_.emplace_back(PortQueue{.port = devices_[*ports_[index].tap].number(),
                                       .queue = static_cast<std::uint16_t>(worker.number)});
    const Layout::Queue queue = layout_.transmit_queue(index, worker.number);
    PortQueue& wire =
        queues_.emplace_back(PortQueue{.port = devices_[queue.device].number(),
                                       .queue = static_cast<std::uint16_t>(queue.device_queue)});
    wiring.forwards.push_back(
        {.from = dataplane::dpdk::port_input(tap, {}), .to = dataplane::dpdk::port_output(wire)});
    const dataplane::dpdk::Output& kernel =
        kernel_outputs_.emplace_back(dataplane::dpdk::port_output(tap));
    for (std::size_t k = 0; k < worker.inputs.size(); ++k)
      if (worker.inputs[k].port == index) wiring.inputs[k].kernel = &kernel;
  }
}

void DataPlane::make_workers(std::uint32_t bindings_max) {
  for (const Layout::Worker& worker : layout_.workers) {
    std::vector<int> sockets;
    bool naps = false;
    for (const Layout::Queue& input : worker.inputs) {
      const std::vector<int>& own = device_sockets_[input.device];
      sockets.insert(sockets.end(), own.begin(), own.end());
      naps = naps || own.empty();
    }
    naps =
        naps || std::ranges::any_of(ports_, [](const Port& port) { return port.tap.has_value(); });
    idlers_.push_back(std::make_unique<Idler>(mode_of(config_.idle), sockets, naps));
    workers_.push_back(std::make_unique<dataplane::dpdk::Worker>(worker.number, wiring_of(worker),
                                                                 publisher_, bindings_max));
  }
}

void DataPlane::start() {
  launch_.reset(new dataplane::dpdk::Eal::Launch(
      eal_.launch(static_cast<unsigned>(workers_.size()),
                  [this](unsigned index) { workers_[index]->run(stop_, *idlers_[index]); })));
}

void DataPlane::stop() {
  for (const Port& port : ports_)
    if (port.program) port.program->detach();
  if (launch_) {
    // What lies in the sockets is still steered.
    constexpr std::chrono::milliseconds kDrainMax{200};
    const auto deadline = std::chrono::steady_clock::now() + kDrainMax;
    const Moment detached = now();
    wake_workers();
    while (!is_drained(detached) && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop_ = true;
    wake_workers();
    launch_->wait();
    launch_.reset();
  }
  if (config_.hugepages) rte_pdump_uninit();
  for (Device& device : devices_) device.stop();
}

bool DataPlane::has_started() const noexcept {
  return std::ranges::all_of(workers_, [](const auto& worker) {
    return worker->progress().rounds.load(std::memory_order_relaxed) != 0;
  });
}

std::vector<std::string> DataPlane::unresolved() const {
  std::vector<std::string> outputs;
  for (const OutputConfig& output : config_.outputs)
    if (!conditions_[index_of(output.service)].get().is_resolved)
      outputs.push_back(fmt::format("output {}: next hop {}", dataplane::name_of(output.service),
                                    output.next_hop_address));
  return outputs;
}

DataPlane::Moment DataPlane::now() const {
  Moment moment;
  for (const auto& worker : workers_)
    moment.push_back(worker->progress().dry_rounds.load(std::memory_order_relaxed));
  return moment;
}

void DataPlane::wake_workers() const noexcept {
  for (const auto& idler : idlers_) idler->wake();
}

bool DataPlane::is_drained(const Moment& since) const {
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    const dataplane::dpdk::Progress& progress = workers_[w]->progress();
    // The round under way at that moment may have looked at an input before; the next one has not.
    if (progress.dry_rounds.load(std::memory_order_relaxed) < since[w] + 2) return false;
  }
  return true;
}

void DataPlane::look_around() {
  if (board_) board_->beat();
  for (Port& port : ports_) {
    bool is_up = true;
    if (port.config->is_kernels()) {
      const std::optional<Interface> interface = find_interface(port.config->interface);
      is_up = interface && interface->is_up;
    } else {
      is_up = devices_[port.devices.front()].is_up();
    }
    if (is_up == port.is_up.exchange(is_up, std::memory_order_relaxed)) continue;
    if (is_up)
      log::notice(Module::ports, "port {}: link up", port.config->name);
    else
      log::warning(Module::ports, "port {}: link down", port.config->name);
  }
  set_conditions();
}

dataplane::dpdk::Condition::State DataPlane::state_of(const OutputConfig& output) {
  dataplane::dpdk::Condition::State state;
  const Port* const port = port_named(output.port);
  if (port != nullptr) state.is_up = port->is_up.load(std::memory_order_relaxed);
  const Rings& rings = rings_[index_of(output.service)];
  for (std::size_t n = 0; n < rings.rings.size(); ++n)
    state.is_up = board_->has_consumer(rings.first + n) && state.is_up;
  if (!output.rewrite) return state;
  state.next_hop = output.rewrite->destination;
  if (output.next_hop_address.empty() || port == nullptr) return state;
  const PortConfig& config = *port->config;
  const auto found = neighbours_.find(config.is_kernels() ? config.interface : config.tap,
                                      output.next_hop_address);
  state.is_resolved = found.has_value();
  if (found) state.next_hop = *found;
  return state;
}

void DataPlane::set_conditions() {
  for (const dataplane::Service service : dataplane::kServices) {
    dataplane::dpdk::Condition& condition = conditions_[index_of(service)];
    const auto output = std::ranges::find(config_.outputs, service, &OutputConfig::service);
    if (output == config_.outputs.end()) {
      condition.set({.is_up = false});
      continue;
    }
    const dataplane::dpdk::Condition::State before = condition.get();
    const dataplane::dpdk::Condition::State state = state_of(*output);
    condition.set(state);
    if (!output->ring.empty() && before.is_up != state.is_up) {
      if (state.is_up)
        log::notice(Module::ports, "output {}: ring {} is drained", dataplane::name_of(service),
                    output->ring);
      else
        log::warning(Module::ports, "output {}: nobody drains ring {}", dataplane::name_of(service),
                     output->ring);
    }
    // At the start it is only about to be asked for; Readiness tells how that went.
    if (before.is_resolved == state.is_resolved || !launch_) continue;
    if (state.is_resolved)
      log::notice(Module::ports, "output {}: next hop {} found", dataplane::name_of(service),
                  output->next_hop_address);
    else
      log::warning(Module::ports, "output {}: next hop {} is not to be found",
                   dataplane::name_of(service), output->next_hop_address);
  }
}

dataplane::Volume DataPlane::counted(std::uint32_t binding) const noexcept {
  dataplane::Volume sum;
  for (const auto& worker : workers_) sum += worker->counters().of_binding(binding).read();
  return sum;
}

unsigned DataPlane::free_buffers() const noexcept {
  return rte_mempool_avail_count(pool_.get());
}

}  // namespace control::daemon

// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "control/daemon/interface.hpp"

namespace control::daemon {
namespace {

// Of DPDK: RTE_PKTMBUF_HEADROOM, and the structure in front of each buffer.
constexpr unsigned kHeadroomBytes = 128;
constexpr unsigned kBufferOverheadBytes = 128 + 64;
constexpr unsigned kDataBytes = 2048;
// Without hugepages DPDK lets no buffer cross a page of the kernel's, and so has one in each.
constexpr unsigned kPageBytes = 4096;
// What a thread keeps of the pool: 1.5 times its cache of 256.
constexpr unsigned kCachedBuffers = 384;
constexpr unsigned kBurst = 64;
// Of the AF_XDP driver, whatever the number of descriptors: its fill and completion rings.
constexpr unsigned kFillPackets = 4096;
constexpr unsigned kCompletionPackets = 2048;
constexpr unsigned kMemoryForDpdkMib = 48;  // rings, queues of virtual devices, EAL's own

bool is_pci_address(const std::string& text) {
  // [DDDD:]BB:DD.F
  const std::size_t dot = text.rfind('.');
  return dot != std::string::npos && text.find(':') != std::string::npos &&
         std::ranges::all_of(
             text, [](unsigned char c) { return std::isxdigit(c) != 0 || c == ':' || c == '.'; });
}

// The device of one AF_XDP queue; its name is that of the port, so that captures and statistics of
// DPDK's tools can be told apart.
Layout::Device af_xdp_device(const PortConfig& port, std::size_t index, unsigned queue) {
  Layout::Device device;
  device.name = fmt::format("net_af_xdp_{}_{}", port.name, queue);
  device.arguments = fmt::format("{},iface={},start_queue={},queue_count=1,busy_budget={}",
                                 device.name, port.interface, queue, port.busy_budget);
  device.port = index;
  device.first_queue = queue;
  return device;
}

bool is_output(const Config& config, const PortConfig& port) {
  return std::ranges::any_of(config.outputs,
                             [&](const OutputConfig& output) { return output.port == port.name; });
}

void add_interface(const Config& config, std::size_t index, Layout& layout, Errors& errors) {
  const PortConfig& port = config.ports[index];
  const std::optional<Interface> interface = find_interface(port.interface);
  if (!interface) {
    errors.push_back(fmt::format("port {}: there is no interface {} in this network namespace",
                                 port.name, port.interface));
    return;
  }
  // A link that is not there yet may come; a queue of an interface that is off cannot be had.
  if (!interface->is_enabled)
    errors.push_back(fmt::format("port {}: interface {} is down; run: ip link set {} up", port.name,
                                 port.interface, port.interface));
  const unsigned queues = port.queues == 0 ? interface->queues : port.queues;
  if (queues > interface->queues)
    errors.push_back(fmt::format("port {}: interface {} has {} queues, not {}", port.name,
                                 port.interface, interface->queues, queues));
  if (is_output(config, port) && queues < config.workers)
    errors.push_back(fmt::format(
        "port {}: {} workers send here, each by a queue of its own, but there are {}; run: "
        "ethtool -L {} rx {} tx {}",
        port.name, config.workers, queues, port.interface, config.workers, config.workers));
  for (unsigned queue = 0; queue < queues; ++queue)
    layout.devices.push_back(af_xdp_device(port, index, queue));
}

void add_device(const Config& config, std::size_t index, Layout& layout) {
  const PortConfig& port = config.ports[index];
  Layout::Device device;
  device.arguments = port.device;
  device.name = port.device.substr(0, port.device.find(','));
  device.is_pci = is_pci_address(device.name);
  device.port = index;
  device.rx_queues = port.queues == 0 ? (port.receives() ? config.workers : 1) : port.queues;
  device.tx_queues =
      is_output(config, port) || port.kernel == PortConfig::KernelPath::tap ? config.workers : 1;
  layout.devices.push_back(std::move(device));
}

// Multi-queue: what the kernel sends is spread over the workers, too.
void add_tap(const Config& config, std::size_t index, Layout& layout) {
  const PortConfig& port = config.ports[index];
  if (port.kernel != PortConfig::KernelPath::tap) return;
  Layout::Device device;
  device.name = "net_tap_" + port.name;
  device.arguments = fmt::format("{},iface={}", device.name, port.tap);
  device.is_tap = true;
  device.port = index;
  device.rx_queues = config.workers;
  device.tx_queues = config.workers;
  layout.devices.push_back(std::move(device));
}

void add_workers(const Config& config, Layout& layout, Errors& errors) {
  std::vector<unsigned> cpus = usable_cpus();
  for (const unsigned cpu : config.worker_cpus)
    if (std::ranges::find(cpus, cpu) == cpus.end())
      errors.push_back(fmt::format("worker-cpus: this process may not run on CPU {}", cpu));
  // More workers than CPUs, for tests: the kernel shares them out.
  const bool is_pinned =
      !config.workers_float && (!config.worker_cpus.empty() || config.workers <= cpus.size());
  if (!config.worker_cpus.empty()) cpus = config.worker_cpus;
  for (unsigned number = 0; number < config.workers; ++number) {
    Layout::Worker worker{.number = number, .cpu = std::nullopt, .inputs = {}};
    if (is_pinned) worker.cpu = cpus[cpus.size() - config.workers + number];
    layout.workers.push_back(std::move(worker));
  }
  // Queues are dealt by their number, so that the flows of both directions that a device spreads
  // alike meet the same worker.
  for (std::size_t d = 0; d < layout.devices.size(); ++d) {
    const Layout::Device& device = layout.devices[d];
    if (!config.ports[device.port].receives() || device.is_tap) continue;
    for (unsigned q = 0; q < device.rx_queues; ++q) {
      const unsigned queue = device.first_queue + q;
      layout.workers[queue % config.workers].inputs.push_back({device.port, queue, d, q});
    }
  }
}

// All queues may be full at once, and each thread keeps some for itself.
void add_memory(const Config& config, Layout& layout) {
  unsigned mtu_max = 1500;
  unsigned buffers = (config.workers + 1) * (kCachedBuffers + 2 * kBurst);
  for (const Layout::Device& device : layout.devices) {
    buffers += config.ports[device.port].is_kernels()
                   ? kFillPackets + kCompletionPackets + config.descriptors
                   : (device.rx_queues + device.tx_queues) * config.descriptors;
    mtu_max = std::max(mtu_max, config.ports[device.port].mtu);
  }
  for (const OutputConfig& output : config.outputs)
    if (!output.ring.empty())
      buffers += output.ring_packets *
                 (output.producers == OutputConfig::Producers::single ? config.workers : 1);
  // Jumbo frames take several buffers.
  const unsigned segments = (mtu_max + kDataBytes - 1) / kDataBytes;
  layout.packet_buffers = buffers * segments;
  layout.packet_buffer_bytes = kHeadroomBytes + kDataBytes;
  static_assert(kHeadroomBytes + kDataBytes + kBufferOverheadBytes <= kPageBytes);
  const std::uint64_t bytes =
      std::uint64_t{layout.packet_buffers} *
      (config.hugepages ? layout.packet_buffer_bytes + kBufferOverheadBytes : kPageBytes);
  const auto needed = static_cast<unsigned>(bytes >> 20) + kMemoryForDpdkMib;
  layout.memory_mib = config.memory_mib == 0 ? needed : config.memory_mib;
}

}  // namespace

Layout::Queue Layout::transmit_queue(std::size_t port, unsigned worker) const noexcept {
  for (std::size_t d = 0; d < devices.size(); ++d) {
    const Device& device = devices[d];
    if (device.port == port && !device.is_tap && worker >= device.first_queue &&
        worker < device.first_queue + device.tx_queues)
      return {port, worker, d, worker - device.first_queue};
  }
  return {};
}

std::expected<Layout, Errors> lay_out(const Config& config) {
  Layout layout;
  Errors errors;
  for (std::size_t index = 0; index < config.ports.size(); ++index) {
    if (config.ports[index].is_kernels())
      add_interface(config, index, layout, errors);
    else
      add_device(config, index, layout);
  }
  for (std::size_t index = 0; index < config.ports.size(); ++index) add_tap(config, index, layout);
  add_workers(config, layout, errors);
  add_memory(config, layout);
  if (config.memory_mib != 0) {
    Config computed = config;
    computed.memory_mib = 0;
    add_memory(computed, layout);
    if (layout.memory_mib > config.memory_mib)
      errors.push_back(
          fmt::format("memory: {} MiB are too little for {} packet buffers; {} are needed",
                      config.memory_mib, layout.packet_buffers, layout.memory_mib));
    layout.memory_mib = config.memory_mib;
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return layout;
}

}  // namespace control::daemon

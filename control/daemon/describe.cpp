// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "control/daemon/interface.hpp"
#include "control/daemon/layout.hpp"
#include "control/daemon/map_room.hpp"
#include "control/daemon/persisted.hpp"
#include "control/delta.hpp"

namespace control::daemon {
namespace {

std::string_view name_of(dataplane::Direction direction) {
  return direction == dataplane::Direction::ingress ? "ingress" : "egress";
}

std::string roles_of(const PortConfig& port) {
  if (!port.receives()) return "outputs only; what arrives stays where it is";
  std::string roles = port.role ? std::string(name_of(*port.role)) : "no role";
  if (!port.vlans.empty()) roles += " for untagged frames";
  for (const VlanRole& vlan : port.vlans)
    roles += fmt::format(", VLAN {} {}", vlan.vlan, name_of(vlan.direction));
  return roles;
}

std::string text_of(const dataplane::MacAddress& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3],
                     mac[4], mac[5]);
}

std::string rewrite_of(const OutputConfig& output) {
  if (!output.rewrite) return "byte for byte";
  const dataplane::Rewrite& rewrite = *output.rewrite;
  return fmt::format(
      "to {}{}, TTL {}, MTU {}",
      output.next_hop_address.empty() ? text_of(rewrite.destination) : output.next_hop_address,
      rewrite.vlan == 0 ? "" : fmt::format(" in VLAN {}", rewrite.vlan),
      rewrite.decrement_ttl ? "decremented" : "kept",
      output.has_mtu ? std::to_string(rewrite.mtu) : "of the port");
}

std::string ring_of(const OutputConfig& output, unsigned workers) {
  return output.producers == OutputConfig::Producers::multi
             ? fmt::format("ring {} of {} packets, shared by the workers", output.ring,
                           output.ring_packets)
             : fmt::format("{} ring{} {}.N of {} packets, one for each worker", workers,
                           workers == 1 ? "" : "s", output.ring, output.ring_packets);
}

void describe_outputs(const Config& config, std::string& text) {
  for (const dataplane::Service service : dataplane::kServices) {
    const auto output = std::ranges::find(config.outputs, service, &OutputConfig::service);
    if (output == config.outputs.end())
      text += fmt::format("output {}: none: its packets are lost as {}_down\n",
                          dataplane::name_of(service), dataplane::name_of(service));
    else
      text += fmt::format(
          "output {}: {}, {}\n", dataplane::name_of(service),
          output->port.empty() ? ring_of(*output, config.workers) : "port " + output->port,
          rewrite_of(*output));
  }
}

}  // namespace

Finding describe(const Config& config, const BindingSet& bindings, const std::string& store) {
  Finding finding;
  std::string& text = finding.text;
  text += fmt::format(
      "bindings: {} prefixes, {} bindings from {}\n", bindings.prefixes().size(),
      bindings.binding_count(),
      (config.bindings.empty() ? store_path(config.data_directory) : config.bindings).string());
  if (!store.empty()) text += "store: " + store + '\n';
  const auto layout = lay_out(config);
  if (!layout) finding.lacking = layout.error();
  if (const auto room = map_room_of(config))
    if (const auto all = room->reserve(difference(BindingSet(config.rules), bindings), 1); !all)
      finding.lacking.push_back(all.error());
  for (const PortConfig& port : config.ports) {
    text += fmt::format(
        "port {}: {}, {}", port.name,
        port.is_kernels() ? "interface " + port.interface + " by AF_XDP" : "device " + port.device,
        roles_of(port));
    if (port.kernel == PortConfig::KernelPath::tap) text += ", a TAP for the kernel";
    text += '\n';
  }
  describe_outputs(config, text);
  if (layout)
    for (const Layout::Worker& worker : layout->workers) {
      text += fmt::format("worker {}: {}, receives from", worker.number,
                          worker.cpu ? fmt::format("CPU {}", *worker.cpu) : "any CPU");
      for (const Layout::Queue& queue : worker.inputs)
        text += fmt::format(" {}:{}", config.ports[queue.port].name, queue.queue);
      text += worker.inputs.empty() ? " nothing\n" : "\n";
    }
  text += fmt::format("idle workers: {}\n", config.idle == Idle::busy ? "poll on"
                                            : config.idle == Idle::pause
                                                ? "pause between polls"
                                                : "sleep until a packet comes");
  if (layout)
    text +=
        fmt::format("memory: {} packet buffers, {} MiB {}\n", layout->packet_buffers,
                    layout->memory_mib, config.hugepages ? "in hugepages" : "without hugepages");
  text += fmt::format("instance: {}\n", config.file_prefix);
  return finding;
}

}  // namespace control::daemon

// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/telemetry.hpp"

#include <fmt/format.h>
#include <rte_telemetry.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "control/daemon/counts.hpp"
#include "control/verdict_text.hpp"
#include "lpm/prefix.hpp"

namespace control::daemon {
namespace {

using dataplane::Verdict;
using dataplane::Volume;

// What the commands read; set and cleared under the mutex that each holds while it answers.
struct Source {
  std::mutex mutex;
  const DataPlane* data_plane = nullptr;
  const Publication* publication = nullptr;
  const Numbering* numbering = nullptr;
};
Source& source() {
  static Source the_source;
  return the_source;
}

// Names of DPDK's dictionaries have letters, digits, _ and /.
std::string key_of(std::string_view name) {
  std::string key(name);
  std::ranges::replace_if(
      key,
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
      },
      '_');
  return key;
}

void add(rte_tel_data* data, std::string_view name, std::uint64_t value) {
  rte_tel_data_add_dict_u64(data, key_of(name).c_str(), value);
}
void add(rte_tel_data* data, std::string_view name, const std::string& text) {
  rte_tel_data_add_dict_string(data, key_of(name).c_str(), text.c_str());
}
void add(rte_tel_data* data, const std::string& name, const Volume& volume) {
  add(data, name + "_packets", volume.packets);
  add(data, name + "_bytes", volume.bytes);
}

void add_verdicts(rte_tel_data* data, const Sums& sums) {
  for (std::size_t v = 0; v < dataplane::kVerdicts; ++v)
    add(data, counter_name(static_cast<Verdict>(v)), sums.of(static_cast<Verdict>(v)));
}

using Answer = int (*)(const DataPlane&, const Publication&, std::string_view, rte_tel_data*);

constexpr int kWrongParameter = -22;  // EINVAL

std::optional<std::size_t> index_in(std::string_view text, std::size_t count) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size() || index >= count)
    return std::nullopt;
  return index;
}

int generation(const DataPlane&, const Publication& publication, std::string_view,
               rte_tel_data* data) {
  const Publication::View view = publication.view();
  rte_tel_data_start_dict(data);
  add(data, "active", view.active);
  add(data, "published", view.published);
  add(data, "prefixes", view.prefixes);
  add(data, "bindings", view.bindings);
  add(data, "late_workers", publication.late_workers());
  return 0;
}

int outcomes(const DataPlane& data_plane, const Publication&, std::string_view,
             rte_tel_data* data) {
  const Sums sums(data_plane);
  rte_tel_data_start_dict(data);
  add(data, "received", sums.received());
  add_verdicts(data, sums);
  return 0;
}

int workers(const DataPlane& data_plane, const Publication&, std::string_view parameter,
            rte_tel_data* data) {
  rte_tel_data_start_dict(data);
  if (parameter.empty()) {
    add(data, "workers", data_plane.worker_count());
    return 0;
  }
  const auto number = index_in(parameter, data_plane.worker_count());
  if (!number) return kWrongParameter;
  const Layout::Worker& worker = data_plane.layout().workers[*number];
  const dataplane::dpdk::Progress& progress = data_plane.worker(*number).progress();
  add(data, "cpu", worker.cpu ? std::to_string(*worker.cpu) : std::string("any"));
  add(data, "rounds", progress.rounds.load(std::memory_order_relaxed));
  add(data, "is_asleep", progress.is_asleep.load(std::memory_order_relaxed) ? 1 : 0);
  add(data, "answers", progress.answers.load(std::memory_order_relaxed));
  add(data, "forwarded", progress.forwarded.load(std::memory_order_relaxed));
  add(data, "forwards_lost", progress.forwards_lost.load(std::memory_order_relaxed));
  const Sums sums(data_plane, number);
  add(data, "received", sums.received());
  add_verdicts(data, sums);
  return 0;
}

int services(const DataPlane& data_plane, const Publication&, std::string_view,
             rte_tel_data* data) {
  const Sums sums(data_plane);
  rte_tel_data_start_dict(data);
  for (const dataplane::Service service : dataplane::kServices) {
    const dataplane::Outcome outcome = outcome_of(service);
    const std::string name(name_of(service));
    add(data, name + "_sent", sums.sent(service));
    add(data, name + "_queue_full", sums.of(queue_full_of(outcome)));
    add(data, name + "_too_big", sums.of(too_big_of(outcome)));
    add(data, name + "_down", sums.of(down_of(outcome)));
    add(data, name + "_unresolved", sums.of(unresolved_of(outcome)));
    add(data, name + "_is_up", data_plane.condition(service).get().is_up ? 1 : 0);
  }
  return 0;
}

int ports(const DataPlane& data_plane, const Publication&, std::string_view parameter,
          rte_tel_data* data) {
  if (parameter.empty()) {
    rte_tel_data_start_array(data, RTE_TEL_STRING_VAL);
    for (const DataPlane::Port& port : data_plane.ports())
      rte_tel_data_add_array_string(data, port.config->name.c_str());
    return 0;
  }
  const auto port = std::ranges::find_if(data_plane.ports(), [&](const DataPlane::Port& candidate) {
    return candidate.config->name == parameter;
  });
  if (port == data_plane.ports().end()) return kWrongParameter;
  rte_tel_data_start_dict(data);
  const dataplane::dpdk::DeviceCounters counters = device_counters(data_plane, *port);
  add(data, "is_up", port->is_up.load(std::memory_order_relaxed) ? 1 : 0);
  add(data, "mtu", port->mtu);
  add(data, "queues", port->devices.size());
  add(data, "received", Volume{counters.received, counters.received_bytes});
  add(data, "sent", Volume{counters.sent, counters.sent_bytes});
  add(data, "missed", counters.missed);
  add(data, "errors", counters.errors);
  add(data, "no_buffer", counters.no_buffer);
  add(data, "send_errors", counters.send_errors);
  if (!port->program) return 0;
  add(data, "xdp_mode",
      std::string(port->program->mode() == dataplane::xdp::Mode::native ? "native" : "generic"));
  try {
    const dataplane::xdp::OutcomeVolumes volumes = port->program->read_counters();
    for (std::size_t o = 0; o < volumes.size(); ++o)
      add(data, fmt::format("xdp_{}", name_of(static_cast<dataplane::xdp::Outcome>(o))),
          volumes[o]);
  } catch (const dataplane::xdp::XdpError& error) {
    add(data, "xdp_error", std::string(error.what()));
  }
  return 0;
}

// Towards the wire: what the ports received, and what became of it.
int balance(const DataPlane& data_plane, const Publication&, std::string_view, rte_tel_data* data) {
  const Sums sums(data_plane);
  // Outcomes before what was received, so that packets under way do not seem to come from nowhere.
  Volume decided;
  for (std::size_t v = 0; v < dataplane::kVerdicts; ++v)
    decided += sums.of(static_cast<Verdict>(v));
  const Volume received = sums.received();
  std::uint64_t missed = 0;
  std::uint64_t no_buffer = 0;
  std::uint64_t xdp_taken = 0;
  std::uint64_t xdp_passed = 0;
  for (const DataPlane::Port& port : data_plane.ports()) {
    if (!port.config->receives()) continue;
    const dataplane::dpdk::DeviceCounters counters = device_counters(data_plane, port);
    missed += counters.missed;
    no_buffer += counters.no_buffer;
    if (!port.program) continue;
    try {
      const dataplane::xdp::OutcomeVolumes volumes = port.program->read_counters();
      for (std::size_t o = 0; o < volumes.size(); ++o)
        (o == 0 ? xdp_taken : xdp_passed) += volumes[o].packets;
    } catch (const dataplane::xdp::XdpError&) {
      return kWrongParameter;
    }
  }
  rte_tel_data_start_dict(data);
  add(data, "received", received.packets);
  add(data, "outcomes", decided.packets);
  add(data, "missed", missed);
  add(data, "no_buffer", no_buffer);
  add(data, "xdp_taken", xdp_taken);
  add(data, "xdp_passed", xdp_passed);
  add(data, "free_buffers", data_plane.free_buffers());
  return 0;
}

int binding(const DataPlane&, const Publication&, std::string_view parameter, rte_tel_data* data) {
  const auto cidr = lpm::parse_prefix(parameter);
  if (!cidr) return kWrongParameter;
  const auto numbered = source().numbering->find(*cidr);
  if (!numbered) return kWrongParameter;
  rte_tel_data_start_dict(data);
  add(data, "service", std::string(name_of(numbered->service)));
  add(data, "number", numbered->number);
  add(data, "matched", numbered->counted);
  return 0;
}

void add_histogram(rte_tel_data* data, const std::string& name, const Histogram& histogram) {
  add(data, name + "_count", histogram.count());
  add(data, name + "_sum_ns", histogram.sum_ns());
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i)
    if (histogram.bucket(i) != 0)
      add(data, fmt::format("{}_under_{}_us", name, std::uint64_t{1} << i), histogram.bucket(i));
}

int times(const DataPlane&, const Publication& publication, std::string_view, rte_tel_data* data) {
  rte_tel_data_start_dict(data);
  add_histogram(data, "publish", publication.publish_times());
  add_histogram(data, "grace", publication.grace_times());
  return 0;
}

template <Answer kAnswer>
int answer(const char* /*command*/, const char* parameter, rte_tel_data* data) {
  const std::lock_guard lock(source().mutex);
  if (source().data_plane == nullptr) return kWrongParameter;
  // An exception must not pass through DPDK.
  try {
    return kAnswer(*source().data_plane, *source().publication,
                   parameter == nullptr ? "" : parameter, data);
  } catch (const std::exception&) {
    return kWrongParameter;
  }
}

void register_commands() {
  rte_telemetry_register_cmd("/steer/generation", answer<generation>,
                             "The generation that is active, the one published, what it holds.");
  rte_telemetry_register_cmd("/steer/outcomes", answer<outcomes>,
                             "Packets and bytes by outcome and reason, of all workers.");
  rte_telemetry_register_cmd("/steer/workers", answer<workers>,
                             "How many workers there are; with a number, that worker's counters.");
  rte_telemetry_register_cmd("/steer/services", answer<services>,
                             "What was sent to each service, and lost before it.");
  rte_telemetry_register_cmd("/steer/ports", answer<ports>,
                             "The ports; with a name, that port's counters and its XDP program's.");
  rte_telemetry_register_cmd("/steer/balance", answer<balance>,
                             "Received packets, and the sum of what became of them.");
  rte_telemetry_register_cmd("/steer/binding", answer<binding>,
                             "Traffic whose longest match a binding was. Parameter: its CIDR.");
  rte_telemetry_register_cmd("/steer/times", answer<times>,
                             "Histograms of publications and of their grace periods.");
}

}  // namespace

Telemetry::Telemetry(const DataPlane& data_plane, const Publication& publication,
                     const Numbering& numbering) {
  {
    const std::lock_guard lock(source().mutex);
    source().data_plane = &data_plane;
    source().publication = &publication;
    source().numbering = &numbering;
  }
  register_commands();
}

Telemetry::~Telemetry() {
  const std::lock_guard lock(source().mutex);
  source().data_plane = nullptr;
  source().publication = nullptr;
  source().numbering = nullptr;
}

}  // namespace control::daemon

// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/live_observer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <new>
#include <string>
#include <utility>

#include "control/daemon/counts.hpp"
#include "control/verdict_text.hpp"

namespace control::daemon {
namespace {

using dataplane::Service;
using dataplane::Verdict;
using dataplane::Volume;
using Counts = api::Observer::Counts;

constexpr std::chrono::nanoseconds kPause = std::chrono::seconds(1);
// Where memory is short, rates are the last thing that is missed.
constexpr std::chrono::nanoseconds kPauseWithoutMemory = std::chrono::seconds(10);
// Of the time that a pass took: so it is a fiftieth of all.
constexpr int kPausesForEach = 49;

std::chrono::nanoseconds own_cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

bool has_role(const PortConfig& port, dataplane::Direction direction) {
  return port.role == direction ||
         std::ranges::find(port.vlans, direction, &VlanRole::direction) != port.vlans.end();
}

api::Observer::Worker worker_of(const DataPlane& data_plane, std::size_t number) {
  const auto& cpu = data_plane.layout().workers[number].cpu;
  const dataplane::dpdk::Progress& progress = data_plane.worker(number).progress();
  const Volume received = Sums(data_plane, number).received();
  return {.cpu = cpu ? std::to_string(*cpu) : "any",
          .is_asleep = progress.is_asleep.load(std::memory_order_relaxed),
          .counts = {{"received_packets", received.packets},
                     {"received_bytes", received.bytes},
                     {"rounds", progress.rounds.load(std::memory_order_relaxed)}}};
}

Counts xdp_counts_of(const DataPlane::Port& port) {
  if (!port.program) return {};
  Counts counts;
  try {
    const dataplane::xdp::OutcomeVolumes volumes = port.program->read_counters();
    for (std::size_t o = 0; o < volumes.size(); ++o)
      counts.emplace_back(name_of(static_cast<dataplane::xdp::Outcome>(o)), volumes[o].packets);
  } catch (const dataplane::xdp::XdpError&) {
    return {{"unreadable", 1}};
  }
  return counts;
}

api::Observer::Port port_of(const DataPlane& data_plane, const DataPlane::Port& port) {
  const dataplane::dpdk::DeviceCounters counters = device_counters(data_plane, port);
  return {.name = port.config->name,
          .is_up = port.is_up.load(std::memory_order_relaxed),
          .counts = {{"received_packets", counters.received},
                     {"received_bytes", counters.received_bytes},
                     {"sent_packets", counters.sent},
                     {"sent_bytes", counters.sent_bytes},
                     {"missed", counters.missed},
                     {"no_buffer", counters.no_buffer},
                     {"errors", counters.errors},
                     {"send_errors", counters.send_errors}},
          .xdp = xdp_counts_of(port)};
}

}  // namespace

LiveObserver::LiveObserver(const Config& config, const DataPlane& data_plane,
                           const TableSource& source)
    : config_(config),
      data_plane_(data_plane),
      source_(source),
      activity_(source.numbering()),
      sampler_([this] { sample_all(); }) {}

LiveObserver::~LiveObserver() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_one();
  sampler_.join();
}

bool LiveObserver::sample_once() {
  try {
    while (!activity_.sample_some(Activity::Clock::now())) {
    }
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void LiveObserver::sample_all() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    lock.unlock();
    const std::chrono::nanoseconds before = own_cpu_time();
    const bool is_done = sample_once();
    const std::chrono::nanoseconds taken = own_cpu_time() - before;
    lock.lock();
    const auto pause = is_done ? std::max(kPause, taken * kPausesForEach) : kPauseWithoutMemory;
    wake_.wait_for(lock, pause, [this] { return is_ending_; });
  }
}

api::Observer::Output LiveObserver::output(Service service) const noexcept {
  const dataplane::dpdk::Condition::State state = data_plane_.condition(service).get();
  return {.is_up = state.is_up, .is_resolved = state.is_resolved};
}

bool LiveObserver::has_kernel_path(dataplane::Direction direction) const {
  return std::ranges::any_of(data_plane_.ports(), [direction](const DataPlane::Port& port) {
    return has_role(*port.config, direction) && (port.tap.has_value() || port.program != nullptr);
  });
}

api::Observer::Traffic LiveObserver::traffic_of(const lpm::AnyPrefix& cidr) const {
  const Activity::Clock::time_point now = Activity::Clock::now();
  const auto seen = activity_.find(cidr, now);
  if (!seen) return {};
  Traffic traffic{.counted = seen->counted,
                  .packets_per_second = seen->packets_per_second,
                  .bits_per_second = seen->bits_per_second};
  if (seen->last) {
    using namespace std::chrono;
    const auto wall =
        system_clock::now() - duration_cast<system_clock::duration>(now - *seen->last);
    traffic.last_seen = duration_cast<microseconds>(wall.time_since_epoch()).count();
  }
  return traffic;
}

std::shared_ptr<const std::vector<lpm::AnyPrefix>> LiveObserver::busiest(Order order) const {
  return activity_.busiest(order == Order::packets ? Activity::Order::packets
                                                   : Activity::Order::rate);
}

api::Observer::Counters LiveObserver::counters() const {
  const Sums sums(data_plane_);
  Counters all;
  // Outcomes before what was received, so that packets under way do not seem to come from nowhere.
  for (std::size_t v = 0; v < dataplane::kVerdicts; ++v)
    all.outcomes.emplace_back(counter_name(static_cast<Verdict>(v)),
                              sums.of(static_cast<Verdict>(v)));
  all.received = sums.received();
  for (const Service service : dataplane::kServices) {
    const dataplane::Outcome outcome = outcome_of(service);
    const Volume sent = sums.sent(service);
    all.services.push_back({.service = service,
                            .output = output(service),
                            .counts = {{"sent_packets", sent.packets},
                                       {"sent_bytes", sent.bytes},
                                       {"queue_full", sums.of(queue_full_of(outcome)).packets},
                                       {"too_big", sums.of(too_big_of(outcome)).packets},
                                       {"down", sums.of(down_of(outcome)).packets},
                                       {"unresolved", sums.of(unresolved_of(outcome)).packets}}});
  }
  for (std::size_t w = 0; w < data_plane_.worker_count(); ++w)
    all.workers.push_back(worker_of(data_plane_, w));
  for (const DataPlane::Port& port : data_plane_.ports())
    all.ports.push_back(port_of(data_plane_, port));
  return all;
}

}  // namespace control::daemon

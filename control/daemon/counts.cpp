// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/counts.hpp"

#include <mutex>

namespace control::daemon {

using dataplane::Verdict;
using dataplane::Volume;

Volume Sums::sum(auto read) const {
  Volume total;
  for (std::size_t w = 0; w < data_plane_.worker_count(); ++w)
    if (!worker_ || *worker_ == w) total += read(data_plane_.worker(w).counters());
  return total;
}

Volume Sums::of(Verdict verdict) const {
  return sum([verdict](const dataplane::Counters& c) { return c.of(verdict).read(); });
}

Volume Sums::received() const {
  return sum([](const dataplane::Counters& c) { return c.received().read(); });
}

Volume Sums::sent(dataplane::Service service) const {
  Volume total;
  for (std::size_t v = 0; v < dataplane::kVerdicts; ++v) {
    const auto verdict = static_cast<Verdict>(v);
    if (dataplane::outcome_of(verdict) == outcome_of(service)) total += of(verdict);
  }
  return total;
}

dataplane::dpdk::DeviceCounters device_counters(const DataPlane& data_plane,
                                                const DataPlane::Port& port) {
  // Some drivers add up in software when they are asked, for one thread at a time; the store's and
  // telemetry's ask.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  dataplane::dpdk::DeviceCounters sum;
  for (const std::size_t d : port.devices) {
    const dataplane::dpdk::DeviceCounters one = data_plane.devices()[d].counters();
    sum.received += one.received;
    sum.received_bytes += one.received_bytes;
    sum.sent += one.sent;
    sum.sent_bytes += one.sent_bytes;
    sum.missed += one.missed;
    sum.errors += one.errors;
    sum.no_buffer += one.no_buffer;
    sum.send_errors += one.send_errors;
  }
  return sum;
}

}  // namespace control::daemon

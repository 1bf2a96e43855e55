// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "control/activity.hpp"
#include "control/api/observer.hpp"
#include "control/daemon/config.hpp"
#include "control/daemon/data_plane.hpp"
#include "control/daemon/table_source.hpp"

namespace control::daemon {

// What the API tells of the running data plane. A thread of its own looks at the counters of all
// bindings, about once a second; of so many that it would take more than a fiftieth of a CPU, less
// often.
class LiveObserver final : public api::Observer {
 public:
  // All that is given outlives this; source is the store thread's.
  LiveObserver(const Config& config, const DataPlane& data_plane, const TableSource& source);
  ~LiveObserver() override;
  LiveObserver(const LiveObserver&) = delete;
  LiveObserver& operator=(const LiveObserver&) = delete;

  [[nodiscard]] Output output(dataplane::Service service) const noexcept override;
  [[nodiscard]] bool is_down_to_magic_transit() const noexcept override {
    return config_.output_down_to_magic_transit;
  }
  [[nodiscard]] bool has_kernel_path(dataplane::Direction direction) const override;
  [[nodiscard]] std::shared_ptr<const dataplane::Policy> policy() const override {
    return source_.policy();
  }
  [[nodiscard]] Traffic traffic_of(const lpm::AnyPrefix& cidr) const override;
  [[nodiscard]] std::shared_ptr<const std::vector<lpm::AnyPrefix>> busiest(
      Order order) const override;
  [[nodiscard]] Counters counters() const override;

 private:
  void sample_all();
  // False: there was no memory for it.
  [[nodiscard]] bool sample_once();

  const Config& config_;
  const DataPlane& data_plane_;
  const TableSource& source_;
  Activity activity_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_ending_ = false;  // under mutex_
  std::thread sampler_;
};

}  // namespace control::daemon

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>

#include "control/api/steering.hpp"
#include "control/daemon/publication.hpp"
#include "control/daemon/table_source.hpp"

namespace control::daemon {

// The API's way to the workers: each table is made on the store thread from the one before, and put
// in force by the Publication, on the control thread.
class LiveSteering final : public api::Steering {
 public:
  // source: the store thread's from now on.
  LiveSteering(Publication& publication, TableSource& source)
      : publication_(publication), source_(source) {}

  // On the store thread: for the table that is prepared next, and if that is committed for all
  // after.
  void set_settings(const dataplane::Settings& settings) { source_.set_settings(settings); }
  void set_host_addresses(dataplane::HostAddresses hosts) {
    source_.set_host_addresses(std::move(hosts));
  }
  // For any thread: memory of older tables may be used for the next.
  void set_active(std::uint64_t generation) noexcept {
    active_.store(generation, std::memory_order_release);
  }

  [[nodiscard]] std::expected<std::unique_ptr<Table>, std::string> prepare(
      const api::State& state) override;
  void commit(Table& table) noexcept override;
  void publish(std::unique_ptr<Table> table) override;

 private:
  // Abandoned on the store thread, unless it was committed.
  struct Made final : Table {
    Made() = default;
    Made(const Made&) = delete;
    Made& operator=(const Made&) = delete;
    ~Made() override {
      if (to_abandon != nullptr) to_abandon->abandon();
    }
    TableSource* to_abandon = nullptr;  // null: nothing is prepared, or it is committed
    Prepared prepared;
  };

  Publication& publication_;
  TableSource& source_;
  // Release and acquire: what workers did with older generations comes before their memory is used.
  std::atomic<std::uint64_t> active_{0};
  std::uint64_t reclaimed_ = 0;  // store thread
};

}  // namespace control::daemon

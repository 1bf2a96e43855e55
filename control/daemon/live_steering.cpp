// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/live_steering.hpp"

#include <utility>

namespace control::daemon {

std::expected<std::unique_ptr<api::Steering::Table>, std::string> LiveSteering::prepare(
    const api::State& state) {
  if (const std::uint64_t active = active_.load(std::memory_order_acquire); active > reclaimed_) {
    source_.reclaim(active);
    reclaimed_ = active;
  }
  // First, so that nothing can fail between what is prepared and who abandons it.
  auto made = std::make_unique<Made>();
  auto next = source_.prepare(state.delta(), state.bindings(), state.generation());
  if (!next) return std::unexpected(std::move(next.error()));
  made->prepared = std::move(*next);
  made->to_abandon = &source_;
  return made;
}

void LiveSteering::commit(Table& table) noexcept {
  static_cast<Made&>(table).to_abandon = nullptr;
  source_.commit();
}

void LiveSteering::publish(std::unique_ptr<Table> table) {
  publication_.publish(std::move(static_cast<Made&>(*table).prepared));
}

}  // namespace control::daemon

// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/readiness.hpp"

#include <utility>

#include "control/daemon/log.hpp"

namespace control::daemon {
namespace {

using log::Module;

constexpr std::chrono::milliseconds kLookEvery{10};
// The kernel gives up on a neighbour after three seconds.
constexpr std::chrono::seconds kWaitMax{5};

}  // namespace

Readiness::Readiness(boost::asio::io_context& control, const DataPlane& data_plane,
                     Notifier& notifier, std::filesystem::path ready_file)
    : timer_(control), data_plane_(data_plane), notifier_(notifier), file_(std::move(ready_file)) {}

void Readiness::begin() {
  deadline_ = std::chrono::steady_clock::now() + kWaitMax;
  look();
}

void Readiness::look() {
  if (has_ended_) return;  // the timer had expired before it was cancelled
  const std::vector<std::string> unresolved = data_plane_.unresolved();
  const bool is_late = std::chrono::steady_clock::now() > deadline_;
  if (data_plane_.has_started() && (unresolved.empty() || is_late)) {
    for (const std::string& output : unresolved)
      log::warning(Module::ports, "{} is not to be found: its packets are lost until it is",
                   output);
    get_ready();
    return;
  }
  timer_.expires_after(kLookEvery);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) look();
  });
}

void Readiness::get_ready() {
  is_ready_ = true;
  file_.set();
  notifier_.ready("ready");
  log::notice(Module::control, "ready");
}

void Readiness::end() {
  timer_.cancel();
  has_ended_ = true;
  is_ready_ = false;
  file_.clear();
  notifier_.stopping();
}

void Readiness::reload_begins() {
  if (is_ready_) notifier_.reloading();
}

void Readiness::reload_ends(const std::string& status) {
  if (is_ready_)
    notifier_.ready(status);
  else
    notifier_.status(status);
}

}  // namespace control::daemon

// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/daemon.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <expected>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "control/daemon/control_api.hpp"
#include "control/daemon/data_plane.hpp"
#include "control/daemon/host_watch.hpp"
#include "control/daemon/instance.hpp"
#include "control/daemon/keys.hpp"
#include "control/daemon/log.hpp"
#include "control/daemon/map_room.hpp"
#include "control/daemon/notify.hpp"
#include "control/daemon/persisted.hpp"
#include "control/daemon/privileges.hpp"
#include "control/daemon/publication.hpp"
#include "control/daemon/readiness.hpp"
#include "control/daemon/table_source.hpp"
#include "control/daemon/telemetry.hpp"

namespace control::daemon {
namespace {

namespace asio = boost::asio;
using log::Module;
using LoadResult = std::expected<TableSource::Loaded, Errors>;

void apply_log_levels(const Config& config) {
  log::set_level({.module = "*", .level = "info"});
  for (const LogLevel& level : config.log_levels)
    if (!log::set_level(level))
      log::warning(Module::control, "log-level: there is no module {}", level.module);
}

std::uint32_t bindings_max_of(const Config& config, std::size_t count) {
  constexpr std::size_t kLeast = 65'536;
  if (config.bindings_max != 0) return config.bindings_max;
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(std::max(2 * count, kLeast), dataplane::Match::kBindingsMax));
}

// The control thread: one event loop, in which nothing waits.
class Daemon {
 public:
  // persisted: null: `bindings` come from a file.
  Daemon(const Config& config, const Layout& layout, BindingSet bindings, Persisted* persisted,
         const std::vector<const char*>& arguments, std::filesystem::path ready_file)
      : config_(config),
        arguments_(arguments),
        bindings_max_(bindings_max_of(config, bindings.binding_count())),
        room_(map_room_of(config)),
        source_(arguments, bindings_max_, room_.get()),
        hosts_(hosts_for_workers(config)),
        first_(source_.start(config, std::move(bindings), hosts_,
                             persisted == nullptr ? 1 : persisted->state.generation())),
        signals_(control_, SIGHUP, SIGTERM, SIGINT),
        housekeeping_(control_),
        watchdog_(control_),
        stop_delay_(control_),
        data_plane_(config, layout, std::move(first_.table), bindings_max_),
        publication_(control_, data_plane_, [this](std::uint64_t active) { reclaim(active); }),
        host_watch_(config, data_plane_, room_.get(), hosts_,
                    [this](const dataplane::HostAddresses& hosts, HostWatch::Done done) {
                      change_table(hosts, std::move(done));
                    }),
        readiness_(control_, data_plane_, notifier_, std::move(ready_file)),
        telemetry_(data_plane_, publication_, source_.numbering()) {
    source_.numbering().set_count(
        [this](std::uint32_t number) { return data_plane_.counted(number); });
    publication_.set_grace_timeout(config.grace_timeout);
    apply_log_levels(config);
    data_plane_.start();
    host_watch_.look();
    publication_.begin(std::move(first_));
    release_room(publication_.view().active);
    log::notice(Module::publish, "generation {} active, {} bindings in {} prefixes",
                publication_.view().active, publication_.view().bindings,
                publication_.view().prefixes);
    if (persisted == nullptr) return;
    persisted->state.set_bindings_max(bindings_max_);
    api_.emplace(control_, config_, std::move(*persisted), data_plane_, publication_, source_);
  }

  // run_directory: for the API's socket.
  void run(const std::filesystem::path& run_directory) {
    if (api_) api_->listen(run_directory);
    await_signal();
    keep_house();
    pet_watchdog();
    readiness_.begin();
    control_.run();
    readiness_.end();
    log::notice(Module::control, "ending");
    data_plane_.stop();
  }

 private:
  void await_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP)
        reload();
      else if (!end())
        return;
      await_signal();
    });
  }

  // Steers on for a while, so that those who announce the prefixes can withdraw them first; false:
  // for no longer. A second signal does not wait.
  bool end() {
    if (config_.stop_delay.count() == 0 || std::exchange(is_ending_, true)) {
      control_.stop();
      return false;
    }
    readiness_.end();
    log::notice(Module::control, "not ready any more; steering for another {} ms",
                config_.stop_delay.count());
    stop_delay_.expires_after(config_.stop_delay);
    stop_delay_.async_wait([this](const boost::system::error_code& error) {
      if (!error) control_.stop();
    });
    return true;
  }

  // One at a time; what is asked meanwhile is done once more afterwards.
  void reload() {
    if (is_reloading_) {
      reload_again_ = true;
      return;
    }
    is_reloading_ = true;
    readiness_.reload_begins();
    reload_began_ = std::chrono::steady_clock::now();
    if (api_) {
      reload_settings();
      return;
    }
    asio::post(store_, [this] {
      auto result = std::make_shared<LoadResult>(load_again());
      asio::post(control_, [this, result] { put_in_force(std::move(*result)); });
    });
  }

  // On the thread of the store. A file that memory does not suffice for is refused like another.
  LoadResult load_again() {
    try {
      return source_.load_again();
    } catch (const std::exception& error) {
      return std::unexpected(Errors{std::string("reading again: ") + error.what()});
    }
  }

  // Where the API says what to steer by.
  void reload_settings() {
    asio::post(store_, [this] {
      auto config = std::make_shared<std::expected<Config, Errors>>(
          parse_config(static_cast<int>(arguments_.size()), arguments_.data()));
      asio::post(control_, [this, config] {
        if (*config)
          change_settings(std::make_shared<const Config>(std::move(**config)));
        else
          refuse_reload(config->error());
      });
    });
  }

  void change_settings(const std::shared_ptr<const Config>& config) {
    api_->change_settings(*config, [this, config](const std::string& refused,
                                                  std::uint64_t generation) {
      if (!refused.empty()) {
        refuse_reload({refused});
        return;
      }
      report_unchangeable(*config);
      if (config->rules.longest_prefix4 != config_.rules.longest_prefix4 ||
          config->rules.longest_prefix6 != config_.rules.longest_prefix6)
        log::warning(Module::control,
                     "longest-prefix4 or longest-prefix6 has changed; with data-directory it takes "
                     "effect when steerd is restarted");
      publication_.set_grace_timeout(config->grace_timeout);
      apply_log_levels(*config);
      awaited_generation_ = generation;
      finish_awaited_reload(publication_.view().active);
    });
  }

  // A reload of settings is done when their table is in force.
  void finish_awaited_reload(std::uint64_t active) {
    if (awaited_generation_ == 0 || active < awaited_generation_) return;
    awaited_generation_ = 0;
    log::notice(Module::publish, "generation {} active, {} us from the signal", active,
                std::chrono::duration_cast<std::chrono::microseconds>(
                    std::chrono::steady_clock::now() - reload_began_)
                    .count());
    finish_reload(fmt::format("generation {} active", active));
  }

  void refuse_reload(const Errors& errors) {
    for (const std::string& error : errors) log::error(Module::control, "{}", error);
    log::error(Module::control, "reload refused; generation {} stays in force",
               publication_.view().active);
    finish_reload("reload refused");
  }

  void release_room(std::uint64_t active) noexcept {
    if (room_) room_->release(active);
  }

  void reclaim(std::uint64_t active) {
    release_room(active);
    if (api_) {
      log::debug(Module::publish, "generation {} active", active);
      api_->set_active(active);
      finish_awaited_reload(active);
      return;
    }
    asio::post(store_, [this, active] { source_.reclaim(active); });
  }

  void put_in_force(LoadResult result) {
    if (!result) {
      refuse_reload(result.error());
      return;
    }
    report_unchangeable(result->config);
    publication_.set_grace_timeout(result->config.grace_timeout);
    apply_log_levels(result->config);
    const std::size_t bindings = result->next.binding_count;
    result->next.done.emplace_back([this, bindings](const Active& active) {
      const auto us = [](auto duration) {
        return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
      };
      log::notice(Module::publish,
                  "generation {} active after {} us ({} us from the signal), {} bindings",
                  active.generation, us(active.since_published),
                  us(std::chrono::steady_clock::now() - reload_began_), bindings);
      finish_reload(fmt::format("generation {} active", active.generation));
    });
    publication_.publish(std::move(result->next));
  }

  void finish_reload(const std::string& status) {
    is_reloading_ = false;
    readiness_.reload_ends(status);
    if (std::exchange(reload_again_, false)) reload();
  }

  // Settings that need a restart.
  void report_unchangeable(const Config& now) const {
    std::vector<Config::Written> different;
    const auto by_both = [](const Config::Written& a, const Config::Written& b) {
      return std::tie(a.key, a.value) < std::tie(b.key, b.value);
    };
    auto before = config_.written;
    auto after = now.written;
    std::ranges::sort(before, by_both);
    std::ranges::sort(after, by_both);
    std::ranges::set_symmetric_difference(before, after, std::back_inserter(different), by_both);
    std::set<std::string> keys;
    for (const Config::Written& setting : different)
      if (!can_change_while_running(setting.key)) keys.insert(setting.key);
    for (const std::string& key : keys)
      log::warning(Module::control, "{} has changed; it takes effect when steerd is restarted",
                   key);
  }

  // Another table for workers that have to know these addresses.
  void change_table(const dataplane::HostAddresses& hosts, HostWatch::Done done) {
    if (api_) {
      api_->change_host_addresses(hosts, std::move(done));
      return;
    }
    asio::post(store_, [this, hosts, done = std::move(done)] {
      auto next = std::make_shared<std::expected<Prepared, std::string>>(table_with(hosts));
      asio::post(control_, [this, next, done] {
        if (*next) publication_.publish(std::move(**next));
        done(*next ? std::string() : next->error());
      });
    });
  }

  // On the thread of the store.
  std::expected<Prepared, std::string> table_with(const dataplane::HostAddresses& hosts) {
    try {
      return source_.with(hosts);
    } catch (const std::exception& error) {
      return std::unexpected(std::string(error.what()));
    }
  }

  void keep_house() {
    constexpr std::chrono::milliseconds kEvery{100};
    data_plane_.look_around();
    host_watch_.look();
    if (api_) api_->tick();
    housekeeping_.expires_after(kEvery);
    housekeeping_.async_wait([this](const boost::system::error_code& error) {
      if (!error) keep_house();
    });
  }

  // Says that all is well only while the workers move.
  void pet_watchdog() {
    const auto period = notifier_.watchdog_period();
    if (!period) return;
    bool all_move = true;
    for (std::size_t w = 0; w < data_plane_.worker_count(); ++w) {
      const dataplane::dpdk::Progress& progress = data_plane_.worker(w).progress();
      const std::uint64_t rounds = progress.rounds.load(std::memory_order_relaxed);
      const bool moves = rounds_seen_.size() <= w || rounds_seen_[w] != rounds ||
                         progress.is_asleep.load(std::memory_order_relaxed);
      if (rounds_seen_.size() <= w) rounds_seen_.resize(w + 1);
      rounds_seen_[w] = rounds;
      if (!moves) log::error(Module::control, "worker {} does not move", w);
      all_move = all_move && moves;
    }
    if (all_move) notifier_.alive();
    watchdog_.expires_after(*period);
    watchdog_.async_wait([this](const boost::system::error_code& error) {
      if (!error) pet_watchdog();
    });
  }

  const Config& config_;
  const std::vector<const char*>& arguments_;
  std::uint32_t bindings_max_;
  std::unique_ptr<MapRoom> room_;   // null: no port is an interface
  TableSource source_;              // the store thread's, once that runs
  dataplane::HostAddresses hosts_;  // at the start, for workers
  Prepared first_;                  // at the start
  Notifier notifier_;
  asio::io_context control_{1};
  asio::signal_set signals_;
  asio::steady_timer housekeeping_;
  asio::steady_timer watchdog_;
  asio::steady_timer stop_delay_;
  DataPlane data_plane_;
  Publication publication_;
  HostWatch host_watch_;
  Readiness readiness_;
  Telemetry telemetry_;
  bool is_ending_ = false;
  bool is_reloading_ = false;
  bool reload_again_ = false;
  std::uint64_t awaited_generation_ = 0;  // of a reload of settings; 0: none
  std::chrono::steady_clock::time_point reload_began_;
  std::vector<std::uint64_t> rounds_seen_;  // by the watchdog, by worker
  std::optional<ControlApi> api_;
  asio::thread_pool store_{1};  // the last, so that it ends before what it uses
};

}  // namespace

void run(const Config& config, const Layout& layout, BindingSet bindings,
         const std::vector<const char*>& arguments) {
  log::open();
  const Instance instance(config.run_directory, config.file_prefix);
  if (const unsigned removed = remove_leftovers(config.file_prefix); removed != 0)
    log::notice(Module::control, "removed {} files that a dead instance had left", removed);
  const std::optional<UserIds> user =
      config.user.empty() ? std::nullopt : std::optional(ids_of(config.user));
  std::optional<Persisted> persisted;
  if (!config.data_directory.empty()) {
    persisted.emplace(open_data_directory(config.data_directory, config.rules, user));
    bindings = persisted->state.bindings();
  }
  // Timers as precise as the kernel has them, instead of 50 us late. Inherited by the workers.
  prctl(PR_SET_TIMERSLACK, 1UL);
  Daemon daemon(config, layout, std::move(bindings), persisted ? &*persisted : nullptr, arguments,
                std::filesystem::path(instance.pid_file()).replace_extension(".ready"));
  if (user) {
    instance.give_to(user->user, user->group);
    become(*user);
  }
  daemon.run(instance.pid_file().parent_path());
}

}  // namespace control::daemon

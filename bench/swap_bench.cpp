// SPDX-License-Identifier: BSD-3-Clause
//
// What does a change of one binding cost, where there are very many and a worker is at full load?
// Measured from the call to "active", through what steerd does: the store's thread checks the
// change and makes the table (control/table_maker), the control thread's event loop publishes it
// and looks at the worker (control/daemon/swap), the store's thread reclaims.
//
// One worker on the last processor, fed from packet buffers that were filled before; everything
// else on the first. The feed watches the worker: the time from one call to the next is that of a
// burst, and the address of the current table tells which burst was the first on a new one.
//
//   swap_bench [--bindings N] [--changes N]      prints one JSON object
#include <fmt/format.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "bench/preloaded.hpp"
#include "bench/traffic.hpp"
#include "control/binding_set.hpp"
#include "control/compile.hpp"
#include "control/daemon/swap.hpp"
#include "control/table_maker.hpp"
#include "dataplane/dpdk/worker.hpp"

namespace {

namespace asio = boost::asio;
using control::BindingSet;
using control::Change;
using dataplane::Match;
using dataplane::Service;
using Clock = std::chrono::steady_clock;

constexpr unsigned kHostsPerPrefix = 19;
constexpr std::uint32_t kPackets = 4096;
constexpr std::uint64_t kSeed = 42;
// A window is given up where the worker waited for its processor for more than this share of it.
constexpr double kWaitedMax = 0.05;
constexpr std::size_t kWindowChanges = 1000;

void pin(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
    throw std::runtime_error("cannot run on processor " + std::to_string(cpu));
}

// Nanoseconds that a thread of ours could have run and did not.
std::uint64_t waited_ns(pid_t thread) {
  std::ifstream file(fmt::format("/proc/self/task/{}/schedstat", thread));
  std::uint64_t ran = 0;
  std::uint64_t waited = 0;
  if (!(file >> ran >> waited)) throw std::runtime_error("no schedstat in this kernel");
  return waited;
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

// Ticks of bursts, by 16, exact to that; what is longer than all is in the last.
class BurstTimes {
 public:
  void add(std::uint64_t ticks) noexcept {
    ++counts_[std::min<std::uint64_t>(ticks / kTicks, counts_.size() - 1)];
    ++count_;
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  // hz: of the ticks.
  [[nodiscard]] double ns(double share, double hz) const noexcept {
    const double wanted = share * static_cast<double>(count_);
    double seen = 0;
    std::size_t i = 0;
    while (i + 1 < counts_.size() && (seen += static_cast<double>(counts_[i])) <= wanted) ++i;
    return (static_cast<double>(i) + 0.5) * kTicks * 1e9 / hz;
  }

 private:
  static constexpr std::uint64_t kTicks = 16;
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(1U << 16);
  std::uint64_t count_ = 0;
};

// What the worker receives from, and is watched by. All of it is the worker's thread's, until that
// has ended.
class Feed {
 public:
  explicit Feed(bench::Preloaded& packets) : packets_(packets) {}

  void watch(dataplane::dpdk::Publisher::Reader& reader) noexcept { reader_ = &reader; }
  dataplane::dpdk::Input input() {
    return {.receive =
                [](void* self, rte_mbuf** packets, std::uint16_t count) {
                  return static_cast<Feed*>(self)->receive(packets, count);
                },
            .queue = this,
            .port = {}};
  }

  BurstTimes first;  // bursts that were the first on a new table
  BurstTimes others;
  std::uint64_t fed = 0;
  // Of the time between calls; the control thread reads it.
  std::atomic<bool> is_on{false};

 private:
  std::uint16_t receive(rte_mbuf** packets, std::uint16_t count) {
    const std::uint64_t now = rte_rdtsc();
    if (is_on.load(std::memory_order_relaxed) && last_at_ != 0)
      (is_first_ ? first : others).add(now - last_at_);
    // Its address only: to look into it would bring it into the cache.
    const dataplane::Table* const table = &reader_->table();
    is_first_ = table != last_table_;
    last_table_ = table;
    const std::uint16_t received = packets_.receive(packets, count);
    fed += received;
    last_at_ = rte_rdtsc();
    return received;
  }

  bench::Preloaded& packets_;
  dataplane::dpdk::Publisher::Reader* reader_ = nullptr;
  const dataplane::Table* last_table_ = nullptr;
  bool is_first_ = false;
  std::uint64_t last_at_ = 0;
};

// A binding that comes, changes its service and goes.
struct Host {
  lpm::AnyPrefix prefix;
  lpm::AnyPrefix cidr;
};

// Half the bindings IPv4 (/24 with hosts), half IPv6 (/48 with hosts).
class World {
 public:
  explicit World(std::size_t bindings) {
    const std::size_t prefixes = std::max<std::size_t>(bindings / (kHostsPerPrefix + 1), 2);
    std::set<std::uint32_t> blocks;
    while (blocks.size() < prefixes / 2)
      blocks.insert(static_cast<std::uint32_t>((11 + below(90)) << 16 | below(1U << 16)));
    for (const std::uint32_t block : blocks) {
      const auto prefix = lpm::Prefix4::enclosing({block << 8}, 24);
      add(prefix, [&](std::uint64_t host) {
        return lpm::Prefix4::enclosing({block << 8 | static_cast<std::uint32_t>(host)}, 32);
      });
    }
    std::set<std::uint64_t> sites;
    while (sites.size() < prefixes - prefixes / 2)
      sites.insert(std::uint64_t{0x2a} << 56 | below(std::uint64_t{1} << 40) << 16);
    for (const std::uint64_t site : sites) {
      const auto prefix = lpm::Prefix6::enclosing({site, 0}, 48);
      add(prefix, [&](std::uint64_t host) { return lpm::Prefix6::enclosing({site, host}, 128); });
    }
  }

  std::uint64_t below(std::uint64_t n) {
    return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(engine_);
  }

  std::vector<Change> changes;  // that make it
  std::vector<Host> bound;      // hosts, for traffic
  std::vector<Host> free;       // one in each prefix, that is not bound

 private:
  void add(const lpm::AnyPrefix& prefix, auto host) {
    changes.push_back(Change::add_prefix(prefix));
    changes.push_back(Change::add_binding({prefix, prefix}, Service::magic_transit));
    for (unsigned h = 0; h < kHostsPerPrefix; ++h) {
      const lpm::AnyPrefix cidr = host(1 + h * 13);
      changes.push_back(
          Change::add_binding({prefix, cidr}, below(2) == 0 ? Service::cdn : Service::spectrum));
      bound.push_back({prefix, cidr});
    }
    free.push_back({prefix, host(250)});
  }

  std::mt19937_64 engine_{kSeed};
};

class Bench {
 public:
  Bench(std::size_t bindings, std::size_t changes)
      : world_(bindings),
        changes_(changes),
        policy_(std::make_shared<const dataplane::Policy>(dataplane::Settings())),
        maker_(static_cast<std::uint32_t>(2 * bindings)),
        packets_(kPackets),
        feed_(packets_) {
    fill();
    for (std::uint32_t i = 0; i < kPackets; ++i) {
      const Host& host = world_.bound[world_.below(world_.bound.size())];
      // Half of them to a host, half to another address of the prefix.
      const lpm::AnyPrefix& to = i % 2 == 0 ? host.cidr : host.prefix;
      std::visit([&](const auto& block) { packets_.add(bench::make_frame(block.network())); }, to);
    }
    dataplane::dpdk::Wiring wiring;
    wiring.inputs.push_back(feed_.input());
    for (std::size_t outcome = 0; outcome < sent_.size(); ++outcome)
      wiring.outputs[outcome] = {.send =
                                     [](void* self, rte_mbuf**, std::uint16_t count) {
                                       *static_cast<std::uint64_t*>(self) += count;
                                       return count;
                                     },
                                 .queue = &sent_[outcome]};
    publisher_ = std::make_unique<dataplane::dpdk::Publisher>(1, std::move(first_));
    worker_ = std::make_unique<dataplane::dpdk::Worker>(0, std::move(wiring), *publisher_,
                                                        maker_.numbering().bindings_max());
    feed_.watch(worker_->reader());
    swap_ = std::make_unique<control::daemon::Swap>(control_, *publisher_);
    maker_.numbering().set_count(
        [this](std::uint32_t number) { return worker_->counters().of_binding(number).read(); });
  }

  void run() {
    const unsigned last = std::thread::hardware_concurrency() - 1;
    pin(0);
    prctl(PR_SET_TIMERSLACK, 1UL);
    asio::post(store_, [] {
      pin(0);
      prctl(PR_SET_TIMERSLACK, 1UL);
    });
    std::atomic<bool> stop{false};
    std::thread worker([&] {
      pin(last);
      worker_thread_ = gettid();
      worker_->run(stop);
    });
    while (worker_thread_.load() == 0) std::this_thread::yield();
    warm_up_ = std::min<std::size_t>(changes_ / 10, 2000);
    asio::post(control_, [this] { next(); });
    const auto guard = asio::make_work_guard(control_);
    control_.run();
    stop = true;
    worker.join();
    store_.join();
  }

  [[nodiscard]] std::string report();

 private:
  void fill();
  void next();
  void make(std::span<const Change> changes);
  void publish(std::unique_ptr<const dataplane::Table> table);
  void finish();
  void begin_window();
  void end_window();
  void begin_measuring();
  [[nodiscard]] std::size_t fib_bytes() const {
    const auto four = maker_.fib4().usage();
    const auto six = maker_.fib6().usage();
    return four.current + four.copies + four.retired + six.current + six.copies + six.retired;
  }
  [[nodiscard]] std::size_t fib_taken() const {
    return maker_.fib4().usage().taken + maker_.fib6().usage().taken;
  }

  World world_;
  std::size_t changes_;
  std::shared_ptr<const dataplane::Policy> policy_;
  BindingSet bindings_;        // the store thread's
  control::TableMaker maker_;  // the store thread's
  std::uint64_t generation_ = 1;
  std::unique_ptr<const dataplane::Table> first_;
  bench::Preloaded packets_;
  Feed feed_;
  std::array<std::uint64_t, dataplane::kOutcomes> sent_{};
  std::unique_ptr<dataplane::dpdk::Publisher> publisher_;
  std::unique_ptr<dataplane::dpdk::Worker> worker_;
  asio::io_context control_{1};
  std::unique_ptr<control::daemon::Swap> swap_;
  asio::thread_pool store_{1};

  std::atomic<pid_t> worker_thread_{0};

  // The change under way.
  std::size_t done_ = 0;
  Host host_;
  std::vector<Change> one_ = std::vector<Change>(1);
  std::optional<Service> service_;  // after it
  Clock::time_point called_at_;
  Clock::time_point made_at_;

  // Measured.
  std::size_t warm_up_ = 0;
  std::vector<double> us_;       // of the window
  std::vector<double> made_us_;  // of the window: until the table was handed to control
  std::vector<double> all_us_;
  std::vector<double> all_made_us_;
  Clock::time_point window_began_;
  std::uint64_t waited_before_ = 0;
  std::size_t windows_ = 0;
  std::size_t windows_dropped_ = 0;
  double seconds_ = 0;
  Clock::time_point began_;
  std::uint64_t began_tsc_ = 0;
  std::uint64_t ticks_ = 0;
  std::size_t wrong_ = 0;
  double whole_ms_ = 0;
  std::size_t resident_before_ = 0, resident_after_ = 0;
  std::size_t fib_before_ = 0, fib_after_ = 0;
  std::size_t taken_before_ = 0, taken_after_ = 0;
};

// What each reload did before: all bindings into one table.
void Bench::fill() {
  const auto delta = bindings_.apply(world_.changes);
  if (!delta) throw std::runtime_error(delta.error().front().message);
  world_.changes = {};
  auto table = maker_.prepare(*delta, policy_, generation_);
  if (!table) throw std::runtime_error(table.error().message);
  maker_.commit();
  first_ = std::move(*table);
  const Clock::time_point began = Clock::now();
  const control::CompiledTable whole =
      control::compile(bindings_, policy_->settings(), generation_);
  whole_ms_ = std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

// Create, change the service, delete: in turn, each of another host.
void Bench::next() {
  if (done_ == warm_up_ && !feed_.is_on) {
    // On the store's thread, which owns what is looked at.
    asio::post(store_, [this] {
      begin_measuring();
      asio::post(control_, [this] { next(); });
    });
    return;
  }
  if (done_ >= warm_up_ && (done_ - warm_up_) % kWindowChanges == 0) begin_window();
  Change& change = one_.front();
  switch (done_ % 3) {
    case 0:
      host_ = world_.free[world_.below(world_.free.size())];
      service_ = Service::cdn;
      change = Change::add_binding({host_.prefix, host_.cidr}, service_);
      break;
    case 1:
      service_ = Service::spectrum;
      change = Change::change_service({host_.prefix, host_.cidr}, service_);
      break;
    default:
      service_.reset();
      change = Change::remove_binding({host_.prefix, host_.cidr});
  }
  called_at_ = Clock::now();
  asio::post(store_, [this] { make(one_); });
}

void Bench::make(std::span<const Change> changes) {
  auto checked = bindings_.check(changes);
  if (!checked) throw std::runtime_error(checked.error().front().message);
  auto table = maker_.prepare(checked->delta(), policy_, ++generation_);
  if (!table) throw std::runtime_error(table.error().message);
  maker_.commit();
  bindings_.commit(std::move(*checked));
  made_at_ = Clock::now();
  asio::post(control_, [this, made = table->release()] {
    publish(std::unique_ptr<const dataplane::Table>(made));
  });
}

void Bench::publish(std::unique_ptr<const dataplane::Table> table) {
  swap_->publish(
      std::move(table),
      [this](const control::daemon::Active& active) {
        const Clock::time_point now = Clock::now();
        if (done_ >= warm_up_) {
          us_.push_back(std::chrono::duration<double, std::micro>(now - called_at_).count());
          made_us_.push_back(
              std::chrono::duration<double, std::micro>(made_at_ - called_at_).count());
        }
        asio::post(store_, [this, generation = active.generation] { maker_.reclaim(generation); });
        finish();
      },
      [] { throw std::runtime_error("the worker is stuck"); });
}

void Bench::finish() {
  // Whether the table says what was asked for.
  const Match match(std::visit(
      [this]<class Address>(const lpm::Prefix<Address>& cidr) {
        if constexpr (Address::kBits == 32)
          return publisher_->current().trie4().lookup(cidr.network());
        else
          return publisher_->current().trie6().lookup(cidr.network());
      },
      host_.cidr));
  if (match.service() != service_.value_or(Service::magic_transit)) ++wrong_;
  ++done_;
  if (done_ > warm_up_ && (done_ - warm_up_) % kWindowChanges == 0) end_window();
  if (done_ < warm_up_ + changes_) {
    next();
    return;
  }
  seconds_ = std::chrono::duration<double>(Clock::now() - began_).count();
  ticks_ = rte_rdtsc() - began_tsc_;
  feed_.is_on = false;
  asio::post(store_, [this] {
    fib_after_ = fib_bytes();
    taken_after_ = fib_taken();
    resident_after_ = resident_bytes();
    asio::post(control_, [this] { control_.stop(); });
  });
}

void Bench::begin_measuring() {
  fib_before_ = fib_bytes();
  taken_before_ = fib_taken();
  us_.reserve(kWindowChanges);
  made_us_.reserve(kWindowChanges);
  all_us_.reserve(changes_);
  all_made_us_.reserve(changes_);
  // Touched, so that they do not count as what the changes took.
  all_us_.assign(changes_, 0);
  all_us_.clear();
  all_made_us_.assign(changes_, 0);
  all_made_us_.clear();
  resident_before_ = resident_bytes();
  feed_.is_on = true;
  began_ = Clock::now();
  began_tsc_ = rte_rdtsc();
}

void Bench::begin_window() {
  us_.clear();
  made_us_.clear();
  waited_before_ = waited_ns(worker_thread_);
  window_began_ = Clock::now();
}

void Bench::end_window() {
  const double lasted =
      std::chrono::duration<double, std::nano>(Clock::now() - window_began_).count();
  const auto waited = static_cast<double>(waited_ns(worker_thread_) - waited_before_);
  ++windows_;
  if (waited > kWaitedMax * lasted) {
    ++windows_dropped_;
    return;
  }
  all_us_.insert(all_us_.end(), us_.begin(), us_.end());
  all_made_us_.insert(all_made_us_.end(), made_us_.begin(), made_us_.end());
}

std::string Bench::report() {
  std::ranges::sort(all_us_);
  std::ranges::sort(all_made_us_);
  std::uint64_t decided = 0;
  std::uint64_t lost = 0;
  for (std::size_t v = 0; v < dataplane::kVerdicts; ++v) {
    const auto verdict = static_cast<dataplane::Verdict>(v);
    const std::uint64_t packets = worker_->counters().of(verdict).read().packets;
    decided += packets;
    if (dataplane::outcome_of(verdict) == dataplane::Outcome::drop) lost += packets;
  }
  const double hz = static_cast<double>(ticks_) / seconds_;
  std::uint64_t sent = 0;
  for (const std::uint64_t packets : sent_) sent += packets;
  return fmt::format(
      "{{\"bindings\": {}, \"changes\": {}, \"windows\": {}, \"windows_dropped\": {},\n"
      " \"active_us\": {{\"median\": {:.1f}, \"p99\": {:.1f}, \"max\": {:.1f}}},\n"
      " \"made_us\": {{\"median\": {:.1f}, \"p99\": {:.1f}, \"max\": {:.1f}}},\n"
      " \"whole_ms\": {:.1f}, \"changes_per_second\": {:.0f}, \"packets_per_second\": {:.0f},\n"
      " \"first_burst_ns\": {{\"count\": {}, \"median\": {:.0f}, \"p99\": {:.0f}}},\n"
      " \"other_burst_ns\": {{\"count\": {}, \"median\": {:.0f}, \"p99\": {:.0f}}},\n"
      " \"packets\": {{\"fed\": {}, \"decided\": {}, \"sent\": {}, \"dropped\": {}}}, "
      "\"wrong_answers\": {},\n"
      " \"resident_bytes\": {{\"before\": {}, \"after\": {}}}, \"fib_bytes\": {{\"before\": {}, "
      "\"after\": {}, \"taken_before\": {}, \"taken_after\": {}}}}}\n",
      bindings_.binding_count(), done_ - warm_up_, windows_, windows_dropped_,
      percentile(all_us_, 0.5), percentile(all_us_, 0.99), percentile(all_us_, 1),
      percentile(all_made_us_, 0.5), percentile(all_made_us_, 0.99), percentile(all_made_us_, 1),
      whole_ms_, static_cast<double>(changes_) / seconds_,
      static_cast<double>(feed_.first.count() + feed_.others.count()) * dataplane::kBurstMax /
          seconds_,
      feed_.first.count(), feed_.first.ns(0.5, hz), feed_.first.ns(0.99, hz), feed_.others.count(),
      feed_.others.ns(0.5, hz), feed_.others.ns(0.99, hz), feed_.fed, decided, sent, lost, wrong_,
      resident_before_, resident_after_, fib_before_, fib_after_, taken_before_, taken_after_);
}

std::size_t number_of(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1000)
    throw std::runtime_error(fmt::format("{}: a number from 1,000 on is needed", text));
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::size_t bindings = 1'000'000;
    std::size_t changes = 100'000;
    for (int i = 1; i + 1 < argc; i += 2) {
      const std::string_view name = argv[i];
      if (name == "--bindings")
        bindings = number_of(argv[i + 1]);
      else if (name == "--changes")
        changes = number_of(argv[i + 1]);
      else
        throw std::runtime_error(fmt::format("{}: there are --bindings and --changes", name));
    }
    if (argc % 2 == 0)
      throw std::runtime_error(fmt::format("{}: without a number", argv[argc - 1]));
    if (std::thread::hardware_concurrency() < 2)
      throw std::runtime_error("two processors are needed");
    Bench bench(bindings, changes);
    bench.run();
    std::fputs(bench.report().c_str(), stdout);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "swap_bench: %s\n", error.what());
    return 1;
  }
}

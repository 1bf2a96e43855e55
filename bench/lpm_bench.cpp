// SPDX-License-Identifier: BSD-3-Clause
//
// What does a lookup cost, and what do others take for it? One table of one family in each process,
// all contenders on the same keys in turn. See --help.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <random>
#include <stdexcept>

#include "bench/lpm_peers.hpp"
#include "bench/lpm_tables.hpp"
#include "lpm/fib.hpp"

namespace {

using bench::Contender;
namespace po = boost::program_options;

constexpr std::size_t kPassKeys = std::size_t{1} << 16;  // that are timed together
constexpr std::size_t kBurstMax = 64;
// In each of which every contender has its turn.
constexpr int kRounds = 11;
constexpr int kQuickRounds = 7;

struct Options {
  std::string table;
  std::string prefixes;
  std::size_t huge_page_bytes = 0;
  bool quick = false;
};

template <class Function>
double seconds_of(Function function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Nanoseconds that this thread has stood ready without a processor.
std::uint64_t waited_ns() {
  std::ifstream file("/proc/thread-self/schedstat");
  std::uint64_t ran = 0;
  std::uint64_t waited = 0;
  file >> ran >> waited;
  return waited;
}

// Keys as contenders want them.
struct KeyBytes {
  std::vector<std::uint8_t> bytes;
  std::size_t size;  // of one
  [[nodiscard]] const void* at(std::size_t i) const { return &bytes[i * size]; }
};

template <class Address>
KeyBytes host_keys(const std::vector<Address>& keys) {
  KeyBytes all{std::vector<std::uint8_t>(keys.size() * sizeof(Address)), sizeof(Address)};
  std::memcpy(all.bytes.data(), keys.data(), all.bytes.size());
  return all;
}
template <class Address>
KeyBytes wire_keys(const std::vector<Address>& keys) {
  KeyBytes all{{}, Address::kBytes};
  for (const Address key : keys)
    for (const std::uint8_t byte : key.to_wire()) all.bytes.push_back(byte);
  return all;
}

// How a pass over kPassKeys keys is cut: bursts of `burst`, or for 0 one after the other, each key
// known only when the value before is.
void pass(const Contender& contender, const KeyBytes& keys, std::size_t first, std::size_t burst) {
  alignas(64) std::array<std::uint32_t, kBurstMax> values;
  if (burst != 0) {
    for (std::size_t i = first; i < first + kPassKeys; i += burst) {
      contender.burst(contender.table.get(), keys.at(i), values.data(), burst);
      benchmark::DoNotOptimize(values);
    }
    return;
  }
  std::size_t zero = 0;
  benchmark::DoNotOptimize(zero);
  std::size_t before = 0;
  for (std::size_t i = first; i < first + kPassKeys; ++i) {
    contender.burst(contender.table.get(), keys.at(i + (before & zero)), values.data(), 1);
    before = values[0];
  }
  benchmark::DoNotOptimize(before);
}

// One window: what the contender before left in the caches goes first, then passes over all keys,
// or over as many as there is time for. What is reported is the time of one lookup.
void time_window(benchmark::State& state, const Contender& contender, const KeyBytes& keys,
                 std::size_t burst) {
  constexpr std::size_t kPasses = bench::kKeyCount / kPassKeys;
  constexpr double kWarmUpSecondsMax = 0.030;
  constexpr double kWindowSecondsMax = 0.020;
  if (contender.select) contender.select();
  double warm_up_s = 0;
  for (std::size_t i = 0; i < 4 * kPasses && warm_up_s < kWarmUpSecondsMax; ++i)
    warm_up_s += seconds_of([&] { pass(contender, keys, i % kPasses * kPassKeys, burst); });
  std::size_t dropped = 0;
  for (auto _ : state) {
    double total_s = 0;
    std::size_t passes = 0;
    for (; passes < kPasses && total_s < kWindowSecondsMax; ++passes) {
      const std::uint64_t waited = waited_ns();
      const double seconds = seconds_of([&] { pass(contender, keys, passes * kPassKeys, burst); });
      // A pass that waited for the processor over 5 % of its time is run again, within reason.
      if (static_cast<double>(waited_ns() - waited) > 0.05e9 * seconds && dropped < kPasses) {
        ++dropped;
        --passes;
        continue;
      }
      total_s += seconds;
    }
    state.SetIterationTime(total_s);
    state.counters["ns"] = total_s * 1e9 / static_cast<double>(passes * kPassKeys);
  }
  state.counters["dropped"] = static_cast<double>(dropped);
}

// A data plane has the addresses of packets as they are on the wire, and so have the peers of IPv6:
// to take them apart is part of the lookup. (Those of IPv4 all take numbers.)
template <class Address>
Contender ours(const lpm::Trie<Address>& trie, const std::string& name) {
  constexpr bool kFromWire = Address::kBits == 128;
  return {.name = name,
          .table = std::make_shared<const lpm::Trie<Address>>(trie),
          .burst =
              [](const void* self, const void* keys, std::uint32_t* values, std::size_t count) {
                const auto& table = *static_cast<const lpm::Trie<Address>*>(self);
                const auto* addresses = static_cast<const Address*>(keys);
                std::array<Address, kFromWire ? kBurstMax : 1> unpacked;
                if constexpr (kFromWire) {
                  const auto* const wire = static_cast<const std::uint8_t*>(keys);
                  for (std::size_t i = 0; i < count; ++i)
                    unpacked[i] = Address::from_wire(wire + i * Address::kBytes);
                  addresses = unpacked.data();
                }
                if (count == 1)
                  values[0] = table.lookup(*addresses);
                else
                  table.lookup_burst({addresses, count}, {values, count});
              },
          .wire_keys = kFromWire,
          .memory_bytes = trie.memory_bytes()};
}

// Lookups of one, as many as there are keys.
template <class Address>
Contender ours_one_by_one(const lpm::Trie<Address>& trie, const std::string& name) {
  Contender contender = ours(trie, name);
  contender.burst = [](const void* self, const void* keys, std::uint32_t* values,
                       std::size_t count) {
    const auto& table = *static_cast<const lpm::Trie<Address>*>(self);
    for (std::size_t i = 0; i < count; ++i) {
      if constexpr (Address::kBits == 128)
        values[i] = table.lookup(
            Address::from_wire(static_cast<const std::uint8_t*>(keys) + i * Address::kBytes));
      else
        values[i] = table.lookup(static_cast<const Address*>(keys)[i]);
    }
  };
  return contender;
}

// Every contender must give what we give, or it is not the same table.
void compare(const Contender& contender, const KeyBytes& keys, const Contender& reference,
             const KeyBytes& reference_keys) {
  if (contender.select) contender.select();
  std::array<std::uint32_t, 32> got;
  std::array<std::uint32_t, 32> expected;
  for (std::size_t i = 0; i < bench::kKeyCount; i += got.size()) {
    contender.burst(contender.table.get(), keys.at(i), got.data(), got.size());
    reference.burst(reference.table.get(), reference_keys.at(i), expected.data(), got.size());
    if (got != expected)
      throw std::runtime_error(contender.name + " and " + reference.name + " differ near key " +
                               std::to_string(i));
  }
}

// A figure that was taken before the benchmarks run.
void report(const std::string& name, const char* unit, double value) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [unit, value](benchmark::State& state) {
                                 for (auto _ : state) state.SetIterationTime(0);
                                 state.counters[unit] = value;
                               })
      ->UseManualTime()
      ->Iterations(1);
}

// Change sets of `set` random routes, which are removed by one and added by the next; each from
// prepare() to commit(), and the grace period over at once. What is reported is the time of one
// change.
template <class Address>
void time_updates(lpm::Fib<Address>& fib, const std::vector<lpm::Route<Address>>& routes,
                  std::size_t set, benchmark::State& state) {
  static std::mt19937_64 random(7);
  double total_s = 0;
  std::vector<lpm::Change<Address>> additions;
  std::vector<lpm::Change<Address>> removals;
  for (auto _ : state) {
    additions.clear();
    for (std::size_t i = 0; i < set; ++i) additions.push_back(routes[random() % routes.size()]);
    removals = additions;
    for (auto& change : removals) change.value = lpm::kNoMatch;
    const double seconds = seconds_of([&] {
      for (const auto* changes : {&removals, &additions}) {
        if (!fib.apply(*changes)) throw std::runtime_error("out of memory");
        fib.reclaim(fib.generation() - 1);
      }
    });
    total_s += seconds;
    state.SetIterationTime(seconds);
  }
  state.counters["ns"] =
      total_s * 1e9 / static_cast<double>(2 * set) / static_cast<double>(state.iterations());
}

// What the current generation takes together with the one before, a change set of 1,000 apart.
template <class Address>
double two_generations_bytes(lpm::Fib<Address>& fib,
                             const std::vector<lpm::Route<Address>>& routes) {
  std::mt19937_64 random(8);
  std::vector<lpm::Change<Address>> changes;
  for (int i = 0; i < 1000; ++i) {
    changes.push_back(routes[random() % routes.size()]);
    changes.back().value += 1;
  }
  if (!fib.apply(changes)) throw std::runtime_error("out of memory");
  const auto usage = fib.usage();
  for (auto& change : changes) change.value -= 1;
  if (!fib.apply(changes)) throw std::runtime_error("out of memory");
  fib.reclaim(fib.generation() - 1);
  return static_cast<double>(usage.current + usage.copies + usage.retired);
}

template <class Address>
void run(const Options& options) {
  std::vector<lpm::Prefix<Address>> internet;
  if (!options.prefixes.empty()) internet = bench::read_prefixes<Address>(options.prefixes);
  const std::string name = options.table.substr(3);
  bench::LpmTable<Address> table;
  if (name == "bgp") {
    if (internet.empty()) throw std::runtime_error("the table bgp needs --prefixes");
    table = bench::internet_table(internet);
  } else {
    const std::size_t count = name == "bind-1k" ? 1000 : name == "bind-100k" ? 100'000 : 1'000'000;
    table = bench::binding_table(count, internet);
  }

  // Not static: built before the benchmarks run, used while they do.
  static lpm::Fib<Address> fib;
  const double build_s = seconds_of([&] {
    if (!fib.apply(table.routes)) throw std::runtime_error("out of memory");
  });
  fib.reclaim(0);
  static bench::Peers peers;
  peers = bench::make_peers(table.routes, options.huge_page_bytes);
  for (const std::string& left_out : peers.left_out) std::cerr << "left out: " << left_out << '\n';

  static std::vector<Contender> contenders;
  contenders.push_back(ours(fib.current(), "steer"));
  const auto sets = lpm::Trie<Address>::instruction_sets();
  for (std::size_t i = 1; i < sets.size(); ++i)
    contenders.push_back(
        ours(fib.current().with_instruction_set(sets[i]), "steer " + std::string(sets[i])));
  contenders.push_back(ours_one_by_one(fib.current(), "steer one by one"));
  contenders.insert(contenders.end(), peers.contenders.begin(), peers.contenders.end());

  static std::vector<std::pair<KeyBytes, KeyBytes>> keys;
  keys.reserve(table.key_sets.size());
  const std::string prefix = options.table + "/";
  const int rounds = options.quick ? kQuickRounds : kRounds;
  for (const auto& [key_name, addresses] : table.key_sets) {
    keys.emplace_back(host_keys(addresses), wire_keys(addresses));
    const auto& [in_host_order, on_the_wire] = keys.back();
    const auto keys_of = [&](const Contender& contender) -> const KeyBytes& {
      return contender.wire_keys ? on_the_wire : in_host_order;
    };
    for (const Contender& contender : contenders)
      compare(contender, keys_of(contender), contenders.front(), keys_of(contenders.front()));
    for (const auto& [cut, burst] :
         {std::pair<const char*, std::size_t>{"b32", 32}, {"b64", 64}, {"chain", 0}}) {
      if (options.quick && burst != 32) continue;
      for (const Contender& contender : contenders) {
        const std::string full = prefix + key_name + "/" + cut + "|" + contender.name;
        const KeyBytes& mine = keys_of(contender);
        benchmark::RegisterBenchmark(full.c_str(),
                                     [&contender, &mine, packets = burst](benchmark::State& state) {
                                       time_window(state, contender, mine, packets);
                                     })
            ->UseManualTime()
            ->Iterations(1)
            ->Repetitions(rounds);
      }
    }
  }

  const auto report_all = [&](const char* what, const char* unit, auto value_of) {
    for (const Contender& contender : contenders)
      if (const double value = value_of(contender); value != 0)
        report(prefix + what + "|" + contender.name, unit, value);
  };
  report_all("memory", "bytes",
             [](const Contender& c) { return static_cast<double>(c.memory_bytes); });
  contenders.front().build_ms = build_s * 1e3;
  report_all("build", "ms", [](const Contender& c) { return c.build_ms; });

  static std::vector<lpm::Route<Address>> routes;
  routes = table.routes;
  // Not the table that is looked up in: that shall stay as it was built.
  static lpm::Fib<Address> changing;
  if (!changing.apply(table.routes)) throw std::runtime_error("out of memory");
  changing.reclaim(0);
  report(prefix + "memory-two|steer", "bytes", two_generations_bytes(changing, routes));
  for (const std::size_t set : {std::size_t{1000}, std::size_t{1}}) {
    const std::string full = prefix + (set == 1 ? "update-one" : "update") + "|steer";
    benchmark::RegisterBenchmark(
        full.c_str(),
        [set](benchmark::State& state) { time_updates(changing, routes, set, state); })
        ->UseManualTime()
        ->Iterations(set == 1 ? 1000 : 10)
        ->Repetitions(rounds);
  }
  for (const auto& [peer, ns] : bench::peer_update_costs(table.routes, options.huge_page_bytes))
    report(std::string(prefix).append("update|").append(peer), "ns", ns);
}

Options parse(int argc, char** argv) {
  Options options;
  po::options_description known("Options");
  known.add_options()("help,h", "this text")("table", po::value(&options.table)->required(),
                                             "v4/ or v6/ and bind-1k, bind-100k, bind-1m or bgp")(
      "prefixes", po::value(&options.prefixes),
      "a routing table, one prefix a line: what bgp is made of, and where bindings lie")(
      "huge-page-mib", po::value<std::size_t>(),
      "of reserved huge pages for the tables of DPDK; 0: none, ordinary memory")(
      "quick", po::bool_switch(&options.quick), "bursts of 32 only");
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv).options(known).run(), values);
  if (values.contains("help")) {
    std::cout << "lpm_bench --table TABLE [OPTION...] [-- BENCHMARK-OPTION...]\n\n"
              << known << "\nExample:\n  lpm_bench --table v4/bind-1m -- --benchmark_filter=half\n";
    std::exit(0);
  }
  po::notify(values);
  if (values.contains("huge-page-mib"))
    options.huge_page_bytes = values["huge-page-mib"].as<std::size_t>() << 20;
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto* const end = std::find(argv, argv + argc, std::string_view("--"));
    const int ours = static_cast<int>(end - argv);
    const Options options = parse(ours, argv);
    std::vector<char*> theirs{argv[0]};
    for (int i = ours + 1; i < argc; ++i) theirs.push_back(argv[i]);
    // Contenders take turns in random order, round by round.
    std::string interleaving = "--benchmark_enable_random_interleaving=true";
    theirs.insert(theirs.begin() + 1, interleaving.data());
    int their_count = static_cast<int>(theirs.size());
    benchmark::Initialize(&their_count, theirs.data());
    std::vector<std::string> eal{"--no-pci",
                                 "--no-telemetry",
                                 "--log-level=3",
                                 "--force-max-simd-bitwidth=512",
                                 "-l",
                                 std::to_string(sched_getcpu())};
    if (options.huge_page_bytes != 0) {
      eal.insert(eal.end(), {"--in-memory", "-m", std::to_string(options.huge_page_bytes >> 20)});
    } else {
      eal.insert(eal.end(), {"--no-huge", "--no-shconf", "-m", "2048"});
    }
    bench::start_eal(eal);
    if (options.table.starts_with("v4/"))
      run<lpm::Address4>(options);
    else
      run<lpm::Address6>(options);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "lpm_bench: " << error.what() << '\n';
    return 1;
  }
}

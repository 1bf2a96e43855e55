// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/eal.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <stdlib.h>

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace dataplane::dpdk {
namespace {

// The processors that this process may run on, as EAL writes a set: "0,1".
std::string usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return "0";
  std::string list;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &set)) continue;
    if (!list.empty()) list += ',';
    list += std::to_string(cpu);
  }
  return list;
}

// Lcores that may run anywhere instead of being pinned one by one: the workers share the machine
// with whoever feeds them, and the kernel knows best where there is room.
std::string floating_lcores(unsigned workers) {
  const std::string processors = usable_processors();
  std::string lcores;
  for (unsigned lcore = 0; lcore <= workers; ++lcore) {
    if (!lcores.empty()) lcores += ',';
    lcores += std::to_string(lcore) + "@(" + processors + ")";
  }
  return lcores;
}

bool mentions(const std::vector<std::string>& arguments,
              std::initializer_list<std::string_view> options) {
  return std::ranges::any_of(arguments, [&](std::string_view argument) {
    const std::string_view name = argument.substr(0, argument.find('='));
    return std::ranges::find(options, name) != options.end();
  });
}

std::vector<std::string> arguments_for(const EalOptions& options) {
  std::vector<std::string> arguments{options.program};
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  if (!mentions(options.extra, {"-l", "-c", "--lcores"}))
    add({"--lcores", floating_lcores(options.workers)});
  if (!mentions(options.extra, {"--huge-dir", "--in-memory", "--single-file-segments",
                                "--socket-mem", "--huge-unlink"})) {
    add({"--no-huge", "--no-shconf"});
    if (!mentions(options.extra, {"-m"})) add({"-m", std::to_string(options.memory_mib)});
  }
  if (!mentions(options.extra, {"-a", "--allow", "-b", "--block"})) add({"--no-pci"});
  if (!mentions(options.extra, {"--telemetry"})) add({"--no-telemetry"});
  if (!mentions(options.extra, {"--log-level"})) add({"--log-level", "*:warning"});
  arguments.insert(arguments.end(), options.extra.begin(), options.extra.end());
  return arguments;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

// EAL keeps files in a runtime directory even when it shares nothing; one of our own serves every
// user, also where the common one belongs to somebody else. An operator's choice is respected.
std::filesystem::path own_runtime_directory() {
  if (getenv("RUNTIME_DIRECTORY") != nullptr) return {};
  std::string path = (std::filesystem::temp_directory_path() / "steer-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) return {};
  setenv("RUNTIME_DIRECTORY", path.c_str(), 1);
  return path;
}

void remove_runtime_directory(const std::filesystem::path& path) noexcept {
  if (path.empty()) return;
  unsetenv("RUNTIME_DIRECTORY");
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace

Eal::Eal(const EalOptions& options) : runtime_directory_(own_runtime_directory()) {
  std::vector<std::string> arguments = arguments_for(options);
  std::vector<char*>
      argv;  // EAL permutes it, and keeps pointers into the strings only until return
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(arguments.size()), argv.data()) < 0) {
    const std::string reason = rte_strerror(rte_errno);
    remove_runtime_directory(runtime_directory_);
    throw std::runtime_error("DPDK's EAL did not start (" + reason +
                             "), with the arguments: " + joined(arguments));
  }
}

Eal::~Eal() {
  rte_eal_cleanup();
  remove_runtime_directory(runtime_directory_);
}

Eal::Launch Eal::launch(unsigned n, std::function<void(unsigned)> work) {
  std::vector<unsigned> lcores;
  for (unsigned lcore = rte_get_next_lcore(-1U, 1, 0); lcore < RTE_MAX_LCORE && lcores.size() < n;
       lcore = rte_get_next_lcore(lcore, 1, 0))
    lcores.push_back(lcore);
  if (lcores.size() < n)
    throw std::runtime_error("EAL has " + std::to_string(lcores.size()) +
                             " worker lcores, but there are to be " + std::to_string(n) +
                             " workers: give it more with --lcores");
  return Launch(std::move(lcores), std::move(work));
}

Eal::Launch::Launch(std::vector<unsigned> lcores, std::function<void(unsigned)> work)
    : work_(std::move(work)), lcores_(std::move(lcores)) {
  starts_.reserve(lcores_.size());  // the lcores get pointers to the elements
  for (unsigned index = 0; index < lcores_.size(); ++index) {
    starts_.push_back({&work_, index});
    const auto run = [](void* argument) {
      const Start& start = *static_cast<const Start*>(argument);
      (*start.work)(start.index);
      return 0;
    };
    rte_eal_remote_launch(run, &starts_.back(), lcores_[index]);
  }
}

Eal::Launch::~Launch() {
  wait();
}

void Eal::Launch::wait() {
  for (const unsigned lcore : lcores_) rte_eal_wait_lcore(lcore);
}

}  // namespace dataplane::dpdk

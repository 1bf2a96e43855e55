// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/eal.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <optional>
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

// Whether one of `options` is among the arguments; short ones may have their value attached.
bool mentions(const std::vector<std::string>& arguments,
              std::initializer_list<std::string_view> options) {
  return std::ranges::any_of(arguments, [&](std::string_view argument) {
    return std::ranges::any_of(options, [&](std::string_view option) {
      const bool is_short = option.size() == 2;
      return is_short ? argument.starts_with(option)
                      : argument.substr(0, argument.find('=')) == option;
    });
  });
}

bool wants_hugepages(const EalOptions& options) {
  return mentions(options.extra, {"--huge-dir", "--in-memory", "--single-file-segments",
                                  "--socket-mem", "--huge-unlink"});
}

std::vector<std::string> arguments_for(const EalOptions& options) {
  std::vector<std::string> arguments{options.program};
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  if (!mentions(options.extra, {"-l", "-c", "--lcores"}))
    add({"--lcores", floating_lcores(options.workers)});
  if (!wants_hugepages(options)) {
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

// EAL makes a directory for files that other processes could share, even when it shares nothing.
// One of our own serves every user, also where the common one belongs to somebody else; nothing
// needs it once EAL is up. An operator's choice is respected.
class RuntimeDirectory {
 public:
  RuntimeDirectory() {
    if (getenv(kVariable) != nullptr) return;
    std::error_code error;
    std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    if (error) parent = "/tmp";
    std::string path = (parent / "steer-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) return;
    setenv(kVariable, path.c_str(), 1);
    path_ = path;
  }
  ~RuntimeDirectory() {
    if (path_.empty()) return;
    unsetenv(kVariable);
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  RuntimeDirectory(const RuntimeDirectory&) = delete;
  RuntimeDirectory& operator=(const RuntimeDirectory&) = delete;

 private:
  static constexpr const char* kVariable = "RUNTIME_DIRECTORY";
  std::filesystem::path path_;
};

void start(std::vector<std::string> arguments) {
  std::vector<char*>
      argv;  // EAL permutes it, and keeps pointers into the strings only until return
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(arguments.size()), argv.data()) < 0)
    throw EalError("DPDK's EAL did not start (" + std::string(rte_strerror(rte_errno)) +
                   "), with the arguments: " + joined(arguments));
}

}  // namespace

Eal::Eal(const EalOptions& options) {
  // EAL prints its help and ends the process.
  if (mentions(options.extra, {"-h", "--help", "-v", "--version"}))
    throw EalError("EAL's own help and version are not for here: see dpdk-testpmd --help");
  std::optional<RuntimeDirectory> runtime_directory;
  if (!wants_hugepages(options)) runtime_directory.emplace();
  start(arguments_for(options));
}

Eal::Eal(std::vector<std::string> arguments) {
  start(std::move(arguments));
}

Eal::~Eal() {
  rte_eal_cleanup();
}

Eal::Launch Eal::launch(unsigned n, std::function<void(unsigned)> work) {
  std::vector<unsigned> lcores;
  for (unsigned lcore = rte_get_next_lcore(-1U, 1, 0); lcore < RTE_MAX_LCORE && lcores.size() < n;
       lcore = rte_get_next_lcore(lcore, 1, 0))
    lcores.push_back(lcore);
  if (lcores.size() < n)
    throw EalError("there are to be " + std::to_string(n) +
                   " workers, each on an lcore of its own besides the main one, but EAL's "
                   "arguments leave " +
                   std::to_string(lcores.size()));
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

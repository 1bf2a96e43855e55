// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace dataplane::dpdk {

struct EalOptions {
  std::string program = {};
  // Lcores beside the main one, which are numbered from 1. Each may run on any processor of this
  // process; a program that wants a worker pinned says so in `extra`.
  unsigned workers = 1;
  unsigned memory_mib = 64;
  // EAL arguments of the user, which win over what is chosen here.
  std::vector<std::string> extra = {};
};

// DPDK's environment, without hugepages, PCI devices, shared files or root. One at a time in a
// process. The thread that makes it becomes the main lcore.
class Eal {
 public:
  // Throws std::runtime_error, naming the arguments, when EAL refuses them.
  explicit Eal(const EalOptions& options);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  // Runs `work` on worker lcores, one each, and returns when all have ended. work gets 0 to n - 1.
  // Throws std::runtime_error if there are fewer than n worker lcores.
  class Launch;
  [[nodiscard]] Launch launch(unsigned n, std::function<void(unsigned)> work);

 private:
  std::filesystem::path runtime_directory_;
};

// Work under way on lcores. Waits for it when destroyed; whoever wants it to end says so to the
// work.
class Eal::Launch {
 public:
  Launch(std::vector<unsigned> lcores, std::function<void(unsigned)> work);
  ~Launch();
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  void wait();

 private:
  struct Start {
    const std::function<void(unsigned)>* work;
    unsigned index;
  };
  std::function<void(unsigned)> work_;
  std::vector<unsigned> lcores_;
  std::vector<Start> starts_;
};

}  // namespace dataplane::dpdk

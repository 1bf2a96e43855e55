// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <stdexcept>
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

// EAL refused its arguments, or they do not suffice for what is to run.
class EalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// DPDK's environment. One at a time in a process. The thread that makes it becomes the main lcore.
class Eal {
 public:
  // Without hugepages, PCI devices, shared files or root. Throws EalError, naming the arguments,
  // when EAL refuses them.
  explicit Eal(const EalOptions& options);
  // With exactly these arguments, the program's name first. Throws EalError.
  explicit Eal(std::vector<std::string> arguments);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  // Runs `work` on worker lcores, one each, and returns when all have ended. work gets 0 to n - 1.
  // Throws EalError if there are fewer than n worker lcores.
  class Launch;
  [[nodiscard]] Launch launch(unsigned n, std::function<void(unsigned)> work);
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

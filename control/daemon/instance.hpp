// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace control::daemon {

// What keeps this process from starting. One line that says what to do.
class StartError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// This process as the only steerd of its name on the host: a locked pid file. The kernel gives the
// lock back with the process, however it ends.
class Instance {
 public:
  // directory: empty: /run/steer as root, else $XDG_RUNTIME_DIR/steer, or a directory of the user's
  // under /tmp. Throws StartError: another one runs, the directory cannot be made.
  Instance(const std::filesystem::path& directory, const std::string& name);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  [[nodiscard]] const std::filesystem::path& pid_file() const noexcept { return pid_file_; }
  // The owner of the pid file from now on, so that it can be removed in the end.
  void give_to(unsigned user, unsigned group) const noexcept;

 private:
  std::filesystem::path pid_file_;
  int descriptor_ = -1;
};

// Removes what a dead DPDK process of this prefix left: files of hugepages, which hold memory
// still, and its runtime directory. Does nothing where one is alive. Returns the files removed.
unsigned remove_leftovers(const std::string& prefix);

}  // namespace control::daemon

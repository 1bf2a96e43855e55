// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>

namespace control::daemon {

// Tells other programs of this host whether steerd is ready: a file that exists and is locked
// (flock(2)). It is removed when steerd ends; after SIGKILL it stays, but the kernel has given the
// lock back, and whoever waits for the lock learns of it at once.
class ReadyFile {
 public:
  explicit ReadyFile(std::filesystem::path path);
  ~ReadyFile();  // as clear()
  ReadyFile(const ReadyFile&) = delete;
  ReadyFile& operator=(const ReadyFile&) = delete;

  // Appears locked. Throws StartError where it cannot be written.
  void set();
  void clear() noexcept;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;  // holds the lock
};

}  // namespace control::daemon

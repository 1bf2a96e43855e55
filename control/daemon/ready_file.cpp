// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/ready_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "control/daemon/instance.hpp"

namespace control::daemon {

ReadyFile::ReadyFile(std::filesystem::path path) : path_(std::move(path)) {
  // Of an instance that was killed; it is not locked.
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

ReadyFile::~ReadyFile() {
  clear();
}

void ReadyFile::set() {
  if (descriptor_ >= 0) return;
  // Locked before it has its name, so that nobody sees it unlocked.
  const std::filesystem::path unfinished = path_.string() + ".new";
  descriptor_ = open(unfinished.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0 || flock(descriptor_, LOCK_EX | LOCK_NB) != 0 ||
      std::rename(unfinished.c_str(), path_.c_str()) != 0)
    throw StartError(
        fmt::format("{} cannot be written ({}): nobody would know that steerd is ready",
                    path_.string(), std::strerror(errno)));
}

void ReadyFile::clear() noexcept {
  if (descriptor_ < 0) return;
  // The name first: who gets the lock finds the file gone.
  unlink(path_.c_str());
  close(std::exchange(descriptor_, -1));
}

}  // namespace control::daemon

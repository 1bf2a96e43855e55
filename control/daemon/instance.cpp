// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/instance.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

namespace control::daemon {
namespace {

namespace fs = std::filesystem;

fs::path default_directory() {
  if (geteuid() == 0) return "/run/steer";
  if (const char* const own = std::getenv("XDG_RUNTIME_DIR")) return fs::path(own) / "steer";
  return fmt::format("/tmp/steer-{}", geteuid());
}

std::string read_pid(int descriptor) {
  std::array<char, 24> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), static_cast<std::size_t>(size > 0 ? size : 0));
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid;
}

// Where DPDK keeps what its processes share; eal_create_runtime_dir() has the same order.
fs::path dpdk_directory(const std::string& prefix) {
  fs::path base = "/tmp";
  if (const char* const given = std::getenv("RUNTIME_DIRECTORY"))
    base = given;
  else if (geteuid() == 0)
    base = "/var/run";
  else if (const char* const own = std::getenv("XDG_RUNTIME_DIR"))
    base = own;
  return base / "dpdk" / prefix;
}

// A primary process holds a write lock on its configuration as long as it lives.
bool is_alive(const fs::path& config) {
  const int descriptor = open(config.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool is_held = fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(descriptor);
  return is_held;
}

// Mount points of hugetlbfs.
std::vector<fs::path> hugepage_directories() {
  std::vector<fs::path> directories;
  std::ifstream mounts("/proc/mounts");
  std::string device;
  std::string path;
  std::string type;
  std::string rest;
  while (mounts >> device >> path >> type && std::getline(mounts, rest))
    if (type == "hugetlbfs") directories.emplace_back(path);
  return directories;
}

}  // namespace

Instance::Instance(const fs::path& directory, const std::string& name) {
  const fs::path in = directory.empty() ? default_directory() : directory;
  std::error_code error;
  fs::create_directories(in, error);
  pid_file_ = in / (name + ".pid");
  descriptor_ = open(pid_file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0)
    throw StartError(fmt::format("{} cannot be written ({}): start as root, or give run-directory",
                                 pid_file_.string(), std::strerror(errno)));
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const std::string pid = read_pid(descriptor_);
    close(descriptor_);
    throw StartError(fmt::format(
        "steerd is running already by the name {} (process {}): stop it, or give this one a "
        "file-prefix of its own",
        name, pid));
  }
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, pid.data(), pid.size(), 0) < 0) {
    close(descriptor_);
    throw StartError(
        fmt::format("{} cannot be written ({})", pid_file_.string(), std::strerror(errno)));
  }
}

Instance::~Instance() {
  std::error_code ignored;
  fs::remove(pid_file_, ignored);
  close(descriptor_);
}

void Instance::give_to(unsigned user, unsigned group) const noexcept {
  [[maybe_unused]] int unable = fchown(descriptor_, user, group);
  unable = chown(pid_file_.parent_path().c_str(), user, group);
}

unsigned remove_leftovers(const std::string& prefix) {
  const fs::path directory = dpdk_directory(prefix);
  if (is_alive(directory / "config")) return 0;
  unsigned removed = 0;
  std::error_code error;
  for (const fs::path& hugepages : hugepage_directories())
    for (const auto& entry : fs::directory_iterator(hugepages, error))
      if (entry.path().filename().string().starts_with(prefix + "map_") &&
          fs::remove(entry.path(), error))
        ++removed;
  const std::uintmax_t files = fs::remove_all(directory, error);
  if (!error) removed += static_cast<unsigned>(files);
  return removed;
}

}  // namespace control::daemon

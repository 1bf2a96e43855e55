// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/body_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace control::api {

BodyFile::~BodyFile() {
  if (file_ >= 0) close(file_);
}

std::string BodyFile::unkept(int error) const {
  return fmt::format("the body cannot be kept in {}: {}", directory_,
                     std::generic_category().message(error));
}

std::expected<void, std::string> BodyFile::open() {
  constexpr mode_t kOwners = S_IRUSR | S_IWUSR;
  file_ = ::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, kOwners);
  // Not every file system has files without a name from the start.
  if (file_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    std::string name = directory_ + "/body.XXXXXX";
    file_ = mkostemp(name.data(), O_CLOEXEC);
    if (file_ >= 0) unlink(name.c_str());
  }
  if (file_ < 0) return std::unexpected(unkept(errno));
  return {};
}

std::expected<void, std::string> BodyFile::append(std::string_view bytes) {
  if (file_ < 0)
    if (auto opened = open(); !opened) return opened;
  struct statvfs disk{};
  if (fstatvfs(file_, &disk) == 0 && disk.f_bavail * disk.f_frsize < kLeftBytes + bytes.size())
    return std::unexpected(
        fmt::format("the body cannot be kept in {}: it would leave under {} MiB of the disk, which "
                    "the store needs",
                    directory_, kLeftBytes >> 20));
  while (!bytes.empty()) {
    const ssize_t written = write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(unkept(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
    bytes_ += static_cast<std::size_t>(written);
  }
  return {};
}

std::expected<BodyFile::Mapped, std::string> BodyFile::map() const {
  Mapped mapped;
  if (bytes_ == 0) return mapped;
  void* const start = mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, file_, 0);
  if (start == MAP_FAILED)
    return std::unexpected(
        fmt::format("the body cannot be read: {}", std::generic_category().message(errno)));
  mapped.text_ = {static_cast<const char*>(start), bytes_};
  // A page that the disk does not give back is an error here, and a signal later. Kernels before
  // 5.14 do not know this.
  if (madvise(start, bytes_, MADV_POPULATE_READ) != 0 && errno != EINVAL)
    return std::unexpected(
        fmt::format("the body cannot be read: {}", std::generic_category().message(errno)));
  return mapped;
}

BodyFile::Mapped::~Mapped() {
  if (!text_.empty()) munmap(const_cast<char*>(text_.data()), text_.size());
}

}  // namespace control::api

// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/sqlite_snapshot.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "control/store/migration.hpp"
#include "control/store/sqlite_rows.hpp"
#include "control/store/store_fault.hpp"

namespace control::store {
namespace {

namespace fs = std::filesystem;

fs::path beside(fs::path path, const char* suffix) {
  return path += suffix;
}

// What lies beside the file, and so how it can be read without writing.
enum class Sides : std::uint8_t {
  none,     // it is all there is: nobody has it open, or nobody has written since
  indexed,  // a log and its index: a process has it open, or was killed
  left,     // a log without its index, or a transaction to be rolled back
};

bool has_bytes(const fs::path& path) {
  std::error_code not_there;
  const auto bytes = fs::file_size(path, not_there);
  return !not_there && bytes != 0;
}

Sides sides_of(const fs::path& path) {
  if (has_bytes(beside(path, "-journal"))) return Sides::left;
  const bool has_index = fs::exists(beside(path, "-shm"));
  if (has_index && fs::exists(beside(path, "-wal"))) return Sides::indexed;
  return has_bytes(beside(path, "-wal")) ? Sides::left : Sides::none;
}

// A file and its log, in a folder that goes with this.
class CopyOfFiles {
 public:
  explicit CopyOfFiles(const fs::path& path) {
    std::string pattern = (fs::temp_directory_path() / "steer-store-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw StoreFault(
          fmt::format("no folder {} can be made for a copy: {}", pattern, std::strerror(errno)));
    folder_ = pattern;
    constexpr std::array kSuffixes{"", "-wal", "-journal"};
    for (const char* const suffix : kSuffixes) {
      std::error_code error;
      const fs::path from = beside(path, suffix);
      if (!fs::exists(from, error)) continue;
      fs::copy_file(from, beside(file(), suffix), error);
      if (!error) continue;
      const std::string why = error.message();
      remove();
      throw StoreFault(fmt::format("{} cannot be copied to {}: {}", from.string(), pattern, why));
    }
  }
  ~CopyOfFiles() { remove(); }
  CopyOfFiles(const CopyOfFiles&) = delete;
  CopyOfFiles& operator=(const CopyOfFiles&) = delete;

  [[nodiscard]] fs::path file() const { return folder_ / "steer.db"; }

 private:
  void remove() const noexcept {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  fs::path folder_;
};

void copy(const fs::path& path, Sides sides, Database& to) {
  constexpr int kWaitMs = 2000;
  const auto copy_read_only = [&](const char* parameters) {
    Database file = Database::read_only(path, parameters);
    file.set_busy_timeout(kWaitMs);
    to.copy_from(file);
  };
  switch (sides) {
    case Sides::none:
      // Neither locks nor files of its own.
      copy_read_only("immutable=1");
      break;
    case Sides::indexed:
      // As another reader where a process has it open; else with an index in memory.
      copy_read_only("readonly_shm=1");
      break;
    case Sides::left: {
      const CopyOfFiles files(path);
      to.copy_from(Database(files.file(), nullptr));
      break;
    }
  }
}

void copy_what_is_there(const fs::path& path, Database& to) {
  constexpr int kAttemptsMax = 10;
  for (int attempt = 1;; ++attempt) {
    const Sides sides = sides_of(path);
    try {
      copy(path, sides, to);
      if (sides_of(path) == sides) return;
    } catch (const std::runtime_error&) {
      if (sides_of(path) == sides) throw;
    }
    // A process has opened or closed it meanwhile.
    if (attempt == kAttemptsMax)
      throw StoreFault("processes open and close it all the time: let them end");
  }
}

}  // namespace

std::expected<std::unique_ptr<SqliteSnapshot>, StoreError> SqliteSnapshot::take(
    const fs::path& path) {
  return guarded(path, [&] { return std::unique_ptr<SqliteSnapshot>(new SqliteSnapshot(path)); });
}

SqliteSnapshot::SqliteSnapshot(const fs::path& path) : path_(path), copy_(Database::in_memory()) {
  if (access(path.c_str(), R_OK) != 0)
    throw StoreFault(fmt::format("it cannot be read: {}", std::strerror(errno)));
  copy_what_is_there(path, copy_);
  refuse_damage(copy_);
  schema_ = schema_of(copy_);
  migrate(copy_);
}

std::expected<std::uint64_t, StoreError> SqliteSnapshot::load(StateReader& reader) {
  return guarded(path_, [&] { return read_all(copy_, reader); });
}

}  // namespace control::store

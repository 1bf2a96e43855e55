// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <filesystem>
#include <memory>

#include "control/store/sqlite.hpp"
#include "control/store/store.hpp"

namespace control::store {

// What SqliteStore::open() would find in a file, as it was at one moment: a copy in memory, on
// which all that open() does is tried. Nothing on the disk is changed beside the file, whether a
// process has the store open, has ended, or was killed in the middle of a write.
class SqliteSnapshot final : public StateSource {
 public:
  // Refuses what open() would refuse, and what this process may not read. Takes as much memory as
  // the file has bytes. A process that has the store open goes on meanwhile; at most it does not
  // empty its log before this has ended.
  //
  // A log that no process has the index of (a copy, say) is read from a copy of the files in the
  // temporary directory, since it takes writing to read it.
  [[nodiscard]] static std::expected<std::unique_ptr<SqliteSnapshot>, StoreError> take(
      const std::filesystem::path& path);

  // Of the file; 0: it is empty. open() would bring it to kSchema (migration.hpp).
  [[nodiscard]] int schema() const noexcept { return schema_; }

  // What open() and load() would tell.
  [[nodiscard]] std::expected<std::uint64_t, StoreError> load(StateReader& reader) override;

 private:
  // Throws SqliteError, StoreFault.
  explicit SqliteSnapshot(const std::filesystem::path& path);

  std::filesystem::path path_;
  Database copy_;
  int schema_ = 0;
};

}  // namespace control::store

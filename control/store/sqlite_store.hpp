// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "control/store/store.hpp"

namespace control::store {

struct SqliteOptions {
  // How long a write waits for a lock that another process holds before it is refused.
  std::chrono::milliseconds lock_timeout{200};
  // The virtual file system that SQLite is to use; empty: its default.
  std::string vfs;
};

// A file of SQLite in WAL mode with synchronous=FULL: what write() returned for is on the disk.
//
// Two processes must not have one file: the later write of either is refused, since the generation
// is not what it left. Reading along (sqlite3, a backup) is fine.
class SqliteStore final : public Store {
 public:
  // Opens the file, or makes it where there is none; one of an older schema is brought up to date.
  // A file that is damaged, is none of steer's, or comes from a newer steer is an error and not
  // touched.
  [[nodiscard]] static std::expected<std::unique_ptr<SqliteStore>, StoreError> open(
      const std::filesystem::path& path, const SqliteOptions& options = {});
  ~SqliteStore() override;

  [[nodiscard]] std::expected<std::uint64_t, StoreError> load(StateReader& reader) override;
  [[nodiscard]] std::expected<void, StoreError> write(const Batch& batch) override;
  [[nodiscard]] std::expected<std::vector<HistoryRow>, StoreError> history(
      const HistoryQuery& query) override;
  [[nodiscard]] std::expected<std::uint64_t, StoreError> rollback_from() override;

 private:
  struct Connection;

  SqliteStore(std::filesystem::path path, const SqliteOptions& options);
  // Opened anew where an error closed it. Throws SqliteError, StoreFault.
  Connection& connection();
  // Makes sure that a write which failed is not found by a later start.
  void make_forget() noexcept;

  std::filesystem::path path_;
  SqliteOptions options_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace control::store

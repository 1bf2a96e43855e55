// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/sqlite_store.hpp"

#include <fmt/format.h>

#include <utility>

#include "control/store/migration.hpp"
#include "control/store/sqlite.hpp"
#include "control/store/sqlite_rows.hpp"
#include "control/store/store_fault.hpp"
#include "control/store/transaction.hpp"

namespace control::store {
namespace {

void configure(Database& database, const SqliteOptions& options) {
  database.set_busy_timeout(static_cast<int>(options.lock_timeout.count()));
  database.execute(
      "PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
      "PRAGMA journal_size_limit=67108864; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
}

}  // namespace

// The members in the order of what depends on what.
struct SqliteStore::Connection {
  Connection(const std::filesystem::path& path, const SqliteOptions& options)
      : database(path, options.vfs.empty() ? nullptr : options.vfs.c_str()) {
    configure(database, options);
    // Before anything is written: a file of others is left as it is.
    static_cast<void>(schema_of(database));
    // For good, and outside of any transaction.
    database.execute("PRAGMA journal_mode=WAL");
    migrate(database);
    writer.emplace(database);
  }

  void write(const Batch& batch) {
    Transaction transaction(database);
    if (writer->generation() != batch.generation_before)
      throw StoreFault(
          fmt::format("another process has changed it (generation {} instead of {}); restart "
                      "steerd to go on from what is there",
                      writer->generation(), batch.generation_before));
    writer->write(batch);
    transaction.commit();
  }

  Database database;
  std::optional<RowWriter> writer;
};

std::expected<std::unique_ptr<SqliteStore>, StoreError> SqliteStore::open(
    const std::filesystem::path& path, const SqliteOptions& options) {
  return guarded(path, [&] {
    std::unique_ptr<SqliteStore> store(new SqliteStore(path, options));
    refuse_damage(store->connection().database);
    return store;
  });
}

SqliteStore::SqliteStore(std::filesystem::path path, const SqliteOptions& options)
    : path_(std::move(path)), options_(options) {}

SqliteStore::~SqliteStore() = default;

SqliteStore::Connection& SqliteStore::connection() {
  if (!connection_) connection_ = std::make_unique<Connection>(path_, options_);
  return *connection_;
}

std::expected<std::uint64_t, StoreError> SqliteStore::load(StateReader& reader) {
  return guarded(path_, [&] {
    Database& database = connection().database;
    // One transaction, so that what is told belongs together.
    database.execute("BEGIN");
    try {
      const std::uint64_t generation = read_all(database, reader);
      database.execute("COMMIT");
      return generation;
    } catch (...) {
      if (!database.is_idle()) database.execute("ROLLBACK");
      throw;
    }
  });
}

std::expected<void, StoreError> SqliteStore::write(const Batch& batch) {
  auto written = guarded(path_, [&] { connection().write(batch); });
  if (!written) make_forget();
  return written;
}

void SqliteStore::make_forget() noexcept {
  if (!connection_) return;
  // What was written before its flush failed is behind the end of the log for this connection, but
  // would be found by one that opens the file anew. So this one is kept, and the log emptied as
  // soon as the disk allows: now, or by the next write, which takes the same place.
  connection_->database.try_execute("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!connection_->database.is_idle()) connection_.reset();
}

std::expected<std::vector<HistoryRow>, StoreError> SqliteStore::history(const HistoryQuery& query) {
  return guarded(path_, [&] { return read_history(connection().database, query); });
}

std::expected<std::uint64_t, StoreError> SqliteStore::rollback_from() {
  return guarded(path_, [&] {
    return static_cast<std::uint64_t>(
        connection().database.number("SELECT rollback_from FROM generation"));
  });
}

}  // namespace control::store

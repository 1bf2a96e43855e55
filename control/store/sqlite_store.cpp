// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/sqlite_store.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/store/schema.hpp"
#include "control/store/sqlite.hpp"
#include "control/store/sqlite_rows.hpp"

namespace control::store {
namespace {

static_assert(std::size(kMigrations) == SqliteStore::kSchema);

// What is wrong with the file, beyond what SQLite sees.
class StoreFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string advice_for(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "the disk is full: free some space";
    case SQLITE_READONLY:
      return "it cannot be written: check its owner, its mode and whether its file system is "
             "mounted read-only";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process has locked it: let that end";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return "check that its folder exists and may be written";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "it is damaged, or no store of steer: put a copy in its place, or move it away and "
             "import the state anew; it was not changed";
    default:
      return "check the disk";
  }
}

StoreError to_error(const std::filesystem::path& path, const SqliteError& error) {
  return {fmt::format("{}: {} (SQLite: {}, {})", path.string(), advice_for(error.code()),
                      error.what(), error.code())};
}

// Anything that the body throws of this kind, as an error.
template <class Body>
auto guarded(const std::filesystem::path& path, Body body)
    -> std::expected<decltype(body()), StoreError> {
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return {};
    } else {
      return body();
    }
  } catch (const SqliteError& error) {
    return std::unexpected(to_error(path, error));
  } catch (const StoreFault& fault) {
    return std::unexpected(StoreError{fmt::format("{}: {}", path.string(), fault.what())});
  } catch (const BadRow& bad) {
    return std::unexpected(StoreError{
        fmt::format("{}: {}; {}", path.string(), bad.what(), advice_for(SQLITE_CORRUPT))});
  }
}

// Rolled back unless it was committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
  }
  ~Transaction() {
    // Where this fails too: see make_forget().
    if (!database_.is_idle()) database_.try_execute("ROLLBACK");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() { database_.execute("COMMIT"); }

 private:
  Database& database_;
};

// Makes the schema of an empty file, or brings an older one up to date.
void migrate(Database& database) {
  const bool is_empty = database.number("SELECT count(*) FROM sqlite_master") == 0;
  const std::int64_t application = database.number("PRAGMA application_id");
  const std::int64_t version = database.number("PRAGMA user_version");
  if (!is_empty && application != kApplicationId)
    throw StoreFault("it is a database, but no store of steer; name another file");
  if (version > SqliteStore::kSchema)
    throw StoreFault(
        fmt::format("a newer steer wrote it (schema {}; this one knows {}): start that one, or "
                    "restore a copy from before; it was not changed",
                    version, SqliteStore::kSchema));
  // For good, and outside of any transaction.
  database.execute("PRAGMA journal_mode=WAL");
  if (version == SqliteStore::kSchema) return;
  Transaction transaction(database);
  for (std::int64_t v = version; v < SqliteStore::kSchema; ++v)
    database.execute(kMigrations[static_cast<std::size_t>(v)]);
  database.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId,
                               SqliteStore::kSchema)
                       .c_str());
  transaction.commit();
}

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
    Database& database = store->connection().database;
    const std::string damage = database.text("PRAGMA quick_check(1)");
    if (damage != "ok")
      throw StoreFault(fmt::format("{} ({})", advice_for(SQLITE_CORRUPT), damage));
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

// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/sqlite.hpp"

#include <sqlite3.h>

#include <utility>

namespace control::store {
namespace {

[[noreturn]] void fail(sqlite3* database) {
  throw SqliteError(sqlite3_extended_errcode(database), sqlite3_errmsg(database));
}

// As the path of a URI.
std::string escaped(const std::string& path) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char each : path) {
    const auto byte = static_cast<unsigned char>(each);
    if (each == '%' || each == '?' || each == '#')
      text += {'%', kDigits[byte / 16], kDigits[byte % 16]};
    else
      text += each;
  }
  return text;
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close(database);
}

Database::Database(const char* name, int flags, const char* vfs) {
  sqlite3* database = nullptr;
  const int result =
      sqlite3_open_v2(name, &database, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
  database_.reset(database);
  if (database == nullptr) throw SqliteError(SQLITE_NOMEM, "out of memory");
  if (result != SQLITE_OK) fail(database);
}

Database::Database(const std::filesystem::path& path, const char* vfs)
    : Database(path.c_str(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs) {}

Database Database::in_memory() {
  return {":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, nullptr};
}

Database Database::read_only(const std::filesystem::path& path, const std::string& parameters) {
  const std::string uri =
      "file://" + escaped(std::filesystem::absolute(path).string()) + "?" + parameters;
  return {uri.c_str(), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr};
}

void Database::copy_from(const Database& other) {
  sqlite3_backup* const copy = sqlite3_backup_init(get(), "main", other.get(), "main");
  if (copy == nullptr) fail(get());
  const int result = sqlite3_backup_step(copy, -1);
  sqlite3_backup_finish(copy);
  if (result != SQLITE_DONE) throw SqliteError(result, sqlite3_errstr(result));
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(database_.get());
}

bool Database::try_execute(const char* sql) noexcept {
  return sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.number(0) : 0;
}

std::string Database::text(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? std::string(statement.text(0)) : std::string();
}

std::int64_t Database::changes() const noexcept {
  return sqlite3_changes64(database_.get());
}

bool Database::is_idle() const noexcept {
  return sqlite3_get_autocommit(database_.get()) != 0;
}

void Database::set_busy_timeout(int milliseconds) noexcept {
  sqlite3_busy_timeout(database_.get(), milliseconds);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

Statement::Statement(const Database& database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK)
    fail(database.get());
  statement_.reset(statement);
}

void Statement::check(int result) const {
  if (result != SQLITE_OK) fail(sqlite3_db_handle(statement_.get()));
}

void Statement::bind(int parameter, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), parameter, value));
}

void Statement::bind(int parameter, std::string_view value) {
  // A null pointer would bind NULL. The lifetime is the caller's, so that nothing is copied.
  const char* const data = value.data() == nullptr ? "" : value.data();
  check(sqlite3_bind_text64(statement_.get(), parameter, data, value.size(), nullptr, SQLITE_UTF8));
}

void Statement::bind(int parameter, std::span<const std::uint8_t> value) {
  check(sqlite3_bind_blob64(statement_.get(), parameter, value.data(), value.size(), nullptr));
}

void Statement::bind_null(int parameter) {
  check(sqlite3_bind_null(statement_.get(), parameter));
}

bool Statement::step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      break;
  }
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  const int code = sqlite3_extended_errcode(database);
  const std::string message = sqlite3_errmsg(database);
  reset();
  throw SqliteError(code, message);
}

void Statement::reset() noexcept {
  sqlite3_reset(statement_.get());
}

void Statement::run() {
  step();
  reset();
}

std::int64_t Statement::number(int column) const noexcept {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const noexcept {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::span<const std::uint8_t> Statement::blob(int column) const noexcept {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const std::uint8_t*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const noexcept {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

}  // namespace control::store

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

// SQLite's objects with owners, and its errors as exceptions. Not thread safe.
namespace control::store {

class SqliteError : public std::runtime_error {
 public:
  SqliteError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  // Extended result code.
  [[nodiscard]] int code() const noexcept { return code_; }

 private:
  int code_;
};

class Database {
 public:
  // vfs: null: SQLite's default. Makes the file if it is not there. Throws SqliteError.
  Database(const std::filesystem::path& path, const char* vfs);
  // An empty one, which is gone with this. Throws SqliteError.
  [[nodiscard]] static Database in_memory();
  // A file that must be there. parameters: SQLite's, of a URI. Throws SqliteError.
  [[nodiscard]] static Database read_only(const std::filesystem::path& path,
                                          const std::string& parameters);

  // All of another, as it is at one moment, in place of what is here. Throws SqliteError of either.
  void copy_from(const Database& other);

  // One or several statements without parameters. Throws SqliteError.
  void execute(const char* sql);
  // The same; false where it failed.
  bool try_execute(const char* sql) noexcept;
  // The first column of the first row.
  [[nodiscard]] std::int64_t number(const char* sql);
  [[nodiscard]] std::string text(const char* sql);
  // Rows that the last statement changed.
  [[nodiscard]] std::int64_t changes() const noexcept;
  // No transaction is open.
  [[nodiscard]] bool is_idle() const noexcept;
  void set_busy_timeout(int milliseconds) noexcept;

  [[nodiscard]] sqlite3* get() const noexcept { return database_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  Database(const char* name, int flags, const char* vfs);

  std::unique_ptr<sqlite3, Close> database_;
};

class Statement {
 public:
  Statement(const Database& database, const char* sql);

  // Parameters, counted from 1. Texts and blobs must live until the next step() or reset().
  void bind(int parameter, std::int64_t value);
  void bind(int parameter, std::string_view value);
  void bind(int parameter, std::span<const std::uint8_t> value);
  void bind_null(int parameter);

  // True: there is a row. Throws SqliteError.
  bool step();
  void reset() noexcept;
  // For statements without rows: step and reset.
  void run();

  // Columns of the row at hand, counted from 0. Valid until the next step() or reset().
  [[nodiscard]] std::int64_t number(int column) const noexcept;
  [[nodiscard]] std::string_view text(int column) const noexcept;
  [[nodiscard]] std::span<const std::uint8_t> blob(int column) const noexcept;
  [[nodiscard]] bool is_null(int column) const noexcept;

 private:
  void check(int result) const;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace control::store

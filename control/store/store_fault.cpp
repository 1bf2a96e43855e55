// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/store_fault.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

namespace control::store {

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

StoreError to_error(const std::filesystem::path& path, const StoreFault& fault) {
  return {fmt::format("{}: {}", path.string(), fault.what())};
}

StoreError to_error(const std::filesystem::path& path, const BadRow& bad) {
  return {fmt::format("{}: {}; {}", path.string(), bad.what(), advice_for(SQLITE_CORRUPT))};
}

}  // namespace control::store

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "control/store/sqlite.hpp"
#include "control/store/sqlite_rows.hpp"
#include "control/store/store.hpp"

// What goes wrong with a file of SQLite, as a StoreError: what, where, and what to do about it.
namespace control::store {

// What is wrong with the file, beyond what SQLite sees.
class StoreFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// code: an extended result code of SQLite.
[[nodiscard]] std::string advice_for(int code);

[[nodiscard]] StoreError to_error(const std::filesystem::path& path, const SqliteError& error);
[[nodiscard]] StoreError to_error(const std::filesystem::path& path, const StoreFault& fault);
[[nodiscard]] StoreError to_error(const std::filesystem::path& path, const BadRow& bad);

// What the body returns; what it throws of these kinds, as an error.
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
    return std::unexpected(to_error(path, fault));
  } catch (const BadRow& bad) {
    return std::unexpected(to_error(path, bad));
  }
}

}  // namespace control::store

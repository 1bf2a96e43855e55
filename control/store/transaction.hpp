// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "control/store/sqlite.hpp"

namespace control::store {

// Rolled back unless it was committed.
class Transaction {
 public:
  // Waits for the writer's lock. Throws SqliteError.
  explicit Transaction(Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
  }
  // Where that fails too, the connection is not idle afterwards.
  ~Transaction() {
    if (!database_.is_idle()) database_.try_execute("ROLLBACK");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() { database_.execute("COMMIT"); }

 private:
  Database& database_;
};

}  // namespace control::store

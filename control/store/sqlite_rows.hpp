// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "control/store/sqlite.hpp"
#include "control/store/store.hpp"

// Rows from and to the tables of schema.hpp.
namespace control::store {

// A row that no steer can have written.
class BadRow : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Both throw SqliteError, BadRow.
[[nodiscard]] std::uint64_t read_all(const Database& database, StateReader& reader);
[[nodiscard]] std::vector<HistoryRow> read_history(const Database& database,
                                                   const Store::HistoryQuery& query);

// Prepared statements for a Batch; the transaction around them is the caller's. Throws SqliteError.
class RowWriter {
 public:
  explicit RowWriter(const Database& database);

  [[nodiscard]] std::uint64_t generation();
  void write(const Batch& batch);

 private:
  void put(const PrefixRow& row);
  void put(const BindingRow& row);
  void put(const DeletedRow& row);
  void put(const TokenRow& row);
  void put(const HistoryRow& row);
  void put(const Loss& loss);
  void drop_loss(const Loss::Key& key);

  Statement get_generation_;
  Statement set_generation_;
  Statement drop_prefix_;
  Statement drop_binding_;
  Statement put_prefix_;
  Statement put_binding_;
  Statement put_deleted_;
  Statement forget_deleted_;
  Statement put_token_;
  Statement put_history_;
  Statement put_loss_;
  Statement drop_loss_;
  Statement forget_losses_;
};

}  // namespace control::store

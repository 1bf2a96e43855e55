// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "control/api/state.hpp"

namespace control::api {

// What makes tables of bindings and puts them in force: the data plane, or a test's own.
class Steering {
 public:
  // A table that is made and not yet in force.
  class Table {
   public:
    Table() = default;
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    virtual ~Table() = default;
  };

  Steering() = default;
  Steering(const Steering&) = delete;
  Steering& operator=(const Steering&) = delete;
  virtual ~Steering() = default;

  // On the store thread: the table of `state` (at its generation), with all that it needs reserved.
  // An error (why) leaves everything as it was. A table that is not published is dropped there too,
  // before the next one is asked for.
  [[nodiscard]] virtual std::expected<std::unique_ptr<Table>, std::string> prepare(
      const State& state) = 0;

  // On the store thread, when the change is durable: cannot fail.
  virtual void commit(Table& table) noexcept = 0;

  // On the control thread, in the order of prepare(): cannot fail. Whoever owns this tells
  // Api::set_active() when every worker has passed.
  virtual void publish(std::unique_ptr<Table> table) = 0;
};

}  // namespace control::api

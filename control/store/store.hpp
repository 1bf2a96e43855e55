// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "control/guard.hpp"
#include "control/store/rows.hpp"

// Where bindings, tokens and the history of changes outlive the process. SqliteStore is the one of
// a single host; a distributed one is to implement the same interface.
namespace control::store {

// For the operator: what, where, and what to do about it.
struct StoreError {
  std::string message;
};

// Is told all that a store holds: prefixes before bindings.
class StateReader {
 public:
  StateReader() = default;
  StateReader(const StateReader&) = delete;
  StateReader& operator=(const StateReader&) = delete;
  virtual ~StateReader() = default;

  virtual void prefix(PrefixRow&& row) = 0;
  virtual void binding(BindingRow&& row) = 0;
  virtual void deleted(DeletedRow&& row) = 0;
  virtual void token(TokenRow&& row) = 0;
  virtual void loss(Loss&& loss) = 0;
};

// What several change sets, committed together, come to. Pointers are to rows of the caller, which
// outlive the call.
struct Batch {
  // The store must be at the first, and is at the second afterwards. Equal: no change set, only
  // tokens.
  std::uint64_t generation_before = 0;
  std::uint64_t generation_after = 0;
  std::vector<lpm::AnyPrefix> dropped_prefixes = {};
  std::vector<lpm::AnyPrefix> dropped_bindings = {};
  std::vector<const PrefixRow*> prefixes = {};  // new or changed, by their CIDR
  std::vector<const BindingRow*> bindings = {};
  std::vector<DeletedRow> deleted = {};
  Micros deleted_since = 0;           // older DeletedRows are forgotten
  std::vector<TokenRow> tokens = {};  // new or changed, by number
  std::vector<HistoryRow> history = {};
  std::vector<Loss> losses = {};  // new or changed, by their key
  std::vector<Loss::Key> dropped_losses = {};
  Micros losses_since = 0;  // older ones are forgotten
};

// Where a state can be read from. One owner.
class StateSource {
 public:
  StateSource() = default;
  StateSource(const StateSource&) = delete;
  StateSource& operator=(const StateSource&) = delete;
  virtual ~StateSource() = default;

  // The generation, after everything was told to `reader`.
  [[nodiscard]] virtual std::expected<std::uint64_t, StoreError> load(StateReader& reader) = 0;
};

// One owner, the store thread.
class Store : public StateSource {
 public:
  // All of it or nothing; durable when it returns without error. After an error nothing of it is
  // kept, and the next call may succeed: the cause may be gone. Blocks for as long as the disk
  // takes.
  [[nodiscard]] virtual std::expected<void, StoreError> write(const Batch& batch) = 0;

  struct HistoryQuery {
    std::uint64_t above = 0;  // generations greater than this
    std::uint64_t below = ~std::uint64_t{0};
    std::size_t limit = 100;
    bool with_what = true;  // else it stays empty: it can be large
    bool with_before = false;
    std::size_t bytes_max = ~std::size_t{0};  // of texts; the row that goes beyond is the last
  };
  // The latest first.
  [[nodiscard]] virtual std::expected<std::vector<HistoryRow>, StoreError> history(
      const HistoryQuery& query) = 0;
  // The oldest generation that the history leads back to.
  [[nodiscard]] virtual std::expected<std::uint64_t, StoreError> rollback_from() = 0;
};

}  // namespace control::store

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "control/delta.hpp"
#include "control/numbering.hpp"
#include "dataplane/table.hpp"
#include "lpm/fib.hpp"
#include "lpm/memory.hpp"

namespace control {

// Why there is no next table. The one before stays as it is.
struct TableError {
  enum class Code : std::uint8_t {
    out_of_memory,
    numbers_exhausted,
  };
  Code code = Code::out_of_memory;
  std::string message;  // for the operator
};

// Makes each table from the one before and what has changed, in time and memory that go with the
// change:
//
//   prepare(delta)   the next table. Whatever can fail fails here, before the change is durable.
//   commit()         it is the one to publish, and the base of the next. Cannot fail.
//                    Or abandon(): it never was.
//   reclaim(g)       generation g is active: what only older tables use is used again.
//
// Several tables may be committed before one is published: the last has all their changes, the
// others may be dropped. What they replaced waits for a reclaim() all the same, some KiB for each.
//
// Cost of prepare(): see lpm::Fib and Numbering; of one binding, microseconds at a million. The
// first change set is built in bulk.
//
// Threads: one owner. Its tables may be read by any number of threads, and dropped by any;
// numbering().find() is for any thread.
class TableMaker {
 public:
  // bindings_max: numbers of bindings will be 1 to that; what workers have counters for. memory: of
  // the tries. Throws std::bad_alloc.
  explicit TableMaker(std::uint32_t bindings_max,
                      std::shared_ptr<lpm::Memory> memory = lpm::transparent_huge_pages());

  // delta: of the state that was committed last (none, at first) and the next one. generation:
  // higher than that of any table before. Not while another is prepared. On an error nothing has
  // changed.
  [[nodiscard]] std::expected<std::unique_ptr<const dataplane::Table>, TableError> prepare(
      const Delta& delta, std::shared_ptr<const dataplane::Policy> policy,
      std::uint64_t generation);
  void commit() noexcept;
  void abandon() noexcept;

  // Every worker has passed a quiescent state with table `active`, or a newer one, in force. Not
  // while a table is prepared.
  void reclaim(std::uint64_t active) noexcept;

  [[nodiscard]] Numbering& numbering() noexcept { return numbering_; }
  [[nodiscard]] const Numbering& numbering() const noexcept { return numbering_; }

  [[nodiscard]] const lpm::Fib4& fib4() const noexcept { return fib4_; }
  [[nodiscard]] const lpm::Fib6& fib6() const noexcept { return fib6_; }

 private:
  [[nodiscard]] TableError exhausted(const Numbering::Exhausted& numbers) const;
  void list_changes(const Delta& delta);
  void forget_changes() noexcept;

  Numbering numbering_;
  lpm::Fib4 fib4_;
  lpm::Fib6 fib6_;
  // Of the tables that are not reclaimed, ascending: each is one generation of both Fibs, and the
  // last is their current one.
  std::vector<std::uint64_t> generations_;
  std::uint64_t prepared_generation_ = 0;
  // Kept from one change set to the next for their memory.
  std::vector<lpm::Change<lpm::Address4>> changes4_;
  std::vector<lpm::Change<lpm::Address6>> changes6_;
};

}  // namespace control

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "control/delta.hpp"
#include "dataplane/counters.hpp"

namespace control {

// The numbers of bindings: what a table's Match carries, and what workers count by. A binding keeps
// its number for as long as its CIDR is bound, whatever its service. The number of a removed
// binding goes to another only when
//   - the generation without it is active, so that no worker counts by it any more, and
//   - what was counted by it until then has been read: workers' counters have one writer, so they
//     are never set back, and the new binding's counts are those beyond that baseline.
// So the counts of two bindings never mix.
//
// Memory: 6 to 12 bytes a possible number, and 24 (40 once it was reused) for each that was ever
// given; all of it is address space until it is used.
//
// Threads: one owner makes the changes. find() is for any thread, and waits for the owner no longer
// than 1,024 bindings take (under 1 ms).
class Numbering {
 public:
  // What all workers have counted by a number. Must not throw.
  using Count = std::function<dataplane::Volume(std::uint32_t number)>;

  // Numbers will be 1 to bindings_max (at most Match::kBindingsMax). Throws std::bad_alloc.
  explicit Numbering(std::uint32_t bindings_max);

  // Until then everything counts as zero. Before the first number is given a second time.
  void set_count(Count count);

  struct Numbered {
    std::uint32_t number = 0;
    dataplane::Service service = dataplane::Service::magic_transit;
    dataplane::Volume counted;  // of this binding alone, all its services together
    std::uint32_t tenure = 0;   // another one for each binding that the number is given to
  };
  // The binding on exactly this CIDR, as of the last commit(). O(1).
  [[nodiscard]] std::optional<Numbered> find(const lpm::AnyPrefix& cidr) const;

  // A number that a binding has, and the binding.
  struct Tenant {
    std::uint32_t number = 0;
    std::uint32_t tenure = 0;
    lpm::AnyPrefix cidr;
    dataplane::Volume counted;
  };
  // Appends those of `count` numbers from `first` on; false: there are none behind them. For any
  // thread; the owner waits for as long as `count` take.
  [[nodiscard]] bool read(std::uint32_t first, std::uint32_t count, std::vector<Tenant>& to) const;

  // --- the owner's

  struct Exhausted {
    std::size_t wanted = 0;
    std::size_t free = 0;
    std::size_t waiting = 0;  // of removed bindings, that a later reclaim() will free
  };
  // Gives numbers to the bindings of a Delta: numbers()[i] is that of bindings[i], old or new.
  // Nobody sees them yet. O(1) each; throws std::bad_alloc. On an error nothing has changed.
  // Not while another is prepared.
  [[nodiscard]] std::expected<void, Exhausted> prepare(std::span<const Delta::OfBinding> bindings);
  [[nodiscard]] std::uint32_t number(std::size_t i) const noexcept { return steps_[i].number; }
  // generation: of the table that has what was prepared.
  void commit(std::uint64_t generation) noexcept;
  void abandon() noexcept;
  // The numbers of bindings that were removed by `active` or an older generation may be reused.
  void reclaim(std::uint64_t active) noexcept;

  // The highest number that was ever given; in a transaction, that may be given by it.
  [[nodiscard]] std::uint32_t highest() const noexcept { return next_after_ - 1; }
  [[nodiscard]] std::uint32_t bindings_max() const noexcept { return bindings_max_; }

 private:
  struct Key {
    std::uint64_t high;
    std::uint64_t low;
    std::uint8_t length;
    bool is_ipv4;

    friend bool operator==(const Key&, const Key&) = default;
  };
  // By number. Of one that is not bound, `next` leads on in the list of those that are free, or of
  // those that wait, where `high` is the generation to wait for. Of one that is, `next` is its
  // tenure.
  struct Record {
    std::uint64_t high;
    std::uint64_t low;
    std::uint8_t length;
    bool is_ipv4;
    dataplane::Service service;
    bool is_bound;
    std::uint32_t next;
  };
  static_assert(sizeof(Record) == 24);
  struct List {
    std::uint32_t first = 0;  // 0: empty
    std::uint32_t last = 0;
    std::size_t size = 0;
  };
  enum class Kind : std::uint8_t { add, remove, change };
  struct Step {
    Key key;
    Kind kind;
    dataplane::Service service;
    std::uint32_t number;
    dataplane::Volume baseline;
  };
  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };
  // Zeros, which take no memory until they are written.
  template <class T>
  using Zeros = std::unique_ptr<T[], Free>;

  [[nodiscard]] static Key key_of(const lpm::AnyPrefix& cidr) noexcept;
  [[nodiscard]] static Key key_of(const Record& record) noexcept;
  [[nodiscard]] static lpm::AnyPrefix cidr_of(const Record& record) noexcept;
  [[nodiscard]] std::size_t home_of(const Key& key) const noexcept;
  // The slot of a key, or the free one where it belongs.
  [[nodiscard]] std::size_t slot_of(const Key& key) const noexcept;
  void erase_slot(std::size_t slot) noexcept;
  void append(List& list, std::uint32_t number) noexcept;
  [[nodiscard]] std::uint32_t pop(List& list) noexcept;
  void make(const Step& step, std::uint64_t generation) noexcept;
  [[nodiscard]] dataplane::Volume counted(std::uint32_t number) const;
  // Beyond its baseline.
  [[nodiscard]] dataplane::Volume own_count(std::uint32_t number) const;

  std::uint32_t bindings_max_;
  std::uint64_t seed_;  // of the hash, so that nobody can choose CIDRs that collide
  std::size_t slot_mask_;

  mutable std::mutex mutex_;    // the owner reads without it
  Count count_;                 // under mutex_, as the three that follow
  Zeros<std::uint32_t> slots_;  // open addressing, linear probing: numbers, 0 where free
  Zeros<Record> records_;
  Zeros<dataplane::Volume> baselines_;

  std::uint32_t used_ = 1;  // under mutex_: from here on records were never written
  std::uint32_t tenures_ = 0;

  std::uint32_t next_ = 1;  // from here on numbers were never given
  List free_;               // longest unused first
  List waiting_;            // by generation
  // What is prepared.
  std::vector<Step> steps_;
  std::uint32_t next_after_ = 1;
};

}  // namespace control

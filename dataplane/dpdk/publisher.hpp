// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/table.hpp"

struct rte_rcu_qsbr;

// The one place where changes meet packets: the current table, swapped by RCU.
namespace dataplane::dpdk {

// Holds the current table and those that workers may still be reading.
//
// Threads: publish() and reclaim() belong to one control thread. Each worker uses a Reader of its
// own. Neither waits for the other.
class Publisher {
 public:
  // workers_max: readers that may register, 1 to 1,024. first: the table in force at the start.
  // Throws std::bad_alloc, and std::runtime_error if RCU refuses the number.
  Publisher(unsigned workers_max, std::unique_ptr<const Table> first);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Makes `next` the table of every burst that a worker begins from now on. O(1), cannot fail. The
  // table before stays alive until reclaim() sees that no worker can be reading it.
  void publish(std::unique_ptr<const Table> next) noexcept;

  // Control's view of the table in force.
  [[nodiscard]] const Table& current() const noexcept { return *owned_current_; }

  // Frees the tables that no worker reads any more. Returns the generation that is active: every
  // worker has passed a quiescent state with it, or a newer one, in force. Never waits.
  std::uint64_t reclaim() noexcept;

  // A worker's side of the table.
  class Reader {
   public:
    // number: 0 to workers_max - 1, one for each worker. Registers; starts offline.
    Reader(Publisher& publisher, unsigned number);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // Before the first table(), and after offline().
    void online() noexcept;
    // Before the worker sleeps or ends: it holds no table and is not waited for.
    void offline() noexcept;
    // The table for one burst. Valid until the next quiescent() or offline().
    [[nodiscard]] const Table& table() const noexcept {
      // Acquire pairs with the release in publish(): the table's contents come with its address.
      return *publisher_.current_.load(std::memory_order_acquire);
    }
    // Nothing that was decided by an earlier table() is still to be sent.
    void quiescent() noexcept;

   private:
    Publisher& publisher_;
    unsigned number_;
  };

 private:
  struct FreeQsbr {
    void operator()(rte_rcu_qsbr* qsbr) const noexcept;
  };

  void drop_oldest() noexcept;

  std::unique_ptr<rte_rcu_qsbr, FreeQsbr> qsbr_;
  std::unique_ptr<const Table> owned_current_;  // written by control
  // Those that were replaced and may still be read: a list, each owned by the one before. Control's
  // alone.
  std::unique_ptr<const Table> oldest_;
  const Table* newest_ = nullptr;                  // only where there is an oldest
  std::uint64_t active_generation_;                // control's alone
  alignas(64) std::atomic<const Table*> current_;  // written by control, read by workers
};

}  // namespace dataplane::dpdk

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "control/api/operations.hpp"
#include "control/api/reply_budget.hpp"
#include "control/api/state.hpp"
#include "control/api/steering.hpp"
#include "control/store/store.hpp"

namespace control::api {

struct EngineLimits {
  std::size_t queued_max = 8192;                          // requests that wait
  std::size_t queued_bytes_max = std::size_t{512} << 20;  // of their bodies
  std::size_t group_max = 1024;                           // requests that are committed together
  // Of replies: after so many a group takes no more requests, and beyond so many that their clients
  // have not taken, requests are answered 503. See ReplyBudget.
  std::size_t group_reply_bytes_max = std::size_t{8} << 20;
  std::size_t reply_bytes_max = std::size_t{256} << 20;
};

// The store thread: owns the state and the store. Requests are carried out in the order in which
// they came; those that wait together are one group:
//
//   carry out all -> prepare one table -> one durable transaction -> publish -> replies
//
// Whatever fails before the transaction returned is undone, and answered 503. No reply of a group
// leaves before, not even that of a request that only read: it may have seen what was not durable.
//
// A group ends early where its replies become many bytes, so that they are not all there at once.
class Engine {
 public:
  struct Hooks {
    // Runs something on the control thread, in the order of the calls. For any thread.
    std::function<void(std::function<void()>)> to_control;
    // On the control thread, with an answer; and when all of a group have been given.
    std::function<void(Answer&&, Reply&&)> answer;
    std::function<void()> answered;
    // On the store thread: a token that is new or changed, durably.
    std::function<void(const store::TokenRow&)> token;
    // On the store thread: something for the log.
    std::function<void(const std::string&)> complain;
    // Microseconds since 1970; on the store thread.
    std::function<store::Micros()> now;
    // Not null; outlives the engine.
    const Observer* observer = nullptr;
  };

  // Starts the thread. All that is given outlives it.
  Engine(State&& state, store::Store& store, Steering& steering, Hooks hooks,
         const EngineLimits& limits = {});
  // Finishes what it has.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // For any thread. False: too much is waiting; job and reply are left as they are.
  [[nodiscard]] bool submit(Job& job, Reply& reply);
  // For any thread: something else to do with the state, alone, in its turn. What it changes is
  // persisted and published like a change set; `done` is run on the control thread afterwards, with
  // why it was not, or an empty text.
  void submit(std::function<void(State&)> task, std::function<void(const std::string&)> done);

  // For any thread: frees it, where the time that takes does not matter.
  void discard(std::string&& text);

  // For any thread: the generation that all workers have passed.
  void set_active(std::uint64_t generation) noexcept {
    active_.store(generation, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t active() const noexcept {
    return active_.load(std::memory_order_relaxed);
  }

 private:
  struct Item {
    Job job;
    Reply reply;
    std::function<void(State&)> task;  // instead of a job
    std::function<void(const std::string&)> done;
    Answer answer;
    std::string failure;  // of a task
    bool has_written = false;
    bool is_settled = false;  // its answer stands, whatever becomes of the others
  };
  using Group = std::vector<Item>;

  void work();
  // What waits, possibly nothing; nullopt: the end.
  [[nodiscard]] std::optional<Group> take();
  void finish(Group& group);
  // Returns how many: where their replies become many bytes, not all.
  std::size_t carry_out_all(Group& group, bool may_write);
  void carry_out_one(Item& item);
  [[nodiscard]] Answer answer_to(const Job& job);
  // The items from this one on are to be taken first.
  void put_back(Group& group, std::size_t first);
  // What keeps the group from being durable; empty: nothing, and `table` is to be published.
  [[nodiscard]] std::string make_durable(std::unique_ptr<Steering::Table>& table);
  static void refuse_writers(Group& group, const std::string& why);
  void deliver(Group&& group, std::unique_ptr<Steering::Table> table);

  State state_;
  store::Store& store_;
  Steering& steering_;
  Hooks hooks_;
  EngineLimits limits_;
  ReplyBudget replies_;
  std::atomic<std::uint64_t> active_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;              // under mutex_
  std::size_t queued_bytes_ = 0;        // under mutex_
  std::vector<std::string> discarded_;  // under mutex_
  bool is_ending_ = false;              // under mutex_
  std::thread thread_;
};

}  // namespace control::api

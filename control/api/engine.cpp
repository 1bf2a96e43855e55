// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/engine.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

namespace control::api {

Engine::Engine(State&& state, store::Store& store, Steering& steering, Hooks hooks,
               const EngineLimits& limits)
    : state_(std::move(state)),
      store_(store),
      steering_(steering),
      hooks_(std::move(hooks)),
      limits_(limits),
      replies_(limits.reply_bytes_max),
      active_(state_.generation()),
      thread_([this] { work(); }) {}

Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool Engine::submit(Job& job, Reply& reply) {
  const std::size_t bytes = job.request.body.size();
  {
    const std::lock_guard lock(mutex_);
    const bool is_full = queue_.size() >= limits_.queued_max ||
                         (queued_bytes_ != 0 && queued_bytes_ + bytes > limits_.queued_bytes_max);
    if (is_full) return false;
    Item& item = queue_.emplace_back();
    item.job = std::move(job);
    item.reply = std::move(reply);
    queued_bytes_ += bytes;
  }
  wake_.notify_one();
  return true;
}

void Engine::submit(std::function<void(State&)> task,
                    std::function<void(const std::string&)> done) {
  {
    const std::lock_guard lock(mutex_);
    Item& item = queue_.emplace_back();
    item.task = std::move(task);
    item.done = std::move(done);
  }
  wake_.notify_one();
}

void Engine::discard(std::string&& text) {
  {
    const std::lock_guard lock(mutex_);
    discarded_.push_back(std::move(text));
  }
  wake_.notify_one();
}

std::optional<Engine::Group> Engine::take() {
  Group group;
  std::vector<std::string> discarded;  // freed when the lock is no longer held
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return is_ending_ || !queue_.empty() || !discarded_.empty(); });
  if (is_ending_ && queue_.empty()) return std::nullopt;
  discarded.swap(discarded_);
  while (!queue_.empty() && group.size() < limits_.group_max) {
    const bool is_task = queue_.front().task != nullptr;
    if (is_task && !group.empty()) break;
    queued_bytes_ -= queue_.front().job.request.body.size();
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (is_task) break;
  }
  return group;
}

void Engine::work() {
  for (;;) {
    std::optional<Group> group = take();
    if (!group) return;
    if (!group->empty()) finish(*group);
  }
}

void Engine::finish(Group& group) {
  if (const std::size_t done = carry_out_all(group, true); done < group.size())
    put_back(group, done);
  std::unique_ptr<Steering::Table> table;
  if (state_.is_changed()) {
    if (const std::string why = make_durable(table); !why.empty()) {
      hooks_.complain(why);
      table.reset();
      state_.undo();
      refuse_writers(group, why);
      // The others may have seen what is undone.
      carry_out_all(group, false);
    }
  }
  deliver(std::move(group), std::move(table));
}

void Engine::put_back(Group& group, std::size_t first) {
  const std::lock_guard lock(mutex_);
  while (group.size() > first) {
    queued_bytes_ += group.back().job.request.body.size();
    queue_.push_front(std::move(group.back()));
    group.pop_back();
  }
}

std::size_t Engine::carry_out_all(Group& group, bool may_write) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    Item& item = group[i];
    if (item.is_settled) continue;
    const std::uint64_t before = state_.generation();
    try {
      carry_out_one(item);
      item.has_written = state_.generation() != before;
    } catch (const std::exception& error) {
      // It may have left things half done: all are begun anew without it.
      item.failure = fmt::format("the request could not be carried out: {}", error.what());
      item.answer = {.response = response_of(Error::of(503, Code::not_writable, item.failure))};
      item.is_settled = true;
      hooks_.complain(item.failure);
      state_.undo();
      i = static_cast<std::size_t>(-1);
      bytes = 0;
      continue;
    }
    if (!may_write && item.has_written) {
      state_.undo();
      item.answer = {.response = response_of(Error::of(
                         503, Code::not_writable, "the store could not be written; try again"))};
    }
    bytes += item.answer.response.body.size();
    if (may_write && bytes >= limits_.group_reply_bytes_max) return i + 1;
  }
  return group.size();
}

void Engine::carry_out_one(Item& item) {
  if (item.task) {
    item.task(state_);
    return;
  }
  // What it was answered before, where it is begun anew, does not count twice.
  item.answer = {};
  item.answer = answer_to(item.job);
  item.answer.response.held =
      replies_.hold(item.job.principal.token, item.answer.response.body.capacity());
}

Answer Engine::answer_to(const Job& job) {
  const auto kind = is_listing(job.route.endpoint->operation) ? ReplyBudget::Kind::listing
                                                              : ReplyBudget::Kind::small;
  if (!replies_.has_room(kind, job.principal.token))
    return {
        .response = response_of(Error::of(
            503, Code::not_writable,
            "too many bytes of replies have not been taken by their clients; try again later"))};
  const Context context{
      .progress = {.active = active(),
                   .magic_transit_up =
                       hooks_.observer->output(dataplane::Service::magic_transit).is_up},
      .now = hooks_.now(),
      .store = &store_,
      .observer = hooks_.observer};
  return carry_out(state_, context, job);
}

std::string Engine::make_durable(std::unique_ptr<Steering::Table>& table) {
  std::vector<store::TokenRow> tokens;
  try {
    auto prepared = steering_.prepare(state_);
    if (!prepared) return fmt::format("the next table cannot be made: {}", prepared.error());
    table = std::move(*prepared);
    store::Batch batch = state_.batch(hooks_.now());
    if (const auto written = store_.write(batch); !written) return written.error().message;
    tokens = std::move(batch.tokens);
  } catch (const std::exception& error) {
    return fmt::format("the next table cannot be made: {}", error.what());
  }
  steering_.commit(*table);
  state_.mark();
  // From here on nothing is refused: it is durable.
  try {
    for (const store::TokenRow& row : tokens) hooks_.token(row);
  } catch (const std::exception& error) {
    hooks_.complain(
        fmt::format("a change of tokens takes a restart to be in force: {}", error.what()));
  }
  return {};
}

void Engine::refuse_writers(Group& group, const std::string& why) {
  for (Item& item : group) {
    if (item.is_settled || !item.has_written) continue;
    item.answer = {.response = response_of(Error::of(503, Code::not_writable, why))};
    item.failure = why;
    item.is_settled = true;
  }
}

void Engine::deliver(Group&& group, std::unique_ptr<Steering::Table> table) {
  // std::function wants copies.
  struct Delivery {
    Group group;
    std::unique_ptr<Steering::Table> table;
  };
  // Large bodies take their time to be freed: here, where it does not matter.
  for (Item& item : group) item.job = {};
  auto delivery = std::make_shared<Delivery>(std::move(group), std::move(table));
  hooks_.to_control([this, delivery] {
    if (delivery->table) steering_.publish(std::move(delivery->table));
    for (Item& item : delivery->group) {
      if (item.task)
        item.done(item.failure);
      else
        hooks_.answer(std::move(item.answer), std::move(item.reply));
    }
    hooks_.answered();
  });
}

}  // namespace control::api

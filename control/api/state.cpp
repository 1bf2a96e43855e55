// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "control/api/former.hpp"
#include "control/api/history.hpp"

namespace control::api {
namespace {

using dataplane::Service;
using store::BindingRow;
using store::PrefixRow;

// Fills a State from a store.
class Loader final : public store::StateReader {
 public:
  Loader(Catalog& catalog, Extents& extents, Guard& guard)
      : catalog_(catalog), extents_(extents), guard_(guard) {}

  void prefix(PrefixRow&& row) override {
    changes_.push_back(Change::add_prefix(row.cidr));
    catalog_.put(row);
    extents_.put(row);
  }
  void binding(BindingRow&& row) override {
    changes_.push_back(Change::add_binding({row.prefix, row.cidr}, row.service));
    catalog_.put(row);
    extents_.add(row);
  }
  void deleted(store::DeletedRow&& row) override { deleted_.push_back(row); }
  void token(store::TokenRow&& row) override { tokens_.push_back(std::move(row)); }
  void loss(Loss&& loss) override { guard_.restore(std::move(loss)); }

  [[nodiscard]] std::span<const Change> changes() const { return changes_; }
  [[nodiscard]] const std::vector<store::DeletedRow>& deleted_rows() const { return deleted_; }
  [[nodiscard]] std::vector<store::TokenRow>& tokens() { return tokens_; }

 private:
  Catalog& catalog_;
  Extents& extents_;
  Guard& guard_;
  std::vector<store::DeletedRow> deleted_;
  std::vector<store::TokenRow> tokens_;
  std::vector<Change> changes_;
};

}  // namespace

std::expected<void, store::StoreError> State::load(store::StateSource& store) {
  State fresh(bindings_.rules());
  // The limits are not the store's.
  fresh.guard_ = guard_.without_memory();
  Loader loader(fresh.catalog_, fresh.extents_, fresh.guard_);
  const auto generation = store.load(loader);
  if (!generation) return std::unexpected(generation.error());
  if (const auto applied = fresh.bindings_.apply(loader.changes()); !applied)
    return std::unexpected(
        store::StoreError{fmt::format("what the store holds breaks a rule, as it is set now: {}",
                                      applied.error().front().message)});
  fresh.generation_ = *generation;
  fresh.bindings_max_ = bindings_max_;
  fresh.tokens_ = std::move(loader.tokens());
  for (const store::DeletedRow& row : loader.deleted_rows()) {
    fresh.deleted_.emplace(row.id, row);
    fresh.newly_deleted_.push_back(row.id);
  }
  *this = std::move(fresh);
  mark();
  return {};
}

void State::put(const PrefixRow& row) {
  catalog_.put(row);
  extents_.put(row);
}

void State::put(const BindingRow& row) {
  if (const BindingRow* const before = catalog_.find<BindingRow>(row.cidr)) extents_.drop(*before);
  catalog_.put(row);
  extents_.add(row);
}

void State::drop_prefix(const lpm::AnyPrefix& cidr) {
  const PrefixRow* const row = catalog_.find<PrefixRow>(cidr);
  if (row == nullptr) return;
  extents_.drop(*row);
  catalog_.drop<PrefixRow>(cidr);
}

void State::drop_binding(const lpm::AnyPrefix& cidr) {
  const BindingRow* const row = catalog_.find<BindingRow>(cidr);
  if (row == nullptr) return;
  extents_.drop(*row);
  catalog_.drop<BindingRow>(cidr);
}

void State::remember_deleted(const ObjectId& id, const Author& author) {
  if (!is_single_) return;
  deleted_[id] = {.id = id, .by = author.token, .at = author.now};
  newly_deleted_.push_back(id);
}

void State::add_history(const Author& author, std::string what, std::size_t first) {
  std::string before;
  for (const Touched& touched : std::span(touched_).subspan(first)) {
    if (touched.is_prefix)
      append_former(before, touched.cidr, touched.prefix.get());
    else
      append_former(before, touched.cidr, touched.binding ? &*touched.binding : nullptr);
  }
  history_.push_back({.generation = generation_,
                      .at = author.now,
                      .by = author.token,
                      .who = author.name,
                      .what = std::move(what),
                      .before = std::move(before)});
}

void State::describe(const lpm::AnyPrefix& prefix, std::string description, const Author& author) {
  const PrefixRow* const before = catalog_.find<PrefixRow>(prefix);
  if (before == nullptr) return;
  touch<PrefixRow>(prefix);
  PrefixRow row = *before;
  row.description = std::move(description);
  row.modified_at = author.now;
  row.generation = ++generation_;
  put(row);
  add_history(author, fmt::format("=prefix {} described\n", to_string(prefix)),
              touched_.size() - 1);
}

void State::put_token(const store::TokenRow& row, const Author& author) {
  if (changed_tokens_.empty()) tokens_before_ = tokens_;
  const auto index = static_cast<std::size_t>(row.number - 1);
  if (index >= tokens_.size()) tokens_.resize(index + 1);
  tokens_[index] = row;
  changed_tokens_.push_back(row);
  ++generation_;
  add_history(author,
              fmt::format("{}token {} {}\n", row.revoked_at ? '-' : '+', row.number, row.name),
              touched_.size());
}

void State::pass_generation() {
  ++generation_;
}

const store::DeletedRow* State::find_deleted(const ObjectId& id) const {
  const auto found = deleted_.find(id);
  return found == deleted_.end() ? nullptr : &found->second;
}

void State::forget_deleted() {
  for (const ObjectId& id : newly_deleted_)
    if (const auto found = deleted_.find(id); found != deleted_.end())
      deleted_by_time_.push_back(found->second);
  while (!deleted_by_time_.empty() &&
         deleted_by_time_.front().at < deleted_by_time_.back().at - kRetryWindow) {
    deleted_.erase(deleted_by_time_.front().id);
    deleted_by_time_.pop_front();
  }
}

void State::mark() {
  forget_deleted();
  touched_.clear();
  newly_deleted_.clear();
  history_.clear();
  changed_tokens_.clear();
  marked_generation_ = generation_;
  guard_.mark();
}

store::Batch State::batch(store::Micros now) const {
  store::Batch batch{.generation_before = marked_generation_,
                     .generation_after = generation_,
                     .deleted_since = now - kRetryWindow,
                     .tokens = changed_tokens_,
                     .history = history_,
                     .losses = guard_.kept(),
                     .dropped_losses = guard_.dropped(),
                     .losses_since = now - Guard::kWindow};
  const auto place = [&]<class Row>(const Touched& touched, std::vector<const Row*>& kept,
                                    std::vector<lpm::AnyPrefix>& dropped) {
    if (const Row* const row = catalog_.find<Row>(touched.cidr))
      kept.push_back(row);
    else
      dropped.push_back(touched.cidr);
  };
  for (const Touched& touched : touched_) {
    if (touched.is_prefix)
      place(touched, batch.prefixes, batch.dropped_prefixes);
    else
      place(touched, batch.bindings, batch.dropped_bindings);
  }
  for (const ObjectId& id : newly_deleted_)
    if (const auto found = deleted_.find(id); found != deleted_.end())
      batch.deleted.push_back(found->second);
  return batch;
}

Delta State::delta() const {
  // What was there at mark(): as it was when first touched.
  std::map<lpm::AnyPrefix, std::optional<Service>> bindings;
  std::map<lpm::AnyPrefix, bool> prefixes;
  for (const Touched& touched : touched_) {
    if (touched.is_prefix)
      prefixes.try_emplace(touched.cidr, touched.prefix != nullptr);
    else
      bindings.try_emplace(
          touched.cidr, touched.binding ? std::optional(touched.binding->service) : std::nullopt);
  }
  // Which of them bound, or bind, a whole prefix.
  for (const Touched& touched : touched_) {
    if (touched.is_prefix) continue;
    const BindingRow* const row = catalog_.find<BindingRow>(touched.cidr);
    const bool was_default = touched.binding && touched.binding->prefix == touched.cidr;
    const bool is_default = row != nullptr && row->prefix == touched.cidr;
    if (was_default || is_default)
      prefixes.try_emplace(touched.cidr, catalog_.find<PrefixRow>(touched.cidr) != nullptr);
  }
  Delta delta;
  for (const auto& [cidr, before] : bindings) {
    const BindingRow* const row = catalog_.find<BindingRow>(cidr);
    const std::optional<Service> after =
        row == nullptr ? std::nullopt : std::optional(row->service);
    if (before != after) delta.bindings.push_back({cidr, before, after});
  }
  for (const auto& [prefix, was_there] : prefixes) {
    const BindingRow* const row = catalog_.find<BindingRow>(prefix);
    const bool is_bound = row != nullptr && row->prefix == prefix;
    const auto was = bindings.find(prefix);
    const bool was_bound = was == bindings.end() ? is_bound : was->second.has_value();
    const auto state_of = [](bool is_there, bool is_steered) {
      if (!is_there) return PrefixState::absent;
      return is_steered ? PrefixState::steered : PrefixState::pending;
    };
    const PrefixState before = state_of(was_there, was_bound);
    const PrefixState after = state_of(catalog_.find<PrefixRow>(prefix) != nullptr, is_bound);
    if (before != after) delta.prefixes.push_back({prefix, before, after});
  }
  return delta;
}

void State::undo() {
  // What was first touched is put back last.
  std::set<lpm::AnyPrefix> bindings;
  std::set<lpm::AnyPrefix> prefixes;
  std::vector<Change> back;
  for (auto touched = touched_.rbegin(); touched != touched_.rend(); ++touched) {
    if (touched->is_prefix) {
      prefixes.insert(touched->cidr);
      touched->prefix ? put(*touched->prefix) : drop_prefix(touched->cidr);
    } else {
      bindings.insert(touched->cidr);
      touched->binding ? put(*touched->binding) : drop_binding(touched->cidr);
    }
  }
  // The rules hold before and after, and so they do for the way back.
  for (const lpm::AnyPrefix& prefix : prefixes) {
    const bool was = catalog_.find<PrefixRow>(prefix) != nullptr;
    const bool is = bindings_.find(prefix) != nullptr;
    if (is && !was) back.push_back(Change::remove_prefix(prefix, true));
    if (was && !is) back.push_back(Change::add_prefix(prefix));
  }
  for (const lpm::AnyPrefix& cidr : bindings) {
    const BindingRow* const row = catalog_.find<BindingRow>(cidr);
    const PrefixRow* const around = catalog_.prefix_around(cidr);
    if (around == nullptr) continue;  // gone with its prefix
    const auto now = bindings_.service_of({around->cidr, cidr});
    if (row != nullptr && !now)
      back.push_back(Change::add_binding({around->cidr, cidr}, row->service));
    else if (row == nullptr && now)
      back.push_back(Change::remove_binding({around->cidr, cidr}));
    else if (row != nullptr && row->service != *now)
      back.push_back(Change::change_service({around->cidr, cidr}, row->service));
  }
  [[maybe_unused]] const auto undone = bindings_.apply(back);
  for (const ObjectId& id : newly_deleted_) deleted_.erase(id);
  newly_deleted_.clear();
  if (!changed_tokens_.empty()) tokens_ = tokens_before_;
  generation_ = marked_generation_;
  guard_.undo();
  mark();
}

}  // namespace control::api

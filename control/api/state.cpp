// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "control/api/history.hpp"

namespace control::api {
namespace {

using dataplane::Service;
using store::BindingRow;
using store::PrefixRow;

std::optional<Service> service_of(const BindingSet& set, const lpm::AnyPrefix& prefix,
                                  const lpm::AnyPrefix& cidr) {
  const Bindings* const bindings = set.find(prefix);
  if (bindings == nullptr) return std::nullopt;
  const auto found = std::ranges::lower_bound(*bindings, cidr, {}, &Binding::cidr);
  if (found == bindings->end() || found->cidr != cidr) return std::nullopt;
  return found->service;
}

// What a change set may have touched, each once: prefixes, and bindings by (prefix, cidr).
struct Named {
  std::set<lpm::AnyPrefix> prefixes;
  std::vector<Change::At> bindings;
};

Named named_by(std::span<const Change> changes, const Catalog& catalog) {
  Named named;
  for (const Change& change : changes) {
    switch (change.kind) {
      case Change::Kind::remove_prefix:
        for (const BindingRow& row : catalog.bindings_in(change.prefix))
          named.bindings.push_back({change.prefix, row.cidr});
        [[fallthrough]];
      case Change::Kind::add_prefix:
        named.prefixes.insert(change.prefix);
        break;
      case Change::Kind::add_binding:
      case Change::Kind::remove_binding:
      case Change::Kind::change_service:
        named.bindings.push_back({change.prefix, change.cidr});
        break;
    }
  }
  const auto by_both = [](const Change::At& at) { return std::tie(at.prefix, at.cidr); };
  std::ranges::sort(named.bindings, {}, by_both);
  const auto rest = std::ranges::unique(named.bindings, {}, by_both);
  named.bindings.erase(rest.begin(), rest.end());
  return named;
}

// Fills a State from a store.
class Loader final : public store::StateReader {
 public:
  explicit Loader(Catalog& catalog) : catalog_(catalog) {}

  void prefix(PrefixRow&& row) override {
    changes_.push_back(Change::add_prefix(row.cidr));
    catalog_.put(row);
  }
  void binding(BindingRow&& row) override {
    changes_.push_back(Change::add_binding({row.prefix, row.cidr}, row.service));
    catalog_.put(row);
  }
  void deleted(store::DeletedRow&& row) override { deleted_.push_back(row); }
  void token(store::TokenRow&& row) override { tokens_.push_back(std::move(row)); }

  [[nodiscard]] std::span<const Change> changes() const { return changes_; }
  [[nodiscard]] const std::vector<store::DeletedRow>& deleted_rows() const { return deleted_; }
  [[nodiscard]] std::vector<store::TokenRow>& tokens() { return tokens_; }

 private:
  Catalog& catalog_;
  std::vector<store::DeletedRow> deleted_;
  std::vector<store::TokenRow> tokens_;
  std::vector<Change> changes_;
};

}  // namespace

std::expected<void, store::StoreError> State::load(store::Store& store) {
  State fresh(bindings_.rules());
  Loader loader(fresh.catalog_);
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

template <class Row>
void State::touch(const lpm::AnyPrefix& cidr) {
  Touched& touched = touched_.emplace_back();
  touched.cidr = cidr;
  touched.is_prefix = std::is_same_v<Row, PrefixRow>;
  const Row* const before = catalog_.find<Row>(cidr);
  if (before == nullptr) return;
  if constexpr (std::is_same_v<Row, PrefixRow>)
    touched.prefix = *before;
  else
    touched.binding = *before;
}

void State::remember_deleted(const ObjectId& id, const Author& author) {
  if (!is_single_) return;
  deleted_[id] = {.id = id, .by = author.token, .at = author.now};
  newly_deleted_.push_back(id);
}

void State::add_history(const Author& author, std::string what) {
  history_.push_back({.generation = generation_,
                      .at = author.now,
                      .by = author.token,
                      .who = author.name,
                      .what = std::move(what)});
}

void State::follow_prefix(const lpm::AnyPrefix& prefix, const Details& details,
                          const Author& author, std::vector<NetChange>& net) {
  const PrefixRow* const before = catalog_.find<PrefixRow>(prefix);
  const bool is_there = bindings_.find(prefix) != nullptr;
  if ((before != nullptr) == is_there) return;
  constexpr std::optional kSome{Service::magic_transit};
  net.push_back({.prefix = prefix,
                 .cidr = prefix,
                 .is_prefix = true,
                 .before = is_there ? std::nullopt : kSome,
                 .after = is_there ? kSome : std::nullopt});
  touch<PrefixRow>(prefix);
  if (!is_there) {
    remember_deleted(before->id, author);
    catalog_.drop<PrefixRow>(prefix);
    return;
  }
  const auto said = details.find(prefix);
  const PrefixDetails own = said == details.end() ? PrefixDetails{} : said->second;
  catalog_.put(PrefixRow{.id = ObjectId::random(),
                         .account = own.account,
                         .cidr = prefix,
                         .asn = own.asn,
                         .description = own.description,
                         .loa_document_id = own.loa_document_id,
                         .created_by = author.token,
                         .created_at = author.now,
                         .modified_at = author.now,
                         .generation = generation_ + 1});
}

void State::follow_binding(const lpm::AnyPrefix& prefix, const lpm::AnyPrefix& cidr,
                           const Author& author, std::vector<NetChange>& net) {
  const BindingRow* const before = catalog_.find<BindingRow>(cidr);
  // Of a prefix that is gone, in favour of one around or inside it.
  const bool is_own = before != nullptr && before->prefix == prefix;
  const std::optional<Service> after = service_of(bindings_, prefix, cidr);
  if (!is_own && !after) return;
  if (is_own && after == before->service) return;
  net.push_back({.prefix = prefix,
                 .cidr = cidr,
                 .before = is_own ? std::optional(before->service) : std::nullopt,
                 .after = after});
  touch<BindingRow>(cidr);
  if (!after) {
    remember_deleted(before->id, author);
    catalog_.drop<BindingRow>(cidr);
    return;
  }
  BindingRow row{.id = is_own ? before->id : ObjectId::random(),
                 .prefix = prefix,
                 .cidr = cidr,
                 .service = *after,
                 .created_by = is_own ? before->created_by : author.token,
                 .created_at = is_own ? before->created_at : author.now,
                 .modified_at = author.now,
                 .generation = generation_ + 1};
  catalog_.put(row);
}

std::expected<std::vector<NetChange>, std::vector<Violation>> State::apply(
    std::span<const Change> changes, const Details& details, const Author& author) {
  if (auto violation = too_many(changes)) return std::unexpected(std::vector{*violation});
  const Named named = named_by(changes, catalog_);
  if (auto applied = bindings_.apply(changes); !applied) return std::unexpected(applied.error());
  is_single_ = changes.size() == 1;
  std::vector<NetChange> net;
  for (const lpm::AnyPrefix& prefix : named.prefixes) follow_prefix(prefix, details, author, net);
  // What is gone first, in case another prefix binds the same CIDR.
  for (const bool want_there : {false, true})
    for (const Change::At& at : named.bindings)
      if (service_of(bindings_, at.prefix, at.cidr).has_value() == want_there)
        follow_binding(at.prefix, at.cidr, author, net);
  if (net.empty()) return net;
  ++generation_;
  add_history(author, history_text(net));
  return net;
}

std::optional<Violation> State::too_many(std::span<const Change> changes) const {
  const auto of = [changes](Change::Kind kind) {
    return static_cast<std::size_t>(std::ranges::count(changes, kind, &Change::kind));
  };
  const std::size_t added = of(Change::Kind::add_binding);
  const std::size_t removed = of(Change::Kind::remove_binding);
  if (added <= removed || catalog_.bindings().size() + added - removed <= bindings_max_)
    return std::nullopt;
  const auto last =
      std::ranges::find(changes.rbegin(), changes.rend(), Change::Kind::add_binding, &Change::kind);
  return Violation{
      .code = ViolationCode::too_many_bindings,
      .change = static_cast<std::size_t>(std::distance(last, changes.rend())) - 1,
      .field = Field::cidr,
      .value = to_string(last->cidr),
      .message = fmt::format("{} bindings in all are too many; this process has counters for {}: "
                             "raise bindings-max and restart",
                             catalog_.bindings().size() + added - removed, bindings_max_)};
}

void State::describe(const lpm::AnyPrefix& prefix, std::string description, const Author& author) {
  const PrefixRow* const before = catalog_.find<PrefixRow>(prefix);
  if (before == nullptr) return;
  touch<PrefixRow>(prefix);
  PrefixRow row = *before;
  row.description = std::move(description);
  row.modified_at = author.now;
  row.generation = ++generation_;
  catalog_.put(row);
  add_history(author, fmt::format("=prefix {} described\n", to_string(prefix)));
}

void State::put_token(const store::TokenRow& row, const Author& author) {
  if (changed_tokens_.empty()) tokens_before_ = tokens_;
  const auto index = static_cast<std::size_t>(row.number - 1);
  if (index >= tokens_.size()) tokens_.resize(index + 1);
  tokens_[index] = row;
  changed_tokens_.push_back(row);
  ++generation_;
  add_history(author,
              fmt::format("{}token {} {}\n", row.revoked_at ? '-' : '+', row.number, row.name));
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
}

store::Batch State::batch(store::Micros now) const {
  store::Batch batch{.generation_before = marked_generation_,
                     .generation_after = generation_,
                     .deleted_since = now - kRetryWindow,
                     .tokens = changed_tokens_,
                     .history = history_};
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
      prefixes.try_emplace(touched.cidr, touched.prefix.has_value());
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
      touched->prefix ? catalog_.put(*touched->prefix) : catalog_.drop<PrefixRow>(touched->cidr);
    } else {
      bindings.insert(touched->cidr);
      touched->binding ? catalog_.put(*touched->binding) : catalog_.drop<BindingRow>(touched->cidr);
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
    const auto now = service_of(bindings_, around->cidr, cidr);
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
  mark();
}

}  // namespace control::api

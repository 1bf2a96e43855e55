// SPDX-License-Identifier: BSD-3-Clause
//
// How a change set is made: what it will come to, whether the guard lets it pass, and its rows.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "control/api/history.hpp"
#include "control/api/state.hpp"

namespace control::api {
namespace {

using dataplane::Service;
using store::BindingRow;
using store::PrefixRow;

// What a change set may have touched, each once: prefixes, and bindings by (prefix, cidr).
struct Named {
  std::set<lpm::AnyPrefix> prefixes;
  std::vector<Change::At> bindings;
};

Named named_by(std::span<const Change> changes, const State::Details& details,
               const Catalog& catalog) {
  Named named;
  for (const auto& [prefix, said] : details) named.prefixes.insert(prefix);
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

const Delta::OfBinding* change_of(const Delta& delta, const lpm::AnyPrefix& cidr) {
  const auto found = std::ranges::lower_bound(delta.bindings, cidr, {}, &Delta::OfBinding::cidr);
  return found != delta.bindings.end() && found->cidr == cidr ? &*found : nullptr;
}

const Delta::OfPrefix* change_of_prefix(const Delta& delta, const lpm::AnyPrefix& prefix) {
  const auto found = std::ranges::lower_bound(delta.prefixes, prefix, {}, &Delta::OfPrefix::prefix);
  return found != delta.prefixes.end() && found->prefix == prefix ? &*found : nullptr;
}

bool is_edited(const PrefixRow& row, const PrefixDetails& details) {
  return row.account != details.account || row.asn != details.asn ||
         row.description != details.description || row.loa_document_id != details.loa_document_id;
}

void add_line(ChangeReport& report, const ChangeReport::Line& line) {
  if (report.lines.size() < ChangeReport::kLinesMax)
    report.lines.push_back(line);
  else
    ++report.omitted;
}

}  // namespace

std::expected<ChangeReport, Refusal> State::change(std::span<const Change> changes,
                                                   const Details& details, const Author& author,
                                                   const ChangeOptions& options) {
  auto checked = bindings_.check(changes);
  if (!checked) return std::unexpected(Refusal{std::move(checked.error()), {}});
  if (auto violation = too_many(changes, checked->binding_count()))
    return std::unexpected(Refusal{{std::move(*violation)}, {}});
  Moved moved = moved_by(bindings_, checked->delta());
  ChangeReport report = report_of(*checked, details);
  report.moved = moved.addresses;
  const std::vector<Fate> fates = fates_of(checked->delta(), moved);
  if (const auto refusal = guard_.judge(fates, extents_.view(), author.now)) {
    report.guard_reason = options.sees_all_accounts ? refusal->reason : refusal->plain_reason;
    report.is_refused_by_guard = !options.may_mass_change;
    if (report.is_refused_by_guard && !options.is_dry_run)
      return std::unexpected(
          Refusal{{}, fmt::format("{}{}", *report.guard_reason, kGuardOverride)});
  }
  if (options.is_dry_run) return report;
  const bool is_overridden = report.guard_reason.has_value();
  guard_.note(fates, extents_.view(), options.may_mass_change, author.now);
  make(changes, std::move(*checked), details, author, options, is_overridden);
  return report;
}

std::optional<Violation> State::too_many(std::span<const Change> changes, std::size_t after) const {
  if (after <= bindings_.binding_count() || after <= bindings_max_) return std::nullopt;
  const auto last =
      std::ranges::find(changes.rbegin(), changes.rend(), Change::Kind::add_binding, &Change::kind);
  return Violation{
      .code = ViolationCode::too_many_bindings,
      .change = static_cast<std::size_t>(std::distance(last, changes.rend())) - 1,
      .field = Field::cidr,
      .value = to_string(last->cidr),
      .message = fmt::format("{} bindings in all are too many; this process has counters for {}: "
                             "raise bindings-max and restart",
                             after, bindings_max_)};
}

std::optional<Service> State::default_before(const lpm::AnyPrefix& prefix) const {
  return bindings_.service_of({prefix, prefix});
}

const std::string& State::account_around(const lpm::AnyPrefix& cidr) const {
  static const std::string kNobody;
  const PrefixRow* const row = catalog_.prefix_around(cidr);
  return row == nullptr ? kNobody : row->account;
}

ChangeReport State::report_of(const BindingSet::Checked& checked, const Details& details) const {
  ChangeReport report;
  report_prefixes(checked, details, report);
  report_bindings(checked, report);
  return report;
}

void State::report_prefixes(const BindingSet::Checked& checked, const Details& details,
                            ChangeReport& report) const {
  using Kind = ChangeReport::Kind;
  std::map<lpm::AnyPrefix, Kind> kinds;
  for (const Delta::OfPrefix& one : checked.delta().prefixes) {
    if (one.before == PrefixState::absent) {
      kinds[one.prefix] = Kind::add_prefix;
      ++report.prefixes_added;
    } else if (one.after == PrefixState::absent) {
      kinds[one.prefix] = Kind::delete_prefix;
      ++report.prefixes_deleted;
    }
  }
  for (const auto& [prefix, said] : details)
    if (const PrefixRow* const row = catalog_.find<PrefixRow>(prefix);
        row != nullptr && is_edited(*row, said))
      kinds.try_emplace(prefix, Kind::edit_prefix);
  for (const auto& [prefix, kind] : kinds) {
    const std::optional<Service> before = default_before(prefix);
    std::optional<Service> after = before;
    if (const Delta::OfBinding* const change = change_of(checked.delta(), prefix))
      after = change->after;
    if (kind == Kind::delete_prefix) after = std::nullopt;
    add_line(report, {kind, prefix, prefix, before, after});
  }
}

void State::report_bindings(const BindingSet::Checked& checked, ChangeReport& report) const {
  using Kind = ChangeReport::Kind;
  for (const Delta::OfBinding& one : checked.delta().bindings) {
    Kind kind = Kind::change;
    if (!one.before)
      kind = Kind::create;
    else if (!one.after)
      kind = Kind::remove;
    ++(kind == Kind::create   ? report.bindings_created
       : kind == Kind::remove ? report.bindings_deleted
                              : report.bindings_changed);
    if (report.lines.size() >= ChangeReport::kLinesMax) {
      ++report.omitted;
      continue;
    }
    const lpm::AnyPrefix* prefix = one.after ? checked.prefix_around(one.cidr) : nullptr;
    const BindingRow* const row = catalog_.find<BindingRow>(one.cidr);
    if (prefix == nullptr && row != nullptr) prefix = &row->prefix;
    report.lines.push_back(
        {kind, one.cidr, prefix == nullptr ? one.cidr : *prefix, one.before, one.after});
  }
}

std::vector<Fate> State::fates_of(const Delta& delta, const Moved& moved) const {
  std::map<lpm::AnyPrefix, AddressNumber> taken;
  for (const Moved::Taken& one : moved.taken) taken.emplace(one.cidr, one.addresses);
  std::vector<Fate> fates;
  const auto add_prefix = [&](const lpm::AnyPrefix& prefix, bool is_there,
                              std::optional<Service> after) {
    const PrefixRow* const row = catalog_.find<PrefixRow>(prefix);
    fates.push_back({.key = {true, prefix},
                     .account = row == nullptr ? std::string() : row->account,
                     .was_there = row != nullptr,
                     .is_there = is_there,
                     .before = default_before(prefix),
                     .after = after});
  };
  for (const Delta::OfPrefix& one : delta.prefixes) {
    std::optional<Service> after;
    if (one.after == PrefixState::steered) {
      const Delta::OfBinding* const change = change_of(delta, one.prefix);
      after = change == nullptr ? default_before(one.prefix) : change->after;
    }
    add_prefix(one.prefix, one.after != PrefixState::absent, after);
  }
  for (const Delta::OfBinding& one : delta.bindings) {
    if (!one.before && !guard_.remembers({false, one.cidr})) continue;
    const auto addresses = taken.find(one.cidr);
    fates.push_back({.key = {false, one.cidr},
                     .account = account_around(one.cidr),
                     .was_there = one.before.has_value(),
                     .is_there = one.after.has_value(),
                     .before = one.before,
                     .after = one.after,
                     .addresses = addresses == taken.end() ? 0 : addresses->second});
    // A prefix is re-serviced by its default.
    const bool is_default = catalog_.find<PrefixRow>(one.cidr) != nullptr;
    if (is_default && change_of_prefix(delta, one.cidr) == nullptr)
      add_prefix(one.cidr, true, one.after);
  }
  return fates;
}

void State::make(std::span<const Change> changes, BindingSet::Checked&& checked,
                 const Details& details, const Author& author, const ChangeOptions& options,
                 bool is_overridden) {
  const Named named = named_by(changes, details, catalog_);
  const std::size_t first = touched_.size();
  bindings_.commit(std::move(checked));
  is_single_ = changes.size() == 1;
  std::vector<NetChange> net;
  for (const lpm::AnyPrefix& prefix : named.prefixes) follow_prefix(prefix, details, author, net);
  // What is gone first, in case another prefix binds the same CIDR.
  for (const bool want_there : {false, true})
    for (const Change::At& at : named.bindings)
      if (bindings_.service_of(at).has_value() == want_there)
        follow_binding(at, author, options, net);
  if (net.empty()) return;
  ++generation_;
  std::string what = options.reason.empty() ? std::string() : options.reason + "\n";
  what += history_text(net);
  if (is_overridden) what += "allowed mass-change\n";
  add_history(author, std::move(what), first);
}

void State::edit_prefix(const PrefixRow& before, const PrefixDetails& details, const Author& author,
                        std::vector<NetChange>& net) {
  if (!is_edited(before, details)) return;
  net.push_back({.prefix = before.cidr, .cidr = before.cidr, .is_prefix = true, .is_edit = true});
  touch<PrefixRow>(before.cidr);
  PrefixRow row = before;
  row.account = details.account;
  row.asn = details.asn;
  row.description = details.description;
  row.loa_document_id = details.loa_document_id;
  row.modified_at = author.now;
  row.generation = generation_ + 1;
  put(row);
}

void State::follow_prefix(const lpm::AnyPrefix& prefix, const Details& details,
                          const Author& author, std::vector<NetChange>& net) {
  const PrefixRow* const before = catalog_.find<PrefixRow>(prefix);
  const bool is_there = bindings_.find(prefix) != nullptr;
  const auto said = details.find(prefix);
  if ((before != nullptr) == is_there) {
    if (is_there && said != details.end()) edit_prefix(*before, said->second, author, net);
    return;
  }
  constexpr std::optional kSome{Service::magic_transit};
  net.push_back({.prefix = prefix,
                 .cidr = prefix,
                 .is_prefix = true,
                 .before = is_there ? std::nullopt : kSome,
                 .after = is_there ? kSome : std::nullopt});
  touch<PrefixRow>(prefix);
  if (!is_there) {
    remember_deleted(before->id, author);
    drop_prefix(prefix);
    return;
  }
  const PrefixDetails own = said == details.end() ? PrefixDetails{} : said->second;
  PrefixRow row{.id = ObjectId::random(),
                .account = own.account,
                .cidr = prefix,
                .asn = own.asn,
                .description = own.description,
                .loa_document_id = own.loa_document_id,
                .created_by = author.token,
                .created_at = author.now,
                .modified_at = author.now,
                .generation = generation_ + 1};
  if (own.former != nullptr && catalog_.find<PrefixRow>(own.former->id) == nullptr) {
    row.id = own.former->id;
    row.created_by = own.former->created_by;
    row.created_at = own.former->created_at;
  }
  put(row);
}

void State::follow_binding(const Change::At& at, const Author& author, const ChangeOptions& options,
                           std::vector<NetChange>& net) {
  const BindingRow* const before = catalog_.find<BindingRow>(at.cidr);
  // Of a prefix that is gone, in favour of one around or inside it.
  const bool is_own = before != nullptr && before->prefix == at.prefix;
  const std::optional<Service> after = bindings_.service_of(at);
  if (!is_own && !after) return;
  if (is_own && after == before->service) return;
  net.push_back({.prefix = at.prefix,
                 .cidr = at.cidr,
                 .before = is_own ? std::optional(before->service) : std::nullopt,
                 .after = after});
  touch<BindingRow>(at.cidr);
  if (!after) {
    remember_deleted(before->id, author);
    drop_binding(at.cidr);
    return;
  }
  BindingRow row{.id = is_own ? before->id : ObjectId::random(),
                 .prefix = at.prefix,
                 .cidr = at.cidr,
                 .service = *after,
                 .created_by = is_own ? before->created_by : author.token,
                 .created_at = is_own ? before->created_at : author.now,
                 .modified_at = author.now,
                 .generation = generation_ + 1};
  if (!is_own && options.former != nullptr) {
    const auto former = options.former->find(at.cidr);
    if (former != options.former->end() && former->second &&
        catalog_.find<BindingRow>(former->second->id) == nullptr) {
      row.id = former->second->id;
      row.created_by = former->second->created_by;
      row.created_at = former->second->created_at;
    }
  }
  put(row);
}

}  // namespace control::api

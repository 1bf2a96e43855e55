// SPDX-License-Identifier: BSD-3-Clause
#include "control/binding_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "control/judge.hpp"

namespace control {
namespace {

void report_overlap(const Draft& added, const lpm::AnyPrefix& other, Violations& violations) {
  const std::string prefix = to_string(added.prefix);
  violations.add(
      {.code = ViolationCode::prefix_overlaps,
       .change = added.added_by,
       .field = Field::prefix,
       .value = prefix,
       .message = fmt::format("{} overlaps the prefix {}; onboarded prefixes must not overlap",
                              prefix, to_string(other))});
}

bool is_new(const Draft& draft) {
  return draft.present && draft.before == nullptr;
}

// Among the prefixes that one change set adds; the later change is to blame.
void judge_overlaps_of_new(std::span<const Draft> drafts, Violations& violations) {
  std::vector<const Draft*> around;  // at most one for each prefix length
  for (const Draft& inner : drafts) {
    if (!is_new(inner)) continue;
    while (!around.empty() && !contains(around.back()->prefix, inner.prefix)) around.pop_back();
    for (const Draft* const outer : around) {
      if (outer->added_by < inner.added_by)
        report_overlap(inner, outer->prefix, violations);
      else
        report_overlap(*outer, inner.prefix, violations);
    }
    around.push_back(&inner);
  }
}

bool is_removed(std::span<const Draft> drafts, const lpm::AnyPrefix& prefix) {
  const auto it = std::ranges::lower_bound(drafts, prefix, {}, &Draft::prefix);
  return it != drafts.end() && it->prefix == prefix && !it->present;
}

std::shared_ptr<const Bindings> bindings_of(const Draft& draft) {
  return std::make_shared<const Bindings>(
      (draft.before == nullptr ? Bindings() : *draft.before).with(draft.changes));
}

}  // namespace

BindingSet::BindingSet(const BindingRules& rules) : rules_(rules) {
  rules_.bindings_max = std::min(rules_.bindings_max, dataplane::Match::kBindingsMax);
}

std::expected<BindingSet::Checked, std::vector<Violation>> BindingSet::check(
    std::span<const Change> changes) const {
  Violations violations;
  std::vector<Draft> drafts = make_drafts(changes, violations);
  for (const Draft& draft : drafts) judge_bindings(draft, violations);
  judge_overlaps(drafts, violations);

  const std::size_t count = count_after(drafts);
  if (count > binding_count_ && count > rules_.bindings_max) {
    const auto last = std::ranges::find(changes.rbegin(), changes.rend(), Change::Kind::add_binding,
                                        &Change::kind);
    violations.add(
        {.code = ViolationCode::too_many_bindings,
         .change = static_cast<std::size_t>(std::distance(last, changes.rend())) - 1,
         .field = Field::cidr,
         .value = to_string(last->cidr),
         .message = fmt::format("{} bindings in all are too many; at most {} are possible", count,
                                rules_.bindings_max)});
  }
  if (!violations.empty()) return std::unexpected(violations.take());

  Checked checked;
  DeltaMaker delta;
  checked.named_.reserve(drafts.size());
  for (Draft& draft : drafts) {
    checked.named_.push_back(draft.prefix);
    const Bindings* after = nullptr;
    if (draft.present)
      after = checked.after_.emplace_hint(checked.after_.end(), draft.prefix, bindings_of(draft))
                  ->second.get();
    delta.add({draft.prefix, state_of(draft.before), state_of(after)}, std::move(draft.changes));
  }
  checked.delta_ = delta.take();
  checked.binding_count_ = count;
  checked.edition_ = edition_;
  return checked;
}

void BindingSet::commit(Checked&& checked) noexcept {
  assert(checked.edition_ == edition_);
  Checked made = std::move(checked);
  for (const lpm::AnyPrefix& prefix : made.named_) prefixes_.erase(prefix);
  prefixes_.merge(made.after_);
  binding_count_ = made.binding_count_;
  ++edition_;
}

std::expected<Delta, std::vector<Violation>> BindingSet::apply(std::span<const Change> changes) {
  auto checked = check(changes);
  if (!checked) return std::unexpected(std::move(checked.error()));
  Delta delta = std::exchange(checked->delta_, {});
  commit(std::move(*checked));
  return delta;
}

const Bindings* BindingSet::find(const lpm::AnyPrefix& prefix) const {
  const auto it = prefixes_.find(prefix);
  return it == prefixes_.end() ? nullptr : it->second.get();
}

std::optional<dataplane::Service> BindingSet::service_of(const Change::At& at) const {
  const Bindings* const bindings = find(at.prefix);
  if (bindings == nullptr) return std::nullopt;
  const Binding* const found = bindings->find(at.cidr);
  return found == nullptr ? std::nullopt : std::optional(found->service);
}

const lpm::AnyPrefix* BindingSet::Checked::prefix_around(const lpm::AnyPrefix& cidr) const {
  auto next = after_.upper_bound(cidr);
  if (next == after_.begin()) return nullptr;
  --next;
  return contains(next->first, cidr) ? &next->first : nullptr;
}

bool operator==(const BindingSet& a, const BindingSet& b) {
  return std::ranges::equal(a.prefixes_, b.prefixes_, [](const auto& left, const auto& right) {
    return left.first == right.first && *left.second == *right.second;
  });
}

std::vector<Draft> BindingSet::make_drafts(std::span<const Change> changes,
                                           Violations& violations) const {
  std::map<lpm::AnyPrefix, std::vector<std::size_t>> indices;
  // Neighbours in a change set mostly name the same prefix.
  auto last = indices.end();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (last == indices.end() || last->first != changes[i].prefix)
      last = indices.try_emplace(changes[i].prefix).first;
    last->second.push_back(i);
  }
  std::vector<Draft> drafts;
  drafts.reserve(indices.size());
  for (const auto& [prefix, own] : indices)
    drafts.push_back(make_draft({prefix, changes, own}, find(prefix), rules_, violations));
  return drafts;
}

void BindingSet::judge_overlaps(std::span<const Draft> drafts, Violations& violations) const {
  judge_overlaps_of_new(drafts, violations);
  for (const Draft& draft : drafts)
    if (is_new(draft)) judge_overlaps_with_old(drafts, draft, violations);
}

void BindingSet::judge_overlaps_with_old(std::span<const Draft> drafts, const Draft& added,
                                         Violations& violations) const {
  const auto next = prefixes_.lower_bound(added.prefix);
  // The old prefixes do not overlap, so that only the one before can be around this one.
  if (next != prefixes_.begin()) {
    const lpm::AnyPrefix& before = std::prev(next)->first;
    if (contains(before, added.prefix) && !is_removed(drafts, before))
      report_overlap(added, before, violations);
  }
  for (auto it = next; it != prefixes_.end() && contains(added.prefix, it->first); ++it) {
    if (is_removed(drafts, it->first)) continue;
    report_overlap(added, it->first, violations);
    return;
  }
}

std::size_t BindingSet::count_after(std::span<const Draft> drafts) const {
  std::size_t count = binding_count_;
  for (const Draft& draft : drafts) {
    if (draft.before != nullptr) count -= draft.before->size();
    count += draft.binding_count;
  }
  return count;
}

}  // namespace control

// SPDX-License-Identifier: BSD-3-Clause
#include "control/draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/affected.hpp"

namespace control {
namespace {

using Kind = Change::Kind;

// A change to one CIDR, small and in place for sorting.
struct Edit {
  lpm::AnyPrefix cidr;
  std::size_t change;

  friend auto operator<=>(const Edit&, const Edit&) = default;
};

class DraftMaker {
 public:
  DraftMaker(const PrefixChanges& changes, const Bindings* before, const BindingRules& rules,
             Violations& violations, Scope scope)
      : changes_(changes), rules_(rules), violations_(violations), scope_(scope) {
    draft_.prefix = changes.prefix;
    draft_.before = before;
    draft_.present = was_present_ = before != nullptr;
  }

  Draft run() {
    std::vector<Edit> edits;
    for (const std::size_t index : changes_.indices) {
      const Change& change = changes_.all[index];
      switch (change.kind) {
        case Kind::add_prefix:
          add_prefix(index);
          break;
        case Kind::remove_prefix:
          remove_prefix(index);
          break;
        default:
          edits.push_back({change.cidr, index});
      }
    }
    if (!was_present_) {
      for (const Edit& edit : edits) report_prefix_not_found(edit.change);
      return std::move(draft_);
    }
    if (!std::ranges::is_sorted(edits)) std::ranges::sort(edits);
    fold(edits);
    if (draft_.present && draft_.before == nullptr) judge_block();
    judge_removal();
    if (!draft_.present) {
      draft_.candidates.clear();
      draft_.binding_count = 0;
    }
    return std::move(draft_);
  }

 private:
  void add_prefix(std::size_t index) {
    const std::string prefix = to_string(draft_.prefix);
    if (draft_.present) {
      add({.code = ViolationCode::prefix_exists,
           .change = index,
           .field = Field::prefix,
           .value = prefix,
           .message = fmt::format("prefix already exists: {}", prefix)});
      return;
    }
    draft_.present = was_present_ = true;
    draft_.added_by = index;
  }

  void remove_prefix(std::size_t index) {
    if (!draft_.present) {
      report_prefix_not_found(index);
      return;
    }
    draft_.present = false;
    if (changes_.all[index].cascade)
      cascades_.push_back(index);
    else
      removed_by_ = index;
  }

  void judge_block() {
    if (const auto problem = judge_prefix(draft_.prefix, rules_))
      add({.code = problem->code,
           .change = draft_.added_by,
           .field = Field::prefix,
           .value = to_string(draft_.prefix),
           .message = problem->message});
  }

  // What was there with the edits.
  void fold(const std::vector<Edit>& edits) {
    static const Bindings kNone;
    const Bindings& before = draft_.before == nullptr ? kNone : *draft_.before;
    draft_.binding_count = before.size();
    draft_.changes.reserve(edits.size());
    if (looks_at_all(edits.size(), before.size())) {
      draft_.candidates.reserve(before.size() + edits.size());
      fold_with(edits, before);
    } else {
      fold_with(edits, affected(edits, before));
    }
  }

  [[nodiscard]] bool looks_at_all(std::size_t edits, std::size_t bindings) const {
    // To find what one change affects takes about as long as to pass by so many bindings.
    constexpr std::size_t kSearch = 64;
    if (!cascades_.empty() || scope_ == Scope::all) return true;
    return scope_ == Scope::cheaper && edits * kSearch > bindings;
  }

  [[nodiscard]] std::vector<Binding> affected(const std::vector<Edit>& edits,
                                              const Bindings& before) const {
    std::vector<lpm::AnyPrefix> cidrs;
    bool only_removes_default = true;
    for (const Edit& edit : edits) {
      if (!contains(draft_.prefix, edit.cidr)) continue;
      if (edit.cidr == draft_.prefix && changes_.all[edit.change].kind != Kind::remove_binding)
        only_removes_default = false;
      if (cidrs.empty() || cidrs.back() != edit.cidr) cidrs.push_back(edit.cidr);
    }
    const bool names_default =
        !cidrs.empty() && cidrs.front() == draft_.prefix && before.find(draft_.prefix) != nullptr;
    return affected_by({.cidrs = cidrs,
                        .is_default_gone = names_default && only_removes_default,
                        .must_be_all = removed_by_.has_value()},
                       before);
  }

  // CIDR by CIDR. bindings: those from before that are looked at, sorted.
  template <class Range>
  void fold_with(const std::vector<Edit>& edits, const Range& bindings) {
    auto edit = edits.begin();
    for (const Binding& binding : bindings) {
      while (edit != edits.end() && edit->cidr < binding.cidr)
        fold_cidr(edit, edits.end(), nullptr);
      if (edit != edits.end() && edit->cidr == binding.cidr)
        fold_cidr(edit, edits.end(), &binding);
      else if (cascades_.empty())
        draft_.candidates.push_back({binding.cidr, binding.service, Candidate::kUntouched});
      else
        note(binding.cidr, &binding, draft_.candidates.size());
    }
    while (edit != edits.end()) fold_cidr(edit, edits.end(), nullptr);
  }

  // What has become of one CIDR. first: of its candidates.
  void note(const lpm::AnyPrefix& cidr, const Binding* before, std::size_t first) {
    const std::size_t count = draft_.candidates.size() - first;
    draft_.binding_count = draft_.binding_count + count - (before == nullptr ? 0 : 1);
    BindingChange change{.cidr = cidr, .before = std::nullopt, .after = std::nullopt};
    if (before != nullptr) change.before = before->service;
    if (count != 0) change.after = draft_.candidates[first].service;
    if (change.before != change.after) draft_.changes.push_back(change);
  }

  // Follows one CIDR through the change set, and leaves `edit` behind its last change.
  void fold_cidr(std::vector<Edit>::const_iterator& edit, std::vector<Edit>::const_iterator end,
                 const Binding* before) {
    const lpm::AnyPrefix& cidr = edit->cidr;
    const std::size_t first = draft_.candidates.size();
    old_.reset();
    if (before != nullptr) old_ = Candidate{cidr, before->service, Candidate::kUntouched};
    new_.clear();
    auto cascade = cascades_.begin();
    for (; edit != end && edit->cidr == cidr; ++edit) {
      for (; cascade != cascades_.end() && *cascade < edit->change; ++cascade) drop_all();
      apply(edit->change);
    }
    if (cascade != cascades_.end()) drop_all();
    if (old_) draft_.candidates.push_back(*old_);
    draft_.candidates.insert(draft_.candidates.end(), new_.begin(), new_.end());
    note(cidr, before, first);
  }

  void apply(std::size_t index) {
    const Change& change = changes_.all[index];
    if (change.kind != Kind::remove_binding && !change.service) report_unknown_service(index);
    if (change.kind == Kind::add_binding) {
      new_.push_back({change.cidr, change.service, index, index});
    } else if (!old_ && new_.empty()) {
      report_binding_not_found(index);
    } else if (change.kind == Kind::remove_binding) {
      draft_.removals.push_back({change.cidr, index});
      if (old_)
        old_.reset();
      else
        new_.pop_back();
    } else {
      Candidate& changed = old_ ? *old_ : new_.back();
      changed.service = change.service;
      changed.change = index;
    }
  }

  void drop_all() {
    old_.reset();
    new_.clear();
  }

  // Rule 6: without a cascade a prefix goes only when nothing is left in it. What was added to it
  // after it had been onboarded again is no obstacle.
  void judge_removal() {
    if (!removed_by_) {
      if (!draft_.present)
        for (const Candidate& late : draft_.candidates) report_prefix_not_found(late.change);
      return;
    }
    const auto is_left = [&](const Candidate& candidate) {
      return !draft_.present || candidate.added_by == Candidate::kUntouched ||
             candidate.added_by < *removed_by_;
    };
    const auto left = std::ranges::find_if(draft_.candidates, is_left);
    if (left == draft_.candidates.end()) return;
    add({.code = ViolationCode::prefix_not_empty,
         .change = *removed_by_,
         .field = Field::prefix,
         .value = to_string(draft_.prefix),
         .message =
             fmt::format("{} cannot be removed: {} is still bound; remove its bindings first, or "
                         "ask for a cascade",
                         to_string(draft_.prefix), to_string(left->cidr))});
  }

  void report_prefix_not_found(std::size_t index) {
    const std::string prefix = to_string(draft_.prefix);
    add({.code = ViolationCode::prefix_not_found,
         .change = index,
         .field = Field::prefix,
         .value = prefix,
         .message = fmt::format("prefix {} is not onboarded", prefix)});
  }
  void report_binding_not_found(std::size_t index) {
    const std::string cidr = to_string(changes_.all[index].cidr);
    add({.code = ViolationCode::binding_not_found,
         .change = index,
         .field = Field::cidr,
         .value = cidr,
         .message =
             fmt::format("no binding for CIDR {} in prefix {}", cidr, to_string(draft_.prefix))});
  }
  void report_unknown_service(std::size_t index) {
    add({.code = ViolationCode::unknown_service,
         .change = index,
         .field = Field::service,
         .value = "",
         .message = fmt::format("{}: unknown service; magic_transit, cdn and spectrum are services",
                                to_string(changes_.all[index].cidr))});
  }

  void add(Violation violation) { violations_.add(std::move(violation)); }

  const PrefixChanges& changes_;
  const BindingRules& rules_;
  Violations& violations_;
  Scope scope_;
  Draft draft_;
  bool was_present_ = false;               // at some point of the change set
  std::vector<std::size_t> cascades_;      // ascending
  std::optional<std::size_t> removed_by_;  // the last removal without a cascade
  // The CIDR at hand: the binding from before the change set, and those that it adds.
  std::optional<Candidate> old_;
  std::vector<Candidate> new_;
};

}  // namespace

Draft make_draft(const PrefixChanges& changes, const Bindings* before, const BindingRules& rules,
                 Violations& violations, Scope scope) {
  return DraftMaker(changes, before, rules, violations, scope).run();
}

}  // namespace control

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "control/bindings.hpp"
#include "control/change.hpp"
#include "control/delta.hpp"
#include "control/draft.hpp"
#include "control/rules.hpp"
#include "control/violation.hpp"

namespace control {

// The state that operators edit: the onboarded prefixes, each with its bindings. Whatever is done
// to it, rules 1 to 6 of the semantics hold afterwards. A prefix without bindings is pending.
//
// Not thread safe: one owner. A copy shares the bindings, costs O(prefixes) and may be read by
// another thread while the owner goes on editing its own; each version of a prefix shares with the
// one before what did not change.
class BindingSet {
 public:
  // In the order of the address space, all IPv4 before all IPv6. No two prefixes overlap.
  using Prefixes = std::map<lpm::AnyPrefix, std::shared_ptr<const Bindings>>;

  explicit BindingSet(const BindingRules& rules = {});

  // A change set that breaks no rule, ready to be made: see check().
  class Checked {
   public:
    // What it will have changed.
    [[nodiscard]] const Delta& delta() const noexcept { return delta_; }
    // Bindings in all afterwards.
    [[nodiscard]] std::size_t binding_count() const noexcept { return binding_count_; }
    // Of the prefixes that the change set names and that are there afterwards, the one around a
    // block; null: none.
    [[nodiscard]] const lpm::AnyPrefix* prefix_around(const lpm::AnyPrefix& cidr) const;

   private:
    friend class BindingSet;
    Delta delta_;
    std::vector<lpm::AnyPrefix> named_;
    Prefixes after_;  // those named, as they will be
    std::size_t binding_count_ = 0;
    std::uint64_t edition_ = 0;  // of the set that it was checked against
  };

  // Judges all changes together: the state after them, never the one between two changes; a prefix
  // must be added before a change removes it. If that state would break a rule, every violation is
  // returned, in the order of the changes. Nothing has changed yet. Cost: O(n log n) for n changes
  // and the bindings on which it depends whether they may be: those around and directly below what
  // is named; a cascade, and so many changes that it is cheaper, all of the prefix. Throws
  // std::bad_alloc.
  [[nodiscard]] std::expected<Checked, std::vector<Violation>> check(
      std::span<const Change> changes) const;
  // Makes the changes; cannot fail. Precondition: nothing was committed since the check.
  void commit(Checked&& checked) noexcept;
  // check() and commit(): what has changed.
  [[nodiscard]] std::expected<Delta, std::vector<Violation>> apply(std::span<const Change> changes);

  [[nodiscard]] const BindingRules& rules() const noexcept { return rules_; }
  [[nodiscard]] const Prefixes& prefixes() const noexcept { return prefixes_; }
  // Of exactly this prefix; null if it is not onboarded.
  [[nodiscard]] const Bindings* find(const lpm::AnyPrefix& prefix) const;

  // Of the binding of exactly this CIDR in this prefix. O(log n).
  [[nodiscard]] std::optional<dataplane::Service> service_of(const Change::At& at) const;

  // Bindings in all, defaults included.
  [[nodiscard]] std::size_t binding_count() const noexcept { return binding_count_; }

  // Same prefixes with the same bindings; the rules are not compared.
  friend bool operator==(const BindingSet& a, const BindingSet& b);

 private:
  [[nodiscard]] std::vector<Draft> make_drafts(std::span<const Change> changes,
                                               Violations& violations) const;
  // Rule 4: onboarded prefixes do not overlap. drafts: sorted by prefix.
  void judge_overlaps(std::span<const Draft> drafts, Violations& violations) const;
  void judge_overlaps_with_old(std::span<const Draft> drafts, const Draft& added,
                               Violations& violations) const;
  [[nodiscard]] std::size_t count_after(std::span<const Draft> drafts) const;

  BindingRules rules_;
  Prefixes prefixes_;  // no null pointers
  std::size_t binding_count_ = 0;
  std::uint64_t edition_ = 0;  // changes with each commit
};

}  // namespace control

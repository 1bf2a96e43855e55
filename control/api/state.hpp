// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/api/catalog.hpp"
#include "control/api/change_report.hpp"
#include "control/api/extents.hpp"
#include "control/binding_set.hpp"
#include "control/delta.hpp"
#include "control/guard.hpp"
#include "control/store/store.hpp"

namespace control::api {

// Who changes something, and when.
struct Author {
  store::TokenNumber token = 0;
  std::string name;
  store::Micros now = 0;
};

// What an API client says of a prefix, beyond its CIDR.
struct PrefixDetails {
  std::string account;
  std::uint32_t asn = 0;  // 0: none
  std::string description = {};
  std::string loa_document_id = {};
  // Of a prefix that comes back: as it was made first.
  const store::PrefixRow* former = nullptr;
};

// How a change set is to be made.
struct ChangeOptions {
  bool may_mass_change = false;   // the guard may be overridden
  bool is_dry_run = false;        // nothing is changed
  bool sees_all_accounts = true;  // may be told numbers of all of them
  std::string reason = {};        // the history's first line; empty: none
  // Bindings that come back, by CIDR: they get their id, who made them and when.
  const std::map<lpm::AnyPrefix, std::optional<store::BindingRow>>* former = nullptr;
};

// Why it is not: one of the two.
struct Refusal {
  std::vector<Violation> violations;
  std::string guard;  // with how to override it
};

// What one change set came to, thing by thing.
struct NetChange {
  lpm::AnyPrefix prefix;
  lpm::AnyPrefix cidr;
  bool is_prefix = false;  // else a binding
  // Of a prefix: any service where it is there.
  std::optional<dataplane::Service> before = std::nullopt;
  std::optional<dataplane::Service> after = std::nullopt;
  bool is_edit = false;  // of a prefix that stays
};

// All that the control plane knows: the bindings with their rules, and their rows. Change sets are
// made one after another; what they come to since mark() can be written to a store at once, or
// undone.
//
// Not thread safe: one owner, the store thread.
class State {
 public:
  explicit State(const BindingRules& rules) : bindings_(rules) {}

  // What `store` holds in place of what is here. StoreError too where that breaks the rules.
  [[nodiscard]] std::expected<void, store::StoreError> load(store::StateSource& store);

  [[nodiscard]] const BindingSet& bindings() const noexcept { return bindings_; }
  [[nodiscard]] const Catalog& catalog() const noexcept { return catalog_; }
  // The last change set's number. Every one that changes something has the next.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

  // More bindings than this are refused from now on, as too_many_bindings.
  void set_bindings_max(std::size_t bindings) noexcept { bindings_max_ = bindings; }
  void set_guard(const GuardLimits& limits) noexcept { guard_.set_limits(limits); }

  using Details = std::map<lpm::AnyPrefix, PrefixDetails>;
  // BindingSet::apply() where the guard lets it pass, the rows and the history along with it.
  // details: of prefixes that are there afterwards: added, or to be edited. An object that is there
  // before and after keeps its id. A change set that changes nothing has no generation. Throws
  // std::bad_alloc.
  [[nodiscard]] std::expected<ChangeReport, Refusal> change(std::span<const Change> changes,
                                                            const Details& details,
                                                            const Author& author,
                                                            const ChangeOptions& options = {});
  // The description of a prefix that is there.
  void describe(const lpm::AnyPrefix& prefix, std::string description, const Author& author);
  // A new number for a table that has the same bindings, but other settings.
  void pass_generation();

  // Tokens count from 1. A change of one is a change set of its own, which the history names.
  [[nodiscard]] const std::vector<store::TokenRow>& tokens() const noexcept { return tokens_; }
  void put_token(const store::TokenRow& row, const Author& author);

  // Of what was deleted alone, not with others, within the last minute.
  [[nodiscard]] const store::DeletedRow* find_deleted(const ObjectId& id) const;
  static constexpr store::Micros kRetryWindow = 60'000'000;

  // Forgets what could be undone.
  void mark();
  [[nodiscard]] bool is_changed() const noexcept { return generation_ != marked_generation_; }
  // Of change sets since mark(), which a store does not know yet.
  [[nodiscard]] std::span<const store::HistoryRow> unwritten_history() const noexcept {
    return history_;
  }
  // What happened since mark(). Its pointers are good until the next change.
  [[nodiscard]] store::Batch batch(store::Micros now) const;
  // The same for a table, sorted. O(n log n) of what happened.
  [[nodiscard]] Delta delta() const;
  // Back to what there was at mark().
  void undo();

 private:
  struct Touched {
    lpm::AnyPrefix cidr;
    std::unique_ptr<const store::PrefixRow>
        prefix;                                // before; where is_prefix. It is large, and rare
    std::optional<store::BindingRow> binding;  // before
    bool is_prefix = false;
  };

  template <class Row>
  void touch(const lpm::AnyPrefix& cidr) {
    Touched& touched = touched_.emplace_back();
    touched.cidr = cidr;
    touched.is_prefix = std::is_same_v<Row, store::PrefixRow>;
    const Row* const before = catalog_.find<Row>(cidr);
    if (before == nullptr) return;
    if constexpr (std::is_same_v<Row, store::PrefixRow>)
      touched.prefix = std::make_unique<const store::PrefixRow>(*before);
    else
      touched.binding = *before;
  }
  // The rows, and what every account has along with them.
  void put(const store::PrefixRow& row);
  void put(const store::BindingRow& row);
  void drop_prefix(const lpm::AnyPrefix& cidr);
  void drop_binding(const lpm::AnyPrefix& cidr);

  // What a checked change set will come to.
  [[nodiscard]] ChangeReport report_of(const BindingSet::Checked& checked,
                                       const Details& details) const;
  void report_prefixes(const BindingSet::Checked& checked, const Details& details,
                       ChangeReport& report) const;
  void report_bindings(const BindingSet::Checked& checked, ChangeReport& report) const;
  [[nodiscard]] std::vector<Fate> fates_of(const Delta& delta, const Moved& moved) const;
  [[nodiscard]] std::optional<dataplane::Service> default_before(
      const lpm::AnyPrefix& prefix) const;
  [[nodiscard]] const std::string& account_around(const lpm::AnyPrefix& cidr) const;
  // Makes it.
  void make(std::span<const Change> changes, BindingSet::Checked&& checked, const Details& details,
            const Author& author, const ChangeOptions& options, bool is_overridden);
  void follow_prefix(const lpm::AnyPrefix& prefix, const Details& details, const Author& author,
                     std::vector<NetChange>& net);
  void edit_prefix(const store::PrefixRow& before, const PrefixDetails& details,
                   const Author& author, std::vector<NetChange>& net);
  void follow_binding(const Change::At& at, const Author& author, const ChangeOptions& options,
                      std::vector<NetChange>& net);
  void remember_deleted(const ObjectId& id, const Author& author);
  void forget_deleted();
  // first: of touched_, from where on it is this change set's.
  void add_history(const Author& author, std::string what, std::size_t first);
  [[nodiscard]] std::optional<Violation> too_many(std::span<const Change> changes,
                                                  std::size_t after) const;

  BindingSet bindings_;
  std::size_t bindings_max_ = ~std::size_t{0};
  Catalog catalog_;
  Extents extents_;
  Guard guard_;
  std::uint64_t generation_ = 0;
  std::map<ObjectId, store::DeletedRow> deleted_;
  std::vector<store::TokenRow> tokens_;            // the nth has number n + 1
  std::deque<store::DeletedRow> deleted_by_time_;  // those before mark()

  // Since mark().
  std::uint64_t marked_generation_ = 0;
  bool is_single_ = false;  // the change set at hand is one change
  std::vector<Touched> touched_;
  std::vector<ObjectId> newly_deleted_;
  std::vector<store::HistoryRow> history_;
  std::vector<store::TokenRow> tokens_before_;  // where changed_tokens_ is not empty
  std::vector<store::TokenRow> changed_tokens_;
};

}  // namespace control::api

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/api/catalog.hpp"
#include "control/binding_set.hpp"
#include "control/delta.hpp"
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
};

// What one change set came to, thing by thing.
struct NetChange {
  lpm::AnyPrefix prefix;
  lpm::AnyPrefix cidr;
  bool is_prefix = false;  // else a binding
  // Of a prefix: any service where it is there.
  std::optional<dataplane::Service> before;
  std::optional<dataplane::Service> after;
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
  [[nodiscard]] std::expected<void, store::StoreError> load(store::Store& store);

  [[nodiscard]] const BindingSet& bindings() const noexcept { return bindings_; }
  [[nodiscard]] const Catalog& catalog() const noexcept { return catalog_; }
  // The last change set's number. Every one that changes something has the next.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

  // More bindings than this are refused from now on, as too_many_bindings.
  void set_bindings_max(std::size_t bindings) noexcept { bindings_max_ = bindings; }

  using Details = std::map<lpm::AnyPrefix, PrefixDetails>;
  // BindingSet::apply(), the rows and the history along with it. details: of prefixes that are
  // added. An object that is there before and after keeps its id. A change set that changes
  // nothing has no generation. Throws std::bad_alloc.
  [[nodiscard]] std::expected<std::vector<NetChange>, std::vector<Violation>> apply(
      std::span<const Change> changes, const Details& details, const Author& author);
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
  // What happened since mark(). Its pointers are good until the next change.
  [[nodiscard]] store::Batch batch(store::Micros now) const;
  // The same for a table, sorted. O(n log n) of what happened.
  [[nodiscard]] Delta delta() const;
  // Back to what there was at mark().
  void undo();

 private:
  struct Touched {
    lpm::AnyPrefix cidr;
    std::optional<store::PrefixRow> prefix;    // before; where is_prefix
    std::optional<store::BindingRow> binding;  // before
    bool is_prefix = false;
  };

  template <class Row>
  void touch(const lpm::AnyPrefix& cidr);
  void follow_prefix(const lpm::AnyPrefix& prefix, const Details& details, const Author& author,
                     std::vector<NetChange>& net);
  void follow_binding(const lpm::AnyPrefix& prefix, const lpm::AnyPrefix& cidr,
                      const Author& author, std::vector<NetChange>& net);
  void remember_deleted(const ObjectId& id, const Author& author);
  void forget_deleted();
  void add_history(const Author& author, std::string what);
  [[nodiscard]] std::optional<Violation> too_many(std::span<const Change> changes) const;

  BindingSet bindings_;
  std::size_t bindings_max_ = ~std::size_t{0};
  Catalog catalog_;
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

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/member.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index_container.hpp>
#include <cstddef>
#include <optional>
#include <ranges>

#include "control/binding.hpp"
#include "control/store/rows.hpp"

namespace control::api {

// The prefixes and bindings as API clients know them: by id, and in the order of the address space.
// Rows stay where they are until they are dropped or put anew.
//
// Not thread safe: one owner. About 150 bytes for a binding.
class Catalog {
 public:
  struct ById {};
  struct ByCidr {};
  template <class Row>
  using Index = boost::multi_index_container<
      Row, boost::multi_index::indexed_by<
               boost::multi_index::hashed_unique<
                   boost::multi_index::tag<ById>,
                   boost::multi_index::member<Row, ObjectId, &Row::id>, std::hash<ObjectId>>,
               boost::multi_index::ordered_unique<
                   boost::multi_index::tag<ByCidr>,
                   boost::multi_index::member<Row, lpm::AnyPrefix, &Row::cidr>>>>;

  // Null: there is none.
  template <class Row>
  [[nodiscard]] const Row* find(const ObjectId& id) const {
    const auto& rows = index<Row>().template get<ById>();
    const auto found = rows.find(id);
    return found == rows.end() ? nullptr : &*found;
  }
  template <class Row>
  [[nodiscard]] const Row* find(const lpm::AnyPrefix& cidr) const {
    const auto& rows = index<Row>().template get<ByCidr>();
    const auto found = rows.find(cidr);
    return found == rows.end() ? nullptr : &*found;
  }

  // In the place of the one of the same CIDR, if there is one; its id must be new or the same.
  template <class Row>
  void put(const Row& row) {
    auto& rows = index<Row>().template get<ByCidr>();
    const auto found = rows.find(row.cidr);
    if (found == rows.end())
      rows.insert(row);
    else
      rows.replace(found, row);
  }
  template <class Row>
  void drop(const lpm::AnyPrefix& cidr) {
    index<Row>().template get<ByCidr>().erase(cidr);
  }

  // In the order of the address space: all prefixes; all bindings; those within a block.
  [[nodiscard]] const auto& prefixes() const { return prefixes_.get<ByCidr>(); }
  [[nodiscard]] const auto& bindings() const { return bindings_.get<ByCidr>(); }
  [[nodiscard]] auto bindings_in(const lpm::AnyPrefix& block) const {
    const auto& rows = bindings();
    return std::ranges::subrange(rows.lower_bound(block), rows.end()) |
           std::views::take_while(
               [block](const store::BindingRow& row) { return contains(block, row.cidr); });
  }
  // The onboarded prefix around a block.
  [[nodiscard]] const store::PrefixRow* prefix_around(const lpm::AnyPrefix& block) const {
    const auto& rows = prefixes();
    auto next = rows.upper_bound(block);
    if (next == rows.begin()) return nullptr;
    --next;
    return contains(next->cidr, block) ? &*next : nullptr;
  }

 private:
  template <class Row>
  [[nodiscard]] auto& index() {
    if constexpr (std::is_same_v<Row, store::PrefixRow>)
      return prefixes_;
    else
      return bindings_;
  }
  template <class Row>
  [[nodiscard]] const auto& index() const {
    if constexpr (std::is_same_v<Row, store::PrefixRow>)
      return prefixes_;
    else
      return bindings_;
  }

  Index<store::PrefixRow> prefixes_;
  Index<store::BindingRow> bindings_;
};

}  // namespace control::api

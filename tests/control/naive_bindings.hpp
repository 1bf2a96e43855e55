// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "control/binding_set.hpp"

// The rules of the semantics, section 3, taken by the letter and checked from scratch, each thing
// against every other: the oracle of BindingSet.
class NaiveBindings {
 public:
  // False: refused, and nothing changed.
  bool apply(std::span<const control::Change> changes) {
    NaiveBindings after = *this;
    if (!after.make(changes) || !after.is_valid()) return false;
    for (Bound& bound : after.bound_) bound.since = kBefore;
    *this = after;
    return true;
  }

  [[nodiscard]] bool equals(const control::BindingSet& set) const {
    if (set.prefixes().size() != prefixes_.size() || set.binding_count() != bound_.size())
      return false;
    return std::ranges::all_of(prefixes_, [&](const auto& prefix) { return set.find(prefix); }) &&
           std::ranges::all_of(bound_, [&](const Bound& bound) {
             const control::Bindings* const own = set.find(bound.prefix);
             const control::Binding wanted{bound.cidr, bound.service};
             return own != nullptr && std::ranges::find(*own, wanted) != own->end();
           });
  }

 private:
  static constexpr long kBefore = -1;
  struct Bound {
    lpm::AnyPrefix prefix;
    lpm::AnyPrefix cidr;
    dataplane::Service service;
    long since;  // the change that bound it
  };

  [[nodiscard]] bool has(const lpm::AnyPrefix& prefix) const {
    return std::ranges::find(prefixes_, prefix) != prefixes_.end();
  }
  // That a removal or change of service means: the one from before the change set, else the last.
  std::vector<Bound>::iterator meant_by(const control::Change& change) {
    auto found = bound_.end();
    for (auto it = bound_.begin(); it != bound_.end(); ++it) {
      if (it->prefix != change.prefix || it->cidr != change.cidr) continue;
      found = it;
      if (it->since == kBefore) break;
    }
    return found;
  }

  bool make(std::span<const control::Change> changes) {
    struct Removed {
      lpm::AnyPrefix prefix;
      long at;
    };
    std::vector<Removed> removed;
    std::vector<lpm::AnyPrefix> ever = prefixes_;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const control::Change& change = changes[i];
      const auto now = static_cast<long>(i);
      switch (change.kind) {
        case control::Change::Kind::add_prefix:
          if (has(change.prefix)) return false;
          prefixes_.push_back(change.prefix);
          ever.push_back(change.prefix);
          break;
        case control::Change::Kind::remove_prefix:
          if (!has(change.prefix)) return false;
          std::erase(prefixes_, change.prefix);
          if (change.cascade)
            std::erase_if(bound_,
                          [&](const Bound& bound) { return bound.prefix == change.prefix; });
          else
            removed.push_back({change.prefix, now});
          break;
        case control::Change::Kind::add_binding:
          bound_.push_back({change.prefix, change.cidr, change.service.value(), now});
          break;
        case control::Change::Kind::remove_binding:
        case control::Change::Kind::change_service: {
          const auto it = meant_by(change);
          if (it == bound_.end()) return false;
          if (change.kind == control::Change::Kind::remove_binding)
            bound_.erase(it);
          else
            it->service = change.service.value();
        }
      }
    }
    for (const control::Change& change : changes)
      if (std::ranges::find(ever, change.prefix) == ever.end()) return false;
    return std::ranges::none_of(removed, [&](const Removed& gone) {
      return std::ranges::any_of(bound_, [&](const Bound& bound) {
        return bound.prefix == gone.prefix && bound.since < gone.at;
      });
    });
  }

  [[nodiscard]] bool is_valid() const {
    for (std::size_t i = 0; i < prefixes_.size(); ++i) {
      if (control::judge_prefix(prefixes_[i], {})) return false;
      for (std::size_t j = 0; j < i; ++j)
        if (control::contains(prefixes_[i], prefixes_[j]) ||
            control::contains(prefixes_[j], prefixes_[i]))
          return false;
    }
    return std::ranges::all_of(bound_, [&](const Bound& bound) { return is_allowed(bound); });
  }

  [[nodiscard]] bool is_allowed(const Bound& bound) const {
    if (!has(bound.prefix) || !control::contains(bound.prefix, bound.cidr)) return false;
    const Bound* cover = nullptr;
    bool has_default = false;
    for (const Bound& other : bound_) {
      if (&other == &bound || other.prefix != bound.prefix) continue;
      if (other.cidr == bound.cidr) return false;
      if (other.cidr == other.prefix) has_default = true;
      if (!control::contains(other.cidr, bound.cidr)) continue;
      if (cover == nullptr || control::contains(cover->cidr, other.cidr)) cover = &other;
    }
    if (bound.cidr == bound.prefix) return true;
    return has_default && bound.service != dataplane::Service::magic_transit &&
           bound.service != cover->service;
  }

  std::vector<lpm::AnyPrefix> prefixes_;
  std::vector<Bound> bound_;
};

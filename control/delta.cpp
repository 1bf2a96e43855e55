// SPDX-License-Identifier: BSD-3-Clause
#include "control/delta.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "control/binding_set.hpp"

namespace control {

PrefixState state_of(const Bindings* bindings) noexcept {
  if (bindings == nullptr) return PrefixState::absent;
  // Every binding needs the default one, so that a prefix with any is steered.
  return bindings->empty() ? PrefixState::pending : PrefixState::steered;
}

void DeltaMaker::add(const Delta::OfPrefix& prefix, std::vector<BindingChange>&& changes) {
  if (prefix.before != prefix.after) delta_.prefixes.push_back(prefix);
  if (delta_.bindings.empty())
    delta_.bindings = std::move(changes);
  else
    delta_.bindings.insert(delta_.bindings.end(), changes.begin(), changes.end());
}

void DeltaMaker::add(const lpm::AnyPrefix& prefix, const Bindings* before, const Bindings* after) {
  if (before == after) return;
  if (state_of(before) != state_of(after))
    delta_.prefixes.push_back({prefix, state_of(before), state_of(after)});
  static const Bindings kNone;
  const Bindings& from = before == nullptr ? kNone : *before;
  const Bindings& to = after == nullptr ? kNone : *after;
  auto old = from.begin();
  auto now = to.begin();
  while (old != from.end() || now != to.end()) {
    if (now == to.end() || (old != from.end() && old->cidr < now->cidr)) {
      delta_.bindings.push_back({old->cidr, old->service, std::nullopt});
      ++old;
    } else if (old == from.end() || now->cidr < old->cidr) {
      delta_.bindings.push_back({now->cidr, std::nullopt, now->service});
      ++now;
    } else {
      if (old->service != now->service)
        delta_.bindings.push_back({old->cidr, old->service, now->service});
      ++old;
      ++now;
    }
  }
}

// A CIDR that left one prefix and came with another stands there twice: that is one binding that
// stays. Only then are there overlapping prefixes, and the order is not that of the address space.
Delta DeltaMaker::take() {
  std::vector<Delta::OfBinding>& bindings = delta_.bindings;
  if (std::ranges::adjacent_find(bindings, std::ranges::greater_equal(), &Delta::OfBinding::cidr) !=
      bindings.end()) {
    std::ranges::stable_sort(bindings, {}, &Delta::OfBinding::cidr);
    auto kept = bindings.begin();
    for (auto it = bindings.begin(); it != bindings.end(); ++it) {
      if (kept != bindings.begin() && std::prev(kept)->cidr == it->cidr) {
        Delta::OfBinding& twin = *std::prev(kept);
        if (!twin.before) twin.before = it->before;
        if (!twin.after) twin.after = it->after;
        if (twin.before == twin.after) --kept;
      } else {
        *kept++ = *it;
      }
    }
    bindings.erase(kept, bindings.end());
  }
  return std::exchange(delta_, {});
}

Delta difference(const BindingSet& before, const BindingSet& after) {
  DeltaMaker maker;
  auto old = before.prefixes().begin();
  auto now = after.prefixes().begin();
  const auto old_end = before.prefixes().end();
  const auto now_end = after.prefixes().end();
  while (old != old_end || now != now_end) {
    if (now == now_end || (old != old_end && old->first < now->first)) {
      maker.add(old->first, old->second.get(), nullptr);
      ++old;
    } else if (old == old_end || now->first < old->first) {
      maker.add(now->first, nullptr, now->second.get());
      ++now;
    } else {
      maker.add(old->first, old->second.get(), now->second.get());
      ++old;
      ++now;
    }
  }
  return maker.take();
}

}  // namespace control

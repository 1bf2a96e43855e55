// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace control {
namespace {

constexpr unsigned kHundred = 100;

// Whether part is more than this share of all.
bool is_more_than(AddressNumber part, AddressNumber all, unsigned percent) {
  // What is too large to be multiplied needs no digit so far behind.
  constexpr AddressNumber kLarge = AddressNumber{1} << 100;
  while (all >= kLarge) {
    all >>= 1;
    part >>= 1;
  }
  return part * kHundred > all * percent;
}

struct Measure {
  std::string_view name;
  AddressNumber before = 0;
  AddressNumber after = 0;
  AddressNumber all = 0;
};

}  // namespace

void Guard::Sum::add(const Loss& loss) {
  if (loss.key.is_prefix) {
    ++prefixes;
    prefixes_gone += loss.is_gone ? 1 : 0;
    // A default goes last: with it nothing is steered any more.
    if (loss.is_unsteered && loss.before)
      addresses_gone.of(loss.key.cidr) += size_of(loss.key.cidr);
    return;
  }
  ++bindings;
  bindings_gone += loss.is_gone ? 1 : 0;
  addresses.of(loss.key.cidr) += loss.addresses;
}

void Guard::Sum::remove(const Loss& loss) {
  if (loss.key.is_prefix) {
    --prefixes;
    prefixes_gone -= loss.is_gone ? 1 : 0;
    if (loss.is_unsteered && loss.before)
      addresses_gone.of(loss.key.cidr) -= size_of(loss.key.cidr);
    return;
  }
  --bindings;
  bindings_gone -= loss.is_gone ? 1 : 0;
  addresses.of(loss.key.cidr) -= loss.addresses;
}

const Loss* Guard::find(const Loss::Key& key) const {
  const auto found = losses_.find(key);
  return found == losses_.end() ? nullptr : &found->second;
}

std::optional<Guard::Step> Guard::step_of(const Fate& fate, std::int64_t now) const {
  const Loss* const known = find(fate.key);
  if (known == nullptr && !fate.is_loss()) return std::nullopt;
  Loss next = known != nullptr ? *known
                               : Loss{.key = fate.key,
                                      .account = fate.account,
                                      .before = fate.before,
                                      .is_gone = false,
                                      .is_unsteered = false,
                                      .addresses = 0,
                                      .at = now};
  if (fate.is_there && fate.after == next.before) return Step{fate.key, std::nullopt};
  next.is_gone = !fate.is_there;
  next.is_unsteered = fate.key.is_prefix && !fate.after;
  if (fate.is_loss()) {
    next.at = now;
    next.addresses = std::max(next.addresses, fate.addresses);
  }
  return Step{fate.key, std::move(next)};
}

void Guard::set(const Loss::Key& key, const std::optional<Loss>& next) {
  if (const auto found = losses_.find(key); found != losses_.end()) {
    const Loss& old = found->second;
    all_.remove(old);
    by_account_[old.account].remove(old);
    by_time_.erase({old.at, key});
    losses_.erase(found);
  }
  if (!next) return;
  all_.add(*next);
  by_account_[next->account].add(*next);
  by_time_.emplace(next->at, key);
  losses_.emplace(key, *next);
}

void Guard::forget(std::int64_t now) {
  while (!by_time_.empty() && by_time_.begin()->first < now - kWindow) {
    const Loss::Key key = by_time_.begin()->second;
    set(key, std::nullopt);
  }
  std::erase_if(by_account_,
                [](const auto& one) { return one.second.bindings + one.second.prefixes == 0; });
}

Guard::Sum Guard::sum_of(std::string_view account) const {
  const auto found = by_account_.find(account);
  return found == by_account_.end() ? Sum{} : found->second;
}

// Empty: nothing is too much.
std::string Guard::compare(const Extent& extent, const Sum& before, const Sum& after) const {
  const std::size_t bindings = extent.bindings + before.bindings_gone;
  if (bindings < kBindingsMin) return {};
  const Measure measures[]{
      {"bindings", before.bindings, after.bindings, bindings},
      {"prefixes", before.prefixes, after.prefixes, extent.prefixes + before.prefixes_gone},
      {"IPv4 addresses", before.addresses.v4, after.addresses.v4,
       extent.addresses.v4 + before.addresses_gone.v4},
      {"IPv6 addresses", before.addresses.v6, after.addresses.v6,
       extent.addresses.v6 + before.addresses_gone.v6}};
  for (const Measure& measure : measures) {
    // What takes nothing is not held up, whatever was taken before.
    const bool takes_more = measure.after > measure.before;
    if (takes_more && is_more_than(measure.after, measure.all, limits_.share_percent))
      return fmt::format("{} of {} {} within ten minutes; more than {} % are taken for an accident",
                         measure.after, measure.all, measure.name, limits_.share_percent);
  }
  return {};
}

std::optional<Guard::Refusal> Guard::judge(std::span<const Fate> fates, const Before& before,
                                           std::int64_t now) {
  forget(now);
  static constexpr std::string_view kWould = "it would delete or re-service ";
  const auto at_once = static_cast<std::size_t>(std::ranges::count_if(
      fates, [](const Fate& fate) { return !fate.key.is_prefix && fate.is_loss(); }));
  if (at_once > limits_.bindings_at_once) {
    std::string reason =
        fmt::format("{}{} bindings at once; more than {} are taken for an accident", kWould,
                    at_once, limits_.bindings_at_once);
    return Refusal{reason, reason};
  }
  Sum all = all_;
  Sums by_account;
  for (const Fate& fate : fates) {
    const auto step = step_of(fate, now);
    if (!step) continue;
    const auto change = [&](const Loss& loss, void (Sum::*how)(const Loss&)) {
      (all.*how)(loss);
      const auto own = by_account.try_emplace(loss.account, sum_of(loss.account)).first;
      (own->second.*how)(loss);
    };
    if (const Loss* const known = find(fate.key)) change(*known, &Sum::remove);
    if (step->next) change(*step->next, &Sum::add);
  }
  for (const auto& [account, after] : by_account) {
    const auto extent = before.by_account.find(account);
    std::string why = compare(extent == before.by_account.end() ? Extent{} : extent->second,
                              sum_of(account), after);
    if (why.empty()) continue;
    why = fmt::format("{}{}", kWould, why);
    return Refusal{why, why};
  }
  const std::string why = compare(before.all, all_, all);
  if (why.empty()) return std::nullopt;
  return Refusal{
      fmt::format("{}{}", kWould, why),
      fmt::format("with what others did it would delete or re-service more than {} % of what all "
                  "accounts have within ten minutes",
                  limits_.share_percent)};
}

void Guard::note(std::span<const Fate> fates, const Before& before, bool has_leave,
                 std::int64_t now) {
  const bool counts = !has_leave && before.all.bindings + all_.bindings_gone >= kBindingsMin;
  for (const Fate& fate : fates) {
    const Loss* const known = find(fate.key);
    if (known == nullptr && !counts) continue;
    auto step = step_of(fate, now);
    if (!step) continue;
    // With leave, what was lost before may come back, or go on being lost as it was.
    if (!counts && step->next) {
      step->next->at = known->at;
      step->next->addresses = known->addresses;
    }
    journal_.emplace_back(fate.key, known == nullptr ? std::nullopt : std::optional(*known));
    set(fate.key, step->next);
  }
}

void Guard::restore(Loss&& loss) {
  const Loss::Key key = loss.key;
  set(key, std::move(loss));
}

std::vector<Loss> Guard::kept() const {
  std::vector<Loss> losses;
  for (const auto& [key, before] : journal_)
    if (const Loss* const loss = find(key)) losses.push_back(*loss);
  return losses;
}

std::vector<Loss::Key> Guard::dropped() const {
  std::vector<Loss::Key> keys;
  for (const auto& [key, before] : journal_)
    if (find(key) == nullptr) keys.push_back(key);
  return keys;
}

void Guard::undo() {
  for (auto entry = journal_.rbegin(); entry != journal_.rend(); ++entry)
    set(entry->first, entry->second);
  journal_.clear();
}

}  // namespace control

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/moved.hpp"

// The guard against accidents (semantics, section 3, rule 8): whether changes, added up over ten
// minutes, take more than a share of what there is, or one of them too many bindings at once.
namespace control {

struct GuardLimits {
  unsigned share_percent = 10;         // 0 to 100; 100: no share is too much
  std::size_t bindings_at_once = 100;  // at least 1
};

// What an account, or all of them, has.
struct Extent {
  std::size_t bindings = 0;
  std::size_t prefixes = 0;
  Addresses addresses;  // of the prefixes that are steered

  friend bool operator==(const Extent&, const Extent&) = default;
};

// Something that was deleted or given another service, and has not come back since.
struct Loss {
  struct Key {
    bool is_prefix = false;  // else a binding
    lpm::AnyPrefix cidr;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  Key key;
  std::string account;
  // What it had first; of a prefix its default's service, nullopt: it was pending.
  std::optional<dataplane::Service> before;
  bool is_gone = false;         // now
  bool is_unsteered = false;    // now; of a prefix: gone or pending
  AddressNumber addresses = 0;  // of a binding: those that it decided and no longer does
  std::int64_t at = 0;          // microseconds since 1970

  friend bool operator==(const Loss&, const Loss&) = default;
};

// What becomes of one prefix or binding in a change set.
struct Fate {
  Loss::Key key;
  std::string account;  // whose it was; of what was not there it does not matter
  bool was_there = false;
  bool is_there = false;
  std::optional<dataplane::Service> before = std::nullopt;  // as in Loss
  std::optional<dataplane::Service> after = std::nullopt;
  AddressNumber addresses = 0;  // as in Loss

  // To be steered anew is no loss.
  [[nodiscard]] bool is_loss() const noexcept {
    return was_there && (!is_there || (before && before != after));
  }
};

// Remembers losses for ten minutes, and judges what comes next with them. What comes back as it was
// is no loss any more. Everything counts once, and against its account and against all accounts
// together: no account is taken down by an accident that is small among all, and no accident that
// is spread over many accounts is small.
//
// Where there are less than kBindingsMin bindings no share is too much, and nothing is remembered.
//
// Not thread safe: one owner.
class Guard {
 public:
  static constexpr std::int64_t kWindow = 600'000'000;  // microseconds
  static constexpr std::size_t kBindingsMin = 20;

  explicit Guard(const GuardLimits& limits = {}) : limits_(limits) {}
  void set_limits(const GuardLimits& limits) noexcept { limits_ = limits; }

  // What there is before the change set: of all, and of each account.
  struct Before {
    const Extent& all;
    const std::map<std::string, Extent, std::less<>>& by_account;
  };
  struct Refusal {
    std::string reason;  // "it would delete or re-service 3 of 20 bindings within ten minutes, ..."
    std::string plain_reason;  // for whoever must not know numbers of other accounts
  };
  // fates: of one change set, each thing once. O(n log n). Forgets what is older than ten minutes.
  [[nodiscard]] std::optional<Refusal> judge(std::span<const Fate> fates, const Before& before,
                                             std::int64_t now);
  // Whether something is a loss now: what comes anew matters only then.
  [[nodiscard]] bool remembers(const Loss::Key& key) const { return find(key) != nullptr; }
  // It is done. has_leave: somebody said that it may; it is not held against what comes later then.
  void note(std::span<const Fate> fates, const Before& before, bool has_leave, std::int64_t now);

  // With the same limits.
  [[nodiscard]] Guard without_memory() const { return Guard(limits_); }
  // From the store, after a restart.
  void restore(Loss&& loss);

  // What note() changed since mark(): now there, or no longer. Things may be named twice.
  [[nodiscard]] std::vector<Loss> kept() const;
  [[nodiscard]] std::vector<Loss::Key> dropped() const;
  void mark() noexcept { journal_.clear(); }
  // Back to what there was at mark().
  void undo();

 private:
  struct Sum {
    std::size_t bindings = 0;
    std::size_t bindings_gone = 0;
    std::size_t prefixes = 0;
    std::size_t prefixes_gone = 0;
    Addresses addresses;
    Addresses addresses_gone;  // of prefixes that are no longer steered

    void add(const Loss& loss);
    void remove(const Loss& loss);
  };
  using Sums = std::map<std::string, Sum, std::less<>>;
  struct Step {
    Loss::Key key;
    std::optional<Loss> next;
  };

  void forget(std::int64_t now);
  [[nodiscard]] const Loss* find(const Loss::Key& key) const;
  // What there will be of a thing; nullopt: nothing changes for it.
  [[nodiscard]] std::optional<Step> step_of(const Fate& fate, std::int64_t now) const;
  void set(const Loss::Key& key, const std::optional<Loss>& next);
  [[nodiscard]] Sum sum_of(std::string_view account) const;
  [[nodiscard]] std::string compare(const Extent& extent, const Sum& before,
                                    const Sum& after) const;

  GuardLimits limits_;
  std::map<Loss::Key, Loss> losses_;
  std::set<std::pair<std::int64_t, Loss::Key>> by_time_;
  Sum all_;
  Sums by_account_;
  std::vector<std::pair<Loss::Key, std::optional<Loss>>> journal_;  // with what was before
};

}  // namespace control

// SPDX-License-Identifier: BSD-3-Clause
#include "control/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace control {
namespace {

using dataplane::Service;

// What may upgrade a cover. cover: empty if it is not known.
std::string_view upgrades_of(std::optional<Service> cover) {
  if (cover == Service::cdn) return "spectrum";
  if (cover == Service::spectrum) return "cdn";
  return "cdn or spectrum";
}

// Sweeps over the candidates of one prefix in the order of the address space.
class Judge {
 public:
  Judge(const Draft& draft, Violations& violations) : draft_(draft), violations_(violations) {}

  void run() {
    for (const Candidate& candidate : draft_.candidates) judge(candidate);
    if (first_uncovered_ != nullptr) report_missing_default();
  }

 private:
  void judge(const Candidate& candidate) {
    if (!contains(draft_.prefix, candidate.cidr)) {
      add({.code = ViolationCode::outside_prefix,
           .change = candidate.change,
           .field = Field::cidr,
           .value = to_string(candidate.cidr),
           .message = fmt::format("{} lies outside its prefix {}", to_string(candidate.cidr),
                                  to_string(draft_.prefix))});
      return;
    }
    while (!covers_.empty() && !contains(covers_.back()->cidr, candidate.cidr)) covers_.pop_back();
    const Candidate* const cover = covers_.empty() ? nullptr : covers_.back();
    if (cover != nullptr && cover->cidr == candidate.cidr) {
      report_conflict(*cover, candidate);
      return;
    }
    if (candidate.cidr != draft_.prefix) judge_upgrade(cover, candidate);
    covers_.push_back(&candidate);
  }

  // candidate: strictly inside the prefix. cover: null where the default is missing.
  void judge_upgrade(const Candidate* cover, const Candidate& candidate) {
    if (cover == nullptr) {
      if (first_uncovered_ == nullptr) first_uncovered_ = earliest_uncovered_ = &candidate;
      if (candidate.change < earliest_uncovered_->change) earliest_uncovered_ = &candidate;
    }
    const std::optional<Service> below = cover == nullptr ? std::nullopt : cover->service;
    if (candidate.service == Service::magic_transit) {
      add({.code = ViolationCode::magic_transit_below_default,
           .change = candidate.change,
           .field = Field::service,
           .value = "magic_transit",
           .message = fmt::format("{}: magic_transit cannot be bound below a default; {} can",
                                  to_string(candidate.cidr), upgrades_of(below))});
    } else if (below && candidate.service == below) {
      report_same_service(*cover, candidate);
    }
  }

  void report_conflict(const Candidate& first, const Candidate& second) {
    const std::string cidr = to_string(second.cidr);
    const std::string service =
        first.service ? fmt::format(" ({})", name_of(*first.service)) : std::string();
    add({.code = ViolationCode::binding_exists,
         .change = second.change,
         .field = Field::cidr,
         .value = cidr,
         .message = fmt::format(
             "binding already exists for CIDR {}{}; one CIDR carries one binding", cidr, service)});
  }

  void report_same_service(const Candidate& cover, const Candidate& candidate) {
    const std::string service(name_of(*candidate.service));
    const std::string below = to_string(candidate.cidr);
    const std::string above = to_string(cover.cidr);
    if (candidate.change != Candidate::kUntouched) {
      add({.code = ViolationCode::same_service_as_cover,
           .change = candidate.change,
           .field = Field::service,
           .value = service,
           .message =
               fmt::format("{}: {} is already the service of {}, its nearest covering binding; {} "
                           "can be bound here",
                           below, service, above, upgrades_of(cover.service))});
    } else if (cover.change != Candidate::kUntouched) {
      add({.code = ViolationCode::binding_in_the_way,
           .change = cover.change,
           .field = Field::service,
           .value = service,
           .message =
               fmt::format("{} cannot be {}: {} below it is {} already; remove or change {} first",
                           above, service, below, service, below)});
      // There is a removal then: before the change set the two got along only with a block between.
    } else if (const Removal* const removal = removal_between(cover.cidr, candidate.cidr)) {
      const std::string gone = to_string(removal->cidr);
      add({.code = ViolationCode::binding_in_the_way,
           .change = removal->change,
           .field = Field::cidr,
           .value = gone,
           .message =
               fmt::format("{} cannot be removed: {} ({}) would lie directly below {}, which is "
                           "{} too; remove or change {} first",
                           gone, below, service, above, service, below)});
    }
  }

  void report_missing_default() {
    const std::string prefix = to_string(draft_.prefix);
    if (const Removal* const removal = removal_of(draft_.prefix)) {
      add({.code = ViolationCode::binding_in_the_way,
           .change = removal->change,
           .field = Field::cidr,
           .value = prefix,
           .message = fmt::format("{} is the default binding and goes last: remove {} first",
                                  prefix, to_string(first_uncovered_->cidr))});
    } else {
      const std::string earliest = to_string(earliest_uncovered_->cidr);
      add({.code = ViolationCode::missing_default,
           .change = earliest_uncovered_->change,
           .field = Field::cidr,
           .value = earliest,
           .message = fmt::format("{} cannot be bound while its prefix {} has no default binding; "
                                  "bind {} itself as well",
                                  earliest, prefix, prefix)});
    }
  }

  [[nodiscard]] const Removal* removal_of(const lpm::AnyPrefix& cidr) const {
    const auto it = std::ranges::lower_bound(draft_.removals, cidr, {}, &Removal::cidr);
    return it != draft_.removals.end() && it->cidr == cidr ? &*it : nullptr;
  }
  // The most specific removed block inside `cover` and around `cidr`.
  [[nodiscard]] const Removal* removal_between(const lpm::AnyPrefix& cover,
                                               const lpm::AnyPrefix& cidr) const {
    return std::visit(
        [&]<class Address>(const lpm::Prefix<Address>& inner) -> const Removal* {
          const unsigned shortest = std::get<lpm::Prefix<Address>>(cover).length();
          for (unsigned length = inner.length(); length-- > shortest;) {
            const auto block = lpm::Prefix<Address>::enclosing(inner.network(), length);
            if (const Removal* const found = removal_of(block)) return found;
          }
          return nullptr;
        },
        cidr);
  }

  void add(Violation violation) { violations_.add(std::move(violation)); }

  const Draft& draft_;
  Violations& violations_;
  // The blocks around the current candidate, outermost first.
  std::vector<const Candidate*> covers_;
  // Of the candidates that nothing covers, default aside: by address, and by change.
  const Candidate* first_uncovered_ = nullptr;
  const Candidate* earliest_uncovered_ = nullptr;
};

}  // namespace

void judge_bindings(const Draft& draft, Violations& violations) {
  Judge(draft, violations).run();
}

}  // namespace control

// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/import_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "control/api/body.hpp"
#include "control/api/change_set.hpp"
#include "control/api/shapes.hpp"
#include "control/bindings_reader.hpp"
#include "control/quote.hpp"

namespace control::api {
namespace {

using dataplane::Service;
using store::BindingRow;
using store::PrefixRow;
using Origin = ImportSet::Origin;

std::string pointer_to(const Origin& origin, std::string_view member) {
  if (origin.prefix == Origin::kNone) return "/prefixes";
  if (origin.binding == Origin::kNone) return fmt::format("/prefixes/{}/{}", origin.prefix, member);
  return fmt::format("/prefixes/{}/bindings/{}/{}", origin.prefix, origin.binding, member);
}

// The word, or the id of the official API.
std::expected<Service, Problem> read_word_or_id(std::string_view text) {
  if (const auto by_id = service_with_id(text)) return *by_id;
  return read_service(text);
}

constexpr ReadOptions kOptions{
    .document = "the body", .errors_max = kFaultsMax, .read_service = &read_word_or_id};

Fault fault_of(const FileError& error) {
  return {error.code ? rank_of(*error.code).code : Code::malformed_body, error.message,
          error.pointer};
}

// Makes changes of one prefix after another; faults are collected.
class Importer {
 public:
  Importer(const State& state, const Principal& principal)
      : catalog_(state.catalog()), principal_(principal) {}

  void take(const FilePrefix& said) {
    const Origin own{.prefix = said.index};
    const PrefixRow* const row = catalog_.find<PrefixRow>(said.cidr);
    const bool is_anothers = row != nullptr && !principal_.may_see(row->account);
    if (!seen_.insert(said.cidr).second || is_anothers)
      return refuse(409, Code::exists, pointer_to(own, "cidr"),
                    fmt::format("prefix already exists: {}", to_string(said.cidr)));
    take_details(said, row);
    take_bindings(said, row);
  }

  // What there is and was not named. To be called last.
  void leave_out_others() {
    for (const PrefixRow& row : catalog_.prefixes())
      if (principal_.may_see(row.account) && !seen_.contains(row.cidr))
        add(Change::remove_prefix(row.cidr, true), {});
  }

  [[nodiscard]] std::expected<ImportSet, Error> take_set(const std::vector<FileError>& errors) {
    if (errors.empty() && faults_.empty()) return std::move(set_);
    Error error{errors.empty() ? faults_.front().status : 400, {}};
    for (const FileError& one : errors) error.faults.push_back(fault_of(one));
    for (Placed& placed : faults_)
      if (placed.status == error.status && error.faults.size() < kFaultsMax)
        error.faults.push_back(std::move(placed.fault));
    return std::unexpected(std::move(error));
  }

 private:
  struct Placed {
    unsigned status;
    Fault fault;
  };
  struct Wanted {
    lpm::AnyPrefix cidr;
    Service service;
    std::uint32_t index;
  };

  void refuse(unsigned status, Code code, std::string pointer, std::string message) {
    if (faults_.size() < kFaultsMax)
      faults_.push_back({status, {code, std::move(message), std::move(pointer)}});
  }
  void add(const Change& change, const Origin& origin) {
    set_.changes.push_back(change);
    set_.origins.push_back(origin);
  }

  void take_details(const FilePrefix& said, const PrefixRow* row);
  [[nodiscard]] bool may_be_of(const FilePrefix& said, const PrefixRow* row);
  void take_bindings(const FilePrefix& said, const PrefixRow* row);
  // False: something is bound twice.
  [[nodiscard]] bool sort_wanted(const FilePrefix& said);
  void go_to_wanted(const FilePrefix& said, const PrefixRow* row);

  const Catalog& catalog_;
  const Principal& principal_;
  ImportSet set_;
  std::set<lpm::AnyPrefix> seen_;
  std::vector<Wanted> wanted_;  // of the prefix at hand
  std::vector<Placed> faults_;
};

bool Importer::may_be_of(const FilePrefix& said, const PrefixRow* row) {
  const auto refuse_account = [&](unsigned status, Code code, std::string message) {
    refuse(status, code, pointer_to({.prefix = said.index}, "account"), std::move(message));
    return false;
  };
  if (said.account && !principal_.may_see(*said.account))
    return refuse_account(404, Code::no_such_route,
                          fmt::format("there is no account {}", control::quoted(*said.account)));
  if (!said.account && row == nullptr && principal_.account.empty())
    return refuse_account(400, Code::malformed_body,
                          fmt::format("account is missing: {} is new, and this token is of all "
                                      "accounts",
                                      to_string(said.cidr)));
  return true;
}

void Importer::take_details(const FilePrefix& said, const PrefixRow* row) {
  if (!may_be_of(said, row)) return;
  PrefixDetails details{.account = principal_.account};
  if (row != nullptr)
    details = {.account = row->account,
               .asn = row->asn,
               .description = row->description,
               .loa_document_id = row->loa_document_id};
  if (said.account) details.account = *said.account;
  if (said.asn) details.asn = *said.asn;
  if (said.description) details.description = *said.description;
  if (said.loa_document_id) details.loa_document_id = *said.loa_document_id;
  set_.details.emplace(said.cidr, std::move(details));
}

bool Importer::sort_wanted(const FilePrefix& said) {
  wanted_.clear();
  // Before the others, so that a second default is the one to blame.
  if (said.service) wanted_.push_back({said.cidr, *said.service, Origin::kNone});
  for (const FileBinding& binding : said.bindings)
    if (binding.service) wanted_.push_back({binding.cidr, *binding.service, binding.index});
  std::ranges::stable_sort(wanted_, {}, &Wanted::cidr);
  bool is_each_once = true;
  for (std::size_t i = 1; i < wanted_.size(); ++i) {
    const Wanted& before = wanted_[i - 1];
    if (wanted_[i].cidr != before.cidr) continue;
    is_each_once = false;
    refuse(409, Code::exists, pointer_to({said.index, wanted_[i].index}, "cidr"),
           fmt::format("binding already exists for CIDR {} ({}); one CIDR carries one binding",
                       to_string(before.cidr), dataplane::name_of(before.service)));
  }
  return is_each_once;
}

void Importer::take_bindings(const FilePrefix& said, const PrefixRow* row) {
  if (!sort_wanted(said) || !faults_.empty()) return;
  if (row == nullptr) add(Change::add_prefix(said.cidr), {.prefix = said.index});
  go_to_wanted(said, row);
}

// Both in the order of the address space.
void Importer::go_to_wanted(const FilePrefix& said, const PrefixRow* row) {
  auto wanted = wanted_.cbegin();
  const auto add_those_before = [&](const BindingRow* there) {
    for (; wanted != wanted_.cend() && (there == nullptr || wanted->cidr < there->cidr); ++wanted)
      add(Change::add_binding({said.cidr, wanted->cidr}, wanted->service),
          {said.index, wanted->index});
  };
  if (row != nullptr) {
    for (const BindingRow& there : catalog_.bindings_in(said.cidr)) {
      add_those_before(&there);
      const Change::At at{said.cidr, there.cidr};
      if (wanted == wanted_.cend() || wanted->cidr != there.cidr) {
        add(Change::remove_binding(at), {.prefix = said.index});
        continue;
      }
      if (wanted->service != there.service)
        add(Change::change_service(at, wanted->service), {said.index, wanted->index});
      ++wanted;
    }
  }
  add_those_before(nullptr);
}

// Faults of the status of the first.
Error error_of(const std::vector<FileError>& errors) {
  const auto status_of = [](const FileError& one) {
    return one.code ? rank_of(*one.code).status : 400;
  };
  Error error{status_of(errors.front()), {}};
  for (const FileError& one : errors)
    if (status_of(one) == error.status && error.faults.size() < kFaultsMax)
      error.faults.push_back(fault_of(one));
  return error;
}

}  // namespace

std::expected<ImportSet, Error> read_import(std::string_view body, const State& state,
                                            const Principal& principal) {
  Importer importer(state, principal);
  BindingsReader reader(kOptions, [&](const FilePrefix& prefix) { importer.take(prefix); });
  // The reader refuses what is given twice.
  if (auto read = visit_unchecked(body, reader); !read) return std::unexpected(read.error());
  importer.leave_out_others();
  return importer.take_set(reader.errors());
}

Error error_of(const std::vector<Violation>& violations, const ImportSet& set,
               std::string_view body, const State& state, const Principal& principal) {
  if (const auto parsed = parse_bindings(body, state.bindings().rules(), kOptions); !parsed)
    return error_of(parsed.error());
  const Rank first = rank_of(violations.front().code);
  Error error{first.status, {}};
  for (const Violation& violation : violations) {
    const Rank rank = rank_of(violation.code);
    if (rank.status != first.status || error.faults.size() >= kFaultsMax) continue;
    error.faults.push_back({rank.code, message_for(violation, principal),
                            pointer_to(set.origins.at(violation.change),
                                       violation.field == Field::service ? "service" : "cidr")});
  }
  return error;
}

}  // namespace control::api

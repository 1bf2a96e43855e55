// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/change_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <set>
#include <utility>

#include "control/api/change_items.hpp"
#include "control/api/shapes.hpp"
#include "control/quote.hpp"

namespace control::api {
namespace {

using dataplane::Service;
using store::BindingRow;
using store::PrefixRow;

struct Shape {
  std::string_view name;
  Op op;
  std::initializer_list<std::string_view> members;  // besides op
};
constexpr std::string_view kOps =
    "add_prefix, delete_prefix, create, delete, change or delete_where";

// Makes changes of the items, one after another; faults are collected.
class Maker {
 public:
  Maker(const State& state, const Principal& principal) : state_(state), principal_(principal) {}

  // What an item adds, so that others can name what is inside whatever their order; before make().
  void look_at(const ChangeItem& item);
  void make(const ChangeItem& item) {
    make_one(item);
    ++index_;
  }
  std::expected<ChangeSet, Error> take() {
    if (faults_.empty()) return std::move(set_);
    return std::unexpected(error());
  }

 private:
  struct Placed {
    unsigned status;
    Fault fault;
  };

  Error error() {
    Error error{faults_.front().status, {}};
    for (Placed& placed : faults_)
      if (placed.status == error.status) error.faults.push_back(std::move(placed.fault));
    return error;
  }
  void refuse(unsigned status, Code code, std::string_view member, std::string message) {
    if (faults_.size() < kFaultsMax)
      faults_.push_back({status, {code, std::move(message), pointer(member)}});
    is_refused_ = true;
  }
  std::string pointer(std::string_view member) const {
    return member.empty() ? fmt::format("/changes/{}", index_)
                          : fmt::format("/changes/{}/{}", index_, member);
  }
  void add(const Change& change, std::string_view name) {
    set_.changes.push_back(change);
    set_.origins.push_back({index_, name});
  }

  void make_one(const ChangeItem& item) {
    static const Shape kShapes[]{
        {"add_prefix", Op::add_prefix, {"cidr", "account", "asn", "description", "service"}},
        {"delete_prefix", Op::delete_prefix, {"cidr", "id", "cascade"}},
        {"create", Op::create, {"cidr", "service"}},
        {"delete", Op::remove, {"cidr", "id"}},
        {"change", Op::change, {"cidr", "id", "service"}},
        {"delete_where", Op::delete_where, {"prefix", "service", "within", "account"}}};
    item_ = &item;
    is_refused_ = false;
    const std::string op = text("op", true);
    if (is_refused_) return;
    const auto* const shape = std::ranges::find(kShapes, std::string_view(op), &Shape::name);
    if (shape == std::end(kShapes))
      return refuse(400, Code::malformed_body, "op",
                    fmt::format("op must be {}, not {}", kOps, quoted(op)));
    for (const auto& [key, member] : item.members)
      if (key != "op" && std::ranges::find(shape->members, key) == shape->members.end())
        refuse(400, Code::malformed_body, key, fmt::format("{} has no member {}", op, quoted(key)));
    make(shape->op);
  }

  void make(Op op) {
    switch (op) {
      case Op::add_prefix:
        return add_prefix();
      case Op::delete_prefix:
        return delete_prefix();
      case Op::create:
        return create();
      case Op::remove:
        return remove();
      case Op::change:
        return change();
      case Op::delete_where:
        return delete_where();
    }
  }

  std::string text(std::string_view key, bool is_required) {
    const ChangeItem::Member* const member = item_->find(key);
    if (member == nullptr) {
      if (is_required) refuse(400, Code::malformed_body, key, fmt::format("{} is missing", key));
      return {};
    }
    if (member->type == JsonType::string) return member->text;
    refuse(400, Code::malformed_body, key,
           fmt::format("{} must be a string, not {}", key, name_of(member->type)));
    return {};
  }

  std::optional<lpm::AnyPrefix> block(std::string_view key) {
    const std::string written = text(key, true);
    if (is_refused_) return std::nullopt;
    auto cidr = read_cidr(written);
    if (cidr) return *cidr;
    refuse(400, rank_of(cidr.error().code).code, key, cidr.error().message);
    return std::nullopt;
  }

  // The word, or the id of the official API.
  std::optional<Service> service() {
    const std::string written = text("service", true);
    if (written.empty() && is_refused_) return std::nullopt;
    if (const auto by_id = service_with_id(written)) return by_id;
    const auto named = read_service(written);
    if (named) return *named;
    refuse(400, Code::rule_violated, "service", named.error().message);
    return std::nullopt;
  }

  bool may_see(const PrefixRow* row) const {
    return row != nullptr && principal_.may_see(row->account);
  }
  void no_prefix(std::string_view member, std::string_view what) {
    refuse(404, Code::prefix_not_found, member,
           fmt::format("there is no onboarded prefix {}", what));
  }
  void no_binding(std::string_view member, std::string_view what) {
    refuse(404, Code::binding_not_found, member, fmt::format("there is no binding {}", what));
  }

  // By cidr or by id: exactly one of them. The member that is there; empty: refused.
  std::string_view named_by() {
    const bool by_cidr = item_->find("cidr") != nullptr;
    const bool by_id = item_->find("id") != nullptr;
    if (by_cidr != by_id) return by_cidr ? "cidr" : "id";
    refuse(400, Code::malformed_body, "",
           by_cidr ? "cidr and id are both given; one of them names it"
                   : "cidr or id is missing; one of them names it");
    return {};
  }
  template <class Row>
  const Row* with_id() {
    const std::string written = text("id", true);
    const auto id = ObjectId::parse(written);
    return id ? state_.catalog().find<Row>(*id) : nullptr;
  }

  void add_prefix();
  void delete_prefix();
  void create();
  void remove();
  void change();
  void delete_where();
  std::optional<PrefixDetails> details();
  std::optional<Change::At> binding_at(std::string_view name);
  std::optional<lpm::AnyPrefix> prefix_for(const lpm::AnyPrefix& cidr) const;
  struct Filter {
    std::optional<lpm::AnyPrefix> prefix;
    std::optional<Service> service;
    std::optional<lpm::AnyPrefix> within;
    std::optional<std::string> account;
  };
  std::optional<Filter> filter();
  void delete_in(const PrefixRow& prefix, const Filter& filter);

  const State& state_;
  const Principal& principal_;
  ChangeSet set_;
  std::set<lpm::AnyPrefix> added_;
  bool has_filters_ = false;          // delete_where
  std::set<lpm::AnyPrefix> deleted_;  // bindings, by items before; where there are filters
  std::vector<Placed> faults_;
  std::size_t index_ = 0;
  const ChangeItem* item_ = nullptr;
  bool is_refused_ = false;  // the item at hand
};

void Maker::look_at(const ChangeItem& item) {
  const ChangeItem::Member* const op = item.find("op");
  const ChangeItem::Member* const cidr = item.find("cidr");
  if (op == nullptr) return;
  if (op->text == "delete_where") has_filters_ = true;
  if (op->text != "add_prefix" || cidr == nullptr) return;
  if (const auto block = read_cidr(cidr->text)) added_.insert(*block);
}

std::optional<PrefixDetails> Maker::details() {
  if (item_->find("account") == nullptr && principal_.account.empty()) {
    refuse(400, Code::malformed_body, "account",
           "account is missing: this token is of all accounts");
    return std::nullopt;
  }
  PrefixDetails said{.account = text("account", false), .description = text("description", false)};
  if (item_->find("account") == nullptr) said.account = principal_.account;
  if (!is_refused_ && !principal_.may_see(said.account))
    refuse(404, Code::no_such_route, "account",
           fmt::format("there is no account {}", quoted(said.account)));
  if (!is_refused_ && !is_account(said.account))
    refuse(400, Code::malformed_body, "account",
           fmt::format("account must be letters, digits and -, 1 to {} of them, not {}",
                       kAccountBytesMax, quoted(said.account)));
  if (characters_in(said.description) > kDescriptionCharactersMax)
    refuse(400, Code::malformed_body, "description",
           fmt::format("description has more than {} characters", kDescriptionCharactersMax));
  if (const ChangeItem::Member* const asn = item_->find("asn")) {
    if (!asn->is_whole || asn->whole > ~std::uint32_t{0})
      refuse(400, Code::malformed_body, "asn", "asn must be a whole number from 0 to 4294967295");
    else
      said.asn = static_cast<std::uint32_t>(asn->whole);
  }
  return is_refused_ ? std::nullopt : std::optional(std::move(said));
}

void Maker::add_prefix() {
  const auto cidr = block("cidr");
  auto said = details();
  const bool has_default = item_->find("service") != nullptr;
  const auto its_default = has_default ? service() : std::nullopt;
  if (is_refused_ || !cidr || !said) return;
  set_.details[*cidr] = std::move(*said);
  add(Change::add_prefix(*cidr), "cidr");
  if (has_default) add(Change::add_binding({*cidr, *cidr}, its_default), "cidr");
}

void Maker::delete_prefix() {
  const std::string_view name = named_by();
  const ChangeItem::Member* const cascade = item_->find("cascade");
  if (cascade != nullptr && cascade->type != JsonType::boolean)
    refuse(400, Code::malformed_body, "cascade",
           fmt::format("cascade must be true or false, not {}", name_of(cascade->type)));
  if (is_refused_) return;
  const PrefixRow* row = nullptr;
  if (name == "id") {
    row = with_id<PrefixRow>();
  } else {
    const auto cidr = block("cidr");
    if (!cidr) return;
    row = state_.catalog().find<PrefixRow>(*cidr);
  }
  if (is_refused_) return;
  if (!may_see(row)) return no_prefix(name, quoted(item_->find(name)->text));
  const bool takes_all = cascade != nullptr && cascade->is_true;
  if (takes_all && has_filters_)
    for (const BindingRow& binding : state_.catalog().bindings_in(row->cidr))
      deleted_.insert(binding.cidr);
  add(Change::remove_prefix(row->cidr, takes_all), name);
}

// What is added here goes before what is there: that may give way to it.
std::optional<lpm::AnyPrefix> Maker::prefix_for(const lpm::AnyPrefix& cidr) const {
  if (auto next = added_.upper_bound(cidr); next != added_.begin()) {
    --next;
    if (contains(*next, cidr)) return *next;
  }
  const PrefixRow* const row = state_.catalog().prefix_around(cidr);
  return may_see(row) ? std::optional(row->cidr) : std::nullopt;
}

void Maker::create() {
  const auto cidr = block("cidr");
  const auto wanted = service();
  if (is_refused_ || !cidr) return;
  const auto prefix = prefix_for(*cidr);
  if (!prefix) return no_prefix("cidr", fmt::format("around {}", to_string(*cidr)));
  add(Change::add_binding({*prefix, *cidr}, wanted), "cidr");
}

std::optional<Change::At> Maker::binding_at(std::string_view name) {
  if (name == "id") {
    const BindingRow* const row = with_id<BindingRow>();
    if (is_refused_) return std::nullopt;
    if (row != nullptr && may_see(state_.catalog().find<PrefixRow>(row->prefix)))
      return Change::At{row->prefix, row->cidr};
    no_binding(name, quoted(item_->find(name)->text));
    return std::nullopt;
  }
  const auto cidr = block("cidr");
  if (!cidr) return std::nullopt;
  const BindingRow* const row = state_.catalog().find<BindingRow>(*cidr);
  if (row != nullptr && may_see(state_.catalog().find<PrefixRow>(row->prefix)))
    return Change::At{row->prefix, *cidr};
  // Perhaps one that an item makes.
  if (const auto prefix = prefix_for(*cidr)) return Change::At{*prefix, *cidr};
  no_binding("cidr", fmt::format("for CIDR {}", to_string(*cidr)));
  return std::nullopt;
}

void Maker::remove() {
  const std::string_view name = named_by();
  if (is_refused_) return;
  const auto at = binding_at(name);
  if (!at) return;
  if (has_filters_) deleted_.insert(at->cidr);
  add(Change::remove_binding(*at), name);
}

void Maker::change() {
  const std::string_view name = named_by();
  const auto wanted = service();
  if (is_refused_) return;
  if (const auto at = binding_at(name)) add(Change::change_service(*at, wanted), name);
}

std::optional<Maker::Filter> Maker::filter() {
  Filter filter;
  if (item_->find("prefix") != nullptr) filter.prefix = block("prefix");
  if (item_->find("within") != nullptr) filter.within = block("within");
  if (item_->find("service") != nullptr) filter.service = service();
  if (item_->find("account") != nullptr) filter.account = text("account", true);
  if (is_refused_) return std::nullopt;
  if (filter.prefix || filter.within || filter.service || filter.account) return filter;
  refuse(400, Code::malformed_body, "",
         "delete_where needs prefix, service, within or account: an empty filter never means all");
  return std::nullopt;
}

void Maker::delete_where() {
  const auto wanted = filter();
  if (!wanted) return;
  if (wanted->prefix) {
    const PrefixRow* const row = state_.catalog().find<PrefixRow>(*wanted->prefix);
    if (!may_see(row)) return no_prefix("prefix", to_string(*wanted->prefix));
    return delete_in(*row, *wanted);
  }
  for (const PrefixRow& row : state_.catalog().prefixes())
    if (may_see(&row) && (!wanted->within || contains(*wanted->within, row.cidr) ||
                          contains(row.cidr, *wanted->within)))
      delete_in(row, *wanted);
}

void Maker::delete_in(const PrefixRow& prefix, const Filter& filter) {
  if (filter.account && prefix.account != *filter.account) return;
  bool is_rest_gone = true;
  const BindingRow* its_default = nullptr;
  for (const BindingRow& row : state_.catalog().bindings_in(prefix.cidr)) {
    if (deleted_.contains(row.cidr)) continue;
    const bool fits = (!filter.service || row.service == *filter.service) &&
                      (!filter.within || contains(*filter.within, row.cidr));
    if (row.cidr == prefix.cidr) {
      if (fits) its_default = &row;
    } else if (fits) {
      deleted_.insert(row.cidr);
      add(Change::remove_binding({prefix.cidr, row.cidr}), {});
    } else {
      is_rest_gone = false;
    }
  }
  if (its_default == nullptr || !is_rest_gone) return;
  deleted_.insert(prefix.cidr);
  add(Change::remove_binding({prefix.cidr, prefix.cidr}), {});
}

}  // namespace

std::string message_for(const Violation& violation, const Principal& principal) {
  const bool may_name_others = principal.account.empty();
  if (may_name_others) return violation.message;
  if (violation.code == ViolationCode::prefix_overlaps)
    return violation.value + " overlaps a prefix that is onboarded already";
  if (violation.code == ViolationCode::too_many_bindings)
    return violation.value + " is one binding too many: this host has no room for more";
  return violation.message;
}

std::expected<ChangeSet, Error> read_change_set(std::string_view body, const State& state,
                                                const Principal& principal) {
  Maker maker(state, principal);
  if (auto read = visit_items(body, [&](const ChangeItem& item) { maker.look_at(item); }); !read)
    return std::unexpected(std::move(read.error()));
  if (auto read = visit_items(body, [&](const ChangeItem& item) { maker.make(item); }); !read)
    return std::unexpected(std::move(read.error()));
  return maker.take();
}

Error error_of(const std::vector<Violation>& violations, const ChangeSet& set,
               const Principal& principal) {
  const Rank first = rank_of(violations.front().code);
  Error error{first.status, {}};
  for (const Violation& violation : violations) {
    const Rank rank = rank_of(violation.code);
    if (rank.status != first.status) continue;
    if (error.faults.size() >= kFaultsMax) break;
    const ChangeSet::Origin& origin = set.origins.at(violation.change);
    const std::string_view member = violation.field == Field::service && !origin.name.empty()
                                        ? std::string_view("service")
                                        : origin.name;
    error.faults.push_back({rank.code, message_for(violation, principal),
                            member.empty() ? fmt::format("/changes/{}", origin.item)
                                           : fmt::format("/changes/{}/{}", origin.item, member)});
  }
  return error;
}

}  // namespace control::api

// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/operations.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "control/api/body.hpp"
#include "control/api/change_set.hpp"
#include "control/api/json_text.hpp"
#include "control/quote.hpp"

namespace control::api {
namespace {

using store::BindingRow;
using store::PrefixRow;

// Of a body, which member a field of a change came from.
struct Pointers {
  std::string_view cidr = "/cidr";
  std::string_view service = "/service_id";
};

// One operation at hand.
class Call {
 public:
  Call(State& state, const Progress& progress, const Job& job, store::Micros now)
      : state_(state), progress_(progress), job_(job), now_(now) {}

  Answer list_prefixes() const;
  Answer create_prefix();
  Answer get_prefix() const;
  Answer edit_prefix();
  Answer delete_prefix();
  Answer list_bindings() const;
  Answer create_binding();
  Answer get_binding() const;
  Answer delete_binding();

 private:
  static Answer ok(std::string_view result, unsigned status = 200) {
    return {.response = {.status = status, .body = success_of(result)}};
  }
  static Answer refuse(const Error& error) { return {.response = response_of(error)}; }
  static Answer no_prefix(std::string_view id) {
    return refuse(
        Error::of(404, Code::prefix_not_found, fmt::format("there is no prefix {}", quoted(id))));
  }
  static Answer no_binding(std::string_view id) {
    return refuse(Error::of(404, Code::binding_not_found,
                            fmt::format("there is no binding {} in this prefix", quoted(id))));
  }
  Answer refuse(const Refusal& refusal, const Pointers& pointers) const;
  Answer show(const PrefixRow& row, unsigned status) const;
  Answer show(const BindingRow& row, unsigned status) const;

  // Of the route, if this account has it; null: there is none.
  const PrefixRow* prefix() const;
  const BindingRow* binding(const PrefixRow& prefix) const;
  // Whether the client asks again for what it asked lately, since the reply was lost.
  bool is_retry_of(store::TokenNumber by, store::Micros at) const {
    return job_.request.retry_count > 0 && by == job_.principal.token &&
           now_ - at <= State::kRetryWindow;
  }
  bool was_deleted_before(std::string_view id) const;
  Author author() const {
    return {.token = job_.principal.token, .name = job_.principal.name, .now = now_};
  }
  ChangeOptions options() const {
    return {.may_mass_change = may_mass_change(job_),
            .sees_all_accounts = job_.principal.account.empty()};
  }
  Answer remove(const Change& change);

  State& state_;
  const Progress& progress_;
  const Job& job_;
  store::Micros now_;
};

Answer Call::refuse(const Refusal& refusal, const Pointers& pointers) const {
  if (!refusal.guard.empty()) return refuse(Error::of(403, Code::not_allowed, refusal.guard));
  const std::vector<Violation>& violations = refusal.violations;
  const Rank first = rank_of(violations.front().code);
  Error error{first.status, {}};
  for (const Violation& violation : violations) {
    const Rank rank = rank_of(violation.code);
    if (rank.status != first.status) continue;
    error.faults.push_back(
        {rank.code, message_for(violation, job_.principal),
         std::string(violation.field == Field::service ? pointers.service : pointers.cidr)});
  }
  return refuse(error);
}

Answer Call::show(const PrefixRow& row, unsigned status) const {
  std::string text;
  append_prefix(text, row);
  return ok(text, status);
}

Answer Call::show(const BindingRow& row, unsigned status) const {
  std::string text;
  append_binding(text, row, progress_);
  return ok(text, status);
}

const PrefixRow* Call::prefix() const {
  const auto id = ObjectId::parse(job_.route.prefix);
  const PrefixRow* const row = id ? state_.catalog().find<PrefixRow>(*id) : nullptr;
  return row != nullptr && row->account == job_.route.account ? row : nullptr;
}

const BindingRow* Call::binding(const PrefixRow& prefix) const {
  const auto id = ObjectId::parse(job_.route.binding);
  const BindingRow* const row = id ? state_.catalog().find<BindingRow>(*id) : nullptr;
  return row != nullptr && row->prefix == prefix.cidr ? row : nullptr;
}

bool Call::was_deleted_before(std::string_view text) const {
  const auto id = ObjectId::parse(text);
  const store::DeletedRow* const row = id ? state_.find_deleted(*id) : nullptr;
  return row != nullptr && is_retry_of(row->by, row->at);
}

Answer Call::list_prefixes() const {
  std::string text = "[";
  for (const PrefixRow& row : state_.catalog().prefixes()) {
    if (row.account != job_.route.account) continue;
    if (text.size() > 1) text += ',';
    append_prefix(text, row);
  }
  return ok(text + "]");
}

Answer Call::create_prefix() {
  auto body = Body::parse(job_.request.body);
  if (!body) return refuse(body.error());
  const std::string text = body->required_text("cidr");
  PrefixDetails details{.account = job_.route.account,
                        .asn = body->required_whole("asn", ~std::uint32_t{0}),
                        .description = body->optional_text("description"),
                        .loa_document_id = body->optional_text("loa_document_id")};
  body->optional_boolean("delegate_loa_creation");
  if (characters_in(details.description) > kDescriptionCharactersMax)
    body->refuse("description",
                 fmt::format("description has more than {} characters", kDescriptionCharactersMax));
  if (details.loa_document_id.size() > kLoaBytesMax)
    body->refuse("loa_document_id",
                 fmt::format("loa_document_id is longer than {} bytes", kLoaBytesMax));
  if (body->has_faults()) return refuse(body->error());
  const auto cidr = read_cidr(text);
  if (!cidr)
    return refuse(Error::of(400, rank_of(cidr.error().code).code, cidr.error().message, "/cidr"));
  if (const PrefixRow* const row = state_.catalog().find<PrefixRow>(*cidr);
      row != nullptr && row->account == details.account && row->asn == details.asn &&
      is_retry_of(row->created_by, row->created_at))
    return show(*row, 201);
  const std::array changes{Change::add_prefix(*cidr)};
  const auto made = state_.change(changes, {{*cidr, details}}, author(), options());
  if (!made) return refuse(made.error(), {});
  return show(*state_.catalog().find<PrefixRow>(*cidr), 201);
}

Answer Call::get_prefix() const {
  const PrefixRow* const row = prefix();
  return row == nullptr ? no_prefix(job_.route.prefix) : show(*row, 200);
}

Answer Call::edit_prefix() {
  const PrefixRow* const row = prefix();
  if (row == nullptr) return no_prefix(job_.route.prefix);
  auto body = Body::parse(job_.request.body);
  if (!body) return refuse(body.error());
  std::string description = body->required_text("description");
  if (characters_in(description) > kDescriptionCharactersMax)
    body->refuse("description",
                 fmt::format("description has more than {} characters", kDescriptionCharactersMax));
  if (body->has_faults()) return refuse(body->error());
  const lpm::AnyPrefix cidr = row->cidr;
  if (description != row->description) state_.describe(cidr, std::move(description), author());
  return show(*state_.catalog().find<PrefixRow>(cidr), 200);
}

Answer Call::remove(const Change& change) {
  const std::array changes{change};
  const auto made = state_.change(changes, {}, author(), options());
  if (!made) return refuse(made.error(), {.cidr = "", .service = ""});
  Answer answer = ok({});
  answer.awaits = state_.generation();
  return answer;
}

Answer Call::delete_prefix() {
  const PrefixRow* const row = prefix();
  if (row != nullptr) return remove(Change::remove_prefix(row->cidr, false));
  if (!was_deleted_before(job_.route.prefix)) return no_prefix(job_.route.prefix);
  Answer answer = ok({});
  answer.awaits = state_.generation();
  return answer;
}

Answer Call::list_bindings() const {
  const PrefixRow* const row = prefix();
  if (row == nullptr) return no_prefix(job_.route.prefix);
  std::string text = "[";
  for (const BindingRow& binding : state_.catalog().bindings_in(row->cidr)) {
    if (text.size() > 1) text += ',';
    append_binding(text, binding, progress_);
  }
  return ok(text + "]");
}

Answer Call::create_binding() {
  const PrefixRow* const row = prefix();
  if (row == nullptr) return no_prefix(job_.route.prefix);
  auto body = Body::parse(job_.request.body);
  if (!body) return refuse(body.error());
  const std::string text = body->required_text("cidr");
  const std::string service_id = body->required_text("service_id");
  if (body->has_faults()) return refuse(body->error());
  const auto cidr = read_cidr(text);
  const auto service = service_with_id(service_id);
  Error error{400, {}};
  if (!cidr)
    error.faults.push_back({rank_of(cidr.error().code).code, cidr.error().message, "/cidr"});
  if (!service)
    error.faults.push_back(
        {Code::rule_violated,
         fmt::format("there is no service {}; the list of services has their ids",
                     quoted(service_id)),
         "/service_id"});
  if (!error.faults.empty()) return refuse(error);
  if (const BindingRow* const before = state_.catalog().find<BindingRow>(*cidr);
      before != nullptr && before->prefix == row->cidr && before->service == *service &&
      is_retry_of(before->created_by, before->created_at))
    return show(*before, 201);
  const std::array changes{Change::add_binding({row->cidr, *cidr}, service)};
  const auto made = state_.change(changes, {}, author(), options());
  if (!made) return refuse(made.error(), {});
  return show(*state_.catalog().find<BindingRow>(*cidr), 201);
}

Answer Call::get_binding() const {
  const PrefixRow* const row = prefix();
  if (row == nullptr) return no_prefix(job_.route.prefix);
  const BindingRow* const own = binding(*row);
  return own == nullptr ? no_binding(job_.route.binding) : show(*own, 200);
}

Answer Call::delete_binding() {
  const PrefixRow* const row = prefix();
  if (row == nullptr) return no_prefix(job_.route.prefix);
  const BindingRow* const own = binding(*row);
  if (own != nullptr) return remove(Change::remove_binding({row->cidr, own->cidr}));
  if (!was_deleted_before(job_.route.binding)) return no_binding(job_.route.binding);
  Answer answer = ok({});
  answer.awaits = state_.generation();
  return answer;
}

// It was when the request was let in; but others came before it.
bool is_in_force(store::TokenNumber token, const State& state) {
  if (token == 0) return true;  // the Unix socket
  const auto index = static_cast<std::size_t>(token) - 1;
  return index < state.tokens().size() && !state.tokens()[index].revoked_at;
}

}  // namespace

bool is_listing(Operation operation) noexcept {
  switch (operation) {
    case Operation::list_prefixes:
    case Operation::list_bindings:
    case Operation::list_tokens:
    case Operation::show_history:
    case Operation::list_all_prefixes:
    case Operation::list_all_bindings:
    case Operation::export_state:
      return true;
    default:
      return false;
  }
}

bool may_mass_change(const Job& job) {
  constexpr std::string_view kWord = "mass-change";
  const auto said = job.route.query.find("allow");
  return job.request.allow == kWord || (said != job.route.query.end() && said->second == kWord);
}

Response response_of(const Error& error) {
  return {.status = error.status,
          .body = failure_of(error),
          .must_not_retry = error.status == 409,
          .retry_after_s =
              error.status == 429 || error.status == 503 ? std::optional(1U) : std::nullopt};
}

Response not_yet_in_force() {
  return response_of(Error::of(
      503, Code::not_writable,
      "the change is durable, but not yet in force: a worker holds on to an older table"));
}

Answer carry_out(State& state, const Context& context, const Job& job) {
  if (!is_in_force(job.principal.token, state))
    return {.response =
                response_of(Error::of(401, Code::not_allowed, "this token has been revoked"))};
  Call call(state, context.progress, job, context.now);
  switch (job.route.endpoint->operation) {
    case Operation::list_services:
      return {.response = {.status = 200, .body = success_of(services_json())}};
    case Operation::list_prefixes:
      return call.list_prefixes();
    case Operation::create_prefix:
      return call.create_prefix();
    case Operation::get_prefix:
      return call.get_prefix();
    case Operation::edit_prefix:
      return call.edit_prefix();
    case Operation::delete_prefix:
      return call.delete_prefix();
    case Operation::list_bindings:
      return call.list_bindings();
    case Operation::create_binding:
      return call.create_binding();
    case Operation::get_binding:
      return call.get_binding();
    case Operation::delete_binding:
      return call.delete_binding();
    default:
      return carry_out_own(state, context, job);
  }
}

}  // namespace control::api

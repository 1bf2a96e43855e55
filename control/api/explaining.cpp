// SPDX-License-Identifier: BSD-3-Clause
//
// "Which service owns this address, and why?"
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "control/api/json_text.hpp"
#include "control/api/parameters.hpp"
#include "control/api/reading.hpp"
#include "control/explain.hpp"
#include "control/quote.hpp"
#include "control/verdict_text.hpp"

namespace control::api {
namespace {

using dataplane::Direction;
using dataplane::Outcome;
using dataplane::Verdict;
using store::BindingRow;
using store::PrefixRow;

constexpr std::uint64_t kPortMax = 65535;

Answer refuse(const Error& error) {
  return {.response = response_of(error)};
}

// By name, or by number.
std::optional<std::uint8_t> read_protocol(Parameters& parameters) {
  constexpr std::array<std::pair<std::string_view, std::uint8_t>, 4> kNames{
      {{"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmpv6", 58}}};
  const std::string* const value = parameters.text("protocol");
  if (value == nullptr) return std::nullopt;
  for (const auto& [name, number] : kNames)
    if (*value == name) return number;
  std::uint8_t number = 0;
  const char* const end = value->data() + value->size();
  const auto [stopped, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stopped == end) return number;
  parameters.refuse(
      fmt::format("protocol must be tcp, udp, icmp, icmpv6 or a number from 0 to 255, "
                  "not {}",
                  quoted(*value)));
  return std::nullopt;
}

struct ExplainRequest {
  std::string address;  // as it is written commonly
  Query query;
  std::optional<bool> kernel_path;
};

std::expected<ExplainRequest, Error> read_explain_request(const Job& job) {
  Parameters parameters(job);
  ExplainRequest request;
  const auto address = parameters.address("address");
  if (!address && parameters.text("address") == nullptr)
    parameters.refuse("address is missing: the destination to explain");
  if (address) {
    request.query.destination = *address;
    request.address = std::visit([](auto one) { return to_string(one); }, *address);
  }
  if (parameters.one_of("direction", {"ingress", "egress"}).value_or(0) == 1)
    request.query.direction = Direction::egress;
  request.query.protocol = read_protocol(parameters);
  if (const auto port = parameters.whole("port", 0, kPortMax))
    request.query.destination_port = static_cast<std::uint16_t>(*port);
  request.query.fragment = parameters.boolean("fragment").value_or(false);
  request.kernel_path = parameters.boolean("kernel_path");
  // The rest of the 5-tuple: it does not decide, the destination address alone does.
  const auto source = parameters.address("source");
  [[maybe_unused]] const auto source_port = parameters.whole("source_port", 0, kPortMax);
  if (address && source && address->index() != source->index())
    parameters.refuse("source must be of the family of address");
  if (auto error = parameters.error()) return std::unexpected(std::move(*error));
  return request;
}

// What became of it at its output.
Verdict at_output(Verdict verdict, const Observer& observer) {
  const Outcome outcome = outcome_of(verdict);
  if (outcome == Outcome::kernel || outcome == Outcome::drop) return verdict;
  const auto output = observer.output(dataplane::kServices.at(static_cast<std::size_t>(outcome)));
  if (output.is_up && output.is_resolved) return verdict;
  // That output may be down too.
  if (observer.is_down_to_magic_transit() && outcome != Outcome::magic_transit)
    return at_output(Verdict::magic_transit_output_down, observer);
  return output.is_up ? unresolved_of(outcome) : down_of(outcome);
}

// Why rows 3 to 8 decided so.
std::string reason_of(const Explanation& explanation, Verdict verdict) {
  const std::string binding = explanation.binding
                                  ? fmt::format("{} ({})", to_string(explanation.binding->cidr),
                                                name_of(explanation.binding->service))
                                  : std::string();
  const std::string prefix = explanation.prefix ? to_string(*explanation.prefix) : std::string();
  const std::string uncovered =
      explanation.prefix
          ? fmt::format("no binding covers the address: its prefix {} is pending", prefix)
          : std::string("no binding covers the address");
  switch (verdict) {
    case Verdict::magic_transit_bound:
    case Verdict::cdn_bound:
    case Verdict::spectrum_bound:
      return fmt::format("the longest match is the binding of {}", binding);
    case Verdict::magic_transit_not_accepted:
      return fmt::format(
          "the longest match is the binding of {}, but by its accept setting that service does not "
          "take this traffic, which flows through Magic Transit",
          binding);
    case Verdict::magic_transit_egress_inside:
      return fmt::format(
          "egress always goes to Magic Transit; the destination is inside the prefix {}", prefix);
    case Verdict::magic_transit_egress_outside:
      return "egress always goes to Magic Transit; the destination is outside all prefixes";
    case Verdict::magic_transit_unmatched:
      return uncovered + "; unmatched = magic_transit";
    case Verdict::kernel_unmatched:
      return uncovered + "; unmatched = kernel";
    case Verdict::drop_unmatched:
      return uncovered + "; unmatched is drop, or kernel on a port without a kernel path";
    case Verdict::kernel_egress_unknown:
      return "egress to a destination outside all prefixes; egress-unknown = kernel";
    case Verdict::drop_egress_unknown:
      return "egress to a destination outside all prefixes; egress-unknown is drop, or kernel on a "
             "port without a kernel path";
    case Verdict::kernel_host_address:
      return "the address is one of the host itself";
    case Verdict::kernel_local_scope:
    case Verdict::drop_local_scope:
      return "the address is multicast, link-local, loopback or broadcast";
    default:
      return {};
  }
}

// What the output did to that.
std::string output_reason(Verdict decided, Verdict verdict) {
  if (verdict == decided) return {};
  const std::string_view service = name_of(outcome_of(decided));
  if (verdict == Verdict::magic_transit_output_down)
    return fmt::format(
        "; the output of {} is down or unresolved, and on-output-down = magic_transit", service);
  if (verdict == unresolved_of(outcome_of(decided)))
    return fmt::format("; the MAC address of the next hop of {} is not known", service);
  if (verdict != down_of(outcome_of(decided)))
    return fmt::format("; the output of {} cannot take it, nor can that of magic_transit", service);
  return fmt::format("; the output of {} is down", service);
}

const PrefixRow* visible_prefix(const State& state, const Job& job,
                                const std::optional<lpm::AnyPrefix>& cidr) {
  const PrefixRow* const row = cidr ? state.catalog().find<PrefixRow>(*cidr) : nullptr;
  return row != nullptr && job.principal.may_see(row->account) ? row : nullptr;
}

std::string explanation_json(const ExplainRequest& request, const Explanation& explanation,
                             Verdict verdict, const State& state, const Context& context) {
  const BindingRow* const binding =
      explanation.binding ? state.catalog().find<BindingRow>(explanation.binding->cidr) : nullptr;
  const PrefixRow* const prefix =
      explanation.prefix ? state.catalog().find<PrefixRow>(*explanation.prefix) : nullptr;
  const Outcome outcome = outcome_of(verdict);
  std::string text = fmt::format(
      R"({{"address":"{}","direction":"{}","kernel_path":{},"outcome":"{}","service":)",
      request.address, request.query.direction == Direction::ingress ? "ingress" : "egress",
      request.query.kernel_path != nullptr, counter_name(verdict));
  const auto out = std::back_inserter(text);
  if (outcome == Outcome::kernel || outcome == Outcome::drop)
    text += "null";
  else
    append_quoted(text, name_of(outcome));
  text += R"(,"binding":)";
  if (binding == nullptr)
    text += "null";
  else
    fmt::format_to(out, R"({{"id":"{}","cidr":"{}","service":"{}","state":"{}"}})",
                   to_string(binding->id), to_string(binding->cidr), name_of(binding->service),
                   state_of(*binding, context.progress));
  text += R"(,"prefix":)";
  if (prefix == nullptr)
    text += "null";
  else
    fmt::format_to(out, R"({{"id":"{}","cidr":"{}"}})", to_string(prefix->id),
                   to_string(prefix->cidr));
  text += R"(,"reason":)";
  append_quoted(text, reason_of(explanation, explanation.verdict) +
                          output_reason(explanation.verdict, verdict));
  fmt::format_to(out, R"(,"generation":{}}})", state.generation());
  return text;
}

}  // namespace

Answer explain_address(const State& state, const Context& context, const Job& job) {
  auto request = read_explain_request(job);
  if (!request) return refuse(request.error());
  const Observer& observer = *context.observer;
  const std::shared_ptr<const dataplane::Policy> policy = observer.policy();
  if (request->kernel_path.value_or(observer.has_kernel_path(request->query.direction)))
    request->query.kernel_path = &policy->host_addresses();
  const Explanation explanation = explain(state.bindings(), policy->settings(), request->query);
  // Whether it is another's or nobody's is not for a token of one account.
  if (!job.principal.account.empty() && visible_prefix(state, job, explanation.prefix) == nullptr)
    return refuse(
        Error::of(404, Code::prefix_not_found,
                  fmt::format("no prefix of this account is around {}", request->address)));
  const Verdict verdict = at_output(explanation.verdict, observer);
  return {.response = {
              .body = success_of(explanation_json(*request, explanation, verdict, state, context)),
              .etag = state.generation()}};
}

}  // namespace control::api

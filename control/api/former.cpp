// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/former.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "control/api/json_text.hpp"
#include "control/quote.hpp"

namespace control::api {
namespace {

using nlohmann::json;
using store::BindingRow;
using store::PrefixRow;

lpm::AnyPrefix cidr_in(const json& text) {
  const auto cidr = lpm::parse_prefix(text.get_ref<const std::string&>());
  if (!cidr) throw std::invalid_argument("no CIDR");
  return *cidr;
}

ObjectId id_in(const json& text) {
  const auto id = ObjectId::parse(text.get_ref<const std::string&>());
  if (!id) throw std::invalid_argument("no id");
  return *id;
}

dataplane::Service service_in(const json& text) {
  const auto service = dataplane::service_named(text.get_ref<const std::string&>());
  if (!service) throw std::invalid_argument("no service");
  return *service;
}

std::optional<PrefixRow> prefix_in(const json& line, const lpm::AnyPrefix& cidr) {
  if (line.size() == 2) return std::nullopt;
  return PrefixRow{.id = id_in(line.at(2)),
                   .account = line.at(3),
                   .cidr = cidr,
                   .asn = line.at(4),
                   .description = line.at(5),
                   .loa_document_id = line.at(6),
                   .created_by = line.at(7),
                   .created_at = line.at(8)};
}

std::optional<BindingRow> binding_in(const json& line, const lpm::AnyPrefix& cidr) {
  if (line.size() == 2) return std::nullopt;
  return BindingRow{.id = id_in(line.at(3)),
                    .prefix = cidr_in(line.at(2)),
                    .cidr = cidr,
                    .service = service_in(line.at(4)),
                    .created_by = line.at(5),
                    .created_at = line.at(6)};
}

void take(Former& former, std::string_view text) {
  const json line = json::parse(text);
  const lpm::AnyPrefix cidr = cidr_in(line.at(1));
  if (line.at(0) == "p")
    former.prefixes[cidr] = prefix_in(line, cidr);
  else
    former.bindings[cidr] = binding_in(line, cidr);
}

}  // namespace

void append_former(std::string& to, const lpm::AnyPrefix& cidr, const PrefixRow* row) {
  fmt::format_to(std::back_inserter(to), R"(["p","{}")", to_string(cidr));
  if (row != nullptr) {
    fmt::format_to(std::back_inserter(to), R"(,"{}",)", to_string(row->id));
    append_quoted(to, row->account);
    fmt::format_to(std::back_inserter(to), ",{},", row->asn);
    append_quoted(to, row->description);
    to += ',';
    append_quoted(to, row->loa_document_id);
    fmt::format_to(std::back_inserter(to), ",{},{}", row->created_by, row->created_at);
  }
  to += "]\n";
}

void append_former(std::string& to, const lpm::AnyPrefix& cidr, const BindingRow* row) {
  fmt::format_to(std::back_inserter(to), R"(["b","{}")", to_string(cidr));
  if (row != nullptr)
    fmt::format_to(std::back_inserter(to), R"(,"{}","{}","{}",{},{})", to_string(row->prefix),
                   to_string(row->id), name_of(row->service), row->created_by, row->created_at);
  to += "]\n";
}

std::expected<void, std::string> Former::go_back(std::string_view lines) {
  // The first line of a thing says what there was before all the others.
  while (!lines.empty()) {
    lines.remove_suffix(lines.back() == '\n' ? 1 : 0);
    const std::size_t end = lines.rfind('\n');
    const std::size_t start = end == std::string_view::npos ? 0 : end + 1;
    const std::string_view line = lines.substr(start);
    try {
      take(*this, line);
    } catch (const std::exception& error) {
      return std::unexpected(
          fmt::format("{} in the history is not what was there before", quoted(line)));
    }
    lines = lines.substr(0, start);
  }
  return {};
}

}  // namespace control::api

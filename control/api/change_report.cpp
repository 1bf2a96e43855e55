// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/change_report.hpp"

#include <fmt/format.h>

#include <iterator>

#include "control/api/json_text.hpp"

namespace control::api {
namespace {

using Kind = ChangeReport::Kind;

// As the changes of a request are called.
std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::add_prefix:
      return "add_prefix";
    case Kind::edit_prefix:
      return "edit_prefix";
    case Kind::delete_prefix:
      return "delete_prefix";
    case Kind::create:
      return "create";
    case Kind::remove:
      return "delete";
    case Kind::change:
      return "change";
  }
  return "";
}

void append_service(std::string& to, const std::optional<dataplane::Service>& service) {
  if (service)
    append_quoted(to, dataplane::name_of(*service));
  else
    to += "null";
}

void append_line(std::string& to, const ChangeReport::Line& line) {
  const bool is_prefix = line.kind == Kind::add_prefix || line.kind == Kind::edit_prefix ||
                         line.kind == Kind::delete_prefix;
  fmt::format_to(std::back_inserter(to),
                 R"({{"kind":"{}","op":"{}","cidr":"{}","prefix":"{}","before":)",
                 is_prefix ? "prefix" : "binding", name_of(line.kind), to_string(line.cidr),
                 to_string(line.prefix));
  append_service(to, line.before);
  to += R"(,"after":)";
  append_service(to, line.after);
  to += '}';
}

}  // namespace

std::string change_result_json(const ChangeReport& report, const ChangeResult& result) {
  std::string text;
  fmt::format_to(std::back_inserter(text), R"({{"generation":{},"state":"{}","dry_run":{},)",
                 result.generation, result.is_active ? "active" : "provisioning",
                 result.is_dry_run);
  fmt::format_to(
      std::back_inserter(text),
      R"("counts":{{"prefixes_added":{},"prefixes_deleted":{},"bindings_created":{},"bindings_deleted":{},"bindings_changed":{}}},)",
      report.prefixes_added, report.prefixes_deleted, report.bindings_created,
      report.bindings_deleted, report.bindings_changed);
  fmt::format_to(std::back_inserter(text),
                 R"("addresses_moved4":"{}","addresses_moved6":"{}","changes":[)", report.moved.v4,
                 report.moved.v6);
  for (const ChangeReport::Line& line : report.lines) {
    if (&line != &report.lines.front()) text += ',';
    append_line(text, line);
  }
  fmt::format_to(std::back_inserter(text),
                 R"(],"changes_omitted":{},"guard":{{"refuses":{},"reason":)", report.omitted,
                 report.is_refused_by_guard);
  if (report.guard_reason)
    append_quoted(text, *report.guard_reason);
  else
    text += "null";
  text += "}}";
  return text;
}

}  // namespace control::api

// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/shapes.hpp"

#include <fmt/format.h>

#include <iterator>

#include "control/api/json_text.hpp"

namespace control::api {

using dataplane::Service;

// Drawn at random once.
std::string_view id_of(Service service) noexcept {
  switch (service) {
    case Service::magic_transit:
      return "6d0c1f27a35e4e2b9b7c4f5a8e913d70";
    case Service::cdn:
      return "b2f9c84e17d04a6c8e35a90d61c7f248";
    case Service::spectrum:
      return "e47a5b093c2d4f18a6d1083fb5927ec6";
  }
  return "";
}

std::optional<Service> service_with_id(std::string_view id) noexcept {
  for (const Service service : dataplane::kServices)
    if (id == id_of(service)) return service;
  return std::nullopt;
}

std::string_view title_of(Service service) noexcept {
  switch (service) {
    case Service::magic_transit:
      return "Magic Transit";
    case Service::cdn:
      return "CDN";
    case Service::spectrum:
      return "Spectrum";
  }
  return "";
}

std::string_view state_of(const store::BindingRow& row, const Progress& progress) {
  if (row.generation > progress.active) return "provisioning";
  if (row.service == Service::magic_transit && !progress.magic_transit_up)
    return "magic_transit_route_missing";
  return "active";
}

void append_binding(std::string& to, const store::BindingRow& row, const Progress& progress) {
  fmt::format_to(
      std::back_inserter(to),
      R"({{"id":"{}","cidr":"{}","service_id":"{}","service_name":"{}","provisioning":{{"state":"{}"}}}})",
      to_string(row.id), to_string(row.cidr), id_of(row.service), title_of(row.service),
      state_of(row, progress));
}

void append_prefix(std::string& to, const store::PrefixRow& row) {
  const auto out = std::back_inserter(to);
  fmt::format_to(out, R"({{"id":"{}","account_id":)", to_string(row.id));
  append_quoted(to, row.account);
  fmt::format_to(out, R"(,"cidr":"{}","asn":)", to_string(row.cidr));
  if (row.asn == 0)
    to += "null";
  else
    fmt::format_to(out, "{}", row.asn);
  to += R"(,"approved":"V","description":)";
  append_quoted(to, row.description);
  // Announcing a prefix is for the host's routing daemon.
  to += R"(,"advertised":false,"on_demand_enabled":false,"on_demand_locked":false,)";
  to += R"("loa_document_id":)";
  if (row.loa_document_id.empty())
    to += "null";
  else
    append_quoted(to, row.loa_document_id);
  to += R"(,"created_at":)";
  append_time(to, row.created_at);
  to += R"(,"modified_at":)";
  append_time(to, row.modified_at);
  to += '}';
}

std::string services_json() {
  std::string text = "[";
  for (const Service service : dataplane::kServices)
    fmt::format_to(std::back_inserter(text), R"({}{{"id":"{}","name":"{}"}})",
                   text.size() == 1 ? "" : ",", id_of(service), title_of(service));
  return text + "]";
}

}  // namespace control::api

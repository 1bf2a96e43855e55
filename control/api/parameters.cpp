// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "control/quote.hpp"
#include "control/rules.hpp"

namespace control::api {
namespace {

std::string joined(const auto& words) {
  std::string all;
  for (const std::string_view word : words) {
    if (!all.empty()) all += ", ";
    all += word;
  }
  return all;
}

}  // namespace

const std::string* Parameters::text(std::string_view key) {
  known_.insert(key);
  const auto found = query_.find(key);
  return found == query_.end() ? nullptr : &found->second;
}

std::optional<std::string> Parameters::account() {
  const std::string* const value = text("account");
  if (value == nullptr || is_account(*value))
    return value == nullptr ? std::nullopt : std::optional(*value);
  refuse(fmt::format("account must be letters, digits and -, at most {}, not {}", kAccountBytesMax,
                     quoted(*value)));
  return std::nullopt;
}

std::optional<lpm::AnyPrefix> Parameters::cidr(std::string_view key) {
  const std::string* const value = text(key);
  if (value == nullptr) return std::nullopt;
  const auto cidr = read_cidr(*value);
  if (cidr) return *cidr;
  error_.faults.push_back(
      {rank_of(cidr.error().code).code, fmt::format("{}: {}", key, cidr.error().message)});
  return std::nullopt;
}

std::optional<Parameters::AnyAddress> Parameters::address(std::string_view key) {
  const std::string* const value = text(key);
  if (value == nullptr) return std::nullopt;
  if (const auto address = lpm::parse_address4(*value)) return *address;
  if (const auto address = lpm::parse_address6(*value)) return *address;
  refuse(fmt::format("{} must be an IPv4 or IPv6 address, as in 203.0.113.1 or 2001:db8::1, not {}",
                     key, quoted(*value)));
  return std::nullopt;
}

std::optional<dataplane::Service> Parameters::service(std::string_view key) {
  const std::string* const value = text(key);
  if (value == nullptr) return std::nullopt;
  if (const auto service = dataplane::service_named(*value)) return service;
  if (const auto service = service_with_id(*value)) return service;
  refuse(fmt::format("{} must be magic_transit, cdn, spectrum or the id of one, not {}", key,
                     quoted(*value)));
  return std::nullopt;
}

std::optional<std::uint64_t> Parameters::whole(std::string_view key, std::uint64_t min,
                                               std::uint64_t max) {
  const std::string* const value = text(key);
  if (value == nullptr) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = value->data() + value->size();
  const auto [stopped, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stopped == end && number >= min && number <= max) return number;
  refuse(fmt::format("{} must be a whole number from {} to {}, not {}", key, min, max,
                     quoted(*value)));
  return std::nullopt;
}

std::optional<std::size_t> Parameters::one_of(std::string_view key,
                                              std::initializer_list<std::string_view> words) {
  const std::string* const value = text(key);
  if (value == nullptr) return std::nullopt;
  const auto* const word = std::ranges::find(words, *value);
  if (word != words.end()) return static_cast<std::size_t>(word - words.begin());
  refuse(fmt::format("{} must be one of {}, not {}", key, joined(words), quoted(*value)));
  return std::nullopt;
}

std::optional<bool> Parameters::boolean(std::string_view key) {
  const auto word = one_of(key, {"false", "true"});
  return word ? std::optional(*word == 1) : std::nullopt;
}

void Parameters::refuse(std::string message) {
  error_.faults.push_back({Code::malformed_request, std::move(message)});
}

std::optional<Error> Parameters::error() {
  for (const auto& [key, value] : query_)
    if (!known_.contains(key))
      refuse(fmt::format("there is no query parameter {} here; there are: {}", quoted(key),
                         known_.empty() ? "none" : joined(known_)));
  return error_.faults.empty() ? std::nullopt : std::optional(error_);
}

}  // namespace control::api

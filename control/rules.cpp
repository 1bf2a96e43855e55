// SPDX-License-Identifier: BSD-3-Clause
#include "control/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/binding.hpp"
#include "control/quote.hpp"

namespace control {
namespace {

using dataplane::Service;

struct ForbiddenBlock {
  lpm::AnyPrefix cidr;
  std::string_view name;
};
ForbiddenBlock forbidden(std::string_view cidr, std::string_view name) {
  return {lpm::parse_prefix(cidr).value(), name};
}
// Rule 5.
const std::array<ForbiddenBlock, 8>& forbidden_blocks() {
  static const std::array kBlocks{
      forbidden("0.0.0.0/8", "\"this network\""), forbidden("127.0.0.0/8", "loopback"),
      forbidden("169.254.0.0/16", "link-local"),  forbidden("224.0.0.0/4", "multicast"),
      forbidden("240.0.0.0/4", "reserved"),       forbidden("::1/128", "loopback"),
      forbidden("fe80::/10", "link-local"),       forbidden("ff00::/8", "multicast"),
  };
  return kBlocks;
}

}  // namespace

std::expected<lpm::AnyPrefix, Problem> read_cidr(std::string_view text) {
  const auto prefix = lpm::parse_prefix(text);
  if (prefix) return *prefix;
  switch (prefix.error()) {
    case lpm::PrefixError::host_bits_set:
      return std::unexpected(
          Problem{ViolationCode::host_bits_set,
                  fmt::format("{} has host bits set; the block is {}", quoted(text),
                              to_string(lpm::parse_prefix_clearing_host_bits(text).value()))});
    case lpm::PrefixError::length_out_of_range:
      return std::unexpected(
          Problem{ViolationCode::malformed_cidr,
                  fmt::format("{} has a length out of range; IPv4 allows 0 to 32, IPv6 0 to 128",
                              quoted(text))});
    case lpm::PrefixError::malformed:
      break;
  }
  return std::unexpected(Problem{
      ViolationCode::malformed_cidr,
      fmt::format(
          "{} is not a CIDR block; write ADDRESS/LENGTH, as in 203.0.113.0/24 or 2001:db8::/48",
          quoted(text))});
}

std::expected<Service, Problem> read_service(std::string_view text) {
  if (const auto service = dataplane::service_named(text)) return *service;
  return std::unexpected(Problem{
      ViolationCode::unknown_service,
      fmt::format("{} is not a service; magic_transit, cdn and spectrum are", quoted(text))});
}

bool is_account(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kAccountBytesMax && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

std::size_t characters_in(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::optional<Problem> judge_prefix(const lpm::AnyPrefix& prefix, const BindingRules& rules) {
  const bool is_ipv4 = std::holds_alternative<lpm::Prefix4>(prefix);
  const unsigned length = std::visit([](const auto& block) { return block.length(); }, prefix);
  const unsigned longest = is_ipv4 ? rules.longest_prefix4 : rules.longest_prefix6;
  if (length > longest)
    return Problem{ViolationCode::prefix_too_long,
                   fmt::format("{} is longer than /{}, the longest {} prefix that can be onboarded",
                               to_string(prefix), longest, is_ipv4 ? "IPv4" : "IPv6")};
  for (const auto& [block, name] : forbidden_blocks()) {
    const bool is_inside = contains(block, prefix);
    if (is_inside || contains(prefix, block))
      return Problem{ViolationCode::prefix_not_allowed,
                     fmt::format("{} cannot be onboarded: it {} {}, which is {}", to_string(prefix),
                                 is_inside ? "lies in" : "contains", to_string(block), name)};
  }
  return std::nullopt;
}

}  // namespace control

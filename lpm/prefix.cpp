// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/prefix.hpp"

#include <algorithm>
#include <optional>

namespace lpm {
namespace {

// As written, before it is known whether it is a block.
template <class Address>
struct Written {
  Address address;
  unsigned length;
};
using AnyWritten = std::variant<Written<Address4>, Written<Address6>>;

// Longer than any address: what every length of four and more digits counts as.
constexpr unsigned kTooLong = 1000;

std::optional<unsigned> parse_length(std::string_view digits) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
  if (digits.front() == '0' && digits.size() > 1) return std::nullopt;
  if (digits.size() > 3) return kTooLong;
  unsigned length = 0;
  for (const char digit : digits) length = length * 10 + static_cast<unsigned>(digit - '0');
  return length;
}

template <class Address>
std::expected<AnyWritten, PrefixError> written(std::optional<Address> address, unsigned length) {
  if (!address) return std::unexpected(PrefixError::malformed);
  if (length > Address::kBits) return std::unexpected(PrefixError::length_out_of_range);
  return Written<Address>{*address, length};
}

std::expected<AnyWritten, PrefixError> parse_written(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::unexpected(PrefixError::malformed);
  const std::string_view address = text.substr(0, slash);
  const std::optional<unsigned> length = parse_length(text.substr(slash + 1));
  if (!length) return std::unexpected(PrefixError::malformed);

  if (address.contains(':')) return written(parse_address6(address), *length);
  return written(parse_address4(address), *length);
}

template <class Address>
std::string print(const Prefix<Address>& prefix) {
  return to_string(prefix.network()) + '/' + std::to_string(prefix.length());
}

}  // namespace

std::expected<AnyPrefix, PrefixError> parse_prefix(std::string_view text) {
  const auto any = parse_written(text);
  if (!any) return std::unexpected(any.error());
  const auto make =
      []<class Address>(const Written<Address>& written) -> std::expected<AnyPrefix, PrefixError> {
    return Prefix<Address>::make(written.address, written.length);
  };
  return std::visit(make, *any);
}

std::expected<AnyPrefix, PrefixError> parse_prefix_clearing_host_bits(std::string_view text) {
  const auto any = parse_written(text);
  if (!any) return std::unexpected(any.error());
  const auto enclosing = []<class Address>(const Written<Address>& written) -> AnyPrefix {
    return Prefix<Address>::enclosing(written.address, written.length);
  };
  return std::visit(enclosing, *any);
}

std::string to_string(const Prefix4& prefix) {
  return print(prefix);
}
std::string to_string(const Prefix6& prefix) {
  return print(prefix);
}
std::string to_string(const AnyPrefix& prefix) {
  return std::visit([](const auto& either) { return to_string(either); }, prefix);
}

}  // namespace lpm

// SPDX-License-Identifier: BSD-3-Clause
#include "control/quote.hpp"

#include <fmt/format.h>

#include <cstddef>

namespace control {
namespace {

constexpr std::size_t kQuoteBytesMax = 64;

// Where to cut so that no UTF-8 sequence is split.
std::size_t cut_of(std::string_view text) {
  std::size_t cut = kQuoteBytesMax;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return cut;
}

}  // namespace

std::string printable(std::string_view text) {
  const bool is_cut = text.size() > kQuoteBytesMax;
  if (is_cut) text = text.substr(0, cut_of(text));
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\u{:04x}", byte);
    else if (c == '"' || c == '\\')
      out += {'\\', c};
    else
      out += c;
  }
  if (is_cut) out += "...";
  return out;
}

std::string quoted(std::string_view text) {
  return '"' + printable(text) + '"';
}

}  // namespace control

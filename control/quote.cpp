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

// Bytes of the character at the start of `text` that a terminal acts upon instead of showing it: C0
// and C1 control characters, marks that turn the direction of writing. 0: an ordinary character.
std::size_t control_character(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  if (byte(0) < 0x20 || byte(0) == 0x7f) return 1;
  if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f) return 2;
  if (byte(0) != 0xe2) return 0;
  const bool is_mark = byte(1) == 0x80 && (byte(2) == 0x8e || byte(2) == 0x8f);
  const bool is_embedding = byte(1) == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae;
  const bool is_isolate = byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;
  return is_mark || is_embedding || is_isolate ? 3 : 0;
}

// \uXXXX for the character whose UTF-8 form `bytes` is, of 1 to 3 bytes.
std::string escape(std::string_view bytes) {
  constexpr unsigned kLeadMask[] = {0x7f, 0x1f, 0x0f};
  unsigned code = static_cast<unsigned char>(bytes[0]) & kLeadMask[bytes.size() - 1];
  for (const char c : bytes.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return fmt::format("\\u{:04x}", code);
}

}  // namespace

std::string printable(std::string_view text) {
  const bool is_cut = text.size() > kQuoteBytesMax;
  if (is_cut) text = text.substr(0, cut_of(text));
  std::string out;
  while (!text.empty()) {
    std::size_t size = control_character(text);
    if (size != 0) {
      out += escape(text.substr(0, size));
    } else {
      size = 1;
      if (text[0] == '"' || text[0] == '\\') out += '\\';
      out += text[0];
    }
    text.remove_prefix(size);
  }
  if (is_cut) out += "...";
  return out;
}

std::string quoted(std::string_view text) {
  return '"' + printable(text) + '"';
}

}  // namespace control

// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace control::ctl {
namespace {

constexpr std::string_view kReset = "\x1b[0m";

std::string_view start_of(Colour colour) noexcept {
  switch (colour) {
    case Colour::red:
      return "\x1b[31m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::bold:
      return "\x1b[1m";
    case Colour::none:
      break;
  }
  return "";
}

bool is_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string safe;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are C2 80 to C2 9F.
    const bool is_c1 = byte == 0xc2 && i + 1 < text.size() && is_continuation(text[i + 1]) &&
                       static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (is_c1)
      fmt::format_to(std::back_inserter(safe), "\\x{:02x}", static_cast<unsigned char>(text[++i]));
    else if (byte < 0x20 || byte == 0x7f)
      fmt::format_to(std::back_inserter(safe), "\\x{:02x}", byte);
    else
      safe += text[i];
  }
  return safe;
}

std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string scaled(double number) {
  static constexpr std::array kUnits{"", " k", " M", " G", " T", " P"};
  std::size_t unit = 0;
  // 999.5 would be written as 1000.
  for (; number >= 999.5 && unit + 1 < kUnits.size(); ++unit) number /= 1000;
  const int decimals = unit == 0 || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f}{}", number, decimals, kUnits[unit]);
}

std::string counted(std::uint64_t number, std::string_view what) {
  const std::string_view plural = what.ends_with('x') || what.ends_with('s') ? "es" : "s";
  return fmt::format("{} {}{}", grouped(number), what, number == 1 ? "" : plural);
}

std::string painted(std::string_view text, Colour colour, bool is_coloured) {
  if (!is_coloured || colour == Colour::none) return std::string(text);
  return fmt::format("{}{}{}", start_of(colour), text, kReset);
}

std::string Table::text(bool is_coloured) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.title));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string gap(widths[i] - width_of(cell), ' ');
      text += i == 0 ? "" : "  ";
      text += columns_[i].align == Align::left ? cell + gap : gap + cell;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  const auto title = [&](std::size_t i) -> const std::string& { return columns_[i].title; };
  std::string all = painted(line(title), Colour::bold, is_coloured) + "\n";
  for (const auto& row : rows_)
    all += line([&](std::size_t i) -> const std::string& { return row[i]; }) + "\n";
  return all;
}

}  // namespace control::ctl

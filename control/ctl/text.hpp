// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What people read. Pure functions.
namespace control::ctl {

// A server's text, safe for a terminal: control characters (C0, DEL and C1) are written as \xNN.
[[nodiscard]] std::string harmless(std::string_view text);
// Columns on a terminal: characters of UTF-8, all taken as one wide.
[[nodiscard]] std::size_t width_of(std::string_view text) noexcept;

// "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);
// "1.23 G": three digits, of 1000.
[[nodiscard]] std::string scaled(double number);
// "1 binding", "2 bindings", "1 prefix", "2 prefixes".
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view what);

enum class Colour : std::uint8_t { none, red, green, yellow, bold };
// As escape sequences, or as it is.
[[nodiscard]] std::string painted(std::string_view text, Colour colour, bool is_coloured);

// Columns, as wide as what is in them.
class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Lines; the titles first. No spaces at their ends.
  [[nodiscard]] std::string text(bool is_coloured) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace control::ctl

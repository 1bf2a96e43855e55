// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/binding_set.hpp"
#include "control/located_json.hpp"
#include "control/rules.hpp"

// Bindings as a document: what operators write, and what the API exports and imports.
//
//   {"prefixes": [{"cidr": "203.0.113.0/24", "service": "magic_transit",
//                  "bindings": [{"cidr": "203.0.113.1/32", "service": "cdn"}]}]}
//
// `service` is the prefix's default binding, which may instead be listed in `bindings`; without
// either, or with null, the prefix is pending. `bindings` may be absent. The order of prefixes and
// bindings is irrelevant.
//
// What an export has besides is checked, but means something to the API alone: "generation" of the
// whole, and of each prefix "account", "asn", "description" and "loa_document_id".
namespace control {

struct FileError {
  Place place;          // {0, 0} where the file could not be read at all
  std::string pointer;  // JSON pointer to what is wrong; empty for the whole text
  std::string message;
  // Of a value that breaks a rule; nullopt: the text has not this form.
  std::optional<ViolationCode> code = std::nullopt;
};

// FILE:LINE:COLUMN: /pointer: message, without what is empty.
[[nodiscard]] std::string to_string(const FileError& error, std::string_view file);

// More than a file of Match::kBindingsMax bindings needs.
inline constexpr std::size_t kFileBytesMax = std::size_t{2} << 30;

// How a document is to be read.
struct ReadOptions {
  std::string_view document = "the file";  // what errors call it
  std::size_t errors_max = ~std::size_t{0};
  std::expected<dataplane::Service, Problem> (*read_service)(std::string_view) =
      &control::read_service;
};

using ParsedBindings = std::expected<BindingSet, std::vector<FileError>>;

// All errors are returned, sorted by place: those of syntax (the first, behind which nothing is
// read), of structure, and of the rules, each at the entry that is wrong. Total: any bytes give a
// result. O(n log n).
[[nodiscard]] ParsedBindings parse_bindings(std::string_view text, const BindingRules& rules,
                                            const ReadOptions& options = {});
[[nodiscard]] ParsedBindings parse_bindings(std::istream& in, const BindingRules& rules);

// A missing or unreadable file or a directory is an error like those in the text.
[[nodiscard]] ParsedBindings load_bindings(const std::filesystem::path& path,
                                           const BindingRules& rules);

}  // namespace control

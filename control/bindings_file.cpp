// SPDX-License-Identifier: BSD-3-Clause
#include "control/bindings_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <istream>
#include <system_error>
#include <tuple>
#include <utility>

#include "control/bindings_reader.hpp"

namespace control {
namespace {

ParsedBindings refused(FileError error) {
  std::vector<FileError> errors;
  errors.push_back(std::move(error));
  return std::unexpected(std::move(errors));
}

std::string too_large() {
  return fmt::format("larger than {} bytes", kFileBytesMax);
}

// What the rules say of the prefixes and bindings that the reader found.
void judge(const BindingsReader& reader, BindingSet& set, std::vector<FileError>& errors) {
  const auto applied = set.apply(reader.changes());
  if (applied) return;
  for (const Violation& violation : applied.error())
    // The reader has reported the text of the service.
    if (violation.code != ViolationCode::unknown_service)
      errors.push_back(reader.error_of(violation));
}

}  // namespace

std::string to_string(const FileError& error, std::string_view file) {
  std::string out(file);
  if (error.place != Place{}) out += fmt::format(":{}:{}", error.place.line, error.place.column);
  if (!error.pointer.empty()) out += ": " + error.pointer;
  return out + ": " + error.message;
}

ParsedBindings parse_bindings(std::string_view text, const BindingRules& rules) {
  if (text.size() > kFileBytesMax) return refused({{}, "", too_large()});
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return refused({{1, 1}, "", "empty; the least is {\"prefixes\": []}"});

  BindingsReader reader;
  const std::optional<SyntaxError> syntax = visit_json(text, reader);
  if (syntax) reader.errors().push_back({syntax->place, syntax->pointer, syntax->message});
  reader.finish();

  BindingSet set(rules);
  judge(reader, set, reader.errors());
  if (reader.errors().empty()) return set;
  std::ranges::sort(reader.errors(), {}, [](const FileError& error) {
    return std::tie(error.place, error.pointer, error.message);
  });
  return std::unexpected(std::move(reader.errors()));
}

ParsedBindings parse_bindings(std::istream& in, const BindingRules& rules) {
  constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
  std::string text;
  while (in && text.size() <= kFileBytesMax) {
    const std::size_t size = text.size();
    text.resize(size + kChunkBytes);
    in.read(text.data() + size, kChunkBytes);
    text.resize(size + static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) return refused({{}, "", "cannot be read to its end"});
  return parse_bindings(std::string_view(text), rules);
}

ParsedBindings load_bindings(const std::filesystem::path& path, const BindingRules& rules) {
  std::error_code unknown;
  // It could be opened, but not read.
  if (std::filesystem::is_directory(path, unknown))
    return refused({{}, "", "is a directory; a bindings file is needed"});
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return refused({{}, "", "cannot be opened: " + std::generic_category().message(errno)});
  return parse_bindings(in, rules);
}

}  // namespace control

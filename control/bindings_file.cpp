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

// The change set that makes a document's bindings on an empty state, and where each change is from.
// A service that could not be read, and a default that may be in what could not, is left open, so
// that the rules find no consequences of errors that the reader reports.
class FileChanges {
 public:
  void take(const FilePrefix& prefix) {
    const lpm::AnyPrefix& cidr = prefix.cidr;
    const Origin own{prefix.cidr_place, prefix.service_place, prefix.index};
    emit(Change::add_prefix(cidr), own);
    const bool lists_default =
        std::ranges::find(prefix.bindings, cidr, &FileBinding::cidr) != prefix.bindings.end();
    // Before the others, so that a second default is the one to blame.
    if (prefix.has_service || (prefix.lacks_bindings && !lists_default))
      emit(Change::add_binding({cidr, cidr}, prefix.service), own);
    for (const FileBinding& binding : prefix.bindings)
      emit(Change::add_binding({cidr, binding.cidr}, binding.service),
           {binding.cidr_place, binding.service_place, prefix.index, binding.index});
  }

  // What the rules say of them.
  void judge(BindingSet& set, std::vector<FileError>& errors) const {
    const auto applied = set.apply(changes_);
    if (applied) return;
    for (const Violation& violation : applied.error())
      // The reader has reported the text of the service.
      if (violation.code != ViolationCode::unknown_service) errors.push_back(error_of(violation));
  }

 private:
  struct Origin {
    static constexpr std::uint32_t kNoBinding = ~std::uint32_t{0};

    Place cidr;
    Place service;
    std::uint32_t prefix = 0;            // index into `prefixes`
    std::uint32_t binding = kNoBinding;  // index into its `bindings`
  };

  void emit(const Change& change, const Origin& origin) {
    changes_.push_back(change);
    origins_.push_back(origin);
  }
  [[nodiscard]] FileError error_of(const Violation& violation) const {
    const Origin& origin = origins_[violation.change];
    const bool is_service = violation.field == Field::service;
    std::string pointer = fmt::format("/prefixes/{}", origin.prefix);
    if (origin.binding != Origin::kNoBinding)
      pointer += fmt::format("/bindings/{}", origin.binding);
    pointer += is_service ? "/service" : "/cidr";
    return {is_service ? origin.service : origin.cidr, std::move(pointer), violation.message,
            violation.code};
  }

  std::vector<Change> changes_;
  std::vector<Origin> origins_;  // of changes_
};

}  // namespace

std::string to_string(const FileError& error, std::string_view file) {
  std::string out(file);
  if (error.place != Place{}) out += fmt::format(":{}:{}", error.place.line, error.place.column);
  if (!error.pointer.empty()) out += ": " + error.pointer;
  return out + ": " + error.message;
}

ParsedBindings parse_bindings(std::string_view text, const BindingRules& rules,
                              const ReadOptions& options) {
  if (text.size() > kFileBytesMax) return refused({{}, "", too_large()});
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return refused({{1, 1}, "", "empty; the least is {\"prefixes\": []}"});

  FileChanges changes;
  BindingsReader reader(options, [&](const FilePrefix& prefix) { changes.take(prefix); });
  const std::optional<SyntaxError> syntax = visit_json(text, reader);
  if (syntax) reader.errors().push_back({syntax->place, syntax->pointer, syntax->message});
  reader.finish();

  BindingSet set(rules);
  changes.judge(set, reader.errors());
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

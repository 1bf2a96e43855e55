// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/bindings_file.hpp"
#include "control/change.hpp"
#include "control/located_json.hpp"
#include "control/rules.hpp"

namespace control {

// What the grammar expects of a value.
enum class BindingsSlot : std::uint8_t {
  document,
  prefixes,
  prefix,
  prefix_cidr,
  prefix_service,
  bindings,
  binding,
  binding_cidr,
  binding_service,
  ignored,  // under an unknown key, or of a wrong type
};

// The structure of a bindings file: turns it into one change set, and reports whatever is not of
// the form described in bindings_file.hpp. The rules are not judged here, but by the BindingSet.
class BindingsReader final : public JsonVisitor {
 public:
  void value(const JsonValue& value) override;
  void end(const JsonPath& path) override;
  void key(const JsonValue& value) override;

  // To be called when the text has ended, or where a syntax error ended it.
  void finish();

  // Adds all prefixes and bindings whose CIDRs could be read. A service that could not, and a
  // default that may be in what could not, is left open, so that the rules find no consequences of
  // errors that are reported here.
  [[nodiscard]] const std::vector<Change>& changes() const noexcept { return changes_; }
  [[nodiscard]] std::vector<FileError>& errors() noexcept { return errors_; }
  // The violation of a change in changes(), as an error of the file.
  [[nodiscard]] FileError error_of(const Violation& violation) const;

 private:
  using Slot = BindingsSlot;
  // Where a change comes from.
  struct Origin {
    static constexpr std::uint32_t kNoBinding = ~std::uint32_t{0};

    Place cidr;
    Place service;
    std::uint32_t prefix = 0;            // index into `prefixes`
    std::uint32_t binding = kNoBinding;  // index into its `bindings`
  };
  // An object of the file that binds something: a prefix or a binding.
  struct Entry {
    std::optional<lpm::AnyPrefix> cidr;
    std::optional<dataplane::Service> service;
    bool has_service = false;  // readable or not
    Origin origin;
  };
  // A container that is being read.
  struct Frame {
    Slot slot;
    Place place;
    std::uint32_t keys = 0;      // of an object: bit for each Slot that it has had
    std::uint32_t elements = 0;  // of an array
  };

  [[nodiscard]] Slot next_slot() noexcept;
  void open(Slot slot, Place place);
  void refuse_type(Slot slot, const JsonValue& value);
  void read_text(Slot slot, const JsonValue& value);
  void read_cidr_of(Entry& entry, const JsonValue& value);
  void read_service_of(Entry& entry, const JsonValue& value);
  void require_keys(const Frame& object, const JsonPath& path);
  void emit_prefix();
  void emit(const Change& change, const Origin& origin);
  void add_error(const JsonValue& value, std::string message);

  std::vector<Frame> frames_;
  Slot keyed_ = Slot::ignored;  // of the value that follows a key
  Entry prefix_;
  Entry binding_;
  std::vector<Entry> bindings_;  // of prefix_
  bool lacks_bindings_ = false;  // some of prefix_'s bindings could not be read
  std::vector<Change> changes_;
  std::vector<Origin> origins_;  // of changes_
  std::vector<FileError> errors_;
};

}  // namespace control

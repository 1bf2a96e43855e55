// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/bindings_file.hpp"
#include "control/located_json.hpp"
#include "control/rules.hpp"

namespace control {

// What the grammar expects of a value.
enum class BindingsSlot : std::uint8_t {
  document,
  generation,
  prefixes,
  prefix,
  prefix_cidr,
  prefix_service,
  prefix_account,
  prefix_asn,
  prefix_description,
  prefix_loa,
  bindings,
  binding,
  binding_cidr,
  binding_service,
  ignored,  // under an unknown key, or of a wrong type
};

// An entry of `bindings`.
struct FileBinding {
  lpm::AnyPrefix cidr;
  std::optional<dataplane::Service> service;  // nullopt: it could not be read
  Place cidr_place;
  Place service_place;
  std::uint32_t index = 0;  // in the list
};

// An entry of `prefixes`.
struct FilePrefix {
  lpm::AnyPrefix cidr;
  std::optional<dataplane::Service> service;  // of the default; nullopt: see has_service
  Place cidr_place;
  Place service_place;
  std::uint32_t index = 0;      // in the list
  bool has_cidr = false;        // that could be read
  bool has_service = false;     // readable or not, but not null
  bool lacks_bindings = false;  // some could not be read
  std::vector<FileBinding> bindings;
  // Who owns it and what is said of it; nullopt: nothing. null is read as 0 or an empty text.
  std::optional<std::string> account;
  std::optional<std::uint32_t> asn;
  std::optional<std::string> description;
  std::optional<std::string> loa_document_id;
};

// The structure of a bindings document: hands on one prefix after another, and reports whatever is
// not of the form described in bindings_file.hpp. The rules are not judged here, but by the
// BindingSet.
class BindingsReader final : public JsonVisitor {
 public:
  // Of each prefix whose CIDR could be read, when it has been read. Good during the call.
  using Take = std::function<void(const FilePrefix&)>;

  explicit BindingsReader(const ReadOptions& options, Take take)
      : options_(options), take_(std::move(take)) {}

  void value(const JsonValue& value) override;
  void end(const JsonPath& path) override;
  void key(const JsonValue& value) override;

  // To be called when the text has ended, or where a syntax error ended it.
  void finish();

  [[nodiscard]] std::vector<FileError>& errors() noexcept { return errors_; }

 private:
  using Slot = BindingsSlot;
  // A container that is being read.
  struct Frame {
    Slot slot;
    Place place;
    std::uint32_t keys = 0;      // of an object: bit for each Slot that it has had
    std::uint32_t elements = 0;  // of an array
  };

  [[nodiscard]] Slot next_slot() noexcept;
  [[nodiscard]] std::string name_of(Slot slot) const;
  void open(Slot slot, Place place);
  void refuse_type(Slot slot, const JsonValue& value);
  void read_scalar(Slot slot, const JsonValue& value);
  void read_null(Slot slot);
  void read_text(Slot slot, const JsonValue& value);
  void read_whole(Slot slot, const JsonValue& value);
  void read_account(const JsonValue& value);
  void read_description(const JsonValue& value);
  void read_loa(const JsonValue& value);
  [[nodiscard]] std::optional<lpm::AnyPrefix> cidr_in(const JsonValue& value);
  [[nodiscard]] std::optional<dataplane::Service> service_in(const JsonValue& value);
  void end_binding();
  void require_keys(const Frame& object, const JsonPath& path);
  void add_error(FileError&& error);
  void add_error(const JsonValue& value, std::string message,
                 std::optional<ViolationCode> code = std::nullopt);

  ReadOptions options_;
  Take take_;
  std::vector<Frame> frames_;
  Slot keyed_ = Slot::ignored;  // of the value that follows a key
  FilePrefix prefix_;
  FileBinding binding_;
  bool has_binding_cidr_ = false;
  std::vector<FileError> errors_;
};

}  // namespace control

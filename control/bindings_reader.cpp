// SPDX-License-Identifier: BSD-3-Clause
#include "control/bindings_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "control/quote.hpp"

namespace control {
namespace {

using Slot = BindingsSlot;

// The grammar: which keys an object may have, and what they lead to.
struct Key {
  Slot object;
  std::string_view name;
  Slot value;
  bool is_required;
};
constexpr std::array kKeys{
    Key{Slot::document, "prefixes", Slot::prefixes, true},
    Key{Slot::document, "generation", Slot::generation, false},
    Key{Slot::prefix, "cidr", Slot::prefix_cidr, true},
    Key{Slot::prefix, "service", Slot::prefix_service, false},
    Key{Slot::prefix, "bindings", Slot::bindings, false},
    Key{Slot::prefix, "account", Slot::prefix_account, false},
    Key{Slot::prefix, "asn", Slot::prefix_asn, false},
    Key{Slot::prefix, "description", Slot::prefix_description, false},
    Key{Slot::prefix, "loa_document_id", Slot::prefix_loa, false},
    Key{Slot::binding, "cidr", Slot::binding_cidr, true},
    Key{Slot::binding, "service", Slot::binding_service, true},
};

JsonType type_of(Slot slot) {
  switch (slot) {
    case Slot::prefixes:
    case Slot::bindings:
      return JsonType::array;
    case Slot::document:
    case Slot::prefix:
    case Slot::binding:
      return JsonType::object;
    case Slot::generation:
    case Slot::prefix_asn:
      return JsonType::number;
    default:
      return JsonType::string;
  }
}

// Whether null says that there is none.
bool is_nullable(Slot slot) {
  return slot == Slot::prefix_service || slot == Slot::prefix_asn ||
         slot == Slot::prefix_description || slot == Slot::prefix_loa;
}

std::uint64_t whole_max(Slot slot) {
  return slot == Slot::prefix_asn ? ~std::uint32_t{0} : ~std::uint64_t{0};
}

// What a value must be.
std::string wanted_in(Slot slot) {
  const JsonType type = type_of(slot);
  std::string wanted = type == JsonType::number
                           ? fmt::format("a whole number from 0 to {}", whole_max(slot))
                           : std::string(control::name_of(type));
  if (is_nullable(slot)) wanted += " or null";
  return wanted;
}

// As the end of a sentence.
std::string keys_of(Slot object) {
  std::string list;
  for (const Key& key : kKeys)
    if (key.object == object) list += (list.empty() ? "" : ", ") + quoted(key.name);
  return list;
}

constexpr std::uint32_t bit_of(Slot slot) {
  return 1U << static_cast<unsigned>(slot);
}

bool is_container(JsonType type) {
  return type == JsonType::object || type == JsonType::array;
}

}  // namespace

void BindingsReader::value(const JsonValue& value) {
  const Slot slot = next_slot();
  const bool is_null = value.type == JsonType::null && is_nullable(slot);
  if (slot != Slot::ignored && value.type != type_of(slot) && !is_null) {
    refuse_type(slot, value);
  } else if (is_container(value.type)) {
    open(slot, value.place);
  } else if (slot != Slot::ignored) {
    read_scalar(slot, value);
  }
}

void BindingsReader::key(const JsonValue& value) {
  keyed_ = Slot::ignored;
  Frame& object = frames_.back();
  if (object.slot == Slot::ignored) return;
  const auto is_this = [&](const Key& key) {
    return key.object == object.slot && key.name == value.text;
  };
  const auto key = std::ranges::find_if(kKeys, is_this);
  if (key == kKeys.end()) {
    add_error(value, fmt::format("unknown key {}; {} can have {}", quoted(value.text),
                                 name_of(object.slot), keys_of(object.slot)));
  } else if ((object.keys & bit_of(key->value)) != 0) {
    add_error(value, fmt::format("duplicate key {}", quoted(value.text)));
  } else {
    object.keys |= bit_of(key->value);
    keyed_ = key->value;
  }
}

void BindingsReader::end(const JsonPath& path) {
  const Frame frame = frames_.back();
  frames_.pop_back();
  require_keys(frame, path);
  if (frame.slot == Slot::prefix && prefix_.has_cidr) take_(prefix_);
  if (frame.slot == Slot::binding) end_binding();
}

void BindingsReader::finish() {
  if (std::ranges::find(frames_, Slot::prefix, &Frame::slot) == frames_.end()) return;
  prefix_.lacks_bindings = true;
  if (prefix_.has_cidr) take_(prefix_);
}

BindingsReader::Slot BindingsReader::next_slot() noexcept {
  if (frames_.empty()) return Slot::document;
  Frame& frame = frames_.back();
  ++frame.elements;
  switch (frame.slot) {
    case Slot::prefixes:
      return Slot::prefix;
    case Slot::bindings:
      return Slot::binding;
    case Slot::ignored:
      return Slot::ignored;
    default:
      return keyed_;
  }
}

std::string BindingsReader::name_of(Slot slot) const {
  switch (slot) {
    case Slot::document:
      return std::string(options_.document);
    case Slot::prefix:
      return "a prefix";
    case Slot::binding:
      return "a binding";
    default:
      break;
  }
  const auto key = std::ranges::find(kKeys, slot, &Key::value);
  return quoted(key->name);
}

void BindingsReader::open(Slot slot, Place place) {
  if (slot == Slot::prefix) {
    // Its list of bindings keeps its memory.
    std::vector<FileBinding> bindings = std::move(prefix_.bindings);
    bindings.clear();
    prefix_ = {};
    prefix_.bindings = std::move(bindings);
    prefix_.index = frames_.back().elements - 1;
  } else if (slot == Slot::binding) {
    binding_ = {};
    binding_.index = frames_.back().elements - 1;
    has_binding_cidr_ = false;
  }
  frames_.push_back({slot, place});
}

void BindingsReader::refuse_type(Slot slot, const JsonValue& value) {
  add_error(value, fmt::format("{} must be {}, not {}", name_of(slot), wanted_in(slot),
                               control::name_of(value.type)));
  if (slot == Slot::prefix_service) prefix_.has_service = true;
  if (slot == Slot::bindings || slot == Slot::binding) prefix_.lacks_bindings = true;
  if (is_container(value.type)) open(Slot::ignored, value.place);
}

void BindingsReader::read_scalar(Slot slot, const JsonValue& value) {
  if (value.type == JsonType::null)
    read_null(slot);
  else if (value.type == JsonType::number)
    read_whole(slot, value);
  else
    read_text(slot, value);
}

// A service of null is as good as none: the default may still be in the list.
void BindingsReader::read_null(Slot slot) {
  if (slot == Slot::prefix_asn) prefix_.asn = 0;
  if (slot == Slot::prefix_description) prefix_.description.emplace();
  if (slot == Slot::prefix_loa) prefix_.loa_document_id.emplace();
}

void BindingsReader::read_whole(Slot slot, const JsonValue& value) {
  if (!value.whole || *value.whole > whole_max(slot))
    return add_error(value, fmt::format("{} must be {}", name_of(slot), wanted_in(slot)));
  if (slot == Slot::prefix_asn) prefix_.asn = static_cast<std::uint32_t>(*value.whole);
}

void BindingsReader::read_text(Slot slot, const JsonValue& value) {
  switch (slot) {
    case Slot::prefix_cidr:
      prefix_.cidr_place = value.place;
      if (const auto cidr = cidr_in(value)) {
        prefix_.cidr = *cidr;
        prefix_.has_cidr = true;
      }
      break;
    case Slot::prefix_service:
      prefix_.service_place = value.place;
      prefix_.has_service = true;
      prefix_.service = service_in(value);
      break;
    case Slot::prefix_account:
      return read_account(value);
    case Slot::prefix_description:
      return read_description(value);
    case Slot::prefix_loa:
      return read_loa(value);
    case Slot::binding_cidr:
      binding_.cidr_place = value.place;
      if (const auto cidr = cidr_in(value)) {
        binding_.cidr = *cidr;
        has_binding_cidr_ = true;
      }
      break;
    default:
      binding_.service_place = value.place;
      binding_.service = service_in(value);
  }
}

void BindingsReader::read_account(const JsonValue& value) {
  if (!is_account(value.text))
    add_error(value, fmt::format("account must be letters, digits and -, 1 to {} of them, not {}",
                                 kAccountBytesMax, quoted(value.text)));
  prefix_.account.emplace(value.text);
}

void BindingsReader::read_description(const JsonValue& value) {
  const std::size_t characters = characters_in(value.text);
  if (characters > kDescriptionCharactersMax)
    add_error(value, fmt::format("description has {} characters; at most {} are possible",
                                 characters, kDescriptionCharactersMax));
  prefix_.description.emplace(value.text);
}

void BindingsReader::read_loa(const JsonValue& value) {
  if (value.text.size() > kLoaBytesMax)
    add_error(value, fmt::format("loa_document_id has {} bytes; at most {} are possible",
                                 value.text.size(), kLoaBytesMax));
  prefix_.loa_document_id.emplace(value.text);
}

std::optional<lpm::AnyPrefix> BindingsReader::cidr_in(const JsonValue& value) {
  if (const auto cidr = read_cidr(value.text))
    return *cidr;
  else
    add_error(value, cidr.error().message, cidr.error().code);
  return std::nullopt;
}

std::optional<dataplane::Service> BindingsReader::service_in(const JsonValue& value) {
  if (const auto service = options_.read_service(value.text))
    return *service;
  else
    add_error(value, service.error().message, service.error().code);
  return std::nullopt;
}

void BindingsReader::end_binding() {
  if (has_binding_cidr_)
    prefix_.bindings.push_back(binding_);
  else
    prefix_.lacks_bindings = true;
}

void BindingsReader::require_keys(const Frame& object, const JsonPath& path) {
  for (const Key& key : kKeys) {
    if (key.object != object.slot || !key.is_required) continue;
    if ((object.keys & bit_of(key.value)) != 0) continue;
    add_error({object.place, path.pointer(),
               fmt::format("{} lacks the key {}", name_of(object.slot), quoted(key.name))});
  }
}

void BindingsReader::add_error(FileError&& error) {
  if (errors_.size() < options_.errors_max) errors_.push_back(std::move(error));
}

void BindingsReader::add_error(const JsonValue& value, std::string message,
                               std::optional<ViolationCode> code) {
  add_error({value.place, value.path.pointer(), std::move(message), code});
}

}  // namespace control

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
    Key{Slot::prefix, "cidr", Slot::prefix_cidr, true},
    Key{Slot::prefix, "service", Slot::prefix_service, false},
    Key{Slot::prefix, "bindings", Slot::bindings, false},
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
    default:
      return JsonType::string;
  }
}

std::string name_of(Slot slot) {
  switch (slot) {
    case Slot::document:
      return "the file";
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
  if (slot != Slot::ignored && value.type != type_of(slot)) {
    refuse_type(slot, value);
  } else if (is_container(value.type)) {
    open(slot, value.place);
  } else if (slot != Slot::ignored) {
    read_text(slot, value);
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
  if (frame.slot == Slot::prefix) emit_prefix();
  if (frame.slot != Slot::binding) return;
  if (binding_.cidr)
    bindings_.push_back(binding_);
  else
    lacks_bindings_ = true;
}

void BindingsReader::finish() {
  if (std::ranges::find(frames_, Slot::prefix, &Frame::slot) == frames_.end()) return;
  lacks_bindings_ = true;
  emit_prefix();
}

FileError BindingsReader::error_of(const Violation& violation) const {
  const Origin& origin = origins_[violation.change];
  const bool is_service = violation.field == Field::service;
  std::string pointer = fmt::format("/prefixes/{}", origin.prefix);
  if (origin.binding != Origin::kNoBinding) pointer += fmt::format("/bindings/{}", origin.binding);
  pointer += is_service ? "/service" : "/cidr";
  return {is_service ? origin.service : origin.cidr, std::move(pointer), violation.message};
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

void BindingsReader::open(Slot slot, Place place) {
  if (slot == Slot::prefix) {
    prefix_ = {};
    prefix_.origin.prefix = frames_.back().elements - 1;
    bindings_.clear();
    lacks_bindings_ = false;
  } else if (slot == Slot::binding) {
    binding_ = {};
    binding_.origin.prefix = prefix_.origin.prefix;
    binding_.origin.binding = frames_.back().elements - 1;
  }
  frames_.push_back({slot, place});
}

void BindingsReader::refuse_type(Slot slot, const JsonValue& value) {
  add_error(value, fmt::format("{} must be {}, not {}", name_of(slot),
                               control::name_of(type_of(slot)), control::name_of(value.type)));
  if (slot == Slot::prefix_service) prefix_.has_service = true;
  if (slot == Slot::bindings || slot == Slot::binding) lacks_bindings_ = true;
  if (is_container(value.type)) open(Slot::ignored, value.place);
}

void BindingsReader::read_text(Slot slot, const JsonValue& value) {
  switch (slot) {
    case Slot::prefix_cidr:
      read_cidr_of(prefix_, value);
      break;
    case Slot::prefix_service:
      read_service_of(prefix_, value);
      break;
    case Slot::binding_cidr:
      read_cidr_of(binding_, value);
      break;
    default:
      read_service_of(binding_, value);
  }
}

void BindingsReader::read_cidr_of(Entry& entry, const JsonValue& value) {
  entry.origin.cidr = value.place;
  if (const auto cidr = read_cidr(value.text))
    entry.cidr = *cidr;
  else
    add_error(value, cidr.error().message);
}

void BindingsReader::read_service_of(Entry& entry, const JsonValue& value) {
  entry.origin.service = value.place;
  entry.has_service = true;
  if (const auto service = read_service(value.text))
    entry.service = *service;
  else
    add_error(value, service.error().message);
}

void BindingsReader::require_keys(const Frame& object, const JsonPath& path) {
  for (const Key& key : kKeys) {
    if (key.object != object.slot || !key.is_required) continue;
    if ((object.keys & bit_of(key.value)) != 0) continue;
    errors_.push_back({object.place, path.pointer(),
                       fmt::format("{} lacks the key {}", name_of(object.slot), quoted(key.name))});
  }
}

void BindingsReader::emit_prefix() {
  if (!prefix_.cidr) return;
  const lpm::AnyPrefix& prefix = *prefix_.cidr;
  emit(Change::add_prefix(prefix), prefix_.origin);
  const bool lists_default =
      std::ranges::find(bindings_, prefix_.cidr, &Entry::cidr) != bindings_.end();
  // Before the others, so that a second default is the one to blame.
  if (prefix_.has_service || (lacks_bindings_ && !lists_default))
    emit(Change::add_binding({prefix, prefix}, prefix_.service), prefix_.origin);
  for (const Entry& binding : bindings_)
    emit(Change::add_binding({prefix, *binding.cidr}, binding.service), binding.origin);
}

void BindingsReader::emit(const Change& change, const Origin& origin) {
  changes_.push_back(change);
  origins_.push_back(origin);
}

void BindingsReader::add_error(const JsonValue& value, std::string message) {
  errors_.push_back({value.place, value.path.pointer(), std::move(message)});
}

}  // namespace control

// SPDX-License-Identifier: BSD-3-Clause
#include "control/numbering.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <new>
#include <random>
#include <utility>
#include <variant>

#include "dataplane/match.hpp"

namespace control {
namespace {

using dataplane::Volume;

// Steps that are made before others may look in between.
constexpr std::size_t kStepsAtOnce = 1024;
// Steps that a large change set leaves room for; more is given back.
constexpr std::size_t kStepsKept = 65'536;

template <class T>
T* zeros(std::size_t count) {
  auto* const memory = static_cast<T*>(std::calloc(count, sizeof(T)));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

std::uint64_t random_word() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

// The halves of a product of 128 bits, put together: each bit of both factors counts.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

// Slots are at most two thirds full, so that searches end soon.
Numbering::Numbering(std::uint32_t bindings_max)
    : bindings_max_(bindings_max),
      seed_(random_word()),
      slot_mask_(std::bit_ceil(std::max<std::size_t>(std::size_t{bindings_max} * 3 / 2, 64)) - 1),
      slots_(zeros<std::uint32_t>(slot_mask_ + 1)),
      records_(zeros<Record>(std::size_t{bindings_max} + 1)),
      baselines_(zeros<Volume>(std::size_t{bindings_max} + 1)) {
  assert(bindings_max <= dataplane::Match::kBindingsMax);
}

void Numbering::set_count(Count count) {
  const std::lock_guard lock(mutex_);
  count_ = std::move(count);
}

std::optional<Numbering::Numbered> Numbering::find(const lpm::AnyPrefix& cidr) const {
  const Key key = key_of(cidr);
  // The workers' counters are read under it too: while it is held, the number stays the binding's.
  const std::lock_guard lock(mutex_);
  const std::uint32_t number = slots_[slot_of(key)];
  if (number == 0) return std::nullopt;
  return Numbered{.number = number,
                  .service = records_[number].service,
                  .counted = own_count(number),
                  .tenure = records_[number].next};
}

bool Numbering::read(std::uint32_t first, std::uint32_t count, std::vector<Tenant>& to) const {
  const std::lock_guard lock(mutex_);
  const std::uint32_t end = std::min(used_, first + count);
  for (std::uint32_t number = first; number < end; ++number) {
    const Record& record = records_[number];
    if (!record.is_bound) continue;
    to.push_back({.number = number,
                  .tenure = record.next,
                  .cidr = cidr_of(record),
                  .counted = own_count(number)});
  }
  return end < used_;
}

std::expected<void, Numbering::Exhausted> Numbering::prepare(
    std::span<const Delta::OfBinding> bindings) {
  assert(steps_.empty());
  const std::size_t wanted = static_cast<std::size_t>(
      std::ranges::count_if(bindings, [](const auto& binding) { return !binding.before; }));
  const std::size_t never_given = std::size_t{bindings_max_} + 1 - next_;
  if (wanted > free_.size + never_given)
    return std::unexpected(
        Exhausted{.wanted = wanted, .free = free_.size + never_given, .waiting = waiting_.size});
  steps_.reserve(bindings.size());
  std::uint32_t free = free_.first;
  for (const Delta::OfBinding& binding : bindings) {
    Step step{.key = key_of(binding.cidr),
              .kind = Kind::add,
              .service = binding.after.value_or(dataplane::Service::magic_transit),
              .number = 0,
              .baseline = {}};
    if (binding.before) {
      step.kind = binding.after ? Kind::change : Kind::remove;
      step.number = slots_[slot_of(step.key)];
      assert(step.number != 0);
    } else if (free != 0) {
      step.number = free;
      step.baseline = counted(free);
      free = records_[free].next;
    } else {
      step.number = next_after_++;
    }
    steps_.push_back(step);
  }
  return {};
}

void Numbering::commit(std::uint64_t generation) noexcept {
  for (std::size_t begin = 0; begin < steps_.size(); begin += kStepsAtOnce) {
    const std::size_t end = std::min(begin + kStepsAtOnce, steps_.size());
    const std::lock_guard lock(mutex_);
    for (std::size_t i = begin; i < end; ++i) make(steps_[i], generation);
  }
  next_ = next_after_;
  abandon();
}

void Numbering::abandon() noexcept {
  next_after_ = next_;
  steps_.clear();
  if (steps_.capacity() > kStepsKept) std::exchange(steps_, {});
}

void Numbering::reclaim(std::uint64_t active) noexcept {
  // Free or waiting, a record belongs to no binding: nobody else looks at it.
  while (waiting_.first != 0 && records_[waiting_.first].high <= active)
    append(free_, pop(waiting_));
}

void Numbering::make(const Step& step, std::uint64_t generation) noexcept {
  Record& record = records_[step.number];
  switch (step.kind) {
    case Kind::add:
      if (step.number < next_) {
        [[maybe_unused]] const std::uint32_t popped = pop(free_);
        assert(popped == step.number);
        baselines_[step.number] = step.baseline;
      }
      record = {.high = step.key.high,
                .low = step.key.low,
                .length = step.key.length,
                .is_ipv4 = step.key.is_ipv4,
                .service = step.service,
                .is_bound = true,
                .next = ++tenures_};
      used_ = std::max(used_, step.number + 1);
      slots_[slot_of(step.key)] = step.number;
      break;
    case Kind::change:
      record.service = step.service;
      break;
    case Kind::remove:
      erase_slot(slot_of(step.key));
      record.high = generation;
      record.is_bound = false;
      append(waiting_, step.number);
      break;
  }
}

// Those behind it move up, so that no search ends too soon.
void Numbering::erase_slot(std::size_t slot) noexcept {
  std::size_t hole = slot;
  for (std::size_t at = (hole + 1) & slot_mask_; slots_[at] != 0; at = (at + 1) & slot_mask_) {
    const std::size_t home = home_of(key_of(records_[slots_[at]]));
    // Whether the hole lies on the way from its home to where it is.
    if (((at - home) & slot_mask_) < ((at - hole) & slot_mask_)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = 0;
}

Numbering::Key Numbering::key_of(const lpm::AnyPrefix& cidr) noexcept {
  if (const auto* const cidr4 = std::get_if<lpm::Prefix4>(&cidr))
    return {.high = cidr4->network().bits,
            .low = 0,
            .length = static_cast<std::uint8_t>(cidr4->length()),
            .is_ipv4 = true};
  const lpm::Prefix6& cidr6 = *std::get_if<lpm::Prefix6>(&cidr);
  return {.high = cidr6.network().high,
          .low = cidr6.network().low,
          .length = static_cast<std::uint8_t>(cidr6.length()),
          .is_ipv4 = false};
}

Numbering::Key Numbering::key_of(const Record& record) noexcept {
  return {
      .high = record.high, .low = record.low, .length = record.length, .is_ipv4 = record.is_ipv4};
}

lpm::AnyPrefix Numbering::cidr_of(const Record& record) noexcept {
  if (record.is_ipv4)
    return lpm::Prefix4::enclosing({.bits = static_cast<std::uint32_t>(record.high)},
                                   record.length);
  return lpm::Prefix6::enclosing({.high = record.high, .low = record.low}, record.length);
}

std::size_t Numbering::home_of(const Key& key) const noexcept {
  const std::uint64_t kind = std::uint64_t{key.length} << 1 | (key.is_ipv4 ? 1 : 0);
  const std::uint64_t first = mix(key.high ^ seed_, 0x9e3779b97f4a7c15);
  return mix(first ^ key.low, (seed_ ^ kind << 8) | 1) & slot_mask_;
}

std::size_t Numbering::slot_of(const Key& key) const noexcept {
  std::size_t slot = home_of(key);
  while (slots_[slot] != 0 && key_of(records_[slots_[slot]]) != key) slot = (slot + 1) & slot_mask_;
  return slot;
}

void Numbering::append(List& list, std::uint32_t number) noexcept {
  records_[number].next = 0;
  if (list.first == 0)
    list.first = number;
  else
    records_[list.last].next = number;
  list.last = number;
  ++list.size;
}

std::uint32_t Numbering::pop(List& list) noexcept {
  const std::uint32_t number = list.first;
  list.first = records_[number].next;
  --list.size;
  return number;
}

Volume Numbering::own_count(std::uint32_t number) const {
  Volume volume = counted(number);
  volume.packets -= baselines_[number].packets;
  volume.bytes -= baselines_[number].bytes;
  return volume;
}

Volume Numbering::counted(std::uint32_t number) const {
  return count_ ? count_(number) : Volume();
}

}  // namespace control

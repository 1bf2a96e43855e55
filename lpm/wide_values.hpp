// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "lpm/arena.hpp"
#include "lpm/node.hpp"
#include "lpm/route_set.hpp"

namespace lpm::detail {

// The values that do not fit into a Word of a node (2^30 and more), each kept once, and the Words
// that stand for values.
class WideValues {
 public:
  explicit WideValues(Arena& arena) : arena_(arena) {}

  // The Word of a value, for one more prefix. Throws std::bad_alloc; the transaction is then to be
  // rolled back.
  [[nodiscard]] Word take(Value value);
  // One prefix less has it.
  void drop(Word word);
  [[nodiscard]] Value value_of(Word word) const noexcept {
    return (word & kWideValue) != 0 ? arena_.at<const Value>(line_)[word & ~kWideValue] : word;
  }

  // How many different ones there are.
  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  [[nodiscard]] bool empty() const noexcept { return places_.empty(); }
  [[nodiscard]] Line line() const noexcept { return line_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return capacity_ * sizeof(Value); }

  void commit(std::uint64_t generation) noexcept;
  void rollback() noexcept;
  void reclaim(std::uint64_t up_to) noexcept;

 private:
  struct Retired {
    std::uint64_t generation;
    std::uint32_t place;
  };
  struct Step {
    std::uint32_t place;
    int change;  // of its count
  };

  [[nodiscard]] std::uint32_t free_place();
  // Known, but no prefix has it.
  [[nodiscard]] bool is_unused(std::uint32_t place) const noexcept;

  Arena& arena_;
  Line line_ = 0;
  std::size_t capacity_ = 0;
  Line line_before_ = 0;  // the running transaction
  std::size_t capacity_before_ = 0;
  std::unordered_map<Value, std::uint32_t> places_;
  std::vector<std::uint32_t> counts_;  // of prefixes, by place
  std::vector<std::uint32_t> free_;    // has room for all places, as retired_ has
  std::vector<Retired> retired_;
  std::vector<Step> steps_;  // of the running transaction
};

}  // namespace lpm::detail

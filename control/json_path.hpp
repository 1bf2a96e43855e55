// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace control {

// Containers around a value, outermost first: what a JSON pointer (RFC 6901) says.
class JsonPath {
 public:
  [[nodiscard]] std::size_t depth() const noexcept { return steps_.size(); }
  // Of the member of the innermost container that is being read. Keys are made printable.
  [[nodiscard]] std::string pointer() const;

  void enter(bool is_array) { steps_.push_back({is_array, false, 0, {}}); }
  void leave() { steps_.pop_back(); }
  // A member of an object, or with next_element() of an array, follows.
  void next_key(std::string_view key);
  void next_element();

 private:
  struct Step {
    bool is_array;
    bool has_member;    // index or key is set
    std::size_t index;  // arrays
    std::string key;    // objects
  };
  std::vector<Step> steps_;
};

}  // namespace control

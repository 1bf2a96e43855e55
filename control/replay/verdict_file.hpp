// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "control/binding.hpp"
#include "control/replay/block.hpp"

namespace control::replay {

// One line for each packet, tab-separated under a header line: capture, packet, direction, outcome,
// reason, destination, binding.
class VerdictFile {
 public:
  // captures: names for the first column, by index. bindings: by number. Throws std::runtime_error
  // naming the path if it cannot be opened.
  VerdictFile(std::string path, std::vector<std::string> captures,
              const std::vector<Binding>& bindings);

  // Throws std::runtime_error if the disk is full, or anything else could not be written.
  void write(const Block& block);
  // The same, for what was still in memory.
  void close();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  // Throws std::runtime_error.
  void check(bool failed) const;
  void write_line(const Block::Origin& origin, std::uint64_t packet, const Record& record);

  std::string path_;
  std::vector<std::string> captures_;
  const std::vector<Binding>& bindings_;
  std::unique_ptr<std::FILE, CloseFile> file_;
};

}  // namespace control::replay

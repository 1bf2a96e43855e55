// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace control::api {

// A body that is too large to be held in memory: a file without a name, which is gone with this,
// also where the process is killed. Everything here may wait for the disk, the destructor included:
// not for the control thread. For one thread at a time.
class BodyFile {
 public:
  // Makes nothing yet. directory: where the file is to be.
  explicit BodyFile(std::string directory) : directory_(std::move(directory)) {}
  ~BodyFile();
  BodyFile(const BodyFile&) = delete;
  BodyFile& operator=(const BodyFile&) = delete;

  // Left to the store and whoever else writes there.
  static constexpr std::size_t kLeftBytes = std::size_t{64} << 20;

  // An error: why it cannot be kept, for the client: the disk is full, for example, or would be but
  // for kLeftBytes. The file holds part of it then.
  [[nodiscard]] std::expected<void, std::string> append(std::string_view bytes);

  // What was appended so far, in memory that is the file's: pages come as they are looked at.
  class Mapped {
   public:
    Mapped() = default;
    Mapped(Mapped&& other) noexcept : text_(std::exchange(other.text_, {})) {}
    ~Mapped();
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;
    [[nodiscard]] std::string_view text() const noexcept { return text_; }

   private:
    friend class BodyFile;
    std::string_view text_;
  };
  [[nodiscard]] std::expected<Mapped, std::string> map() const;

 private:
  [[nodiscard]] std::expected<void, std::string> open();
  [[nodiscard]] std::string unkept(int error) const;

  std::string directory_;
  int file_ = -1;
  std::size_t bytes_ = 0;
};

}  // namespace control::api

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace control::http {

// A body that goes into a file, a chunk at a time: what is read and not yet written, and how long
// the client may still take. Of every kStretchBytes (and of the rest) the client may keep us
// waiting for the idle time; the disk's time does not count. So neither silence nor a trickle holds
// on for ever: 2 GiB take at most 256 times the idle time.
class Spool {
 public:
  using Clock = std::chrono::steady_clock;
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

  static constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
  static constexpr std::size_t kStretchBytes = std::size_t{8} << 20;

  // head: has been read, and no more.
  template <class HeadParser>
  Spool(HeadParser&& head, std::chrono::milliseconds idle_time)
      : parser_(std::forward<HeadParser>(head)),
        chunk_(kChunkBytes),
        idle_time_(idle_time),
        left_(idle_time) {}

  [[nodiscard]] Parser& parser() noexcept { return parser_; }

  // Before a chunk is read: how long that may take.
  [[nodiscard]] std::chrono::milliseconds begin_chunk() {
    parser_.get().body().data = chunk_.data();
    parser_.get().body().size = chunk_.size();
    begun_ = Clock::now();
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left_),
                    std::chrono::milliseconds(0));
  }
  // What has come; good until the next begin_chunk().
  [[nodiscard]] std::string_view end_chunk() {
    const std::size_t bytes = chunk_.size() - parser_.get().body().size;
    left_ -= Clock::now() - begun_;
    stretch_bytes_ += bytes;
    if (stretch_bytes_ >= kStretchBytes) {
      stretch_bytes_ = 0;
      left_ = idle_time_;
    }
    return {chunk_.data(), bytes};
  }

 private:
  Parser parser_;
  std::vector<char> chunk_;
  std::chrono::milliseconds idle_time_;
  Clock::duration left_;
  Clock::time_point begun_;
  std::size_t stretch_bytes_ = 0;
};

}  // namespace control::http

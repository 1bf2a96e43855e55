// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "control/store/rows.hpp"

namespace control::api {

// Bytes of replies that are made and not yet taken by their clients: in the store thread's group,
// on the way to the control thread, waiting for a generation, and in the socket of a client that is
// slow.
//
// The size of a listing is known only when it is made, so one of each moment may go beyond: at most
// bytes_max, and one listing. For any thread.
class ReplyBudget {
 public:
  // bytes_max: of all listings. Half of them is the most that one token may leave untaken, so that
  // a client that takes nothing does not keep out others. Replies that cannot be large have a
  // quarter of bytes_max besides: whoever has to change something in a flood of listings can.
  explicit ReplyBudget(std::size_t bytes_max);

  enum class Kind : std::uint8_t { listing, small };
  // Whether one more may be made.
  [[nodiscard]] bool has_room(Kind kind, store::TokenNumber token) const;
  // Counts these bytes until the last copy of what is returned is gone, which may outlive this.
  // Throws std::bad_alloc.
  [[nodiscard]] std::shared_ptr<const void> hold(store::TokenNumber token, std::size_t bytes);

 private:
  struct Ledger {
    std::mutex mutex;
    std::size_t bytes = 0;                               // under mutex
    std::map<store::TokenNumber, std::size_t> by_token;  // under mutex; none of 0
  };
  struct Held;

  std::size_t bytes_max_;
  std::shared_ptr<Ledger> ledger_;
};

}  // namespace control::api

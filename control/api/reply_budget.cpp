// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/reply_budget.hpp"

#include <utility>

namespace control::api {

struct ReplyBudget::Held {
  Held(std::shared_ptr<Ledger> where, store::TokenNumber of, std::size_t count)
      : ledger(std::move(where)), token(of), bytes(count) {
    const std::lock_guard lock(ledger->mutex);
    ledger->by_token[token] += bytes;
    ledger->bytes += bytes;
  }
  ~Held() {
    const std::lock_guard lock(ledger->mutex);
    ledger->bytes -= bytes;
    const auto own = ledger->by_token.find(token);
    own->second -= bytes;
    if (own->second == 0) ledger->by_token.erase(own);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  std::shared_ptr<Ledger> ledger;
  store::TokenNumber token;
  std::size_t bytes;
};

ReplyBudget::ReplyBudget(std::size_t bytes_max)
    : bytes_max_(bytes_max), ledger_(std::make_shared<Ledger>()) {}

bool ReplyBudget::has_room(Kind kind, store::TokenNumber token) const {
  const std::lock_guard lock(ledger_->mutex);
  if (kind == Kind::small) return ledger_->bytes < bytes_max_ + bytes_max_ / 4;
  const auto own = ledger_->by_token.find(token);
  return ledger_->bytes < bytes_max_ &&
         (own == ledger_->by_token.end() || own->second < bytes_max_ / 2);
}

std::shared_ptr<const void> ReplyBudget::hold(store::TokenNumber token, std::size_t bytes) {
  if (bytes == 0) return nullptr;
  return std::make_shared<const Held>(ledger_, token, bytes);
}

}  // namespace control::api

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/message.hpp"
#include "control/store/rows.hpp"

namespace control::api {

// Whom a request comes from.
struct Principal {
  store::TokenNumber token = 0;
  std::string name;
  bool may_write = false;
  bool may_administer = false;  // make and revoke tokens
  std::string account;          // empty: all

  // An account is a real boundary: its token neither sees nor names anything of another.
  [[nodiscard]] bool may_see(std::string_view other) const noexcept {
    return account.empty() || account == other;
  }
};

// SHA-256. Throws std::runtime_error where OpenSSL has none.
[[nodiscard]] store::TokenRow::Hash hash_of(std::string_view secret);
// 256 random bits: "steer_" and 64 hex digits.
[[nodiscard]] std::string new_secret();

// The tokens that there are. For any thread.
class Tokens {
 public:
  void set(std::vector<store::TokenRow> rows);
  // New, or another state of one that is there.
  void put(const store::TokenRow& row);
  [[nodiscard]] std::vector<store::TokenRow> rows() const;

  // By what a request shows: a bearer token or X-Auth-Key; one that is shown must be good. Without
  // either it is whoever may use the Unix socket, if it came by that. nullopt: nobody. All tokens
  // are compared, each in constant time, so that the time does not tell how near a guess is.
  [[nodiscard]] std::optional<Principal> find(const Request& request) const;

 private:
  mutable std::mutex mutex_;
  std::vector<store::TokenRow> rows_;  // under mutex_
};

}  // namespace control::api

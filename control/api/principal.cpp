// SPDX-License-Identifier: BSD-3-Clause
#include "control/api/principal.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "control/object_id.hpp"

namespace control::api {
namespace {

// What an Authorization field shows; empty where it is no bearer token (RFC 6750, 2.1).
std::string_view bearer_in(std::string_view field) noexcept {
  constexpr std::string_view kScheme = "bearer ";
  if (field.size() < kScheme.size()) return {};
  const bool is_bearer =
      std::ranges::equal(field.substr(0, kScheme.size()), kScheme,
                         [](char given, char wanted) { return (given | 0x20) == (wanted | 0x20); });
  if (!is_bearer) return {};
  field.remove_prefix(kScheme.size());
  while (field.starts_with(' ')) field.remove_prefix(1);
  return field;
}

}  // namespace

store::TokenRow::Hash hash_of(std::string_view secret) {
  store::TokenRow::Hash hash{};
  unsigned size = 0;
  if (EVP_Digest(secret.data(), secret.size(), hash.data(), &size, EVP_sha256(), nullptr) != 1 ||
      size != hash.size())
    throw std::runtime_error("OpenSSL: no SHA-256");
  return hash;
}

std::string new_secret() {
  return "steer_" + to_string(ObjectId::random()) + to_string(ObjectId::random());
}

void Tokens::set(std::vector<store::TokenRow> rows) {
  const std::lock_guard lock(mutex_);
  rows_ = std::move(rows);
}

void Tokens::put(const store::TokenRow& row) {
  const std::lock_guard lock(mutex_);
  const auto before = std::ranges::find(rows_, row.number, &store::TokenRow::number);
  if (before == rows_.end())
    rows_.push_back(row);
  else
    *before = row;
}

std::vector<store::TokenRow> Tokens::rows() const {
  const std::lock_guard lock(mutex_);
  return rows_;
}

std::optional<Principal> Tokens::find(const Request& request) const {
  std::string_view secret = bearer_in(request.authorization);
  if (secret.empty()) secret = request.auth_key;
  if (secret.empty()) {
    const bool shows_something = !request.authorization.empty();
    if (!request.is_local || shows_something) return std::nullopt;
    return Principal{
        .token = 0, .name = "local", .may_write = true, .may_administer = true, .account = {}};
  }
  const store::TokenRow::Hash hash = hash_of(secret);
  const std::lock_guard lock(mutex_);
  const store::TokenRow* match = nullptr;
  for (const store::TokenRow& row : rows_)
    if (CRYPTO_memcmp(row.hash.data(), hash.data(), hash.size()) == 0 && !row.revoked_at)
      match = &row;
  if (match == nullptr) return std::nullopt;
  return Principal{.token = match->number,
                   .name = match->name,
                   .may_write = match->may_write,
                   .may_administer = false,
                   .account = match->account};
}

}  // namespace control::api

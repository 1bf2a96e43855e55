// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/object_id.hpp"
#include "dataplane/service.hpp"
#include "lpm/prefix.hpp"

// What a store keeps. Value types.
namespace control::store {

// Microseconds since 1970 (UTC).
using Micros = std::int64_t;
// Of a token, counted from 1. 0: whoever may use the Unix socket.
using TokenNumber = std::int64_t;

struct PrefixRow {
  ObjectId id;
  std::string account;
  lpm::AnyPrefix cidr;
  std::uint32_t asn = 0;
  std::string description;
  std::string loa_document_id;
  TokenNumber created_by = 0;
  Micros created_at = 0;
  Micros modified_at = 0;
  std::uint64_t generation = 0;  // that changed it last

  friend bool operator==(const PrefixRow&, const PrefixRow&) = default;
};

struct BindingRow {
  ObjectId id;
  lpm::AnyPrefix prefix;
  lpm::AnyPrefix cidr;
  dataplane::Service service = dataplane::Service::magic_transit;
  TokenNumber created_by = 0;
  Micros created_at = 0;
  Micros modified_at = 0;
  std::uint64_t generation = 0;

  friend bool operator==(const BindingRow&, const BindingRow&) = default;
};

// Something that was deleted lately: whoever lost the reply may ask again.
struct DeletedRow {
  ObjectId id;
  TokenNumber by = 0;
  Micros at = 0;

  friend bool operator==(const DeletedRow&, const DeletedRow&) = default;
};

struct TokenRow {
  using Hash = std::array<std::uint8_t, 32>;  // SHA-256 of the secret

  TokenNumber number = 0;
  std::string name;
  bool may_write = false;
  std::string account;  // empty: all
  Hash hash{};
  Micros created_at = 0;
  std::optional<Micros> revoked_at = std::nullopt;

  friend bool operator==(const TokenRow&, const TokenRow&) = default;
};

// One change set.
struct HistoryRow {
  std::uint64_t generation = 0;
  Micros at = 0;
  TokenNumber by = 0;
  std::string who;          // the token's name
  std::string what;         // see control/api/history.hpp
  std::string before = {};  // see control/api/former.hpp

  friend bool operator==(const HistoryRow&, const HistoryRow&) = default;
};

}  // namespace control::store

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// Requests and responses, without the protocol that carries them.
namespace control::api {

class BodyFile;

enum class Method : std::uint8_t { get, post, patch, put, del, other };

struct Request {
  Method method = Method::other;
  std::string target;         // path and query, as received
  std::string authorization;  // header fields, empty where absent
  std::string auth_key;       // X-Auth-Key
  std::string allow;          // X-Steer-Allow
  std::string if_match;
  unsigned retry_count = 0;  // X-Stainless-Retry-Count
  bool is_local = false;     // came by the Unix socket, whose mode says who may use it
  std::string body;
  // Instead of `body`, where bodies of the operation are large.
  std::shared_ptr<BodyFile> file = nullptr;
};

struct Response {
  unsigned status = 200;
  std::string body;
  bool must_not_retry = false;              // x-should-retry: false
  std::optional<unsigned> retry_after_s{};  // retry-after
  std::string allowed_methods{};            // allow
  std::optional<std::uint64_t> etag{};      // etag: the generation of the state that it shows
  // Whoever sends this keeps it until the client has taken the body: see ReplyBudget.
  std::shared_ptr<const void> held{};
};

// Called once, on the control thread.
using Reply = std::function<void(Response&&)>;

}  // namespace control::api

// SPDX-License-Identifier: BSD-3-Clause
#include "control/http/fields.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/verb.hpp>
#include <charconv>
#include <string>
#include <utility>

#include "control/api/operations.hpp"

namespace control::http {
namespace {

namespace beast = boost::beast;
using beast::http::field;
using beast::http::verb;

api::Method method_of(verb method) {
  switch (method) {
    case verb::get:
      return api::Method::get;
    case verb::post:
      return api::Method::post;
    case verb::patch:
      return api::Method::patch;
    case verb::put:
      return api::Method::put;
    case verb::delete_:
      return api::Method::del;
    default:
      return api::Method::other;
  }
}

std::string text_of(beast::string_view view) {
  return {view.data(), view.size()};
}

// 0 where it is no number, which is as good as none.
unsigned number_in(beast::string_view view) {
  unsigned number = 0;
  std::from_chars(view.data(), view.data() + view.size(), number);
  return number;
}

api::Response malformed(std::string message) {
  return api::response_of(api::Error::of(400, api::Code::malformed_request, std::move(message)));
}

// Beast takes a transfer encoding that does not end in chunked for no body at all, and what follows
// for the next request.
bool is_framed(const Head& head) {
  const std::size_t encodings = head.count(field::transfer_encoding);
  if (encodings == 0) return true;
  return encodings == 1 && head.version() >= 11 &&
         beast::iequals(head[field::transfer_encoding], "chunked");
}

}  // namespace

std::expected<api::Request, api::Response> request_of(const Head& head, bool is_local) {
  if (head.count(field::host) != 1)
    return std::unexpected(malformed("a request has exactly one Host"));
  if (head.count(field::content_length) > 1 ||
      (head.count(field::content_length) == 1 && head.count(field::transfer_encoding) != 0))
    return std::unexpected(malformed("a request has at most one length"));
  if (!is_framed(head))
    return std::unexpected(malformed("the only transfer encoding is chunked, of HTTP/1.1"));
  if (head.count(field::authorization) > 1 || head.count("X-Auth-Key") > 1)
    return std::unexpected(malformed("a request has at most one credential of a kind"));
  const beast::string_view target = head.target();
  if (std::ranges::any_of(target, [](char c) { return c <= ' ' || c >= '\x7f'; }))
    return std::unexpected(malformed("the target has characters that must be escaped"));
  return api::Request{.method = method_of(head.method()),
                      .target = text_of(target),
                      .authorization = text_of(head[field::authorization]),
                      .auth_key = text_of(head["X-Auth-Key"]),
                      .allow = text_of(head["X-Steer-Allow"]),
                      .if_match = text_of(head[field::if_match]),
                      .retry_count = number_in(head["X-Stainless-Retry-Count"]),
                      .is_local = is_local,
                      .body = {}};
}

beast::http::response<beast::http::string_body> message_of(api::Response&& response,
                                                           unsigned version, bool keep_alive) {
  beast::http::response<beast::http::string_body> message(
      static_cast<beast::http::status>(response.status), version);
  message.set(field::content_type, "application/json");
  message.set(field::cache_control, "no-store");
  if (response.must_not_retry) message.set("x-should-retry", "false");
  if (response.retry_after_s)
    message.set(field::retry_after, std::to_string(*response.retry_after_s));
  if (!response.allowed_methods.empty()) message.set(field::allow, response.allowed_methods);
  if (response.etag) message.set(field::etag, "\"" + std::to_string(*response.etag) + "\"");
  if (response.status == 401) message.set(field::www_authenticate, "Bearer");
  message.keep_alive(keep_alive);
  message.body() = std::move(response.body);
  message.prepare_payload();
  return message;
}

}  // namespace control::http

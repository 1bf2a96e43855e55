// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <expected>

#include "control/api/message.hpp"

// Between Beast's messages and the API's.
namespace control::http {

using Head = boost::beast::http::request_header<boost::beast::http::fields>;

// What the API wants to know of a head. A response (400) where the head is none that two parties
// would read alike: no Host or two, two lengths, both a length and a transfer encoding, or a
// transfer encoding that is not chunked.
[[nodiscard]] std::expected<api::Request, api::Response> request_of(const Head& head,
                                                                    bool is_local);

// version: of HTTP, times ten.
[[nodiscard]] boost::beast::http::response<boost::beast::http::string_body> message_of(
    api::Response&& response, unsigned version, bool keep_alive);

}  // namespace control::http

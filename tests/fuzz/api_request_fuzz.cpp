// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as what a client of the API sends: the parser of HTTP, what is let in, routes,
// operations. The first byte says whether it came by the Unix socket.
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/api_world.hpp"

namespace {

namespace http = boost::beast::http;

constexpr std::size_t kBytesMax = 65536;
constexpr std::size_t kRequestsMax = 8;
constexpr std::size_t kHeaderBytesMax = 16384;

// The first request of what is left, which it loses; false: there is none that is whole and HTTP.
bool take_request(std::string_view& bytes, bool is_local) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(kHeaderBytesMax);
  parser.body_limit(kBytesMax);
  boost::system::error_code error;
  const auto put = [&] {
    const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(std::min(used, bytes.size()));
  };
  while (!parser.is_header_done()) {
    put();
    if (error) return false;
  }
  auto request = control::http::request_of(parser.get(), is_local);
  if (!request) {
    fuzz::require(request.error().status == 400);
    return false;
  }
  parser.eager(true);
  while (!parser.is_done()) {
    const std::size_t before = bytes.size();
    put();
    if (error || bytes.size() == before) return false;
  }
  request->body = std::move(parser.get().body());
  const auto response = fuzz::world().answer(std::move(*request));
  // What is sent back is a message of one length, too.
  auto copy = response;
  const auto message =
      control::http::message_of(std::move(copy), parser.get().version(), parser.keep_alive());
  fuzz::require(message.count(http::field::content_length) == 1);
  return parser.keep_alive();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kBytesMax) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (std::size_t i = 0; i < kRequestsMax && !bytes.empty(); ++i)
    if (!take_request(bytes, data[0] % 2 == 1)) break;
  return 0;
}

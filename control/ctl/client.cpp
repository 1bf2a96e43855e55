// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <variant>

namespace control::ctl {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using asio::local::stream_protocol;
using Error = boost::system::error_code;

using TcpStream = beast::basic_stream<tcp>;
using TlsStream = asio::ssl::stream<TcpStream>;
using UnixStream = beast::basic_stream<stream_protocol>;
using Message = http::request<http::span_body<const char>>;

constexpr std::chrono::milliseconds kConnectPatience{10'000};
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

auto& bottom_of(TcpStream& stream) {
  return stream;
}
auto& bottom_of(TlsStream& stream) {
  return stream.next_layer();
}
auto& bottom_of(UnixStream& stream) {
  return stream;
}

std::string text_of(const Error& error) {
  if (error == beast::error::timeout) return "no answer in time";
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error == asio::error::eof)
    return "the server ended the connection before its reply was complete";
  return error.message();
}

Message message_of(const Access& access, const Request& request) {
  const Endpoint& endpoint = access.endpoint;
  const bool is_socket = endpoint.scheme == Endpoint::Scheme::unix_socket;
  const std::string target = is_socket ? request.target : endpoint.path + request.target;
  Message message;
  message.version(11);
  message.method_string(beast::string_view(request.method.data(), request.method.size()));
  message.target(beast::string_view(target.data(), target.size()));
  const bool has_colons = endpoint.host.find(':') != std::string::npos;
  message.set(http::field::host,
              is_socket ? std::string("steer")
                        : fmt::format("{}{}{}:{}", has_colons ? "[" : "", endpoint.host,
                                      has_colons ? "]" : "", endpoint.port));
  message.set(http::field::user_agent, "steerctl");
  if (!access.token.empty()) message.set(http::field::authorization, "Bearer " + access.token);
  for (const auto& [name, value] : request.fields) message.set(name, value);
  if (!request.body.empty() || request.method != "GET") {
    message.set(http::field::content_type, "application/json");
    message.content_length(request.body.size());
  }
  message.body() = beast::span<const char>(request.body.data(), request.body.size());
  return message;
}

}  // namespace

// Everything of one connection; each operation is waited for.
class Client::Connection {
 public:
  explicit Connection(std::chrono::milliseconds patience) : patience_(patience) {}

  // Empty: it is open; else why not.
  std::string open(const Access& access) {
    switch (access.endpoint.scheme) {
      case Endpoint::Scheme::unix_socket:
        return open_socket(access.endpoint);
      case Endpoint::Scheme::https:
        return open_tls(access);
      case Endpoint::Scheme::http:
        break;
    }
    return open_tcp(stream_.emplace<TcpStream>(io_), access.endpoint);
  }

  // nullopt and `error`: what came instead of a reply.
  std::optional<Reply> exchange(const Message& message, const Sink* sink, Error& error) {
    return std::visit(
        [&](auto& stream) -> std::optional<Reply> {
          if constexpr (std::is_same_v<std::decay_t<decltype(stream)>, std::monostate>)
            return std::nullopt;
          else
            return exchange_on(stream, message, sink, error);
        },
        stream_);
  }

  [[nodiscard]] bool is_kept() const noexcept { return is_kept_; }
  [[nodiscard]] bool was_answering() const noexcept { return has_read_; }

 private:
  // The result of an asynchronous operation, which `start` begins with a handler of its own.
  Error wait_for(auto start) {
    Error result = asio::error::would_block;
    start([&result](const Error& error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  std::string open_tcp(TcpStream& stream, const Endpoint& endpoint) {
    Error error;
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(endpoint.host, endpoint.port, error);
    if (error) return fmt::format("{}: {}", endpoint.host, error.message());
    stream.expires_after(std::min(patience_, kConnectPatience));
    error = wait_for([&](auto done) { stream.async_connect(found, done); });
    if (error) return text_of(error);
    if (stream.socket().set_option(tcp::no_delay(true), error)) return error.message();
    return {};
  }

  std::string open_socket(const Endpoint& endpoint) {
    auto& stream = stream_.emplace<UnixStream>(io_);
    stream.expires_after(std::min(patience_, kConnectPatience));
    const Error error = wait_for(
        [&](auto done) { stream.async_connect(stream_protocol::endpoint(endpoint.path), done); });
    return error ? text_of(error) : std::string();
  }

  std::string open_tls(const Access& access) {
    context_.emplace(asio::ssl::context::tls_client);
    context_->set_verify_mode(asio::ssl::verify_peer);
    Error error;
    const Error no_trust = access.ca.empty() ? context_->set_default_verify_paths(error)
                                             : context_->load_verify_file(access.ca, error);
    if (no_trust) return fmt::format("--ca {}: {}", access.ca, no_trust.message());
    const std::string& host = access.endpoint.host;
    auto& stream = stream_.emplace<TlsStream>(io_, *context_);
    if (stream.set_verify_callback(asio::ssl::host_name_verification(host), error))
      return fmt::format("TLS: {}", error.message());
    Error no_address;
    [[maybe_unused]] const auto address = asio::ip::make_address(host, no_address);
    // What the macro SSL_set_tlsext_host_name() is, without its cast.
    if (no_address)
      SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(host.c_str()));
    if (std::string why = open_tcp(stream.next_layer(), access.endpoint); !why.empty()) return why;
    error =
        wait_for([&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); });
    if (!error) return {};
    const long verdict = SSL_get_verify_result(stream.native_handle());
    if (verdict != X509_V_OK)
      return fmt::format("TLS: its certificate is not accepted: {}; --ca FILE says who may sign",
                         X509_verify_cert_error_string(verdict));
    return fmt::format("TLS: {}", text_of(error));
  }

  template <class Stream>
  std::optional<Reply> exchange_on(Stream& stream, const Message& message, const Sink* sink,
                                   Error& error) {
    has_read_ = false;
    bottom_of(stream).expires_after(patience_);
    http::serializer<true, Message::body_type> serializer(message);
    const Error unsent = wait_for([&](auto done) { http::async_write(stream, serializer, done); });
    // Who refuses a request early has answered all the same.
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(~std::uint64_t{0});
    bottom_of(stream).expires_after(patience_);
    error = wait_for([&](auto done) { http::async_read_header(stream, buffer_, parser, done); });
    if (error) {
      if (unsent) error = unsent;
      return std::nullopt;
    }
    has_read_ = true;
    Reply reply{.status = parser.get().result_int(), .body = {}};
    const bool is_sunk = sink != nullptr && reply.status < 300;
    std::array<char, kPieceBytes> piece;
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      bottom_of(stream).expires_after(patience_);
      error = wait_for([&](auto done) { http::async_read(stream, buffer_, parser, done); });
      if (error == http::error::need_buffer) error = {};
      const std::string_view got(piece.data(), piece.size() - parser.get().body().size);
      if (error) return std::nullopt;
      if (!is_sunk) {
        reply.body += got;
      } else if (!(*sink)(got)) {
        is_kept_ = false;
        return reply;
      }
    }
    is_kept_ = parser.keep_alive() && !unsent;
    return reply;
  }

  std::chrono::milliseconds patience_;
  asio::io_context io_{1};
  std::optional<asio::ssl::context> context_;
  std::variant<std::monostate, TcpStream, TlsStream, UnixStream> stream_;
  beast::flat_buffer buffer_;
  bool is_kept_ = true;
  bool has_read_ = false;
};

Client::Client(const Access& access, std::chrono::milliseconds patience)
    : access_(access), patience_(patience) {}

Client::~Client() = default;

std::expected<Reply, Trouble> Client::ask(const Request& request) {
  return ask(request, nullptr);
}

std::expected<Reply, Trouble> Client::ask(const Request& request, const Sink& sink) {
  const Message message = message_of(access_, request);
  const bool was_open = connection_ != nullptr;
  if (!connection_) {
    auto opened = std::make_unique<Connection>(patience_);
    if (const std::string why = opened->open(access_); !why.empty())
      return std::unexpected(Trouble{
          false, fmt::format("cannot connect to {}: {}", to_string(access_.endpoint), why)});
    connection_ = std::move(opened);
  }
  Error error;
  auto reply = connection_->exchange(message, sink ? &sink : nullptr, error);
  const bool has_answered = connection_->was_answering();
  if (!reply || !connection_->is_kept()) connection_.reset();
  if (reply) return std::move(*reply);
  // A connection that was idle may have been ended by the server just then.
  if (was_open && !has_answered && request.method == "GET") return ask(request, sink);
  return std::unexpected(
      Trouble{true, fmt::format("{}: {}", to_string(access_.endpoint), text_of(error))});
}

}  // namespace control::ctl

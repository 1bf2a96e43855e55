// SPDX-License-Identifier: BSD-3-Clause
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/string.hpp>

#include "control/http/connection.hpp"

namespace control::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

// TLS over TCP. The end is that of TCP: every message has its length.
class Tls {
 public:
  using Bottom = beast::basic_stream<tcp>;
  using Stream = asio::ssl::stream<Bottom>;
  static constexpr bool kIsUnix = false;

  Tls(tcp::socket&& socket, asio::ssl::context& context) : stream_(std::move(socket), context) {}

  void begin(auto done) {
    stream_.async_handshake(asio::ssl::stream_base::server, std::move(done));
  }
  Stream& stream() { return stream_; }
  Bottom& bottom() { return stream_.next_layer(); }
  void expires_after(std::chrono::milliseconds time) { bottom().expires_after(time); }
  void expires_never() { bottom().expires_never(); }
  void end() {
    boost::system::error_code ignored;
    if (bottom().socket().shutdown(tcp::socket::shutdown_send, ignored)) return;  // it is closed
  }
  void close() { bottom().close(); }

 private:
  Stream stream_;
};

}  // namespace

void serve_tls(std::shared_ptr<Server::Shared> shared, tcp::socket&& socket) {
  asio::ssl::context& context = *shared->tls;
  std::make_shared<Connection<Tls>>(std::move(shared), std::move(socket), context)->start();
}

}  // namespace control::http

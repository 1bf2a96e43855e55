// SPDX-License-Identifier: BSD-3-Clause
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/string.hpp>

#include "control/http/connection.hpp"

namespace control::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

// A stream socket as it is.
template <class Protocol>
class Plain {
 public:
  using Stream = beast::basic_stream<Protocol>;
  static constexpr bool kIsUnix = std::is_same_v<Protocol, asio::local::stream_protocol>;

  explicit Plain(typename Protocol::socket&& socket) : stream_(std::move(socket)) {}

  void begin(auto done) {
    asio::post(stream_.get_executor(), [done = std::move(done)] { done({}); });
  }
  Stream& stream() { return stream_; }
  Stream& bottom() { return stream_; }
  void expires_after(std::chrono::milliseconds time) { stream_.expires_after(time); }
  void expires_never() { stream_.expires_never(); }
  void end() {
    boost::system::error_code ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_send, ignored);
  }
  void close() { stream_.close(); }

 private:
  Stream stream_;
};

}  // namespace

void serve(std::shared_ptr<Server::Shared> shared, asio::ip::tcp::socket&& socket) {
  std::make_shared<Connection<Plain<asio::ip::tcp>>>(std::move(shared), std::move(socket))->start();
}

void serve(std::shared_ptr<Server::Shared> shared, asio::local::stream_protocol::socket&& socket) {
  std::make_shared<Connection<Plain<asio::local::stream_protocol>>>(std::move(shared),
                                                                    std::move(socket))
      ->start();
}

}  // namespace control::http

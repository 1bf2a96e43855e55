// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "control/api/body_file.hpp"
#include "control/api/operations.hpp"
#include "control/http/fields.hpp"
#include "control/http/shared.hpp"
#include "control/http/spool.hpp"

namespace control::http {

// One client: request, response, request, ... It is held by the operation that is under way, and
// ends with it.
//
// Stream: what is read from and written to. Transport: knows how it begins and ends, see below.
template <class Transport>
class Connection final : public AnyConnection,
                         public std::enable_shared_from_this<Connection<Transport>> {
 public:
  template <class... Arguments>
  explicit Connection(std::shared_ptr<Server::Shared> shared, Arguments&&... arguments)
      : shared_(std::move(shared)), transport_(std::forward<Arguments>(arguments)...) {
    place_ = shared_->all.insert(shared_->all.end(), this);
  }
  ~Connection() override {
    stop_idling();
    forget_received();
    drop_body();
    shared_->all.erase(place_);
  }

  void start() {
    start_idling();
    transport_.begin([self = this->shared_from_this()](const Error& error) {
      if (!error) self->read_head();
    });
  }
  void close() override { transport_.close(); }

 private:
  using Error = boost::system::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Message = boost::beast::http::response<boost::beast::http::string_body>;

  // Of a body that nobody will look at: more is not read, and the connection ends.
  static constexpr std::size_t kIgnoredBytesMax = std::size_t{64} << 10;

  // What of a head the response depends on.
  struct Said {
    unsigned version = 11;
    bool is_head_method = false;
    bool keeps_alive = false;
  };

  void expire() { transport_.expires_after(shared_->limits.idle_time); }

  // Waits for the client, and gives way meanwhile.
  void start_idling() { start_idling(shared_->limits.idle_time); }
  void start_idling(std::chrono::milliseconds limit) {
    stop_idling();
    idle_ = shared_->idle.insert(shared_->idle.end(), this);
    transport_.expires_after(limit);
  }
  void stop_idling() {
    if (idle_) shared_->idle.erase(*std::exchange(idle_, std::nullopt));
  }
  // A file takes its time to be closed.
  void drop_body() {
    job_.reset();
    if (!file_) return;
    try {
      shared_->on_disk_thread([file = std::move(file_)] {});
    } catch (...) {
      file_.reset();  // there is no such thread: it has to be closed here
    }
  }
  void forget_received() { shared_->receiving_bytes -= std::exchange(counted_bytes_, 0); }

  void read_head() {
    if (shared_->is_ending) return transport_.close();
    said_ = {};
    spool_.reset();
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_->limits.header_bytes_max));
    // Set by what is in the head. (With boost::none, Beast of Boost 1.74 refuses every length.)
    parser_->body_limit(~std::uint64_t{0});
    start_idling();
    boost::beast::http::async_read_header(
        transport_.stream(), buffer_, *parser_,
        [self = this->shared_from_this()](const Error& error, std::size_t) {
          self->stop_idling();
          self->take_head(error);
        });
  }

  void take_head(const Error& error) {
    if (error) return refuse_broken(error);
    const auto& head = parser_->get();
    said_ = {.version = head.version(),
             .is_head_method = head.method() == boost::beast::http::verb::head,
             .keeps_alive = parser_->keep_alive()};
    auto request = request_of(head, Transport::kIsUnix);
    if (!request) {
      refusal_ = std::move(request.error());
      is_last_ = true;
      return respond();
    }
    auto admitted = shared_->api.admit(std::move(*request), api::Api::Clock::now());
    if (!admitted) {
      refusal_ = std::move(admitted.error());
      // Its body is not waited for.
      is_last_ = !parser_->is_done();
      return respond();
    }
    job_ = std::move(admitted->job);
    const bool takes_body = job_->request.method == api::Method::post ||
                            job_->request.method == api::Method::patch ||
                            job_->request.method == api::Method::put;
    body_bytes_max_ = takes_body ? admitted->body_bytes_max
                                 : std::min(admitted->body_bytes_max, kIgnoredBytesMax);
    const auto length = parser_->content_length();
    if (length && *length > body_bytes_max_) return refuse_large();
    parser_->body_limit(body_bytes_max_);
    if (parser_->is_done()) return take_body({});
    const bool wants_continue =
        boost::beast::iequals(head[boost::beast::http::field::expect], "100-continue");
    if (job_->request.file)
      start_spool();
    else if (!count_receiving(length ? *length : body_bytes_max_))
      return;
    start_idling();
    if (wants_continue) return say_continue();
    read_body();
  }

  // False: it has been refused.
  bool count_receiving(std::uint64_t bytes) {
    if (shared_->receiving_bytes + bytes > shared_->limits.receiving_bytes_max) {
      refusal_ = api::response_of(
          api::Error::of(503, api::Code::not_writable, "too many bodies are being received"));
      is_last_ = true;
      respond();
      return false;
    }
    counted_bytes_ = bytes;
    shared_->receiving_bytes += bytes;
    return true;
  }

  void say_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    boost::asio::async_write(transport_.stream(),
                             boost::asio::buffer(kContinue.data(), kContinue.size()),
                             [self = this->shared_from_this()](const Error& error, std::size_t) {
                               if (!error) self->read_body();
                             });
  }

  void read_body() {
    if (spool_) return read_chunk();
    boost::beast::http::async_read(
        transport_.stream(), buffer_, *parser_,
        [self = this->shared_from_this()](const Error& error, std::size_t) {
          self->stop_idling();
          self->take_body(error);
        });
  }

  void take_body(const Error& error) {
    if (error == boost::beast::http::error::body_limit) return refuse_large();
    if (error) return refuse_broken(error);
    job_->request.body = std::move(parser_->get().body());
    perform();
  }

  void start_spool() {
    file_ = job_->request.file;
    spool_.emplace(std::move(*parser_), shared_->limits.idle_time);
    spool_->parser().body_limit(body_bytes_max_);
  }
  void read_chunk() {
    start_idling(spool_->begin_chunk());
    boost::beast::http::async_read(
        transport_.stream(), buffer_, spool_->parser(),
        [self = this->shared_from_this()](const Error& error, std::size_t) {
          self->stop_idling();
          self->take_chunk(error);
        });
  }
  void take_chunk(const Error& error) {
    if (error == boost::beast::http::error::body_limit) return refuse_large();
    if (error && error != boost::beast::http::error::need_buffer) return refuse_broken(error);
    transport_.expires_never();
    // The disk may keep its thread waiting, but nobody else.
    shared_->on_disk_thread([self = this->shared_from_this(),
                             chunk = spool_->end_chunk()]() mutable {
      auto kept = self->file_->append(chunk);
      auto& control = self->shared_->control;
      boost::asio::post(
          control, [self = std::move(self), kept = std::move(kept)] { self->go_on_after(kept); });
    });
  }
  void go_on_after(const std::expected<void, std::string>& kept) {
    if (shared_->is_ending) return transport_.close();
    if (!kept) {
      refusal_ = api::response_of(api::Error::of(503, api::Code::not_writable, kept.error()));
      is_last_ = true;
      return respond();
    }
    if (!spool_->parser().is_done()) return read_chunk();
    perform();
  }

  void perform() {
    transport_.expires_never();  // by now it is we who are waited for
    // A reply may come after the connection was closed.
    shared_->api.perform(std::move(*std::exchange(job_, std::nullopt)),
                         [self = this->shared_from_this()](api::Response&& response) {
                           self->refusal_ = std::move(response);
                           self->respond();
                         });
  }

  void refuse_large() {
    refusal_ = api::response_of(api::Error::of(413, api::Code::body_too_large,
                                               "the body is too large; at most " +
                                                   std::to_string(body_bytes_max_) +
                                                   " bytes are taken here"));
    is_last_ = true;
    respond();
  }

  void refuse_broken(const Error& error) {
    namespace http = boost::beast::http;
    const bool is_of_http =
        error.category() == http::make_error_code(http::error::bad_line_ending).category();
    const bool is_silent =
        !is_of_http || error == http::error::end_of_stream || error == http::error::partial_message;
    if (is_silent) return transport_.close();
    if (error == http::error::header_limit)
      refusal_ = api::response_of(
          api::Error::of(431, api::Code::header_too_large, "the header is too large"));
    else
      refusal_ = api::response_of(api::Error::of(400, api::Code::malformed_request,
                                                 "this is not HTTP: " + error.message()));
    is_last_ = true;
    respond();
  }

  void respond() {
    const bool is_whole = spool_ ? spool_->parser().is_done() : parser_->is_done();
    const bool keep_alive = !is_last_ && is_whole && said_.keeps_alive;
    drop_body();
    held_ = std::move(refusal_->held);
    message_.emplace(
        message_of(std::move(*std::exchange(refusal_, std::nullopt)), said_.version, keep_alive));
    // HEAD is not a method here, but its responses have no body all the same.
    if (said_.is_head_method) message_->body().clear();
    forget_received();
    expire();
    boost::beast::http::async_write(
        transport_.stream(), *message_,
        [self = this->shared_from_this(), keep_alive](const Error& error, std::size_t) {
          self->shared_->api.discard(std::move(self->message_->body()));
          self->message_.reset();
          self->held_.reset();
          if (error || !keep_alive) return self->end(error);
          self->read_head();
        });
  }

  // What the client has sent and we have not read would have the kernel take back our response.
  void end(const Error& error) {
    if (error) return transport_.close();
    transport_.end();
    start_idling();
    drain();
  }
  void drain() {
    buffer_.clear();
    if (drained_bytes_ > kIgnoredBytesMax * 16) return transport_.close();
    transport_.expires_after(std::min(shared_->limits.idle_time, std::chrono::milliseconds(2000)));
    transport_.bottom().async_read_some(
        buffer_.prepare(kIgnoredBytesMax),
        [self = this->shared_from_this()](const Error& error, std::size_t bytes) {
          self->drained_bytes_ += bytes;
          if (error) return self->transport_.close();
          self->drain();
        });
  }

  std::shared_ptr<Server::Shared> shared_;
  Transport transport_;
  std::list<AnyConnection*>::iterator place_;
  std::optional<Server::Shared::IdleList::iterator> idle_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Said said_;
  std::optional<Spool> spool_;           // instead of parser_, where the body goes into a file
  std::shared_ptr<api::BodyFile> file_;  // that file, which is not to be closed here
  std::optional<api::Job> job_;
  std::optional<api::Response> refusal_;  // or any other response that is to be sent
  std::optional<Message> message_;
  std::shared_ptr<const void> held_;  // with message_
  std::size_t body_bytes_max_ = 0;    // of the request at hand
  std::uint64_t counted_bytes_ = 0;
  std::size_t drained_bytes_ = 0;
  bool is_last_ = false;
};

}  // namespace control::http

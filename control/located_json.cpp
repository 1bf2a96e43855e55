// SPDX-License-Identifier: BSD-3-Clause
#include "control/located_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace control {
namespace {

// What the parser has consumed. It reads through iterators, which tell nobody how far they are.
struct Source {
  std::string_view text;
  std::size_t consumed = 0;
  bool hit_end = false;  // the parser asked for a character behind the text
};

class SourceIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  SourceIterator() = default;  // the end
  explicit SourceIterator(Source& source) : source_(&source) {}

  reference operator*() const { return source_->text[source_->consumed]; }
  SourceIterator& operator++() {
    ++source_->consumed;
    return *this;
  }
  friend bool operator==(const SourceIterator& a, const SourceIterator& b) {
    return a.is_at_end() == b.is_at_end();
  }

 private:
  // The parser asks before every character that it wants.
  [[nodiscard]] bool is_at_end() const {
    if (source_ == nullptr) return true;
    source_->hit_end = source_->consumed == source_->text.size();
    return source_->hit_end;
  }

  Source* source_ = nullptr;
};

// Follows the parser from token to token, counting lines on the way: each byte is passed once.
// No token but a broken one contains a line feed.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) line_start_ = offset_ = kByteOrderMark.size();
  }

  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] Place place() const {
    return {line_, static_cast<std::uint32_t>(offset_ - line_start_ + 1)};
  }

  // To the start of the next token, separators passed over.
  void seek_value() {
    while (is_at(" \t\r\n,:")) step();
  }
  // To the start of the last token that ends before `end`, which may be a separator.
  void seek_last_token(std::size_t end) {
    for (;;) {
      while (is_at(" \t\r\n")) step();
      if (!is_at(",:") || offset_ + 1 >= end) return;
      step();
    }
  }
  void seek(std::size_t offset) {
    while (offset_ < offset) step();
  }
  // Behind the token at hand.
  void pass_token(std::size_t end) { offset_ = end; }

 private:
  [[nodiscard]] bool is_at(std::string_view characters) const {
    return offset_ < text_.size() && characters.find(text_[offset_]) != std::string_view::npos;
  }
  void step() {
    if (text_[offset_++] != '\n') return;
    ++line_;
    line_start_ = offset_;
  }

  std::string_view text_;
  std::size_t offset_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
};

// The part of the parser's message that tells what is wrong. What it read last is left out: that
// may be the whole file.
std::string reason_of(std::string_view what) {
  if (what.find("parse_error") == std::string_view::npos) return "a number is too large";
  const std::size_t start = what.find("syntax error");
  if (start != std::string_view::npos) what.remove_prefix(start);
  return std::string(what.substr(0, what.find("; last read")));
}

// Receives the parser's events (nlohmann::json_sax, by shape), which has the names of the
// functions.
class Events {
 public:
  using json = nlohmann::json;

  Events(Source& source, JsonVisitor& visitor)
      : source_(source), visitor_(visitor), cursor_(source.text) {}

  [[nodiscard]] std::optional<SyntaxError> take_error() { return std::move(error_); }
  void fail(std::size_t offset, std::string message) {
    cursor_.seek(offset);
    error_ = SyntaxError{cursor_.place(), path_.pointer(), std::move(message)};
  }

  bool null() { return scalar(JsonType::null, {}); }
  bool boolean(bool value) { return scalar(JsonType::boolean, {}, value); }
  bool number_integer(json::number_integer_t) { return scalar(JsonType::number, {}); }
  bool number_unsigned(json::number_unsigned_t value) {
    return scalar(JsonType::number, {}, false, value);
  }
  bool number_float(json::number_float_t, const std::string&) {
    return scalar(JsonType::number, {});
  }
  bool string(const std::string& text) { return scalar(JsonType::string, text); }
  bool binary(const json::binary_t&) { return false; }  // not in JSON text

  bool start_object(std::size_t) { return start(JsonType::object); }
  bool start_array(std::size_t) { return start(JsonType::array); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }

  bool key(const std::string& text) {
    cursor_.seek_value();
    path_.next_key(text);
    visitor_.key({JsonType::string, cursor_.place(), text, path_});
    cursor_.pass_token(source_.consumed);
    return true;
  }

  // end: how many characters were read, the end of the text counting as one.
  bool parse_error(std::size_t end, const std::string&, const nlohmann::detail::exception& error) {
    cursor_.seek_last_token(end);
    if (is_document_read_)
      fail(cursor_.offset(), "more text behind the end of the document");
    else
      fail(std::max(cursor_.offset(), broken_string_byte(end)), reason_of(error.what()));
    return false;
  }

 private:
  bool scalar(JsonType type, std::string_view text, bool is_true = false,
              std::optional<std::uint64_t> whole = std::nullopt) {
    cursor_.seek_value();
    path_.next_element();
    visitor_.value({type, cursor_.place(), text, path_, is_true, whole});
    // To see that a number ends takes one character more.
    const bool is_one_ahead = type == JsonType::number && !source_.hit_end;
    cursor_.pass_token(source_.consumed - (is_one_ahead ? 1 : 0));
    is_document_read_ = path_.depth() == 0;
    return true;
  }

  bool start(JsonType type) {
    cursor_.seek_value();
    path_.next_element();
    if (path_.depth() == kJsonDepthMax) {
      fail(cursor_.offset(), fmt::format("nested deeper than {} levels", kJsonDepthMax));
      return false;
    }
    visitor_.value({type, cursor_.place(), {}, path_});
    path_.enter(type == JsonType::array);
    cursor_.pass_token(source_.consumed);
    return true;
  }

  bool end() {
    cursor_.seek_value();
    cursor_.pass_token(source_.consumed);
    path_.leave();
    is_document_read_ = path_.depth() == 0;
    visitor_.end(path_);
    return true;
  }

  // Where the token at the cursor is a string with a bad byte in it: the offset of that byte.
  [[nodiscard]] std::size_t broken_string_byte(std::size_t end) const {
    const std::string_view text = source_.text;
    const bool is_string = cursor_.offset() < text.size() && text[cursor_.offset()] == '"';
    if (!is_string || end == 0 || end > text.size() || text[end - 1] == '"') return 0;
    return end - 1;
  }

  Source& source_;
  JsonVisitor& visitor_;
  Cursor cursor_;
  JsonPath path_;
  bool is_document_read_ = false;
  std::optional<SyntaxError> error_;
};

}  // namespace

std::string_view name_of(JsonType type) noexcept {
  switch (type) {
    case JsonType::object:
      return "an object";
    case JsonType::array:
      return "an array";
    case JsonType::string:
      return "a string";
    case JsonType::number:
      return "a number";
    case JsonType::boolean:
      return "a boolean";
    case JsonType::null:
      return "null";
  }
  return "";
}

std::optional<SyntaxError> visit_json(std::string_view text, JsonVisitor& visitor) {
  // The parser takes a NUL for the end of its input.
  const std::size_t nul = text.find('\0');
  Source source{.text = text.substr(0, nul)};
  Events events(source, visitor);
  nlohmann::json::sax_parse(SourceIterator(source), SourceIterator(), &events);
  if (nul != std::string_view::npos && source.hit_end)
    events.fail(nul, "a NUL byte; the file must be text");
  return events.take_error();
}

}  // namespace control

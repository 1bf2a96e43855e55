// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

#include "control/ctl/commands.hpp"

namespace control::ctl {
namespace {

constexpr std::size_t kQuotedBytesMax = 300;

std::string lines_of(const Json& errors) {
  std::string text;
  for (const Json& error : errors) {
    fmt::format_to(std::back_inserter(text), "{}{} (code {})", text.empty() ? "" : "\n  ",
                   cell(error, "message"), cell(error, "code"));
    if (error.contains("source"))
      fmt::format_to(std::back_inserter(text), ", at {}", cell(error.at("source"), "pointer"));
  }
  return text;
}

// What can be done about it, beyond what the server says.
std::string_view advice_on(unsigned status, std::string_view said) {
  if (status == 401)
    return "give a token, in STEER_TOKEN or by --token-file; on the host itself the Unix socket "
           "needs none "
           "(--api unix:PATH)";
  if (status == 403 && said.find("mass-change") != std::string_view::npos)
    return "if all of it is meant, say so: --allow-mass-change";
  if (status == 403 && said.find("Unix socket") != std::string_view::npos)
    return "on the host itself: --api unix:PATH (of the setting api-socket; mostly "
           "/run/steer/steer.sock)";
  if (status == 403)
    return "another token may do it; steerctl token list, by the Unix socket, shows them";
  if (status == 412) return "somebody else was faster: look again, and repeat it";
  // With a pointer it is about a member of the body, and the place was right.
  if (status == 404 && said.find("(code 7003)") != std::string_view::npos &&
      said.find(", at /") == std::string_view::npos)
    return "--account, --api, STEER_API or CLOUDFLARE_BASE_URL may name another place than was "
           "meant";
  return {};
}

// Why a reply is no success.
Failure refusal(const Reply& reply) {
  const Json body = Json::parse(reply.body, nullptr, false);
  if (!body.is_object() || !body.contains("errors") || !body.at("errors").is_array() ||
      body.at("errors").empty())
    return {kRefused,
            fmt::format("the server answered {}, and not as steerd does: {}\n  --api, STEER_API or "
                        "CLOUDFLARE_BASE_URL may name something else",
                        reply.status, harmless(reply.body.substr(0, kQuotedBytesMax)))};
  const std::string said = lines_of(body.at("errors"));
  const std::string_view advice = advice_on(reply.status, said);
  return {kRefused, fmt::format("refused ({}): {}{}{}", reply.status, said,
                                advice.empty() ? "" : "\n  ", advice)};
}

Failure unreachable(const Trouble& trouble) {
  return {kUnreachable,
          fmt::format("{}\n  {}", harmless(trouble.message),
                      trouble.is_connected
                          ? "whether it was carried out is not known; --timeout gives it more time"
                          : "does steerd run there, with data-directory set? --api or STEER_API "
                            "say where it is")};
}

void append_escaped(std::string& to, std::string_view text) {
  for (const char c : text) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                          std::string_view("-._~/:,").find(c) != std::string_view::npos;
    if (is_plain)
      to += c;
    else
      fmt::format_to(std::back_inserter(to), "%{:02X}", static_cast<unsigned char>(c));
  }
}

}  // namespace

Session::Session(const Options& options, const Access& access, Console& console)
    : options_(options),
      access_(access),
      console_(console),
      client_(access, std::chrono::seconds(options.number("timeout", 1, 86'400, 60))) {}

std::string Session::account_or_any() const {
  return access_.account.empty() ? "-" : access_.account;
}

Json Session::ask(const Request& request) {
  const auto reply = client_.ask(request);
  if (!reply) throw unreachable(reply.error());
  if (reply->status >= 300) throw refusal(*reply);
  Json body = Json::parse(reply->body, nullptr, false);
  if (!body.is_object() || !body.contains("success")) throw refusal(*reply);
  return body.contains("result") ? std::move(body.at("result")) : Json();
}

void Session::download(const std::string& target, const Sink& sink) {
  const auto reply = client_.ask({"GET", target}, sink);
  if (!reply) throw unreachable(reply.error());
  if (reply->status >= 300) throw refusal(*reply);
}

bool Session::print_as_json(const Json& result) {
  if (!options_.has("json")) return false;
  print(result.dump(2) + "\n");
  return true;
}

std::string query_of(Pairs pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) {
    if (value.empty()) continue;
    text += text.empty() ? '?' : '&';
    text += key;
    text += '=';
    append_escaped(text, value);
  }
  return text;
}

std::string cell(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "-";
  if (found->is_string()) {
    const auto& text = found->get_ref<const std::string&>();
    return text.empty() ? "-" : harmless(text);
  }
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  return harmless(found->dump());
}

std::string amount(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  const bool is_amount = found != object.end() && found->is_number_unsigned();
  return is_amount ? grouped(found->get<std::uint64_t>()) : cell(object, key);
}

std::uint64_t number(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

double rate(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string moment(const Json& object, std::string_view key) {
  std::string text = cell(object, key);
  if (text.size() < 19 || text[10] != 'T') return text;
  text[10] = ' ';
  return text.substr(0, 19);
}

ExitStatus run(const Options& options, const Environment& environment, Console& console) {
  const auto complain = [&console](std::string_view what) {
    console.error(fmt::format("steerctl: {}\n", what));
  };
  try {
    const auto access = access_of({.api = options.text("api"),
                                   .token_file = options.text("token-file"),
                                   .ca = options.text("ca"),
                                   .account = options.text("account")},
                                  environment);
    if (!access) throw UsageError(access.error());
    Session session(options, *access, console);
    carry_out(session);
    return kDone;
  } catch (const UsageError& error) {
    complain(error.what());
    return kUsage;
  } catch (const Failure& failure) {
    complain(failure.what());
    return failure.status;
  } catch (const Json::exception& error) {
    complain(
        fmt::format("the server's reply is not what the API says: {}", harmless(error.what())));
    return kRefused;
  }
}

}  // namespace control::ctl

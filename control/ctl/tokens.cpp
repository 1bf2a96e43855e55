// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "control/ctl/commands.hpp"

namespace control::ctl {

// The secret alone goes to standard output, so that it can be put into a variable.
void create_token(Session& session) {
  const Options& options = session.options();
  if (!options.has("role")) throw UsageError("token create needs --role read or --role write");
  Json body = {{"role", options.text("role")}};
  // Not from the environment: a token of one account is asked for as such.
  if (options.has("account")) body["account"] = options.text("account");
  if (options.has("name")) body["name"] = options.text("name");
  const std::string text = body.dump();
  const Json result = session.ask({"POST", "/steer/v1/tokens", text});
  if (session.print_as_json(result)) return;
  session.print(cell(result, "token") + "\n");
  session.console().error(fmt::format(
      "token {} ({}), {}, for {}; its secret is not shown again\n", result.at("number").dump(),
      cell(result, "name"), cell(result, "role"),
      result.at("account").is_null() ? "all accounts" : "account " + cell(result, "account")));
}

void list_tokens(Session& session) {
  const Json result = session.get("/steer/v1/tokens");
  if (session.print_as_json(result)) return;
  Table table({{"NUMBER", Table::Align::right},
               {"NAME"},
               {"ROLE"},
               {"ACCOUNT"},
               {"CREATED (UTC)"},
               {"REVOKED (UTC)"}});
  for (const Json& token : result)
    table.add({token.at("number").dump(), cell(token, "name"), cell(token, "role"),
               token.at("account").is_null() ? "(all)" : cell(token, "account"),
               moment(token, "created_at"), moment(token, "revoked_at")});
  session.print(table);
}

void revoke_tokens(Session& session) {
  const Options& options = session.options();
  for (const std::string& word : options.words)
    if (word.find_first_not_of("0123456789") != std::string::npos || word.size() > 9)
      throw UsageError(
          fmt::format("token revoke takes numbers, as token list shows them, not \"{}\"",
                      harmless(word.substr(0, 64))));
  Json all = Json::array();
  for (const std::string& word : options.words) {
    all.push_back(session.ask({"DELETE", "/steer/v1/tokens/" + word}));
    if (!options.has("json"))
      session.print(fmt::format("token {} ({}) is revoked\n", all.back().at("number").dump(),
                                cell(all.back(), "name")));
  }
  session.print_as_json(all);
}

}  // namespace control::ctl

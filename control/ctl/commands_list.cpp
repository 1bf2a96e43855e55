// SPDX-License-Identifier: BSD-3-Clause
#include <array>

#include "control/ctl/options.hpp"

namespace control::ctl {
namespace {

constexpr std::size_t kMany = 10'000;

}  // namespace

std::span<const Command> commands() {
  static const std::array kCommands{
      Command{Action::list_services,
              "services",
              "",
              0,
              0,
              {},
              "the services, with their ids",
              R"(
Example:
  steerctl services
)"},
      Command{Action::list_prefixes,
              "prefixes list",
              "",
              0,
              0,
              {},
              "the onboarded prefixes",
              R"(With --account only those of that account.

Examples:
  steerctl prefixes list
  steerctl prefixes list --json | jq -r '.[] | select(.service == null) | .cidr'
)"},
      Command{
          Action::add_prefix,
          "prefixes add",
          "CIDR",
          1,
          1,
          {"service", "asn", "description", "wait", "dry-run", "if-match"},
          "onboard a prefix, with or without its default binding",
          R"(Without --service the prefix is pending: known, but not steered. --account is needed where the token
is not of one account.

Examples:
  steerctl prefixes add 203.0.113.0/24 --service magic_transit --asn 64500 --wait
  steerctl prefixes add 2001:db8::/48 --description 'second site'
)"},
      Command{Action::delete_prefix,
              "prefixes delete",
              "CIDR",
              1,
              1,
              {"cascade", "wait", "dry-run", "yes", "allow-mass-change", "if-match"},
              "let go of a prefix",
              R"(A prefix with bindings goes only with --cascade, which deletes them too.

Examples:
  steerctl prefixes delete 203.0.113.0/24
  steerctl prefixes delete 203.0.113.0/24 --cascade --dry-run
)"},
      Command{
          Action::list_bindings,
          "bindings list",
          "",
          0,
          0,
          {"prefix", "service", "within", "address", "state", "limit", "order"},
          "the bindings, all or some, with what they carry",
          R"(A binding is listed where it fits all that is given. --state is provisioning, active or
magic_transit_route_missing; --order packets or rate lists the busiest first.

Examples:
  steerctl bindings list
  steerctl bindings list --service cdn --within 203.0.113.0/26
  steerctl bindings list --order rate --limit 10
)"},
      Command{Action::add_bindings,
              "bindings add",
              "CIDR... SERVICE",
              2,
              kMany,
              {"wait", "dry-run", "allow-mass-change", "if-match"},
              "bind blocks of addresses to a service",
              R"(All or none. A binding that equals its prefix is the default.

Examples:
  steerctl bindings add 203.0.113.1/32 cdn --wait
  steerctl bindings add 203.0.113.8/32 203.0.113.9/32 spectrum
)"},
      Command{
          Action::delete_bindings,
          "bindings delete",
          "[CIDR...]",
          0,
          kMany,
          {"prefix", "service", "within", "wait", "dry-run", "yes", "allow-mass-change",
           "if-match"},
          "delete bindings, by CIDR or all that fit",
          R"(All or none. Instead of CIDRs: --prefix, --service and --within, of which at least one is needed;
all bindings that fit them all are deleted, and many only after a question.

Examples:
  steerctl bindings delete 203.0.113.1/32
  steerctl bindings delete --service spectrum --within 203.0.113.0/26 --dry-run
)"},
      Command{Action::move_bindings,
              "bindings move",
              "CIDR... SERVICE",
              2,
              kMany,
              {"wait", "dry-run", "allow-mass-change", "if-match"},
              "change the service of bindings, without a gap",
              R"(All or none, in one step: no packet meets the service beneath.

Example:
  steerctl bindings move 203.0.113.1/32 spectrum --wait
)"},
      Command{
          Action::apply,
          "apply",
          "FILE",
          1,
          1,
          {"dry-run", "wait", "yes", "allow-mass-change", "if-match"},
          "make the state equal to a file",
          R"(What the file does not have is deleted. The difference is shown; more than 20 changes, or what the
guard against accidents would refuse, are made only after a question, or with --yes. Nothing is changed
where somebody else has changed something since the difference was shown. With --account, or a token of
one account, it is of that account alone, as export is. FILE - is standard input.

Examples:
  steerctl export >state.json; $EDITOR state.json; steerctl apply state.json
  steerctl apply state.json --dry-run
  git show HEAD:state.json | steerctl apply - --yes --wait
)"},
      Command{Action::export_state,
              "export",
              "",
              0,
              0,
              {"output"},
              "the whole state, as apply reads it",
              R"(To standard output, or to --output FILE, which is replaced when all has come.

Examples:
  steerctl export >state.json
  steerctl export --account 0123456789abcdef0123456789abcdef --output state.json
)"},
      Command{
          Action::explain,
          "explain",
          "ADDRESS",
          1,
          1,
          {"direction", "protocol", "port", "source", "source-port", "fragment", "kernel-path"},
          "which service has an address, and why",
          R"(Without options for any packet that arrives for the address; with them for one such packet.
--protocol is tcp, udp, icmp, icmpv6 or a number, --port that of the destination. It is about a port
with a kernel path if any port of the direction has one; --kernel-path true or false says which.

Examples:
  steerctl explain 203.0.113.1
  steerctl explain 203.0.113.1 --protocol tcp --port 443
  steerctl explain 203.0.113.1 --direction egress
)"},
      Command{
          Action::stats,
          "stats",
          "",
          0,
          0,
          {"all"},
          "what became of the packets, service by service, port by port",
          R"(Outcomes that no packet had are left out, but with --all. Not for tokens of one account.

Examples:
  steerctl stats
  steerctl stats --json | jq .outcomes.cdn_bound.packets
)"},
      Command{
          Action::top,
          "top",
          "",
          0,
          0,
          {"interval", "count", "limit", "service", "within", "prefix"},
          "the busiest bindings, again and again",
          R"(Every --interval seconds (1), --count times (until it is interrupted), --limit bindings (20).

Examples:
  steerctl top
  steerctl top --service cdn --interval 5
  steerctl top --count 1 --json
)"},
      Command{
          Action::history,
          "history",
          "",
          0,
          0,
          {"limit", "above", "below", "full"},
          "who changed what, and when",
          R"(The latest --limit (20; at most 1000) change sets; of each the first lines, or with --full all.

Examples:
  steerctl history
  steerctl history --above 100 --full
)"},
      Command{
          Action::rollback,
          "rollback",
          "GENERATION",
          1,
          1,
          {"dry-run", "wait", "yes", "allow-mass-change", "if-match"},
          "back to the state after a generation",
          R"(As apply: the difference is shown first, and many changes are made only after a question, or
with --yes. It is a change like others: the history goes on, and it can be taken back in turn.

Examples:
  steerctl rollback 41 --dry-run
  steerctl rollback 41
)"},
      Command{
          Action::create_token,
          "token create",
          "",
          0,
          0,
          {"role", "name"},
          "make a token, whose secret is shown once",
          R"(By the Unix socket alone. --role is read or write; without --account the token is for all accounts.
The secret is all that goes to standard output.

Example:
  steerctl --api unix:/run/steer/steer.sock token create --role write --account 0123456789abcdef
)"},
      Command{Action::list_tokens,
              "token list",
              "",
              0,
              0,
              {},
              "all tokens, without their secrets",
              R"(By the Unix socket alone.

Example:
  steerctl --api unix:/run/steer/steer.sock token list
)"},
      Command{Action::revoke_tokens,
              "token revoke",
              "NUMBER...",
              1,
              kMany,
              {},
              "revoke tokens",
              R"(By the Unix socket alone; from then on they are refused.

Example:
  steerctl --api unix:/run/steer/steer.sock token revoke 3
)"},
      Command{Action::status,
              "status",
              "",
              0,
              0,
              {},
              "how far changes have come on this host",
              R"(
Example:
  steerctl status
)"},
  };
  return kCommands;
}

}  // namespace control::ctl

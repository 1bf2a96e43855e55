// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl/commands.hpp"

namespace control::ctl {

void carry_out(Session& session) {
  switch (session.options().command->action) {
    case Action::list_services:
      return list_services(session);
    case Action::list_prefixes:
      return list_prefixes(session);
    case Action::add_prefix:
      return add_prefix(session);
    case Action::delete_prefix:
      return delete_prefix(session);
    case Action::list_bindings:
      return list_bindings(session);
    case Action::add_bindings:
    case Action::move_bindings:
      return change_bindings(session);
    case Action::delete_bindings:
      return delete_bindings(session);
    case Action::apply:
      return apply(session);
    case Action::export_state:
      return export_state(session);
    case Action::explain:
      return explain(session);
    case Action::stats:
      return show_stats(session);
    case Action::top:
      return show_top(session);
    case Action::history:
      return show_history(session);
    case Action::rollback:
      return roll_back(session);
    case Action::create_token:
      return create_token(session);
    case Action::list_tokens:
      return list_tokens(session);
    case Action::revoke_tokens:
      return revoke_tokens(session);
    case Action::status:
      return show_status(session);
  }
}

}  // namespace control::ctl

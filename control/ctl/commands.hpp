// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "control/ctl/session.hpp"

// What each command does. All throw Failure, UsageError or Json::exception.
namespace control::ctl {

void carry_out(Session& session);

// reading.cpp
void list_services(Session& session);
void list_prefixes(Session& session);
void explain(Session& session);
void show_stats(Session& session);
void show_history(Session& session);
void show_status(Session& session);

// listing.cpp
void list_bindings(Session& session);
void export_state(Session& session);
void show_top(Session& session);

// changing.cpp
void add_prefix(Session& session);
void delete_prefix(Session& session);
void change_bindings(Session& session);
void delete_bindings(Session& session);
void apply(Session& session);
void roll_back(Session& session);

// tokens.cpp
void create_token(Session& session);
void list_tokens(Session& session);
void revoke_tokens(Session& session);

}  // namespace control::ctl

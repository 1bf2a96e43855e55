// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "tests/support/program.hpp"

// steer-replay, as its user runs it.
namespace e2e {

inline const support::fs::path kSourceRoot = STEER_SOURCE_ROOT;
inline const support::fs::path kData = kSourceRoot / "tests/data";
// Larger captures with independently computed outcomes, where they are at hand.
inline const support::fs::path kShared = kSourceRoot / "../shared/data/captures";

using Words = std::vector<std::string>;

inline Words replay_command(const Words& arguments) {
  Words command{STEER_REPLAY};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

inline support::Program::Result replay(const Words& arguments, const std::string& input = "") {
  return support::run(replay_command(arguments), input);
}

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace e2e

// SPDX-License-Identifier: BSD-3-Clause
//
// steerctl: the operator's tool, a client of the API.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "control/ctl/options.hpp"
#include "control/ctl/session.hpp"

namespace {

using control::ctl::Console;
using control::ctl::Failure;

std::atomic<bool> g_is_interrupted{false};

const char* variable(const char* name) {
  return std::getenv(name);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

// Nothing can be done where nobody can be told.
void say(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void print(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return;
  const char* const why = std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): one thread
  throw Failure(control::ctl::kRefused, fmt::format("standard output: cannot be written: {}", why));
}

bool confirm(const std::string& question) {
  say(question);
  std::string answer;
  for (int c = 0; (c = std::getchar()) != EOF && c != '\n';) answer += static_cast<char>(c);
  return answer == "y" || answer == "Y" || answer == "yes";
}

bool pause_for(std::chrono::milliseconds time) {
  struct sigaction action{};
  action.sa_handler = [](int) { g_is_interrupted = true; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A signal ends the wait; one that came before is noticed.
  if (!g_is_interrupted) poll(nullptr, 0, static_cast<int>(time.count()));
  return !g_is_interrupted;
}

Console console() {
  const bool is_terminal = isatty(STDOUT_FILENO) == 1;
  return {.out = print,
          .error = say,
          .confirm = confirm,
          .pause = pause_for,
          .can_ask = isatty(STDIN_FILENO) == 1,
          .is_coloured = is_terminal && variable("NO_COLOR") == nullptr,
          .is_terminal = is_terminal};
}

int run(int argc, char** argv) {
  try {
    const control::ctl::Options options = control::ctl::parse_options(argc, argv);
    if (options.has("version")) {
      print(fmt::format("steerctl {}\n", STEER_VERSION));
      return control::ctl::kDone;
    }
    if (options.has("help")) {
      print(control::ctl::usage(options.command));
      return control::ctl::kDone;
    }
    Console people = console();
    return control::ctl::run(options, variable, people);
  } catch (const control::ctl::UsageError& error) {
    say(fmt::format("steerctl: {}\nsteerctl: try: steerctl --help\n", error.what()));
    return control::ctl::kUsage;
  }
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // writing fails instead, and is said
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    say(fmt::format("steerctl: {}\n", error.what()));
    return control::ctl::kRefused;
  }
}

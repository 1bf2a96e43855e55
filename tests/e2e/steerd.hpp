// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.hpp"
#include "tests/support/telemetry.hpp"

// steerd, as an operator runs it, in a folder of its own: no root, no hugepages, devices of memory
// and files.
namespace e2e {

using nlohmann::json;

// Waits for what must happen; false if it has not after 20 s.
inline bool within_limit(const auto& happened) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!happened()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

class Steerd {
 public:
  // lines: the configuration but for where files are. bindings: JSON.
  Steerd(const std::string& lines, const std::string& bindings) {
    setenv("RUNTIME_DIRECTORY", (scratch_ / "").c_str(), 1);
    write_bindings(bindings);
    write_configuration(lines);
  }
  ~Steerd() { unsetenv("RUNTIME_DIRECTORY"); }
  Steerd(const Steerd&) = delete;
  Steerd& operator=(const Steerd&) = delete;

  void write_bindings(const std::string& text) const {
    std::ofstream(scratch_ / "bindings.json") << text;
  }
  void write_configuration(const std::string& lines) const {
    std::ofstream(scratch_ / "steerd.conf")
        << "bindings = bindings.json\nrun-directory = run\nfile-prefix = test\n"
        << "descriptors = 256\n"
        << lines;
  }
  [[nodiscard]] support::fs::path operator/(const std::string& name) const {
    return scratch_ / name;
  }

  [[nodiscard]] std::vector<std::string> command() const {
    return {STEERD, "--config", (scratch_ / "steerd.conf").string()};
  }
  // Starts it, by a command before it if need be; true when it is ready.
  testing::AssertionResult start(std::vector<std::string> by = {}) {
    for (const std::string& word : command()) by.push_back(word);
    program_ = std::make_unique<support::Program>(by);
    telemetry_.reset();
    if (within_limit([&] { return has_logged("control: ready"); }))
      return testing::AssertionSuccess();
    return testing::AssertionFailure() << program_->error_so_far();
  }
  // True when the reload that was asked for now is acknowledged.
  bool reload() {
    const std::uint64_t next = ask("/steer/generation").at("active").get<std::uint64_t>() + 1;
    send(SIGHUP);
    return within_limit(
        [&] { return has_logged("generation " + std::to_string(next) + " active"); });
  }
  void send(int signal) const { program_->send(signal); }
  support::Program::Result stop() {
    program_->send(SIGTERM);
    return wait();
  }
  support::Program::Result wait() {
    telemetry_.reset();
    return program_->wait();
  }
  [[nodiscard]] bool has_logged(const std::string& text) const {
    return program_->error_so_far().find(text) != std::string::npos;
  }

  json ask(const std::string& command) {
    if (!telemetry_)
      telemetry_ = std::make_unique<support::Telemetry>(scratch_ / "dpdk/test/dpdk_telemetry.v2");
    return telemetry_->ask(command);
  }
  std::uint64_t count(const std::string& what) {
    return ask("/steer/outcomes").at(what).get<std::uint64_t>();
  }

 private:
  support::Scratch scratch_;
  std::unique_ptr<support::Program> program_;
  std::unique_ptr<support::Telemetry> telemetry_;
};

}  // namespace e2e

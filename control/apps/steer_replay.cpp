// SPDX-License-Identifier: BSD-3-Clause
//
// steer-replay: captures in, verdicts, counts and captures out.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/bindings_file.hpp"
#include "control/compile.hpp"
#include "control/replay/interruption.hpp"
#include "control/replay/options.hpp"
#include "control/replay/output_captures.hpp"
#include "control/replay/progress.hpp"
#include "control/replay/replay.hpp"
#include "control/replay/report.hpp"
#include "control/replay/verdict_file.hpp"
#include "dataplane/dpdk/eal.hpp"

namespace {

using control::replay::Block;
using control::replay::Options;

enum ExitStatus : int { kSteered = 0, kCaptureFailed = 1, kRefused = 2, kInterrupted = 130 };

void complain(const std::string& message) {
  fmt::print(stderr, "steer-replay: {}\n", message);
}

std::optional<control::CompiledTable> load_table(const Options& options) {
  const auto bindings = control::load_bindings(options.bindings, control::BindingRules());
  if (!bindings) {
    for (const control::FileError& error : bindings.error())
      complain(to_string(error, options.bindings));
    complain(fmt::format("{} error{} in the bindings; nothing was steered", bindings.error().size(),
                         bindings.error().size() == 1 ? "" : "s"));
    return std::nullopt;
  }
  constexpr std::uint64_t kFirstGeneration = 1;
  return control::compile(*bindings, options.settings, kFirstGeneration);
}

// All are opened before the first packet is steered, so that a wrong name costs nothing.
std::optional<std::vector<control::replay::DirectedCapture>> open_captures(const Options& options) {
  std::vector<control::replay::DirectedCapture> captures;
  bool failed = false;
  for (const Options::Input& input : options.captures) {
    auto capture = control::replay::Capture::open(input.path);
    if (!capture) {
      complain(capture.error());
      failed = true;
      continue;
    }
    captures.push_back({input.path, input.direction, std::move(*capture)});
  }
  if (failed) return std::nullopt;
  return captures;
}

// The files that packets and verdicts are written to, if any.
class Files {
 public:
  Files(const Options& options, const std::vector<control::Binding>& bindings) {
    std::vector<std::string> paths;
    std::vector<std::string> names;
    for (const Options::Input& input : options.captures) {
      paths.push_back(input.path);
      names.push_back(std::filesystem::path(input.path).filename().string());
    }
    if (!options.output_dir.empty()) captures_.emplace(options.output_dir, paths);
    if (!options.verdicts.empty()) verdicts_.emplace(options.verdicts, names, bindings);
  }

  [[nodiscard]] bool any() const { return captures_ || verdicts_; }
  void write(const Block& block) {
    if (captures_) captures_->write(block);
    if (verdicts_) verdicts_->write(block);
  }
  void close() {
    if (captures_) captures_->close();
    if (verdicts_) verdicts_->close();
  }

 private:
  std::optional<control::replay::OutputCaptures> captures_;
  std::optional<control::replay::VerdictFile> verdicts_;
};

bool wants_colour() {
  return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

void print(const control::replay::ReplayResult& result,
           const std::vector<control::Binding>& bindings, const Options& options) {
  control::replay::ReportOptions report{.colour = wants_colour()};
  if (options.all_bindings) report.bindings_max = std::numeric_limits<std::size_t>::max();
  fmt::print("{}",
             options.json ? json_of(result, bindings, report) : table_of(result, bindings, report));
  std::fflush(stdout);
}

std::uint64_t bytes_of(const std::vector<control::replay::DirectedCapture>& captures) {
  std::uint64_t bytes = 0;
  for (const auto& capture : captures) {
    if (capture.capture.bytes_total() == 0) return 0;  // a pipe: nobody knows
    bytes += capture.capture.bytes_total();
  }
  return bytes;
}

// Throws what stands in the way of a replay as std::exception.
int run(const Options& options) {
  std::optional<control::CompiledTable> table = load_table(options);
  if (!table) return kRefused;
  auto captures = open_captures(options);
  if (!captures) return kCaptureFailed;
  const std::vector<control::Binding> bindings = std::move(table->bindings_by_number);
  Files files(options, bindings);

  const control::replay::Interruption interruption;
  dataplane::dpdk::Eal eal(
      {.program = "steer-replay", .workers = options.workers, .extra = options.eal});
  control::replay::ReplayPlan plan;
  plan.workers = options.workers;
  plan.passes = options.repeat;
  plan.interrupted = &control::replay::Interruption::requested();
  plan.reader_starts = control::replay::Interruption::deliver_here;
  if (files.any()) plan.steered = [&files](const Block& block) { files.write(block); };
  std::optional<control::replay::Progress> progress(std::in_place, bytes_of(*captures));
  plan.progress = [&progress](std::uint64_t bytes) { progress->show(bytes); };

  const control::replay::ReplayResult result =
      control::replay::replay(eal, std::move(table->table), *captures, plan);
  progress.reset();
  files.close();
  print(result, bindings, options);
  for (const std::string& error : result.errors) complain(error);
  if (result.was_interrupted) return kInterrupted;
  return result.errors.empty() ? kSteered : kCaptureFailed;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = control::replay::parse_options(argc, argv);
  if (!options) {
    complain(options.error());
    complain("try: steer-replay --help");
    return kRefused;
  }
  if (options->help) {
    fmt::print("{}", control::replay::usage());
    return kSteered;
  }
  if (options->version) {
    fmt::print("steer-replay {}\n", STEER_VERSION);
    return kSteered;
  }
  try {
    return run(*options);
  } catch (const std::exception& error) {
    complain(error.what());
    return kCaptureFailed;
  }
}

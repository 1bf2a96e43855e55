// SPDX-License-Identifier: BSD-3-Clause
//
// steer-replay: captures in, verdicts, counts and captures out.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "control/bindings_file.hpp"
#include "control/compile.hpp"
#include "control/replay/interruption.hpp"
#include "control/replay/options.hpp"
#include "control/replay/output_captures.hpp"
#include "control/replay/paths.hpp"
#include "control/replay/progress.hpp"
#include "control/replay/replay.hpp"
#include "control/replay/report.hpp"
#include "control/replay/verdict_file.hpp"
#include "dataplane/dpdk/eal.hpp"

namespace {

using control::replay::Block;
using control::replay::Options;

enum ExitStatus : int { kSteered = 0, kFailed = 1, kRefused = 2, kInterrupted = 130 };

// Nothing can be done where nobody can be told.
void complain(const std::string& message) {
  std::fputs(("steer-replay: " + message + "\n").c_str(), stderr);
}

// False if standard output does not take it, which has been said then.
bool print(const std::string& text) {
  errno = 0;
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return true;
  complain(fmt::format("standard output: cannot be written: {}", std::strerror(errno)));
  return false;
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
      failed = true;
      if (control::replay::Interruption::requested()) break;
      complain(capture.error());
      continue;
    }
    captures.push_back({input.path, input.direction, std::move(*capture)});
  }
  if (failed) return std::nullopt;
  return captures;
}

// The name of each capture in the verdicts: that of the file, or the whole path where two captures
// share that name.
std::vector<std::string> names_of(const std::vector<Options::Input>& captures) {
  const auto file_name = [](const Options::Input& input) {
    return std::filesystem::path(input.path).filename().string();
  };
  std::vector<std::string> names;
  for (const Options::Input& input : captures) {
    const bool is_shared = std::ranges::any_of(captures, [&](const Options::Input& other) {
      return other.path != input.path && file_name(other) == file_name(input);
    });
    names.push_back(is_shared ? input.path : file_name(input));
  }
  return names;
}

std::vector<std::filesystem::path> outputs_of(const Options& options) {
  std::vector<std::filesystem::path> outputs;
  if (!options.output_dir.empty())
    outputs = control::replay::OutputCaptures::paths_in(options.output_dir);
  if (!options.verdicts.empty()) outputs.emplace_back(options.verdicts);
  return outputs;
}

std::optional<std::string> clash_of(const Options& options) {
  std::vector<std::filesystem::path> inputs{options.bindings};
  for (const Options::Input& input : options.captures) inputs.emplace_back(input.path);
  return control::replay::clash_of(inputs, outputs_of(options));
}

// The files that packets and verdicts are written to, if any.
class Files {
 public:
  // Throws std::runtime_error if one of them cannot be written, before any is replaced.
  Files(const Options& options, const std::vector<control::Binding>& bindings) {
    if (const std::optional<std::string> obstacle =
            control::replay::obstacle_to(outputs_of(options), options.output_dir))
      throw std::runtime_error(*obstacle);
    // First: the verdicts may go there, too.
    if (!options.output_dir.empty())
      control::replay::OutputCaptures::make_directory(options.output_dir);
    if (!options.verdicts.empty())
      verdicts_.emplace(options.verdicts, names_of(options.captures), bindings);
    if (!options.output_dir.empty()) captures_.emplace(options.output_dir);
  }

  [[nodiscard]] bool any() const { return captures_ || verdicts_; }
  void write(const Block& block) {
    if (captures_) captures_->write(block);
    if (verdicts_) verdicts_->write(block);
  }
  // Returns what went wrong, if anything.
  std::string close() {
    try {
      if (captures_) captures_->close();
      if (verdicts_) verdicts_->close();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }

 private:
  std::optional<control::replay::OutputCaptures> captures_;
  std::optional<control::replay::VerdictFile> verdicts_;
};

bool wants_colour() {
  return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

bool report(const control::replay::ReplayResult& result,
            const std::vector<control::Binding>& bindings, const Options& options) {
  control::replay::ReportOptions report{.colour = wants_colour()};
  if (options.all_bindings) report.bindings_max.reset();
  return print(options.json ? json_of(result, bindings, report)
                            : table_of(result, bindings, report));
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
  if (const std::optional<std::string> clash = clash_of(options)) {
    complain(*clash);
    return kRefused;
  }
  std::optional<control::CompiledTable> table = load_table(options);
  if (!table) return kRefused;
  const std::vector<control::Binding> bindings = std::move(table->bindings_by_number);
  const control::replay::Interruption interruption;
  auto captures = open_captures(options);
  if (!captures && control::replay::Interruption::requested()) {
    // Standard input had not begun yet.
    control::replay::ReplayResult nothing;
    nothing.generation = table->table->generation();
    nothing.bindings.resize(bindings.size());
    nothing.was_interrupted = true;
    return report(nothing, bindings, options) ? kInterrupted : kFailed;
  }
  if (!captures) {
    complain("nothing was steered");
    return kFailed;
  }

  control::replay::Interruption::hold();
  dataplane::dpdk::EalOptions eal_options;
  eal_options.program = "steer-replay";
  eal_options.workers = options.workers;
  eal_options.extra = options.eal;
  dataplane::dpdk::Eal eal(eal_options);
  Files files(options, bindings);  // the last that can fail: what is there is replaced from here on
  control::replay::ReplayPlan plan;
  plan.workers = options.workers;
  plan.passes = options.repeat;
  plan.interrupted = &control::replay::Interruption::requested();
  plan.reader_starts = control::replay::Interruption::deliver_here;
  if (files.any()) plan.steered = [&files](const Block& block) { files.write(block); };
  std::optional<control::replay::Progress> progress(std::in_place, bytes_of(*captures));
  plan.progress = [&progress](std::uint64_t bytes) { progress->show(bytes); };

  control::replay::ReplayResult result =
      control::replay::replay(eal, std::move(table->table), *captures, plan);
  progress.reset();
  const std::string close_error = files.close();
  if (result.output_error.empty()) result.output_error = close_error;
  if (!result.output_error.empty()) result.errors.push_back(result.output_error);
  const bool is_printed = report(result, bindings, options);
  for (const std::string& error : result.errors) complain(error);
  if (!is_printed || !result.errors.empty()) return kFailed;
  return result.was_interrupted ? kInterrupted : kSteered;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = control::replay::parse_options(argc, argv);
  if (!options) {
    complain(options.error());
    complain("try: steer-replay --help");
    return kRefused;
  }
  if (options->help) return print(control::replay::usage()) ? kSteered : kFailed;
  if (options->version)
    return print(fmt::format("steer-replay {}\n", STEER_VERSION)) ? kSteered : kFailed;
  try {
    return run(*options);
  } catch (const dataplane::dpdk::EalError& error) {
    complain(error.what());
    return kRefused;
  } catch (const std::exception& error) {
    complain(error.what());
    return kFailed;
  }
}

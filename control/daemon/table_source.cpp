// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/table_source.hpp"

#include <fmt/format.h>

#include <utility>

#include "control/bindings_file.hpp"
#include "control/daemon/instance.hpp"
#include "control/daemon/keys.hpp"

namespace control::daemon {

TableSource::TableSource(const std::vector<const char*>& arguments, std::uint32_t bindings_max)
    : arguments_(arguments), maker_(bindings_max) {}

Prepared TableSource::start(const Config& config, BindingSet bindings, std::uint64_t generation) {
  generation_ = generation - 1;
  auto first = next(config, std::move(bindings));
  if (!first) throw StartError(first.error().message);
  return std::move(*first);
}

std::expected<TableSource::Loaded, Errors> TableSource::load_again() {
  auto config = parse_config(static_cast<int>(arguments_.size()), arguments_.data());
  if (!config) return std::unexpected(config.error());
  auto bindings = load_bindings(config->bindings, config->rules);
  if (!bindings) {
    Errors errors;
    for (const FileError& error : bindings.error())
      errors.push_back(to_string(error, config->bindings.string()));
    return std::unexpected(std::move(errors));
  }
  auto prepared = next(*config, std::move(*bindings));
  if (!prepared)
    return std::unexpected(
        Errors{fmt::format("{}: {}", config->bindings.string(), prepared.error().message)});
  return Loaded{std::move(*config), std::move(*prepared)};
}

std::expected<Prepared, std::string> TableSource::prepare(const Delta& delta,
                                                          const BindingSet& bindings,
                                                          std::uint64_t generation) {
  auto table = maker_.prepare(delta, wanted_ != nullptr ? wanted_ : policy_, generation);
  if (!table) {
    wanted_.reset();
    return std::unexpected(std::move(table.error().message));
  }
  try {
    return prepared(std::move(*table), delta, bindings);
  } catch (...) {
    abandon();
    throw;
  }
}

void TableSource::commit() noexcept {
  maker_.commit();
  if (wanted_ != nullptr) policy_ = std::exchange(wanted_, nullptr);
}

void TableSource::abandon() noexcept {
  maker_.abandon();
  wanted_.reset();
}

void TableSource::set_settings(const dataplane::Settings& settings) {
  wanted_ = policy_of(settings);
}

std::shared_ptr<const dataplane::Policy> TableSource::policy_of(
    const dataplane::Settings& settings) const {
  const bool is_same = policy_ != nullptr && policy_->settings() == settings;
  return is_same ? policy_ : std::make_shared<const dataplane::Policy>(settings);
}

std::expected<Prepared, TableError> TableSource::next(const Config& config, BindingSet bindings) {
  const Delta delta = difference(bindings_, bindings);
  auto policy = policy_of(config.settings);
  auto table = maker_.prepare(delta, policy, generation_ + 1);
  if (!table) return std::unexpected(std::move(table.error()));
  Prepared made;
  try {
    made = prepared(std::move(*table), delta, bindings);
  } catch (...) {
    maker_.abandon();
    throw;
  }
  maker_.commit();
  bindings_ = std::move(bindings);
  policy_ = std::move(policy);
  ++generation_;
  return made;
}

}  // namespace control::daemon

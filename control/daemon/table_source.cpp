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

Prepared TableSource::start(const Config& config, BindingSet bindings,
                            dataplane::HostAddresses hosts, std::uint64_t generation) {
  generation_ = generation - 1;
  auto first = next(std::make_shared<const dataplane::Policy>(config.settings, std::move(hosts)),
                    std::move(bindings));
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
  auto prepared = next(policy_of(config->settings), std::move(*bindings));
  if (!prepared)
    return std::unexpected(
        Errors{fmt::format("{}: {}", config->bindings.string(), prepared.error().message)});
  return Loaded{std::move(*config), std::move(*prepared)};
}

std::expected<Prepared, std::string> TableSource::prepare(const Delta& delta,
                                                          const BindingSet& bindings,
                                                          std::uint64_t generation) {
  auto table = maker_.prepare(delta, policy_at_hand(), generation);
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

void TableSource::set_host_addresses(dataplane::HostAddresses hosts) {
  wanted_ =
      std::make_shared<const dataplane::Policy>(policy_at_hand()->settings(), std::move(hosts));
}

std::expected<Prepared, TableError> TableSource::with(dataplane::HostAddresses hosts) {
  return next(std::make_shared<const dataplane::Policy>(policy_->settings(), std::move(hosts)),
              bindings_);
}

TableSource::PolicyHandle TableSource::policy_of(const dataplane::Settings& settings) const {
  const PolicyHandle& at_hand = policy_at_hand();
  if (at_hand->settings() == settings) return at_hand;
  return std::make_shared<const dataplane::Policy>(settings, at_hand->host_addresses());
}

std::expected<Prepared, TableError> TableSource::next(PolicyHandle policy, BindingSet bindings) {
  const Delta delta = difference(bindings_, bindings);
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

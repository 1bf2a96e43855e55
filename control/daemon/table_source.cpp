// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon/table_source.hpp"

#include <fmt/format.h>

#include <utility>

#include "control/bindings_file.hpp"
#include "control/daemon/instance.hpp"
#include "control/daemon/keys.hpp"

namespace control::daemon {

TableSource::TableSource(const std::vector<const char*>& arguments, std::uint32_t bindings_max,
                         MapRoom* room)
    : arguments_(arguments), maker_(bindings_max), room_(room) {}

Prepared TableSource::start(const Config& config, BindingSet bindings,
                            dataplane::HostAddresses hosts, std::uint64_t generation) {
  generation_ = generation - 1;
  auto first = next(std::make_shared<const dataplane::Policy>(config.settings, std::move(hosts)),
                    std::move(bindings));
  if (!first) throw StartError(first.error());
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
        Errors{fmt::format("{}: {}", config->bindings.string(), prepared.error())});
  return Loaded{std::move(*config), std::move(*prepared)};
}

std::expected<Prepared, std::string> TableSource::prepare(const Delta& delta,
                                                          const BindingSet& bindings,
                                                          std::uint64_t generation) {
  return make(delta, policy_at_hand(), bindings, generation);
}

std::expected<Prepared, std::string> TableSource::make(const Delta& delta,
                                                       const PolicyHandle& policy,
                                                       const BindingSet& bindings,
                                                       std::uint64_t generation) {
  auto table = maker_.prepare(delta, policy, generation);
  if (!table) {
    wanted_.reset();
    return std::unexpected(std::move(table.error().message));
  }
  try {
    if (room_ != nullptr) {
      if (auto reserved = room_->reserve(delta, generation); !reserved) {
        abandon();
        return std::unexpected(std::move(reserved.error()));
      }
    }
    return prepared(std::move(*table), delta, bindings);
  } catch (...) {
    abandon();
    throw;
  }
}

void TableSource::commit() noexcept {
  maker_.commit();
  if (room_ != nullptr) room_->commit();
  if (wanted_ != nullptr) policy_ = std::exchange(wanted_, nullptr);
}

void TableSource::abandon() noexcept {
  maker_.abandon();
  if (room_ != nullptr) room_->abandon();
  wanted_.reset();
}

void TableSource::set_settings(const dataplane::Settings& settings) {
  wanted_ = policy_of(settings);
}

void TableSource::set_host_addresses(dataplane::HostAddresses hosts) {
  wanted_ =
      std::make_shared<const dataplane::Policy>(policy_at_hand()->settings(), std::move(hosts));
}

std::expected<Prepared, std::string> TableSource::with(dataplane::HostAddresses hosts) {
  return next(std::make_shared<const dataplane::Policy>(policy_->settings(), std::move(hosts)),
              bindings_);
}

TableSource::PolicyHandle TableSource::policy_of(const dataplane::Settings& settings) const {
  const PolicyHandle& at_hand = policy_at_hand();
  if (at_hand->settings() == settings) return at_hand;
  return std::make_shared<const dataplane::Policy>(settings, at_hand->host_addresses());
}

std::expected<Prepared, std::string> TableSource::next(PolicyHandle policy, BindingSet bindings) {
  const Delta delta = difference(bindings_, bindings);
  auto made = make(delta, policy, bindings, generation_ + 1);
  if (!made) return made;
  commit();
  bindings_ = std::move(bindings);
  policy_ = std::move(policy);
  ++generation_;
  return made;
}

}  // namespace control::daemon

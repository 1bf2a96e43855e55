// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "control/binding_set.hpp"
#include "control/daemon/config.hpp"
#include "control/daemon/map_room.hpp"
#include "control/daemon/publication.hpp"
#include "control/numbering.hpp"
#include "control/table_maker.hpp"

namespace control::daemon {

// Where tables come from: the bindings, and what makes the next table of them. The thread of the
// store owns it: from the daemon's start on everything here is called by that thread alone, one
// call after another, so that memory of old tables is never reclaimed while one is made. Only
// numbering().find() is for any thread.
class TableSource {
 public:
  // arguments: of the command line, for load_again(). bindings_max: as TableMaker's. room: of the
  // XDP programs' map, for what tables need of it; null: there are none.
  TableSource(const std::vector<const char*>& arguments, std::uint32_t bindings_max, MapRoom* room);

  // The first table. generation: 1, or what the API's store is at. Throws StartError.
  [[nodiscard]] Prepared start(const Config& config, BindingSet bindings,
                               dataplane::HostAddresses hosts, std::uint64_t generation);

  struct Loaded {
    Config config;
    Prepared next;
  };
  // Reads configuration and bindings again, and makes the table that has what is different. On an
  // error nothing has changed. As long as reading takes, and comparing; the table itself goes with
  // what is different.
  [[nodiscard]] std::expected<Loaded, Errors> load_again();

  // The table with other addresses of the host. On an error nothing has changed. Throws
  // std::bad_alloc.
  [[nodiscard]] std::expected<Prepared, std::string> with(dataplane::HostAddresses hosts);

  // Where the API says what to steer by: the table after `delta`, which leads to `bindings`. Then
  // either commit(), or abandon(), which is also what an error comes to.
  [[nodiscard]] std::expected<Prepared, std::string> prepare(const Delta& delta,
                                                             const BindingSet& bindings,
                                                             std::uint64_t generation);
  void commit() noexcept;
  void abandon() noexcept;
  // Of the table that is prepared next, and if that is committed, of all from then on. Throws
  // std::bad_alloc.
  void set_settings(const dataplane::Settings& settings);
  void set_host_addresses(dataplane::HostAddresses hosts);
  // Of the newest table.
  [[nodiscard]] std::shared_ptr<const dataplane::Policy> policy() const { return policy_; }

  // Generation `active` is.
  void reclaim(std::uint64_t active) noexcept { maker_.reclaim(active); }

  [[nodiscard]] Numbering& numbering() noexcept { return maker_.numbering(); }
  [[nodiscard]] const Numbering& numbering() const noexcept { return maker_.numbering(); }

 private:
  using PolicyHandle = std::shared_ptr<const dataplane::Policy>;

  // The policy of the next table, unless that is to have another.
  [[nodiscard]] const PolicyHandle& policy_at_hand() const noexcept {
    return wanted_ != nullptr ? wanted_ : policy_;
  }
  [[nodiscard]] PolicyHandle policy_of(const dataplane::Settings& settings) const;
  [[nodiscard]] std::expected<Prepared, std::string> next(PolicyHandle policy, BindingSet bindings);

  // With all that the table needs reserved; commit() or abandon() follows.
  [[nodiscard]] std::expected<Prepared, std::string> make(const Delta& delta,
                                                          const PolicyHandle& policy,
                                                          const BindingSet& bindings,
                                                          std::uint64_t generation);

  const std::vector<const char*>& arguments_;
  BindingSet bindings_;
  TableMaker maker_;
  MapRoom* room_;
  PolicyHandle policy_;           // of the last table
  PolicyHandle wanted_;           // of the next; null: the same
  std::uint64_t generation_ = 0;  // of the last table
};

}  // namespace control::daemon

// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as a sequence of operations on a table, against a linear scan. The first byte says
// which family; then an operation a byte, with what it needs behind it. Prefixes lie close to each
// other: what goes wrong goes wrong among neighbours.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/support/linear_scan.hpp"

namespace {

// More would only make the scan slow.
constexpr std::size_t kOperationsMax = 400;
constexpr std::size_t kAliveMax = 6;

void require(bool holds) {
  if (!holds) std::abort();
}

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool is_empty() const { return bytes_.empty(); }
  // 0 behind the end.
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

template <class Address>
class Machine {
 public:
  explicit Machine(Input input) : input_(input) { keep(); }

  void run() {
    for (std::size_t i = 0; i < kOperationsMax && !input_.is_empty(); ++i) step();
    if (is_prepared()) settle(true);
    const auto wrong = fib_.verify();
    require(!wrong.has_value());
    require(fib_.size() == routes_.size());
    lpm::RouteSet<Address> built;
    for (const auto& [prefix, value] : fib_.routes()) {
      require(routes_.find(prefix) == value);
      built.insert(prefix, value);
    }
    // The same in one go.
    check(lpm::Trie<Address>(built), support::LinearScan(routes_));
    for (const Kept& kept : kept_) check(kept.trie, kept.oracle);
  }

 private:
  using Prefix = lpm::Prefix<Address>;
  struct Kept {
    std::uint64_t generation;
    lpm::Trie<Address> trie;
    support::LinearScan<Address> oracle;
  };

  void step() {
    const unsigned operation = input_.byte();
    switch (operation % 8) {
      case 0:
      case 1:
      case 2:
        changes_.push_back({prefix(), value()});
        break;
      case 3:
        changes_.push_back({prefix(), lpm::kNoMatch});
        break;
      case 4:
        run_of_changes(operation / 8);
        break;
      case 5:
        if (is_prepared())
          settle(true);
        else
          prepare();
        break;
      case 6:
        if (is_prepared()) settle(false);
        break;
      default:
        reclaim(operation / 8);
        break;
    }
  }

  // As many neighbours as fill a node, or leave it.
  void run_of_changes(unsigned shape) {
    const Prefix first = prefix();
    const lpm::Value same = value();
    auto wire = first.network().to_wire();
    const unsigned byte = first.length() == 0 ? 0 : (first.length() - 1) / 8;
    const unsigned by = 1U << (7 - (first.length() + 7) % 8);
    for (unsigned i = 0; i < 1U << (1 + shape % 8); ++i) {
      wire[byte] = static_cast<std::uint8_t>(wire[byte] + by);
      const lpm::Value each = shape % 3 == 0 ? lpm::kNoMatch : shape % 3 == 1 ? same : same + i;
      changes_.push_back(
          {Prefix::enclosing(Address::from_wire(wire.data()), first.length()), each});
      noted_.push_back(changes_.back().prefix);
    }
  }

  // One that was named before, perhaps of another length, or a new one: all zeros but for a few
  // bytes.
  Prefix prefix() {
    const unsigned how = input_.byte();
    const unsigned length = input_.byte() % (Address::kBits + 1);
    if (!noted_.empty() && how % 2 == 0) {
      const Prefix known = noted_[how / 2 % noted_.size()];
      return how % 4 == 0 ? known : Prefix::enclosing(known.network(), length);
    }
    std::array<std::uint8_t, Address::kBytes> wire{};
    for (unsigned i = 0; i < 1 + how / 2 % 4; ++i) {
      const std::uint8_t at = input_.byte();
      wire[at % wire.size()] = static_cast<std::uint8_t>(input_.byte());
    }
    noted_.push_back(Prefix::enclosing(Address::from_wire(wire.data()), length));
    return noted_.back();
  }
  // Of all sizes.
  lpm::Value value() {
    const unsigned bits = input_.byte();
    const lpm::Value found = (bits % 8 + 1U) << (bits / 8);
    return found == lpm::kNoMatch ? ~lpm::Value{0} : found;
  }

  [[nodiscard]] bool is_prepared() const { return prepared_.has_value(); }
  void prepare() {
    const auto trie = fib_.prepare(changes_);
    require(trie.has_value());
    prepared_ = made(changes_);
    changes_.clear();
    check(*trie, support::LinearScan<Address>(*prepared_));
    check(kept_.back().trie, kept_.back().oracle);
  }
  void settle(bool is_committed) {
    if (is_committed) {
      fib_.commit();
      routes_ = std::move(*prepared_);
    } else {
      fib_.abandon();
    }
    prepared_.reset();
    keep();
    require(!fib_.verify().has_value());
  }
  [[nodiscard]] lpm::RouteSet<Address> made(std::span<const lpm::Change<Address>> changes) const {
    lpm::RouteSet<Address> routes = routes_;
    for (const auto& [prefix, value] : changes)
      if (value == lpm::kNoMatch)
        routes.remove(prefix);
      else
        routes.insert(prefix, value);
    return routes;
  }

  // The current generation, which gives up the oldest if there are many.
  void keep() {
    kept_.push_back({fib_.generation(), fib_.current(), support::LinearScan(routes_)});
    check(kept_.back().trie, kept_.back().oracle);
    if (kept_.size() > kAliveMax) reclaim(kept_.size() / 2);
  }
  // All but the newest few. Each is asked once more before.
  void reclaim(std::size_t newest) {
    newest = 1 + newest % kAliveMax;
    const std::uint64_t current = fib_.generation();
    while (kept_.size() > newest && kept_.front().generation != current) {
      const Kept& oldest = kept_.front();
      check(oldest.trie, oldest.oracle);
      // What a generation used may be in use by others that were kept under its number.
      const std::uint64_t generation = oldest.generation;
      kept_.pop_front();
      if (kept_.front().generation > generation) fib_.reclaim(generation);
    }
  }

  // In every form, where prefixes begin and end.
  void check(const lpm::Trie<Address>& trie, const support::LinearScan<Address>& oracle) const {
    std::vector<Address> addresses{{}};
    // The last ones: earlier ones were asked before.
    const std::size_t first = noted_.size() < 40 ? 0 : noted_.size() - 40;
    for (const Prefix& prefix : std::span(noted_).subspan(first)) {
      addresses.push_back(prefix.network());
      auto wire = prefix.network().to_wire();
      for (unsigned bit = prefix.length(); bit < Address::kBits; ++bit)
        wire[bit / 8] = static_cast<std::uint8_t>(wire[bit / 8] | 1U << (7 - bit % 8));
      addresses.push_back(Address::from_wire(wire.data()));
    }
    std::vector<lpm::Value> expected;
    for (const Address address : addresses) expected.push_back(oracle.lookup(address));
    std::vector<lpm::Value> values(addresses.size());
    for (const auto name : lpm::Trie<Address>::instruction_sets()) {
      const auto form = trie.with_instruction_set(name);
      for (std::size_t i = 0; i < addresses.size(); ++i)
        require(form.lookup(addresses[i]) == expected[i]);
      const std::size_t burst = 1 + noted_.size() % lpm::Trie<Address>::kBurstMax;
      for (std::size_t i = 0; i < addresses.size(); i += burst) {
        const std::size_t count = std::min(burst, addresses.size() - i);
        form.lookup_burst(std::span<const Address>(addresses).subspan(i, count),
                          std::span(values).subspan(i, count));
      }
      require(values == expected);
    }
  }

  Input input_;
  lpm::Fib<Address> fib_{lpm::transparent_huge_pages(), 1024};
  lpm::RouteSet<Address> routes_;
  std::vector<lpm::Change<Address>> changes_;       // of the next change set
  std::optional<lpm::RouteSet<Address>> prepared_;  // what is prepared, if anything
  std::vector<Prefix> noted_;
  std::deque<Kept> kept_;  // the current one last
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Input input(std::span(data, size).subspan(1));
  if (data[0] % 2 == 0)
    Machine<lpm::Address4>(input).run();
  else
    Machine<lpm::Address6>(input).run();
  return 0;
}

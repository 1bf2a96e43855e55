// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/xdp/prefix_map.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/xdp/layout.h"
#include "dataplane/xdp/maps.hpp"

namespace dataplane::xdp {
namespace {

Net net_of(const lpm::Prefix4& prefix) noexcept {
  const lpm::Address6 network{std::uint64_t{prefix.network().bits} << 32, 0};
  return {STEER_IPV4, lpm::Prefix6::enclosing(network, prefix.length())};
}
Net net_of(const lpm::Prefix6& prefix) noexcept {
  return {STEER_IPV6, prefix};
}
Net net_of(const lpm::AnyPrefix& prefix) {
  return std::visit([](const auto& any) { return net_of(any); }, prefix);
}
Net net_of(lpm::Address4 address) noexcept {
  return net_of(lpm::Prefix4::enclosing(address, lpm::Address4::kBits));
}
Net net_of(lpm::Address6 address) noexcept {
  return net_of(lpm::Prefix6::enclosing(address, lpm::Address6::kBits));
}

bool overlap(const Net& a, const Net& b) noexcept {
  return a.family == b.family && a.prefix.overlaps(b.prefix);
}

lpm::AnyPrefix cidr(std::string_view text) {
  return lpm::parse_prefix(text).value();
}

// Row 3 of the semantics, as in dataplane/table.cpp.
const std::array<lpm::AnyPrefix, 7>& local_scope() {
  static const std::array kLocalScope{
      cidr("127.0.0.0/8"), cidr("169.254.0.0/16"), cidr("224.0.0.0/4"), cidr("255.255.255.255/32"),
      cidr("::1/128"),     cidr("fe80::/10"),      cidr("ff00::/8"),
  };
  return kLocalScope;
}

std::uint32_t first_block_of(const Net& net) noexcept {
  return net.prefix.network().slice(0, STEER_BLOCK_BITS);
}
bool is_longer(const Net& net) noexcept {
  return net.prefix.length() > STEER_BLOCK_BITS;
}
Net block_at(std::uint32_t family, std::uint32_t block) noexcept {
  const lpm::Address6 network{std::uint64_t{block} << (64 - STEER_BLOCK_BITS), 0};
  return {family, lpm::Prefix6::enclosing(network, STEER_BLOCK_BITS)};
}
Net block_around(const Net& net) noexcept {
  return {net.family, lpm::Prefix6::enclosing(net.prefix.network(), STEER_BLOCK_BITS)};
}

std::uint8_t state_of(std::optional<Onboarding> onboarding) noexcept {
  if (!onboarding) return 0;
  return *onboarding == Onboarding::steered ? STEER_STEERED : STEER_PENDING;
}
constexpr std::uint8_t kOnboardedBits = STEER_STEERED | STEER_PENDING;

}  // namespace

// What is in the kernel's maps, and how to get from there to what is wanted.
//
// Invariants, of each block of 24 bits, between two changes:
//   1. shorter_ has the prefixes of up to 24 bits; they do not overlap, so at most one covers it.
//   2. longer_ has the others and the host's addresses; the kernel's `longer` holds the same.
//   3. The block has the state of what covers it, and is marked as mixed where something of longer_
//      lies in it.
// An entry of `longer` is put before its block is marked, and removed after the mark.
class PrefixMap::Editor {
 public:
  explicit Editor(std::uint32_t longer_max) : maps_(longer_max) {}

  // In these bits of its state, the prefix becomes `bits`.
  struct Edit {
    Net net;
    std::uint8_t mask;
    std::uint8_t bits;
  };
  // All or none. Returns the kernel's errno.
  std::expected<void, int> apply(std::span<const Edit> edits) {
    Change change;
    for (const Edit& edit : edits) stage(edit, change);
    const auto made = commit(change);
    if (made) return {};
    undo(change);
    return made;
  }

  [[nodiscard]] Descriptors descriptors() const noexcept { return maps_.descriptors(); }

 private:
  using States = std::map<Net, std::uint8_t>;
  struct Step {
    Net net;
    std::uint8_t before;
    std::uint8_t after;
  };
  struct Change {
    std::vector<Step> shorter;
    std::vector<Step> longer;
  };

  static std::uint8_t find(const States& states, const Net& net) noexcept {
    const auto it = states.find(net);
    return it == states.end() ? std::uint8_t{0} : it->second;
  }
  static void set(States& states, const Net& net, std::uint8_t after, std::vector<Step>& steps) {
    const std::uint8_t before = find(states, net);
    if (before == after) return;
    steps.push_back({net, before, after});
    write(states, net, after);
  }
  static void write(States& states, const Net& net, std::uint8_t state) {
    if (state == 0)
      states.erase(net);
    else
      states[net] = state;
  }

  void stage(const Edit& edit, Change& change) {
    States& states = is_longer(edit.net) ? longer_ : shorter_;
    const auto kept = static_cast<std::uint8_t>(find(states, edit.net) & ~edit.mask);
    set(states, edit.net, kept | edit.bits, is_longer(edit.net) ? change.longer : change.shorter);
  }

  static bool contains(const Net& outer, const Net& inner) noexcept {
    return outer.family == inner.family && outer.prefix.contains(inner.prefix);
  }
  [[nodiscard]] bool is_mixed(const Net& block) const noexcept {
    // A block comes before everything inside it.
    const auto it = longer_.lower_bound(block);
    return it != longer_.end() && contains(block, it->first);
  }
  [[nodiscard]] std::uint8_t cover_of(const Net& block) const noexcept {
    auto it = shorter_.upper_bound(block);
    if (it == shorter_.begin()) return 0;
    --it;
    return contains(it->first, block) ? it->second : std::uint8_t{0};
  }

  std::expected<void, int> commit(const Change& change) {
    std::vector<Maps::Entry> put;
    std::vector<Net> removed;
    for (const Step& step : change.longer) {
      if (step.after != 0)
        put.push_back({step.net, step.after});
      else
        removed.push_back(step.net);
    }
    for (const Maps::Entry& entry : put) maps_.announce(entry.net);
    std::expected<void, int> made = maps_.put(put);
    if (!made) return made;
    write_blocks(change);
    if (!removed.empty() && (!put.empty() || !change.shorter.empty())) await_programs();
    made = maps_.remove(removed);
    if (made) count(change);
    return made;
  }

  // Until no program runs that may have seen the maps as they were before: it would find neither
  // what has gone nor what it had looked for too early. The system call waits for a grace period of
  // the kernel's RCU, which programs run under; where there is none, one that runs just now may
  // miss.
  static void await_programs() noexcept { syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }

  void write_blocks(const Change& change) noexcept {
    for (const Step& step : change.shorter) {
      const std::uint32_t first = first_block_of(step.net);
      const std::uint32_t count = 1U << (STEER_BLOCK_BITS - step.net.prefix.length());
      // What goes may leave blocks to what comes: no packet sees a moment between.
      const bool is_left_to_others =
          step.after == 0 && (change.shorter.size() > 1 || !change.longer.empty());
      for (std::uint32_t block = first; block < first + count; ++block) {
        const Net net = block_at(step.net.family, block);
        const std::uint8_t mark = maps_.state_of(step.net.family, block) & STEER_MIXED;
        const std::uint8_t state = is_left_to_others
                                       ? (is_mixed(net) ? STEER_MIXED : 0) | cover_of(net)
                                       : mark | step.after;
        maps_.set_state(step.net.family, block, state);
      }
    }
    for (const Step& step : change.longer) {
      const Net block = block_around(step.net);
      const std::uint8_t mark = is_mixed(block) ? STEER_MIXED : 0;
      maps_.set_state(block.family, first_block_of(block), mark | cover_of(block));
    }
  }

  // First what comes, so that no count is zero but at the end.
  void count(const Change& change) noexcept {
    for (const Step& step : change.longer)
      if (step.before == 0) maps_.count(step.net);
    for (const Step& step : change.longer)
      if (step.after == 0) maps_.uncount(step.net);
  }

  // The kernel refused one of the steps: the others are taken back. Throws XdpError if it refuses
  // that too.
  void undo(Change& change) {
    for (const Step& step : change.shorter) write(shorter_, step.net, step.before);
    for (const Step& step : change.longer) write(longer_, step.net, step.before);
    for (Step& step : change.shorter) std::swap(step.before, step.after);
    bool is_done = true;
    for (const Step& step : change.longer) {
      const Maps::Entry entry{step.net, step.before};
      if (step.before != 0 && !maps_.put({&entry, 1})) is_done = false;
    }
    write_blocks(change);
    for (const Step& step : change.longer) {
      if (step.before != 0) continue;
      const auto removed = maps_.remove({&step.net, 1});
      // Of a batch that failed, some entries were never made.
      if (!removed && removed.error() != ENOENT) is_done = false;
      maps_.unannounce(step.net);
    }
    if (!is_done)
      throw XdpError("the kernel refuses to put its map of onboarded prefixes back: restart");
  }

  Maps maps_;
  States shorter_;
  States longer_;
};

namespace {

std::string why(int error, std::size_t changes) {
  const std::string text =
      "the kernel's map refused " + std::to_string(changes) + " changes of onboarded prefixes: ";
  if (error == E2BIG)
    return text +
           "no room for more prefixes longer than 24 bits and host addresses; raise the limit";
  return text + std::strerror(error);
}

}  // namespace

PrefixMap::PrefixMap(std::uint32_t longer_max) : editor_(std::make_unique<Editor>(longer_max)) {
  std::vector<Editor::Edit> edits;
  for (const lpm::AnyPrefix& prefix : local_scope())
    edits.push_back({net_of(prefix), STEER_LOCAL, STEER_LOCAL});
  if (const auto made = editor_->apply(edits); !made)
    throw XdpError(why(made.error(), edits.size()));
}
PrefixMap::~PrefixMap() = default;

bool PrefixMap::takes_entry(const lpm::AnyPrefix& prefix) {
  return std::visit([](const auto& any) { return any.length() > STEER_BLOCK_BITS; }, prefix);
}

std::optional<Refusal> PrefixMap::judge(const lpm::AnyPrefix& prefix) const {
  const auto refuse = [&](const lpm::AnyPrefix& other, const char* what) {
    return Refusal{to_string(prefix) + " cannot be onboarded: it overlaps " + to_string(other) +
                   ", " + what};
  };
  for (const lpm::AnyPrefix& local : local_scope())
    if (overlap(net_of(local), net_of(prefix))) return refuse(local, "which is of local scope");
  // Of prefixes that do not overlap, only the neighbours can.
  const auto next = prefixes_.lower_bound(prefix);
  if (next != prefixes_.end() && overlap(net_of(next->first), net_of(prefix)))
    return refuse(next->first, "which is onboarded");
  if (next != prefixes_.begin() && overlap(net_of(std::prev(next)->first), net_of(prefix)))
    return refuse(std::prev(next)->first, "which is onboarded");
  return std::nullopt;
}

std::expected<void, Refusal> PrefixMap::onboard(std::span<const lpm::AnyPrefix> prefixes,
                                                Onboarding state) {
  std::vector<Was> was;
  std::vector<Editor::Edit> edits;
  const auto refuse = [&](Refusal refusal) {
    put_back(was);
    return std::unexpected(std::move(refusal));
  };
  for (const lpm::AnyPrefix& prefix : prefixes) {
    const auto known = prefixes_.find(prefix);
    if (known == prefixes_.end()) {
      if (auto refusal = judge(prefix)) return refuse(std::move(*refusal));
      was.push_back({prefix, std::nullopt});
      prefixes_.emplace(prefix, state);
    } else {
      was.push_back({prefix, std::exchange(known->second, state)});
    }
    edits.push_back({net_of(prefix), kOnboardedBits, state_of(state)});
  }
  if (const auto made = editor_->apply(edits); !made)
    return refuse({why(made.error(), edits.size())});
  return {};
}

std::expected<void, Refusal> PrefixMap::offboard(std::span<const lpm::AnyPrefix> prefixes) {
  std::vector<Was> was;
  std::vector<Editor::Edit> edits;
  for (const lpm::AnyPrefix& prefix : prefixes) {
    const auto known = prefixes_.find(prefix);
    if (known == prefixes_.end()) continue;
    was.push_back({prefix, known->second});
    prefixes_.erase(known);
    edits.push_back({net_of(prefix), kOnboardedBits, state_of(std::nullopt)});
  }
  if (const auto made = editor_->apply(edits); !made) {
    put_back(was);
    return std::unexpected(Refusal{why(made.error(), edits.size())});
  }
  return {};
}

std::expected<void, Refusal> PrefixMap::replace(std::span<const lpm::AnyPrefix> removed,
                                                const std::map<lpm::AnyPrefix, Onboarding>& added) {
  std::vector<Was> was;
  std::vector<Editor::Edit> edits;
  const auto refuse = [&](Refusal refusal) {
    put_back(was);
    return std::unexpected(std::move(refusal));
  };
  for (const lpm::AnyPrefix& prefix : removed) {
    const auto known = prefixes_.find(prefix);
    if (known == prefixes_.end()) continue;
    was.push_back({prefix, known->second});
    prefixes_.erase(known);
    edits.push_back({net_of(prefix), kOnboardedBits, state_of(std::nullopt)});
  }
  for (const auto& [prefix, state] : added) {
    if (auto refusal = judge(prefix)) return refuse(std::move(*refusal));
    was.push_back({prefix, std::nullopt});
    prefixes_.emplace(prefix, state);
    edits.push_back({net_of(prefix), kOnboardedBits, state_of(state)});
  }
  if (const auto made = editor_->apply(edits); !made)
    return refuse({why(made.error(), edits.size())});
  return {};
}

// The last was first.
void PrefixMap::put_back(std::span<const Was> was) {
  for (auto it = was.rbegin(); it != was.rend(); ++it) {
    if (it->state)
      prefixes_[it->prefix] = *it->state;
    else
      prefixes_.erase(it->prefix);
  }
}

std::expected<void, Refusal> PrefixMap::set_host_addresses(const std::set<HostAddress>& addresses) {
  const auto net = [](const HostAddress& address) {
    return std::visit([](const auto& any) { return net_of(any); }, address);
  };
  // One change: entries are put before others are removed.
  std::vector<Editor::Edit> edits;
  for (const HostAddress& address : addresses)
    if (!host_addresses_.contains(address)) edits.push_back({net(address), STEER_HOST, STEER_HOST});
  for (const HostAddress& address : host_addresses_)
    if (!addresses.contains(address)) edits.push_back({net(address), STEER_HOST, 0});
  std::set<HostAddress> next = addresses;
  if (const auto made = editor_->apply(edits); !made)
    return std::unexpected(Refusal{why(made.error(), edits.size())});
  host_addresses_ = std::move(next);
  return {};
}

PrefixMap::Descriptors PrefixMap::descriptors() const noexcept {
  return editor_->descriptors();
}

}  // namespace dataplane::xdp

// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/xdp/maps.hpp"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "dataplane/xdp/options.hpp"

namespace dataplane::xdp {
namespace {

constexpr std::size_t kBlocksBytes = STEER_BLOCK_WORDS * sizeof(std::uint64_t);
constexpr std::size_t kFilterBytes = STEER_FILTER_WORDS * sizeof(std::uint64_t);
constexpr std::size_t kBatchMax = 4096;

std::uint64_t bit_of_length(unsigned length) noexcept {
  return std::uint64_t{1} << (128 - length) % 64;
}
std::uint32_t word_of_length(unsigned length) noexcept {
  return (128 - length) / 64;
}

steer_prefix key_of(const Net& net) noexcept {
  const lpm::Address6 network = net.prefix.network();
  const unsigned length = net.prefix.length();
  return {.high = network.high,
          .low = network.low,
          .length = bit_of_length(length),
          .family = net.family,
          .word = word_of_length(length)};
}

int make_map(bpf_map_type type, const char* name, std::uint32_t key_bytes,
             std::uint32_t value_bytes, std::uint32_t entries, std::uint32_t flags) {
  auto options = make_options<bpf_map_create_opts>();
  options.map_flags = flags;
  const int descriptor = bpf_map_create(type, name, key_bytes, value_bytes, entries, &options);
  if (descriptor >= 0) return descriptor;
  const std::string advice = errno == EPERM    ? "; start as root or with CAP_BPF"
                             : errno == ENOMEM ? "; free memory or onboard fewer prefixes"
                                               : "";
  throw XdpError("cannot make the BPF map `" + std::string(name) + "` of " +
                 std::to_string(entries) + " elements: " + std::strerror(errno) + advice);
}

void* map_memory(int descriptor, std::size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED)
    throw XdpError("cannot map the memory of a BPF map: " + std::string(std::strerror(errno)) +
                   "; Linux 5.5 or later is needed");
  return memory;
}

// Release: a program that sees a bit set finds what was written before.
void set_bits(auto& word, std::uint64_t bits, bool is_set) noexcept {
  const std::atomic_ref atomic(word);
  const std::uint64_t before = atomic.load(std::memory_order_relaxed);
  atomic.store(is_set ? before | bits : before & ~bits, std::memory_order_release);
}

std::size_t word_of_block(std::uint32_t family, std::uint32_t block) noexcept {
  return (std::size_t{family} << STEER_BLOCK_BITS | block) / STEER_BLOCKS_PER_WORD;
}
unsigned shift_of_block(std::uint32_t block) noexcept {
  return block % STEER_BLOCKS_PER_WORD * 4;
}

}  // namespace

PrefixMap::Maps::Maps(std::uint32_t longer_max) : by_bit_(std::size_t{1} << STEER_FILTER_BITS) {
  try {
    descriptors_.blocks = make_map(BPF_MAP_TYPE_ARRAY, "blocks", sizeof(std::uint32_t),
                                   sizeof(std::uint64_t), STEER_BLOCK_WORDS, BPF_F_MMAPABLE);
    descriptors_.longer = make_map(BPF_MAP_TYPE_HASH, "longer", sizeof(steer_prefix),
                                   sizeof(std::uint32_t), longer_max, BPF_F_NO_PREALLOC);
    descriptors_.lengths = make_map(BPF_MAP_TYPE_ARRAY, "lengths", sizeof(std::uint32_t),
                                    sizeof(steer_lengths), 1, BPF_F_MMAPABLE);
    descriptors_.filter = make_map(BPF_MAP_TYPE_ARRAY, "filter", sizeof(std::uint32_t),
                                   sizeof(std::uint64_t), STEER_FILTER_WORDS, BPF_F_MMAPABLE);
    blocks_ = static_cast<std::uint64_t*>(map_memory(descriptors_.blocks, kBlocksBytes));
    lengths_ = static_cast<steer_lengths*>(map_memory(descriptors_.lengths, sizeof(steer_lengths)));
    filter_ = static_cast<std::uint64_t*>(map_memory(descriptors_.filter, kFilterBytes));
  } catch (...) {
    release();
    throw;
  }
}

PrefixMap::Maps::~Maps() {
  release();
}

void PrefixMap::Maps::release() noexcept {
  if (blocks_ != nullptr) munmap(blocks_, kBlocksBytes);
  if (lengths_ != nullptr) munmap(lengths_, sizeof(steer_lengths));
  if (filter_ != nullptr) munmap(filter_, kFilterBytes);
  for (const int descriptor :
       {descriptors_.blocks, descriptors_.longer, descriptors_.lengths, descriptors_.filter})
    if (descriptor >= 0) close(descriptor);
}

std::expected<void, int> PrefixMap::Maps::put(std::span<const Entry> entries) {
  std::vector<steer_prefix> keys;
  std::vector<std::uint32_t> states;
  while (!entries.empty()) {
    const auto batch = entries.first(std::min(entries.size(), kBatchMax));
    keys.clear();
    states.clear();
    for (const Entry& entry : batch) {
      keys.push_back(key_of(entry.net));
      states.push_back(entry.state);
    }
    auto count = static_cast<std::uint32_t>(batch.size());
    if (bpf_map_update_batch(descriptors_.longer, keys.data(), states.data(), &count, nullptr) != 0)
      return std::unexpected(errno);
    entries = entries.subspan(batch.size());
  }
  return {};
}

std::expected<void, int> PrefixMap::Maps::remove(std::span<const Net> nets) {
  std::vector<steer_prefix> keys;
  while (!nets.empty()) {
    const auto batch = nets.first(std::min(nets.size(), kBatchMax));
    keys.clear();
    for (const Net& net : batch) keys.push_back(key_of(net));
    auto count = static_cast<std::uint32_t>(batch.size());
    if (bpf_map_delete_batch(descriptors_.longer, keys.data(), &count, nullptr) != 0)
      return std::unexpected(errno);
    nets = nets.subspan(batch.size());
  }
  return {};
}

std::uint8_t PrefixMap::Maps::state_of(std::uint32_t family, std::uint32_t block) const noexcept {
  // Relaxed: this thread is the only writer.
  const std::uint64_t word =
      std::atomic_ref(blocks_[word_of_block(family, block)]).load(std::memory_order_relaxed);
  return static_cast<std::uint8_t>(word >> shift_of_block(block) & 15);
}

void PrefixMap::Maps::set_state(std::uint32_t family, std::uint32_t block,
                                std::uint8_t state) noexcept {
  const std::atomic_ref word(blocks_[word_of_block(family, block)]);
  const unsigned shift = shift_of_block(block);
  const std::uint64_t others = word.load(std::memory_order_relaxed) & ~(std::uint64_t{15} << shift);
  // Release: whoever sees a block as mixed finds the entries of `longer` that were made before.
  word.store(others | std::uint64_t{state} << shift, std::memory_order_release);
}

void PrefixMap::Maps::announce(const Net& net) noexcept {
  const steer_prefix key = key_of(net);
  set_bits(lengths_->words[key.family][key.word], key.length, true);
  const std::uint64_t bit = steer_filter_bit(&key);
  set_bits(filter_[bit / 64], std::uint64_t{1} << bit % 64, true);
}

void PrefixMap::Maps::count(const Net& net) noexcept {
  const steer_prefix key = key_of(net);
  ++by_length_[net.family][net.prefix.length()];
  ++by_bit_[steer_filter_bit(&key)];
}

void PrefixMap::Maps::uncount(const Net& net) noexcept {
  const steer_prefix key = key_of(net);
  --by_length_[net.family][net.prefix.length()];
  --by_bit_[steer_filter_bit(&key)];
  unannounce(net);
}

void PrefixMap::Maps::unannounce(const Net& net) noexcept {
  const steer_prefix key = key_of(net);
  if (by_length_[net.family][net.prefix.length()] == 0)
    set_bits(lengths_->words[key.family][key.word], key.length, false);
  const std::uint64_t bit = steer_filter_bit(&key);
  if (by_bit_[bit] == 0) set_bits(filter_[bit / 64], std::uint64_t{1} << bit % 64, false);
}

}  // namespace dataplane::xdp

// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/fib.hpp"

#include <cassert>
#include <new>
#include <utility>

#include "lpm/store.hpp"

namespace lpm {
namespace {

std::span<const detail::Kernels* const> usable_kernels() {
  std::size_t count = 0;
  const detail::Kernels* const* const kernels = detail::usable_kernels(count);
  return {kernels, count};
}

detail::LookupOne<detail::View4, Address4> one_of(const detail::Kernels& kernels, Address4) {
  return kernels.one4;
}
detail::LookupOne<detail::View6, Address6> one_of(const detail::Kernels& kernels, Address6) {
  return kernels.one6;
}
detail::LookupBurst<detail::View4, Address4> burst_of(const detail::Kernels& kernels, Address4) {
  return kernels.burst4;
}
detail::LookupBurst<detail::View6, Address6> burst_of(const detail::Kernels& kernels, Address6) {
  return kernels.burst6;
}

template <class Address>
std::shared_ptr<detail::Store<Address>> store_of(const RouteSet<Address>& routes,
                                                 std::shared_ptr<Memory> memory) {
  auto store = std::make_shared<detail::Store<Address>>(std::move(memory), kSmallNodesMax);
  std::vector<Change<Address>> changes;
  changes.reserve(routes.size());
  for (const auto& [prefix, value] : routes) changes.push_back({prefix, value});
  store->apply(changes);
  store->commit(0);
  store->reclaim(0);
  return store;
}

}  // namespace

template <class Address>
Trie<Address>::Trie()
    : Trie(std::make_shared<const detail::Store<Address>>(transparent_huge_pages(),
                                                          kSmallNodesMax)) {}

template <class Address>
Trie<Address>::Trie(const RouteSet<Address>& routes, std::shared_ptr<Memory> memory)
    : Trie(store_of(routes, std::move(memory))) {}

template <class Address>
Trie<Address>::Trie(std::shared_ptr<const detail::Store<Address>> store)
    : one_(one_of(*usable_kernels().front(), Address{})),
      burst_(burst_of(*usable_kernels().front(), Address{})),
      view_(store->view()),
      memory_bytes_(store->memory_bytes()),
      store_(std::move(store)) {}

template <class Address>
Value Trie<Address>::lookup(Address address) const noexcept {
  return one_(view_, address);
}

template <class Address>
void Trie<Address>::lookup_burst(std::span<const Address> addresses,
                                 std::span<Value> values) const noexcept {
  assert(addresses.size() <= kBurstMax && values.size() == addresses.size());
  burst_(view_, addresses.data(), values.data(), addresses.size());
}

template <class Address>
std::vector<std::string_view> Trie<Address>::instruction_sets() {
  std::vector<std::string_view> names;
  for (const detail::Kernels* kernels : usable_kernels()) names.emplace_back(kernels->name);
  return names;
}

template <class Address>
Trie<Address> Trie<Address>::with_instruction_set(std::string_view name) const {
  Trie other = *this;
  for (const detail::Kernels* kernels : usable_kernels()) {
    if (kernels->name != name) continue;
    other.one_ = one_of(*kernels, Address{});
    other.burst_ = burst_of(*kernels, Address{});
  }
  return other;
}

template <class Address>
Fib<Address>::Fib(std::shared_ptr<Memory> memory, std::size_t small_nodes_max)
    : store_(std::make_shared<detail::Store<Address>>(std::move(memory), small_nodes_max)),
      current_(Trie<Address>(std::shared_ptr<const detail::Store<Address>>(store_))) {}

template <class Address>
Fib<Address>::Fib(Fib&&) noexcept = default;
template <class Address>
Fib<Address>& Fib<Address>::operator=(Fib&&) noexcept = default;
template <class Address>
Fib<Address>::~Fib() = default;

template <class Address>
std::expected<Trie<Address>, FibError> Fib<Address>::prepare(
    std::span<const Change<Address>> changes) {
  assert(!prepared_);
  try {
    store_->apply(changes);
    prepared_ = Trie<Address>(std::shared_ptr<const detail::Store<Address>>(store_));
    return *prepared_;
  } catch (const std::bad_alloc&) {
    store_->rollback();
    return std::unexpected(FibError::out_of_memory);
  }
}

template <class Address>
void Fib<Address>::commit() noexcept {
  assert(prepared_);
  store_->commit(generation_);
  ++generation_;
  size_ = store_->size();
  current_ = std::move(*prepared_);
  prepared_.reset();
}

template <class Address>
void Fib<Address>::abandon() noexcept {
  assert(prepared_);
  store_->rollback();
  prepared_.reset();
}

template <class Address>
std::expected<void, FibError> Fib<Address>::apply(std::span<const Change<Address>> changes) {
  const auto prepared = prepare(changes);
  if (!prepared) return std::unexpected(prepared.error());
  commit();
  return {};
}

template <class Address>
void Fib<Address>::reclaim(std::uint64_t generation) noexcept {
  store_->reclaim(generation);
}

template <class Address>
typename Fib<Address>::Usage Fib<Address>::usage() const {
  return store_->usage();
}
template <class Address>
std::vector<MemoryPart> Fib<Address>::memory_by_level() const {
  return store_->memory_by_level();
}
template <class Address>
std::vector<std::size_t> Fib<Address>::depth_histogram() const {
  return store_->depth_histogram();
}
template <class Address>
std::vector<LookupStep> Fib<Address>::path(Address address) const {
  return store_->path(address);
}
template <class Address>
std::vector<Route<Address>> Fib<Address>::routes() const {
  return store_->routes();
}
template <class Address>
std::optional<std::string> Fib<Address>::verify() const {
  return store_->verify();
}

template class Trie<Address4>;
template class Trie<Address6>;
template class Fib<Address4>;
template class Fib<Address6>;

}  // namespace lpm

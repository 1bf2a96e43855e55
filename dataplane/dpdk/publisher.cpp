// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/dpdk/publisher.hpp"

#include <rte_rcu_qsbr.h>

#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace dataplane::dpdk {
namespace {

rte_rcu_qsbr* make_qsbr(unsigned workers_max) {
  const std::size_t size = rte_rcu_qsbr_get_memsize(workers_max);
  if (workers_max == 0 || workers_max > RTE_QSBR_THRID_INVALID - 1 || size <= 1)
    throw std::runtime_error("RCU cannot serve " + std::to_string(workers_max) + " workers");
  void* const memory = std::aligned_alloc(RTE_CACHE_LINE_SIZE, size);  // size is whole lines
  if (memory == nullptr) throw std::bad_alloc();
  auto* const qsbr = static_cast<rte_rcu_qsbr*>(memory);
  rte_rcu_qsbr_init(qsbr, workers_max);
  return qsbr;
}

}  // namespace

void Publisher::FreeQsbr::operator()(rte_rcu_qsbr* qsbr) const noexcept {
  std::free(qsbr);
}

Publisher::Publisher(unsigned workers_max, std::unique_ptr<const Table> first)
    : qsbr_(make_qsbr(workers_max)),
      owned_current_(std::move(first)),
      active_generation_(owned_current_->generation()),
      current_(owned_current_.get()) {}

Publisher::~Publisher() = default;

void Publisher::publish(std::unique_ptr<const Table> next) {
  Retired& before = retired_.emplace_back();  // the only step that can fail, before any is visible
  before.next_generation = next->generation();
  // Release pairs with the acquire in Reader::table().
  current_.store(next.get(), std::memory_order_release);
  before.table = std::exchange(owned_current_, std::move(next));
  before.token = rte_rcu_qsbr_start(qsbr_.get());
}

std::uint64_t Publisher::reclaim() {
  while (!retired_.empty() && rte_rcu_qsbr_check(qsbr_.get(), retired_.front().token, false) == 1) {
    active_generation_ = retired_.front().next_generation;
    retired_.pop_front();
  }
  return active_generation_;
}

Publisher::Reader::Reader(Publisher& publisher, unsigned number)
    : publisher_(publisher), number_(number) {
  if (rte_rcu_qsbr_thread_register(publisher.qsbr_.get(), number) != 0)
    throw std::runtime_error("RCU has no place for worker " + std::to_string(number));
}

Publisher::Reader::~Reader() {
  rte_rcu_qsbr_thread_unregister(publisher_.qsbr_.get(), number_);
}

void Publisher::Reader::online() noexcept {
  rte_rcu_qsbr_thread_online(publisher_.qsbr_.get(), number_);
}

void Publisher::Reader::offline() noexcept {
  rte_rcu_qsbr_thread_offline(publisher_.qsbr_.get(), number_);
}

void Publisher::Reader::quiescent() noexcept {
  rte_rcu_qsbr_quiescent(publisher_.qsbr_.get(), number_);
}

}  // namespace dataplane::dpdk

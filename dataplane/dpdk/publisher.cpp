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

// One by one: as a chain of destructors they could be more than the stack has room for.
Publisher::~Publisher() {
  while (oldest_ != nullptr) drop_oldest();
}

void Publisher::publish(std::unique_ptr<const Table> next) noexcept {
  const std::uint64_t generation = next->generation();
  // Release pairs with the acquire in Reader::table().
  current_.store(next.get(), std::memory_order_release);
  std::unique_ptr<const Table> before = std::exchange(owned_current_, std::move(next));
  before->replaced_.by_generation = generation;
  before->replaced_.token = rte_rcu_qsbr_start(qsbr_.get());
  std::unique_ptr<const Table>& place = oldest_ ? newest_->replaced_.after : oldest_;
  newest_ = before.get();
  place = std::move(before);
}

std::uint64_t Publisher::reclaim() noexcept {
  while (oldest_ != nullptr &&
         rte_rcu_qsbr_check(qsbr_.get(), oldest_->replaced_.token, false) == 1) {
    active_generation_ = oldest_->replaced_.by_generation;
    drop_oldest();
  }
  return active_generation_;
}

void Publisher::drop_oldest() noexcept {
  oldest_ = std::move(oldest_->replaced_.after);
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

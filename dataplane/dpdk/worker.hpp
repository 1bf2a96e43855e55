// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/counters.hpp"
#include "dataplane/dpdk/idler.hpp"
#include "dataplane/dpdk/publisher.hpp"
#include "dataplane/dpdk/queue.hpp"
#include "dataplane/steer.hpp"

namespace dataplane::dpdk {

// Sees each burst after it was decided and before it is sent: for verdict files, traces, tests.
struct Observer {
  // packets[i] was decided by decisions[i]. Must not keep or change the packets.
  void (*observe)(void* context, rte_mbuf* const* packets, const Decision* decisions,
                  std::uint16_t count) = nullptr;  // null: nobody looks
  void* context = nullptr;
};

// What the kernel sends by a port that DPDK owns: it leaves as it is, unclassified.
struct Forward {
  Input from;
  Output to;
};

// What a worker is connected to. Everything behind the pointers outlives the worker.
struct Wiring {
  std::vector<Input> inputs;
  std::vector<Forward> forwards;
  // By Outcome: the three services, the kernel, and where dropped packets are laid down, which has
  // room for all. An output without send is full at all times.
  std::array<Output, kOutcomes> outputs{};
  // Packets of a service whose output is down flow through Magic Transit, instead of being dropped.
  bool down_to_magic_transit = false;
  Observer observer;
};

// How a worker is getting on. Writer: the worker. Readers: anybody, to tell a stuck worker from one
// that has nothing to do. Relaxed: nothing is read because of it but what the publisher orders.
struct alignas(64) Progress {
  std::atomic<std::uint64_t> rounds{0};
  // Rounds in which every input gave less than a burst: what had arrived before one was received.
  std::atomic<std::uint64_t> dry_rounds{0};
  std::atomic<bool> is_asleep{false};
  // Packets of our own making, that told a sender that its packet was too big. No outcomes.
  std::atomic<std::uint64_t> answers{0};
  // Of the kernel, by ports that DPDK owns; lost: the port's queue was full.
  std::atomic<std::uint64_t> forwarded{0};
  std::atomic<std::uint64_t> forwards_lost{0};
};

// At most so many answers in a second, and a few at once, whoever asks for them: they cost the
// worker time and go to addresses that may be forged.
class AnswerLimit {
 public:
  // Takes one, if there is one.
  [[nodiscard]] bool take() noexcept;

 private:
  std::uint64_t tokens_ = 0;
  std::uint64_t filled_at_ = 0;  // ticks of the time-stamp counter
};

// The poll-mode loop: receive a burst, parse, classify, steer, transmit, and report quiescent. One
// thread (an lcore) runs it; nothing in it allocates, locks, logs or waits.
class Worker {
 public:
  // number: of the worker, from 0, unique within the publisher. bindings_max: the highest number of
  // a binding that any published table will have.
  Worker(unsigned number, Wiring wiring, Publisher& publisher, std::uint32_t bindings_max);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // One round over all inputs; returns the packets received. For the thread of run(), between
  // reader().online() and offline().
  std::size_t poll() noexcept;

  // Polls until `stop` is set; what was received by then is sent.
  void run(const std::atomic<bool>& stop) noexcept;
  // The same, doing as `idler` says when there are no packets.
  void run(const std::atomic<bool>& stop, Idler& idler) noexcept;

  // Readable from any thread.
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] const Progress& progress() const noexcept { return progress_; }
  [[nodiscard]] Publisher::Reader& reader() noexcept { return reader_; }

 private:
  struct Burst;

  std::size_t forward() noexcept;
  void process(const Input& input) noexcept;
  template <bool kObserved>
  void decide(const Input& input) noexcept;
  void transmit(const Input& input) noexcept;
  void send(Outcome outcome, const Input& input) noexcept;
  void rewrite(Outcome outcome, const Rewrite& how, const Input& input) noexcept;
  void answer(const Answering& answering, const Frame& frame, std::uint32_t mtu) noexcept;
  void move(Outcome from, std::size_t k, Verdict verdict) noexcept;

  Wiring wiring_;
  Publisher::Reader reader_;
  Counters counters_;
  Progress progress_;
  AnswerLimit answer_limit_;
  // The burst under way; kept, since to make one anew is to write several KiB.
  std::unique_ptr<Burst> burst_;
  // The headers of packets in several segments whose first is short; see frame_of().
  std::vector<std::uint8_t> gathered_headers_;
};

}  // namespace dataplane::dpdk

// SPDX-License-Identifier: BSD-3-Clause
//
// Replaces a function of DPDK's EAL in programs that link EAL statically (the linker takes this
// definition and leaves DPDK's out of its archive).
//
// Why: where neither CPUID nor an MSR tells the frequency of the time-stamp counter (AMD, most
// virtual machines), EAL sleeps 100 ms at every start to measure it. A command that replays a
// capture in less than that should not wait for a clock it does not read. A hundred times shorter a
// measurement is still good to some 100 parts per million.
#include <cpuid.h>
#include <time.h>
#include <x86intrin.h>

#include <cstdint>

extern "C" std::uint64_t get_tsc_freq_arch();

namespace {

// CPUID leaf 0x15: EBX / EAX is the ratio of the counter to a crystal of ECX Hz. 0 if it is silent.
std::uint64_t frequency_by_cpuid() {
  unsigned denominator = 0;
  unsigned numerator = 0;
  unsigned crystal_hz = 0;
  unsigned reserved = 0;
  if (__get_cpuid(0x15, &denominator, &numerator, &crystal_hz, &reserved) == 0) return 0;
  if (denominator == 0 || numerator == 0 || crystal_hz == 0) return 0;
  return std::uint64_t{crystal_hz} * numerator / denominator;
}

std::uint64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_RAW, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t measured_frequency() {
  constexpr std::uint64_t kWindowNs = 1'000'000;
  const std::uint64_t start_ns = now_ns();
  const std::uint64_t start_ticks = __rdtsc();
  std::uint64_t end_ns = start_ns;
  while (end_ns - start_ns < kWindowNs) end_ns = now_ns();
  const std::uint64_t ticks = __rdtsc() - start_ticks;
  return static_cast<std::uint64_t>(static_cast<double>(ticks) * 1e9 /
                                    static_cast<double>(end_ns - start_ns));
}

}  // namespace

std::uint64_t get_tsc_freq_arch() {
  const std::uint64_t told = frequency_by_cpuid();
  return told != 0 ? told : measured_frequency();
}

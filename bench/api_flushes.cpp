// SPDX-License-Identifier: BSD-3-Clause
//
// Loaded before a program (LD_PRELOAD): notes when each flush to disk began and ended, and makes
// each slower. Both through a file that STEER_BENCH_FLUSHES names, mapped into the program and its
// measurer: the delay of the next flushes in microseconds, how many there were, and of each two
// times of CLOCK_MONOTONIC in nanoseconds; all are 64-bit words.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

struct Flushes {
  struct Times {
    std::uint64_t began;
    std::uint64_t ended;
  };
  std::atomic<std::uint64_t> delay_us;
  std::atomic<std::uint64_t> count;
  Times times[1];  // as many as the file holds
};

std::uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

struct Shared {
  Flushes* flushes = nullptr;
  std::size_t capacity = 0;

  Shared() {
    const char* const path = std::getenv("STEER_BENCH_FLUSHES");
    const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
    struct stat about{};
    if (file < 0 || fstat(file, &about) != 0) return;
    const auto bytes = static_cast<std::size_t>(about.st_size);
    void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at == MAP_FAILED) return;
    flushes = static_cast<Flushes*>(at);
    capacity = (bytes - offsetof(Flushes, times)) / sizeof(Flushes::Times);
  }
};

template <class Flush>
int timed(Flush flush) {
  static const Shared kShared;
  if (kShared.flushes == nullptr) return flush();
  Flushes& shared = *kShared.flushes;
  const std::uint64_t began = now();
  if (const std::uint64_t delay_us = shared.delay_us; delay_us != 0)
    usleep(static_cast<useconds_t>(delay_us));
  const int result = flush();
  const std::uint64_t number = shared.count;
  if (number < kShared.capacity) shared.times[number] = {began, now()};
  shared.count = number + 1;  // the store has one thread
  return result;
}

}  // namespace

extern "C" int fdatasync(int file) {
  using Function = int (*)(int);
  static const auto kReal = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "fdatasync"));
  return timed([file] { return kReal(file); });
}

extern "C" int fsync(int file) {
  using Function = int (*)(int);
  static const auto kReal = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "fsync"));
  return timed([file] { return kReal(file); });
}

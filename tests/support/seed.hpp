// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace support {

inline constexpr const char* kSeedVariable = "STEER_TEST_SEED";

// The generator of one random test: new numbers at every run, from a seed that is printed. Set the
// environment variable to the printed number to repeat a failure. Throws if the variable holds
// anything but a number.
[[nodiscard]] inline std::mt19937_64 seeded_random() {
  std::uint64_t seed = std::random_device{}();
  if (const char* set = std::getenv(kSeedVariable)) {
    const std::string_view text = set;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (error != std::errc{} || end != text.data() + text.size())
      throw std::invalid_argument(std::string(kSeedVariable) + " is not a number: " + set);
  }
  std::printf("%s=%llu\n", kSeedVariable, static_cast<unsigned long long>(seed));
  // A crash of the test must not take the seed with it.
  std::fflush(stdout);
  return std::mt19937_64(seed);
}

// Evenly one of 0 to count - 1. count: not 0.
template <std::unsigned_integral Number>
[[nodiscard]] Number random_below(std::mt19937_64& random, Number count) {
  return std::uniform_int_distribution<Number>(0, count - 1)(random);
}

}  // namespace support

// SPDX-License-Identifier: BSD-3-Clause
#include <array>

#include "lpm/view.hpp"

namespace lpm::detail {

const Kernels* const* usable_kernels(std::size_t& count) noexcept {
  struct Usable {
    std::array<const Kernels*, 3> kernels{};
    std::size_t count = 0;
    Usable() noexcept {
      __builtin_cpu_init();
      const bool has_avx2 = __builtin_cpu_supports("avx2") != 0 &&
                            __builtin_cpu_supports("bmi") != 0 &&
                            __builtin_cpu_supports("bmi2") != 0;
      if (has_avx2 && __builtin_cpu_supports("avx512bw") != 0 &&
          __builtin_cpu_supports("avx512vl") != 0)
        kernels[count++] = &kAvx512Kernels;
      if (has_avx2) kernels[count++] = &kAvx2Kernels;
      kernels[count++] = &kPortableKernels;
    }
  };
  static const Usable kUsable;
  count = kUsable.count;
  return kUsable.kernels.data();
}

}  // namespace lpm::detail

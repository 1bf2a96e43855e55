// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstring>
#include <type_traits>

namespace dataplane::xdp {

// One of libbpf's bpf_..._opts with nothing chosen: what LIBBPF_OPTS makes, which is GNU C.
template <class Options>
  requires std::is_trivially_copyable_v<Options>
[[nodiscard]] Options make_options() noexcept {
  Options options;
  // The padding too: libbpf refuses what it does not know and is not zero.
  std::memset(&options, 0, sizeof options);
  options.sz = sizeof options;
  return options;
}

}  // namespace dataplane::xdp

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdexcept>
#include <string>

namespace dataplane::xdp {

// The program cannot be loaded or attached, or its maps cannot be made. One line that says what to
// do about it.
class XdpError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Why a change was not made. One line for the operator, which names the prefix or address.
struct Refusal {
  std::string message;
};

}  // namespace dataplane::xdp

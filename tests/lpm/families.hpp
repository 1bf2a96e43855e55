// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <type_traits>

#include "lpm/address.hpp"

// What a typed test runs over: TYPED_TEST_SUITE(Subject, Families, FamilyNames).
using Families = testing::Types<lpm::Address4, lpm::Address6>;

struct FamilyNames {
  template <class Address>
  static const char* GetName(int) {
    return std::is_same_v<Address, lpm::Address4> ? "IPv4" : "IPv6";
  }
};

// SPDX-License-Identifier: BSD-3-Clause
#include "lpm/route_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/lpm/families.hpp"

namespace {

template <class Address>
class RouteSet : public testing::Test {
 protected:
  using Prefix = lpm::Prefix<Address>;

  Prefix everything_;
  Prefix lower_half_ = Prefix::enclosing(Address{}, 1);
  Prefix first_address_ = Prefix::enclosing(Address{}, Address::kBits);
  lpm::RouteSet<Address> routes_;
};
TYPED_TEST_SUITE(RouteSet, Families, FamilyNames);

TYPED_TEST(RouteSet, IsEmptyAtFirst) {
  EXPECT_TRUE(this->routes_.empty());
  EXPECT_EQ(this->routes_.size(), 0U);
  EXPECT_EQ(this->routes_.find(this->everything_), std::nullopt);
  EXPECT_FALSE(this->routes_.remove(this->everything_));
}

TYPED_TEST(RouteSet, InsertSaysWhetherThePrefixIsNewAndReplacesItsValue) {
  EXPECT_TRUE(this->routes_.insert(this->lower_half_, 1));
  EXPECT_FALSE(this->routes_.insert(this->lower_half_, 2));
  EXPECT_EQ(this->routes_.size(), 1U);
  EXPECT_EQ(this->routes_.find(this->lower_half_), 2U);
}

TYPED_TEST(RouteSet, FindMatchesThePrefixExactly) {
  this->routes_.insert(this->lower_half_, 1);
  EXPECT_EQ(this->routes_.find(this->everything_), std::nullopt);
  EXPECT_EQ(this->routes_.find(this->first_address_), std::nullopt);
}

TYPED_TEST(RouteSet, RemoveTakesOnlyThatPrefix) {
  this->routes_.insert(this->everything_, 1);
  this->routes_.insert(this->lower_half_, 2);
  EXPECT_TRUE(this->routes_.remove(this->lower_half_));
  EXPECT_FALSE(this->routes_.remove(this->lower_half_));
  EXPECT_EQ(this->routes_.find(this->lower_half_), std::nullopt);
  EXPECT_EQ(this->routes_.find(this->everything_), 1U);
}

TYPED_TEST(RouteSet, IteratesABlockBeforeEverythingInside) {
  this->routes_.insert(this->first_address_, 3);
  this->routes_.insert(this->everything_, 1);
  this->routes_.insert(this->lower_half_, 2);
  const auto by_value = [](const auto& one, const auto& other) {
    return one.second < other.second;
  };
  EXPECT_TRUE(std::ranges::is_sorted(this->routes_, by_value));
}

}  // namespace

// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/lpm/fib_fixture.hpp"

// A million changes one after another, in change sets of 1 to 5,000, while the table grows and
// shrinks; some are abandoned, and a few generations are always held.
namespace {

constexpr std::size_t kChanges = 1'000'000;
constexpr std::size_t kRoutesMax = 60'000;

template <class Address>
class FibRandom : public FibTest<Address> {
 protected:
  using typename FibTest<Address>::Change;
  using typename FibTest<Address>::Changes;
  using typename FibTest<Address>::Prefix;

  [[nodiscard]] unsigned below(unsigned count) { return support::random_below(random(), count); }
  [[nodiscard]] std::mt19937_64& random() { return this->random_; }

  // Near others: the same few beginnings, of any length.
  [[nodiscard]] Prefix some_prefix() {
    static constexpr unsigned kCommon[] = {8, 16, 17, 20, 24, 25, 32, 47, 48, 49, 56, 64, 96, 127};
    const Address start = starts_[below(static_cast<unsigned>(starts_.size()))];
    const auto shared = Prefix::enclosing(start, below(Address::kBits + 1));
    const Address address = probes::random_inside(shared, random());
    unsigned length = Address::kBits;
    if (below(8) == 0) length = below(Address::kBits + 1);
    if (below(3) == 0) length = std::min(kCommon[below(std::size(kCommon))], Address::kBits);
    return Prefix::enclosing(address, length);
  }
  [[nodiscard]] lpm::Value some_value() {
    // 2^30 and more is kept elsewhere than in the nodes.
    const auto value = static_cast<lpm::Value>(random()() >> below(32));
    return value == lpm::kNoMatch ? 1 : value;
  }

  // Of routes that are there, or that likely are not.
  [[nodiscard]] Change some_change() {
    if (oracle_.size() >= kRoutesMax) is_growing_ = false;
    if (oracle_.size() == 0) is_growing_ = true;
    const unsigned dice = below(10);
    if (there_.empty() || dice < (is_growing_ ? 6U : 2U)) return {some_prefix(), some_value()};
    const Prefix known = there_[support::random_below(random(), there_.size())];
    return {known, dice < 8 && is_growing_ ? some_value() : lpm::kNoMatch};
  }

  // there_ holds every route of the oracle, and sometimes one that is gone.
  void note(const Change& change) {
    if (change.value == lpm::kNoMatch) {
      oracle_.remove(change.prefix);
      return;
    }
    if (!oracle_.has(change.prefix)) there_.push_back(change.prefix);
    oracle_.insert(change.prefix, change.value);
  }
  void drop_gone() {
    std::erase_if(there_, [&](const Prefix& prefix) { return !oracle_.has(prefix); });
    std::ranges::sort(there_);
    const auto rest = std::ranges::unique(there_);
    there_.erase(rest.begin(), rest.end());
  }

  struct Held {
    std::uint64_t generation;
    lpm::Trie<Address> trie;
    std::vector<Address> addresses;
    std::vector<lpm::Value> expected;
  };
  [[nodiscard]] Held hold(std::vector<Address> addresses) const {
    std::vector<lpm::Value> expected;
    for (const Address address : addresses) expected.push_back(oracle_.lookup(address));
    return {this->fib_.generation(), this->fib_.current(), std::move(addresses), expected};
  }
  [[nodiscard]] static bool answers(const Held& held) {
    return every_form::answers<Address>(held.trie, held.addresses, held.expected);
  }

  void SetUp() override {
    for (Address& start : starts_) start = this->any_address();
  }

  std::array<Address, 64> starts_;
  support::MapPerLength<Address> oracle_;
  std::vector<Prefix> there_;
  bool is_growing_ = true;
  std::deque<Held> held_;
};
TYPED_TEST_SUITE(FibRandom, Families, FamilyNames);

TYPED_TEST(FibRandom, MillionChangesAreRight) {
  std::size_t sets = 0;
  for (std::size_t made = 0; made < kChanges; ++sets) {
    const auto size = static_cast<std::size_t>(std::exp2(this->below(1229) / 100.));
    typename TestFixture::Changes changes;
    while (changes.size() < size) changes.push_back(this->some_change());
    if (this->below(40) == 0) {
      ASSERT_TRUE(this->fib_.prepare(changes).has_value());
      this->fib_.abandon();
      ASSERT_EQ(this->fib_.verify(), std::nullopt) << "abandoned after " << made;
    }
    ASSERT_TRUE(this->fib_.apply(changes).has_value());
    for (const auto& change : changes) this->note(change);
    made += changes.size();
    if (sets % 20 == 0) this->drop_gone();
    ASSERT_EQ(this->fib_.size(), this->oracle_.size());

    std::vector<TypeParam> addresses;
    for (std::size_t i = 0; i < changes.size(); ++i)
      addresses.push_back(probes::edges_of(changes[i].prefix)[this->below(4)]);
    for (int i = 0; i < 100 && !this->there_.empty(); ++i)
      addresses.push_back(probes::random_inside(
          this->there_[support::random_below(this->random_, this->there_.size())], this->random_));
    this->held_.push_back(this->hold(std::move(addresses)));
    ASSERT_TRUE(this->answers(this->held_.back())) << "after " << made;
    if (sets % 32 == 0) {
      ASSERT_EQ(this->fib_.verify(), std::nullopt) << "after " << made;
    }

    // Each once more, as late as it may.
    if (this->held_.size() > this->below(8)) {
      const std::size_t count = 1 + this->below(static_cast<unsigned>(this->held_.size()));
      for (std::size_t i = 0; i < count; ++i) {
        const auto& oldest = this->held_.front();
        ASSERT_TRUE(this->answers(oldest)) << oldest.generation;
        if (oldest.generation != this->fib_.generation()) this->fib_.reclaim(oldest.generation);
        this->held_.pop_front();
      }
    }
  }
  typename TestFixture::Changes removals;
  for (const auto& [prefix, value] : this->fib_.routes()) {
    ASSERT_TRUE(this->oracle_.has(prefix)) << to_string(prefix);
    removals.push_back({prefix, lpm::kNoMatch});
  }
  EXPECT_EQ(removals.size(), this->oracle_.size());
  std::ranges::shuffle(removals, this->random_);
  ASSERT_TRUE(this->fib_.apply(removals).has_value());
  EXPECT_EQ(this->fib_.size(), 0U);
  EXPECT_EQ(this->fib_.verify(), std::nullopt);
  std::printf("%zu change sets\n", sets);
}

}  // namespace

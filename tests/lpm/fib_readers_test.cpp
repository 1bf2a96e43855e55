// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "lpm/fib.hpp"
#include "tests/lpm/families.hpp"
#include "tests/lpm/random_routes.hpp"
#include "tests/support/map_per_length.hpp"
#include "tests/support/seed.hpp"

// Readers spin while a writer applies change sets and reclaims what no reader holds any more. What
// is not synchronized here, a thread sanitizer finds.
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kIsSlow = true;
#elif defined(__has_feature)
constexpr bool kIsSlow = __has_feature(thread_sanitizer);
#else
constexpr bool kIsSlow = false;
#endif
constexpr int kGenerations = kIsSlow ? 300 : 1000;
constexpr std::size_t kReaders = 2;

// A generation with addresses whose answers only it gives.
template <class Address>
struct Published {
  std::uint64_t generation;
  lpm::Trie<Address> trie;
  std::vector<Address> addresses;
  std::vector<lpm::Value> expected;
};

// Grace: a reader says which generation it holds before it uses it, and does not go back.
template <class Address>
class Readers {
 public:
  explicit Readers(const Published<Address>& first) : current_(&first) {
    for (std::size_t i = 0; i < kReaders; ++i) threads_.emplace_back([this, i] { run(i); });
  }
  ~Readers() {
    // Relaxed: nothing else is told by it.
    stopped_.store(true, std::memory_order_relaxed);
  }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // Release: what the writer wrote into the generation comes before.
  void publish(const Published<Address>& next) { current_.store(&next, std::memory_order_release); }
  // The oldest generation that a reader may hold. Acquire: what readers did with older ones comes
  // before.
  [[nodiscard]] std::uint64_t oldest_held() const {
    std::uint64_t oldest = ~std::uint64_t{0};
    for (const auto& holds : holds_)
      oldest = std::min(oldest, holds.load(std::memory_order_acquire));
    return oldest;
  }
  // Rounds that all readers have made, and answers that were wrong.
  [[nodiscard]] std::uint64_t rounds() const { return rounds_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t wrong() const { return wrong_.load(std::memory_order_relaxed); }

 private:
  void run(std::size_t number) {
    const auto names = lpm::Trie<Address>::instruction_sets();
    std::array<lpm::Value, lpm::Trie<Address>::kBurstMax> values;
    for (std::size_t round = number; !stopped_.load(std::memory_order_relaxed); ++round) {
      const Published<Address>& held = *current_.load(std::memory_order_acquire);
      holds_[number].store(held.generation, std::memory_order_release);
      const auto trie = held.trie.with_instruction_set(names[round % names.size()]);
      const std::span<const Address> addresses = held.addresses;
      // Each reader stays with a generation for another time.
      for (std::size_t i = 0; i < 1 + number * 4; ++i)
        for (std::size_t begin = 0; begin < addresses.size(); begin += values.size()) {
          const auto burst =
              addresses.subspan(begin, std::min(values.size(), addresses.size() - begin));
          trie.lookup_burst(burst, std::span(values).first(burst.size()));
          for (std::size_t k = 0; k < burst.size(); ++k)
            if (values[k] != held.expected[begin + k] ||
                (k % 8 == round % 8 && trie.lookup(burst[k]) != values[k]))
              wrong_.fetch_add(1, std::memory_order_relaxed);
        }
      rounds_.fetch_add(1, std::memory_order_relaxed);
      // Where there are fewer cores than threads, the writer is to get somewhere too.
      std::this_thread::yield();
    }
    holds_[number].store(~std::uint64_t{0}, std::memory_order_release);
  }

  std::atomic<const Published<Address>*> current_;
  // Written by one reader each.
  std::array<std::atomic<std::uint64_t>, kReaders> holds_{};
  std::atomic<std::uint64_t> rounds_{0};
  std::atomic<std::uint64_t> wrong_{0};
  std::atomic<bool> stopped_{false};
  std::vector<std::jthread> threads_;  // the last: they end before the rest does
};

template <class Address>
class FibReaders : public testing::Test {
 protected:
  using Prefix = lpm::Prefix<Address>;
  using Changes = std::vector<lpm::Change<Address>>;

  [[nodiscard]] lpm::Value some_value() {
    return random_routes::random_value({.routes = 0, .values = 1U << 20}, random_);
  }

  // Of a few routes, or of very many: the table becomes large, and small again.
  [[nodiscard]] Changes next_changes(int step) {
    if (step % 100 == 50) {
      Changes all;
      for (const auto& [prefix, value] : more_) all.push_back({prefix, some_value()});
      return all;
    }
    if (step % 100 == 99) {
      Changes all;
      for (const auto& [prefix, value] : more_) all.push_back({prefix, lpm::kNoMatch});
      return all;
    }
    Changes changes;
    const std::size_t count = 1 + support::random_below(random_, 60U);
    while (changes.size() < count) {
      const auto& prefix = prefixes_[support::random_below(random_, prefixes_.size())];
      changes.push_back({prefix, random_() % 3 == 0 ? lpm::kNoMatch : some_value()});
    }
    return changes;
  }

  [[nodiscard]] std::unique_ptr<Published<Address>> published(const Changes& changes) {
    std::vector<Address> addresses;
    for (std::size_t i = 0; i < std::min<std::size_t>(changes.size(), 100); ++i)
      addresses.push_back(probes::edges_of(changes[i].prefix)[random_() % 4]);
    for (int i = 0; i < 100; ++i)
      addresses.push_back(probes::random_inside(
          prefixes_[support::random_below(random_, prefixes_.size())], random_));
    std::vector<lpm::Value> expected;
    for (const Address address : addresses) expected.push_back(oracle_.lookup(address));
    return std::make_unique<Published<Address>>(fib_.generation(), fib_.current(),
                                                std::move(addresses), std::move(expected));
  }

  void SetUp() override {
    for (const auto& [prefix, value] :
         random_routes::binding_shaped<Address>({.routes = 2000, .values = 2}, random_))
      prefixes_.push_back(prefix);
    for (const auto& [prefix, value] :
         random_routes::scattered<Address>({.routes = 500, .values = 2}, random_))
      prefixes_.push_back(prefix);
    more_ = random_routes::binding_shaped<Address>({.routes = 5000, .values = 2}, random_);
  }

  std::mt19937_64 random_ = support::seeded_random();
  std::vector<Prefix> prefixes_;
  lpm::RouteSet<Address> more_;
  lpm::Fib<Address> fib_{lpm::transparent_huge_pages(), 1024};
  support::MapPerLength<Address> oracle_;
};
TYPED_TEST_SUITE(FibReaders, Families, FamilyNames);

TYPED_TEST(FibReaders, EachAnswerIsRightForItsGeneration) {
  std::deque<std::unique_ptr<Published<TypeParam>>> alive;
  alive.push_back(this->published({}));
  Readers<TypeParam> readers(*alive.back());
  std::size_t most_alive = 0;
  for (int step = 0; step < kGenerations; ++step) {
    const auto changes = this->next_changes(step);
    ASSERT_TRUE(this->fib_.prepare(changes).has_value());
    // Also what never was must not be seen.
    if (step % 10 == 3) {
      this->fib_.abandon();
      ASSERT_TRUE(this->fib_.prepare(changes).has_value());
    }
    this->fib_.commit();
    for (const auto& [prefix, value] : changes)
      if (value == lpm::kNoMatch)
        this->oracle_.remove(prefix);
      else
        this->oracle_.insert(prefix, value);
    alive.push_back(this->published(changes));
    readers.publish(*alive.back());
    // Without waiting, until there are many.
    most_alive = std::max(most_alive, alive.size());
    do {
      const std::uint64_t held = readers.oldest_held();
      while (alive.size() > 1 && alive.front()->generation < held) alive.pop_front();
      if (held > 0) this->fib_.reclaim(std::min(held, this->fib_.generation()) - 1);
    } while (alive.size() > 20 && readers.wrong() == 0);
    if (step % 50 == 0) {
      ASSERT_EQ(this->fib_.verify(), std::nullopt) << step;
    }
    ASSERT_EQ(readers.wrong(), 0U) << step;
  }
  // A run in which nobody read says nothing.
  while (readers.rounds() < kReaders * 20) std::this_thread::yield();
  EXPECT_EQ(readers.wrong(), 0U);
  EXPECT_GT(most_alive, 2U);
  std::printf("%llu rounds of readers, at most %zu generations alive\n",
              static_cast<unsigned long long>(readers.rounds()), most_alive);
}

}  // namespace

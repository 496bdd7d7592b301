#include "sansock/timer_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace {

using namespace sansock;

Instant at_ms(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

TEST(TimerQueue, PopsDueSlotsOldestFirst) {
  TimerQueue queue;
  queue.reserve(3);
  queue.set(0, at_ms(30));
  queue.set(1, at_ms(10));
  queue.set(2, at_ms(20));
  EXPECT_EQ(queue.next(), at_ms(10));
  EXPECT_EQ(queue.pop_due(at_ms(9)), std::nullopt);
  EXPECT_EQ(queue.pop_due(at_ms(25)), 1u);
  EXPECT_EQ(queue.pop_due(at_ms(25)), 2u);
  EXPECT_EQ(queue.pop_due(at_ms(25)), std::nullopt);
  EXPECT_EQ(queue.size(), 1u);
}

TEST(TimerQueue, LaterDeadlinesLeaveTheEntryEarlierOnesMoveIt) {
  TimerQueue queue;
  queue.reserve(1);
  queue.set(0, at_ms(20));
  queue.set(0, at_ms(50));
  EXPECT_EQ(queue.next(), at_ms(20));
  queue.set(0, at_ms(5));
  EXPECT_EQ(queue.next(), at_ms(5));
  EXPECT_EQ(queue.size(), 1u);
  queue.set(0, never);
  EXPECT_EQ(queue.next(), at_ms(5));
}

TEST(TimerQueue, NeverComesUpBeforeItsDeadline) {
  TimerQueue queue;
  queue.reserve(1);
  const Instant deadline = at_ms(7) + std::chrono::nanoseconds(1);
  queue.set(0, deadline);
  EXPECT_EQ(queue.next(), at_ms(8));
  EXPECT_EQ(queue.pop_due(deadline), std::nullopt);
  EXPECT_EQ(queue.pop_due(at_ms(8)), 0u);
}

TEST(TimerQueue, AtOnceIsDueNow) {
  TimerQueue queue;
  queue.reserve(1);
  queue.set(0, at_once);
  EXPECT_EQ(queue.pop_due(at_ms(0)), 0u);
}

// C11: many that expire together all come out, each once.
TEST(TimerQueue, C11_AHundredThousandTogether) {
  constexpr std::uint32_t count = 100'000;
  TimerQueue queue;
  queue.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) queue.set(i, at_ms(1000));
  std::vector<bool> seen(count);
  while (const auto slot = queue.pop_due(at_ms(1000))) {
    ASSERT_FALSE(seen[*slot]);
    seen[*slot] = true;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), count);
  EXPECT_EQ(queue.next(), never);
}

TEST(TimerQueue, AgreesWithAMapOverRandomOperations) {
  std::mt19937 random(7);
  TimerQueue queue;
  constexpr std::uint32_t slots = 50;
  queue.reserve(slots);
  std::map<std::uint32_t, std::int64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto slot = static_cast<std::uint32_t>(random() % slots);
    const auto ms = static_cast<std::int64_t>(random() % 1000);
    switch (random() % 4) {
      case 0:
      case 1: {
        queue.set(slot, at_ms(ms));
        const auto known = model.find(slot);
        if (known == model.end() || known->second > ms) model[slot] = ms;
        break;
      }
      case 2:
        queue.remove(slot);
        model.erase(slot);
        break;
      default: {
        const auto due = queue.pop_due(at_ms(ms));
        std::int64_t oldest = INT64_MAX;
        for (const auto& [other, time] : model) oldest = std::min(oldest, time);
        ASSERT_EQ(due.has_value(), oldest <= ms);
        if (due) {
          ASSERT_EQ(model.at(*due), oldest);
          model.erase(*due);
        }
      }
    }
    ASSERT_EQ(queue.size(), model.size());
  }
}

}  // namespace

#include "text_window.h"

#include <gtest/gtest.h>

#include "codec_calls.h"

namespace sansock::testing {
namespace {

Data held(const TextWindow& window) {
  const auto [older, newer] = window.segments();
  return bytes_of(older) + bytes_of(newer);
}

TEST(TextWindow, KeepsTheLastBytesInOrder) {
  DeflateMemory memory(1 << 20);
  for (const std::size_t size_max : {256u, 1024u, 4096u}) {
    for (const std::size_t size : {1u, 7u, 255u, 256u, 300u, 5000u}) {
      TextWindow window(size_max);
      Data all;
      for (std::uint32_t i = 0; i < 40; ++i) {
        const Data text = noise(size + i % 3, i + 1);
        ASSERT_TRUE(window.append(memory, view_of(text)));
        all = all + text;
        ASSERT_EQ(held(window), last_of(all, size_max)) << size_max << " " << size << " " << i;
        ASSERT_LE(window.capacity(), size_max);
        ASSERT_EQ(memory.used(), window.capacity());
      }
      window.clear(memory);
      EXPECT_EQ(memory.used(), 0u);
      EXPECT_TRUE(held(window).empty());
    }
  }
}

TEST(TextWindow, GrowsWithWhatItHolds) {
  DeflateMemory memory(1 << 20);
  TextWindow window(32768);
  EXPECT_EQ(window.capacity(), 0u);
  const std::pair<std::size_t, std::size_t> steps[] = {
      {1, 512}, {511, 512}, {1, 1024}, {3000, 4096}, {40000, 32768}};
  for (const auto& [size, capacity] : steps) {
    ASSERT_TRUE(window.append(memory, view_of(noise(size, 1))));
    EXPECT_EQ(window.capacity(), capacity);
  }
  window.clear(memory);
}

TEST(TextWindow, OfNothingTakesNoMemory) {
  DeflateMemory memory(1 << 20);
  TextWindow window(0);
  EXPECT_TRUE(window.append(memory, view_of(noise(100, 1))));
  EXPECT_EQ(memory.used(), 0u);
  EXPECT_TRUE(held(window).empty());
}

TEST(TextWindow, WithoutMemoryNothingChanges) {
  DeflateMemory memory(1000);
  TextWindow window(4096);
  const Data first = noise(400, 1);
  ASSERT_TRUE(window.append(memory, view_of(first)));
  EXPECT_FALSE(window.append(memory, view_of(noise(200, 2))));
  EXPECT_EQ(held(window), first);
  window.clear(memory);
}

TEST(TextWindow, ShortensItselfToWhatItHas) {
  DeflateMemory memory(1000);
  TextWindow window(4096);
  Data all;
  for (const std::size_t size : {400u, 200u, 30u, 5000u}) {
    const Data text = noise(size, static_cast<std::uint32_t>(size));
    window.append_or_shorten(memory, view_of(text));
    all = all + text;
    EXPECT_EQ(held(window), last_of(all, 512));
  }
  window.clear(memory);
  DeflateMemory none(0);
  TextWindow empty(4096);
  empty.append_or_shorten(none, view_of(all));
  EXPECT_TRUE(held(empty).empty());
}

}  // namespace
}  // namespace sansock::testing

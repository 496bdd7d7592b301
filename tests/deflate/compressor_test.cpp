// Both compressors, at all levels and windows.
#include "compressor.h"

#include <gtest/gtest.h>

#include "codec_calls.h"
#include "document.h"
#include "slow_inflate.h"
#include "zlib_peer.h"

namespace sansock::testing {
namespace {

Data json(std::size_t size, std::uint64_t seed) {
  return bytes_of(bench::document(bench::Document::json, size, seed));
}

DeflateParameters window(unsigned bits) {
  DeflateParameters parameters;
  parameters.server_window_bits = parameters.client_window_bits = static_cast<std::uint8_t>(bits);
  return parameters;
}
DeflateOptions options(unsigned level, unsigned own_bits = 15) {
  DeflateOptions result;
  result.level = static_cast<std::uint8_t>(level);
  result.own_window_bits_max = static_cast<std::uint8_t>(own_bits);
  return result;
}

// What repeats lies just inside, at and beyond each border: `gap` bytes of noise between two runs that are
// equal.
Data repeating(std::size_t gap, std::uint32_t seed) {
  const Data run = noise(40, seed);
  return run + noise(gap - run.size(), seed + 1) + run;
}

TEST(Compressor, NeverRefersBeyondTheWindow) {
  for (unsigned level = 1; level <= 9; ++level) {
    for (unsigned bits = 8; bits <= 15; ++bits) {
      DeflateCodec codec;
      // Half of them are bound by what was agreed, half by what we use of it.
      OpenStream stream(codec, Role::server, window(level % 2 ? bits : 15),
                        options(level, level % 2 ? 15 : bits));
      const std::size_t size = std::size_t{1} << bits;
      Data sent;
      std::size_t distance_max = 0;
      std::uint32_t seed = 1;
      for (const std::size_t gap : {size / 3, size - 20, size - 1, size, size + 1, size + 40, 2 * size}) {
        if (gap < 40) continue;
        const Data text = repeating(gap, ++seed);
        // As one message, and cut so that what repeats lies in the one before.
        for (const std::size_t cut : {text.size(), text.size() - 40}) {
          for (const Data& part : {Data(text.begin(), text.begin() + static_cast<long>(cut)),
                                   Data(text.begin() + static_cast<long>(cut), text.end())}) {
            const auto payload = send(stream, part);
            ASSERT_TRUE(payload);
            const SlowInflated back = slow_inflate(last_of(sent, size), *payload);
            ASSERT_EQ(back.verdict, Verdict::complete) << level << " " << bits << " " << gap;
            ASSERT_EQ(back.text, part);
            distance_max = std::max(distance_max, back.distance_max);
            sent = sent + part;
          }
        }
      }
      EXPECT_LE(distance_max, size) << level << " " << bits;
      // It does use it, zlib all but the last 262 bytes.
      EXPECT_GE(distance_max, bits >= 10 ? size / 3 : 40) << level << " " << bits;
    }
  }
}

TEST(Compressor, HigherLevelsMakeLess) {
  std::size_t sizes[10] = {};
  for (unsigned level = 1; level <= 9; ++level) {
    DeflateCodec codec;
    OpenStream stream(codec, Role::server, {}, options(level));
    for (std::uint64_t i = 0; i < 30; ++i) sizes[level] += send(stream, json(4096, i))->size();
  }
  EXPECT_LT(sizes[3], sizes[1]);
  EXPECT_LT(sizes[6], sizes[3]);
  EXPECT_LE(sizes[9], sizes[6]);
}

// One that is dedicated to the connection has all of its window and keeps its tables.
TEST(Compressor, TheFastestMakesNoMoreThanZlibAtItsFastest) {
  for (const std::size_t size : {1024u, 16384u}) {
    DeflateCodec codec;
    OpenStream stream(codec, Role::server, {}, options(1, 12));
    ZlibSender zlib(15, true, 1);
    std::size_t ours = 0, theirs = 0;
    bench::DocumentWriter writer(7);
    for (int i = 0; i < 50; ++i) {
      const Data text = bytes_of(writer.write(bench::Document::json, size));
      ours += send(stream, text)->size();
      theirs += zlib.message(text).size();
    }
    EXPECT_LE(ours, theirs) << size;
  }
}

TEST(Compressor, WhatDoesNotShrinkHardlyGrows) {
  for (unsigned level = 1; level <= 9; ++level) {
    for (const std::size_t size : {1u, 100u, 5000u, 70000u, 300000u}) {
      DeflateCodec codec;
      OpenStream stream(codec, Role::client, {}, options(level));
      const auto payload = send(stream, noise(size, level));
      ASSERT_TRUE(payload) << level << " " << size;
      EXPECT_LE(payload->size(), size + size / 512 + 64);
    }
  }
}

TEST(Compressor, ResultDoesNotDependOnWhatWasCompressedForOthers) {
  for (const unsigned level : {1u, 6u}) {
    DeflateCodec busy, quiet;
    OpenStream ours(busy, Role::server, window(12), options(level));
    OpenStream other(busy, Role::server, window(12), options(level == 1 ? 3 : 9));
    OpenStream alone(quiet, Role::server, window(12), options(level));
    for (std::uint64_t i = 0; i < 20; ++i) {
      send(other, json(3000, 100 + i));
      EXPECT_EQ(send(ours, json(700, i)), send(alone, json(700, i)));
    }
  }
}

}  // namespace
}  // namespace sansock::testing

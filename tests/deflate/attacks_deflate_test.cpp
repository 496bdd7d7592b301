// Compressed data that is bad, or made to harm: the rows Z of the catalogue of bad input that concern a
// codec.
#include <gtest/gtest.h>

#include "codec_calls.h"
#include "slow_inflate.h"
#include "zlib_peer.h"

namespace sansock::testing {
namespace {

const Data empty_stored = from_hex("00 00 00 ff ff");
const Data hello = bytes_of("Hello");

DeflateParameters agreed(unsigned bits, bool takeover = true) {
  DeflateParameters parameters;
  parameters.server_window_bits = parameters.client_window_bits = static_cast<std::uint8_t>(bits);
  parameters.server_no_context_takeover = parameters.client_no_context_takeover = !takeover;
  return parameters;
}

// Some good messages, then one that may be bad.
struct Case {
  std::vector<Data> before;
  Data payload;
  DeflateParameters parameters = {};
};

Received run(const Case& given, const std::vector<Data>& pieces) {
  DeflateCodec codec;
  OpenStream stream(codec, Role::server, given.parameters);
  for (const Data& payload : given.before) EXPECT_EQ(receive(stream, payload).error, errc::none);
  return receive(stream, pieces);
}

// Whole, byte by byte, in two at every place, with an empty piece at either end: always the same.
Received run_in_all_ways(const Case& given) {
  const Received whole = run(given, {given.payload});
  const Data& all = given.payload;
  std::vector<Data> bytes;
  for (const std::uint8_t byte : all) bytes.push_back({byte});
  if (bytes.empty()) bytes.push_back({});
  EXPECT_EQ(run(given, bytes), whole);
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const auto middle = all.begin() + static_cast<long>(cut);
    EXPECT_EQ(run(given, {Data(all.begin(), middle), Data(middle, all.end())}), whole) << "cut at " << cut;
  }
  return whole;
}
void expect_text(const Case& given, const Data& text) {
  EXPECT_EQ(run_in_all_ways(given), (Received{text, errc::none})) << to_hex(given.payload);
}
void expect_error(const Case& given, errc error, const Data& text_before = {}) {
  EXPECT_EQ(run_in_all_ways(given), (Received{text_before, error})) << to_hex(given.payload);
}

TEST(AttacksDeflate, Z1BombStopsAtEachStep) {
  ZlibSender sender(15, true, 9);
  DeflateCodec codec;
  OpenStream stream(codec, Role::server);
  // 1:1000, in one frame, in fragments, and in messages that refer to each other.
  for (int message = 0; message < 3; ++message) {
    const Data text(1 << 20, 'a');
    const Data bomb = sender.message(text);
    ASSERT_LT(bomb.size(), text.size() / 500);
    const std::size_t piece = message == 0 ? bomb.size() : 7;
    std::size_t made = 0;
    for (std::size_t at = 0; at < bomb.size();) {
      const std::size_t size = std::min(piece, bomb.size() - at);
      const Data input(bomb.begin() + static_cast<long>(at), bomb.begin() + static_cast<long>(at + size));
      const auto step = codec.inflate(*stream, view_of(input), at + size == bomb.size());
      ASSERT_EQ(step.error, errc::none);
      ASSERT_LE(step.bytes.size(), MessageCodec::inflate_size_max);
      ASSERT_TRUE(step.more || step.consumed == size);
      made += step.bytes.size();
      at += step.consumed;
      bool more = step.more;
      while (more && at == bomb.size()) {
        const auto rest = codec.inflate(*stream, {}, true);
        made += rest.bytes.size();
        more = rest.more;
      }
    }
    EXPECT_EQ(made, text.size());
  }
}

TEST(AttacksDeflate, Z2EmptyBlocksMakeNothing) {
  Data payload;
  for (int i = 0; i < 200; ++i) payload = payload + empty_stored;
  expect_text({.payload = payload + Data{0x00}}, {});
  // Each with BFINAL set: starting over must not cost what the window holds.
  ZlibSender sender(15, true);
  DeflateCodec codec;
  OpenStream stream(codec, Role::server);
  ASSERT_EQ(receive(stream, sender.message(noise(40000, 1))).error, errc::none);
  Data finals;
  for (int i = 0; i < 50000; ++i) finals = finals + Data{0x03, 0x00};
  EXPECT_EQ(receive(stream, finals + Data{0x00}), Received{});
}

TEST(AttacksDeflate, Z3FinalBlocks) {
  // The example of RFC 7692 section 7.2.3.4, and without its last byte, where nothing is missing either.
  const Data final_hello = from_hex("f3 48 cd c9 c9 07 00");
  expect_text({.payload = final_hello + Data{0x00}}, hello);
  expect_text({.payload = final_hello}, hello);
  // More blocks after it, in the same message and in the next, referring to what was before it.
  const Data ordinary = from_hex("f2 48 cd c9 c9 07 00");
  expect_text({.payload = final_hello + ordinary}, hello + hello);
  expect_text({.payload = final_hello + final_hello + final_hello + Data{0x00}}, hello + hello + hello);
  const Data referring = from_hex("f2 00 11 00 00");  // section 7.2.3.2: "Hello" once more
  expect_text({.before = {final_hello + Data{0x00}}, .payload = referring}, hello);
  expect_text({.before = {final_hello}, .payload = referring}, hello);
  expect_text({.payload = final_hello + referring}, hello + hello);
  // What follows must be a block.
  expect_error({.payload = final_hello + Data{0xFF}}, errc::compressed_data_invalid, hello);
}

TEST(AttacksDeflate, Z4DistanceTooFarBack) {
  const Data referring = from_hex("f2 00 11 00 00");
  ASSERT_EQ(slow_inflate(hello, referring).text, hello);
  const Data greeting = from_hex("f2 48 cd c9 c9 07 00");
  expect_text({.before = {greeting}, .payload = referring}, hello);
  expect_error({.payload = referring}, errc::compressed_data_invalid, bytes_of("H"));
  expect_error({.before = {greeting}, .payload = referring, .parameters = agreed(15, false)},
               errc::compressed_data_invalid, bytes_of("H"));
  // 9 bits agreed, and what is 600 bytes back referred to.
  const Data secret = noise(40, 1);
  const Data older = secret + noise(560, 2);
  for (const unsigned bits : {8u, 9u, 10u, 15u}) {
    ZlibSender sender(15, true);
    const Data first = sender.message(older);
    const Data second = sender.message(secret);
    const Case given{.before = {first}, .payload = second, .parameters = agreed(bits)};
    if (bits >= 10)
      expect_text(given, secret);
    else
      EXPECT_EQ(run_in_all_ways(given).error, errc::compressed_data_invalid);
  }
}

TEST(AttacksDeflate, Z4DistancesAtTheBorder) {
  for (unsigned bits = 8; bits <= 15; ++bits) {
    const std::size_t size = std::size_t{1} << bits;
    for (const int beyond : {0, 1}) {
      // A fixed block with one match of 3 bytes, written bit by bit: its distance is the window's size, or
      // one more.
      const Data history = noise(size + 10, bits);
      std::uint64_t word = 0;
      unsigned at = 0;
      const auto put = [&](unsigned value, unsigned count) {
        word |= std::uint64_t{value} << at;
        at += count;
      };
      put(0b010, 3);
      put(0b1000000, 7);  // 257: a length of 3, as a code the other way round
      const std::size_t distance = size + static_cast<std::size_t>(beyond);
      if (distance > 32768) continue;
      const unsigned code = beyond != 0 ? 2 * bits : 2 * bits - 1;
      for (unsigned i = 5; i-- > 0;) put(code >> i & 1, 1);
      const unsigned extra = code / 2 - 1;
      const std::size_t base = (2 + code % 2) << extra;
      put(static_cast<unsigned>(distance - 1 - base), extra);
      put(0, 7);  // the block's end
      put(0, 3);  // an empty stored block, whose rest is the tail
      Data payload;
      for (unsigned i = 0; i < at; i += 8) payload.push_back(static_cast<std::uint8_t>(word >> i));
      ZlibSender sender(bits, true);
      const Case given{.before = {sender.message(history)}, .payload = payload, .parameters = agreed(bits)};
      if (beyond != 0) {
        expect_error(given, errc::compressed_data_invalid);
      } else {
        const Data all = last_of(history, size);
        expect_text(given, Data(all.begin(), all.begin() + 3));
      }
    }
  }
}

TEST(AttacksDeflate, Z5BadBlocks) {
  const std::pair<const char*, const char*> bad[] = {
      {"reserved type", "06"},
      {"stored: lengths that do not fit", "00 04 00 80 00"},
      {"too many lengths or distances", "fc 00 00"},
      {"code lengths: over-subscribed", "04 00 fe ff"},
      {"repeat of no length", "04 00 24 49 00"},
      {"repeat beyond the end", "04 00 24 e9 ff ff"},
      {"no end of the block", "04 00 24 e9 ff 6d"},
      {"literals: over-subscribed", "04 80 49 92 24 49 92 24 71 ff ff 93 11 00"},
      {"distances: incomplete", "04 80 49 92 24 49 92 24 0f b4 ff ff c3 84"},
      {"literal that is no code word", "04 c0 81 08 00 00 00 00 20 7f eb 0b 00 00"},
      {"length code 286", "1b 07"},
      {"distance code 30", "02 7e ff ff"},
      {"distance too far back", "0c c0 81 00 00 00 00 00 90 ff 6b 04 00"},
  };
  for (const auto& [name, payload] : bad) {
    SCOPED_TRACE(name);
    expect_error({.payload = from_hex(payload)}, errc::compressed_data_invalid,
                 slow_inflate({}, from_hex(payload)).text);
    // Behind what is good, that is delivered.
    const Data later = from_hex("f2 48 cd c9 c9 07 00 00 00 ff ff") + from_hex(payload);
    const SlowInflated expected = slow_inflate({}, later);
    ASSERT_EQ(Data(expected.text.begin(), expected.text.begin() + 5), hello);
    EXPECT_EQ(expected.verdict, Verdict::invalid);
    expect_error({.payload = later}, errc::compressed_data_invalid, expected.text);
  }
}

TEST(AttacksDeflate, Z6MessageEndsInsideOfABlock) {
  ZlibSender sender(15, true);
  const Data text = bytes_of("a text that is a text that is long enough to have some matches, long enough");
  const Data payload = sender.message(text);
  for (std::size_t size = 1; size < payload.size(); ++size) {
    const Data cut(payload.begin(), payload.begin() + static_cast<long>(size));
    const SlowInflated expected = slow_inflate({}, cut);
    ASSERT_NE(expected.verdict, Verdict::complete);
    const Received got = run_in_all_ways({.payload = cut});
    EXPECT_EQ(got.text, expected.text);
    EXPECT_EQ(got.error, expected.verdict == Verdict::invalid ? errc::compressed_data_invalid
                                                              : errc::compressed_data_truncated);
  }
  // The tail was not left out.
  expect_error({.payload = from_hex("f2 48 cd c9 c9 07 00 00 00 ff ff")}, errc::compressed_data_truncated,
               hello);
  expect_error({.payload = from_hex("00 06 00 f9 ff 48")}, errc::compressed_data_truncated,
               bytes_of("H") + from_hex("00 00 ff ff"));
}

TEST(AttacksDeflate, Z7NothingAndAlmostNothing) {
  expect_error({.payload = {}}, errc::compressed_data_truncated);
  expect_text({.payload = {0x00}}, {});
  expect_text({.payload = {0x02, 0x00}}, {});
  expect_text({.before = {{0x00}}, .payload = from_hex("f2 48 cd c9 c9 07 00")}, hello);
}

TEST(AttacksDeflate, Z8TailNeedsNoRoomInTheInput) {
  // The input ends where its memory does (ExactCopy); the sizes are those around a page.
  for (std::size_t size = 4085; size < 4100; ++size) {
    ZlibSender sender(15, true, 0);
    const Data text = noise(size, 3);
    const Data payload = sender.message(text);
    EXPECT_EQ(run({}, {payload}), (Received{text, errc::none}));
  }
}

TEST(AttacksDeflate, Z9OutputAtTheBorderOfAStep) {
  constexpr std::size_t step = MessageCodec::inflate_size_max;
  for (const std::size_t size : {step - 1, step, step + 1, 2 * step, 3 * step + 5}) {
    for (const bool plain : {false, true}) {
      ZlibSender sender(15, true, plain ? 0 : 6);
      const Data text = noise(size / 2, 4) + Data(size - size / 2, 'x');
      const Data payload = sender.message(text);
      EXPECT_EQ(run({}, {payload}), (Received{text, errc::none})) << size;
      const auto middle = payload.begin() + static_cast<long>(payload.size() / 2);
      EXPECT_EQ(run({}, {Data(payload.begin(), middle), Data(middle, payload.end()), {}}),
                (Received{text, errc::none}));
    }
  }
}

TEST(AttacksDeflate, Z11WindowsOfEverySize) {
  for (unsigned bits = 8; bits <= 15; ++bits) {
    ZlibSender sender(bits, true, 9);
    DeflateCodec codec;
    OpenStream stream(codec, Role::server, agreed(bits));
    for (std::uint32_t i = 0; i < 50; ++i) {
      const Data text = noise(60, i % 7) + noise(i * 13, i % 5) + noise(60, i % 3);
      ASSERT_EQ(receive(stream, sender.message(text)), (Received{text, errc::none})) << bits << " " << i;
    }
  }
}

TEST(AttacksDeflate, Z13WhatWasNotQueuedIsNotReferredTo) {
  for (const std::uint8_t level : Levels{1, 3, 6}) {
    DeflateOptions options;
    options.level = level;
    DeflateCodec codec;
    OpenStream stream(codec, Role::server, {}, options);
    ZlibReceiver peer(true);
    for (std::uint32_t i = 0; i < 30; ++i) {
      const Data lost = noise(300, 1000 + i);
      ASSERT_NE(codec.deflate(*stream, view_of(lost), i % 2 == 0, no_limit).data(), nullptr);
      const Data text = lost + noise(200, i);
      const auto payload = send(stream, text);
      ASSERT_TRUE(payload);
      ASSERT_EQ(peer.message(*payload), text);
      ASSERT_GE(payload->size(), 400u) << "it refers to what was never sent";
    }
  }
}

// What once broke decoders: CVE-2016-9840 to 9843 (zlib), 2018-25032 (zlib, sent), 2022-37434 (gzip only).
TEST(AttacksDeflate, Z15HostileData) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    ZlibSender sender(15, true, 9, 1, seed % 2 ? Z_FIXED : Z_DEFAULT_STRATEGY);
    Data payload = sender.message(noise(20, seed) + noise(20, seed) + Data(seed, 'a'));
    const Data where = noise(6, seed + 1000);
    for (std::size_t i = 0; i < seed % 4; ++i)
      payload[where[i] % payload.size()] ^= static_cast<std::uint8_t>(1u << i);
    const SlowInflated expected = slow_inflate({}, payload);
    const errc error = expected.verdict == Verdict::invalid     ? errc::compressed_data_invalid
                       : expected.verdict == Verdict::truncated ? errc::compressed_data_truncated
                                                                : errc::none;
    ASSERT_EQ(run_in_all_ways({.payload = payload}), (Received{expected.text, error})) << to_hex(payload);
  }
  // The compressor's distances and literals share memory with many fixed blocks (2018-25032).
  for (unsigned level = 1; level <= 9; ++level) {
    DeflateOptions options;
    options.level = static_cast<std::uint8_t>(level);
    DeflateCodec codec;
    OpenStream stream(codec, Role::server, {}, options);
    Data text;
    for (std::uint32_t i = 0; i < 20000; ++i)
      text = text + Data{static_cast<std::uint8_t>(i * i >> 3), 'a', 'b'};
    EXPECT_EQ(slow_inflate({}, *send(stream, text)).text, text);
  }
}

}  // namespace
}  // namespace sansock::testing

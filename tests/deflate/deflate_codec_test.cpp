// What a DeflateCodec promises of memory, lifetimes and parameters.
#include "sansock/deflate_codec.h"

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

// What the connections alone take.
std::size_t of_streams(DeflateCodec& codec) {
  codec.trim();
  return codec.memory_used();
}

TEST(DeflateCodec, SendsWhatRfc7692Shows) {
  DeflateCodec codec;
  OpenStream stream(codec, Role::server);
  // Section 7.2.3.6: an empty message is one byte.
  EXPECT_EQ(send(stream, Data{}), (Data{0x00}));
  const Data hello = bytes_of("Hello");
  const auto first = send(stream, hello);
  const auto second = send(stream, hello);
  ASSERT_TRUE(first && second);
  ZlibReceiver peer(true);
  EXPECT_EQ(peer.message(*first), hello);
  EXPECT_EQ(peer.message(*second), hello);
  EXPECT_LE(second->size(), first->size());
}

TEST(DeflateCodec, PartsAreOneMessage) {
  const Data text = json(3000, 1);
  for (const bool takeover : {true, false}) {
    for (const std::uint8_t level : Levels{1, 6}) {
      DeflateParameters parameters;
      parameters.server_no_context_takeover = !takeover;
      DeflateOptions options;
      options.level = level;
      DeflateCodec codec;
      OpenStream stream(codec, Role::server, parameters, options);
      ZlibReceiver peer(takeover);
      const Data a(text.begin(), text.begin() + 1500);
      for (int i = 0; i < 3; ++i) {
        // The second part repeats the first one, and refers to it.
        const auto payload = send(stream, {a, {}, a, {}});
        const auto once = send(stream, a);
        ASSERT_TRUE(payload && once);
        EXPECT_EQ(peer.message(*payload), a + a);
        EXPECT_EQ(peer.message(*once), a);
        if (!takeover) {
          EXPECT_LT(payload->size(), once->size() + 100);
        }
      }
    }
  }
}

TEST(DeflateCodec, EmptyPartBeforeTheLastIsNoFailure) {
  DeflateCodec codec;
  OpenStream stream(codec, Role::server);
  const ConstBytes part = codec.deflate(*stream, {}, false, 100);
  EXPECT_NE(part.data(), nullptr);
  EXPECT_TRUE(part.empty());
}

TEST(DeflateCodec, SizeLimitIsExact) {
  for (const std::uint8_t level : Levels{1, 2, 3, 4, 9}) {
    for (const bool end : {true, false}) {
      DeflateOptions options;
      options.level = level;
      DeflateCodec codec;
      OpenStream stream(codec, Role::server, {}, options);
      const Data text = json(2000, 5);
      const Data whole = bytes_of(codec.deflate(*stream, view_of(text), end, no_limit));
      EXPECT_EQ(bytes_of(codec.deflate(*stream, view_of(text), end, whole.size())), whole);
      for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{1}, std::size_t{0}})
        EXPECT_EQ(codec.deflate(*stream, view_of(text), end, size).data(), nullptr)
            << int{level} << " " << size;
      EXPECT_EQ(bytes_of(codec.deflate(*stream, view_of(text), end, no_limit)), whole);
      EXPECT_EQ(codec.deflate(*stream, {}, true, 0).data(), nullptr);
    }
  }
}

TEST(DeflateCodec, MessagesCompressedElsewhere) {
  DeflateParameters parameters;
  parameters.server_window_bits = 11;
  DeflateCodec codec;
  OpenStream stream(codec, Role::server, parameters);
  const Data text = noise(500, 1);
  send(stream, text);
  EXPECT_FALSE(codec.deflated_elsewhere(*stream, 12));
  EXPECT_LT(send(stream, text)->size(), 100u);
  codec.deflated(*stream, view_of(text), false);
  EXPECT_FALSE(codec.deflated_elsewhere(*stream, 11)) << "a message in parts is under way";
  codec.deflated(*stream, {}, true);
  EXPECT_TRUE(codec.deflated_elsewhere(*stream, 11));
  EXPECT_GE(send(stream, text)->size(), 500u);
  EXPECT_LT(send(stream, text)->size(), 100u);
}

TEST(DeflateCodec, ConnectionTakesWhatItNeeds) {
  DeflateCodec codec;
  DeflateParameters parameters;
  parameters.client_window_bits = 12;
  std::vector<std::unique_ptr<OpenStream>> streams;
  const std::size_t count = 100;
  for (std::size_t i = 0; i < count; ++i)
    streams.push_back(std::make_unique<OpenStream>(codec, Role::server, parameters));
  EXPECT_EQ(codec.streams(), count);
  EXPECT_LE(of_streams(codec), count * 128);
  ZlibSender peer(12, false);
  const auto exchange = [&](std::size_t size, std::uint64_t seed) {
    const Data text = json(size, seed);
    for (auto& stream : streams) {
      ASSERT_EQ(receive(*stream, peer.message(text)).error, errc::none);
      ASSERT_TRUE(send(*stream, text));
    }
  };
  exchange(1024, 1);
  EXPECT_LE(of_streams(codec), count * 3 * 1024);
  for (std::uint64_t i = 0; i < 20; ++i) exchange(1024, i);
  EXPECT_LE(of_streams(codec), count * 10 * 1024);
  streams.clear();
  EXPECT_EQ(of_streams(codec), 0u);
  EXPECT_EQ(codec.streams(), 0u);
}

TEST(DeflateCodec, WithoutContextNothingIsKept) {
  DeflateParameters parameters;
  parameters.server_no_context_takeover = parameters.client_no_context_takeover = true;
  DeflateCodec codec;
  OpenStream stream(codec, Role::server, parameters);
  const std::size_t before = of_streams(codec);
  ZlibSender peer(15, false);
  const Data text = json(5000, 1);
  EXPECT_EQ(receive(stream, peer.message(text)).text, text);
  const auto once = send(stream, text);
  EXPECT_EQ(of_streams(codec), before);
  EXPECT_EQ(send(stream, text), once);
  send(stream, std::vector<Data>{text, text});
  EXPECT_EQ(of_streams(codec), before);
}

// A handler of one connection's message may let others receive.
TEST(DeflateCodec, WhatWasMadeStaysWhileOthersReceive) {
  DeflateCodec codec;
  std::vector<std::unique_ptr<OpenStream>> streams;
  std::vector<std::pair<ConstBytes, Data>> held;
  for (std::uint32_t i = 0; i < 10; ++i) {
    streams.push_back(std::make_unique<OpenStream>(codec, Role::client));
    ZlibSender peer(15, true);
    const Data text = noise(3000, i + 1);
    const Data payload = peer.message(text);
    const auto step = codec.inflate(**streams.back(), view_of(payload), true);
    ASSERT_EQ(step.error, errc::none);
    ASSERT_FALSE(step.more);
    held.emplace_back(step.bytes, text);
    send(*streams.front(), text);
    for (const auto& [bytes, expected] : held) ASSERT_EQ(bytes_of(bytes), expected);
  }
  for (auto& stream : streams) codec.release(**stream);
  for (auto& stream : streams) codec.release(**stream);
}

TEST(DeflateCodec, StreamsCloseInAnyState) {
  DeflateCodec codec;
  ZlibSender peer(15, true);
  const Data payload = peer.message(json(200000, 1));
  const Data half(payload.begin(), payload.begin() + static_cast<long>(payload.size() / 2));
  for (int state = 0; state < 5; ++state) {
    OpenStream stream(codec, Role::server);
    if (state == 1) codec.inflate(*stream, view_of(half), false);
    if (state == 2) codec.inflate(*stream, view_of(payload), true);
    if (state == 3) receive(stream, Data{0x07});
    if (state == 4) codec.deflated(*stream, view_of(half), false);
  }
  EXPECT_EQ(of_streams(codec), 0u);
}

TEST(DeflateCodec, TrimGivesBackWhatIsNoConnections) {
  DeflateCodec codec;
  OpenStream stream(codec, Role::server);
  const std::size_t before = codec.memory_used();
  ZlibSender peer(15, true);
  for (int i = 0; i < 3; ++i) {
    const Data text = json(1024, 1);
    EXPECT_EQ(receive(stream, peer.message(text)).text, text);
    EXPECT_TRUE(send(stream, text));
    EXPECT_GT(codec.memory_used(), before + 200'000);
    codec.trim();
    EXPECT_LE(codec.memory_used(), before + 8192);
  }
}

// A whole conversation under a ceiling. What fails does so as the contract has it; what does not is right.
struct Outcome {
  bool complete = true;
  std::size_t used_max = 0;
};
Outcome converse(std::size_t memory_max, std::uint8_t level) {
  DeflateCodec codec(memory_max);
  DeflateOptions options;
  options.level = level;
  Outcome outcome;
  {
    OpenStream stream(codec, Role::server, {}, options);
    const auto note = [&](bool good) {
      outcome.complete = outcome.complete && good;
      outcome.used_max = std::max(outcome.used_max, codec.memory_used());
      EXPECT_LE(codec.memory_used(), memory_max);
    };
    note(stream.good());
    if (!stream.good()) return outcome;
    ZlibSender peer(15, true);
    ZlibReceiver receiver(true);
    for (const std::size_t size : {100u, 700u, 3000u, 70000u}) {
      const Data text = json(size, size);
      const auto payload = send(stream, text);
      note(payload.has_value());
      if (payload) {
        EXPECT_EQ(receiver.message(*payload), text);
      }
      const Received received = receive(stream, peer.message(text));
      note(received.error == errc::none);
      EXPECT_TRUE(received.error == errc::none || received.error == errc::codec_exhausted);
      if (received.error != errc::none) {
        EXPECT_EQ(received.text, Data(text.begin(), text.begin() + static_cast<long>(received.text.size())));
        break;
      }
      EXPECT_EQ(received.text, text);
    }
  }
  EXPECT_EQ(of_streams(codec), 0u);
  return outcome;
}

// Who is let in can fill its windows; who could not is not let in.
TEST(DeflateCodec, PromisesOnlyTheWindowsThatFit) {
  constexpr std::size_t memory_max = 8u << 20;
  DeflateCodec codec(memory_max);
  std::vector<std::unique_ptr<OpenStream>> streams;
  for (;;) {
    auto stream =
        std::make_unique<OpenStream>(codec, Role::server, DeflateParameters{.client_window_bits = 12});
    if (!stream->good()) break;
    streams.push_back(std::move(stream));
  }
  EXPECT_EQ(streams.size(), (memory_max - (1u << 20)) / 8192);
  const Data text = json(20'000, 1);
  for (const auto& stream : streams) {
    ZlibSender peer(12, true);
    EXPECT_EQ(receive(*stream, peer.message(text)).error, errc::none);
    EXPECT_TRUE(send(*stream, text).has_value());
  }
  EXPECT_LE(codec.memory_used(), memory_max);
  streams.pop_back();
  EXPECT_TRUE(OpenStream(codec, Role::server, DeflateParameters{.client_window_bits = 12}).good());
  streams.clear();
}

TEST(DeflateCodec, HoldsItsCeilingWhereverThatLies) {
  for (const std::uint8_t level : Levels{1, 6}) {
    const std::size_t enough = converse(64 << 20, level).used_max;
    for (std::size_t memory_max = 0; memory_max < enough; memory_max += memory_max < 12'000 ? 97 : 3989)
      converse(memory_max, level);
    EXPECT_FALSE(converse(60'000, level).complete);
    EXPECT_TRUE(converse(enough, level).complete);
  }
}

}  // namespace
}  // namespace sansock::testing

#include "tape.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "codec.h"

namespace {

load::Options compressing(std::size_t size, load::Payload payload) {
  load::Options options;
  options.deflate = load::Deflate::on;
  options.size = size;
  options.payload = payload;
  return options;
}

std::string frame_of(const load::Tape& tape, std::size_t number) {
  const std::size_t begin = number == 0 ? 0 : tape.frame_ends[number - 1];
  return tape.frames.substr(begin, tape.frame_ends[number] - begin);
}

// What is in a masked frame, which has to be whole.
std::string unmask(std::string_view frame) {
  const auto length = static_cast<unsigned>(frame[1] & 0x7f);
  const std::size_t header = length < 126 ? 2 : length == 126 ? 4 : 10;
  std::size_t size = length;
  if (header > 2) {
    size = 0;
    for (std::size_t i = 2; i < header; ++i) size = size << 8 | static_cast<unsigned char>(frame[i]);
  }
  EXPECT_EQ(frame.size(), header + 4 + size);
  std::string payload(frame.substr(header + 4));
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ frame[header + i % 4]);
  return payload;
}

std::string inflate(load::Inflater& inflater, std::string_view compressed) {
  std::string plain;
  const auto take = [&] {
    for (auto part = inflater.next(); !part.empty(); part = inflater.next())
      plain.append(part.data(), part.size());
  };
  inflater.give(compressed);
  take();
  inflater.give_end();
  take();
  return plain;
}

// As a server would: one decompressor for all messages, round and round.
void expect_decodes(const load::Tape& tape, std::size_t rounds, int window_bits) {
  load::Inflater inflater(window_bits);
  for (std::size_t number = 0; number < rounds * tape.count; ++number) {
    const std::size_t row = number % tape.count;
    if (tape.deflate.client_no_context_takeover) inflater.forget();
    ASSERT_EQ(inflate(inflater, unmask(frame_of(tape, row))),
              tape.payloads.substr(row * tape.message, tape.message))
        << "message " << number << ", window " << window_bits;
  }
}

// The example of RFC 6455 section 5.7.
TEST(Tape, MakesMaskedFrames) {
  EXPECT_EQ(load::make_frame(1, "Hello", 0x3d21fa37), "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  EXPECT_EQ(load::make_frame(2, "", 0), std::string("\x82\x80\0\0\0\0", 6));
  EXPECT_EQ(load::make_frame(2, std::string(126, 'a'), 0).substr(0, 4), std::string("\x82\xfe\0\x7e", 4));
  EXPECT_EQ(load::make_frame(2, std::string(65536, 'a'), 0).substr(0, 10),
            std::string("\x82\xff\0\0\0\0\0\1\0\0", 10));
}

TEST(Tape, MessagesOfATapeDiffer) {
  load::Options options;
  options.size = 16;
  const load::Tape tape(options);
  std::set<std::string> messages;
  for (std::size_t i = 0; i < tape.count; ++i) messages.insert(tape.payloads.substr(i * 16, 16));
  EXPECT_EQ(messages.size(), tape.count);
  EXPECT_EQ(tape.frame_ends.size(), tape.count);
  EXPECT_EQ(tape.frame_ends.back(), tape.frames.size());
}

TEST(Tape, TellsTheBytesOfMessagesFromAnyOne) {
  const load::Tape tape(compressing(3000, load::Payload::json), {.compressed = true});
  for (std::size_t first = 0; first < tape.count; ++first) {
    std::size_t bytes = 0;
    for (std::size_t messages = 0; messages <= 3 * tape.count; ++messages) {
      ASSERT_EQ(tape.frame_bytes(first, messages), bytes);
      bytes += frame_of(tape, (first + messages) % tape.count).size();
    }
  }
}

TEST(Tape, CompressedMessagesDecodeInEachRoundWithEachWindow) {
  for (int bits = 9; bits <= 15; ++bits) {
    for (const std::size_t size : {0u, 20u, 1000u, 40'000u}) {
      for (const load::Payload payload : {load::Payload::random, load::Payload::json, load::Payload::html}) {
        for (const bool takeover : {true, false}) {
          const load::DeflateAgreement agreement{
              .compressed = true, .client_no_context_takeover = !takeover, .client_window_bits = bits};
          expect_decodes(load::Tape(compressing(size, payload), agreement), 3, bits);
        }
      }
    }
  }
}

TEST(Tape, NoWindowReachesBackToTheRoundBefore) {
  for (const std::size_t size : {15u, 125u, 1000u, 40'000u}) {
    const load::Tape tape(compressing(size, load::Payload::random), {.compressed = true});
    EXPECT_GE(tape.payloads.size(), 50u << 10) << size;
  }
  const load::DeflateAgreement agreement{.compressed = true};
  const load::Tape random(compressing(125, load::Payload::random), agreement);
  EXPECT_GT(random.frames.size(), random.payloads.size()) << "random bytes do not shrink, by the row neither";
}

TEST(Tape, TheContextIsUsed) {
  const load::Options options = compressing(1000, load::Payload::json);
  const load::Tape with(options, {.compressed = true});
  const load::Tape without(options, {.compressed = true, .client_no_context_takeover = true});
  EXPECT_LT(with.frames.size(), without.frames.size());
  EXPECT_LT(without.frames.size(), without.payloads.size());
  EXPECT_EQ(with.payloads, without.payloads);
}

TEST(Tape, CompressedMessagesAreOneFrameWithRsv1) {
  load::Options options = compressing(300, load::Payload::html);
  options.text = true;
  const load::Tape tape(options, {.compressed = true});
  for (std::size_t number = 0; number < tape.count; ++number) EXPECT_EQ(frame_of(tape, number)[0], '\xc1');
  EXPECT_EQ(load::make_frame(2, "", 0, true)[0], '\xc2');
  EXPECT_EQ(load::Tape(options).frames[0], '\x81') << "without an agreement";
}

TEST(Tape, MixedTextIsWholeCharactersOfTheExactSize) {
  for (std::size_t size = 0; size < 100; ++size) {
    for (std::size_t number = 0; number < 7; ++number) {
      const std::string text = load::make_payload(size, number, true, true);
      ASSERT_EQ(text.size(), size);
      for (std::size_t i = 0; i < size;) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        ASSERT_TRUE(lead < 0x80 || lead >= 0xc2);
        ASSERT_LE(i + length, size);
        for (std::size_t j = 1; j < length; ++j)
          ASSERT_EQ(static_cast<unsigned char>(text[i + j]) & 0xc0, 0x80);
        i += length;
      }
    }
  }
}

}  // namespace

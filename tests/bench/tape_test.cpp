#include "tape.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

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
  EXPECT_EQ(tape.frames.size(), tape.count * tape.frame);
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

TEST(Tape, JudgesTheAnswerToItsRequest) {
  const std::string good =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  EXPECT_EQ(load::judge_answer(good), "");
  EXPECT_NE(load::judge_answer("HTTP/1.1 404 Not Found\r\n\r\n"), "");
  EXPECT_NE(load::judge_answer("HTTP/1.1 101 Yes\r\n\r\n"), "");
  std::string wrong = good;
  wrong.replace(wrong.find("s3p"), 3, "abc");
  EXPECT_NE(load::judge_answer(wrong), "");
  std::string extension = good;
  extension.insert(extension.find("sec-"), "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  EXPECT_NE(load::judge_answer(extension), "");
}

}  // namespace

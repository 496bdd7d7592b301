#include "wire/frame_reader.h"

#include <gtest/gtest.h>

#include "wire/hex.h"

namespace conform {
namespace {

// Writes down what it is told.
class Recorder final : public FrameSink {
 public:
  std::string text;

  void on_frame(const FrameHeader& header, std::string_view octets,
                std::string_view /*payload_start*/) override {
    // A frame in its shortest form is told with the octets that it came in.
    if (octets == encode_header(header)) ++frames;
  }
  int frames = 0;
  void on_message(unsigned type, std::string payload) override {
    text += opcode_name(type) + " " + payload + ";";
  }
  void on_ping(std::string payload) override { text += "ping " + payload + ";"; }
  void on_pong(std::string payload) override { text += "pong " + payload + ";"; }
  void on_close(unsigned code, std::string reason) override {
    text += "close " + std::to_string(code) + " " + reason + ";";
  }
};

// What is told of octets in hexadecimal digits, whole and octet by octet; a violation as "!CODE".
std::string read(std::string_view hex, bool masked = false, Inflater* inflater = nullptr) {
  const std::string octets = from_hex(hex);
  std::string texts[2];
  for (const bool whole : {true, false}) {
    Recorder recorder;
    FrameReader reader(recorder, masked, inflater);
    std::optional<Violation> violation;
    if (whole) {
      violation = reader.feed(octets);
    } else {
      for (std::size_t i = 0; i < octets.size() && !violation; ++i)
        violation = reader.feed(octets.substr(i, 1));
    }
    if (violation) recorder.text += "!" + std::to_string(violation->close_code);
    texts[whole ? 0 : 1] = recorder.text;
  }
  EXPECT_EQ(texts[0], texts[1]);
  return texts[0];
}

TEST(FrameReader, ReadsMessagesAndControlFrames) {
  EXPECT_EQ(read("81 02 68 69"), "text hi;");
  EXPECT_EQ(read("01 01 68 89 01 70 80 01 69"), "ping p;text hi;");
  EXPECT_EQ(read("82 00 8A 00"), "binary ;pong ;");
  EXPECT_EQ(read("81 82 00 00 00 00 68 69", true), "text hi;");
  EXPECT_EQ(read("81 85 37 FA 21 3D 7F 9F 4D 51 58", true), "text Hello;");  // RFC 6455 section 5.7
  EXPECT_EQ(read("88 02 03 E8 81 02 68 69"), "close 1000 ;");                // nothing after a Close
  EXPECT_EQ(read("88 00"), "close 0 ;");
}

TEST(FrameReader, TellsEachFrame) {
  Recorder recorder;
  FrameReader reader(recorder, true, nullptr);
  EXPECT_FALSE(reader.feed(from_hex("01 81 01 02 03 04 69 80 80 00 00 00 00")));
  EXPECT_EQ(recorder.frames, 2);
  EXPECT_TRUE(reader.feed(from_hex("81 81 00 00 00 00 FF")));
  EXPECT_EQ(recorder.frames, 3);  // also the one that is at fault
}

TEST(FrameReader, SeesEachBrokenRule) {
  EXPECT_EQ(read("C1 00"), "!1002");  // RSV1 without an extension
  EXPECT_EQ(read("A1 00"), "!1002");  // RSV2
  EXPECT_EQ(read("91 00"), "!1002");  // RSV3
  EXPECT_EQ(read("83 00"), "!1002");  // reserved opcodes
  EXPECT_EQ(read("8B 00"), "!1002");
  EXPECT_EQ(read("81 80 00 00 00 00"), "!1002");  // masked by a server
  EXPECT_EQ(read("81 00", true), "!1002");        // not masked by a client
  EXPECT_EQ(read("09 00"), "!1002");              // fragmented ping
  EXPECT_EQ(read("89 7E 00 7E"), "!1002");        // ping of 126 octets
  EXPECT_EQ(read("80 00"), "!1002");              // continuation of nothing
  EXPECT_EQ(read("01 00 81 00"), "!1002");        // message in message
  EXPECT_EQ(read("81 7E 00 7D"), "!1002");        // lengths in too long a form
  EXPECT_EQ(read("81 7F 00 00 00 00 00 00 FF FF"), "!1002");
  EXPECT_EQ(read("82 7F 00 00 00 00 10 00 00 00"), "!1009");
  EXPECT_EQ(read("88 01 03"), "!1002");
  EXPECT_EQ(read("88 02 03 E7"), "close 999 ;!1002");
  EXPECT_EQ(read("88 02 03 ED"), "close 1005 ;!1002");
  EXPECT_EQ(read("88 03 03 E8 FF"), "close 1000 \xFF;!1007");
}

TEST(FrameReader, FailsTextAtTheFirstImpossibleOctet) {
  EXPECT_EQ(read("81 7E 01 00 68 ED A0"), "!1007");  // the frame is far from complete
  EXPECT_EQ(read("01 01 C3 80 01 A4"), "text \xC3\xA4;");
  EXPECT_EQ(read("01 01 C3 80 00"), "!1007");
  EXPECT_EQ(read("82 01 FF"), "binary \xFF;");
}

TEST(FrameReader, OpensCompressedMessages) {
  Deflater deflater(15, true);
  std::string stream;
  for (const char* const text : {"Hello", "Hello", ""}) {
    const std::string payload = deflater.message(text);
    stream += encode_header({.rsv = 4, .opcode = opcode::text, .length = payload.size()}) + payload;
  }
  Inflater inflater(15, true);
  Recorder recorder;
  FrameReader reader(recorder, false, &inflater);
  EXPECT_FALSE(reader.feed(stream));
  EXPECT_EQ(recorder.text, "text Hello;text Hello;text ;");
}

TEST(FrameReader, CompressedMessagesAreJudgedToo) {
  Inflater inflater(15, false);
  EXPECT_EQ(read("C1 02 FF FF", false, &inflater), "!1007");
  EXPECT_EQ(read("C9 00", false, &inflater), "!1002");        // RSV1 on a ping
  EXPECT_EQ(read("41 00 C0 00", false, &inflater), "!1002");  // RSV1 on a continuation
  EXPECT_EQ(read("81 01 68", false, &inflater), "text h;");   // not compressed is fine
}

TEST(CloseCodes, AreThoseOfTheRegister) {
  for (const unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 3000u, 4999u}) {
    EXPECT_TRUE(close_code_allowed(code)) << code;
  }
  for (const unsigned code : {0u, 999u, 1004u, 1005u, 1006u, 1012u, 1015u, 1016u, 2999u, 5000u, 65535u}) {
    EXPECT_FALSE(close_code_allowed(code)) << code;
  }
}

}  // namespace
}  // namespace conform

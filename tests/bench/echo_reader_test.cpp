// The reader sees every mistake of a server, wherever the stream is cut.
#include "echo_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "tape.h"

namespace {

using load::EchoReader;
using load::Options;
using load::Tape;

Options options(std::size_t size, bool websocket = true) {
  Options made;
  made.target.websocket = websocket;
  made.size = size;
  return made;
}

// A frame of a server: not masked.
std::string frame(unsigned first_byte, const std::string& payload) {
  std::string made(1, static_cast<char>(first_byte));
  if (payload.size() < 126) {
    made += static_cast<char>(payload.size());
  } else {
    made += '\x7e';
    made += static_cast<char>(payload.size() >> 8);
    made += static_cast<char>(payload.size() & 0xff);
  }
  return made + payload;
}

std::string payload(const Tape& tape, std::size_t number) {
  return tape.payloads.substr(number % tape.count * tape.message, tape.message);
}

// How many messages it counts when the stream comes in pieces of so many bytes.
std::size_t read(const Tape& tape, const std::string& stream, std::size_t piece, bool verify = true) {
  EchoReader reader(tape, verify);
  std::size_t messages = 0;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    messages += reader.read({stream.data() + at, std::min(piece, stream.size() - at)});
  }
  return messages;
}

std::string failure(const Tape& tape, const std::string& stream, bool verify = true) {
  try {
    read(tape, stream, stream.size(), verify);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(EchoReader, CountsMessagesAtEveryCut) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 300u}) {
    const Tape tape(options(size));
    std::string stream;
    for (std::size_t number = 0; number < 70; ++number) stream += frame(0x82, payload(tape, number));
    for (std::size_t piece = 1; piece <= 310; ++piece) EXPECT_EQ(read(tape, stream, piece), 70u) << size;
    EXPECT_EQ(read(tape, stream, stream.size()), 70u);
  }
}

TEST(EchoReader, TakesFragmentsAndControlFramesBetween) {
  const Tape tape(options(20));
  const std::string all = payload(tape, 0);
  const std::string stream =
      frame(0x02, all.substr(0, 7)) + frame(0x89, "ping") + frame(0x00, "") + frame(0x80, all.substr(7));
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) EXPECT_EQ(read(tape, stream, piece), 1u);
}

TEST(EchoReader, RawMessagesAreCutBySize) {
  const Tape tape(options(13, false));
  EXPECT_EQ(tape.frames, tape.payloads);
  const std::string stream = payload(tape, 0) + payload(tape, 1) + payload(tape, 2).substr(0, 12);
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) EXPECT_EQ(read(tape, stream, piece), 2u);
  EXPECT_NE(failure(tape, payload(tape, 1)), "");
}

TEST(EchoReader, SeesEveryWrongByte) {
  const Tape tape(options(30));
  for (std::size_t at = 0; at < 30; ++at) {
    std::string wrong = payload(tape, 0);
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    EXPECT_NE(failure(tape, frame(0x82, wrong)).find("byte " + std::to_string(at) + " "), std::string::npos);
    EXPECT_EQ(failure(tape, frame(0x82, wrong), false), "");
  }
  EXPECT_NE(failure(tape, frame(0x82, payload(tape, 1))), "") << "the second message in place of the first";
}

TEST(EchoReader, SeesWrongFramesWithoutComparing) {
  const Tape tape(options(30));
  const std::string all = payload(tape, 0);
  for (const std::string& wrong :
       {frame(0x82, all.substr(1)), frame(0x82, all + "a"), frame(0x81, all), frame(0xc2, all),
        frame(0x80, all), frame(0x88, "\x03\xe8"), frame(0x02, all.substr(0, 9)) + frame(0x82, all.substr(9)),
        "\x82\x80" + all}) {
    EXPECT_NE(failure(tape, wrong, false), "");
  }
}

Options compressing(std::size_t size) {
  Options made = options(size);
  made.deflate = load::Deflate::on;
  made.payload = load::Payload::json;
  return made;
}

// What a server with the context of all its messages answers; each third one without compression.
std::string compressed_stream(const Tape& tape, std::size_t messages, bool takeover) {
  load::Deflater deflater(15);
  std::string stream;
  for (std::size_t number = 0; number < messages; ++number) {
    if (number % 3 == 2) {
      stream += frame(0x82, payload(tape, number));
      continue;
    }
    if (!takeover) deflater.forget();
    const std::string all = deflater.compress(payload(tape, number));
    // In two frames, of which the first has RSV1, with a Ping between.
    stream += frame(0x42, all.substr(0, 3)) + frame(0x89, "ping") +
              frame(0x80, all.substr(std::min<std::size_t>(3, all.size())));
  }
  return stream;
}

TEST(EchoReader, CountsCompressedMessagesAtEveryCut) {
  for (const bool takeover : {true, false}) {
    for (const std::size_t size : {0u, 1u, 300u}) {
      const Tape tape(compressing(size), {.compressed = true, .server_no_context_takeover = !takeover});
      const std::string stream = compressed_stream(tape, 90, takeover);
      for (const bool verify : {true, false}) {
        for (std::size_t piece = 1; piece <= 310; ++piece)
          EXPECT_EQ(read(tape, stream, piece, verify), 90u) << size;
      }
    }
  }
}

TEST(EchoReader, TellsWhatCame) {
  const Tape tape(compressing(300), {.compressed = true});
  const std::string stream = compressed_stream(tape, 90, true);
  EchoReader reader(tape, false);
  reader.read({stream.data(), stream.size()});
  EXPECT_EQ(reader.traffic().messages, 90u);
  EXPECT_EQ(reader.traffic().compressed, 60u);
  // Without the Pings.
  EXPECT_EQ(reader.traffic().frame_bytes, stream.size() - 60 * 6);
}

TEST(EchoReader, SeesWrongCompressedMessages) {
  const Tape tape(compressing(300), {.compressed = true});
  const std::string right = load::Deflater(15).compress(payload(tape, 0));
  const std::string longer = load::Deflater(15).compress(payload(tape, 0) + "a");
  const std::string shorter = load::Deflater(15).compress(payload(tape, 0).substr(1));
  const std::string other = load::Deflater(15).compress(payload(tape, 1));
  for (const std::string& wrong : {longer, shorter, other, std::string("\xff\xff")}) {
    EXPECT_NE(failure(tape, frame(0xc2, wrong)), "");
    EXPECT_EQ(failure(tape, frame(0xc2, wrong), false), "");
  }
  EXPECT_EQ(failure(tape, frame(0xc2, right)), "");
  for (const std::string& wrong :
       {frame(0xa2, right), frame(0xc9, "ping"), frame(0x42, right) + frame(0xc0, ""), frame(0xc1, right),
        frame(0xc2, std::string(2000, 'a'))}) {
    EXPECT_NE(failure(tape, wrong, false), "");
  }
}

TEST(EchoReader, SeesAContextThatWasToBeForgotten) {
  const Tape tape(compressing(300), {.compressed = true, .server_no_context_takeover = true});
  EXPECT_NE(failure(tape, compressed_stream(tape, 6, true)), "");
  EXPECT_EQ(failure(tape, compressed_stream(tape, 6, false)), "");
}

TEST(EchoReader, SeesCompressionThatWasNotAgreedOn) {
  const Tape tape(compressing(300));
  EXPECT_NE(failure(tape, frame(0xc2, "a"), false).find("reserved bit"), std::string::npos);
}

}  // namespace

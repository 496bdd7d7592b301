#include "stream.h"

namespace sansock::fuzz {

using testing::bytes_of;
using testing::encode;
using testing::Frame;
using testing::LengthForm;
using testing::noise;
using testing::op_binary;
using testing::op_close;
using testing::op_continuation;
using testing::op_ping;
using testing::op_pong;
using testing::op_text;

namespace {

constexpr std::array texts = {"a",
                              "\xC3\xA9",
                              "\xE2\x82",
                              "\xAC",
                              "\xF0\x9F\x98\x80",
                              "\xF0\x9F",
                              "\x98\x80",
                              "\xED\x9F\xBF",
                              "\xED\xA0\x80",
                              "\xEF\xBF\xBF",
                              "\xF4\x8F\xBF\xBF",
                              "\xF4\x90\x80\x80",
                              "\xC0\xAF",
                              "\xE0\x80\xAF",
                              "\xF0\x80\x80\x80",
                              "\xFF",
                              "\xC2\x80",
                              "\xDF\xBF",
                              "\xE0\xA0\x80",
                              "\xF0\x90\x80\x80",
                              "",
                              "a text that is longer than two machine words: \xE2\x82\xAC\xE2\x82\xAC"};
constexpr std::array<std::uint32_t, 16> sizes = {0,   124,  125,  126,  127,   128,   255,   256,
                                                 300, 1000, 4095, 4096, 16384, 65535, 65536, 70000};
constexpr std::array<std::uint64_t, 12> lies = {
    0, 1, 125, 126, 300, 301, 65535, 65536, 1ull << 32, (1ull << 63) - 1, 1ull << 63, ~0ull};

}  // namespace

Data FrameStream::next(Input& input) {
  const unsigned head = input.byte();
  const bool fin = (head & 0x10) == 0;
  switch (static_cast<Kind>((head & 15) % static_cast<unsigned>(Kind::count_))) {
    case Kind::text: return data(op_text, input.run(), fin);
    case Kind::binary: return data(op_binary, input.run(), fin);
    case Kind::ping: return peer_.frame(op_ping, input.run());
    case Kind::pong: return peer_.frame(op_pong, input.run());
    case Kind::close: {
      const Data code = input.take(2);
      return peer_.frame(op_close, code + input.run());
    }
    case Kind::close_raw: return peer_.frame(op_close, input.run());
    case Kind::any: return any(input, fin);
    case Kind::raw: return input.run();
    case Kind::lie: return lie(input, fin);
    case Kind::character: return data(op_text, bytes_of(input.pick(texts)), fin);
    case Kind::large: {
      const std::size_t size = input.pick(sizes);
      const unsigned filler = input.byte();
      if ((filler & 1) != 0) return data(op_binary, noise(size, filler), fin);
      return data(op_text, Data(size, static_cast<std::uint8_t>(filler >> 1)), fin);
    }
    case Kind::count_: break;
  }
  return {};
}

Data FrameStream::data(unsigned opcode, const Data& payload, bool fin) {
  const unsigned used = in_message_ ? op_continuation : opcode;
  in_message_ = !fin;
  return peer_.frame(used, payload, fin);
}

Data FrameStream::any(Input& input, bool fin) {
  const unsigned first = input.byte();
  const unsigned second = input.byte();
  Frame frame{.fin = fin, .rsv = first >> 4 & 7, .opcode = first & 15};
  frame.form = static_cast<LengthForm>(second & 3);
  // Mostly masked as it has to be.
  const bool masked = ((second & 4) == 0) == (receiver_ == Role::server);
  if (masked) frame.key = (second & 8) != 0 ? 0 : peer_.next_key();
  frame.payload = input.run();
  if (frame.form == LengthForm::bits7 && frame.payload.size() > 125) frame.payload.resize(125);
  if (frame.opcode < 8) in_message_ = !fin;
  return encode(frame);
}

Data FrameStream::lie(Input& input, bool fin) {
  Frame frame{.fin = fin, .opcode = in_message_ ? op_continuation : op_binary};
  frame.announced = input.pick(lies);
  frame.form = (input.byte() & 1) != 0 ? LengthForm::bits16 : LengthForm::bits64;
  frame.payload = bytes_of("xyz");
  if (receiver_ == Role::server) frame.key = peer_.next_key();
  return encode(frame);
}

Data stream_of(Input& input, Role receiver, bool raw) {
  if (raw) return input.rest();
  FrameStream frames(receiver);
  Data stream;
  while (!input.empty() && stream.size() < 200'000) {
    const Data piece = frames.next(input);
    stream.insert(stream.end(), piece.begin(), piece.end());
  }
  return stream;
}

std::vector<std::size_t> read_cuts(Input& input) {
  std::vector<std::size_t> cuts;
  std::size_t at = 0;
  for (std::size_t count = input.byte(); count > 0 && !input.empty(); --count) {
    cuts.push_back(at += input.number(2));
  }
  return cuts;
}

}  // namespace sansock::fuzz

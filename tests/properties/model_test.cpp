// The engine does what the model says, for any stream of bytes, however it is cut, in both roles.
#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "bench.h"

namespace sansock::testing {
namespace {

// Small enough for short streams to reach.
void small_limits(Config& config) {
  config.limits.frame_payload_max = 300;
  config.limits.message_payload_max = 500;
  config.limits.message_fragments_max = 6;
  config.limits.message_fragments_empty_max = 2;
  config.limits.control_frames_per_second_max = 12;
}

struct Piece {
  int kind;
  int choice;
  bool fin;
};

// Writes pieces as frames; most of them are legal where they stand.
class Stream {
 public:
  explicit Stream(Role receiver) : peer_(receiver), receiver_(receiver) {}

  void add(const Piece& piece) {
    switch (piece.kind) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: return data(text(piece.choice), piece.fin);
      case 5: return data(noise(static_cast<std::size_t>(piece.choice % 310), 3), piece.fin);
      case 6: return data({}, piece.fin);
      case 7: return control(op_ping, noise(static_cast<std::size_t>(piece.choice % 126), 1));
      case 8: return control(op_pong, noise(static_cast<std::size_t>(piece.choice % 126), 2));
      case 9: return control(op_close, close(piece.choice));
      case 10: return control(op_close, noise(static_cast<std::size_t>(piece.choice % 5), 9));
      case 11:
        bytes = bytes +
                noise(static_cast<std::size_t>(piece.choice % 20), static_cast<std::uint32_t>(piece.choice));
        return;
      default: return broken(piece);
    }
  }

  Data bytes;

 private:
  static Data text(int choice) {
    static const char* const texts[] = {"a",
                                        "hello",
                                        "\xC3\xA9",
                                        "\xE2\x82",
                                        "\xAC",
                                        "\xF0\x9F",
                                        "\x98\x80",
                                        "\xF0\x9F\x98",
                                        "caf\xC3",
                                        "\xFF",
                                        "\xED\xA0\x80",
                                        "plain text that is longer than one machine word",
                                        "\xE2\x82\xAC\xE2\x82\xAC",
                                        "x\xF4\x8F\xBF\xBF",
                                        "",
                                        "\xC0"};
    return bytes_of(texts[static_cast<std::size_t>(choice) % std::size(texts)]);
  }
  static Data close(int choice) {
    static const unsigned codes[] = {1000, 1001, 1005, 1006, 1011, 1014, 1015, 2999, 3000, 4999, 5000, 999};
    return close_payload(codes[static_cast<std::size_t>(choice) % std::size(codes)],
                         string_of(text(choice / 16)));
  }
  void data(const Data& payload, bool fin) {
    const unsigned opcode = in_message_ ? op_continuation : utf8_is_text(payload) ? op_text : op_binary;
    in_message_ = !fin;
    bytes = bytes + peer_.frame(opcode, payload, fin);
  }
  void control(unsigned opcode, const Data& payload) { bytes = bytes + peer_.frame(opcode, payload); }
  void broken(const Piece& piece) {
    const auto choice = static_cast<unsigned>(piece.choice);
    Frame frame;
    frame.fin = piece.fin;
    frame.opcode = in_message_ ? op_continuation : op_text;
    frame.payload = bytes_of("xyz");
    if (receiver_ == Role::server) frame.key = peer_.next_key();
    switch (piece.kind) {
      case 12: frame.rsv = choice % 8; break;
      case 13: frame.opcode = choice % 16; break;
      case 14:
        frame.key = choice % 2 == 0 ? std::optional<std::uint32_t>() : std::optional<std::uint32_t>(choice);
        break;
      case 15: frame.form = static_cast<LengthForm>(choice % 4); break;
      case 16:
        frame.form = choice % 2 == 0 ? LengthForm::bits16 : LengthForm::bits64;
        frame.announced =
            std::vector<std::uint64_t>{0, 125, 126, 300, 301, 65535, 65536, 1ull << 63, ~0ull}[choice % 9];
        break;
      default: frame.opcode = 8 + choice % 8; break;
    }
    bytes = bytes + encode(frame);
  }

  Peer peer_;
  Role receiver_;
  bool in_message_ = false;
};

using Choice = std::tuple<int, int, bool>;
using Flip = std::pair<unsigned, int>;

Data stream_of(Role role, const std::vector<Choice>& choices, const std::vector<Flip>& flips) {
  Stream stream(role);
  for (const auto& [kind, choice, fin] : choices) stream.add({kind, choice, fin});
  for (const auto& [at, bits] : flips) {
    if (!stream.bytes.empty()) stream.bytes[at % stream.bytes.size()] ^= static_cast<std::uint8_t>(bits);
  }
  return stream.bytes;
}

rc::Gen<std::vector<Choice>> pieces(int kind_end) {
  return rc::gen::container<std::vector<Choice>>(
      rc::gen::tuple(rc::gen::inRange(0, kind_end), rc::gen::inRange(0, 400), rc::gen::arbitrary<bool>()));
}

void agree(Role role, const Data& stream, const std::vector<unsigned>& cut_choices) {
  const std::string expected = model_transcript_of(role, stream, small_limits);
  std::vector<std::size_t> cuts;
  for (const unsigned cut : cut_choices) cuts.push_back(stream.empty() ? 0 : cut % stream.size());
  RC_LOG() << role_name(role) << ", stream " << to_hex(stream) << "\nmodel:\n" << expected;
  RC_ASSERT(transcript_of(role, stream, {}, small_limits) == expected);
  RC_ASSERT(transcript_of(role, stream, cuts, small_limits) == expected);
  RC_ASSERT(transcript_of(role, stream, every_byte(stream), small_limits) == expected);
}

RC_GTEST_PROP(EngineIsModel, LegalFrames, ()) {
  const auto choices = *pieces(9);
  const auto cuts = *rc::gen::arbitrary<std::vector<unsigned>>();
  for (const Role role : both_roles) agree(role, stream_of(role, choices, {}), cuts);
}

RC_GTEST_PROP(EngineIsModel, LegalAndBrokenFrames, ()) {
  const auto choices = *pieces(18);
  const auto cuts = *rc::gen::arbitrary<std::vector<unsigned>>();
  for (const Role role : both_roles) agree(role, stream_of(role, choices, {}), cuts);
}

RC_GTEST_PROP(EngineIsModel, MutatedFrames, ()) {
  const auto choices = *pieces(10);
  const auto flips = *rc::gen::container<std::vector<Flip>>(
      rc::gen::pair(rc::gen::arbitrary<unsigned>(), rc::gen::inRange(1, 256)));
  const auto cuts = *rc::gen::arbitrary<std::vector<unsigned>>();
  for (const Role role : both_roles) agree(role, stream_of(role, choices, flips), cuts);
}

RC_GTEST_PROP(EngineIsModel, AnyBytes,
              (const std::vector<std::uint8_t>& stream, const std::vector<unsigned>& cuts)) {
  for (const Role role : both_roles) agree(role, stream, cuts);
}

// Pausing after any of the events changes nothing either.
RC_GTEST_PROP(EngineIsModel, AnyPauses, (const std::vector<bool>& pauses)) {
  const auto choices = *pieces(18);
  const auto cut_choices = *rc::gen::arbitrary<std::vector<unsigned>>();
  for (const Role role : both_roles) {
    const Data stream = stream_of(role, choices, {});
    Bench bench(role, small_limits);
    std::size_t event_index = 0;
    bench.h.handler = [&](const Event&) {
      if (event_index < pauses.size() && pauses[event_index++]) bench.connection.pause_input(true);
    };
    std::vector<std::size_t> cuts;
    for (const unsigned cut : cut_choices) cuts.push_back(stream.empty() ? 0 : cut % stream.size());
    bench.h.feed_cut(stream, cuts);
    while (bench.connection.input_paused()) bench.h.resume();
    bench.h.eof();
    const std::string expected = model_transcript_of(role, stream, small_limits);
    RC_LOG() << role_name(role) << ", stream " << to_hex(stream) << "\nmodel:\n" << expected;
    RC_ASSERT(bench.h.transcript() == expected);
  }
}

}  // namespace
}  // namespace sansock::testing

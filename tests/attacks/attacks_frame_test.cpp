// Attacks on the frame layer: rows A1-A12 of the list of bad inputs. Each error and close code for
// itself is in bad_input_test.cpp; here is what the rows ask beyond that.
#include "bench.h"

namespace sansock::testing {
namespace {

using std::chrono::seconds;

Data header(Peer& peer, unsigned opcode, LengthForm form, std::uint64_t length) {
  Frame frame;
  frame.opcode = opcode;
  frame.form = form;
  frame.announced = length;
  return peer.frame(frame);
}

void expect_failure(Role role, const Data& stream, errc error, unsigned code, const Tweak& tweak = {}) {
  const std::string end =
      "closed unclean 1006 " + std::string(name(error)) + "\n> close " + std::to_string(code) + "\n";
  const std::string model = model_transcript_of(role, stream, tweak);
  ASSERT_TRUE(model.size() >= end.size() && model.compare(model.size() - end.size(), end.size(), end) == 0)
      << model;
  expect_every_split(role, stream, model, tweak);
}

TEST(AttacksFrame, A1TopBitOfTheLength) {
  for (const Role role : both_roles) {
    for (const std::uint64_t length : {1ull << 63, ~0ull, 1ull << 63 | 5}) {
      Bench bench(role);
      const Data stream = header(bench.peer, op_binary, LengthForm::bits64, length);
      expect_failure(role, stream, errc::length_top_bit, 1002);
      // At once: byte 2 is enough, and one block for the Close is all that is asked for.
      bench.h.draining = false;
      bench.h.feed({stream[0], stream[1], stream[2]});
      EXPECT_EQ(bench.connection.close_status().cause, errc::length_top_bit);
      EXPECT_EQ(bench.pool.peak(), 1u);
    }
  }
}

// Trap: 64-bit lengths that wrap a sum or are cut to 32 bits.
TEST(AttacksFrame, A2TrapLengthsThatWrap) {
  const std::uint64_t limit = 1000;
  const Tweak limited = [](Config& config) {
    config.limits.message_payload_max = 1000;
    config.limits.frame_payload_max = 0x7FFF'FFFF'FFFF'FFFF;
  };
  const std::uint64_t huge[] = {(1ull << 63) - 1,
                                (1ull << 63) - 2,
                                0xFFFF'FFFFull,
                                1ull << 32,
                                (1ull << 32) + 1,
                                1ull << 33,
                                0x1'0000'03E8ull,
                                0x7FFF'FFFF'0000'0001ull,
                                limit + 1,
                                65536,
                                (1ull << 63) - limit + 1};
  for (const Role role : both_roles) {
    for (const std::uint64_t length : huge) {
      const LengthForm form = LengthForm::minimal;
      Peer peer(role);
      expect_failure(role, header(peer, op_binary, form, length), errc::message_too_big, 1009, limited);
      expect_failure(role, peer.binary({1}, false) + header(peer, op_continuation, form, length),
                     errc::message_too_big, 1009, limited);
      expect_failure(role, peer.binary({}, false) + header(peer, op_continuation, form, length),
                     errc::message_too_big, 1009, limited);
    }
    for (const std::uint64_t size : {limit - 1, limit}) {
      Peer peer(role);
      expect_as_model(role, peer.binary(noise(size, 1)), limited);
      expect_as_model(role, peer.binary({1}, false) + peer.frame(op_continuation, noise(size - 1, 1)),
                      limited);
    }
    Peer peer(role);
    expect_failure(role, peer.binary({1}, false) + header(peer, op_continuation, LengthForm::minimal, limit),
                   errc::message_too_big, 1009, limited);
    // The largest limits that there are.
    const Tweak unlimited = [](Config& config) {
      config.limits.message_payload_max = config.limits.frame_payload_max = ~0ull;
    };
    expect_failure(role, header(peer, op_binary, LengthForm::bits64, ~0ull), errc::length_top_bit, 1002,
                   unlimited);
    expect_every_split(
        role, peer.binary({1}, false) + header(peer, op_continuation, LengthForm::bits64, (1ull << 63) - 1),
        "binary \"\\x01\"...\nclosed unclean 1006 eof_in_frame\n", unlimited);
  }
}

TEST(AttacksFrame, A3AnnouncedAndNeverSent) {
  for (const Role role : both_roles) {
    Bench bench(role, [](Config& config) { config.timeouts.message_assembly = seconds(120); });
    bench.h.feed(header(bench.peer, op_binary, LengthForm::minimal, (16u << 20) - 1));
    EXPECT_EQ(bench.pool.asked(), 0u) << "memory follows what arrives, not what is announced";
    bench.h.advance(seconds(119));
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
    bench.h.advance(seconds(1));
    EXPECT_EQ(bench.connection.close_status().cause, errc::assembly_timeout);
    bench.h.advance(seconds(10));
    EXPECT_TRUE(bench.h.closed());
  }
}

TEST(AttacksFrame, A4LengthsThatAreNotMinimal) {
  for (const Role role : both_roles) {
    Peer peer(role);
    for (const std::uint64_t length : {0ull, 2ull, 125ull}) {
      expect_failure(role, header(peer, op_binary, LengthForm::bits16, length), errc::length_not_minimal,
                     1002);
    }
    for (const std::uint64_t length : {0ull, 2ull, 125ull, 126ull, 65535ull}) {
      expect_failure(role, header(peer, op_text, LengthForm::bits64, length), errc::length_not_minimal, 1002);
    }
  }
}

// Trap: unmasked frames to a server, masked frames to a client.
TEST(AttacksFrame, A5TrapMaskOfTheWrongRole) {
  for (const Role role : both_roles) {
    Peer other(role == Role::server ? Role::client : Role::server);
    const errc error = role == Role::server ? errc::mask_missing : errc::mask_unexpected;
    for (const unsigned opcode : {op_text, op_binary, op_ping, op_pong, op_close}) {
      expect_failure(role, other.frame(opcode, opcode == op_close ? close_payload(1000) : bytes_of("hi")),
                     error, 1002);
      expect_failure(role, other.frame(opcode, {}), error, 1002);
    }
    Peer peer(role);
    expect_failure(role, peer.text("a", false) + other.continuation("b"), error, 1002);
  }
}

TEST(AttacksFrame, A6AnyMaskKeyIsAccepted) {
  Data stream;
  std::string expected;
  for (const std::uint32_t key : {0u, 0u, 0xFFFFFFFFu, 0x01010101u, 0x01010101u, 0x00000001u, 0x80000000u}) {
    stream = stream + encode({.key = key, .payload = bytes_of("same text")});
    expected += "text \"same text\"\n";
  }
  expect_every_split(Role::server, stream, expected + "closed unclean 1006 eof\n");
}

TEST(AttacksFrame, A7ReservedBits) {
  for (const Role role : both_roles) {
    for (unsigned rsv = 1; rsv < 8; ++rsv) {
      for (unsigned opcode = 0; opcode < 16; ++opcode) {
        for (const bool fin : {false, true}) {
          Peer peer(role);
          const errc error = (rsv & 3) != 0 ? errc::rsv23_unexpected : errc::rsv1_unexpected;
          expect_failure(role, peer.frame({.fin = fin, .rsv = rsv, .opcode = opcode, .payload = {1, 2}}),
                         error, 1002);
        }
      }
    }
  }
}

TEST(AttacksFrame, A8OpcodesOutOfPlace) {
  for (const Role role : both_roles) {
    for (unsigned opcode = 0; opcode < 16; ++opcode) {
      for (const bool fin : {false, true}) {
        const bool reserved = (opcode >= 3 && opcode <= 7) || opcode >= 11;
        if (!reserved && opcode >= op_close) continue;
        Peer peer(role);
        const Frame frame{.fin = fin, .opcode = opcode, .payload = {1, 2}};
        if (reserved || opcode == op_continuation) {
          expect_failure(role, peer.frame(frame),
                         reserved ? errc::opcode_reserved : errc::continuation_unexpected, 1002);
        }
        if (opcode == op_continuation) continue;
        expect_failure(role, peer.text("a", false) + peer.frame(frame),
                       reserved ? errc::opcode_reserved : errc::continuation_expected, 1002);
      }
    }
  }
}

TEST(AttacksFrame, A9ControlFramesThatAreTooMuch) {
  for (const Role role : both_roles) {
    for (const unsigned opcode : {op_close, op_ping, op_pong}) {
      Peer peer(role);
      expect_failure(role, peer.frame(opcode, noise(126, 1)), errc::control_too_long, 1002);
      expect_failure(role, peer.frame({.opcode = opcode, .payload = {1, 2}, .form = LengthForm::bits16}),
                     errc::control_too_long, 1002);
      expect_failure(role, peer.frame({.opcode = opcode, .payload = {1, 2}, .form = LengthForm::bits64}),
                     errc::control_too_long, 1002);
      expect_failure(role, peer.frame(opcode, {3, 232}, false), errc::control_fragmented, 1002);
      if (opcode != op_close) expect_as_model(role, peer.frame(opcode, noise(125, 1)));
    }
  }
}

// A10: many frames of every kind in one read, each split in every way.
TEST(AttacksFrame, A10EverySplitOfEveryFrame) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const Data stream = peer.text("hello") + peer.binary(noise(126, 1)) + peer.text("", false) +
                        peer.ping("p") + peer.continuation("\xE2\x82", false) + peer.pong() +
                        peer.continuation("\xAC") + peer.binary({}) + peer.ping(std::string(125, 'q')) +
                        peer.close(1001, "bye");
    expect_as_model(role, stream);
    const std::string expected = model_transcript_of(role, stream);
    for (std::size_t first = 0; first < stream.size(); first += 3) {
      for (std::size_t second = first + 1; second < stream.size(); second += 5) {
        ASSERT_EQ(transcript_of(role, stream, {first, second}), expected) << first << " " << second;
      }
    }
    for (std::size_t step = 1; step < 20; ++step) {
      std::vector<std::size_t> cuts;
      for (std::size_t cut = step; cut < stream.size(); cut += step) cuts.push_back(cut);
      ASSERT_EQ(transcript_of(role, stream, cuts), expected) << step;
    }
  }
}

TEST(AttacksFrame, A10EofInsideAHeader) {
  for (const Role role : both_roles) {
    Peer peer(role);
    for (const std::size_t size : {0u, 5u, 126u, 65536u}) {
      const Data frame = peer.binary(noise(size, 1));
      const std::size_t header_size = frame.size() - size;
      for (std::size_t cut = 1; cut < header_size; ++cut) {
        Bench bench(role);
        bench.h.feed_bytewise(Data(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(cut)));
        bench.h.eof();
        EXPECT_EQ(bench.h.events.text(), "closed unclean 1006 eof_in_frame\n");
        EXPECT_EQ(bench.connection.deadline(), never) << "nothing is left to wait for";
      }
    }
  }
}

TEST(AttacksFrame, A11ControlFramesBetweenFragments) {
  for (const Role role : both_roles) {
    Peer peer(role);
    expect_every_split(role, peer.text("a", false) + peer.ping("p") + peer.continuation("b"),
                       "text \"a\"...\nping \"p\"\ntext ...\"b\"\nclosed unclean 1006 eof\n> pong \"p\"\n");
    expect_every_split(role, peer.text("a", false) + peer.close(1000) + peer.continuation("b"),
                       "text \"a\"...\npeer_close 1000\nclosed clean 1000\n> close 1000\n");
  }
}

TEST(AttacksFrame, A12FramesAfterClose) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const std::string expected = "peer_close 1000\nclosed clean 1000\n> close 1000\n";
    for (const Data& late : {peer.text("x"), peer.ping("x"), peer.close(4000), peer.close_empty(),
                             from_hex("ff ff ff"), noise(100, 1), peer.text("\xFF")}) {
      expect_every_split(role, peer.close(1000) + late, expected);
    }
  }
}

}  // namespace
}  // namespace sansock::testing

// Every sequence of up to five frames of every kind does what the model says, in both roles.
#include "bench.h"

namespace sansock::testing {
namespace {

// Small enough that five frames reach the limits on fragments.
void tight(Config& config) {
  config.limits.message_fragments_max = 3;
  config.limits.message_fragments_empty_max = 1;
  config.limits.control_frames_per_second_max = 3;
}

constexpr std::size_t kind_count = 12;

Data frame_of(std::size_t kind, Role receiver, Peer& peer) {
  switch (kind) {
    case 0: return peer.text("t");
    case 1: return peer.text("T\xC3", false);
    case 2: return peer.binary({0xFF}, false);
    case 3: return peer.continuation("\xA9");
    case 4: return peer.continuation("\xA9\xC3", false);
    case 5: return peer.continuation("", false);
    case 6: return peer.ping("i");
    case 7: return peer.pong("o");
    case 8: return peer.close(1000, "c");
    case 9: return peer.close_empty();
    case 10: return peer.frame({.opcode = 3});
    default: {
      Frame unmasked{.opcode = op_binary, .payload = {1}};
      if (receiver == Role::client) unmasked.key = peer.next_key();
      return encode(unmasked);
    }
  }
}

void every_sequence(std::size_t length, bool bytewise) {
  std::size_t sequences = 1;
  for (std::size_t i = 0; i < length; ++i) sequences *= kind_count;
  for (std::size_t number = 0; number < sequences; ++number) {
    for (const Role role : both_roles) {
      Peer peer(role);
      Data stream;
      std::string kinds;
      for (std::size_t i = 0, rest = number; i < length; ++i, rest /= kind_count) {
        stream = std::move(stream) + frame_of(rest % kind_count, role, peer);
        kinds += " " + std::to_string(rest % kind_count);
      }
      const std::vector<std::size_t> cuts = bytewise ? every_byte(stream) : std::vector<std::size_t>();
      ASSERT_EQ(transcript_of(role, stream, cuts, tight), model_transcript_of(role, stream, tight))
          << role_name(role) << ", frames" << kinds;
    }
  }
}

TEST(FrameSequence, WholeUpToFourFrames) {
  for (std::size_t length = 1; length <= 4; ++length) every_sequence(length, false);
}

TEST(FrameSequence, ByteByByteUpToThreeFrames) {
  for (std::size_t length = 1; length <= 3; ++length) every_sequence(length, true);
}

// Five frames, but only of the kinds that do not end the connection where they are legal.
TEST(FrameSequence, FiveFramesThatGoOn) {
  const std::size_t kinds[] = {0, 1, 3, 4, 5, 6, 8};
  constexpr std::size_t count = std::size(kinds);
  for (std::size_t number = 0; number < count * count * count * count * count; ++number) {
    for (const Role role : both_roles) {
      Peer peer(role);
      Data stream;
      for (std::size_t i = 0, rest = number; i < 5; ++i, rest /= count) {
        stream = std::move(stream) + frame_of(kinds[rest % count], role, peer);
      }
      ASSERT_EQ(transcript_of(role, stream, {}, tight), model_transcript_of(role, stream, tight))
          << role_name(role) << ", sequence " << number;
    }
  }
}

// Every first and second byte of a frame, inside a message and outside of one.
TEST(FrameSequence, EveryFirstTwoBytes) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      for (const Role role : both_roles) {
        for (const bool inside : {false, true}) {
          Peer peer(role);
          Data stream;
          if (inside) stream = peer.text("a", false);
          stream.push_back(static_cast<std::uint8_t>(first));
          stream.push_back(static_cast<std::uint8_t>(second));
          stream = std::move(stream) + Data(12, 0) + Data(130, 'x');
          ASSERT_EQ(transcript_of(role, stream, {}), model_transcript_of(role, stream))
              << role_name(role) << " " << first << " " << second << " " << inside;
        }
      }
    }
  }
}

}  // namespace
}  // namespace sansock::testing

// The engine against the reference of tests/support/model.h, which takes one byte at a time: any
// stream, in any reads, with any pauses, in both roles.
//
// Input: flags (1 client, 2 raw stream, 4 pauses, 8 default limits), cuts, the stream.
#include "bench.h"
#include "check.h"
#include "stream.h"

namespace {

using namespace sansock;
using namespace sansock::testing;

void small_limits(Config& config) {
  config.limits.frame_payload_max = 300;
  config.limits.message_payload_max = 500;
  config.limits.message_fragments_max = 6;
  config.limits.message_fragments_empty_max = 2;
  config.limits.control_frames_per_second_max = 12;
}
void default_limits(Config& config) { config.limits.pong_bytes_max = 0xFFFF'FFFF; }

// Pauses after every event whose number has its bit in `pauses`.
std::string transcript_with_pauses(Role role, const Data& stream, const std::vector<std::size_t>& cuts,
                                   const Tweak& tweak, unsigned pauses) {
  Bench bench(role, tweak);
  unsigned event_index = 0;
  bench.h.handler = [&](const Event&) {
    if ((pauses >> (event_index++ % 8) & 1) != 0) bench.connection.pause_input(true);
  };
  bench.h.feed_cut(stream, cuts);
  while (bench.connection.input_paused()) bench.h.resume();
  bench.h.eof();
  return bench.h.transcript();
}

void expect_equal(const std::string& got, const std::string& expected, const Data& stream) {
  FUZZ_CHECK(got == expected, "engine:\n" + got + "model:\n" + expected + "stream: " + to_hex(stream));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const unsigned flags = input.byte();
  const Role role = (flags & 1) != 0 ? Role::client : Role::server;
  const Tweak tweak = (flags & 8) != 0 ? default_limits : small_limits;
  const unsigned pauses = (flags & 4) != 0 ? input.byte() : 0u;
  const std::vector<std::size_t> cuts = fuzz::read_cuts(input);
  const Data stream = fuzz::stream_of(input, role, (flags & 2) != 0);
  const std::string expected = model_transcript_of(role, stream, tweak);
  expect_equal(transcript_of(role, stream, {}, tweak), expected, stream);
  expect_equal(transcript_of(role, stream, cuts, tweak), expected, stream);
  if (stream.size() < 2000)
    expect_equal(transcript_of(role, stream, every_byte(stream), tweak), expected, stream);
  if (pauses != 0) expect_equal(transcript_with_pauses(role, stream, cuts, tweak, pauses), expected, stream);
  return 0;
}

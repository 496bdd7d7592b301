// Every short sequence of inputs and commands on a connection: the rules of the harness hold, it
// can always be brought to its end, and no block is lost.
#include "bench.h"

namespace sansock::testing {
namespace {

constexpr std::size_t step_count = 13;

void step(Bench& bench, std::size_t kind) {
  Connection& connection = bench.connection;
  switch (kind) {
    case 0: return bench.h.feed(bench.peer.text("t"));
    case 1: return bench.h.feed(bench.peer.ping("p"));
    case 2: return bench.h.feed(bench.peer.close(1000));
    case 3: return bench.h.feed({0xF0});
    case 4: return static_cast<void>(bench.h.drain_some(3));
    case 5: return bench.h.drain();
    case 6: return static_cast<void>(connection.send("s"));
    case 7: return static_cast<void>(connection.close(CloseCode::going_away)), bench.h.pump();
    case 8: return connection.pause_input(true);
    case 9: return bench.h.resume();
    case 10: return bench.h.advance(std::chrono::seconds(6));
    case 11: return bench.h.abort(errc::transport_error);
    default: return static_cast<void>(connection.send_part(MessageType::text, as_bytes("part"), false));
  }
}

// Whatever happened: our close, all output taken, and the end of the transport bring it to its end.
void finish(Bench& bench) {
  static_cast<void>(bench.connection.close());
  bench.h.settle();
  bench.h.drain();
  if (!bench.h.closed()) bench.h.eof();
  bench.h.drain();
}

void every_sequence(Role role, std::size_t length) {
  std::size_t sequences = 1;
  for (std::size_t i = 0; i < length; ++i) sequences *= step_count;
  for (std::size_t number = 0; number < sequences; ++number) {
    Bench bench(role, [](Config& config) {
      config.timeouts.ping_interval = config.timeouts.pong = std::chrono::seconds(5);
    });
    bench.h.draining = false;
    std::string steps;
    for (std::size_t i = 0, rest = number; i < length; ++i, rest /= step_count) {
      step(bench, rest % step_count);
      steps += " " + std::to_string(rest % step_count);
    }
    finish(bench);
    ASSERT_TRUE(bench.h.closed()) << role_name(role) << steps;
    ASSERT_EQ(bench.h.events.count(EventKind::closed), 1u) << role_name(role) << steps;
    ASSERT_EQ(bench.pool.live(), 0u) << role_name(role) << steps;
    ASSERT_EQ(bench.connection.output_size(), 0u) << role_name(role) << steps;
    std::size_t closes = 0;
    for (const Frame& frame : bench.h.sent()) closes += frame.opcode == op_close;
    ASSERT_LE(closes, 1u) << role_name(role) << steps;
    ASSERT_TRUE(closes == 0 || bench.h.sent().back().opcode == op_close) << "a frame after a Close;" << steps;
    if (::testing::Test::HasFailure()) FAIL() << role_name(role) << steps;
  }
}

TEST(CommandSequence, UpToFourSteps) {
  for (const Role role : both_roles) {
    for (std::size_t length = 1; length <= 4; ++length) every_sequence(role, length);
  }
}

}  // namespace
}  // namespace sansock::testing

// Deadlines, in virtual time.
#include "bench.h"

namespace sansock::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Tweak with(const std::function<void(Timeouts&)>& set) {
  return [set](Config& config) { set(config.timeouts); };
}

TEST(ConnectionTime, TheTimeIsAskedForFirst) {
  for (const Role role : both_roles) {
    Bench bench(role, with([](Timeouts& t) { t.idle = seconds(5); }));
    EXPECT_EQ(bench.connection.deadline(), at_once);
    bench.connection.handle_timeout(harness_start);
    EXPECT_FALSE(bench.connection.poll());
    EXPECT_EQ(bench.connection.deadline(), harness_start + seconds(5));
    for (int i = 0; i < 5; ++i) {  // early and spurious calls are no-ops
      bench.connection.handle_timeout(harness_start + milliseconds(i * 1249));
      EXPECT_FALSE(bench.connection.poll());
      EXPECT_EQ(bench.connection.deadline(), harness_start + seconds(5));
      EXPECT_EQ(bench.connection.output_size(), 0u);
    }
  }
}

TEST(ConnectionTime, AllSwitchedOffIsNever) {
  Bench bench(Role::server);
  bench.h.feed(bench.peer.text("x") + bench.peer.text("half", false));
  EXPECT_EQ(bench.connection.deadline(), never);
  bench.h.advance(hours(1000));
  EXPECT_EQ(bench.connection.state(), ReadyState::open);
}

TEST(ConnectionTime, IdleEndsWithGoingAway) {
  for (const Role role : both_roles) {
    Bench bench(role, with([](Timeouts& t) { t.idle = seconds(5); }));
    bench.h.advance(seconds(4));
    bench.h.feed(bench.peer.pong());  // any input ends the silence
    bench.h.advance(seconds(4));
    bench.h.feed({bench.peer.text("x")[0]});
    bench.h.advance(milliseconds(4999));
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
    bench.h.advance(milliseconds(1));
    EXPECT_EQ(bench.h.sent_lines(), (std::vector<std::string>{"close 1001"}));
    EXPECT_EQ(bench.connection.close_status().cause, errc::idle_timeout);
    bench.h.advance(seconds(10));
    EXPECT_TRUE(bench.h.closed());
  }
}

TEST(ConnectionTime, KeepAlivePingAndRoundTrip) {
  for (const Role role : both_roles) {
    Bench bench(role, with([](Timeouts& t) { t.ping_interval = seconds(30), t.pong = seconds(20); }));
    bench.h.advance(seconds(29));
    EXPECT_EQ(bench.h.sent().size(), 0u);
    bench.h.advance(seconds(1));
    ASSERT_EQ(bench.h.sent().size(), 1u);
    const Frame ping = bench.h.sent().at(0);
    EXPECT_EQ(ping.opcode, op_ping);
    bench.h.advance(milliseconds(250));
    EXPECT_EQ(bench.connection.round_trip(), Duration::zero());
    bench.h.feed(bench.peer.frame(op_pong, bytes_of("not it")) + bench.peer.frame(op_pong, bytes_of("nor!")));
    EXPECT_EQ(bench.connection.round_trip(), Duration::zero());
    bench.h.feed(bench.peer.frame(op_pong, ping.payload));
    EXPECT_EQ(bench.connection.round_trip(), milliseconds(250));
    // Answered again, later: the time is not falsified.
    bench.h.advance(seconds(3));
    bench.h.feed(bench.peer.frame(op_pong, ping.payload));
    EXPECT_EQ(bench.connection.round_trip(), milliseconds(250));
    // The next Ping comes after another interval, with another payload.
    bench.h.advance(seconds(29));
    EXPECT_EQ(bench.h.sent().size(), 1u);
    bench.h.advance(seconds(1));
    ASSERT_EQ(bench.h.sent().size(), 2u);
    EXPECT_NE(bench.h.sent().at(1).payload, ping.payload);
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
  }
}

TEST(ConnectionTime, NoPongEndsWithInternalError) {
  for (const Role role : both_roles) {
    Bench bench(role, with([](Timeouts& t) { t.ping_interval = seconds(30), t.pong = seconds(20); }));
    bench.h.advance(seconds(50) - milliseconds(1));
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
    bench.h.advance(milliseconds(1));
    EXPECT_EQ(bench.connection.close_status().cause, errc::pong_timeout);
    EXPECT_EQ(bench.h.sent_lines().back(), "close 1011");
  }
}

// Other input shows that the peer is alive.
TEST(ConnectionTime, DataInsteadOfAPongIsSignEnough) {
  Bench bench(Role::server, with([](Timeouts& t) { t.ping_interval = seconds(30), t.pong = seconds(20); }));
  bench.h.advance(seconds(31));
  for (int i = 0; i < 20; ++i) {
    bench.h.feed(bench.peer.text("busy"));
    bench.h.advance(seconds(19));
  }
  EXPECT_EQ(bench.connection.state(), ReadyState::open);
  bench.h.advance(seconds(60));
  EXPECT_EQ(bench.connection.close_status().cause, errc::pong_timeout);
}

// RFC 6455 section 5.5.3: a peer may answer only the most recent of several pings. The one that it
// left out is no reason to end the connection after the next silence.
TEST(ConnectionTime, AnAnswerToALaterPingIsSignEnough) {
  Bench bench(Role::server, with([](Timeouts& t) { t.ping_interval = seconds(30), t.pong = seconds(20); }));
  bench.h.advance(seconds(30));
  ASSERT_FALSE(bench.connection.ping(as_bytes("later")));
  bench.h.settle();
  bench.h.advance(seconds(1));
  bench.h.feed(bench.peer.pong("later"));
  bench.h.advance(seconds(29));
  EXPECT_EQ(bench.connection.state(), ReadyState::open);
  EXPECT_EQ(bench.h.sent().size(), 2u);
  bench.h.advance(seconds(1));
  ASSERT_EQ(bench.h.sent().size(), 3u) << "a new silence, a new Ping";
  bench.h.feed(bench.peer.frame(op_pong, bench.h.sent().at(2).payload));
  EXPECT_EQ(bench.connection.state(), ReadyState::open);
}

// A Pong that guesses the payload of a Ping that has not left yet measures nothing.
TEST(ConnectionTime, APongBeforeThePingHasLeftFalsifiesNothing) {
  Bench bench(Role::server, with([](Timeouts& t) { t.ping_interval = seconds(30); }));
  bench.h.advance(seconds(30));
  const Data first = bench.h.sent().at(0).payload;
  bench.h.advance(seconds(1));
  bench.h.feed(bench.peer.text("never answered"));
  bench.h.draining = false;
  bench.h.advance(seconds(30));
  const Data waiting = decode(bench.h.gather()).frames.at(0).payload;
  EXPECT_NE(waiting, first);
  bench.h.advance(seconds(5));
  bench.h.feed(bench.peer.frame(op_pong, waiting));
  EXPECT_EQ(bench.connection.round_trip(), Duration::zero());
}

// While our Ping waits behind other output, the peer can not answer it.
TEST(ConnectionTime, ThePongDeadlineStartsWhenThePingHasLeft) {
  Bench bench(Role::server, with([](Timeouts& t) { t.ping_interval = seconds(30), t.pong = seconds(20); }));
  bench.h.draining = false;
  ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(noise(100'000, 1))));
  bench.h.settle();
  bench.h.advance(seconds(100));
  EXPECT_EQ(bench.connection.state(), ReadyState::open);
  bench.h.drain();
  EXPECT_EQ(bench.h.sent().back().opcode, op_ping);
  EXPECT_EQ(bench.h.sent().size(), 2u) << "one Ping at a time";
  bench.h.advance(seconds(20) - milliseconds(1));
  EXPECT_EQ(bench.connection.state(), ReadyState::open);
  bench.h.advance(milliseconds(1));
  EXPECT_EQ(bench.connection.close_status().cause, errc::pong_timeout);
}

// Trap: the keep-alive Ping comes while the application is between two parts of a message. It goes
// between the frames, where RFC 6455 section 5.4 allows it.
TEST(ConnectionTime, TrapKeepAliveDuringAFragmentedSend) {
  for (const Role role : both_roles) {
    Bench bench(role, with([](Timeouts& t) { t.ping_interval = seconds(10); }));
    ASSERT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("one"), false));
    bench.h.settle();
    bench.h.advance(seconds(10));
    ASSERT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("two"), false));
    bench.h.settle();
    bench.h.advance(seconds(1));
    bench.h.feed(bench.peer.pong("unasked"));
    bench.h.advance(seconds(10));
    ASSERT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("three"), true));
    bench.h.settle();
    std::vector<unsigned> opcodes;
    for (const Frame& frame : bench.h.sent()) opcodes.push_back(frame.opcode);
    EXPECT_EQ(opcodes, (std::vector<unsigned>{op_text, op_ping, op_continuation, op_ping, op_continuation}));
  }
}

TEST(ConnectionTime, KeepAliveWithoutABlockOrRoomIsTriedAgain) {
  Bench bench(Role::server, with([](Timeouts& t) { t.ping_interval = seconds(10); }));
  bench.pool.set_limit(0);
  bench.h.advance(seconds(25));
  EXPECT_EQ(bench.h.sent().size(), 0u);
  EXPECT_EQ(bench.connection.state(), ReadyState::open);
  bench.pool.set_limit(10);
  bench.h.advance(seconds(10));
  EXPECT_EQ(bench.h.sent().size(), 1u);
}

TEST(ConnectionTime, FirstMessage) {
  for (const Role role : both_roles) {
    const Tweak first = with([](Timeouts& t) { t.first_message = seconds(7); });
    Bench silent(role, first);
    silent.h.advance(seconds(5));
    silent.h.feed(silent.peer.ping("I am no message"));
    silent.h.advance(seconds(2));
    EXPECT_EQ(silent.connection.close_status().cause, errc::first_message_timeout);
    EXPECT_EQ(silent.h.sent_lines().back(), "close 1008");

    Bench speaking(role, first);
    speaking.h.advance(seconds(6));
    speaking.h.feed(speaking.peer.text("hello"));
    speaking.h.advance(hours(1));
    EXPECT_EQ(speaking.connection.state(), ReadyState::open);
  }
}

TEST(ConnectionTime, AssemblyOfOneMessage) {
  for (const Role role : both_roles) {
    const Tweak assembly = with([](Timeouts& t) { t.message_assembly = seconds(20); });
    Bench bench(role, assembly);
    for (int i = 0; i < 10; ++i) {  // each message has its own time
      bench.h.feed(bench.peer.text("a", false));
      bench.h.advance(seconds(19));
      bench.h.feed(bench.peer.continuation("b"));
      bench.h.advance(seconds(19));
    }
    EXPECT_EQ(bench.h.events.messages().size(), 10u);
    Frame frame;
    frame.payload = bytes_of("begun");
    frame.announced = 100;
    frame.opcode = op_binary;
    bench.h.feed(bench.peer.frame(frame));
    for (int i = 0; i < 19; ++i) {
      bench.h.advance(seconds(1));
      bench.h.feed({'x'});
    }
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
    bench.h.advance(seconds(1));
    EXPECT_EQ(bench.connection.close_status().cause, errc::assembly_timeout);
    EXPECT_EQ(bench.h.sent_lines().back(), "close 1008");
  }
}

// Whoever has just told the time is not asked for it again.
TEST(ConnectionTime, ExpiryStartsTheCloseDeadlineAtOnce) {
  for (const Role role : both_roles) {
    Bench bench(role, with([](Timeouts& t) { t.idle = seconds(5), t.close = seconds(8); }));
    bench.h.feed(bench.peer.text("x"));
    bench.connection.handle_timeout(harness_start + seconds(5));
    EXPECT_EQ(bench.connection.deadline(), harness_start + seconds(13));
    bench.h.pump();
    EXPECT_EQ(bench.connection.state(), ReadyState::closing);
  }
}

TEST(ConnectionTime, PausedIsOurSilence) {
  for (const Role role : both_roles) {
    Bench bench(role, with([](Timeouts& t) {
                  t.idle = seconds(5);
                  t.message_assembly = seconds(6);
                  t.ping_interval = seconds(3);
                  t.pong = seconds(2);
                }));
    bench.h.feed(bench.peer.text("begun", false));
    bench.connection.pause_input(true);
    EXPECT_EQ(bench.connection.deadline(), never);
    bench.h.advance(hours(1));
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
    bench.connection.pause_input(false);
    EXPECT_EQ(bench.connection.deadline(), at_once);
    bench.h.advance(milliseconds(2999));
    EXPECT_EQ(bench.h.sent().size(), 0u);
    bench.h.advance(milliseconds(1));
    EXPECT_EQ(bench.h.sent().size(), 1u);
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
  }
}

TEST(ConnectionTime, CloseStartsItsOwnDeadline) {
  Bench bench(Role::server, with([](Timeouts& t) { t.ping_interval = seconds(3), t.close = seconds(8); }));
  bench.h.advance(seconds(1));
  ASSERT_FALSE(bench.connection.close());
  EXPECT_EQ(bench.connection.deadline(), at_once);
  bench.h.settle();
  EXPECT_EQ(bench.connection.deadline(), bench.h.now + seconds(8));
  for (int i = 0; i < 7; ++i) {  // input does not prolong it, and no Ping follows a Close
    bench.h.advance(seconds(1));
    bench.h.feed(bench.peer.text("dragging on"));
  }
  bench.h.advance(seconds(1));
  EXPECT_TRUE(bench.h.closed());
  EXPECT_EQ(bench.h.sent().size(), 1u);
}

TEST(ConnectionTime, HugeDurationsDoNotWrap) {
  Bench bench(Role::server, with([](Timeouts& t) {
                t.idle = no_timeout - seconds(1);
                t.first_message = no_timeout - seconds(1);
                t.close = no_timeout - seconds(1);
              }));
  bench.h.advance(seconds(1));
  EXPECT_GT(bench.connection.deadline(), bench.h.now);
  ASSERT_FALSE(bench.connection.close());
  bench.h.settle();
  EXPECT_GT(bench.connection.deadline(), bench.h.now);
}

TEST(ConnectionTime, SeveralDeadlinesAtOnceEndItOnce) {
  Bench bench(Role::server, with([](Timeouts& t) {
                t.idle = t.first_message = t.ping_interval = t.pong = t.close = seconds(5);
              }));
  bench.h.advance(Duration::zero());
  bench.connection.handle_timeout(bench.h.now + hours(1));
  bench.h.now += hours(1);
  bench.h.settle();
  EXPECT_EQ(bench.h.sent().size(), 1u);
  bench.h.advance(hours(1));
  EXPECT_EQ(bench.h.events.count(EventKind::closed), 1u);
}

}  // namespace
}  // namespace sansock::testing

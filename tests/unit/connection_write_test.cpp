// Frames out.
#include "bench.h"

namespace sansock::testing {
namespace {

const std::size_t sizes[] = {0, 1, 5, 124, 125, 126, 127, 1000, 4096, 4100, 65535, 65536, 200'000};

void expect_frame(const Frame& frame, Role role, bool fin, unsigned opcode, const Data& payload) {
  EXPECT_EQ(frame.fin, fin);
  EXPECT_EQ(frame.rsv, 0u);
  EXPECT_EQ(frame.opcode, opcode);
  EXPECT_EQ(frame.payload, payload);
  EXPECT_EQ(frame.key.has_value(), role == Role::client);
  const LengthForm form = payload.size() <= 125      ? LengthForm::bits7
                          : payload.size() <= 0xFFFF ? LengthForm::bits16
                                                     : LengthForm::bits64;
  EXPECT_EQ(frame.form, form);
}

TEST(ConnectionWrite, EverySizeInBothRoles) {
  for (const Role role : both_roles) {
    for (const std::size_t block : {1024u, 4096u, 65536u}) {
      Bench bench(role, {}, block);
      for (const std::size_t size : sizes) {
        ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(noise(size, 1))));
        ASSERT_FALSE(bench.connection.send(std::string(size, 't')));
      }
      bench.h.settle();
      const std::vector<Frame> frames = bench.h.sent();
      ASSERT_EQ(frames.size(), 2 * std::size(sizes));
      for (std::size_t i = 0; i < std::size(sizes); ++i) {
        expect_frame(frames[2 * i], role, true, op_binary, noise(sizes[i], 1));
        expect_frame(frames[2 * i + 1], role, true, op_text, Data(sizes[i], 't'));
      }
      EXPECT_EQ(bench.pool.live(), 0u) << "an idle connection holds no block";
    }
  }
}

// The same where blocks are had without a call: on the wire and in the pool all is as without.
TEST(ConnectionWrite, EverySizeWithBlocksAtHand) {
  for (const std::uint32_t count : {1u, 3u, 200u}) {
    AtHandPool pool(4096, count);
    Config config;
    config.pool = &pool;
    config.timeouts = no_timeouts();
    Connection connection(Role::server, config);
    ConnectionHarness h(connection);
    std::size_t sent = 0;
    for (std::size_t size = 1; size < 6000; size += size < 300 ? 1 : 311) {
      const Data payload = noise(size, 1);
      for (int twice = 0; twice < 2; ++twice) {
        const std::size_t before = connection.output_size();
        const std::error_code error = connection.send(MessageType::binary, view_of(payload));
        if (!error) {
          ++sent;
          continue;
        }
        EXPECT_EQ(error, errc::blocks_exhausted);
        EXPECT_EQ(connection.output_size(), before);
      }
      h.settle();
      EXPECT_EQ(pool.available(), count);
      const std::vector<Frame> frames = h.sent();
      ASSERT_EQ(frames.size(), sent);
      if (!frames.empty() && frames.back().payload.size() == size) {
        expect_frame(frames.back(), Role::server, true, op_binary, payload);
      }
      EXPECT_TRUE(sent >= 1 || size >= 2000);
      h.output.clear();
      sent = 0;
    }
  }
}

TEST(ConnectionWrite, WholeOutputIsGatheredAndConsumedAtOnce) {
  Bench bench(Role::server);
  IoSlice slice;
  EXPECT_FALSE(bench.connection.gather_whole(slice));  // there is none
  ASSERT_FALSE(bench.connection.send("Hello"));
  ASSERT_FALSE(bench.connection.send("again"));
  ASSERT_TRUE(bench.connection.gather_whole(slice));
  EXPECT_EQ(slice.size, 14u);
  EXPECT_FALSE(bench.connection.consume_whole(13));
  EXPECT_EQ(bench.connection.output_size(), 14u);
  ASSERT_FALSE(bench.connection.send("!"));
  EXPECT_FALSE(bench.connection.consume_whole(14)) << "that is no longer all";
  bench.connection.consume(14, bench.h.now);
  bench.h.pump();
  ASSERT_TRUE(bench.connection.gather_whole(slice));
  EXPECT_EQ(slice.size, 3u);
  bench.connection.consume_gathered();
  EXPECT_EQ(bench.connection.output_size(), 0u);
  EXPECT_EQ(bench.pool.live(), 0u);
}

// Where something follows when the output leaves, the short way is refused.
TEST(ConnectionWrite, WholeOutputIsRefusedWhereMoreFollows) {
  IoSlice slice;
  Bench inside(Role::server);
  ASSERT_FALSE(inside.connection.send("Hello"));
  inside.h.draining = false;
  inside.h.feed(inside.peer.text("a", false));
  EXPECT_FALSE(inside.connection.gather_whole(slice));
  EXPECT_FALSE(inside.connection.consume_whole(inside.connection.output_size()));
  Bench closing(Role::server);
  ASSERT_FALSE(closing.connection.close());
  EXPECT_FALSE(closing.connection.gather_whole(slice));
  Bench borrowed(Role::server);
  Data payload(10, 'p');
  ASSERT_FALSE(
      borrowed.connection.send_borrowed(MessageType::text, std::as_writable_bytes(std::span(payload)), 1));
  EXPECT_FALSE(borrowed.connection.gather_whole(slice));
}

// RFC 6455 section 5.7, with its masking key.
TEST(ConnectionWrite, Rfc6455Example) {
  Bench bench(Role::client);
  ASSERT_FALSE(bench.connection.send("Hello"));
  bench.h.settle();
  EXPECT_EQ(to_hex(bench.h.output), "81 85 37 fa 21 3d 7f 9f 4d 51 58");
  Bench server(Role::server);
  ASSERT_FALSE(server.connection.send("Hello"));
  ASSERT_FALSE(server.connection.send_part(MessageType::text, as_bytes("Hel"), false));
  ASSERT_FALSE(server.connection.send_part(MessageType::text, as_bytes("lo"), true));
  ASSERT_FALSE(server.connection.ping(as_bytes("Hello")));
  server.h.settle();
  EXPECT_EQ(to_hex(server.h.output), "81 05 48 65 6c 6c 6f 01 03 48 65 6c 80 02 6c 6f 89 05 48 65 6c 6c 6f");
}

TEST(ConnectionWrite, AnyPartialConsume) {
  for (const Role role : both_roles) {
    for (const std::size_t step : {1u, 2u, 3u, 7u, 64u, 1000u, 1024u, 5000u}) {
      Bench bench(role, {}, 1024);
      bench.h.draining = false;
      Data lent = noise(3000, 3);
      for (const std::size_t size : {0u, 10u, 2000u, 125u, 126u}) {
        ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(noise(size, 2))));
      }
      ASSERT_FALSE(
          bench.connection.send_borrowed(MessageType::binary, std::as_writable_bytes(std::span(lent)), 4));
      ASSERT_FALSE(bench.connection.ping(as_bytes("p")));
      bench.h.pump();
      while (bench.connection.output_size() != 0) ASSERT_NE(bench.h.drain_some(step), 0u);
      const std::vector<Frame> frames = bench.h.sent();
      ASSERT_EQ(frames.size(), 7u);
      EXPECT_EQ(frames[2].payload, noise(2000, 2));
      EXPECT_EQ(frames[5].payload, noise(3000, 3));
      EXPECT_EQ(frames[6].opcode, op_ping);
      EXPECT_EQ(bench.pool.live(), 0u);
    }
  }
}

TEST(ConnectionWrite, Parts) {
  for (const Role role : both_roles) {
    Bench bench(role);
    const auto part = [&](std::string_view text, bool end) {
      return bench.connection.send_part(MessageType::text, as_bytes(text), end);
    };
    ASSERT_FALSE(part("one", false));
    ASSERT_FALSE(part("", false));
    ASSERT_FALSE(bench.connection.ping(as_bytes("between")));
    ASSERT_FALSE(part("two", true));
    ASSERT_FALSE(part("single", true));
    ASSERT_FALSE(bench.connection.send_part(MessageType::binary, {}, false));
    ASSERT_FALSE(bench.connection.send_part(MessageType::binary, {}, true));
    bench.h.settle();
    EXPECT_EQ(bench.h.sent_lines(),
              (std::vector<std::string>{"text-nofin \"one\"", "continuation-nofin \"\"", "ping \"between\"",
                                        "continuation \"two\"", "text \"single\"", "binary-nofin \"\"",
                                        "continuation \"\""}));
  }
}

// B7: a message never gets into another one.
TEST(ConnectionWrite, AWholeMessageInsideAMessageInPartsIsMisuse) {
  for (const Role role : both_roles) {
    Bench bench(role);
    Data lent = bytes_of("x");
    SharedFrame shared;
    shared.bytes = view_of(lent);
    ASSERT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("a"), false));
    EXPECT_EQ(bench.connection.send("whole"), errc::message_unfinished);
    EXPECT_EQ(bench.connection.send_borrowed(MessageType::text, std::as_writable_bytes(std::span(lent)), 1),
              errc::message_unfinished);
    if (role == Role::server) {
      EXPECT_EQ(bench.connection.send_shared(shared), errc::message_unfinished);
    }
    EXPECT_EQ(bench.connection.send_part(MessageType::binary, as_bytes("b"), true),
              errc::message_type_changed);
    EXPECT_EQ(shared.references.load(), 1u);
    ASSERT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("b"), true));
    ASSERT_FALSE(bench.connection.send("whole"));
    bench.h.settle();
    EXPECT_EQ(bench.h.sent_lines(),
              (std::vector<std::string>{"text-nofin \"a\"", "continuation \"b\"", "text \"whole\""}));
    EXPECT_EQ(bench.h.events.text(), "");
  }
}

TEST(ConnectionWrite, ControlPayloads) {
  for (const Role role : both_roles) {
    Bench bench(role);
    const Data longest = noise(125, 1), too_long = noise(126, 1);
    EXPECT_EQ(bench.connection.ping(view_of(too_long)), errc::control_payload_too_long);
    EXPECT_EQ(bench.connection.pong(view_of(too_long)), errc::control_payload_too_long);
    EXPECT_EQ(bench.connection.output_size(), 0u);
    ASSERT_FALSE(bench.connection.ping(view_of(longest)));
    ASSERT_FALSE(bench.connection.pong(view_of(longest)));
    ASSERT_FALSE(bench.connection.ping());
    bench.h.settle();
    EXPECT_EQ(bench.h.sent_lines(),
              (std::vector<std::string>{"ping " + quote(longest), "pong " + quote(longest), "ping \"\""}));
  }
}

TEST(ConnectionWrite, OutputLimitIsExactAndNothingChanges) {
  const Tweak small = [](Config& config) { config.limits.output_bytes_max = 1000; };
  for (const Role role : both_roles) {
    const std::size_t header = role == Role::client ? 4 : 0;
    Bench bench(role, small);
    bench.h.draining = false;
    EXPECT_EQ(bench.connection.send(MessageType::binary, view_of(Data(1001))), errc::message_over_limit);
    EXPECT_EQ(bench.connection.send(MessageType::binary, view_of(Data(1000))), errc::message_over_limit);
    ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(Data(900 - 4 - header))));
    EXPECT_EQ(bench.connection.output_size(), 900u);
    const Data before = bench.h.gather();
    EXPECT_EQ(bench.connection.send(MessageType::binary, view_of(Data(99 - header))), errc::output_full);
    EXPECT_EQ(bench.connection.send_part(MessageType::binary, view_of(Data(99 - header)), false),
              errc::output_full);
    EXPECT_EQ(bench.connection.ping(view_of(Data(99 - header))), errc::output_full);
    EXPECT_EQ(bench.connection.output_size(), 900u);
    ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(Data(98 - header))))
        << "the last byte counts";
    EXPECT_EQ(bench.connection.output_size(), 1000u);
    EXPECT_EQ(bench.connection.ping(), errc::output_full);
    // A Close is always possible.
    EXPECT_FALSE(bench.connection.close(CloseCode::going_away, "full"));
    bench.h.drain();
    EXPECT_EQ(bench.h.sent_lines().back(), "close 1001 \"full\"");
    EXPECT_EQ(
        Data(bench.h.output.begin(), bench.h.output.begin() + static_cast<std::ptrdiff_t>(before.size())),
        before);
  }
}

// --- masking keys ---------------------------------------------------------------------------------

TEST(ConnectionWrite, EveryFrameHasAFreshKey) {
  SeededEntropy entropy(1);
  Bench bench(Role::client, [&](Config& config) { config.entropy = &entropy; });
  for (int i = 0; i < 200; ++i) {
    ASSERT_FALSE(bench.connection.send("same"));
    ASSERT_FALSE(bench.connection.ping(as_bytes("same")));
  }
  bench.h.settle();
  std::set<std::uint32_t> keys;
  for (const Frame& frame : bench.h.sent()) keys.insert(frame.key.value_or(0));
  EXPECT_EQ(keys.size(), 400u);
  EXPECT_EQ(keys.count(0), 0u);
  EXPECT_EQ(entropy.calls(), 400u);
}

TEST(ConnectionWrite, BrokenEntropySendsNothingInTheClear) {
  ZeroEntropy entropy;
  Bench bench(Role::client, [&](Config& config) { config.entropy = &entropy; });
  Data lent = bytes_of("lent");
  EXPECT_EQ(bench.connection.send("secret"), errc::entropy_failed);
  EXPECT_EQ(bench.connection.ping(as_bytes("secret")), errc::entropy_failed);
  EXPECT_EQ(bench.connection.send_part(MessageType::text, as_bytes("secret"), false), errc::entropy_failed);
  EXPECT_EQ(bench.connection.send_borrowed(MessageType::text, std::as_writable_bytes(std::span(lent)), 1),
            errc::entropy_failed);
  EXPECT_EQ(bench.connection.output_size(), 0u);
  EXPECT_EQ(bench.pool.live(), 0u);
  bench.h.feed(bench.peer.ping("echoed?"));
  EXPECT_EQ(bench.h.sent().size(), 0u) << "a pong in the clear is worse than none";
  EXPECT_FALSE(bench.connection.close(CloseCode::normal, "secret reason"));
  bench.h.settle();
  ASSERT_EQ(bench.h.sent_lines(), (std::vector<std::string>{"close 1000"})) << "the code only";
  EXPECT_TRUE(bench.h.sent().at(0).key.has_value()) << "masked by form, as the RFC demands";
}

// --- borrowed and shared --------------------------------------------------------------------------

TEST(ConnectionWrite, BorrowedIsReportedOnceItHasLeft) {
  for (const Role role : both_roles) {
    Bench bench(role);
    bench.h.draining = false;
    Data lent = noise(10'000, 1), empty;
    ASSERT_FALSE(bench.connection.send("before"));
    ASSERT_FALSE(
        bench.connection.send_borrowed(MessageType::binary, std::as_writable_bytes(std::span(lent)), 77));
    ASSERT_FALSE(
        bench.connection.send_borrowed(MessageType::text, std::as_writable_bytes(std::span(empty)), 78));
    ASSERT_FALSE(bench.connection.send("after"));
    bench.h.pump();
    if (role == Role::server) {
      EXPECT_EQ(lent, noise(10'000, 1)) << "only a client masks";
    }
    EXPECT_LE(bench.pool.peak(), 1u) << "no copy";
    const std::size_t ahead = (role == Role::client ? 4u : 0u) * 2 + 2 + 6 + 4;
    while (bench.h.output.size() < ahead + 9'999) {
      bench.h.drain_some(std::min<std::size_t>(999, ahead + 9'999 - bench.h.output.size()));
      EXPECT_EQ(bench.h.events.text(), "");
    }
    bench.h.drain_some(1);
    EXPECT_EQ(bench.h.events.text(), "sent 77\n");
    std::fill(lent.begin(), lent.end(), std::uint8_t{0xEE});  // it is ours again
    bench.h.drain();
    EXPECT_EQ(bench.h.events.text(), "sent 77\nsent 78\n");
    EXPECT_EQ(bench.h.sent_lines(),
              (std::vector<std::string>{"text \"before\"", "binary " + quote(noise(10'000, 1)), "text \"\"",
                                        "text \"after\""}));
  }
}

struct CountedFrame : SharedFrame {
  explicit CountedFrame(Data encoded) : memory(std::move(encoded)) {
    bytes = view_of(memory);
    destroy = [](SharedFrame* frame) noexcept { ++static_cast<CountedFrame*>(frame)->destroyed; };
  }
  Data memory;
  int destroyed = 0;
};

TEST(ConnectionWrite, SharedFrameOnManyConnections) {
  CountedFrame frame(encode({.payload = noise(5000, 1)}));
  {
    Bench a(Role::server), b(Role::server), gone(Role::server);
    for (Bench* bench : {&a, &b, &gone}) {
      bench->h.draining = false;
      ASSERT_FALSE(bench->connection.send("x"));
      ASSERT_FALSE(bench->connection.send_shared(frame));
      ASSERT_FALSE(bench->connection.send_shared(frame));
      ASSERT_FALSE(bench->connection.send("y"));
      EXPECT_LE(bench->pool.peak(), 1u) << "no copy";
    }
    EXPECT_EQ(frame.references.load(), 7u);
    for (Bench* bench : {&a, &b}) {
      while (bench->connection.output_size() != 0) bench->h.drain_some(777);
      const std::string line = "text " + quote(noise(5000, 1));
      EXPECT_EQ(bench->h.sent_lines(), (std::vector<std::string>{"text \"x\"", line, line, "text \"y\""}));
    }
    EXPECT_EQ(frame.references.load(), 3u);
    gone.h.abort(errc::aborted);
    EXPECT_EQ(frame.references.load(), 1u);
    EXPECT_EQ(frame.destroyed, 0);
    ASSERT_FALSE(Bench(Role::server).connection.send_shared(frame))
        << "a destructor gives its reference back";
    EXPECT_EQ(frame.references.load(), 1u);
  }
  frame.release();
  EXPECT_EQ(frame.destroyed, 1);
}

// A shared frame brings its header along; it must not be counted twice.
TEST(ConnectionWrite, SharedFrameMayFillTheOutput) {
  Bench bench(Role::server, [](Config& config) { config.limits.output_bytes_max = 1024; });
  const Data bytes(1025);
  SharedFrame frame;
  frame.bytes = view_of(bytes);
  EXPECT_EQ(bench.connection.send_shared(frame), errc::message_over_limit);
  frame.bytes = frame.bytes.first(1000);
  EXPECT_FALSE(bench.connection.send_shared(frame));
  frame.bytes = frame.bytes.first(25);
  EXPECT_EQ(bench.connection.send_shared(frame), errc::output_full);
  frame.bytes = frame.bytes.first(24);
  EXPECT_FALSE(bench.connection.send_shared(frame));
  EXPECT_EQ(bench.connection.output_size(), 1024u);
  bench.connection.abort(errc::aborted);
  bench.h.pump();
}

TEST(ConnectionWrite, SharedFrameIsForServers) {
  CountedFrame frame(encode({.payload = bytes_of("x")}));
  Bench bench(Role::client);
  EXPECT_EQ(bench.connection.send_shared(frame), errc::role_wrong);
  EXPECT_EQ(frame.references.load(), 1u);
  EXPECT_EQ(bench.connection.output_size(), 0u);
}

// --- text that is sent ----------------------------------------------------------------------------

TEST(ConnectionWrite, SentTextIsCheckedOnRequest) {
  const Tweak checked = [](Config& config) { config.check_sent_text = true; };
  for (const Role role : both_roles) {
    Bench bench(role, checked);
    Data bad = bytes_of("\xFF");
    EXPECT_EQ(bench.connection.send("\xC3"), errc::text_not_utf8);
    EXPECT_EQ(bench.connection.send_borrowed(MessageType::text, std::as_writable_bytes(std::span(bad)), 1),
              errc::text_not_utf8);
    EXPECT_FALSE(bench.connection.send(MessageType::binary, view_of(bad)));
    // A character over two parts; a bad part changes nothing and may be corrected.
    EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("\xE2\x82"), false));
    EXPECT_EQ(bench.connection.send_part(MessageType::text, as_bytes("x"), false), errc::text_not_utf8);
    EXPECT_EQ(bench.connection.send_part(MessageType::text, as_bytes("\xAC\xFF"), false),
              errc::text_not_utf8);
    EXPECT_EQ(bench.connection.send_part(MessageType::text, {}, true), errc::text_not_utf8);
    EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("\xAC"), true));
    EXPECT_FALSE(bench.connection.send("\xC3\xA9"));
    // A last part that ends inside a character, then one that does not.
    EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("a"), false));
    EXPECT_EQ(bench.connection.send_part(MessageType::text, as_bytes("\xE2\x82"), true), errc::text_not_utf8);
    EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("b"), true));
    bench.h.settle();
    EXPECT_EQ(bench.h.sent().size(), 6u);
  }
  Bench unchecked(Role::server);
  EXPECT_FALSE(unchecked.connection.send("\xFF"));
}

}  // namespace
}  // namespace sansock::testing

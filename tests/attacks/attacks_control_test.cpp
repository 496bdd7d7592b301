// Attacks with control frames, on the closing handshake, and on what we put on the wire: rows C1-C7,
// C12, C14, M2, M3 and M4 of the list of bad inputs.
#include "bench.h"

namespace sansock::testing {
namespace {

using std::chrono::seconds;

std::vector<std::string> pongs(const ConnectionHarness& h) {
  std::vector<std::string> payloads;
  for (const Frame& frame : h.sent()) {
    if (frame.opcode == op_pong) payloads.push_back(string_of(frame.payload));
  }
  return payloads;
}

// Conformance case 2.10: ten pings in one read have ten pongs, in order.
TEST(AttacksControl, TenPingsInOneReadHaveTenPongs) {
  for (const Role role : both_roles) {
    Bench bench(role);
    Data stream;
    std::vector<std::string> payloads;
    for (int i = 0; i < 10; ++i) {
      payloads.push_back("payload-" + std::to_string(i));
      stream = stream + bench.peer.ping(payloads.back());
    }
    bench.h.feed(stream);
    EXPECT_EQ(pongs(bench.h), payloads);
    EXPECT_EQ(bench.h.events.count(EventKind::ping), 10u);
  }
}

// C1: the peer sends pings and does not read.
TEST(AttacksControl, C1PingFloodWithoutReading) {
  for (const Role role : both_roles) {
    Bench bench(role);
    bench.h.draining = false;
    ASSERT_FALSE(bench.connection.send("first"));
    bench.h.drain_some(3);  // the transport stalls
    const std::size_t before = bench.connection.output_size();
    for (int i = 0; i < 10'000; ++i) {
      std::string payload = "ping " + std::to_string(i);
      payload.resize(125, '.');
      bench.h.feed(bench.peer.ping(payload));
      ASSERT_LE(bench.connection.output_size(), before + 131) << "at most one pong waits";
    }
    EXPECT_LE(bench.pool.peak(), 2u);
    bench.h.drain();
    ASSERT_EQ(pongs(bench.h).size(), 1u);
    EXPECT_EQ(pongs(bench.h).at(0).substr(0, 9), "ping 9999") << "the newest ping wins";
    // The rate limit is what ends it.
    for (int i = 0; i < 10'001 && bench.connection.state() == ReadyState::open; ++i)
      bench.h.feed(bench.peer.ping());
    bench.h.drain();
    EXPECT_EQ(bench.connection.close_status().cause, errc::control_flood);
    EXPECT_EQ(bench.h.sent_lines().back(), "close 1008");
  }
}

// Also if the adapter offers the output again and again: no more than the limit is ever queued.
TEST(AttacksControl, C1PongsAreBoundedWhateverTheAdapterDoes) {
  for (const Role role : both_roles) {
    for (const bool offering : {false, true}) {
      Bench bench(role);
      bench.h.draining = false;
      for (int i = 0; i < 5'000; ++i) {
        bench.h.feed(bench.peer.ping(std::string(120, 'p') + std::to_string(i % 10)));
        if (offering) bench.h.drain_some(0);
        ASSERT_LE(bench.connection.output_size(), bench.config.limits.pong_bytes_max);
      }
      bench.h.drain();
      EXPECT_GE(pongs(bench.h).size(), 1u);
      bench.h.feed(bench.peer.ping("afterwards"));
      bench.h.drain();
      EXPECT_EQ(pongs(bench.h).back(), "afterwards");
    }
  }
}

// The transport takes a little between the pings: the newest still wins.
TEST(AttacksControl, C1NewestPingWinsWhileOutputTrickles) {
  for (const Role role : both_roles) {
    Bench bench(role);
    bench.h.draining = false;
    ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(noise(1000, 1))));
    bench.h.drain_some(3);
    const std::size_t offered = bench.connection.output_size();
    for (std::size_t i = 0; i < 500; ++i) {
      bench.h.feed(bench.peer.ping(std::to_string(i)));
      bench.connection.consume(1, bench.h.now);  // of what gather() had offered
      bench.h.pump();
      ASSERT_LE(bench.connection.output_size(), offered - i + 10);
    }
    bench.h.drain();
    // The output misses the bytes consumed by hand; its last frame is whole.
    const std::size_t size = 3 + 2 + (role == Role::client ? 4 : 0);
    const Data last(bench.h.output.end() - static_cast<std::ptrdiff_t>(size), bench.h.output.end());
    ASSERT_EQ(decode(last).frames.size(), 1u);
    EXPECT_EQ(describe(decode(last).frames.at(0)), "pong \"499\"");
  }
}

// C2: a thousand pings in one segment from a peer that reads.
TEST(AttacksControl, C2ThousandPingsFromAReadingPeer) {
  for (const Role role : both_roles) {
    Bench bench(role);
    Data stream;
    for (int i = 0; i < 1000; ++i) stream = stream + bench.peer.ping(std::to_string(i));
    bench.h.feed(stream + bench.peer.text("alive"));
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
    EXPECT_EQ(bench.h.events.messages().size(), 1u);
    ASSERT_EQ(pongs(bench.h).size(), 1000u);
    for (int i = 0; i < 1000; ++i)
      EXPECT_EQ(pongs(bench.h).at(static_cast<std::size_t>(i)), std::to_string(i));
  }
}

// C3: pongs that nobody asked for.
TEST(AttacksControl, C3PongFlood) {
  for (const Role role : both_roles) {
    Bench bench(role, [](Config& config) { config.timeouts.ping_interval = seconds(10); });
    for (int second = 0; second < 3; ++second) {
      for (int i = 0; i < 20'000; ++i) bench.h.feed(bench.peer.pong(std::string(4, '\1')));
      bench.h.advance(seconds(1));
    }
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
    EXPECT_EQ(bench.connection.round_trip(), Duration::zero());
    EXPECT_EQ(bench.h.output.size(), 0u);
    EXPECT_EQ(bench.pool.live(), 0u);
    for (int i = 0; i < 20'001; ++i) bench.h.feed(bench.peer.pong());
    EXPECT_EQ(bench.connection.close_status().cause, errc::control_flood);
  }
}

// C4, and the trap "auto-pong lost when the write blocked".
TEST(AttacksControl, C4TrapAutoPongWhileTheSocketIsFull) {
  for (const Role role : both_roles) {
    Bench bench(role);
    bench.h.draining = false;
    ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(noise(50'000, 1))));
    bench.h.drain_some(1000);
    bench.h.feed(bench.peer.ping("answer me"));
    const std::size_t size = bench.connection.output_size();
    for (int i = 0; i < 100; ++i) {  // nothing to do until the transport takes more: no busy loop
      EXPECT_FALSE(bench.connection.poll());
      bench.h.drain_some(0);
      EXPECT_EQ(bench.connection.output_size(), size);
      EXPECT_GT(bench.connection.deadline(), bench.h.now);
    }
    bench.h.drain();
    EXPECT_EQ(pongs(bench.h), (std::vector<std::string>{"answer me"}));
  }
}

// Pongs that have left do not count, also if the output queue is never empty in between.
TEST(AttacksControl, PingsAreAnsweredWhileTheOutputNeverRunsDry) {
  for (const Role role : both_roles) {
    Bench bench(role);
    bench.h.draining = false;
    for (int i = 0; i < 1000; ++i) {
      bench.h.feed(bench.peer.ping(std::string(120, 'p')));
      ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(noise(1000, 1))));
      while (bench.connection.output_size() > 500) bench.h.drain_some(bench.connection.output_size() - 500);
    }
    bench.h.drain();
    EXPECT_EQ(pongs(bench.h).size(), 1000u);
  }
}

TEST(AttacksControl, NoPongAfterOurClose) {
  for (const Role role : both_roles) {
    Bench bench(role);
    ASSERT_FALSE(bench.connection.close());
    bench.h.settle();
    bench.h.feed(bench.peer.ping("late") + bench.peer.ping("later"));
    EXPECT_EQ(bench.h.events.count(EventKind::ping), 2u);
    EXPECT_EQ(bench.h.sent_lines(), (std::vector<std::string>{"close 1000"}));
  }
}

TEST(AttacksControl, PongsByHand) {
  for (const Role role : both_roles) {
    Bench bench(role, [](Config& config) { config.auto_pong = false; });
    bench.h.handler = [&](const Event& event) {
      if (event.kind != EventKind::ping) return;
      EXPECT_FALSE(bench.connection.pong(event.bytes));
    };
    bench.h.feed_bytewise(bench.peer.ping("a") + bench.peer.ping("b"));
    EXPECT_EQ(pongs(bench.h), (std::vector<std::string>{"a", "b"}));
    bench.h.handler = nullptr;
    bench.h.feed(bench.peer.ping("c"));
    EXPECT_EQ(pongs(bench.h).size(), 2u);
  }
}

TEST(AttacksControl, PingsWithoutBlocksAreDroppedNotFatal) {
  for (const Role role : both_roles) {
    Bench bench(role);
    bench.pool.set_limit(0);
    bench.h.feed(bench.peer.ping("whole") + bench.peer.text("x"));
    bench.h.feed_bytewise(bench.peer.ping("cut") + bench.peer.pong("cut") + bench.peer.ping("") +
                          bench.peer.text("y"));
    EXPECT_EQ(bench.h.events.text(), "ping \"whole\"\ntext \"x\"\nping \"\"\ntext \"y\"\n");
    bench.pool.set_limit(2);
    bench.h.feed(bench.peer.ping("again"));
    EXPECT_EQ(pongs(bench.h), (std::vector<std::string>{"again"}));
  }
}

// C5.
TEST(AttacksControl, C5BadClosePayloads) {
  struct Case {
    Data payload;
    unsigned answer;
  };
  std::vector<Case> cases = {{{3}, 1002},
                             {close_payload(1000, std::string(124, 'r')), 1002},
                             {close_payload(1000, "\xED\xBF\xBF"), 1007},
                             {close_payload(4999, "ok\xC3"), 1007}};
  std::vector<unsigned> bad_codes = {0, 1, 999, 1004, 1005, 1006, 1015, 5000, 65535};
  for (unsigned code = 1016; code <= 2999; ++code) bad_codes.push_back(code);
  for (const unsigned code : bad_codes) cases.push_back({close_payload(code), 1002});
  for (const Role role : both_roles) {
    for (const Case& c : cases) {
      Bench bench(role);
      bench.h.feed(bench.peer.frame(op_close, c.payload));
      bench.h.eof();
      EXPECT_EQ(bench.h.sent_lines(), (std::vector<std::string>{"close " + std::to_string(c.answer)}));
      EXPECT_FALSE(bench.connection.close_status().clean);
      EXPECT_EQ(bench.h.events.count(EventKind::peer_close), 0u);
    }
    for (const unsigned code :
         {3000u, 3001u, 4000u, 4999u, 1012u, 1013u, 1014u}) {  // legal, and refused by some
      Bench bench(role);
      bench.h.feed(bench.peer.close(code));
      bench.h.eof();
      EXPECT_TRUE(bench.connection.close_status().clean) << code;
    }
  }
}

// C6.
TEST(AttacksControl, C6PeerThatDoesNotLeave) {
  for (const Role role : both_roles) {
    Bench silent(role);
    ASSERT_FALSE(silent.connection.close());
    silent.h.settle();
    silent.h.advance(seconds(10));
    EXPECT_TRUE(silent.h.closed());

    Bench staying(role);
    staying.h.feed(staying.peer.close(1000));
    staying.h.advance(seconds(10));
    EXPECT_TRUE(staying.h.closed());
    EXPECT_TRUE(staying.connection.close_status().clean);

    Bench talking(role);  // and talks and talks
    ASSERT_FALSE(talking.connection.close());
    talking.h.settle();
    talking.h.feed(talking.peer.close(1000));
    const Data megabyte(1 << 20, 'x');
    int fed = 0;
    for (; fed < 1024 && !talking.h.closed(); ++fed) talking.h.feed(megabyte);
    EXPECT_EQ(fed, 65) << "the discard limit is 64 MiB";
    EXPECT_EQ(talking.pool.live(), 0u);

    Bench half(role);  // has shut its half down after its Close, and reads on
    half.h.draining = false;
    ASSERT_FALSE(half.connection.send("rest"));
    half.h.feed(half.peer.close(1000));
    half.h.eof();
    half.h.drain();
    EXPECT_EQ(half.h.sent_lines(), (std::vector<std::string>{"text \"rest\"", "close 1000"}));
    EXPECT_TRUE(half.connection.close_status().clean);
  }
}

// C7: the transport breaks in every state; there is one terminal event, and no block is lost.
TEST(AttacksControl, C7ResetInEveryState) {
  using Steps = std::function<void(Bench&)>;
  const std::vector<Steps> states = {
      [](Bench&) {},
      [](Bench& b) { b.h.feed({b.peer.text("x")[0]}); },
      [](Bench& b) { b.h.feed(b.peer.text("half", false)); },
      [](Bench& b) { b.h.feed({from_hex("89 fd 01 02 03 04 05")}); },
      [](Bench& b) {
        b.h.draining = false, static_cast<void>(b.connection.send("unsent")), b.h.drain_some(2);
      },
      [](Bench& b) { static_cast<void>(b.connection.close()), b.h.pump(); },
      [](Bench& b) { static_cast<void>(b.connection.close()), b.h.settle(); },
      [](Bench& b) { b.h.draining = false, b.h.feed(b.peer.close(1000)); },
      [](Bench& b) { b.h.feed(b.peer.close(1000)); },
      [](Bench& b) { b.h.draining = false, b.h.feed(from_hex("ff")); },
      [](Bench& b) { b.h.feed(from_hex("ff")); },
      [](Bench& b) { b.h.draining = false, static_cast<void>(b.connection.send("x")), b.h.eof(); },
      [](Bench& b) { b.h.eof(); },
      [](Bench& b) { b.connection.pause_input(true); },
  };
  for (const Role role : both_roles) {
    for (const Steps& steps : states) {
      Bench bench(role);
      steps(bench);
      bench.h.abort(errc::transport_error);
      bench.h.abort(errc::transport_error);
      EXPECT_EQ(bench.h.events.count(EventKind::closed), 1u);
      EXPECT_EQ(bench.connection.transport_action(), TransportAction::close);
      EXPECT_EQ(bench.connection.output_size(), 0u);
      EXPECT_EQ(bench.pool.live(), 0u);
    }
  }
}

// C12: invalid text fails as soon as it can be known, in every fragment and at every cut.
TEST(AttacksControl, C12InvalidText) {
  for (const Role role : both_roles) {
    for (const char* bad :
         {"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF4\x90\x80\x80",
          "\xF8\x88\x80\x80\x80", "\xFC", "\xFE", "\xFF", "\x80", "\xE2\x28\xA1"}) {
      for (std::size_t fragment = 0; fragment < 4; ++fragment) {
        Peer peer(role);
        Data stream;
        for (std::size_t i = 0; i < 4; ++i) {
          const std::string text = "\xCE\xBA\xE1\xBD\xB9" + std::string(i == fragment ? bad : "");
          stream = stream + (i == 0 ? peer.text(text, false) : peer.continuation(text, i == 3));
        }
        expect_as_model(role, stream);
        EXPECT_NE(model_transcript_of(role, stream).find("utf8_invalid\n> close 1007"), std::string::npos);
      }
    }
  }
}

// At once means: with the first impossible byte, although the frame goes on for a megabyte.
TEST(AttacksControl, C12FailsBeforeTheFrameIsThere) {
  for (const Role role : both_roles) {
    Bench bench(role);
    Frame frame;
    frame.payload = bytes_of("good\xFF");
    frame.announced = 1 << 20;
    const Data stream = bench.peer.frame(frame);
    bench.h.feed(Data(stream.begin(), stream.end() - 1));
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
    bench.h.feed({stream.back()});
    EXPECT_EQ(bench.connection.close_status().cause, errc::utf8_invalid);
  }
}

// C14: connected, and never a message.
TEST(AttacksControl, C14NeverAMessage) {
  Bench bench(Role::server, [](Config& config) { config.timeouts.first_message = seconds(5); });
  for (int i = 0; i < 5; ++i) {
    bench.h.feed(bench.peer.ping() + bench.peer.pong());
    bench.h.advance(seconds(1));
  }
  EXPECT_EQ(bench.connection.close_status().cause, errc::first_message_timeout);
  EXPECT_EQ(bench.h.sent_lines().back(), "close 1008");
}

// M2: what an attacker makes a client send never stands on the wire as it is.
TEST(AttacksControl, M2ChosenTextIsNeverVerbatimOnTheWire) {
  const std::string chosen = "GET /evil HTTP/1.1\r\nHost: victim\r\n\r\n";
  SeededEntropy entropy(5);
  Bench bench(Role::client, [&](Config& config) { config.entropy = &entropy; });
  Data lent = bytes_of(chosen);
  ASSERT_FALSE(bench.connection.send(chosen));
  ASSERT_FALSE(bench.connection.send_part(MessageType::text, as_bytes(chosen), false));
  ASSERT_FALSE(bench.connection.send_part(MessageType::text, as_bytes(chosen), true));
  ASSERT_FALSE(bench.connection.send_borrowed(MessageType::text, std::as_writable_bytes(std::span(lent)), 1));
  ASSERT_FALSE(bench.connection.ping(as_bytes(chosen)));
  ASSERT_FALSE(bench.connection.pong(as_bytes(chosen)));
  bench.h.feed(bench.peer.ping(chosen));
  ASSERT_FALSE(bench.connection.close(CloseCode::normal, chosen));
  bench.h.settle();
  EXPECT_EQ(bench.h.sent().size(), 8u);
  EXPECT_EQ(string_of(bench.h.output).find(chosen.substr(0, 8)), std::string::npos);
  for (const Frame& frame : bench.h.sent()) EXPECT_NE(frame.key.value_or(0), 0u);
}

// M3: no byte of the output is left over from what a block held before.
TEST(AttacksControl, M3EveryOutputByteIsOurs) {
  for (const Role role : both_roles) {
    Data outputs[2];
    for (int run = 0; run < 2; ++run) {
      Bench bench(role, {}, 1024);
      bench.pool.set_rubbish(run == 0 ? 0x00 : 0xFF);
      for (const std::size_t size : {0u, 1u, 125u, 126u, 1000u, 3000u}) {
        ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(noise(size, 1))));
        ASSERT_FALSE(bench.connection.send_part(MessageType::text, {}, false));
        ASSERT_FALSE(bench.connection.send_part(MessageType::text, view_of(noise(size, 2)), true));
        bench.h.feed_bytewise(bench.peer.ping(std::string(size % 126, 'p')));
      }
      ASSERT_FALSE(bench.connection.ping());
      ASSERT_FALSE(bench.connection.close(CloseCode::normal, "why"));
      bench.h.settle();
      outputs[run] = bench.h.output;
    }
    EXPECT_EQ(outputs[0], outputs[1]);
  }
}

// M4: what gather() has given out stays as it is, and its blocks stay ours, until consume() has passed
// it: a transport may still be reading it, whatever arrives or is sent meanwhile.
TEST(AttacksControl, M4OfferedOutputStaysUntilItIsConsumed) {
  for (const Role role : both_roles) {
    Bench bench(
        role, [](Config& config) { config.limits.pong_bytes_max = 15; }, 1024);
    bench.h.draining = false;
    Data lent = noise(300, 3);
    ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(noise(2500, 1))));
    ASSERT_FALSE(
        bench.connection.send_borrowed(MessageType::binary, std::as_writable_bytes(std::span(lent)), 7));
    bench.h.feed(bench.peer.ping("first"));
    IoSlice slices[16];
    const std::size_t count = bench.connection.gather(slices);
    const auto bytes_now = [&] {
      Data bytes;
      for (std::size_t i = 0; i < count; ++i) {
        const auto* const base = static_cast<const std::uint8_t*>(slices[i].base);
        bytes.insert(bytes.end(), base, base + slices[i].size);
      }
      return bytes;
    };
    const Data offered = bytes_now();
    ASSERT_EQ(offered.size(), bench.connection.output_size());
    for (int i = 0; i < 50; ++i) bench.h.feed(bench.peer.ping("flood " + std::to_string(i)));
    EXPECT_EQ(bytes_now(), offered);
    ASSERT_FALSE(bench.connection.send(MessageType::text, view_of(Data(3000, 't'))));
    ASSERT_FALSE(bench.connection.close(CloseCode::normal, "bye"));
    bench.h.settle();
    EXPECT_EQ(bytes_now(), offered);
    // Half of it is taken: the other half is still as it was, and is offered again.
    const std::size_t half = offered.size() / 2;
    bench.connection.consume(half, bench.h.now);
    bench.h.pump();
    IoSlice again[16];
    ASSERT_NE(bench.connection.gather(again), 0u);
    EXPECT_EQ(*static_cast<const std::uint8_t*>(again[0].base), offered[half]);
    bench.h.draining = true;
    bench.h.settle();
    EXPECT_EQ(bench.pool.live(), 0u);
  }
}

}  // namespace
}  // namespace sansock::testing

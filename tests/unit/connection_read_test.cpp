// Frames in.
#include "bench.h"

namespace sansock::testing {
namespace {

std::string closed_eof = "closed unclean 1006 eof\n";

// The examples of RFC 6455 section 5.7, byte for byte.
TEST(ConnectionRead, Rfc6455Examples) {
  expect_every_split(Role::client, from_hex("81 05 48 65 6c 6c 6f"), "text \"Hello\"\n" + closed_eof);
  expect_every_split(Role::server, from_hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"),
                     "text \"Hello\"\n" + closed_eof);
  expect_every_split(Role::client, from_hex("01 03 48 65 6c 80 02 6c 6f"), "text \"Hello\"\n" + closed_eof);
  expect_every_split(Role::client, from_hex("89 05 48 65 6c 6c 6f"),
                     "ping \"Hello\"\n" + closed_eof + "> pong \"Hello\"\n");
  expect_every_split(Role::server, from_hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"),
                     "pong \"Hello\"\n" + closed_eof);
  const Data binary256 = noise(256, 1);
  expect_every_split(Role::client, from_hex("82 7e 01 00") + binary256,
                     "binary " + quote(binary256) + "\n" + closed_eof);
  const Data binary64k = noise(65536, 2);
  expect_every_split(Role::client, from_hex("82 7f 00 00 00 00 00 01 00 00") + binary64k,
                     "binary " + quote(binary64k) + "\n" + closed_eof);
}

TEST(ConnectionRead, EveryLengthForm) {
  for (const Role role : both_roles) {
    for (const std::size_t size :
         {0u, 1u, 2u, 3u, 124u, 125u, 126u, 127u, 128u, 1000u, 65534u, 65535u, 65536u, 65537u}) {
      Peer peer(role);
      const Data payload = noise(size, static_cast<std::uint32_t>(size));
      expect_every_split(role, peer.binary(payload) + peer.text("next"),
                         "binary " + quote(payload) + "\ntext \"next\"\n" + closed_eof);
    }
  }
}

TEST(ConnectionRead, WholeMessageIsOneEventInPlace) {
  for (const Role role : both_roles) {
    Bench bench(role);
    const Data stream = bench.peer.text("hello") + bench.peer.binary({1, 2, 3});
    GuardBuffer& guard = shared_guard_buffer();
    const Bytes input = guard.put_last(stream);
    bench.connection.feed(input, harness_start);
    const Event first = bench.connection.poll();
    EXPECT_EQ(first.kind, EventKind::data);
    EXPECT_TRUE(first.begin && first.end);
    EXPECT_EQ(first.text(), "hello");
    EXPECT_TRUE(first.bytes.data() > input.data() && first.bytes.data() + 5 <= input.data() + input.size());
    const Event second = bench.connection.poll();
    EXPECT_EQ(second.type, MessageType::binary);
    EXPECT_EQ(bytes_of(second.bytes), (Data{1, 2, 3}));
    EXPECT_FALSE(bench.connection.poll());
    EXPECT_EQ(bench.pool.asked(), 0u) << "reading data needs no block";
  }
}

// Messages that are read at once and those that are put together from pieces go different ways; where they
// stand in the input, what follows and what is wrong with them must make no difference.
TEST(ConnectionRead, WholeMessagesReadAsThoseInPieces) {
  const std::string_view ends[] = {"",     "a",    "\xC3\xA4",     "\xF0\x9F\x98\x80",
                                   "\xFF", "\xC3", "\xED\xA0\x80", "\xE2\x82"};
  for (const Role role : both_roles) {
    for (std::size_t size = 0; size < 140; ++size) {
      for (const std::string_view end : ends) {
        for (const std::size_t behind : {0, 3, 20}) {
          std::string text(size, 'x');
          text += end;
          text.append(behind, 'y');
          Peer peer(role);
          const Data stream = peer.text("before") + peer.text(text) + peer.text("after");
          Bench whole(role);
          whole.h.feed(stream);
          whole.h.eof();
          Bench cut(role);
          cut.h.feed_cut(stream, every_byte(stream));
          cut.h.eof();
          ASSERT_EQ(whole.h.transcript(), cut.h.transcript()) << text;
          ASSERT_EQ(whole.h.transcript(), model_transcript_of(role, stream)) << text;
        }
      }
    }
  }
}

TEST(ConnectionRead, RunsFollowTheReads) {
  Bench bench(Role::server);
  const Data frame = bench.peer.text("abcdef");
  std::vector<std::string> runs;
  bench.h.handler = [&](const Event& event) {
    runs.push_back(std::string(event.begin ? "[" : "") + std::string(event.text()) + (event.end ? "]" : ""));
  };
  bench.h.feed_cut(frame, {8, 9});
  EXPECT_EQ(runs, (std::vector<std::string>{"[ab", "c", "def]"}));
}

TEST(ConnectionRead, FragmentsWithControlFramesBetween) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const Data stream = peer.text("one ", false) + peer.ping("p1") + peer.continuation("two ", false) +
                        peer.continuation("", false) + peer.pong("q") + peer.continuation("three") +
                        peer.binary({}, false) + peer.continuation("");
    expect_every_split(role, stream,
                       "text \"one \"...\nping \"p1\"\ntext ...\"two \"...\npong \"q\"\ntext ...\"three\"\n"
                       "binary \"\"\n" +
                           closed_eof + "> pong \"p1\"\n");
  }
}

TEST(ConnectionRead, EmptyMessages) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const Data stream = peer.text("") + peer.binary({}) + peer.text("", false) +
                        peer.continuation("", false) + peer.continuation("") + peer.text("", false) +
                        peer.continuation("x");
    expect_every_split(role, stream, "text \"\"\nbinary \"\"\ntext \"\"\ntext \"x\"\n" + closed_eof);
  }
}

// The first run of a message says so, also when an empty fragment came before it.
TEST(ConnectionRead, EmptyFirstFragmentDoesNotEatTheBeginning) {
  Bench bench(Role::server);
  std::vector<bool> begins;
  bench.h.handler = [&](const Event& event) { begins.push_back(event.begin); };
  bench.h.feed_bytewise(bench.peer.text("", false) + bench.peer.continuation("ab", false) +
                        bench.peer.continuation("c"));
  EXPECT_EQ(begins, (std::vector<bool>{true, false, false}));
}

TEST(ConnectionRead, CharactersCutByFragmentsAndReads) {
  const std::string text = "h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xEF\xBF\xBF \xF4\x8F\xBF\xBF";
  for (const Role role : both_roles) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      Peer peer(role);
      const Data stream =
          peer.text(text.substr(0, cut), false) + peer.ping() + peer.continuation(text.substr(cut));
      expect_as_model(role, stream);
    }
    Peer peer(role);
    Data single = peer.text("", false);
    for (const char c : text) single = single + peer.continuation(std::string_view(&c, 1), false);
    expect_every_split(role, single + peer.continuation(""), "text " + quote(text) + "\n" + closed_eof);
  }
}

TEST(ConnectionRead, BinaryIsNotValidated) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const Data rubbish = from_hex("ff c0 80 ed a0 80 f5");
    expect_every_split(role, peer.binary(rubbish), "binary " + quote(rubbish) + "\n" + closed_eof);
  }
}

TEST(ConnectionRead, TextUncheckedOnRequest) {
  const Tweak unchecked = [](Config& config) { config.check_received_text = false; };
  for (const Role role : both_roles) {
    Peer peer(role);
    const Data stream = peer.text("\xFF", false) + peer.continuation("\xC3") + peer.close(1000, "\xFF");
    expect_every_split(role, stream,
                       "text \"\\xFF\\xC3\"\npeer_close 1000 \"\\xFF\"\nclosed clean 1000\n> close 1000\n",
                       unchecked);
  }
}

TEST(ConnectionRead, LongerLengthFormsOnRequest) {
  const Tweak lenient = [](Config& config) { config.lengths_lenient = true; };
  for (const Role role : both_roles) {
    for (const LengthForm form : {LengthForm::bits16, LengthForm::bits64}) {
      for (const char* payload : {"", "hello"}) {
        Peer peer(role);
        Frame frame;
        frame.form = form;
        frame.payload = bytes_of(payload);
        const Data stream = peer.frame(frame) + peer.text("next");
        expect_every_split(role, stream, "text " + quote(payload) + "\ntext \"next\"\n" + closed_eof,
                           lenient);
      }
    }
  }
}

// Trap: the mask goes on where it stood, whatever the length of the reads.
TEST(ConnectionRead, TrapMaskPhaseAfterAnOddRead) {
  const Data payload = noise(301, 9);
  for (std::size_t step = 1; step < 24; ++step) {
    for (std::size_t first = 0; first < 9; ++first) {
      Bench bench(Role::server);
      const Data frame = bench.peer.binary(payload) + bench.peer.text("after");
      std::vector<std::size_t> cuts;
      for (std::size_t cut = 8 + first; cut < frame.size(); cut += step) cuts.push_back(cut);
      bench.h.feed_cut(frame, cuts);
      ASSERT_EQ(bench.h.events.messages(), (std::vector<Data>{payload, bytes_of("after")}))
          << step << " " << first;
    }
  }
}

// Trap: unmasking or validating a payload writes nothing into the header behind it. All in one read,
// with payloads of every length, so that each remainder of a vectorized loop occurs.
TEST(ConnectionRead, TrapTailBytesPastThePayload) {
  for (const Role role : both_roles) {
    for (std::size_t size = 0; size < 80; ++size) {
      Bench bench(role);
      const Data payload = noise(size, 5);
      const std::string text(size, 'a');
      Data stream;
      for (int i = 0; i < 3; ++i)
        stream = stream + bench.peer.binary(payload) + bench.peer.text(text) + bench.peer.text("");
      bench.h.feed(stream);
      ASSERT_EQ(bench.h.events.messages().size(), 9u) << size;
      for (std::size_t i = 0; i < 9; i += 3) {
        EXPECT_EQ(bench.h.events.messages()[i], payload);
        EXPECT_EQ(bench.h.events.messages()[i + 1], bytes_of(text));
      }
    }
  }
}

// --- pausing --------------------------------------------------------------------------------------

// Trap: bytes that were unmasked already are not unmasked again when the rest of a read is handed
// back and fed again. Pausing after each event, at each cut.
TEST(ConnectionRead, TrapTransformedBytesFedAgain) {
  for (const Role role : both_roles) {
    Peer sample(role);
    const auto stream_of = [](Peer& peer) {
      return peer.text("one ", false) + peer.ping("p") + peer.continuation("two") +
             peer.binary(noise(40, 4)) + peer.text("\xE2\x82\xAC") + peer.text("") + peer.close(1001, "bye");
    };
    const std::size_t size = stream_of(sample).size();
    std::string expected = model_transcript_of(role, [&] {
      Peer peer(role);
      return stream_of(peer);
    }());
    for (std::size_t cut = 0; cut < size; ++cut) {
      Bench bench(role);
      int pauses = 0;
      bench.h.handler = [&](const Event& event) {
        if (event.kind != EventKind::closed) bench.connection.pause_input(true), ++pauses;
      };
      const Data stream = stream_of(bench.peer);
      bench.h.feed_cut(stream, {cut});
      while (bench.connection.input_paused()) bench.h.resume();
      bench.h.eof();
      ASSERT_EQ(bench.h.transcript(), expected) << "cut " << cut;
      ASSERT_GE(pauses, 5);
    }
  }
}

// The part of a text in front of an impossible byte is given, then we pause: what comes back must
// still be as it was received, and fail at the same byte.
TEST(ConnectionRead, TrapBadTextFedAgainAfterAPause) {
  for (const Role role : both_roles) {
    for (const char* tail : {"\xFFrest", "\xC3(", "\xE2\x82"}) {
      for (const std::string& text : {std::string("good"), std::string(33, 'x')}) {
        Bench bench(role);
        bench.h.handler = [&](const Event& event) {
          if (event.kind == EventKind::data) bench.connection.pause_input(true);
        };
        bench.h.feed(bench.peer.text(text + tail) + bench.peer.text("never"));
        ASSERT_TRUE(bench.connection.input_paused());
        EXPECT_EQ(bench.connection.state(), ReadyState::open);
        while (bench.connection.input_paused()) bench.h.resume();
        bench.h.eof();
        EXPECT_EQ(bench.h.transcript(), model_transcript_of(role, [&] {
                    Peer peer(role);
                    return peer.text(text + tail) + peer.text("never");
                  }()));
      }
    }
  }
}

TEST(ConnectionRead, PausedGivesNoEventsAndKeepsTheTail) {
  Bench bench(Role::server);
  bench.connection.pause_input(true);
  EXPECT_TRUE(bench.connection.input_paused());
  EXPECT_FALSE(bench.connection.wants_input());
  const Data frame = bench.peer.text("later");
  Data input = frame;
  bench.connection.feed(std::as_writable_bytes(std::span(input)), harness_start);
  EXPECT_FALSE(bench.connection.poll());
  EXPECT_EQ(bytes_of(bench.connection.detach_input()), frame) << "not looked at means unchanged";
  EXPECT_FALSE(bench.connection.poll());
  bench.connection.pause_input(false);
  EXPECT_FALSE(bench.connection.poll());
  bench.h.feed(frame);
  EXPECT_EQ(bench.h.events.text(), "text \"later\"\n");
}

TEST(ConnectionRead, DetachIsEmptyUnlessPaused) {
  Bench bench(Role::server);
  EXPECT_TRUE(bench.connection.detach_input().empty());
  bench.h.feed(bench.peer.text("x"));
  EXPECT_TRUE(bench.connection.detach_input().empty());
}

TEST(ConnectionRead, EmptyInputIsNothing) {
  Bench bench(Role::server);
  bench.connection.feed({}, harness_start);
  EXPECT_FALSE(bench.connection.poll());
  EXPECT_EQ(bench.connection.state(), ReadyState::open);
}

// --- limits ---------------------------------------------------------------------------------------

TEST(ConnectionRead, LimitsAreExact) {
  const Tweak small = [](Config& config) {
    config.limits.frame_payload_max = 60;
    config.limits.message_payload_max = 100;
    config.limits.message_fragments_max = 4;
    config.limits.message_fragments_empty_max = 2;
  };
  for (const Role role : both_roles) {
    Peer p(role);
    const std::string s60(60, 'a'), s40(40, 'b'), s41(41, 'c');
    const auto fails = [&](const Data& stream, const std::string& error) {
      expect_as_model(role, stream, small);
      EXPECT_NE(transcript_of(role, stream, {}, small).find(error + "\n"), std::string::npos)
          << error << "\n"
          << transcript_of(role, stream, {}, small);
    };
    fails(p.text(s60), "1006 eof");
    fails(p.text(s60 + "x"), "frame_too_big");
    fails(p.text(s60, false) + p.continuation(s40), "1006 eof");
    fails(p.text(s60, false) + p.continuation(s41), "message_too_big");
    fails(p.text(s60, false) + p.continuation(s40, false) + p.continuation(""), "1006 eof");
    fails(p.text(s60, false) + p.continuation(s40, false) + p.continuation("x"), "message_too_big");
    fails(p.text("1", false) + p.continuation("2", false) + p.continuation("3", false) + p.continuation("4"),
          "1006 eof");
    fails(p.text("1", false) + p.continuation("2", false) + p.continuation("3", false) +
              p.continuation("4", false) + p.continuation("5"),
          "fragments_too_many");
    fails(p.text("", false) + p.continuation("", false) + p.continuation("1"), "1006 eof");
    fails(p.text("", false) + p.continuation("", false) + p.continuation(""), "fragments_empty_too_many");
    fails(p.text("1", false) + p.continuation("", false) + p.continuation("", false) + p.continuation(""),
          "fragments_empty_too_many");
  }
}

TEST(ConnectionRead, ControlFramesDoNotCountAsFragments) {
  const Tweak two = [](Config& config) { config.limits.message_fragments_max = 2; };
  for (const Role role : both_roles) {
    Peer peer(role);
    Data stream = peer.text("a", false);
    for (int i = 0; i < 20; ++i) stream = stream + peer.ping() + peer.pong();
    expect_as_model(role, stream + peer.continuation("b"), two);
  }
}

}  // namespace
}  // namespace sansock::testing

// Compressed messages in and out, with a codec that can be read.
#include "bench.h"
#include "toy_codec.h"

namespace sansock::testing {
namespace {

const std::string closed_eof = "closed unclean 1006 eof\n";

// One connection that has agreed on compression.
class DeflateBench {
 public:
  explicit DeflateBench(Role role, const Tweak& tweak = {}, const DeflateParameters& agreed = {})
      : config(make_config(pool, entropy, &codec, tweak)),
        connection(role, config, *codec.open(role, agreed, config.deflate), agreed),
        h(connection),
        peer(role) {}

  Data compressed(std::string_view text, unsigned opcode = op_text,
                  std::uint8_t context = ToyCodec::no_context) {
    return peer.frame({.rsv = 4, .opcode = opcode, .payload = ToyCodec::message(text, context)});
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const Data& message : h.events.messages()) all.push_back(string_of(message));
    return all;
  }

  TestPool pool{4096};
  ConstantEntropy entropy{0x37FA213D};
  ToyCodec codec;
  Config config;
  Connection connection;
  ConnectionHarness h;
  Peer peer;
};

std::string transcript_cut(Role role, const Data& stream, const std::vector<std::size_t>& cuts,
                           std::size_t run_max, const Tweak& tweak) {
  DeflateBench bench(role, tweak);
  bench.codec.run_max = run_max;
  bench.h.feed_cut(stream, cuts);
  if (!bench.h.closed()) bench.h.eof();
  EXPECT_FALSE(bench.codec.holds()) << "after poll() gave none";
  if (bench.h.closed()) {
    EXPECT_EQ(bench.codec.streams(), 0u) << "a stream outlives its connection";
  }
  return bench.h.transcript();
}

// Whole, byte by byte and at every two-way cut, with runs of several sizes.
void expect_any_way(Role role, const Data& stream, const std::string& expected, const Tweak& tweak = {}) {
  for (const std::size_t run_max : {1u, 2u, 7u, 1000u}) {
    EXPECT_EQ(transcript_cut(role, stream, {}, run_max, tweak), expected) << role_name(role) << run_max;
    EXPECT_EQ(transcript_cut(role, stream, every_byte(stream), run_max, tweak), expected) << run_max;
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
      ASSERT_EQ(transcript_cut(role, stream, {cut}, run_max, tweak), expected) << run_max << " " << cut;
    }
  }
}

std::string failed(CloseCode code, errc cause) {
  return "closed unclean 1006 " + std::string(name(cause)) + "\n> close " +
         std::to_string(static_cast<unsigned>(code)) + "\n";
}

// --- in -------------------------------------------------------------------------------------------

TEST(ConnectionDeflate, CompressedAndPlainMessagesTakeTurns) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const Data stream = peer.frame({.rsv = 4, .opcode = op_text, .payload = ToyCodec::message("aaaaabbbc")}) +
                        peer.text("plain") +
                        peer.frame({.rsv = 4, .opcode = op_binary, .payload = ToyCodec::message("", 9)}) +
                        peer.frame({.rsv = 4, .opcode = op_text, .payload = ToyCodec::message("xyz", 9)}) +
                        peer.binary({1});
    expect_any_way(
        role, stream,
        "text \"aaaaabbbc\"\ntext \"plain\"\nbinary \"\"\ntext \"xyz\"\nbinary \"\\x01\"\n" + closed_eof);
  }
}

TEST(ConnectionDeflate, FragmentsOfAnySizeWithControlFramesBetween) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const Data message = ToyCodec::message("aaabbbbbbbbbbbbc");
    Data stream;
    for (std::size_t i = 0; i < message.size(); ++i) {
      const bool first = i == 0;
      stream = stream + peer.frame({.fin = false,
                                    .rsv = first ? 4u : 0u,
                                    .opcode = first ? op_text : op_continuation,
                                    .payload = {message[i]}});
      stream = stream + peer.continuation("", false);
      if (i % 3 == 1) stream = stream + peer.ping("p");
    }
    stream = stream + peer.continuation("") + peer.text("next");
    DeflateBench bench(role);
    bench.h.feed(stream);
    EXPECT_EQ(bench.texts(), (std::vector<std::string>{"aaabbbbbbbbbbbbc", "next"}));
    DeflateBench bytewise(role);
    bytewise.h.feed_bytewise(stream);
    EXPECT_EQ(bytewise.h.transcript(), bench.h.transcript());
  }
}

TEST(ConnectionDeflate, AMessageLargerThanAPieceComesInRuns) {
  for (const Role role : both_roles) {
    DeflateBench bench(role);
    bench.codec.run_max = 1000;
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += static_cast<char>('a' + i % 23);
    std::size_t runs = 0;
    bench.h.handler = [&](const Event& event) {
      if (event.kind != EventKind::data) return;
      ++runs;
      EXPECT_LE(event.bytes.size(), 1000u);
    };
    bench.h.feed(bench.compressed(text));
    EXPECT_EQ(bench.texts(), std::vector<std::string>{text});
    EXPECT_GE(runs, 100u);
  }
}

// RFC 7692 section 6: only the first frame of a message has RSV1, and only where it was agreed on.
TEST(ConnectionDeflate, Rsv1StandsOnTheFirstFrameOnly) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const Data first =
        peer.frame({.fin = false, .rsv = 4, .opcode = op_text, .payload = {ToyCodec::no_context, 1, 'x'}});
    const std::string end = failed(CloseCode::protocol_error, errc::rsv1_unexpected);
    expect_any_way(role, first + peer.frame({.rsv = 4, .opcode = op_continuation, .payload = {0}}),
                   "text \"x\"...\n" + end);
    for (const unsigned opcode : {op_ping, op_pong, op_close}) {
      expect_any_way(role, peer.frame({.rsv = 4, .opcode = opcode}), end);
    }
    for (const unsigned rsv : {1u, 2u, 3u, 5u, 6u, 7u}) {
      expect_any_way(role, peer.frame({.rsv = rsv, .opcode = op_text}),
                     failed(CloseCode::protocol_error, errc::rsv23_unexpected));
    }
    expect_every_split(role, peer.frame({.rsv = 4, .opcode = op_text}), end);  // without
  }
}

TEST(ConnectionDeflate, BadDataEndsItAfterWhatWasGood) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const auto frame = [&](Data payload) {
      return peer.frame({.rsv = 4, .opcode = op_binary, .payload = std::move(payload)});
    };
    const std::string invalid = failed(CloseCode::invalid_payload, errc::compressed_data_invalid);
    const std::string truncated = failed(CloseCode::invalid_payload, errc::compressed_data_truncated);
    expect_any_way(role, frame({ToyCodec::no_context, 3, 'a', 0, 1}), "binary \"aaa\"...\n" + invalid);
    expect_any_way(role, frame({7}), invalid);  // another context
    expect_any_way(role, frame({}), truncated);
    expect_any_way(role, frame({ToyCodec::no_context, 9, 'a'}), "binary \"aaaaaaaaa\"...\n" + truncated);
    expect_any_way(role, frame({ToyCodec::no_context, 9}), truncated);
  }
}

TEST(ConnectionDeflate, AnExhaustedCodecEndsItWith1011) {
  for (const Role role : both_roles) {
    DeflateBench bench(role);
    bench.codec.inflate_fails = true;
    bench.h.feed(bench.compressed("aaa") + bench.peer.text("never read"));
    bench.h.eof();
    EXPECT_EQ(bench.h.transcript(), failed(CloseCode::internal_error, errc::codec_exhausted));
  }
}

TEST(ConnectionDeflate, UTF8IsCheckedBehindTheCodec) {
  for (const Role role : both_roles) {
    Peer peer(role);
    const auto text = [&](std::string_view bytes) {
      return peer.frame({.rsv = 4, .opcode = op_text, .payload = ToyCodec::message(bytes)});
    };
    const std::string end = failed(CloseCode::invalid_payload, errc::utf8_invalid);
    expect_any_way(role, text("k\xC3\xB6nnen"), "text \"k\\xC3\\xB6nnen\"\n" + closed_eof);
    expect_any_way(role,
                   text("good\xFF"
                        "behind"),
                   "text \"good\"...\n" + end);
    expect_any_way(role, text("cut\xC3"), "text \"cut\\xC3\"...\n" + end);
    expect_any_way(role, text("\xC3"), "text \"\\xC3\"...\n" + end);
  }
}

// B4: a message is too large by what it is, by what it was sent as, or by both; at the limit it is not.
TEST(ConnectionDeflate, B4_TheLimitCountsBothSizes) {
  const Tweak limit = [](Config& config) { config.limits.message_payload_max = 10; };
  for (const Role role : both_roles) {
    Peer peer(role);
    const auto frame = [&](Data payload) {
      return peer.frame({.rsv = 4, .opcode = op_binary, .payload = std::move(payload)});
    };
    const std::string end = failed(CloseCode::message_too_big, errc::message_too_big);
    const std::uint8_t none = ToyCodec::no_context;
    expect_any_way(role, frame({none, 10, 'a', 0}), "binary \"aaaaaaaaaa\"\n" + closed_eof, limit);
    expect_any_way(role, frame({none, 11, 'a', 0}), "binary \"aaaaaaaaaa\"...\n" + end, limit);
    expect_any_way(role, frame({none, 255, 'a', 255, 'b', 0}), "binary \"aaaaaaaaaa\"...\n" + end, limit);
    expect_any_way(role, frame({none, 1, 'a', 1, 'b', 1, 'c', 1, 'd', 0}), "binary \"abcd\"\n" + closed_eof,
                   limit);
    // Eleven bytes sent: refused on the header, or when the fragments add up to it.
    expect_any_way(role, frame({none, 1, 'a', 1, 'b', 1, 'c', 1, 'd', 1, 'e', 0}), end, limit);
    const Data first =
        peer.frame({.fin = false, .rsv = 4, .opcode = op_binary, .payload = {none, 1, 'a', 1, 'b'}});
    expect_any_way(role, first + peer.frame({.opcode = op_continuation, .payload = {1, 'c', 1, 'd', 1, 0}}),
                   "binary \"ab\"...\n" + end, limit);
  }
}

TEST(ConnectionDeflate, EmptyFragmentsAreLimitedToo) {
  DeflateBench bench(Role::server);
  Data stream = bench.peer.frame({.fin = false, .rsv = 4, .opcode = op_binary});
  for (int i = 0; i < 100'000; ++i) {
    const Data fragment = bench.peer.frame({.fin = false, .opcode = op_continuation});
    stream.insert(stream.end(), fragment.begin(), fragment.end());
  }
  bench.h.feed(stream);
  bench.h.eof();
  EXPECT_EQ(bench.connection.close_status().cause, errc::fragments_empty_too_many);
}

TEST(ConnectionDeflate, PausingBetweenRunsLosesNothing) {
  for (const Role role : both_roles) {
    DeflateBench bench(role);
    bench.codec.run_max = 3;
    bench.h.handler = [&](const Event& event) {
      if (event.kind == EventKind::data) bench.connection.pause_input(true);
    };
    bench.h.feed(bench.compressed("aaaaaaaaaabbbbbbbbbbcc") + bench.compressed("next", op_text, 22));
    for (int i = 0; i < 12; ++i) bench.h.resume();
    EXPECT_EQ(bench.texts(), (std::vector<std::string>{"aaaaaaaaaabbbbbbbbbbcc", "next"}));
  }
}

// The codec's memory goes with the connection, whatever ends it and wherever it stands.
TEST(ConnectionDeflate, TheStreamIsClosedOnce) {
  for (const Role role : both_roles) {
    {
      DeflateBench bench(role);
      bench.h.feed(bench.compressed("aaaaaaaaaaaaaaaaaaaaaaaaaa") + bench.peer.close(1000));
      EXPECT_EQ(bench.codec.streams(), 0u) << "nothing is read behind a Close frame";
    }
    {
      DeflateBench bench(role);
      Data cut = bench.compressed("aaaaaaaaaaa");
      cut.resize(cut.size() - 2);
      bench.h.feed(cut);
      EXPECT_EQ(bench.codec.streams(), 1u);
      bench.h.abort(errc::aborted);
      EXPECT_EQ(bench.codec.streams(), 0u);
    }
    DeflateBench bench(role);  // and its destructor
    bench.h.feed(bench.compressed("aaaaaaaaaaa"));
  }
}

// --- out ------------------------------------------------------------------------------------------

const std::string long_text(100, 'l');

TEST(ConnectionDeflate, AMessageThatShrinksIsCompressed) {
  for (const Role role : both_roles) {
    DeflateBench bench(role);
    EXPECT_FALSE(bench.connection.send(long_text));
    bench.h.settle();
    EXPECT_FALSE(bench.connection.send(MessageType::binary, as_bytes(long_text)));
    bench.h.settle();
    const std::vector<Frame> frames = bench.h.sent();
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(frames[0].rsv, 4u);
    EXPECT_EQ(frames[0].opcode, op_text);
    EXPECT_EQ(frames[0].payload, ToyCodec::message(long_text));
    EXPECT_EQ(frames[0].key.has_value(), role == Role::client);
    EXPECT_EQ(frames[1].payload, ToyCodec::message(long_text, 100)) << "it refers to the first";
  }
}

TEST(ConnectionDeflate, WhatDoesNotShrinkIsSentAsItIs) {
  DeflateBench bench(Role::server);
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>('a' + i % 20);
  EXPECT_FALSE(bench.connection.send(MessageType::text, as_bytes(text), Compression::on));
  EXPECT_FALSE(bench.connection.send(MessageType::text, {}, Compression::on));
  EXPECT_FALSE(bench.connection.send(long_text));
  bench.h.settle();
  EXPECT_EQ(bench.h.sent()[0].rsv, 0u);
  EXPECT_EQ(bench.h.sent()[1].rsv, 0u) << "empty";
  EXPECT_EQ(bench.h.sent()[2].payload, ToyCodec::message(long_text))
      << "what was not compressed is no context";
}

TEST(ConnectionDeflate, SmallMessagesAreCompressedOnRequest) {
  for (const bool takeover : {true, false}) {
    DeflateParameters agreed;
    agreed.server_no_context_takeover = !takeover;
    DeflateBench bench(
        Role::server,
        [](Config& config) {
          config.deflate.compress_threshold = 30;
          config.deflate.compress_threshold_with_context = 20;
        },
        agreed);
    for (const std::size_t size : {19u, 20u, 29u, 30u}) {
      EXPECT_FALSE(bench.connection.send(std::string(size, 's')));
    }
    EXPECT_FALSE(
        bench.connection.send(MessageType::text, as_bytes(std::string_view("ssssss")), Compression::on));
    EXPECT_FALSE(bench.connection.send(MessageType::text, as_bytes(long_text), Compression::off));
    bench.h.settle();
    std::vector<bool> compressed;
    for (const Frame& frame : bench.h.sent()) compressed.push_back(frame.rsv == 4);
    EXPECT_EQ(compressed, (std::vector<bool>{false, takeover, takeover, true, true, false}));
  }
}

TEST(ConnectionDeflate, PartsOfAMessageAreCompressedAsTheyGo) {
  for (const Role role : both_roles) {
    DeflateBench bench(role);
    const auto part = [&](std::string_view text, bool end) {
      EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes(text), end, Compression::on));
      EXPECT_FALSE(end ? std::error_code{} : bench.connection.ping());
    };
    part("aaa", false);
    part("", false);
    part("xyz", false);  // does not shrink
    part("", true);
    EXPECT_FALSE(bench.connection.send(long_text));
    bench.h.settle();
    Data payload;
    std::vector<unsigned> rsv;
    std::vector<Data> messages;
    for (const Frame& frame : bench.h.sent()) {
      if (frame.opcode == op_ping) continue;
      rsv.push_back(frame.rsv);
      payload = payload + frame.payload;
      if (frame.fin) messages.push_back(std::exchange(payload, {}));
    }
    EXPECT_EQ(rsv, (std::vector<unsigned>{4, 0, 0, 0, 4}));
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0], ToyCodec::message("aaaxyz"));
    EXPECT_EQ(messages[1], ToyCodec::message(long_text, 6));
  }
}

TEST(ConnectionDeflate, TheFirstPartDecides) {
  DeflateBench bench(Role::server);
  EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes(std::string_view("small")), false));
  EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes(long_text), true, Compression::on));
  bench.h.settle();
  for (const Frame& frame : bench.h.sent()) EXPECT_EQ(frame.rsv, 0u);
}

// Z13: what was compressed and could not be queued is not part of the context.
TEST(ConnectionDeflate, Z13_AFailedSendLeavesTheContext) {
  for (const Role role : both_roles) {
    DeflateBench bench(role);
    bench.h.draining = false;
    bench.pool.fail_from(1);
    EXPECT_EQ(bench.connection.send(long_text), errc::blocks_exhausted);
    EXPECT_EQ(bench.connection.send_part(MessageType::text, as_bytes(long_text), false),
              errc::blocks_exhausted);
    bench.pool.fail_never();
    EXPECT_FALSE(bench.connection.send(long_text));
    bench.pool.fail_from(1);
    const std::string larger(100'000, 'm');
    std::string noisy;
    for (int i = 0; i < 20'000; ++i) noisy += static_cast<char>('a' + i % 7);
    EXPECT_EQ(bench.connection.send_part(MessageType::text, as_bytes(noisy), false, Compression::on),
              errc::blocks_exhausted);
    bench.pool.fail_never();
    EXPECT_FALSE(bench.connection.send(larger));
    bench.h.drain();
    ASSERT_EQ(bench.h.sent().size(), 2u);
    EXPECT_EQ(bench.h.sent()[1].payload, ToyCodec::message(larger, 100));
  }
}

TEST(ConnectionDeflate, ACodecWithoutMemoryLetsMessagesGoPlain) {
  DeflateBench bench(Role::server);
  EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes(long_text), false));
  bench.codec.deflate_fails = true;
  EXPECT_EQ(bench.connection.send_part(MessageType::text, as_bytes(long_text), true), errc::codec_exhausted);
  bench.codec.deflate_fails = false;
  EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes(long_text), true));
  bench.codec.deflate_fails = true;
  EXPECT_FALSE(bench.connection.send(long_text));
  bench.h.settle();
  ASSERT_EQ(bench.h.sent().size(), 3u);
  EXPECT_EQ(bench.h.sent()[2].rsv, 0u);
  EXPECT_EQ(bench.h.sent()[2].payload, bytes_of(long_text));
}

// A frame for many connections: compressed once, by nobody's context.
TEST(ConnectionDeflate, SharedFramesAreSentWhereTheirWindowWasAgreedOn) {
  Peer encoder(Role::client);  // writes as a server does
  const Data frame = encoder.frame({.rsv = 4, .opcode = op_text, .payload = ToyCodec::message("shared")});
  SharedFrame shared;
  shared.destroy = [](SharedFrame*) noexcept {};
  shared.bytes = view_of(frame);
  shared.deflate_window_bits = 12;
  DeflateBench bench(Role::server);
  EXPECT_FALSE(bench.connection.send(long_text));
  EXPECT_FALSE(bench.connection.send_shared(shared));
  EXPECT_FALSE(bench.connection.send(long_text));
  EXPECT_FALSE(bench.connection.send_part(MessageType::text, as_bytes(long_text), false));
  EXPECT_EQ(bench.connection.send_shared(shared), errc::message_unfinished);
  bench.h.settle();
  const std::vector<Frame> sent = bench.h.sent();
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(sent[1].payload, ToyCodec::message("shared"));
  EXPECT_EQ(sent[2].payload, ToyCodec::message(long_text)) << "it refers to nothing";

  DeflateParameters small;
  small.server_window_bits = 11;
  DeflateBench other(Role::server, {}, small);
  EXPECT_EQ(other.connection.send_shared(shared), errc::compression_not_agreed);
  Bench plain(Role::server);
  EXPECT_EQ(plain.connection.send_shared(shared), errc::compression_not_agreed);
  EXPECT_EQ(plain.connection.output_size(), 0u);
}

// Two connections, any order of messages: whoever compresses and whoever decompresses have one context.
TEST(ConnectionDeflate, BothSidesKeepOneContext) {
  DeflateBench server(Role::server);
  DeflateBench client(Role::client);
  std::size_t taken[2] = {0, 0};
  const auto exchange = [&] {
    server.h.settle();
    client.h.settle();
    const Data to_client(server.h.output.begin() + static_cast<std::ptrdiff_t>(taken[0]),
                         server.h.output.end());
    const Data to_server(client.h.output.begin() + static_cast<std::ptrdiff_t>(taken[1]),
                         client.h.output.end());
    taken[0] = server.h.output.size();
    taken[1] = client.h.output.size();
    client.h.feed(to_client);
    server.h.feed_bytewise(to_server);
  };
  std::vector<std::string> sent[2];
  for (unsigned i = 0; i < 200; ++i) {
    DeflateBench& from = i % 3 == 0 ? client : server;
    const std::string text(i * 7 % 400, static_cast<char>('a' + i % 26));
    EXPECT_FALSE(from.connection.send(text));
    sent[i % 3 == 0 ? 1 : 0].push_back(text);
    if (i % 5 == 0) exchange();
  }
  exchange();
  EXPECT_EQ(client.texts(), sent[0]);
  EXPECT_EQ(server.texts(), sent[1]);
}

}  // namespace
}  // namespace sansock::testing

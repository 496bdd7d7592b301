// Attacks with compressed messages on a connection with the real codec: rows Z1 to Z9, Z11, Z13, Z15 and B4
// of the list of bad inputs. For each: how the connection ends, that the codec's memory stays bounded, and
// that another connection on the same codec does not notice. What the codec itself makes of such data is
// tested in tests/deflate.
#include <functional>

#include "codec_calls.h"
#include "compressed_bench.h"
#include "slow_inflate.h"
#include "zlib_peer.h"

namespace sansock::testing {
namespace {

const Data hello = bytes_of("Hello");
const Data hello_sent = from_hex("f2 48 cd c9 c9 07 00");
const Data hello_again = from_hex("f2 00 11 00 00");  // RFC 7692 section 7.2.3.2: refers to the first

Data repeated(const Data& data, std::size_t times) {
  Data all;
  for (std::size_t i = 0; i < times; ++i) all.insert(all.end(), data.begin(), data.end());
  return all;
}

// Blocks that make 1 MiB of about 1 KiB, and refer to nothing before them.
const Data& mebibyte_of_zeros() {
  static const Data blocks = [] {
    ZlibSender sender(15, true, 9);
    return sender.run(Data(1 << 20, 0), Z_FULL_FLUSH);
  }();
  return blocks;
}

// A message that makes that many MiB.
Data bomb(std::size_t mebibytes) { return repeated(mebibyte_of_zeros(), mebibytes) + Data{0x00}; }

// --- Z1, B4: too much -------------------------------------------------------------------------------

TEST(AttacksCompressed, Z1_ABombStopsAtTheLimit) {
  struct Case {
    std::size_t limit;
    std::size_t mebibytes;
  };
  // The last one is 1 GiB, of 1 MiB.
  for (const Case& c : {Case{64u << 10, 1}, {1u << 20, 512}, {16u << 20, 1024}}) {
    const Data payload = bomb(c.mebibytes);
    ASSERT_LT(payload.size(), c.limit + (payload.size() > 1u << 20 ? 16u << 20 : 0)) << "too large as it is";
    for (const Role role : both_roles) {
      for (const std::size_t fragment : {payload.size(), std::size_t{1000}}) {
        CompressedWorld world([&](Config& config) { config.limits.message_payload_max = c.limit; });
        CompressedBench bench(world, role);
        bench.feed_fragments(payload, fragment);
        EXPECT_EQ(bench.handed_out, c.limit);
        bench.expect_end(errc::message_too_big, 1009);
        EXPECT_TRUE(bench.h.events.messages().empty());
        EXPECT_LE(world.used_max, CompressedWorld::used_by_one_max);
      }
    }
  }
}

TEST(AttacksCompressed, Z1_AcrossMessagesEachHasItsOwnLimit) {
  constexpr std::size_t limit = 1 << 20;
  CompressedWorld world([](Config& config) { config.limits.message_payload_max = limit; });
  CompressedBench bench(world, Role::server);
  ZlibSender sender(15, true, 9);
  for (int i = 0; i < 50; ++i) bench.h.feed(bench.compressed(sender.message(Data(limit, 'a'))));
  EXPECT_EQ(bench.handed_out, 50 * limit);
  EXPECT_EQ(bench.h.events.messages().size(), 50u);
  bench.h.feed(bench.compressed(sender.message(Data(limit + 1, 'a'))));
  EXPECT_EQ(bench.handed_out, 51 * limit);
  bench.expect_end(errc::message_too_big, 1009);
  EXPECT_LE(world.used_max, CompressedWorld::used_by_one_max);
}

// Exactly the limit passes, and one byte more does not: by what it is, by what it was sent as, in one frame,
// in many, and however it arrives.
TEST(AttacksCompressed, B4_TheLimitCountsBothSides) {
  constexpr std::size_t limit = 1000;
  const Tweak tweak = [](Config& config) { config.limits.message_payload_max = limit; };
  ZlibSender shrinking(15, false, 9);
  ZlibSender storing(15, false, 0);
  const Data fits = shrinking.message(Data(limit, 'a'));
  const Data inflated_too_big = shrinking.message(Data(limit + 1, 'a'));
  // An empty block for the rest makes it large as it was sent only.
  const Data ten = shrinking.message(Data(10, 'a')) + from_hex("00 00 ff ff");
  const auto padded = [&](std::size_t size) {
    const Data blocks = repeated(from_hex("00 00 00 ff ff"), (size - ten.size() - 1) / 5);
    return ten + blocks + Data{0x00};
  };
  const Data stored = storing.message(noise(limit - 5, 1));
  ASSERT_EQ(stored.size(), limit + 1) << "both are close to the limit";
  struct Case {
    Data payload;
    bool good;
    std::size_t size;  // handed out
  };
  const Case cases[] = {{fits, true, limit},
                        {inflated_too_big, false, limit},
                        {padded(limit - 4), true, 10},
                        {padded(limit + 10), false, 10},
                        {stored, false, 0}};
  for (const Role role : both_roles) {
    for (const Case& c : cases) {
      for (const std::size_t fragment : {c.payload.size(), std::size_t{100}, std::size_t{1}}) {
        for (const bool bytewise : {false, true}) {
          CompressedWorld world(tweak);
          CompressedBench bench(world, role);
          bench.opcode = op_binary;
          bench.feed_fragments(c.payload, fragment, bytewise);
          if (c.good) {
            ASSERT_EQ(bench.h.events.messages().size(), 1u);
            EXPECT_EQ(bench.handed_out, c.size);
            EXPECT_EQ(bench.connection.state(), ReadyState::open);
          } else {
            EXPECT_LE(bench.handed_out, limit);
            EXPECT_TRUE(bench.h.events.messages().empty());
            bench.expect_end(errc::message_too_big, 1009);
          }
        }
      }
    }
  }
}

// --- Z2: work without a result ----------------------------------------------------------------------

TEST(AttacksCompressed, Z2_EmptyFragments) {
  for (const Role role : both_roles) {
    CompressedWorld world;
    CompressedBench bench(world, role);
    bench.h.feed(bench.compressed({}, op_text, false));
    for (int i = 0; i < 100'000 && !bench.h.closed(); ++i)
      bench.h.feed(bench.peer.frame({.fin = false, .opcode = op_continuation}));
    bench.expect_end(errc::fragments_empty_too_many, 1008);
    EXPECT_LE(world.used_max, CompressedWorld::used_by_one_max);
  }
}

TEST(AttacksCompressed, Z2_FragmentsThatMakeNothing) {
  const Data empty_block = from_hex("00 00 00 ff ff");
  for (const std::size_t count : {100'000u, 140'000u}) {
    CompressedWorld world;
    CompressedBench bench(world, Role::server);
    Data stream = bench.compressed(empty_block, op_text, false);
    for (std::size_t i = 1; i < count; ++i) {
      const Data fragment =
          bench.peer.frame({.fin = false, .opcode = op_continuation, .payload = empty_block});
      stream.insert(stream.end(), fragment.begin(), fragment.end());
    }
    bench.h.feed(stream + bench.peer.frame({.opcode = op_continuation, .payload = {0x00}}));
    EXPECT_EQ(bench.handed_out, 0u);
    EXPECT_LE(world.used_max, CompressedWorld::used_by_one_max);
    if (count == 100'000) {
      EXPECT_EQ(bench.h.events.text(), "text \"\"\n");
      EXPECT_EQ(bench.connection.state(), ReadyState::open);
    } else {
      bench.expect_end(errc::fragments_too_many, 1008);
    }
  }
  // In one frame the limit of a message bounds them.
  CompressedWorld world;
  CompressedBench bench(world, Role::server);
  bench.h.feed(bench.compressed(repeated(empty_block, 3'000'000) + Data{0x00}));
  EXPECT_EQ(bench.h.events.text(), "text \"\"\n");
  bench.h.feed(bench.compressed(repeated(empty_block, 3'400'000) + Data{0x00}));
  bench.expect_end(errc::frame_too_big, 1009);
}

// --- Z3 to Z8: data as it should not be -------------------------------------------------------------

TEST(AttacksCompressed, Z3_FinalBlocks) {
  const Data final_hello = from_hex("f3 48 cd c9 c9 07 00");
  for (const Role role : both_roles) {
    const auto expect_texts = [&](const std::vector<Data>& payloads, const std::vector<std::string>& texts) {
      CompressedWorld world;
      for (const bool bytewise : {false, true}) {
        CompressedBench bench(world, role);
        for (const Data& payload : payloads) bench.feed_fragments(payload, payload.size(), bytewise);
        EXPECT_EQ(bench.texts(), texts);
        EXPECT_EQ(bench.connection.state(), ReadyState::open);
      }
    };
    expect_texts({final_hello + Data{0x00}, hello_again}, {"Hello", "Hello"});
    expect_texts({final_hello, hello_again}, {"Hello", "Hello"});
    expect_texts({final_hello + hello_sent, final_hello + hello_again}, {"HelloHello", "HelloHello"});
    expect_bad(role, {hello_sent}, final_hello + Data{0xFF}, errc::compressed_data_invalid);
  }
}

TEST(AttacksCompressed, Z4_DistanceBeforeTheWindow) {
  const DeflateParameters forgetful{.server_no_context_takeover = true, .client_no_context_takeover = true};
  const DeflateParameters small{.server_window_bits = 9, .client_window_bits = 9};
  for (const Role role : both_roles) {
    expect_bad(role, {}, hello_again, errc::compressed_data_invalid);
    expect_bad(role, {hello_sent}, hello_again, errc::compressed_data_invalid, forgetful);
    ZlibSender sender(15, true, 9);
    const Data secret = noise(40, 1);
    const Data older = sender.message(secret + noise(560, 2));
    expect_bad(role, {older}, sender.message(secret), errc::compressed_data_invalid, small);
  }
}

TEST(AttacksCompressed, Z5_BadBlocks) {
  for (const char* const bad :
       {"06", "00 04 00 80 00", "fc 00 00", "04 00 fe ff", "04 00 24 49 00", "04 00 24 e9 ff ff",
        "04 00 24 e9 ff 6d", "04 80 49 92 24 49 92 24 71 ff ff 93 11 00",
        "04 80 49 92 24 49 92 24 0f b4 ff ff c3 84", "04 c0 81 08 00 00 00 00 20 7f eb 0b 00 00", "1b 07",
        "02 7e ff ff", "0c c0 81 00 00 00 00 00 90 ff 6b 04 00"}) {
    SCOPED_TRACE(bad);
    for (const Role role : both_roles)
      expect_bad(role, {hello_sent}, from_hex(bad), errc::compressed_data_invalid);
  }
}

TEST(AttacksCompressed, Z6_TruncatedAtTheEndOfTheMessage) {
  ZlibSender sender(15, true);
  const Data text = bytes_of("a text that is a text that is long enough to have some matches, long enough");
  const Data payload = sender.message(text);
  for (std::size_t size = 1; size < payload.size(); ++size) {
    const Data cut(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size));
    const Verdict verdict = slow_inflate({}, cut).verdict;
    ASSERT_NE(verdict, Verdict::complete);
    const errc error =
        verdict == Verdict::invalid ? errc::compressed_data_invalid : errc::compressed_data_truncated;
    for (const Role role : both_roles) expect_bad(role, {}, cut, error);
  }
  // The tail was not left out.
  expect_bad(Role::server, {}, hello_sent + from_hex("00 00 ff ff"), errc::compressed_data_truncated);
}

TEST(AttacksCompressed, Z7_NothingAndAlmostNothing) {
  for (const Role role : both_roles) {
    expect_bad(role, {hello_sent}, {}, errc::compressed_data_truncated);
    CompressedWorld world;
    CompressedBench bench(world, role);
    for (const Data& payload : {hello_sent, Data{0x00}, hello_again, Data{0x02, 0x00}, hello_again})
      bench.h.feed(bench.compressed(payload));
    EXPECT_EQ(bench.texts(), (std::vector<std::string>{"Hello", "", "Hello", "", "Hello"}));
  }
}

TEST(AttacksCompressed, Z8_InputThatEndsWhereItsMemoryDoes) {
  // The harness has a guard page behind it, or in front of it. The tail that is missing needs no room there.
  for (std::size_t size = 4060; size < 4100; ++size) {
    for (const Role role : both_roles) {
      CompressedWorld world;
      CompressedBench bench(world, role);
      ZlibSender sender(15, true, 0);
      const Data text = noise(size, 3);
      for (int i = 0; i < 2; ++i) bench.h.feed(bench.compressed(sender.message(text), op_binary));
      EXPECT_EQ(bench.h.events.messages(), (std::vector<Data>{text, text}));
    }
  }
}

TEST(AttacksCompressed, Z9_InputAndOutputInPiecesOfEverySize) {
  ZlibSender sender(15, true, 6);
  std::vector<Data> texts;
  std::vector<Data> payloads;
  for (std::uint32_t i = 0; i < 4; ++i) {
    texts.push_back(noise(300, i % 2) + Data(70'000 + i, 'x') + noise(100, i));
    payloads.push_back(sender.message(texts.back()));
  }
  for (const Role role : both_roles) {
    for (const std::size_t fragment : {1u, 2u, 3u, 7u, 100u, 100'000u}) {
      for (const bool bytewise : {false, true}) {
        CompressedWorld world;
        CompressedBench bench(world, role);
        bench.opcode = op_binary;
        for (const Data& payload : payloads) bench.feed_fragments(payload, fragment, bytewise);
        EXPECT_EQ(bench.h.events.messages(), texts);
      }
    }
  }
}

// --- RSV1 where it must not be ----------------------------------------------------------------------

TEST(AttacksCompressed, Rsv1OnContinuationsControlFramesAndWithoutAgreement) {
  for (const Role role : both_roles) {
    {
      CompressedWorld world;
      CompressedBench bench(world, role);
      bench.h.feed(bench.compressed(hello_sent, op_text, false));
      bench.h.feed(bench.peer.frame({.rsv = 4, .opcode = op_continuation, .payload = {0x00}}));
      bench.expect_end(errc::rsv1_unexpected, 1002);
    }
    for (const unsigned opcode : {op_ping, op_pong, op_close}) {
      CompressedWorld world;
      CompressedBench bench(world, role);
      bench.h.feed(bench.compressed({0x00}, opcode));
      bench.expect_end(errc::rsv1_unexpected, 1002);
    }
    Bench without(role);
    without.h.feed(without.peer.frame({.rsv = 4, .payload = hello_sent}));
    EXPECT_EQ(without.connection.close_status().cause, errc::rsv1_unexpected);
    EXPECT_EQ(without.h.sent_lines(), std::vector<std::string>{"close 1002"});
  }
}

// --- Z11, Z13: what we send -------------------------------------------------------------------------

TEST(AttacksCompressed, Z11_TheSmallestWindow) {
  const DeflateParameters agreed{.server_window_bits = 8, .client_window_bits = 8};
  for (const Role role : both_roles) {
    for (const std::uint8_t level : Levels{1, 3, 6, 9}) {
      CompressedWorld world([&](Config& config) { config.deflate.level = level; });
      CompressedBench bench(world, role, agreed);
      Data window;
      ZlibSender sender(8, true, 9);
      for (std::uint32_t i = 0; i < 40; ++i) {
        const Data text = noise(60, i % 7) + noise(i * 13, i % 5) + noise(60, i % 3);
        bench.h.feed(bench.compressed(sender.message(text), op_binary));
        ASSERT_EQ(bench.h.events.messages().back(), text);
        ASSERT_FALSE(bench.connection.send(MessageType::binary, view_of(text), Compression::on));
        bench.h.settle();
        const Frame frame = bench.h.sent().back();
        if (frame.rsv != 4) {
          ASSERT_EQ(frame.payload, text);
          continue;
        }
        const SlowInflated made = slow_inflate(window, frame.payload);
        ASSERT_EQ(made.text, text);
        ASSERT_LE(made.distance_max, 256u);
        window = window + text;
        if (window.size() > 256) window.erase(window.begin(), window.end() - 256);
      }
    }
  }
}

// Whatever keeps a compressed message from being queued, what follows does not refer to it.
TEST(AttacksCompressed, Z13_ASendThatFailsLeavesNoTrace) {
  for (const Role role : both_roles) {
    for (const bool parts : {false, true}) {
      CompressedWorld world([](Config& config) { config.limits.output_bytes_max = 70'000; });
      CompressedBench bench(world, role);
      ZlibReceiver receiver(true);
      std::vector<Data> sent;
      std::size_t failures = 0;
      bench.h.draining = false;
      for (std::uint32_t i = 0; i < 400; ++i) {
        const Data text = noise(900, i / 2) + noise(900, i / 2);
        // Each text twice: the first time it is lost, where it is lost.
        world.pool.set_limit(i % 4 == 0 ? bench.blocks() : TestPool::unlimited);
        const std::error_code error =
            parts ? bench.connection.send_part(MessageType::binary, view_of(text), true, Compression::on)
                  : bench.connection.send(MessageType::binary, view_of(text), Compression::on);
        if (error) ++failures;
        if (!error) sent.push_back(text);
        if (i % 61 == 60) bench.h.drain();
      }
      bench.h.drain();
      EXPECT_GT(failures, 10u);
      std::vector<Data> received;
      for (const Frame& frame : bench.h.sent()) {
        if (frame.rsv != 4) {
          received.push_back(frame.payload);
          continue;
        }
        const std::optional<Data> text = receiver.message(frame.payload);
        ASSERT_TRUE(text) << "it refers to what was never sent";
        received.push_back(*text);
      }
      EXPECT_EQ(received, sent);
    }
  }
}

// --- Z15: damaged data ------------------------------------------------------------------------------

TEST(AttacksCompressed, Z15_EveryBitFlipped) {
  const Data before = bytes_of("what both sides know already, and may refer to");
  const Data text = bytes_of("both sides know already that it may refer to what both sides know");
  CompressedWorld world;
  CompressedBench neighbour(world, Role::server);
  ZlibSender neighbour_sender(15, true);
  for (const int strategy : {Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY}) {
    ZlibSender sender(15, true, strategy == Z_HUFFMAN_ONLY ? 0 : 9, 8, strategy);
    const Data first = sender.message(before);
    const Data payload = sender.message(text);
    const Data last = sender.message(text);
    for (std::size_t bit = 0; bit < 8 * payload.size(); ++bit) {
      Data damaged = payload;
      damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      const SlowInflated expected = slow_inflate(before, damaged);
      CompressedBench bench(world, Role::server);
      bench.opcode = op_binary;
      bench.feed_fragments(first, first.size());
      bench.feed_fragments(damaged, bit % 3 + 1);
      if (expected.verdict == Verdict::complete) {
        ASSERT_EQ(bench.h.events.messages().size(), 2u);
        ASSERT_EQ(bench.h.events.messages()[1], expected.text);
        bench.feed_fragments(last, last.size());  // whatever that comes to now
      } else {
        bench.expect_end(expected.verdict == Verdict::invalid ? errc::compressed_data_invalid
                                                              : errc::compressed_data_truncated,
                         1007);
      }
      neighbour.h.feed(neighbour.compressed(neighbour_sender.message(text)));
      ASSERT_EQ(neighbour.h.events.messages().back(), text) << "bit " << bit;
    }
  }
  EXPECT_LE(world.used_max, 2 * CompressedWorld::used_by_one_max);
}

TEST(AttacksCompressed, Z15_DataBehindTheEndOfTheMessage) {
  for (const Role role : both_roles) {
    for (const char* const bad : {"ff", "06 00", "00 04 00 80 00"})
      expect_bad(role, {hello_sent}, hello_sent + from_hex("00 00 ff ff") + from_hex(bad),
                 errc::compressed_data_invalid);
  }
}

// What is sent is pure ASCII; what it comes to is not UTF-8.
TEST(AttacksCompressed, TextThatIsNoneOnlyWhenDecompressed) {
  for (const Role role : both_roles) {
    for (const char* const text : {"good\xFF", "\xC3", "\xED\xA0\x80", "\xF4\x90\x80\x80", "caf\xC3"}) {
      ZlibSender sender(15, true, 9, 8, Z_FIXED);
      expect_bad(role, {hello_sent}, sender.message(bytes_of(text)), errc::utf8_invalid);
    }
    // A character across fragments and across runs of the codec is good.
    CompressedWorld world;
    CompressedBench bench(world, role);
    ZlibSender sender(15, true, 0);
    std::string text(MessageCodec::inflate_size_max - 1, 'a');
    text += "\xF0\x9F\x98\x80";
    bench.feed_fragments(sender.message(bytes_of(text)), 1);
    EXPECT_EQ(bench.texts(), std::vector<std::string>{text});
  }
}

}  // namespace
}  // namespace sansock::testing

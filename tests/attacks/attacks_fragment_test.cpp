// Attacks by fragmentation: rows B1-B7 of the list of bad inputs. Bounds are counted in blocks and
// bytes, never in time.
#include "bench.h"
#include "sansock/assembler.h"

namespace sansock::testing {
namespace {

using std::chrono::seconds;

// Counts what it holds, for the assembler behind the connection.
class CountingMemory final : public MessageMemory {
 public:
  Bytes resize(Bytes old, std::size_t used, std::size_t wanted) noexcept override {
    auto* const memory = static_cast<std::byte*>(std::malloc(wanted));
    if (used != 0) std::memcpy(memory, old.data(), used);
    copied += used;
    if (!old.empty()) std::free(old.data());
    held += wanted - old.size();
    peak = std::max(peak, held);
    return {memory, wanted};
  }
  void release(Bytes memory) noexcept override {
    held -= memory.size();
    std::free(memory.data());
  }
  std::size_t copied = 0;
  std::size_t held = 0;
  std::size_t peak = 0;
};

Tweak many_fragments(std::uint32_t fragments, std::uint16_t empty = 1024) {
  return [=](Config& config) {
    config.limits.message_fragments_max = fragments;
    config.limits.message_fragments_empty_max = empty;
  };
}

struct Collected {
  explicit Collected(Role role, const Tweak& tweak) : bench(role, tweak), assembler(memory) {
    bench.h.handler = [this](const Event& event) {
      if (event.kind != EventKind::data) return;
      ++runs;
      if (assembler.add(event) == MessageAssembler::Result::message) whole = bytes_of(assembler.message());
    };
  }
  // Feeds the same bytes until the connection is not open any more; returns how often.
  std::size_t feed(const Data& data, std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      if (bench.connection.state() != ReadyState::open) return i;
      bench.h.feed(data);
    }
    return times;
  }

  CountingMemory memory;
  Bench bench;
  MessageAssembler assembler;
  std::size_t runs = 0;
  Data whole;
};

TEST(AttacksFragment, B1MillionOneByteFragments) {
  for (const Role role : both_roles) {
    const std::size_t million = 1'000'000;
    Collected c(role, many_fragments(2'000'000));
    c.bench.h.feed(c.bench.peer.binary({'x'}, false));
    const Data fragment = c.bench.peer.continuation("x", false);
    Data thousand;
    for (int i = 0; i < 1000; ++i) thousand = std::move(thousand) + fragment;
    c.feed(thousand, million / 1000);
    EXPECT_EQ(c.runs, million + 1);
    EXPECT_EQ(c.bench.pool.asked(), 0u) << "fragments pin nothing in the engine";
    EXPECT_LE(c.memory.peak, 2 * (million + 1) + 1024) << "and in the assembler what arrived, not more";
    c.bench.h.feed(c.bench.peer.continuation("!"));
    EXPECT_EQ(c.whole.size(), million + 2);

    Collected limited(role, {});  // the default limit
    limited.bench.h.feed(limited.bench.peer.binary({'x'}, false));
    limited.feed(thousand, 1000);
    EXPECT_EQ(limited.runs, 131'072u);
    EXPECT_EQ(limited.bench.connection.close_status().cause, errc::fragments_too_many);
    EXPECT_EQ(limited.bench.h.sent_lines(), (std::vector<std::string>{"close 1008"}));
  }
}

// B2, and the trap "endless empty fragments".
TEST(AttacksFragment, B2TrapEndlessEmptyFragments) {
  for (const Role role : both_roles) {
    Collected c(role, {});
    c.bench.h.feed(c.bench.peer.binary({'x'}, false));
    const Data empty = c.bench.peer.continuation("", false);
    Data thousand;
    for (int i = 0; i < 1000; ++i) thousand = std::move(thousand) + empty;
    c.feed(thousand, 1000);
    EXPECT_EQ(c.runs, 1u) << "an empty fragment is no event";
    EXPECT_EQ(c.bench.connection.close_status().cause, errc::fragments_empty_too_many);
    EXPECT_EQ(c.bench.h.sent_lines(), (std::vector<std::string>{"close 1008"}));
    EXPECT_LE(c.bench.pool.peak(), 1u);

    Collected exact(role, {});
    EXPECT_EQ(exact.feed(exact.bench.peer.binary({}, false), 1), 1u);  // the first is one of them
    EXPECT_EQ(exact.feed(exact.bench.peer.continuation("", false), 5000), 1024u);
  }
}

TEST(AttacksFragment, B3DribbleBelowTheIdleTimer) {
  for (const Role role : both_roles) {
    Bench bench(role, [](Config& config) {
      config.timeouts.idle = seconds(10);
      config.timeouts.message_assembly = seconds(120);
    });
    bench.h.feed(bench.peer.frame({.fin = false, .opcode = op_binary, .announced = 1000}));
    int bytes = 0;
    for (; bytes < 100 && bench.connection.state() == ReadyState::open; ++bytes) {
      bench.h.advance(seconds(9));
      if (bench.connection.state() == ReadyState::open) bench.h.feed({'x'});
    }
    EXPECT_EQ(bytes, 14);
    EXPECT_EQ(bench.connection.close_status().cause, errc::assembly_timeout);
    EXPECT_EQ(bench.h.sent_lines(), (std::vector<std::string>{"close 1008"}));

    // In fragments, and with pings between: it is the message that counts.
    Bench fragments(role, [](Config& config) { config.timeouts.message_assembly = seconds(120); });
    fragments.h.feed(fragments.peer.binary({}, false));
    for (int i = 0; i < 13; ++i) {
      fragments.h.feed(fragments.peer.continuation("x", false) + fragments.peer.ping());
      fragments.h.advance(seconds(9));
    }
    EXPECT_EQ(fragments.connection.state(), ReadyState::open);
    fragments.h.advance(seconds(3));
    EXPECT_EQ(fragments.connection.close_status().cause, errc::assembly_timeout);
  }
}

TEST(AttacksFragment, B4TotalOverTheLimitOnlyTogether) {
  const std::uint64_t limit = 1000;
  const Tweak limited = [](Config& config) { config.limits.message_payload_max = 1000; };
  for (const Role role : both_roles) {
    for (const std::size_t size : {1u, 3u, 10u, 125u, 126u, 333u, 500u, 999u}) {
      for (const std::uint64_t total : {limit, limit + 1}) {
        Peer peer(role);
        Data stream = peer.binary({}, false);
        std::uint64_t left = total;
        for (; left > size; left -= size)
          stream = stream + peer.frame(op_continuation, noise(size, 1), false);
        stream = stream + peer.frame(op_continuation, noise(left, 1));
        const std::string got = transcript_of(role, stream, {}, limited);
        EXPECT_EQ(got, model_transcript_of(role, stream, limited));
        EXPECT_EQ(got.find("message_too_big\n> close 1009") != std::string::npos, total > limit) << got;
      }
    }
  }
}

// B5: nothing is measured or copied again with each fragment.
TEST(AttacksFragment, B5HundredThousandFragmentsAreLinear) {
  for (const Role role : both_roles) {
    Collected c(role, {});
    c.bench.h.feed(c.bench.peer.text("begin", false));
    const Data fragment = c.bench.peer.continuation("\xE2\x82\xAC and more", false);
    EXPECT_EQ(c.feed(fragment, 100'000), 100'000u);
    c.bench.h.feed(c.bench.peer.continuation("end"));
    EXPECT_EQ(c.whole.size(), 5 + 100'000 * 12 + 3u);
    EXPECT_LE(c.memory.copied, 2 * c.whole.size());
    EXPECT_EQ(c.runs, 100'002u);
  }
}

TEST(AttacksFragment, B6CountersStartAgainWithEachMessage) {
  const Tweak tight = [](Config& config) {
    config.limits.message_fragments_max = 3;
    config.limits.message_fragments_empty_max = 2;
    config.limits.message_payload_max = 10;
  };
  for (const Role role : both_roles) {
    Bench bench(role, tight);
    for (int i = 0; i < 2000; ++i) {
      bench.h.feed(bench.peer.text("0123456789"));
      bench.h.feed(bench.peer.text("", false) + bench.peer.continuation("0123456789", false) +
                   bench.peer.continuation(""));
      bench.h.feed(bench.peer.text("01234", false) + bench.peer.continuation("56789"));
    }
    EXPECT_EQ(bench.connection.state(), ReadyState::open);
    EXPECT_EQ(bench.h.events.messages().size(), 6000u);
  }
}

// B7: two senders of one connection; the second is refused, and the first goes on.
TEST(AttacksFragment, B7TwoFragmentedSendsAtOnce) {
  for (const Role role : both_roles) {
    Bench bench(role);
    for (int i = 0; i < 3; ++i) {
      ASSERT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("mine"), false));
      EXPECT_EQ(bench.connection.send("yours"), errc::message_unfinished);
      EXPECT_EQ(bench.connection.send_part(MessageType::binary, as_bytes("yours"), false),
                errc::message_type_changed);
    }
    ASSERT_FALSE(bench.connection.send_part(MessageType::text, as_bytes("."), true));
    bench.h.settle();
    EXPECT_EQ(bench.h.sent_lines(),
              (std::vector<std::string>{"text-nofin \"mine\"", "continuation-nofin \"mine\"",
                                        "continuation-nofin \"mine\"", "continuation \".\""}));
  }
}

}  // namespace
}  // namespace sansock::testing

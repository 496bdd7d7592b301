// Connections that have agreed on compression, with the real codec, ready to be driven.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "bench.h"
#include "sansock/deflate_codec.h"

namespace sansock::testing {

// What the connections of one thread share. When it goes, the codec must be as it was at first.
class CompressedWorld {
 public:
  // Of one connection that receives: a decompressor, what it has made last, a full window, and a smaller one
  // while that grows.
  static constexpr std::size_t used_by_one_max = 192u << 10;

  explicit CompressedWorld(const Tweak& tweak = {})
      : config(make_config(pool, entropy, &codec, tweak)), used_at_first_(codec.memory_used()) {}
  CompressedWorld(const CompressedWorld&) = delete;
  CompressedWorld& operator=(const CompressedWorld&) = delete;
  ~CompressedWorld() {
    codec.trim();
    EXPECT_EQ(codec.streams(), 0u);
    EXPECT_EQ(codec.memory_used(), used_at_first_);
  }
  void measure() { used_max = std::max(used_max, codec.memory_used()); }

  TestPool pool{4096};
  ConstantEntropy entropy{0x37FA213D};
  DeflateCodec codec;
  Config config;
  std::size_t used_max = 0;  // of the codec's memory, at any event

 private:
  std::size_t used_at_first_;
};

class CompressedBench {
 public:
  CompressedBench(CompressedWorld& world, Role role, const DeflateParameters& agreed = {})
      : connection(role, world.config, *world.codec.open(role, agreed, world.config.deflate), agreed),
        h(connection),
        peer(role),
        world_(world) {
    h.handler = [this](const Event& event) {
      if (event.kind == EventKind::data) handed_out += event.bytes.size();
      world_.measure();
    };
  }

  Data compressed(const Data& payload, unsigned with_opcode = op_text, bool fin = true) {
    return peer.frame({.fin = fin, .rsv = 4, .opcode = with_opcode, .payload = payload});
  }
  // A compressed message in fragments of this size, each in one read, or byte by byte.
  void feed_fragments(const Data& payload, std::size_t size, bool bytewise = false) {
    std::size_t at = 0;
    do {
      const std::size_t end = std::min(payload.size(), at + std::max<std::size_t>(size, 1));
      const bool first = at == 0;
      const Data frame = peer.frame({.fin = end == payload.size(),
                                     .rsv = first ? 4u : 0u,
                                     .opcode = first ? opcode : op_continuation,
                                     .payload = Data(payload.begin() + static_cast<std::ptrdiff_t>(at),
                                                     payload.begin() + static_cast<std::ptrdiff_t>(end))});
      if (bytewise)
        h.feed_bytewise(frame);
      else
        h.feed(frame);
      at = end;
    } while (at < payload.size() && connection.state() == ReadyState::open);
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const Data& message : h.events.messages()) all.push_back(string_of(message));
    return all;
  }
  // It has failed, and its memory of the codec is gone already.
  void expect_end(errc cause, unsigned close_code) {
    h.eof();
    EXPECT_EQ(name(connection.close_status().cause), name(cause));
    EXPECT_FALSE(connection.close_status().clean);
    const std::vector<std::string> lines = h.sent_lines();
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.back(), "close " + std::to_string(close_code));
  }
  // Blocks of the pool that are out now.
  std::size_t blocks() const { return world_.pool.live(); }

  Connection connection;
  ConnectionHarness h;
  Peer peer;
  unsigned opcode = op_text;
  std::size_t handed_out = 0;  // bytes of data events

 private:
  CompressedWorld& world_;
};

// After good messages, a bad one ends the connection with 1007, however it is fragmented and arrives, and it
// is never a whole message; another connection on the same codec goes on.
inline void expect_bad(Role role, const std::vector<Data>& before, const Data& bad, errc error,
                       const DeflateParameters& agreed = {}) {
  CompressedWorld world;
  CompressedBench other(world, role, agreed);
  const Data good = from_hex("f2 48 cd c9 c9 07 00");
  for (const std::size_t fragment : {bad.size(), std::size_t{1}, std::size_t{3}}) {
    for (const bool bytewise : {false, true}) {
      CompressedBench bench(world, role, agreed);
      for (const Data& payload : before) {
        // Only the bad one has to be text.
        bench.opcode = op_binary;
        bench.feed_fragments(payload, payload.size());
      }
      bench.opcode = op_text;
      if (error != errc::utf8_invalid) bench.opcode = op_binary;
      bench.feed_fragments(bad, fragment, bytewise);
      bench.expect_end(error, 1007);
      EXPECT_EQ(bench.h.events.messages().size(), before.size());
      EXPECT_EQ(world.codec.streams(), 1u) << "the other one's";
      other.h.feed(other.compressed(good));
      EXPECT_EQ(other.texts().back(), "Hello");
    }
  }
  EXPECT_LE(world.used_max, 2 * CompressedWorld::used_by_one_max);
}

}  // namespace sansock::testing

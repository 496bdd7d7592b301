// Row Z14 of the list of bad inputs: many connections that have compressed and are idle now. Counted are the
// codec's bytes; what a connection takes besides is bounded where it is defined.
#include "compressed_bench.h"
#include "zlib_peer.h"

namespace sansock::testing {
namespace {

constexpr std::size_t count = 1000;

// Like a document: it shrinks to about a third.
Data document(std::size_t size, unsigned seed) {
  std::string text;
  for (unsigned i = seed; text.size() < size; ++i)
    text += "{\"id\":" + std::to_string(i * 7919u % 99'991) + ",\"name\":\"item\"},";
  text.resize(size);
  return bytes_of(text);
}

// What a server and a client agree on that both have our defaults.
DeflateParameters usual() { return {.client_window_bits = DeflateOptions{}.client_max_window_bits_asked()}; }

class Crowd {
 public:
  Crowd() {
    const DeflateParameters agreed = usual();
    for (std::size_t i = 0; i < count; ++i)
      connections_.push_back(std::make_unique<CompressedBench>(world, Role::server, agreed));
  }
  // One message each way on each, compressed.
  void exchange(const Data& text) {
    const Data payload = sender_.message(text);
    for (const auto& one : connections_) {
      one->h.feed(one->compressed(payload));
      ASSERT_FALSE(one->connection.send(MessageType::text, view_of(text)));
      one->h.settle();
      ASSERT_EQ(one->h.events.messages().back(), text);
      ASSERT_EQ(one->h.sent().back().rsv, 4u);
    }
  }
  // Of each connection, but for what is the thread's.
  std::size_t used_by_each() {
    world.codec.trim();
    return world.codec.memory_used() / count;
  }

  CompressedWorld world;

 private:
  ZlibSender sender_{usual().client_window_bits, true};  // all get the same from their peers
  std::vector<std::unique_ptr<CompressedBench>> connections_;
};

TEST(IdleCompressed, Z14_BytesOfEachConnection) {
  Crowd crowd;
  EXPECT_LE(crowd.used_by_each(), 256u) << "nothing was compressed yet";
  crowd.exchange(document(1024, 1));
  EXPECT_LE(crowd.used_by_each(), 3u << 10);
  for (unsigned i = 0; i < 5; ++i) crowd.exchange(document(1024, i * 1000));
  EXPECT_LE(crowd.used_by_each(), 10u << 10);
  // Also not while it grows, and with messages larger than any window.
  crowd.exchange(document(50'000, 7));
  EXPECT_LE(crowd.used_by_each(), 10u << 10);
  EXPECT_LE(crowd.world.used_max, count * (10u << 10) + (1u << 20));
}

TEST(IdleCompressed, Z14_NothingWithoutContextTakeover) {
  CompressedWorld world;
  const DeflateParameters agreed{.server_no_context_takeover = true, .client_no_context_takeover = true};
  std::vector<std::unique_ptr<CompressedBench>> connections;
  ZlibSender sender(15, false);
  for (std::size_t i = 0; i < count; ++i) {
    connections.push_back(std::make_unique<CompressedBench>(world, Role::server, agreed));
    CompressedBench& one = *connections.back();
    const Data text = document(3000, static_cast<unsigned>(i));
    one.h.feed(one.compressed(sender.message(text)));
    ASSERT_FALSE(one.connection.send(MessageType::text, view_of(text)));
    one.h.settle();
    ASSERT_EQ(one.h.sent().back().rsv, 4u);
  }
  world.codec.trim();
  EXPECT_LE(world.codec.memory_used() / count, 256u);
}

}  // namespace
}  // namespace sansock::testing

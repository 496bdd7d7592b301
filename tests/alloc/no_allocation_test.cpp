// The engine allocates nothing, at no time: a connection's whole life is driven with the trap armed.
#include <gtest/gtest.h>

#include <memory>

#include "malloc_trap.h"
#include "sansock/assembler.h"
#include "sansock/endpoint.h"
#include "test_entropy.h"
#include "test_pool.h"

namespace sansock::testing {
namespace {

constexpr Instant start = Instant{} + std::chrono::seconds(1);

class FixedMemory final : public MessageMemory {
 public:
  Bytes resize(Bytes, std::size_t, std::size_t wanted) noexcept override {
    return wanted <= sizeof memory_ ? Bytes(memory_) : Bytes();
  }
  void release(Bytes) noexcept override {}

 private:
  std::byte memory_[4 << 20];
};

// A client, an echoing server, and a transport of arrays between them.
struct Wire {
  Wire()
      : pool(64 << 10, 100),
        entropy(7),
        memory(std::make_unique<FixedMemory>()),
        buffer(new std::byte[1 << 20]) {
    config.pool = &pool;
    config.entropy = &entropy;
  }

  // One transfer from one side to the other. Returns how many bytes it moved.
  template <class OnEvent>
  std::size_t move(Endpoint& from, Endpoint& to, OnEvent&& on_event) {
    IoSlice slices[16];
    const std::size_t count = from.gather(slices);
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(buffer.get() + size, slices[i].base, slices[i].size);
      size += slices[i].size;
    }
    if (size == 0) return 0;
    from.consume(size, start);
    while (const Event event = from.poll()) on_event(from, event);
    to.feed({buffer.get(), size}, start);
    while (const Event event = to.poll()) on_event(to, event);
    return size;
  }

  ArenaPool pool;
  SeededEntropy entropy;
  Config config;
  std::unique_ptr<FixedMemory> memory;
  std::unique_ptr<std::byte[]> buffer;
};

struct Counts {
  std::size_t open = 0, messages = 0, bytes = 0, pings = 0, pongs = 0, sent = 0, peer_closes = 0, closed = 0;
};

TEST(MallocTrap, CatchesWhatItShould) {
  const MallocTrap trap;
  void* volatile memory = std::malloc(10);
  int* volatile number = new int(1);
  EXPECT_EQ(MallocTrap::count(), 2u);
  std::free(memory);
  delete number;
}

std::byte megabyte[1 << 20];

// A client and a server in memory that is there already; the server echoes.
class Life {
 public:
  Life()
      : server_(*new (places_[0]) Endpoint(Role::server, wire.config)),
        client_(*new (places_[1]) Endpoint(Role::client, wire.config)),
        assembler_(*wire.memory) {}
  ~Life() {
    server_.~Endpoint();
    client_.~Endpoint();
  }

  void open() {
    refuse_if(client_.connect({.host = "example.com"}));
    settle();
  }
  void echo() {
    for (int i = 0; i < 1000; ++i) {
      refuse_if(client_.send("echo this"));
      if (i % 10 == 0) refuse_if(client_.ping(as_bytes("and this")));
      settle();
    }
  }
  void stream_megabytes() {
    refuse_if(client_.send_borrowed(MessageType::binary, megabyte, 1));
    settle();
    for (int i = 0; i < 16; ++i) {
      refuse_if(client_.send_part(MessageType::binary, ConstBytes(megabyte).first(64 << 10), i == 15));
      settle();
    }
  }
  void close() {
    server_.handle_timeout(start);
    poll(server_);
    refuse_if(server_.close(CloseCode::going_away, "done"));
    settle();
    client_.feed_eof(start);
    poll(client_);
    server_.feed_eof(start);
    poll(server_);
  }

  static Wire wire;
  Counts counts;
  bool refused = false;

 private:
  void refuse_if(std::error_code error) { refused = refused || static_cast<bool>(error); }
  void poll(Endpoint& endpoint) {
    while (const Event event = endpoint.poll()) on_event(endpoint, event);
  }
  void settle() {
    const auto handler = [this](Endpoint& endpoint, const Event& event) { on_event(endpoint, event); };
    while (wire.move(client_, server_, handler) + wire.move(server_, client_, handler) != 0) {
    }
  }
  void on_event(Endpoint& endpoint, const Event& event) {
    switch (event.kind) {
      case EventKind::request: refuse_if(endpoint.accept()); break;
      case EventKind::open: ++counts.open; break;
      case EventKind::data:
        if (endpoint.role() == Role::client) {
          counts.bytes += event.bytes.size();
          counts.messages += event.end;
        } else if (assembler_.add(event) == MessageAssembler::Result::message) {
          refuse_if(endpoint.send(event.type, assembler_.message()));
        }
        break;
      case EventKind::ping: ++counts.pings; break;
      case EventKind::pong: ++counts.pongs; break;
      case EventKind::sent: ++counts.sent; break;
      case EventKind::peer_close: ++counts.peer_closes; break;
      case EventKind::closed: ++counts.closed; break;
      case EventKind::none: break;
    }
  }

  alignas(Endpoint) std::byte places_[2][sizeof(Endpoint)];
  Endpoint& server_;
  Endpoint& client_;
  MessageAssembler assembler_;
};

Wire Life::wire;

TEST(NoAllocation, WholeLifeOfTwoEndpoints) {
  std::size_t allocations = 0;
  Counts counts;
  bool refused = false;
  {
    const MallocTrap trap;
    Life life;
    life.open();
    life.echo();
    life.stream_megabytes();
    life.close();
    counts = life.counts;
    refused = life.refused;
    allocations = MallocTrap::count();
  }
  EXPECT_EQ(allocations, 0u);
  EXPECT_FALSE(refused);
  EXPECT_EQ(counts.open, 2u);
  EXPECT_EQ(counts.messages, 1002u);
  EXPECT_EQ(counts.bytes, 9'000u + (2u << 20));
  EXPECT_EQ(counts.pings, 100u);
  EXPECT_EQ(counts.pongs, 100u);
  EXPECT_EQ(counts.sent, 1u);
  EXPECT_EQ(counts.peer_closes, 2u);
  EXPECT_EQ(counts.closed, 2u);
  EXPECT_EQ(Life::wire.pool.available(), 100u);
}

TEST(NoAllocation, FailuresAndRefusals) {
  Wire wire;
  Endpoint server(Role::server, wire.config);
  Endpoint framed(Role::server, wire.config);
  std::byte garbage[64];
  std::fill(std::begin(garbage), std::end(garbage), std::byte{'\n'});
  std::size_t allocations = 0;
  std::size_t closed = 0;
  {
    const MallocTrap trap;
    server.feed(garbage, start);
    while (const Event event = server.poll()) closed += event.kind == EventKind::closed;
    IoSlice slices[4];
    server.gather(slices);
    server.abort(errc::transport_error);
    while (const Event event = server.poll()) closed += event.kind == EventKind::closed;
    framed.handle_timeout(start);
    while (framed.poll()) {
    }
    framed.handle_timeout(start + std::chrono::hours(1));
    while (const Event event = framed.poll()) closed += event.kind == EventKind::closed;
    framed.abort(errc::aborted);
    while (const Event event = framed.poll()) closed += event.kind == EventKind::closed;
    allocations = MallocTrap::count();
  }
  EXPECT_EQ(allocations, 0u);
  EXPECT_EQ(closed, 2u);
}

}  // namespace
}  // namespace sansock::testing

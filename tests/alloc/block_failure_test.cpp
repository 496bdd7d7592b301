// The pool gives no block at the k-th time it is asked, for every k: commands that fail change
// nothing, automatic replies go without, and the connection still comes to its end.
#include "bench.h"
#include "pair.h"

namespace sansock::testing {
namespace {

struct CountedFrame : SharedFrame {
  explicit CountedFrame(Data encoded) : memory(std::move(encoded)) {
    bytes = view_of(memory);
    destroy = [](SharedFrame*) noexcept {};
  }
  Data memory;
};

// Gives commands, and keeps the frames that those which succeeded have to have sent.
class Commander {
 public:
  explicit Commander(Bench& bench) : bench_(bench), shared_(encode({.payload = bytes_of("shared")})) {}

  void command(const std::string& line, const std::function<std::error_code(Connection&)>& give) {
    const std::size_t size = bench_.connection.output_size();
    const Data before = bench_.h.gather();
    const std::error_code error = give(bench_.connection);
    if (!error) {
      expected.push_back(line);
      return;
    }
    ++failures;
    EXPECT_EQ(error, errc::blocks_exhausted) << line;
    EXPECT_EQ(error, condition::limit_exceeded) << line;
    EXPECT_EQ(bench_.connection.output_size(), size) << line;
    EXPECT_EQ(bench_.connection.state(), ReadyState::open) << line;
    const Data after = bench_.h.gather();
    const std::size_t common = std::min(before.size(), after.size());
    EXPECT_TRUE(
        std::equal(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(common), after.begin()));
  }

  void run(bool draining) {
    const Data large = noise(3000, 1);
    const auto part = [this](std::string_view text, bool end) {
      const std::string line =
          std::string(in_parts_ ? "continuation" : "text") + (end ? " " : "-nofin ") + quote(text);
      const std::size_t before = expected.size();
      command(line, [&](Connection& c) { return c.send_part(MessageType::text, as_bytes(text), end); });
      if (expected.size() > before) in_parts_ = !end;
    };
    const auto rest = [&] {
      if (draining) bench_.h.settle();
    };
    command("text \"small\"", [](Connection& c) { return c.send("small"); });
    rest();
    command("binary " + quote(large),
            [&](Connection& c) { return c.send(MessageType::binary, view_of(large)); });
    rest();
    part("one", false);
    part(std::string(100, '2'), false);
    rest();
    command("ping \"p\"", [](Connection& c) { return c.ping(as_bytes("p")); });
    part("three", true);
    if (in_parts_) part("again", true);
    rest();
    if (!in_parts_) {
      command("binary " + quote(lent_), [&](Connection& c) {
        return c.send_borrowed(MessageType::binary, std::as_writable_bytes(std::span(lent_memory_)), 1);
      });
      if (bench_.connection.role() == Role::server) {
        command("text \"shared\"", [&](Connection& c) { return c.send_shared(shared_); });
      }
    }
    rest();
    command("pong \"q\"", [](Connection& c) { return c.pong(as_bytes("q")); });
    rest();
  }

  std::vector<std::string> expected;
  std::size_t failures = 0;
  std::uint32_t shared_references() const { return shared_.references.load(); }

 private:
  Bench& bench_;
  CountedFrame shared_;
  const Data lent_ = noise(500, 2);
  Data lent_memory_ = lent_;
  bool in_parts_ = false;
};

// Returns whether the k-th request for a block came.
bool run_commands(Role role, std::size_t k, bool from, bool draining) {
  SCOPED_TRACE(std::string(role_name(role)) + (from ? ", from " : ", at ") + std::to_string(k));
  Bench bench(role, {}, 1024);
  bench.h.draining = draining;
  Commander commander(bench);
  if (from) {
    bench.pool.fail_from(k);
  } else {
    bench.pool.fail_at(k);
  }
  commander.run(draining);
  const bool reached = bench.pool.asked() >= k;
  EXPECT_EQ(commander.failures != 0, reached);
  EXPECT_FALSE(bench.connection.close(CloseCode::going_away)) << "a Close never fails";
  commander.expected.push_back("close 1001");
  bench.h.pump();
  bench.h.drain();
  EXPECT_EQ(bench.h.sent_lines(), commander.expected);
  bench.h.feed(bench.peer.close(1001));
  bench.h.eof();
  EXPECT_TRUE(bench.connection.close_status().clean);
  EXPECT_EQ(commander.shared_references(), 1u);
  EXPECT_EQ(bench.pool.live(), 0u);
  return reached;
}

TEST(BlockFailure, CommandsHaveTheStrongGuarantee) {
  for (const Role role : both_roles) {
    for (const bool from : {false, true}) {
      for (const bool draining : {false, true}) {
        std::size_t k = 1;
        while (run_commands(role, k, from, draining)) ++k;
        EXPECT_GT(k, 4u);
      }
    }
  }
}

// Input needs a block only for a control payload that is cut, and does without.
TEST(BlockFailure, InputGoesOnWithoutBlocks) {
  for (const Role role : both_roles) {
    for (const bool bytewise : {false, true}) {
      for (std::size_t k = 1; k < 20; ++k) {
        Bench bench(role, {}, 1024);
        bench.pool.fail_at(k);
        const Data stream = bench.peer.text("one ", false) + bench.peer.ping("a") + bench.peer.ping("b") +
                            bench.peer.pong("c") + bench.peer.continuation("message") + bench.peer.ping("d") +
                            bench.peer.binary(noise(300, 1)) + bench.peer.close(1000, "bye");
        bench.h.feed_cut(stream, bytewise ? every_byte(stream) : std::vector<std::size_t>());
        bench.h.eof();
        EXPECT_EQ(bench.h.events.messages(), (std::vector<Data>{bytes_of("one message"), noise(300, 1)}));
        EXPECT_TRUE(bench.connection.close_status().clean);
        EXPECT_EQ(bench.h.sent_lines().back(), "close 1000");
        EXPECT_GE(bench.h.events.count(EventKind::ping), 2u);
      }
    }
  }
}

Data request() {
  return bytes_of(
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
}

TEST(BlockFailure, OpeningHandshakeOfAServer) {
  for (std::size_t k = 1; k < 6; ++k) {
    for (const bool bytewise : {false, true}) {
      TestPool pool(20'000);
      Config config;
      config.pool = &pool;
      Endpoint server(Role::server, config);
      EndpointHarness h(server);
      h.handler = [&](const Event& event) {
        if (event.kind != EventKind::request) return;
        if (const std::error_code error = server.accept()) {
          EXPECT_EQ(error, errc::blocks_exhausted);
          EXPECT_EQ(server.output_size(), 0u);
          EXPECT_FALSE(server.accept()) << "nothing had changed, so it may be tried again";
        }
      };
      pool.fail_at(k);
      if (bytewise) {
        h.feed_bytewise(request());
      } else {
        h.feed(request());
      }
      if (h.closed()) {
        EXPECT_EQ(k, 1u);
        EXPECT_EQ(h.events.text(), "closed unclean 1006 blocks_exhausted\n");
      } else {
        EXPECT_EQ(server.state(), ReadyState::open);
        EXPECT_NE(string_of(h.output).find("HTTP/1.1 101 "), std::string::npos);
      }
    }
  }
}

TEST(BlockFailure, OpeningHandshakeOfAClient) {
  for (std::size_t k = 1; k < 4; ++k) {
    TestPool pool(20'000);
    SeededEntropy entropy(1);
    Config config;
    config.pool = &pool;
    config.entropy = &entropy;
    Endpoint client(Role::client, config);
    EndpointHarness h(client);
    pool.fail_at(k);
    const std::error_code error = client.connect({.host = "x"});
    EXPECT_EQ(static_cast<bool>(error), pool.asked() >= k);
    if (error) {
      EXPECT_EQ(error, errc::blocks_exhausted);
      EXPECT_EQ(client.output_size(), 0u);
      EXPECT_FALSE(client.connect({.host = "x"})) << "nothing had changed";
    }
    h.settle();
    EXPECT_EQ(string_of(h.output).substr(0, 16), "GET / HTTP/1.1\r\n");
  }
}

// A refusal that can not be written: the connection just ends.
TEST(BlockFailure, RefusalWithoutABlock) {
  for (std::size_t k = 1; k < 4; ++k) {
    TestPool pool(20'000);
    Config config;
    config.pool = &pool;
    Endpoint server(Role::server, config);
    EndpointHarness h(server);
    pool.fail_at(k);
    h.feed(bytes_of("POST / HTTP/1.1\r\nHost: x\r\n\r\n"));
    if (!h.closed()) h.eof();
    EXPECT_TRUE(h.closed());
    EXPECT_EQ(pool.live(), 0u);
  }
}

}  // namespace
}  // namespace sansock::testing

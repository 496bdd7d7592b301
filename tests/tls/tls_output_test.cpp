// Peers over TLS that do not read what is sent to them: the limits are those of the engine, which counts
// plaintext, and beyond them lies one flight of ciphertext: at most four records of 16 KiB each.
#include "tls_server_fixture.h"

namespace sansock::test {
namespace {

constexpr std::size_t chunk_size = 64u << 10;
constexpr std::size_t frame_size = chunk_size + 10;
constexpr std::size_t output_max = 2u << 20;

class TlsOutput : public TlsServerTest {
 protected:
  Route sender(OutputPolicy policy) {
    Route route;
    route.output_policy = policy;
    route.output_high_watermark = 512u << 10;
    route.limits.output_bytes_max = output_max;
    route.on_message = [this](Peer& peer, Message) {
      const std::string chunk(chunk_size, 'c');
      for (;;) {
        const auto error = peer.send(MessageType::binary, as_bytes(chunk));
        EXPECT_LE(peer.output_size(), output_max);
        if (!error) {
          ++accepted_;
          continue;
        }
        log_.add(error == errc::output_full ? "full" : "other");
        break;
      }
      log_.add(peer.state() == ReadyState::open ? "open" : "not open");
    };
    route.on_drained = [this](Peer&) { log_.add("drained"); };
    route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
      log_.add("closed " + std::string(name(status.cause)));
    };
    return route;
  }

  std::atomic<std::size_t> accepted_{0};
};
INSTANTIATE_TEST_SUITE_P(Places, TlsOutput, every_adapter, place_name);

TEST_P(TlsOutput, IsRefusedAtTheLimitAndNothingIsLost) {
  make();
  server().route("/", sender(OutputPolicy::refuse));
  start_tls();
  RawTlsClient raw(address());
  ASSERT_TRUE(raw.handshake());
  raw.upgrade();
  // More than the kernel's buffers take, and then as much as the limit allows.
  for (std::size_t i = 1; i <= 20; ++i) {
    raw.send(RawClient::frame(1, "more"));
    ASSERT_TRUE(eventually([this, i] { return log_.count("open") == i; }));
  }
  log_.clear();
  EXPECT_GE(accepted_, output_max / frame_size);
  const std::size_t total = accepted_ * frame_size;
  EXPECT_EQ(raw.read_size(total).size(), total);
  EXPECT_EQ(static_cast<std::size_t>(std::count(raw.received.begin(), raw.received.end(), 'c')),
            accepted_ * chunk_size);
  EXPECT_TRUE(eventually([this] { return log_.has("drained"); }));
  EXPECT_EQ(log_.count("drained"), 1u);
}

TEST_P(TlsOutput, DropsAtTheWatermark) {
  make();
  server().route("/", sender(OutputPolicy::drop));
  server().route("/echo", echo());
  start_tls();
  Client other = connect_tls("/echo");
  RawTlsClient raw(address());
  ASSERT_TRUE(raw.handshake());
  raw.upgrade();
  raw.send(RawClient::frame(1, "more"));
  EXPECT_TRUE(eventually([this] { return log_.has("closed output_full"); }));
  raw.read_all();
  EXPECT_TRUE(raw.ended());
  EXPECT_FALSE(raw.peer.peer_closed());  // what was not sent is missing, and that can be told
  EXPECT_EQ(echoed(other, "alive"), "alive");
}

TEST_P(TlsOutput, PausesAnEchoUntilItIsRead) {
  make();
  std::atomic<std::size_t> queued_max{0};
  Route route;
  route.output_policy = OutputPolicy::pause;
  route.output_high_watermark = 128u << 10;
  route.on_message = [&](Peer& peer, Message message) {
    EXPECT_FALSE(peer.send(message.type, message.bytes));
    queued_max = std::max<std::size_t>(queued_max, peer.output_size());
  };
  server().route("/", route);
  start_tls();
  RawTlsClient raw(address());
  ASSERT_TRUE(raw.handshake());
  raw.upgrade();
  constexpr std::size_t count = 2000;
  constexpr std::size_t payload_size = 8000;
  for (std::size_t i = 0; i < count; ++i) raw.peer.write(RawClient::frame(2, std::string(payload_size, 'p')));
  const std::string bytes = raw.peer.take();
  std::thread writer([&raw, &bytes] { raw.raw.send(bytes); });
  EXPECT_TRUE(eventually([&] { return queued_max > 128u << 10; }));
  EXPECT_EQ(raw.read_size(count * (payload_size + 4)).size(), count * (payload_size + 4));
  writer.join();
  EXPECT_LE(queued_max, (128u << 10) + payload_size + 4);
  server_.reset();  // before what its handlers refer to
}

TEST_P(TlsOutput, AStalledPeerIsDroppedByItsDeadline) {
  ServerOptions quick = options();
  quick.output_stall_timeout = std::chrono::milliseconds(100);
  make(quick);
  server().route("/", sender(OutputPolicy::refuse));
  start_tls();
  RawTlsClient raw(address());
  ASSERT_TRUE(raw.handshake());
  raw.upgrade();
  EXPECT_TRUE(eventually([this, &raw] {
    if (log_.has("closed output_stall_timeout")) return true;
    raw.send(RawClient::frame(1, "more"));
    return false;
  }));
}

// Fewer blocks than its peers' output needs: they share them, and nothing is lost.
TEST_P(TlsOutput, WaitsForBlocks) {
  ServerOptions little = options();
  little.output_memory_max = 40 * 16384;
  make(little);
  server().route("/", echo());
  start_tls();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      Client client(tls_client_options());
      ASSERT_FALSE(client.connect(tls_url()));
      const std::string text(static_cast<std::size_t>(20'000 + i), static_cast<char>('a' + i));
      for (int round = 0; round < 100; ++round) ASSERT_TRUE(echoed(client, text) == text);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace sansock::test

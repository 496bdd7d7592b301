// What happens to peers that do not read what is sent to them.
#include "server_fixture.h"

namespace sansock::test {
namespace {

constexpr std::size_t chunk_size = 64u << 10;

class OutputPolicy_ : public ServerTest {
 protected:
  // Sends chunks until one is refused or `count` are queued; logs what came of it.
  Route sender(OutputPolicy policy) {
    Route route;
    route.output_policy = policy;
    route.output_high_watermark = 512u << 10;
    route.limits.output_bytes_max = 2u << 20;
    route.on_message = [this](Peer& peer, Message message) {
      const std::string chunk(chunk_size, 'c');
      const int count = std::stoi(std::string(message.text()));
      for (int i = 0; i < count; ++i) {
        const auto error = peer.send(MessageType::binary, as_bytes(chunk));
        if (!error) {
          ++accepted_;
          continue;
        }
        log_.add(error.message() == make_error_code(errc::output_full).message() ? "full" : "other");
        break;
      }
      log_.add(peer.state() == ReadyState::open ? "open" : "not open");
    };
    route.on_drained = [this](Peer& peer) {
      log_.add(peer.output_size() <= 256u << 10 ? "drained" : "drained too early");
    };
    route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
      log_.add("closed " + std::string(name(status.cause)));
    };
    return route;
  }
  // Has the route send more than the kernel's buffers take, and then as much as the limit allows.
  void fill(RawClient& raw) {
    constexpr std::size_t times = 20;
    for (std::size_t i = 1; i <= times; ++i) {
      raw.send(RawClient::frame(1, "1000"));
      ASSERT_TRUE(eventually([this, i] { return log_.count("open") == i; }));
    }
    EXPECT_TRUE(log_.has("full"));
    log_.clear();
  }

  std::atomic<std::size_t> accepted_{0};
};
INSTANTIATE_TEST_SUITE_P(Places, OutputPolicy_, every_place, place_name);

TEST_P(OutputPolicy_, RefuseAtTheLimitAndTellWhenDrained) {
  make();
  server().route("/", sender(OutputPolicy::refuse));
  start();
  RawClient raw(address());
  raw.upgrade();
  fill(raw);
  EXPECT_FALSE(log_.has("drained"));
  const std::size_t total = accepted_ * (chunk_size + 10);  // with 10 bytes of header each
  for (std::size_t size = 0; !log_.has("drained") && size < total; size += chunk_size) raw.read_size(size);
  EXPECT_TRUE(eventually([this] { return log_.has("drained"); }));
  EXPECT_FALSE(log_.has("drained too early"));
  EXPECT_EQ(raw.read_size(total).size(), total);  // everything that was accepted arrives
  EXPECT_EQ(log_.count("drained"), 1u);
  raw.forget();
  raw.send(RawClient::frame(8, ""));
  raw.finish();  // or the server would wait for it until the close deadline
  EXPECT_TRUE(eventually([this] { return log_.has("closed none"); }));
}

TEST_P(OutputPolicy_, DrainedComesAlsoWithoutAFullOutput) {
  make();
  server().route("/", sender(OutputPolicy::refuse));
  start();
  RawClient raw(address());
  raw.upgrade();
  raw.send(RawClient::frame(1, "20"));
  raw.read_size(20 * (chunk_size + 10));
  EXPECT_TRUE(eventually([this] { return log_.has("drained"); }));
  EXPECT_FALSE(log_.has("full"));
}

TEST_P(OutputPolicy_, DropEndsTheConnection) {
  make();
  server().route("/", sender(OutputPolicy::drop));
  server().route("/echo", echo());
  start();
  Client other = connect("/echo");
  RawClient raw(address());
  raw.upgrade();
  raw.send(RawClient::frame(1, "1000"));
  EXPECT_TRUE(eventually([this] { return log_.has("closed output_full"); }));
  EXPECT_TRUE(log_.has("full"));
  EXPECT_TRUE(log_.has("not open"));
  EXPECT_EQ(log_.lines().back(), "closed output_full");
  raw.read_all();
  EXPECT_TRUE(raw.ended());
  EXPECT_EQ(raw.truncated(), over_tls());
  EXPECT_EQ(echoed(other, "alive"), "alive");
}

// An echo to a client that first writes all and then reads all: with pausing nothing is lost, the
// queue stays near the watermark, and reading goes on by itself.
TEST_P(OutputPolicy_, PauseStopsReadingUntilDrained) {
  make();
  std::atomic<std::size_t> queued_max{0};
  Route route;
  route.output_policy = OutputPolicy::pause;
  route.output_high_watermark = 128u << 10;
  route.on_message = [&](Peer& peer, Message message) {
    EXPECT_FALSE(peer.send(message.type, message.bytes));
    queued_max = std::max<std::size_t>(queued_max, peer.output_size());
    EXPECT_FALSE(peer.paused());  // that is for pause()
  };
  server().route("/", route);
  server().route("/echo", echo());
  start();
  RawClient raw(address());
  raw.upgrade();
  Client other = connect("/echo");
  constexpr std::size_t count = 3000;
  std::thread writer([&raw] {
    const std::string payload(8000, 'p');
    for (std::size_t i = 0; i < count; ++i) {
      if (!raw.send(RawClient::frame(2, payload))) return;
    }
  });
  // Nobody reads yet; others are served meanwhile.
  for (int i = 0; i < 50; ++i) EXPECT_EQ(echoed(other, "x"), "x");
  EXPECT_TRUE(eventually([&] { return queued_max > 128u << 10; }));
  const std::string& all = raw.read_size(count * 8004);
  EXPECT_EQ(all.size(), count * 8004);
  writer.join();
  EXPECT_LE(queued_max, (128u << 10) + 8004);
  server_.reset();  // before what its handlers refer to
}

TEST_P(OutputPolicy_, StalledPeerIsDroppedByItsDeadline) {
  ServerOptions quick = options();
  quick.output_stall_timeout = std::chrono::milliseconds(100);
  make(quick);
  server().route("/", sender(OutputPolicy::refuse));
  start();
  RawClient raw(address());
  raw.upgrade();
  // As often as it takes: the kernel's buffers have room for a lot.
  EXPECT_TRUE(eventually([this, &raw] {
    if (log_.has("closed output_stall_timeout")) return true;
    raw.send(RawClient::frame(1, "1000"));
    return false;
  }));
}

}  // namespace
}  // namespace sansock::test

// What only TLS asks of the loops: a server on each loop, and a peer of bare records at the other end.
#include <gtest/gtest.h>

#include "scripted_peer.h"
#include "test_loops.h"
#include "tls_peer.h"
#include "trust.h"

namespace sansock::test {
namespace {

using namespace std::chrono_literals;
using scripted::Handler;

const std::string close_1000 = scripted::close_frame(1000);

template <class Loop>
class TlsLoop : public testing::Test {
 protected:
  explicit TlsLoop(std::size_t zero_copy_min = SIZE_MAX)
      : loop_(LoopOptions{.output_stall_timeout = 10s, .zero_copy_min = zero_copy_min}) {}
  void SetUp() override {
    SANSOCK_SKIP_IF_REFUSED(Loop);
    resources_.config.secure = true;
    resources_.config.timeouts.opening_handshake = 300ms;
    ASSERT_FALSE(loop_.open());
  }
  void start(Handler::Script script = {}) {
    id_ =
        *loop_.add(scripted::make_pair(peer_), Role::server, resources_.config, &record_, std::move(script));
    secure();
  }
  // TCP, where a peer can reset.
  void start_tcp() {
    Socket listener;
    ASSERT_FALSE(listen_tcp({}, listener));
    Socket socket;
    ASSERT_FALSE(connect_tcp({.host = "127.0.0.1", .port = local_address(listener.fd()).port}, socket));
    pollfd readable{.fd = listener.fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&readable, 1, 5000), 1);
    const int accepted = ::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ASSERT_GE(accepted, 0);
    peer_ = scripted::Peer(socket.release());
    id_ = *loop_.add(accepted, Role::server, resources_.config, &record_);
    secure();
  }
  void secure() {
    static const auto server = make_tls_server();
    ASSERT_TRUE(loop_.secure(id_, server->make_engine(resources_.pool)));
  }

  // Another connection is to follow.
  void again() {
    record_ = {};
    tls_ = std::make_unique<TlsPeer>();
    received_.clear();
  }
  void flush() {
    if (const std::string bytes = tls_->take(); !bytes.empty()) peer_.send(bytes);
  }
  void say(std::string_view plaintext) {
    tls_->write(plaintext);
    flush();
  }
  // Takes all that the server has sent.
  void receive() {
    for (std::string bytes = peer_.receive(); !bytes.empty(); bytes = peer_.receive()) {
      tls_->put(bytes);
    }
    if (!tls_->handshake()) return;
    received_ += tls_->read();
  }
  bool shake_hands() {
    return scripted::turn_until(loop_, [this] {
      tls_->handshake();
      flush();
      receive();
      flush();
      return tls_->established();
    });
  }
  void open() {
    ASSERT_TRUE(shake_hands());
    say(scripted::request());
    ASSERT_TRUE(scripted::turn_until(loop_, [this] {
      receive();
      return received_.find("\r\n\r\n") != std::string::npos;
    }));
    received_.clear();
  }
  bool gone(int limit_s = 5) {
    const Instant limit = MonotonicClock::now() + std::chrono::seconds(limit_s);
    while (record_.gone == 0 && MonotonicClock::now() < limit) loop_.turn(10ms);
    return record_.gone != 0;
  }
  // Turns for so long; how many turns that took. One that waits makes one in 20 ms.
  std::uint64_t turns_in(Duration time) {
    const std::uint64_t before = loop_.counters().turns;
    const Instant end = MonotonicClock::now() + time;
    while (MonotonicClock::now() < end) loop_.turn(20ms);
    return loop_.counters().turns - before;
  }
  void with_endpoint(const std::function<void(Endpoint&)>& command) {
    command(loop_.find(id_)->endpoint());
    loop_.touch(id_);
  }
  void reset_during_a_flight(bool paused) {
    SCOPED_TRACE(paused);
    start_tcp();
    open();
    with_endpoint([&](Endpoint& endpoint) {
      EXPECT_FALSE(endpoint.send(std::string(16u << 20, 'z')));
      if (paused) endpoint.pause_input(true);
    });
    EXPECT_LE(turns_in(100ms), 200u);
    EXPECT_EQ(record_.closed, 0);
    EXPECT_FALSE(peer_.receive().empty());
    peer_.reset_connection();
    ASSERT_TRUE(gone());
    // An io_uring may take the error with a send that it keeps until its memory is free, and then all that
    // the receive finds is an end.
    if (record_.cause != errc::tls_truncated || !paused) {
      EXPECT_EQ(record_.cause, errc::transport_error) << name(record_.cause);
    }
    expect_sound_end();
  }
  void expect_sound_end() {
    EXPECT_EQ(record_.closed, 1);
    EXPECT_EQ(record_.gone, 1);
    EXPECT_EQ(loop_.connections(), 0u);
    EXPECT_EQ(resources_.pool.in_use(), 0u);
  }

  // Destroyed in the reverse order: the loop's connections have blocks of the pool.
  scripted::Resources resources_;
  scripted::Record record_;
  Loop loop_;
  ConnectionId id_;
  scripted::Peer peer_;
  std::unique_ptr<TlsPeer> tls_ = std::make_unique<TlsPeer>();
  std::string received_;
};
TYPED_TEST_SUITE(TlsLoop, AllLoops<Handler>, LoopNames);

// All that the peer says last is there at once: a message, Close frame, close_notify, and the FIN behind it.
TYPED_TEST(TlsLoop, FinDirectlyBehindCloseNotifyIsACleanEnd) {
  this->start();
  this->open();
  this->tls_->write(scripted::text_frame("last"));
  this->tls_->write(close_1000);
  this->tls_->close();
  this->flush();
  this->peer_.shut_down_write();
  ASSERT_TRUE(this->gone());
  this->receive();
  EXPECT_EQ(this->record_.messages, std::vector<std::string>{"last"});
  EXPECT_EQ(this->record_.cause, errc::none);
  EXPECT_EQ(this->record_.code, CloseCode::normal);
  EXPECT_EQ(this->received_, std::string("\x88\x02\x03\xe8", 4));
  EXPECT_TRUE(this->tls_->peer_closed());
  this->expect_sound_end();
}

TYPED_TEST(TlsLoop, FinDirectlyBehindTheCloseFrameIsTruncation) {
  this->start();
  this->open();
  this->say(scripted::text_frame("last") + close_1000);
  this->peer_.shut_down_write();
  ASSERT_TRUE(this->gone());
  EXPECT_EQ(this->record_.messages, std::vector<std::string>{"last"});
  EXPECT_EQ(this->record_.cause, errc::tls_truncated);
  this->expect_sound_end();
}

TYPED_TEST(TlsLoop, FinWithoutAnythingIsTruncation) {
  this->start();
  this->open();
  this->peer_.shut_down_write();
  ASSERT_TRUE(this->gone());
  EXPECT_EQ(this->record_.cause, errc::tls_truncated);
  this->expect_sound_end();
}

// Much ciphertext waits for a handler that has paused, and the peer is gone.
TYPED_TEST(TlsLoop, AHangUpBehindMuchInputOfAPausedHandlerDoesNotSpinAndLosesNothing) {
  for (const bool notified : {true, false}) {
    SCOPED_TRACE(notified);
    this->again();
    this->start([](Endpoint& endpoint, const Event& event) {
      if (event.kind == EventKind::data) endpoint.pause_input(true);
      return Verdict::keep;
    });
    this->open();
    constexpr unsigned count = 1000;
    const std::string message(100, 'm');
    for (unsigned i = 0; i < count; ++i) this->tls_->write(scripted::text_frame(message));
    if (notified) this->tls_->close();
    this->flush();
    this->peer_.close();
    EXPECT_LE(this->turns_in(300ms), 30u);
    EXPECT_EQ(this->record_.messages.size(), 1u);
    EXPECT_EQ(this->record_.closed, 0);
    while (this->record_.gone == 0 && !this->HasFailure()) {
      const std::size_t before = this->record_.messages.size();
      this->loop_.find(this->id_)->resume_reading();
      this->loop_.touch(this->id_);
      ASSERT_TRUE(scripted::turn_until(
          this->loop_, [&] { return this->record_.gone != 0 || this->record_.messages.size() > before; }));
    }
    EXPECT_EQ(this->record_.messages, std::vector<std::string>(count, message));
    EXPECT_EQ(this->record_.cause, notified ? errc::eof : errc::tls_truncated);
    this->expect_sound_end();
  }
}

TYPED_TEST(TlsLoop, AHandshakeThatIsNotCompletedIsEndedByItsDeadline) {
  for (int stage = 0; stage < 4; ++stage) {
    SCOPED_TRACE(stage);
    this->again();
    TlsPeer tls;
    tls.handshake();
    const std::string hello = tls.take();
    const Instant begin = MonotonicClock::now();
    this->start();
    if (stage == 1) this->peer_.send(hello.substr(0, 3));
    if (stage == 2) this->peer_.send(hello.substr(0, hello.size() / 2));
    if (stage == 3) this->peer_.send(hello);
    EXPECT_LE(this->turns_in(200ms), 30u);
    EXPECT_EQ(this->record_.closed, 0);
    ASSERT_TRUE(this->gone());
    EXPECT_GE(MonotonicClock::now() - begin, 300ms);
    EXPECT_LT(MonotonicClock::now() - begin, 2s);
    EXPECT_EQ(this->record_.cause, errc::handshake_timeout);
    this->expect_sound_end();
  }
}

// It has TLS, but not the opening handshake of WebSocket: the deadline is one for both, and there is somebody
// to be told.
TYPED_TEST(TlsLoop, TheDeadlineOfTheHandshakeIsNotMovedByTls) {
  this->start();
  ASSERT_TRUE(this->shake_hands());
  EXPECT_LE(this->turns_in(150ms), 30u);
  this->receive();
  EXPECT_EQ(this->received_, "");
  ASSERT_TRUE(scripted::turn_until(this->loop_, [this] {
    this->receive();
    return this->tls_->peer_closed();
  }));
  EXPECT_TRUE(this->received_.starts_with("HTTP/1.1 408 ")) << this->received_;
  EXPECT_LE(this->turns_in(100ms), 30u);
  EXPECT_EQ(this->record_.gone, 0);  // the peer may take its time to leave
  this->tls_->close();
  this->flush();
  this->peer_.shut_down_write();
  ASSERT_TRUE(this->gone());
  EXPECT_EQ(this->record_.cause, errc::handshake_timeout);
  this->expect_sound_end();
}

// A record that was changed. The peer is told, and gets time to read that.
template <class Loop>
class TlsLoopLinger : public TlsLoop<Loop> {
 protected:
  void fail() {
    this->start();
    this->open();
    this->tls_->write(scripted::text_frame("changed"));
    std::string bytes = this->tls_->take();
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    failed_at_ = MonotonicClock::now();
    this->peer_.send(bytes);
    ASSERT_TRUE(scripted::turn_until(this->loop_, [this] {
      this->receive();
      return this->tls_->alert() != -1;
    }));
    EXPECT_EQ(this->tls_->alert(), SSL_AD_BAD_RECORD_MAC);
    EXPECT_EQ(this->record_.closed, 1);
    EXPECT_EQ(this->record_.gone, 0);
    EXPECT_TRUE(this->record_.messages.empty());
  }
  void expect_failed() {
    EXPECT_NE(this->record_.cause, errc::none);
    EXPECT_NE(this->record_.cause, errc::transport_error);
    EXPECT_TRUE(this->record_.messages.empty());
    this->expect_sound_end();
  }
  Instant failed_at_;
};
TYPED_TEST_SUITE(TlsLoopLinger, AllLoops<Handler>, LoopNames);

TYPED_TEST(TlsLoopLinger, EndsWhenThePeerHasLeft) {
  this->fail();
  for (int i = 0; i < 3; ++i) this->peer_.send(std::string(5000, 'x'));
  EXPECT_LE(this->turns_in(100ms), 30u);
  EXPECT_EQ(this->record_.gone, 0);
  this->peer_.shut_down_write();
  ASSERT_TRUE(this->gone());
  EXPECT_LT(MonotonicClock::now() - this->failed_at_, 1500ms);
  this->expect_failed();
}

TYPED_TEST(TlsLoopLinger, EndsWhenThePeerHasClosed) {
  this->fail();
  this->peer_.send(std::string(5000, 'x'));
  this->peer_.close();
  ASSERT_TRUE(this->gone());
  EXPECT_LT(MonotonicClock::now() - this->failed_at_, 1500ms);
  this->expect_failed();
}

TYPED_TEST(TlsLoopLinger, EndsAfterTwoSecondsAndDiscardsMeanwhile) {
  this->fail();
  std::uint64_t turns = 0;
  while (MonotonicClock::now() - this->failed_at_ < 1700ms) {
    this->peer_.send(std::string(100, 'x'));
    turns += this->turns_in(50ms);
    ASSERT_EQ(this->record_.gone, 0);
  }
  EXPECT_LE(turns, 250u);
  ASSERT_TRUE(this->gone());
  EXPECT_GE(MonotonicClock::now() - this->failed_at_, 1990ms);
  EXPECT_LT(MonotonicClock::now() - this->failed_at_, 4s);
  this->expect_failed();
}

TYPED_TEST(TlsLoopLinger, EndsWhenThePeerGoesOnAndOn) {
  this->fail();
  std::size_t sent = 0;
  while (this->record_.gone == 0 && sent < (8u << 20)) {
    this->peer_.send(std::string(16384, 'x'));
    sent += 16384;
    for (int i = 0; i < 3; ++i) this->loop_.turn(Duration::zero());
  }
  EXPECT_GT(sent, 1u << 20);
  EXPECT_LT(sent, 4u << 20);
  this->expect_failed();
}

// The loop ends while one of its connections lingers.
TYPED_TEST(TlsLoop, ALoopThatEndsReleasesWhatLingers) {
  scripted::Resources resources;
  resources.config.secure = true;
  scripted::Record record;
  scripted::Peer peer;
  {
    TypeParam loop;
    ASSERT_FALSE(loop.open());
    const auto id = loop.add(scripted::make_pair(peer), Role::server, resources.config, &record);
    ASSERT_TRUE(id);
    ASSERT_TRUE(loop.secure(*id, make_tls_server()->make_engine(resources.pool)));
    peer.send("GET / HTTP/1.1\r\n\r\n");
    ASSERT_TRUE(scripted::turn_until(loop, [&] { return record.closed == 1; }));
    EXPECT_EQ(record.gone, 0);
  }
  EXPECT_EQ(record.closed, 1);
  EXPECT_EQ(record.gone, 1);
  EXPECT_EQ(resources.pool.in_use(), 0u);
}

// A peer that resets while a flight is under way to it: some of it sent, most of it waiting.
TYPED_TEST(TlsLoop, AResetDuringAFlightEndsTheConnection) {
  this->reset_during_a_flight(false);
  this->again();
  this->reset_during_a_flight(true);
}

// The peer takes what it is sent slowly, and sends as much itself: neither waits for the other for good.
TYPED_TEST(TlsLoop, MuchBothWaysAtOnce) {
  this->resources_.config.timeouts.opening_handshake = 5s;
  this->start([](Endpoint& endpoint, const Event& event) {
    if (event.kind == EventKind::data && event.begin) {
      EXPECT_FALSE(endpoint.send(std::string(100u << 10, 'd')));
    }
    return Verdict::keep;
  });
  this->open();
  constexpr unsigned count = 50;
  const std::string frame = scripted::text_frame(std::string(100, 'u'));
  std::size_t wanted = 0;
  for (unsigned i = 0; i < count; ++i) {
    this->say(frame);
    wanted += (100u << 10) + 10;
    if (i % 5 == 0) this->loop_.turn(Duration::zero());
  }
  EXPECT_TRUE(scripted::turn_until(this->loop_, [&] {
    this->receive();
    return this->received_.size() >= wanted;
  }));
  EXPECT_EQ(this->received_.size(), wanted);
  EXPECT_EQ(this->record_.messages, std::vector<std::string>(count, std::string(100, 'u')));
  this->tls_->close();
  this->flush();
  this->peer_.shut_down_write();
  EXPECT_TRUE(this->gone());
  this->expect_sound_end();
}

#ifdef SANSOCK_WITH_IO_URING
// Ciphertext is lent to the kernel until it says that it is done with it.
class TlsLoopZeroCopy : public TlsLoop<IoUringLoop<Handler>> {
 protected:
  TlsLoopZeroCopy() : TlsLoop(1) {}
};

TEST_F(TlsLoopZeroCopy, AllArrivesAndTheEndIsClean) {
  start_tcp();
  open();
  const std::string big(4u << 20, 'b');
  with_endpoint([&](Endpoint& endpoint) {
    EXPECT_FALSE(endpoint.send(big));
    EXPECT_FALSE(endpoint.close());
  });
  ASSERT_TRUE(scripted::turn_until(loop_, [&] {
    receive();
    return received_.size() >= big.size() + 14;
  }));
  EXPECT_EQ(received_.substr(10), big + std::string("\x88\x02\x03\xe8", 4));
  tls_->write(close_1000);
  tls_->close();
  flush();
  peer_.shut_down_write();
  ASSERT_TRUE(gone());
  receive();
  EXPECT_TRUE(tls_->peer_closed());
  EXPECT_EQ(record_.cause, errc::none);
  expect_sound_end();
}

TEST_F(TlsLoopZeroCopy, AResetDuringAFlightEndsTheConnection) {
  reset_during_a_flight(false);
  again();
  reset_during_a_flight(true);
}
#endif

}  // namespace
}  // namespace sansock::test

// What every loop of many connections does with a peer, whatever system calls it makes.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "loop_scenario.h"
#include "test_loops.h"

namespace {

using namespace sansock;
using scenario::PeerHandler;
using scenario::Record;

// A server on the loop and a raw socket as its peer.
template <class Loop>
class LoopPeer : public testing::Test {
 protected:
  void SetUp() override {
    SANSOCK_SKIP_IF_REFUSED(Loop);
    ASSERT_FALSE(loop_.open());
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    peer_ = Socket(pair[1]);
    id_ = *loop_.add(pair[0], Role::server, setting_.config, record_ = setting_.add_record(false));
  }
  void say(std::string_view text) {
    ASSERT_EQ(::send(peer_.fd(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void open_peer() {
    say("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    ASSERT_TRUE(scenario::turn_until(loop_, [this] { return record_->opened; }));
    drain();
  }
  std::size_t drain() {
    char buffer[65536];
    std::size_t total = 0;
    for (ssize_t got; (got = ::recv(peer_.fd(), buffer, sizeof buffer, 0)) > 0;)
      total += static_cast<std::size_t>(got);
    return total;
  }
  bool ended() {
    return scenario::turn_until(loop_, [this] { return record_->gone; });
  }

  scenario::Setting setting_;
  Loop loop_{LoopOptions{.output_stall_timeout = std::chrono::milliseconds(100)}};
  Socket peer_;
  Record* record_ = nullptr;
  ConnectionId id_;
};

using Loops = test::ManyLoops<PeerHandler>;
TYPED_TEST_SUITE(LoopPeer, Loops, test::LoopNames);

TYPED_TEST(LoopPeer, NoSignalWhenThePeerIsGone) {
  this->open_peer();
  this->peer_.reset();
  std::signal(SIGPIPE, SIG_DFL);  // a SIGPIPE would end this program
  for (int i = 0; i < 4 && this->loop_.find(this->id_) != nullptr; ++i) {
    static_cast<void>(this->loop_.find(this->id_)->endpoint().send("to nobody"));
    this->loop_.touch(this->id_);
    this->loop_.turn(Duration::zero());
  }
  EXPECT_TRUE(this->ended());
  this->setting_.expect_sound();
}

TYPED_TEST(LoopPeer, C4_StalledOutputWaitsWithoutSpinningThenEnds) {
  this->open_peer();
  const std::string big(8u << 20, 'z');
  ASSERT_FALSE(this->loop_.find(this->id_)->endpoint().send(big));
  this->loop_.touch(this->id_);
  const auto turns_before = this->loop_.counters().turns;
  EXPECT_TRUE(this->ended());
  EXPECT_EQ(this->record_->cause, errc::output_stall_timeout);
  EXPECT_LT(this->loop_.counters().turns - turns_before, 30u);  // 100 ms of 20 ms turns, and a few
  this->setting_.expect_sound();
}

TYPED_TEST(LoopPeer, HalfCloseStillDeliversWhatWasAccepted) {
  this->open_peer();
  const std::string big(1u << 20, 'z');
  ASSERT_FALSE(this->loop_.find(this->id_)->endpoint().send(big));
  this->loop_.touch(this->id_);
  this->loop_.turn(Duration::zero());
  ASSERT_EQ(shutdown(this->peer_.fd(), SHUT_WR), 0);
  std::size_t got = 0;
  EXPECT_TRUE(scenario::turn_until(this->loop_, [&] {
    got += this->drain();
    return this->record_->gone;
  }));
  got += this->drain();
  EXPECT_EQ(got, big.size() + 10);
  EXPECT_EQ(this->record_->cause, errc::eof);
}

TYPED_TEST(LoopPeer, PausedInputIsStashedAndGivenLater) {
  this->open_peer();
  this->loop_.find(this->id_)->endpoint().pause_input(true);
  this->loop_.touch(this->id_);
  this->loop_.turn(Duration::zero());
  this->say(std::string("\x81\x82\0\0\0\0hi", 8));
  for (int i = 0; i < 3; ++i) this->loop_.turn(std::chrono::milliseconds(5));
  EXPECT_EQ(this->drain(), 0u);
  this->loop_.find(this->id_)->resume_reading();
  this->loop_.touch(this->id_);
  std::size_t got = 0;
  EXPECT_TRUE(scenario::turn_until(this->loop_, [&] { return (got += this->drain()) == 4; }));
}

TYPED_TEST(LoopPeer, ResetOfAPausedPeerIsNoticed) {
  this->open_peer();
  this->loop_.find(this->id_)->endpoint().pause_input(true);
  this->loop_.touch(this->id_);
  this->loop_.turn(Duration::zero());
  this->peer_.reset();
  EXPECT_TRUE(this->ended());
  this->setting_.expect_sound();
}

TYPED_TEST(LoopPeer, StaleIdsFindNothing) {
  this->open_peer();
  const ConnectionId old = this->id_;
  this->peer_.reset();
  EXPECT_TRUE(this->ended());
  EXPECT_EQ(this->loop_.find(old), nullptr);
  EXPECT_EQ(this->loop_.fd(old), -1);
  this->loop_.touch(old);  // no effect
  this->loop_.turn(Duration::zero());
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  const Socket other(pair[1]);
  const auto id =
      this->loop_.add(pair[0], Role::server, this->setting_.config, this->setting_.add_record(false));
  ASSERT_TRUE(id);
  EXPECT_EQ(id->slot, old.slot);  // the slot is used again, the name is not
  EXPECT_EQ(this->loop_.find(old), nullptr);
  EXPECT_NE(this->loop_.find(*id), nullptr);
}

// A task that takes its time, and behind it, in the same turn, something of the peer's: time does not go
// back for a connection that was flushed in between.
TYPED_TEST(LoopPeer, FlushIsOfTheTimeOfItsTurn) {
  this->open_peer();
  bool flushed = false;
  ASSERT_TRUE(this->loop_.post([&] {
    Endpoint& endpoint = this->loop_.find(this->id_)->endpoint();
    endpoint.pause_input(true);
    endpoint.pause_input(false);  // its deadlines start again with the next time it is told
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    this->loop_.flush(this->id_);
    flushed = true;
  }));
  this->say(std::string_view("\x81\x82\0\0\0\0hi", 8));
  EXPECT_TRUE(scenario::turn_until(this->loop_, [&] { return flushed && this->drain() != 0; }));
  EXPECT_EQ(this->record_->closed, 0);
}

TYPED_TEST(LoopPeer, PostRunsOnTheLoopsThread) {
  std::thread::id ran_on;
  std::thread other([&] { EXPECT_TRUE(this->loop_.post([&] { ran_on = std::this_thread::get_id(); })); });
  other.join();
  EXPECT_TRUE(scenario::turn_until(this->loop_, [&] { return ran_on != std::thread::id{}; }));
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

template <class Loop>
class LoopEnd : public testing::Test {};
TYPED_TEST_SUITE(LoopEnd, Loops, test::LoopNames);

TYPED_TEST(LoopEnd, EndsWhatIsLeftWhenDestroyed) {
  SANSOCK_SKIP_IF_REFUSED(TypeParam);
  scenario::Setting setting;
  Socket peer;
  {
    TypeParam loop;
    ASSERT_FALSE(loop.open());
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    peer = Socket(pair[1]);
    ASSERT_TRUE(loop.add(pair[0], Role::server, setting.config, setting.add_record(false)));
    loop.turn(Duration::zero());
  }
  setting.expect_sound();
  char byte;
  EXPECT_EQ(::recv(peer.fd(), &byte, 1, 0), 0);
}

TYPED_TEST(LoopEnd, ConnectionsOverTheLimitWaitInTheBacklog) {
  SANSOCK_SKIP_IF_REFUSED(TypeParam);
  scenario::Setting setting;
  TypeParam loop(LoopOptions{.connections_max = 1});
  ASSERT_FALSE(loop.open());
  Socket listener;
  const std::uint16_t port = scenario::listen_on(listener);
  ASSERT_FALSE(loop.listen(listener.release(), [&](auto socket) {
    EXPECT_TRUE(loop.add(socket, Role::server, setting.config, setting.add_record(false)));
  }));
  Socket first;
  Socket second;
  ASSERT_FALSE(connect_tcp({.host = "127.0.0.1", .port = port}, first));
  ASSERT_FALSE(connect_tcp({.host = "127.0.0.1", .port = port}, second));
  for (int i = 0; i < 5; ++i) loop.turn(std::chrono::milliseconds(5));
  EXPECT_EQ(loop.connections(), 1u);
  const auto turns = loop.counters().turns;
  loop.turn(std::chrono::milliseconds(20));
  EXPECT_EQ(loop.counters().turns, turns + 1);
  first.reset();
  EXPECT_TRUE(scenario::turn_until(loop, [&] { return loop.counters().accepted == 2; }));
  EXPECT_EQ(loop.connections(), 1u);
}

}  // namespace

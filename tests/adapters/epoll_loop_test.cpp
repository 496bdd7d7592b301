#include "sansock/epoll_loop.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "faults.h"
#include "loop_scenario.h"

namespace {

using namespace sansock;
using faults::Call;
using faults::Fault;
using scenario::PeerHandler;
using scenario::Record;

constexpr unsigned clients = 3;

// Three clients and their servers on one loop. Returns how many clients got all they wanted.
unsigned run_scenario(scenario::Setting& setting) {
  EpollLoop<PeerHandler> loop;
  EXPECT_FALSE(loop.open());
  Socket listener;
  const std::uint16_t port = scenario::listen_on(listener);
  EXPECT_FALSE(loop.listen(listener.release(), [&](int fd) {
    EXPECT_TRUE(loop.add(fd, Role::server, setting.config, setting.add_record(false)));
  }));
  for (unsigned i = 0; i < clients; ++i) {
    Socket socket;
    EXPECT_FALSE(connect_tcp({.host = "127.0.0.1", .port = port}, socket));
    const auto id = loop.add(socket.release(), Role::client, setting.config, setting.add_record(true));
    EXPECT_TRUE(id);
    EXPECT_FALSE(loop.find(*id)->endpoint().connect({.host = "127.0.0.1"}));
  }
  EXPECT_TRUE(scenario::turn_until(
      loop, [&] { return loop.connections() == 0 && loop.counters().accepted == clients; }));
  return setting.completed();
}

TEST(EpollLoop, EchoesAndClosesCleanly) {
  scenario::Setting setting;
  EXPECT_EQ(run_scenario(setting), clients);
  setting.expect_sound();
  EXPECT_EQ(setting.records.size(), 2 * clients);
}

// Faults that lose nothing: everything completes as without them.
class EpollLoopHarmlessFault : public testing::TestWithParam<std::pair<Call, Fault>> {};

TEST_P(EpollLoopHarmlessFault, AtEverySecondCall) {
  scenario::Setting setting;
  const auto [call, fault] = GetParam();
  const faults::Injection injection([call = call, fault = fault](Call used, unsigned nth) {
    return used == call && nth % 2 == 1 ? fault : Fault{};
  });
  EXPECT_EQ(run_scenario(setting), clients);
  EXPECT_GT(injection.uses(call), 0u);
  setting.expect_sound();
}

INSTANTIATE_TEST_SUITE_P(
    Calls, EpollLoopHarmlessFault,
    testing::Values(
        std::pair{Call::recv, Fault{.error = EINTR}}, std::pair{Call::recv, Fault{.error = EAGAIN}},
        std::pair{Call::recv, Fault{.size_max = 1}}, std::pair{Call::sendmsg, Fault{.error = EINTR}},
        std::pair{Call::sendmsg, Fault{.error = EAGAIN}}, std::pair{Call::sendmsg, Fault{.error = ENOBUFS}},
        std::pair{Call::sendmsg, Fault{.size_max = 7}}, std::pair{Call::accept4, Fault{.error = EINTR}},
        std::pair{Call::accept4, Fault{.error = ECONNABORTED}},
        std::pair{Call::accept4, Fault{.error = EMFILE}}, std::pair{Call::accept4, Fault{.error = ENFILE}},
        std::pair{Call::epoll_wait, Fault{.error = EINTR}}, std::pair{Call::poll, Fault{.error = EINTR}},
        std::pair{Call::connect, Fault{.error = EINTR}}, std::pair{Call::getrandom, Fault{.error = EINTR}},
        std::pair{Call::getrandom, Fault{.size_max = 1}}));

// C7: a fault that ends a connection, at the k-th call for every k. It ends that connection, with one
// `closed`, and no other; nothing leaks.
class EpollLoopFatalFault : public testing::TestWithParam<std::pair<Call, int>> {};

TEST_P(EpollLoopFatalFault, C7_AtTheKthCallForAllK) {
  const auto [call, error] = GetParam();
  unsigned uses = 0;
  for (unsigned k = 1;; ++k) {
    SCOPED_TRACE(k);
    scenario::Setting setting;
    const faults::Injection injection([call = call, error = error, k](Call used, unsigned nth) {
      return used == call && nth == k ? Fault{.error = error} : Fault{};
    });
    EXPECT_GE(run_scenario(setting), clients - 1);
    setting.expect_sound();
    uses = injection.uses(call);
    if (k > uses || testing::Test::HasFailure()) break;
  }
  EXPECT_GT(uses, clients);
}

INSTANTIATE_TEST_SUITE_P(Calls, EpollLoopFatalFault,
                         testing::Values(std::pair{Call::recv, ECONNRESET}, std::pair{Call::recv, ETIMEDOUT},
                                         std::pair{Call::sendmsg, EPIPE},
                                         std::pair{Call::sendmsg, ECONNRESET}));

// A server on the loop and a raw socket as its peer.
class EpollLoopPeer : public testing::Test {
 protected:
  void SetUp() override {
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
  EpollLoop<PeerHandler> loop_{LoopOptions{.output_stall_timeout = std::chrono::milliseconds(100)}};
  Socket peer_;
  Record* record_ = nullptr;
  ConnectionId id_;
};

TEST_F(EpollLoopPeer, NoSignalWhenThePeerIsGone) {
  open_peer();
  peer_.reset();
  std::signal(SIGPIPE, SIG_DFL);  // a SIGPIPE would end this program
  for (int i = 0; i < 4 && loop_.find(id_) != nullptr; ++i) {
    static_cast<void>(loop_.find(id_)->endpoint().send("to nobody"));
    loop_.touch(id_);
    loop_.turn(Duration::zero());
  }
  EXPECT_TRUE(ended());
  setting_.expect_sound();
}

TEST_F(EpollLoopPeer, C4_StalledOutputWaitsWithoutSpinningThenEnds) {
  open_peer();
  const std::string big(8u << 20, 'z');
  ASSERT_FALSE(loop_.find(id_)->endpoint().send(big));
  loop_.touch(id_);
  const auto turns_before = loop_.counters().turns;
  EXPECT_TRUE(ended());
  EXPECT_EQ(record_->cause, errc::output_stall_timeout);
  EXPECT_LT(loop_.counters().turns - turns_before, 30u);  // 100 ms of 20 ms turns, and a few
  setting_.expect_sound();
}

TEST_F(EpollLoopPeer, HalfCloseStillDeliversWhatWasAccepted) {
  open_peer();
  const std::string big(1u << 20, 'z');
  ASSERT_FALSE(loop_.find(id_)->endpoint().send(big));
  loop_.touch(id_);
  loop_.turn(Duration::zero());
  ASSERT_EQ(shutdown(peer_.fd(), SHUT_WR), 0);
  std::size_t got = 0;
  EXPECT_TRUE(scenario::turn_until(loop_, [&] {
    got += drain();
    return record_->gone;
  }));
  got += drain();
  EXPECT_EQ(got, big.size() + 10);
  EXPECT_EQ(record_->cause, errc::eof);
}

TEST_F(EpollLoopPeer, PausedInputIsStashedAndGivenLater) {
  open_peer();
  loop_.find(id_)->endpoint().pause_input(true);
  loop_.touch(id_);
  loop_.turn(Duration::zero());
  say(std::string("\x81\x82\0\0\0\0hi", 8));
  for (int i = 0; i < 3; ++i) loop_.turn(std::chrono::milliseconds(5));
  EXPECT_EQ(drain(), 0u);
  loop_.find(id_)->resume_reading();
  loop_.touch(id_);
  std::size_t got = 0;
  EXPECT_TRUE(scenario::turn_until(loop_, [&] { return (got += drain()) == 4; }));
}

TEST_F(EpollLoopPeer, ResetOfAPausedPeerIsNoticed) {
  open_peer();
  loop_.find(id_)->endpoint().pause_input(true);
  loop_.touch(id_);
  loop_.turn(Duration::zero());
  peer_.reset();
  EXPECT_TRUE(ended());
  setting_.expect_sound();
}

TEST_F(EpollLoopPeer, StaleIdsFindNothing) {
  open_peer();
  const ConnectionId old = id_;
  peer_.reset();
  EXPECT_TRUE(ended());
  EXPECT_EQ(loop_.find(old), nullptr);
  EXPECT_EQ(loop_.fd(old), -1);
  loop_.touch(old);  // no effect
  loop_.turn(Duration::zero());
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  const Socket other(pair[1]);
  const auto id = loop_.add(pair[0], Role::server, setting_.config, setting_.add_record(false));
  ASSERT_TRUE(id);
  EXPECT_EQ(id->slot, old.slot);  // the slot is used again, the name is not
  EXPECT_EQ(loop_.find(old), nullptr);
  EXPECT_NE(loop_.find(*id), nullptr);
}

TEST_F(EpollLoopPeer, PostRunsOnTheLoopsThread) {
  std::thread::id ran_on;
  std::thread other([&] { EXPECT_TRUE(loop_.post([&] { ran_on = std::this_thread::get_id(); })); });
  other.join();
  EXPECT_TRUE(scenario::turn_until(loop_, [&] { return ran_on != std::thread::id{}; }));
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(EpollLoop, EndsWhatIsLeftWhenDestroyed) {
  scenario::Setting setting;
  Socket peer;
  {
    EpollLoop<PeerHandler> loop;
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

TEST(EpollLoop, ConnectionsOverTheLimitWaitInTheBacklog) {
  scenario::Setting setting;
  EpollLoop<PeerHandler> loop(LoopOptions{.connections_max = 1});
  ASSERT_FALSE(loop.open());
  Socket listener;
  const std::uint16_t port = scenario::listen_on(listener);
  ASSERT_FALSE(loop.listen(listener.release(), [&](int fd) {
    EXPECT_TRUE(loop.add(fd, Role::server, setting.config, setting.add_record(false)));
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

TEST(EpollLoop, ExhaustedDescriptorsBackOffInsteadOfSpinning) {
  scenario::Setting setting;
  EpollLoop<PeerHandler> loop;
  ASSERT_FALSE(loop.open());
  Socket listener;
  const std::uint16_t port = scenario::listen_on(listener);
  ASSERT_FALSE(loop.listen(listener.release(), [&](int fd) {
    EXPECT_TRUE(loop.add(fd, Role::server, setting.config, setting.add_record(false)));
  }));
  Socket client;
  ASSERT_FALSE(connect_tcp({.host = "127.0.0.1", .port = port}, client));
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = dup(0);  // the lowest free descriptor: nothing at or above it can be had
  ASSERT_GE(next, 0);
  close(next);
  const rlimit none{static_cast<rlim_t>(next), limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto begin = MonotonicClock::now();
  while (MonotonicClock::now() - begin < std::chrono::milliseconds(60))
    loop.turn(std::chrono::milliseconds(60));
  EXPECT_EQ(loop.counters().accept_backoffs, 1u);
  EXPECT_LE(loop.counters().turns, 3u);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(scenario::turn_until(loop, [&] { return loop.counters().accepted == 1; }));
}

// The back-off has passed, but by then there is no room: that must not keep the loop awake.
TEST(EpollLoop, ABackOffThatEndsWithoutRoomDoesNotSpin) {
  scenario::Setting setting;
  setting.config.timeouts.opening_handshake = std::chrono::seconds(30);
  EpollLoop<PeerHandler> loop(LoopOptions{.connections_max = 1});
  ASSERT_FALSE(loop.open());
  Socket listener;
  const std::uint16_t port = scenario::listen_on(listener);
  ASSERT_FALSE(loop.listen(listener.release(), [&](int fd) {
    EXPECT_TRUE(loop.add(fd, Role::server, setting.config, setting.add_record(false)));
  }));
  Socket waiting;
  ASSERT_FALSE(connect_tcp({.host = "127.0.0.1", .port = port}, waiting));
  {
    const faults::Injection injection(
        [](Call call, unsigned) { return call == Call::accept4 ? Fault{.error = EMFILE} : Fault{}; });
    ASSERT_TRUE(scenario::turn_until(loop, [&] { return loop.counters().accept_backoffs == 1; }));
  }
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  Socket peer(pair[1]);
  ASSERT_TRUE(loop.add(pair[0], Role::server, setting.config, setting.add_record(false)));
  const auto turns = loop.counters().turns;
  const auto begin = MonotonicClock::now();
  while (MonotonicClock::now() - begin < std::chrono::milliseconds(200)) {
    loop.turn(std::chrono::milliseconds(100));
  }
  EXPECT_LE(loop.counters().turns - turns, 6u);
  peer.reset();  // there is room again
  EXPECT_TRUE(scenario::turn_until(loop, [&] { return loop.counters().accepted == 1; }));
}

}  // namespace

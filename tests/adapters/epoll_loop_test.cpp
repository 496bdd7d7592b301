#include "sansock/epoll_loop.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "faults.h"
#include "loop_scenario.h"

namespace {

using namespace sansock;
using faults::Call;
using faults::Fault;
using scenario::PeerHandler;
using scenario::Transport;

constexpr unsigned clients = 3;

// Three clients and their servers on one loop. Returns how many clients got all they wanted.
unsigned run_scenario(scenario::Setting& setting) {
  EpollLoop<PeerHandler> loop;
  EXPECT_FALSE(loop.open());
  Socket listener;
  const std::uint16_t port = scenario::listen_on(listener);
  EXPECT_FALSE(loop.listen(listener.release(), [&](int fd) { setting.add(loop, fd, Role::server); }));
  for (unsigned i = 0; i < clients; ++i) {
    Socket socket;
    EXPECT_FALSE(connect_tcp({.host = "127.0.0.1", .port = port}, socket));
    setting.add(loop, socket.release(), Role::client);
  }
  EXPECT_TRUE(scenario::turn_until(
      loop, [&] { return loop.connections() == 0 && loop.counters().accepted == clients; }));
  return setting.completed();
}

class EpollLoopScenario : public testing::TestWithParam<Transport> {};

TEST_P(EpollLoopScenario, EchoesAndClosesCleanly) {
  scenario::Setting setting(GetParam());
  EXPECT_EQ(run_scenario(setting), clients);
  setting.expect_sound();
  EXPECT_EQ(setting.records.size(), 2 * clients);
}

// Each send takes one byte: through the handshakes, and 100 KiB both ways.
TEST_P(EpollLoopScenario, EchoesWhileEverySendTakesOneByte) {
  scenario::Setting setting(GetParam());
  setting.send_long();
  const faults::Injection injection(
      [](Call used, unsigned) { return used == Call::sendmsg ? Fault{.size_max = 1} : Fault{}; });
  EpollLoop<PeerHandler> loop;
  EXPECT_TRUE(scenario::run_over_pair(loop, setting));
  EXPECT_GT(injection.uses(Call::sendmsg), 200u << 10);
  setting.expect_sound();
}

INSTANTIATE_TEST_SUITE_P(Transports, EpollLoopScenario, scenario::all_transports, scenario::transport_name);

// Faults that lose nothing: everything completes as without them.
class EpollLoopHarmlessFault : public testing::TestWithParam<std::tuple<Transport, std::pair<Call, Fault>>> {
};

TEST_P(EpollLoopHarmlessFault, AtEverySecondCall) {
  const auto& [transport, faulty] = GetParam();
  const auto [call, fault] = faulty;
  scenario::Setting setting(transport);
  const std::size_t descriptors = scenario::descriptors();
  const faults::Injection injection([call = call, fault = fault](Call used, unsigned nth) {
    return used == call && nth % 2 == 1 ? fault : Fault{};
  });
  EXPECT_EQ(run_scenario(setting), clients);
  EXPECT_GT(injection.uses(call), 0u);
  setting.expect_sound();
  EXPECT_EQ(scenario::descriptors(), descriptors);
}

INSTANTIATE_TEST_SUITE_P(Calls, EpollLoopHarmlessFault,
                         testing::Combine(scenario::all_transports,
                                          testing::Values(std::pair{Call::recv, Fault{.error = EINTR}},
                                                          std::pair{Call::recv, Fault{.error = EAGAIN}},
                                                          std::pair{Call::recv, Fault{.size_max = 1}},
                                                          std::pair{Call::sendmsg, Fault{.error = EINTR}},
                                                          std::pair{Call::sendmsg, Fault{.error = EAGAIN}},
                                                          std::pair{Call::sendmsg, Fault{.error = ENOBUFS}},
                                                          std::pair{Call::sendmsg, Fault{.size_max = 7}},
                                                          std::pair{Call::accept4, Fault{.error = EINTR}},
                                                          std::pair{Call::accept4,
                                                                    Fault{.error = ECONNABORTED}},
                                                          std::pair{Call::accept4, Fault{.error = EMFILE}},
                                                          std::pair{Call::accept4, Fault{.error = ENFILE}},
                                                          std::pair{Call::epoll_wait, Fault{.error = EINTR}},
                                                          std::pair{Call::poll, Fault{.error = EINTR}},
                                                          std::pair{Call::connect, Fault{.error = EINTR}},
                                                          std::pair{Call::getrandom, Fault{.error = EINTR}},
                                                          std::pair{Call::getrandom, Fault{.size_max = 1}})),
                         scenario::FaultName());

// C7: a fault that ends a connection, at the k-th call for every k. It ends that connection, with one
// `closed`, and no other; nothing leaks.
class EpollLoopFatalFault : public testing::TestWithParam<std::tuple<Transport, std::pair<Call, int>>> {};

TEST_P(EpollLoopFatalFault, C7_AtTheKthCallForAllK) {
  const auto& [transport, fatal] = GetParam();
  const auto [call, error] = fatal;
  unsigned uses = 0;
  for (unsigned k = 1;; ++k) {
    SCOPED_TRACE(k);
    scenario::Setting setting(transport);
    const std::size_t descriptors = scenario::descriptors();
    const faults::Injection injection([call = call, error = error, k](Call used, unsigned nth) {
      return used == call && nth == k ? Fault{.error = error} : Fault{};
    });
    EXPECT_GE(run_scenario(setting), clients - 1);
    setting.expect_sound();
    EXPECT_EQ(scenario::descriptors(), descriptors);
    uses = injection.uses(call);
    if (k > uses || testing::Test::HasFailure()) break;
  }
  EXPECT_GT(uses, clients);
}

INSTANTIATE_TEST_SUITE_P(
    Calls, EpollLoopFatalFault,
    testing::Combine(scenario::all_transports,
                     testing::Values(std::pair{Call::recv, ECONNRESET}, std::pair{Call::recv, ETIMEDOUT},
                                     std::pair{Call::sendmsg, EPIPE}, std::pair{Call::sendmsg, ECONNRESET})),
    scenario::FaultName());

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

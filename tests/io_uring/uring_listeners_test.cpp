// Accepting on an io_uring: while there is no room, while descriptors are exhausted, and when it is
// stopped with an accept under way.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>

#include "ring_peer.h"

namespace {

using namespace sansock;
using ring_faults::Fault;
using ring_faults::Injection;
using ring_faults::Operation;
using ring_faults::Refusals;

// Over direct descriptors and over ordinary ones.
class UringListenersTest : public testing::TestWithParam<bool> {
 protected:
  using Loop = IoUringLoop<scripted::Handler>;

  void SetUp() override { SANSOCK_SKIP_WITHOUT_IO_URING(); }
  static Refusals refusals() { return {.table = GetParam() ? 0 : ENOMEM}; }

  void start(LoopOptions options = {}) {
    loop = std::make_unique<Loop>(options);
    ASSERT_FALSE(loop->open());
    Socket listener;
    ASSERT_FALSE(listen_tcp({}, listener));
    port = local_address(listener.fd()).port;
    ASSERT_FALSE(loop->listen(listener.release(), [this](LoopSocket socket) {
      records.push_back(std::make_unique<scripted::Record>());
      EXPECT_TRUE(loop->add(socket, Role::server, resources.config, records.back().get()));
      if (at_accept) at_accept();
    }));
  }
  Socket dial() {
    Socket socket;
    EXPECT_FALSE(
        connect_tcp({.host = "127.0.0.1", .port = port, .timeout = std::chrono::seconds(5)}, socket));
    return socket;
  }
  bool accepted(std::size_t count) {
    return scripted::turn_until(*loop, [&] { return loop->counters().accepted == count; });
  }
  // Whether the server's end has been closed.
  static bool ended(const Socket& client) {
    pollfd readable{.fd = client.fd(), .events = POLLIN, .revents = 0};
    char byte;
    return ::poll(&readable, 1, 5000) == 1 &&
           ::recvfrom(client.fd(), &byte, 1, MSG_DONTWAIT, nullptr, nullptr) <= 0;
  }
  static int lowest_free() {
    const int fd = dup(0);
    close(fd);
    return fd;
  }

  scripted::Resources resources;
  std::vector<std::unique_ptr<scripted::Record>> records;
  std::function<void()> at_accept;
  std::uint16_t port = 0;
  std::unique_ptr<Loop> loop;
};

INSTANTIATE_TEST_SUITE_P(Descriptors, UringListenersTest, testing::Bool(),
                         [](const auto& given) { return given.param ? "Direct" : "Ordinary"; });

// More clients than are allowed: each is served when there is room, and no turn is made in vain.
TEST_P(UringListenersTest, BeyondTheLimitTheyWait) {
  const Injection injection(refusals());
  start({.connections_max = 2});
  std::vector<Socket> clients;
  for (int i = 0; i < 7; ++i) clients.push_back(dial());
  ASSERT_TRUE(accepted(2));
  scripted::turn_times(*loop, 5);
  const std::uint64_t before = loop->counters().turns;
  loop->turn(std::chrono::milliseconds(50));
  loop->turn(std::chrono::milliseconds(50));
  EXPECT_EQ(loop->counters().turns - before, 2u);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(loop->connections(), std::min<std::size_t>(2, 7 - i));
    clients[i].reset();
    ASSERT_TRUE(accepted(std::min<std::size_t>(7, i + 3)));
    ASSERT_TRUE(
        scripted::turn_until(*loop, [&] { return loop->connections() == std::min<std::size_t>(2, 6 - i); }));
  }
  EXPECT_EQ(loop->counters().accepted, 7u);
}

// Accepting is stopped by what was waiting for room: what was handed out stays open, the rest is closed,
// each of them once.
TEST_P(UringListenersTest, StoppedByAConnectionThatHadWaited) {
  const Injection injection(refusals());
  start({.connections_max = 2});
  std::vector<Socket> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(dial());
  ASSERT_TRUE(accepted(2));
  scripted::turn_times(*loop, 5);
  at_accept = [this] { loop->stop_accepting(); };
  clients[0].reset();
  clients[1].reset();
  ASSERT_TRUE(accepted(3));
  scripted::turn_times(*loop, 5);
  EXPECT_EQ(loop->connections(), 1u);
  // The one that was handed out: it must be served by a descriptor that is still its own.
  const std::string request = scripted::request();
  ASSERT_EQ(::send(clients[2].fd(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  pollfd readable{.fd = clients[2].fd(), .events = POLLIN, .revents = 0};
  scripted::turn_until(*loop, [&] { return ::poll(&readable, 1, 0) == 1; });
  char buffer[512];
  EXPECT_GT(::recvfrom(clients[2].fd(), buffer, sizeof buffer, MSG_DONTWAIT, nullptr, nullptr), 0);
  for (std::size_t i = 3; i < clients.size(); ++i) {
    scripted::turn_times(*loop, 2);
    EXPECT_TRUE(ended(clients[i])) << i;
  }
}

// A table or a limit of descriptors that is used up: a pause, no busy loop, and then it goes on.
TEST_P(UringListenersTest, ExhaustedDescriptorsBackOffInsteadOfSpinning) {
  SANSOCK_SKIP_WITHOUT_ERRORS();
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EBADF, EINVAL}) {
    SCOPED_TRACE(error);
    Injection injection(
        [error](Operation operation, unsigned) {
          return operation == Operation::accept ? Fault{.error = error} : Fault{};
        },
        refusals());
    start();
    const Socket client = dial();
    const Instant begin = MonotonicClock::now();
    while (MonotonicClock::now() - begin < std::chrono::milliseconds(150))
      loop->turn(std::chrono::milliseconds(60));
    EXPECT_GE(loop->counters().accept_backoffs, 1u);
    // An error that may be the connection's alone is tried again, within bounds.
    const unsigned tries = error == EPERM ? 64 : 1;
    EXPECT_LE(injection.uses(Operation::accept), 4 * tries);
    EXPECT_LE(loop->counters().turns, 12 * tries);
    injection.plan({});
    EXPECT_TRUE(accepted(1));
    loop.reset();
  }
}

// The back-off has passed, but by then there is no room: that must not keep the loop awake.
TEST_P(UringListenersTest, ABackOffThatEndsWithoutRoomDoesNotSpin) {
  SANSOCK_SKIP_WITHOUT_ERRORS();
  Injection injection(
      [](Operation operation, unsigned) {
        return operation == Operation::accept ? Fault{.error = EMFILE} : Fault{};
      },
      refusals());
  start({.connections_max = 1});
  const Socket waiting = dial();
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return loop->counters().accept_backoffs == 1; }));
  injection.plan({});
  scripted::Peer peer;
  scripted::Record record;
  ASSERT_TRUE(loop->add(scripted::make_pair(peer), Role::server, resources.config, &record));
  scripted::turn_times(*loop, 3);
  const std::uint64_t before = loop->counters().turns;
  const Instant begin = MonotonicClock::now();
  while (MonotonicClock::now() - begin < std::chrono::milliseconds(250))
    loop->turn(std::chrono::milliseconds(100));
  EXPECT_LE(loop->counters().turns - before, 6u);
  peer.close();  // there is room again
  EXPECT_TRUE(accepted(1));
  loop.reset();  // before what its handlers refer to
}

// With accepts under way, also with no room in the ring for the cancellation: no more are taken.
TEST_P(UringListenersTest, StopWithAnAcceptUnderWay) {
  for (const bool busy : {false, true}) {
    SCOPED_TRACE(busy);
    Refusals refused = refusals();
    refused.submissions_max = 1;
    Injection injection(refused);
    start();
    const Socket served = dial();
    ASSERT_TRUE(accepted(1));
    if (busy) {
      injection.calls([](unsigned) { return EBUSY; });
      scripted::Peer other;
      scripted::Record record;
      // Fills the ring, which hands nothing over.
      ASSERT_TRUE(loop->add(scripted::make_pair(other), Role::server, resources.config, &record));
      scripted::turn_times(*loop, 1);
      loop->stop_accepting();
      scripted::turn_times(*loop, 1);
      injection.calls({});
      other.close();
      scripted::turn_until(*loop, [&] { return record.gone == 1; });
    } else {
      loop->stop_accepting();
    }
    scripted::turn_times(*loop, 10);
    Socket refused_client;
    EXPECT_TRUE(
        connect_tcp({.host = "127.0.0.1", .port = port, .timeout = std::chrono::seconds(1)}, refused_client))
        << "the port still listens";
    EXPECT_EQ(loop->counters().accepted, 1u);
    EXPECT_EQ(loop->connections(), 1u);
    loop.reset();
    EXPECT_TRUE(ended(served));
  }
}

// Accepted by the kernel, and not looked at when the loop ends: no descriptor is left over.
TEST_P(UringListenersTest, WhatWasAcceptedWhenTheLoopEndsIsClosed) {
  // With and without the flags that have the kernel accept only while the loop waits.
  constexpr unsigned lazy =
      IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN;
  for (const unsigned refused : {0u, lazy}) {
    Refusals kind = refusals();
    kind.setup_flags = refused;
    const Injection injection(kind);
    const int before = lowest_free();
    std::vector<Socket> clients;
    start();
    scripted::turn_times(*loop, 3);
    for (int i = 0; i < 4; ++i) clients.push_back(dial());
    loop.reset();
    for (const Socket& client : clients) EXPECT_TRUE(ended(client));
    clients.clear();
    EXPECT_EQ(lowest_free(), before);
  }
}

// And what had waited for room.
TEST_P(UringListenersTest, WhatWaitsWhenTheLoopEndsIsClosed) {
  const Injection injection(refusals());
  const int before = lowest_free();
  std::vector<Socket> clients;
  {
    start({.connections_max = 1});
    for (int i = 0; i < 4; ++i) clients.push_back(dial());
    ASSERT_TRUE(accepted(1));
    scripted::turn_times(*loop, 3);
    loop.reset();
  }
  for (const Socket& client : clients) EXPECT_TRUE(ended(client));
  clients.clear();
  EXPECT_EQ(lowest_free(), before);
}

// A limit of descriptors makes the table smaller than the connections that are allowed. What is left of it
// when it is nearly used up is kept for what the kernel accepts until it is told not to.
TEST_P(UringListenersTest, ATableThatIsUsedUpIsRoomThatIsUsedUp) {
  const Injection injection(refusals());
  constexpr rlim_t table_size = 400;
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few{table_size, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  start();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  std::vector<Socket> clients;
  for (rlim_t i = 0; i < table_size; ++i) {
    clients.push_back(dial());
    loop->turn(Duration::zero());
  }
  scripted::turn_times(*loop, 5);
  const bool direct = loop->connections() < table_size;
  EXPECT_EQ(direct, GetParam());
  const std::uint64_t before = loop->counters().turns;
  loop->turn(std::chrono::milliseconds(50));
  EXPECT_EQ(loop->counters().turns - before, 1u);
  EXPECT_EQ(loop->counters().accept_backoffs, 0u);  // none was lost
  std::size_t closed = 0;
  while (loop->counters().accepted < table_size) {
    clients[closed++].reset();
    ASSERT_TRUE(scripted::turn_until(*loop, [&] { return loop->counters().closed == closed; }));
    scripted::turn_times(*loop, 3);
    ASSERT_LT(closed, table_size);
  }
  EXPECT_LE(closed, 64u);
}

// The entries of the table come back: many more connections one after the other than it has.
TEST_P(UringListenersTest, DescriptorsAreUsedAgain) {
  const Injection injection(refusals());
  start({.connections_max = 1});
  for (std::size_t i = 1; i <= 600; ++i) {
    const Socket client = dial();
    ASSERT_TRUE(accepted(i));
  }
  EXPECT_EQ(loop->counters().accept_backoffs, 0u);
}

// A shutdown is carried out by a thread of the kernel's: what is done to one connection must not come to
// the next one with its number.
TEST_P(UringListenersTest, AShutdownIsOfItsOwnConnection) {
  const Injection injection(refusals());
  start({.connections_max = 4});
  const std::string bad = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";  // refused, with a page
  for (std::size_t i = 0; i < 3000; ++i) {
    const Socket client = dial();
    ASSERT_EQ(::send(client.fd(), bad.data(), bad.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bad.size()));
    char buffer[512];
    ssize_t got = -1;
    ASSERT_TRUE(scripted::turn_until(*loop, [&] {
      got = ::recvfrom(client.fd(), buffer, sizeof buffer, MSG_DONTWAIT, nullptr, nullptr);
      return got >= 0;
    }));
    ASSERT_GT(got, 0) << "no answer to client " << i;
  }
}

}  // namespace

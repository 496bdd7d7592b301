// Accepting when things go wrong.
#include <gtest/gtest.h>

#include "scripted_peer.h"
#include "system_calls.h"
#include "test_loops.h"

namespace {

using namespace sansock;

template <class Loop>
class AcceptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SANSOCK_SKIP_IF_REFUSED(Loop);
    ASSERT_FALSE(loop.open());
    ASSERT_FALSE(listen_tcp({}, listener));
    port = local_address(listener.fd()).port;
  }
  Socket dial() {
    Socket socket;
    EXPECT_FALSE(
        connect_tcp({.host = "127.0.0.1", .port = port, .timeout = std::chrono::seconds(5)}, socket));
    return socket;
  }

  // To the loop it goes, in which every kind of socket has its place.
  template <class Accepted>
  void take(Accepted accepted) {
    EXPECT_TRUE(loop.add(accepted, Role::server, resources.config, &record));
  }

  system_calls::Restore restore;
  scripted::Resources resources;
  scripted::Record record;
  Socket listener;
  std::uint16_t port = 0;
  Loop loop;
};
TYPED_TEST_SUITE(AcceptTest, test::ManyLoops<scripted::Handler>, test::LoopNames);

// With faults of accept4(2), which only this loop calls.
class EpollAcceptTest : public AcceptTest<EpollLoop<scripted::Handler>> {};

// A listener whose accept4 fails for good, with whatever error, must not keep the processor busy.
TEST_F(EpollAcceptTest, NoErrorMakesItSpin) {
  const Socket client = dial();
  ASSERT_FALSE(loop.listen(listener.release(), [](int fd) { Socket accepted(fd); }));
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL, EPERM, EBADF, EOPNOTSUPP, EFAULT}) {
    int calls = 0;
    system_calls::accept4 = [&](int) {
      ++calls;
      errno = error;
      return -1;
    };
    const Instant end = MonotonicClock::now() + std::chrono::milliseconds(150);
    while (MonotonicClock::now() < end) loop.turn(std::chrono::milliseconds(20));
    EXPECT_LE(calls, 64 * 3) << error;
  }
}

// accept(2): errors of the network belong to the connection that was waiting, not to the listener.
TEST_F(EpollAcceptTest, AFailedConnectionDoesNotHoldUpTheNext) {
  const Socket client = dial();
  bool accepted = false;
  ASSERT_FALSE(loop.listen(listener.release(), [&](int fd) {
    Socket socket(fd);
    accepted = true;
  }));
  int calls = 0;
  system_calls::accept4 = [&](int) {
    if (++calls == 2) system_calls::accept4 = nullptr;
    errno = ECONNABORTED;
    return -1;
  };
  loop.turn(std::chrono::seconds(5));
  EXPECT_TRUE(accepted);
  EXPECT_EQ(loop.counters().accept_backoffs, 0u);
}

// The function that takes a connection may stop accepting: it lives on until it has returned.
TYPED_TEST(AcceptTest, AcceptingMayBeStoppedByWhatIsAccepted) {
  const Socket first = this->dial();
  const Socket second = this->dial();
  std::vector<std::string> log;
  const std::string long_text(100, 'x');  // captured by value: would be freed memory
  ASSERT_FALSE(this->loop.listen(this->listener.release(), [this, &log, long_text](auto accepted) {
    this->take(accepted);
    this->loop.stop_accepting();
    log.push_back(long_text);
  }));
  scripted::turn_times(this->loop, 5);
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0], long_text);
}

TYPED_TEST(AcceptTest, AnotherListenerMayBeAddedByWhatIsAccepted) {
  const Socket first = this->dial();
  int taken = 0;
  const std::string long_text(100, 'x');
  std::string seen;
  ASSERT_FALSE(this->loop.listen(this->listener.release(), [&, long_text](auto accepted) {
    this->take(accepted);
    for (int i = 0; i < 8; ++i) {
      Socket more;
      ASSERT_FALSE(listen_tcp({}, more));
      this->port = local_address(more.fd()).port;
      ASSERT_FALSE(this->loop.listen(more.release(), [&](auto other) {
        this->take(other);
        ++taken;
      }));
    }
    seen = long_text;
  }));
  ASSERT_TRUE(scripted::turn_until(this->loop, [&] { return !seen.empty(); }));
  EXPECT_EQ(seen, long_text);
  const Socket second = this->dial();
  EXPECT_TRUE(scripted::turn_until(this->loop, [&] { return taken == 1; }));
}

}  // namespace

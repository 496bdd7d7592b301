// What the loops do with one connection; each test runs over all of them.
#include <gtest/gtest.h>

#include "scripted_peer.h"
#include "system_calls.h"
#include "test_loops.h"

namespace {

using namespace sansock;
using scripted::close_frame;
using scripted::Peer;
using scripted::Record;
using scripted::text_frame;

template <class Loop>
class ChannelTest : public ::testing::Test {
 protected:
  void SetUp() override { SANSOCK_SKIP_IF_REFUSED(Loop); }
  void start(scripted::Handler::Script script, LoopOptions options = {}) {
    loop = std::make_unique<Loop>(options);
    ASSERT_FALSE(loop->open());
    const int fd = scripted::make_pair(peer);
    id = *loop->add(fd, Role::server, resources.config, &record, std::move(script));
  }
  void resume() {
    loop->find(id)->resume_reading();
    loop->touch(id);
  }
  bool wait_for_messages(std::size_t count) {
    return scripted::turn_until(*loop, [&] { return record.messages.size() == count; });
  }
  bool wait_for_end() {
    return scripted::turn_until(*loop, [&] { return record.gone != 0; });
  }

  system_calls::Restore restore;
  scripted::Resources resources;
  Record record;
  Peer peer;
  std::unique_ptr<Loop> loop;
  ConnectionId id;
};

TYPED_TEST_SUITE(ChannelTest, test::AllLoops<scripted::Handler>, test::LoopNames);

// Of the loops that call sendmsg(2) themselves.
template <class Loop>
class ReadinessChannelTest : public ChannelTest<Loop> {};
using ReadinessLoops = ::testing::Types<EpollLoop<scripted::Handler>, BlockingLoop<scripted::Handler>>;
TYPED_TEST_SUITE(ReadinessChannelTest, ReadinessLoops, test::LoopNames);

Verdict pause_at_data(Endpoint&, const Event& event) {
  return event.kind == EventKind::data ? Verdict::pause_reading : Verdict::keep;
}

// A Unix socket reports "hung up" as soon as its peer closes it, however much is still unread.
TYPED_TEST(ChannelTest, APausedConnectionKeepsWhatItsPeerSentBeforeItLeft) {
  this->start(pause_at_data, {.receive_buffer_size = 512});
  this->peer.send(scripted::request());
  ASSERT_TRUE(scripted::turn_until(*this->loop, [&] { return !this->peer.receive().empty(); }));
  this->peer.send(text_frame("one"));
  ASSERT_TRUE(this->wait_for_messages(1));
  this->peer.send(text_frame("two") + close_frame(1001));
  this->peer.close();
  scripted::turn_times(*this->loop, 20);
  ASSERT_EQ(this->record.closed, 0) << "ended while paused: " << name(this->record.cause);
  this->resume();
  ASSERT_TRUE(this->wait_for_messages(2));
  EXPECT_EQ(this->record.messages[1], "two");
  this->resume();
  ASSERT_TRUE(this->wait_for_end());
  EXPECT_EQ(this->record.closed, 1);
  EXPECT_EQ(this->record.code, CloseCode::going_away);
  EXPECT_EQ(this->resources.pool.in_use(), 0u);
}

// Waiting for a paused connection's peer that has left must not keep the processor busy.
TYPED_TEST(ChannelTest, APausedConnectionWhosePeerLeftDoesNotSpin) {
  this->start(pause_at_data);
  this->peer.send(scripted::request() + text_frame("one"));
  ASSERT_TRUE(this->wait_for_messages(1));
  scripted::turn_times(*this->loop, 2);
  ASSERT_FALSE(this->peer.receive().empty());
  this->peer.send(text_frame("two"));
  this->peer.close();
  scripted::turn_times(*this->loop, 5);
  ASSERT_NE(this->loop->find(this->id), nullptr);
  const std::uint64_t before = this->loop->counters().turns;
  const Instant end = MonotonicClock::now() + std::chrono::milliseconds(200);
  while (MonotonicClock::now() < end) this->loop->turn(std::chrono::milliseconds(50));
  EXPECT_LE(this->loop->counters().turns - before, 10u);
}

// With nothing unread there is nothing to wait for.
TYPED_TEST(ChannelTest, C7_APausedConnectionWhosePeerLeftInSilenceEnds) {
  this->start(pause_at_data);
  this->peer.send(scripted::request() + text_frame("one"));
  ASSERT_TRUE(this->wait_for_messages(1));
  scripted::turn_times(*this->loop, 2);
  ASSERT_FALSE(this->peer.receive().empty());
  this->peer.close();
  ASSERT_TRUE(this->wait_for_end());
  EXPECT_EQ(this->record.closed, 1);
  EXPECT_EQ(this->record.cause, errc::eof);
}

// C7: our writes fail with EPIPE when the peer has closed its end, but its Close frame has arrived.
TYPED_TEST(ChannelTest, C7_AFailedWriteDoesNotHideThePeersClose) {
  const auto echo = [](Endpoint& endpoint, const Event& event) {
    if (event.kind == EventKind::data) {
      EXPECT_FALSE(endpoint.send(event.text()));
    }
    return Verdict::keep;
  };
  this->start(echo, {.receive_buffer_size = 512});
  this->peer.send(scripted::request());
  ASSERT_TRUE(scripted::turn_until(*this->loop, [&] { return !this->peer.receive().empty(); }));
  this->peer.send(text_frame(std::string(100, 'a')) + text_frame(std::string(100, 'b')) +
                  text_frame(std::string(100, 'c')) + text_frame(std::string(100, 'd')) +
                  text_frame(std::string(100, 'e')) + text_frame(std::string(100, 'f')) + close_frame(1001));
  this->peer.close();
  ASSERT_TRUE(this->wait_for_end());
  EXPECT_EQ(this->record.messages.size(), 6u);
  EXPECT_EQ(this->record.closed, 1);
  EXPECT_EQ(this->record.code, CloseCode::going_away);
  EXPECT_EQ(this->record.cause, errc::transport_error);
  EXPECT_EQ(this->resources.pool.in_use(), 0u);
}

// A handler that goes on sending as long as the transport takes it, with a peer that reads at that
// speed: others must have their turn. The transport here takes everything, at once.
TYPED_TEST(ReadinessChannelTest, OneConnectionsOutputDoesNotHoldTheTurn) {
  std::vector<std::byte> payload(100, std::byte{'x'});
  const auto refill = [&](Endpoint& endpoint, const Event& event) {
    if (event.kind == EventKind::open || (event.kind == EventKind::sent && event.error == errc::none)) {
      EXPECT_FALSE(endpoint.send_borrowed(MessageType::binary, payload, 1));
    }
    return Verdict::keep;
  };
  this->start(refill);
  int sends = 0;
  system_calls::sendmsg = [&](int, const msghdr& message) -> ssize_t {
    if (++sends > 1000) {
      errno = EAGAIN;
      return -1;
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) size += message.msg_iov[i].iov_len;
    return static_cast<ssize_t>(size);
  };
  this->peer.send(scripted::request());
  bool opened = false;
  for (int i = 0; i < 10 && !opened; ++i) {
    sends = 0;
    this->loop->turn(std::chrono::milliseconds(100));
    opened = sends != 0;
  }
  ASSERT_TRUE(opened);
  EXPECT_LE(sends, 100);
  sends = 0;
  this->loop->turn(std::chrono::seconds(5));  // goes on in the next turn, without waiting
  EXPECT_GT(sends, 0);
  EXPECT_LE(sends, 100);
}

// C4: output waits, and the peer ends both directions without taking it: neither a busy loop nor a wait
// for the stall deadline.
TYPED_TEST(ChannelTest, C4_APeerThatWillTakeNoMoreEndsIt) {
  const auto flood = [](Endpoint& endpoint, const Event& event) {
    const std::string large(1 << 20, 'x');
    if (event.kind == EventKind::open) {
      for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(endpoint.send(large));
      }
    }
    return Verdict::keep;
  };
  for (const bool paused : {false, true}) {
    this->record = {};
    this->start([&](Endpoint& endpoint, const Event& event) {
      flood(endpoint, event);
      return paused && event.kind == EventKind::open ? Verdict::pause_reading : Verdict::keep;
    });
    this->peer.send(scripted::request());
    scripted::turn_times(*this->loop, 10);
    const Driver<scripted::Handler>* const driver = this->loop->find(this->id);
    ASSERT_NE(driver, nullptr);
    ASSERT_GT(driver->endpoint().output_size(), 0u);
    this->peer.shut_down();
    const std::uint64_t before = this->loop->counters().turns;
    ASSERT_TRUE(this->wait_for_end());
    EXPECT_LE(this->loop->counters().turns - before, 10u);
    EXPECT_EQ(this->record.closed, 1);
    EXPECT_EQ(this->resources.pool.in_use(), 0u);
  }
}

// Pausing, resuming and pausing again inside one event, with more input behind it.
TYPED_TEST(ChannelTest, C9_ResumingAndPausingInsideAnEvent) {
  const auto waver = [](Endpoint& endpoint, const Event& event) {
    if (event.kind != EventKind::data) return Verdict::keep;
    endpoint.pause_input(true);
    endpoint.pause_input(false);
    return Verdict::pause_reading;
  };
  this->start(waver);
  this->peer.send(scripted::request() + text_frame("one") + text_frame("two"));
  ASSERT_TRUE(this->wait_for_messages(1));
  this->resume();
  ASSERT_TRUE(this->wait_for_messages(2));
  EXPECT_EQ(this->record.messages, (std::vector<std::string>{"one", "two"}));
}

// Order: what was stashed comes before what arrived during the pause, also while output is waiting.
TYPED_TEST(ChannelTest, TheStashComesFirst) {
  this->start(pause_at_data);
  this->peer.send(scripted::request() + text_frame("1") + text_frame("2") + text_frame("3"));
  ASSERT_TRUE(this->wait_for_messages(1));
  this->peer.send(text_frame("4"));
  for (std::size_t count = 2; count <= 4; ++count) {
    scripted::turn_times(*this->loop, 5);
    ASSERT_EQ(this->record.messages.size(), count - 1);
    this->resume();
    ASSERT_TRUE(this->wait_for_messages(count));
  }
  EXPECT_EQ(this->record.messages, (std::vector<std::string>{"1", "2", "3", "4"}));
}

}  // namespace

// What a connection on an io_uring goes through where the order of completions matters.
#include "sansock/detail/ring_channel.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

#include "ring_peer.h"

namespace {

using namespace sansock;
using ring_faults::Fault;
using ring_faults::Injection;
using ring_faults::Operation;
using scripted::close_frame;
using scripted::text_frame;

// With receives that go on, and as a connection to which much comes.
class RingChannelTest : public RingPeer, public testing::WithParamInterface<std::size_t> {
 protected:
  RingChannelTest() { large_receive_min = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Receives, RingChannelTest, testing::Values(LoopOptions().large_receive_min, 1),
                         [](const auto& given) { return given.param == 1 ? "Large" : "Small"; });

Verdict pause_at_data(Endpoint&, const Event& event) {
  return event.kind == EventKind::data ? Verdict::pause_reading : Verdict::keep;
}

// An error of the transport that the peer knows nothing of: what has arrived is read, and then it ends,
// without a wait for more.
TEST_P(RingChannelTest, C7_AFailedSendEndsIt) {
  SANSOCK_SKIP_WITHOUT_ERRORS();
  for (const bool accepted : {false, true}) {
    record = {};
    const Injection injection([](Operation operation, unsigned nth) {
      return operation == Operation::send && nth == 2 ? Fault{.error = EPIPE} : Fault{};
    });
    accepted ? start_accepted() : start();
    open_peer();
    with_endpoint([](Endpoint& endpoint) { EXPECT_FALSE(endpoint.send("lost")); });
    peer.send(text_frame("one"));
    ASSERT_TRUE(wait_for_end());
    EXPECT_EQ(record.messages, (std::vector<std::string>{"one"}));
    EXPECT_EQ(record.cause, errc::transport_error);
    expect_sound_end();
    loop.reset();
  }
}

// Pausing asks for the receive to be cancelled; what arrives meanwhile is kept, and in order.
TEST_P(RingChannelTest, WhatArrivesWhilePausingIsKept) {
  start(pause_at_data);
  peer.send(scripted::request() + text_frame("1"));
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == 1; }));
  for (int i = 2; i < 8; ++i) {
    peer.send(text_frame(std::to_string(i)));  // before the cancellation was handed over, and after it
    if (i % 2 == 0) scripted::turn_times(*loop, 2);
  }
  EXPECT_EQ(record.messages.size(), 1u);
  for (std::size_t count = 2; count < 8; ++count) {
    resume();
    ASSERT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == count; }));
  }
  EXPECT_EQ(record.messages, (std::vector<std::string>{"1", "2", "3", "4", "5", "6", "7"}));
}

// Paused and resumed again before the cancellation has completed.
TEST_P(RingChannelTest, ResumingOvertakesTheCancellation) {
  start(pause_at_data);
  peer.send(scripted::request());
  for (std::size_t count = 1; count < 20; ++count) {
    peer.send(text_frame("m"));
    ASSERT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == count; }));
    if (count % 3 == 0) scripted::turn_times(*loop, 1);
    resume();
  }
}

// The peer ends its half while the receive is being cancelled for a pause: that it leaves altogether is
// noticed all the same.
TEST_P(RingChannelTest, AnEndThatComesWhilePausingIsNoticed) {
  for (const bool half_first : {false, true}) {
    record = {};
    start(pause_at_data);
    peer.send(scripted::request() + text_frame("1"));
    ASSERT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == 1; }));
    if (half_first) {
      peer.shut_down_write();
      scripted::turn_times(*loop, 5);
      EXPECT_EQ(record.closed, 0);
    }
    peer.receive();
    peer.close();
    ASSERT_TRUE(wait_for_end()) << half_first;
    EXPECT_EQ(record.cause, errc::eof);
    expect_sound_end();
  }
}

TEST_P(RingChannelTest, HalfCloseWhilePausedIsToldAfterResuming) {
  start_accepted(pause_at_data);
  peer.send(scripted::request() + text_frame("1") + text_frame("2"));
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == 1; }));
  peer.shut_down_write();
  scripted::turn_times(*loop, 5);
  EXPECT_EQ(record.closed, 0);
  resume();
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == 2; }));
  EXPECT_EQ(record.closed, 0);
  resume();
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(record.cause, errc::eof);
  expect_sound_end();
}

TEST_P(RingChannelTest, AResetWhilePausedIsNoticed) {
  start_accepted(pause_at_data);
  peer.send(scripted::request() + text_frame("1"));
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == 1; }));
  scripted::turn_times(*loop, 3);
  peer.reset_connection();
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(record.cause, errc::transport_error);
  expect_sound_end();
}

// An error of the watch is none of the connection: it does not begin to read what must wait.
TEST_P(RingChannelTest, AWatchThatFailsIsSetUpAgain) {
  SANSOCK_SKIP_WITHOUT_ERRORS();
  Injection injection([](Operation operation, unsigned nth) {
    return operation == Operation::watch && nth <= 2 ? Fault{.error = ENOMEM} : Fault{};
  });
  start(pause_at_data);
  peer.send(scripted::request() + text_frame("1"));
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return injection.uses(Operation::watch) == 3; }));
  const unsigned receives = injection.uses(Operation::receive);
  peer.receive();
  peer.send(text_frame("2"));
  scripted::turn_times(*loop, 5);
  EXPECT_EQ(injection.uses(Operation::receive), receives);
  resume();
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == 2; }));
}

// Bytes for a connection that has ended: their buffers come back, however many there are.
TEST_P(RingChannelTest, LateInputLosesNoBuffer) {
  constexpr std::size_t rounds = 100;
  // Without the flags that have the kernel receive only while the loop waits.
  const Injection injection({.setup_flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN});
  start({}, {.receive_buffer_size = 512, .connections_max = 8});
  for (std::size_t i = 0; i < rounds; ++i) {
    scripted::Peer late;
    scripted::Record late_record;
    const auto late_id = loop->add(scripted::make_pair(late), Role::server, resources.config, &late_record);
    ASSERT_TRUE(late_id);
    late.send(scripted::request());
    ASSERT_TRUE(scripted::turn_until(*loop, [&] { return !late.receive().empty(); }));
    // Some receives are on their way when the connection is ended.
    late.send(std::string(i % 8 * 512 + 100, 'y'));
    loop->find(*late_id)->endpoint().abort(errc::aborted);
    loop->touch(*late_id);
    ASSERT_TRUE(scripted::turn_until(*loop, [&] { return late_record.gone == 1; }));
  }
  open_peer();
  peer.send(text_frame("still received"));
  EXPECT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == 1; }));
  loop.reset();  // before what its handlers refer to
}

// More input than there are buffers for, on many connections at once.
TEST_P(RingChannelTest, FewBuffersServeMany) {
  constexpr std::size_t count = 64;
  start({}, {.receive_buffer_size = 64, .connections_max = count + 1});
  std::vector<scripted::Peer> peers(count);
  std::vector<scripted::Record> records(count);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(loop->add(scripted::make_pair(peers[i]), Role::server, resources.config, &records[i]));
    std::string input = scripted::request();
    for (int message = 0; message < 50; ++message) input += text_frame(std::string(100, 'm'));
    peers[i].send(input);
  }
  EXPECT_TRUE(scripted::turn_until(*loop, [&] {
    return std::all_of(records.begin(), records.end(),
                       [](const auto& one) { return one.messages.size() == 50; });
  }));
  loop.reset();  // before what its handlers refer to
}

// What the kernel has received is not given back as spare memory while its completion waits behind a
// full ring, which a slow turn might make it look like.
TEST_P(RingChannelTest, AFullRingKeepsWhatWasReceived) {
  constexpr std::size_t count = 24;
  const Injection injection({.submissions_max = 8, .completions_max = 8});
  start();
  bool slow = false;
  const auto sleep_once = [&slow](Endpoint&, const Event& event) {
    if (event.kind != EventKind::data || !slow) return Verdict::keep;
    slow = false;
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    return Verdict::keep;
  };
  std::vector<scripted::Peer> peers(count);
  std::vector<scripted::Record> records(count);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(
        loop->add(scripted::make_pair(peers[i]), Role::server, resources.config, &records[i], sleep_once));
    peers[i].send(scripted::request());
  }
  const auto everybody_has = [&records](std::size_t messages) {
    return std::all_of(records.begin(), records.end(), [messages](const auto& one) {
      return one.closed != 0 || one.messages.size() == messages;
    });
  };
  for (std::size_t round = 1; round <= 8; ++round) {  // has as many buffers posted as are filled at once
    for (const scripted::Peer& one : peers) one.send(text_frame("whole"));
    ASSERT_TRUE(scripted::turn_until(*loop, [&] { return everybody_has(round); }));
  }
  scripted::turn_times(*loop, 3);
  for (const scripted::Peer& one : peers) one.send(text_frame("whole"));
  slow = true;
  // An unbounded turn hands nothing over at its end, which would make room in the ring.
  while (!everybody_has(9)) loop->turn(no_timeout);
  for (const auto& one : records)
    EXPECT_EQ(one.messages, std::vector<std::string>(9, "whole")) << name(one.cause);
  loop.reset();  // before what its handlers refer to
}

// One connection's receive is refused with EINVAL for a reason of its own: receives of others, which go
// on, can still be cancelled.
TEST_P(RingChannelTest, ReceivesOfBothKindsCanBeCancelled) {
  SANSOCK_SKIP_WITHOUT_ERRORS();
  const Injection injection([](Operation operation, unsigned nth) {
    return operation == Operation::receive && nth == 2 ? Fault{.error = EINVAL} : Fault{};
  });
  start();
  open_peer();
  scripted::Peer other;
  scripted::Record other_record;
  ASSERT_TRUE(loop->add(scripted::make_pair(other), Role::server, resources.config, &other_record));
  scripted::turn_times(*loop, 3);
  with_endpoint([](Endpoint& endpoint) { endpoint.abort(errc::aborted); });
  EXPECT_TRUE(wait_for_end());
  other.close();
  EXPECT_TRUE(scripted::turn_until(*loop, [&] { return other_record.gone == 1; }));
  loop.reset();  // before what its handlers refer to
}

// --- output ---------------------------------------------------------------------------------------

Verdict flood(Endpoint& endpoint, const Event& event) {
  if (event.kind == EventKind::open) {
    for (int i = 0; i < 8; ++i) {
      EXPECT_FALSE(endpoint.send(std::string(1 << 20, 'x')));
    }
  }
  return Verdict::keep;
}

// The kernel reads the memory of a send until it completes: an abort must not give it away before. The
// address sanitizer and the pool's count see to that.
TEST_P(RingChannelTest, AbortWhileASendIsUnderWayKeepsItsMemory) {
  for (const bool accepted : {false, true}) {
    record = {};
    accepted ? start_accepted(flood) : start(flood);
    peer.send(scripted::request());
    scripted::turn_times(*loop, 10);
    with_endpoint([](Endpoint& endpoint) {
      EXPECT_GT(endpoint.output_size(), 0u);
      endpoint.abort(errc::aborted);
    });
    ASSERT_TRUE(wait_for_end());
    EXPECT_EQ(record.cause, errc::aborted);
    expect_sound_end();
    loop.reset();
  }
}

TEST_P(RingChannelTest, C4_APeerThatDoesNotReadEndsWithoutSpinning) {
  for (const bool accepted : {false, true}) {
    record = {};
    const LoopOptions options{.output_stall_timeout = std::chrono::milliseconds(100)};
    accepted ? start_accepted(flood, options) : start(flood, options);
    peer.send(scripted::request());
    const std::uint64_t before = loop->counters().turns;
    ASSERT_TRUE(wait_for_end());
    EXPECT_EQ(record.cause, errc::output_stall_timeout);
    EXPECT_LT(loop->counters().turns - before, 60u);
    expect_sound_end();
    loop.reset();
  }
}

// A handler that sends as long as the transport takes it, to a peer that reads as fast: the turn ends.
TEST_P(RingChannelTest, OneConnectionsOutputDoesNotHoldTheTurn) {
  std::vector<std::byte> payload(100 << 10, std::byte{'x'});
  int sent = 0;
  int sent_in_turn = 0;
  const auto refill = [&](Endpoint& endpoint, const Event& event) {
    if (event.kind == EventKind::sent) {
      ++sent;
      ++sent_in_turn;
    }
    const bool more =
        event.kind == EventKind::open || (event.kind == EventKind::sent && event.error == errc::none);
    if (more && sent < 1000) {
      EXPECT_FALSE(endpoint.send_borrowed(MessageType::binary, payload, 1));
    }
    return Verdict::keep;
  };
  start(refill);
  peer.send(scripted::request());
  std::thread reader([this, &payload] { peer.receive_all(1000 * payload.size()); });
  int sent_in_turn_max = 0;
  EXPECT_TRUE(scripted::turn_until(*loop, [&] {
    sent_in_turn_max = std::max(sent_in_turn_max, sent_in_turn);
    sent_in_turn = 0;
    return sent == 1000;
  }));
  reader.join();
  EXPECT_LE(sent_in_turn_max, 100);
  loop.reset();  // before what its handlers refer to
}

// What is said from outside of a turn and leads to an event is told at once, not after the wait.
TEST_P(RingChannelTest, ATurnThatBringsAnEventDoesNotWaitForMore) {
  start(pause_at_data);
  peer.send(scripted::request() + text_frame("1") + text_frame("2"));
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return record.messages.size() == 1; }));
  scripted::turn_times(*loop, 3);
  resume();
  const Instant begin = MonotonicClock::now();
  loop->turn(std::chrono::seconds(10));
  EXPECT_EQ(record.messages.size(), 2u);
  EXPECT_LT(MonotonicClock::now() - begin, std::chrono::seconds(5));
}

// --- zero-copy sends ------------------------------------------------------------------------------

Verdict echo(Endpoint& endpoint, const Event& event) {
  if (event.kind == EventKind::data) {
    EXPECT_FALSE(endpoint.send_part(event.type, event.bytes, event.end));
  }
  return Verdict::keep;
}

// A Unix socket has no zero-copy sends, which only the kernel's answer tells.
TEST_P(RingChannelTest, ZeroCopyIsGivenUpWhereTheSocketHasNone) {
  start(echo, {.zero_copy_min = 1});
  open_peer();
  peer.send(text_frame("one"));
  std::string echoed;
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return (echoed += peer.receive()).size() == 5; }));
  EXPECT_EQ(echoed.substr(2), "one");
}

// Holds the results of zero-copy sends back until after their notifications: each takes the place of a
// completion of the mailbox, so the loop is to be woken.
class ResultsLast {
 public:
  void operator()(io_uring& ring) {
    const unsigned tail = io_uring_smp_load_acquire(ring.cq.ktail);
    for (unsigned i = *ring.cq.khead; i != tail; ++i) {
      io_uring_cqe& cqe = ring.cq.cqes[i & ring.cq.ring_mask];
      const detail::UringTag tag(cqe.user_data);
      if (tag.op() == detail::UringOp::send && (cqe.flags & IORING_CQE_F_MORE) != 0 && tag_ == 0) {
        tag_ = cqe.user_data;
        result_ = cqe.res;
        notified_ = false;
        cqe.user_data = 0;
      } else if ((cqe.flags & IORING_CQE_F_NOTIF) != 0 && cqe.user_data == tag_) {
        notified_ = true;
      } else if (notified_ && tag_ != 0 && tag.op() == detail::UringOp::mailbox) {
        cqe.user_data = tag_;
        cqe.res = result_;
        cqe.flags = IORING_CQE_F_MORE;
        tag_ = 0;
        ++exchanged;
      }
    }
  }
  int exchanged = 0;

 private:
  std::uint64_t tag_ = 0;
  std::int32_t result_ = 0;
  bool notified_ = false;
};

TEST_P(RingChannelTest, ZeroCopyCompletionsInEitherOrder) {
  for (const bool exchanged : {false, true}) {
    record = {};
    ResultsLast results_last;
    Injection injection{ring_faults::Refusals{}};
    if (exchanged) injection.completed(std::ref(results_last));
    start_accepted(echo, {.zero_copy_min = 1});
    peer.send(scripted::request());
    std::string received;
    const auto turn_until_received = [&](std::size_t size) {
      return scripted::turn_until(*loop, [&] {
        loop->wake();
        return (received += peer.receive()).size() >= size;
      });
    };
    ASSERT_TRUE(turn_until_received(1));
    for (int i = 0; i < 50; ++i) {
      peer.send(text_frame("message " + std::to_string(i)));
      const std::size_t wanted = received.size() + 10 + std::to_string(i).size();
      ASSERT_TRUE(turn_until_received(wanted));
      ASSERT_EQ(received.size(), wanted);
    }
    scripted::turn_times(*loop, 3);
    EXPECT_EQ(peer.receive(), "");  // nothing was sent twice
    EXPECT_EQ(results_last.exchanged > 0, exchanged);
    peer.close();
    ASSERT_TRUE(scripted::turn_until(*loop, [&] {
      loop->wake();
      return record.gone != 0;
    }));
    expect_sound_end();
    loop.reset();
  }
}

// Aborted between the result of a zero-copy send and the notification.
TEST_P(RingChannelTest, AbortBetweenTheCompletionsOfAZeroCopySend) {
  bool aborted = false;
  Injection injection{ring_faults::Refusals{}};
  start_accepted(echo, {.zero_copy_min = 1});
  open_peer();
  scripted::turn_times(*loop, 3);
  struct {
    std::uint64_t user_data = 0;
    std::int32_t res = 0;
    std::uint32_t flags = 0;
  } held;
  // The notification is held back: until the abort was made it looks like a completion of nothing.
  injection.completed([&](io_uring& ring) {
    const unsigned tail = io_uring_smp_load_acquire(ring.cq.ktail);
    for (unsigned i = *ring.cq.khead; i != tail; ++i) {
      io_uring_cqe& cqe = ring.cq.cqes[i & ring.cq.ring_mask];
      if (!aborted && (cqe.flags & IORING_CQE_F_NOTIF) != 0) {
        held.user_data = cqe.user_data;
        held.res = cqe.res;
        held.flags = cqe.flags;
        cqe.user_data = 0;
      } else if (aborted && held.user_data != 0) {
        if (detail::UringTag(cqe.user_data).op() != detail::UringOp::mailbox) continue;  // it takes its place
        cqe.user_data = held.user_data;
        cqe.res = held.res;
        cqe.flags = held.flags;
        held.user_data = 0;
      }
    }
  });
  peer.send(text_frame("zero copy"));
  ASSERT_TRUE(scripted::turn_until(*loop, [&] { return held.user_data != 0; }));
  EXPECT_GT(resources.pool.in_use(), 0u);
  with_endpoint([](Endpoint& endpoint) { endpoint.abort(errc::aborted); });
  loop->turn(Duration::zero());
  EXPECT_EQ(record.gone, 0);
  aborted = true;
  ASSERT_TRUE(scripted::turn_until(*loop, [&] {
    loop->wake();
    return record.gone != 0;
  }));
  expect_sound_end();
}

// --- addresses ------------------------------------------------------------------------------------

// with_fd() asks the ring for a descriptor of its own. Where the call fails the operation is carried
// out later, and what it makes then is closed.
TEST_P(RingChannelTest, ADescriptorThatCameTooLateIsClosed) {
  Injection injection{ring_faults::Refusals{}};
  start_accepted();
  if (!direct) GTEST_SKIP() << "this kernel has no direct descriptors that can be asked for";
  open_peer();
  scripted::turn_times(*loop, 2);
  const auto lowest_free = [] {
    const int fd = dup(0);
    close(fd);
    return fd;
  };
  const int before = lowest_free();
  EXPECT_GE(loop->with_fd(id, [](int fd) { return fd; }), 0);
  EXPECT_EQ(lowest_free(), before);
  injection.calls([](unsigned) { return EBUSY; });
  EXPECT_EQ(loop->with_fd(id, [](int fd) { return fd; }), -1);
  injection.calls({});
  scripted::turn_times(*loop, 3);
  EXPECT_EQ(lowest_free(), before);
}

}  // namespace

// The end of an IoUringLoop with operations under way, on its own thread and after it; and what other
// threads do with it meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ring_peer.h"

namespace {

using namespace sansock;

using IoUringLoopEnd = RingPeer;

Verdict flood(Endpoint& endpoint, const Event& event) {
  if (event.kind == EventKind::open) {
    for (int i = 0; i < 8; ++i) {
      EXPECT_FALSE(endpoint.send(std::string(1 << 20, 'x')));
    }
  }
  return Verdict::keep;
}

// Sends, receives and accepts are under way: all of them end, their memory is given back, and the peer
// sees the end.
TEST_F(IoUringLoopEnd, WithOperationsUnderWay) {
  for (const bool accepted : {false, true}) {
    record = {};
    accepted ? start_accepted(flood) : start(flood);
    peer.send(scripted::request());
    scripted::turn_times(*loop, 10);
    EXPECT_GT(resources.pool.in_use(), 0u);
    loop.reset();
    EXPECT_EQ(record.cause, errc::aborted);
    expect_sound_end();
    peer.receive_all(SIZE_MAX);  // up to the end
  }
}

// Without a turn between the commands and the end.
TEST_F(IoUringLoopEnd, WithOperationsPreparedOnly) {
  start(flood);
  loop.reset();
  expect_sound_end();
  Loop never_turned;
  EXPECT_FALSE(never_turned.open());
  Loop never_opened;
}

// The loop's thread has ended, and the kernel has cancelled what it had asked for.
TEST_F(IoUringLoopEnd, AfterItsThread) {
  for (const bool accepted : {false, true}) {
    record = {};
    std::thread owner([&] {
      accepted ? start_accepted(flood) : start(flood);
      peer.send(scripted::request());
      scripted::turn_times(*loop, 10);
    });
    owner.join();
    EXPECT_GT(resources.pool.in_use(), 0u);
    loop.reset();
    expect_sound_end();
    peer.receive_all(SIZE_MAX);
  }
}

// Opened here, turned by another thread, ended here.
TEST_F(IoUringLoopEnd, MadeByOneThreadAndTurnedByAnother) {
  start();
  std::thread owner([&] { open_peer(); });
  owner.join();
  loop.reset();
  expect_sound_end();
}

// As a Client may be used: each turn by another thread, while the former ones live or have ended.
TEST_F(IoUringLoopEnd, ThreadsTakeTurns) {
  for (const bool keep_alive : {false, true}) {
    record = {};
    const auto echo = [](Endpoint& endpoint, const Event& event) {
      if (event.kind == EventKind::data) {
        EXPECT_FALSE(endpoint.send(event.text()));
      }
      return Verdict::keep;
    };
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    const auto in_a_thread = [&](const std::function<void()>& work) {
      std::atomic<bool> done{false};
      threads.emplace_back([&] {
        work();
        done = true;
        done.notify_all();
        if (keep_alive) over.wait(false);
      });
      done.wait(false);
      if (keep_alive) return;
      threads.back().join();
      threads.pop_back();
    };
    in_a_thread([&] { start(echo, {.one_thread = false}); });
    in_a_thread([&] { open_peer(); });
    for (std::size_t i = 1; i < 20; ++i) {
      in_a_thread([&] {
        peer.send(scripted::text_frame("m"));
        std::string echoed;
        EXPECT_TRUE(scripted::turn_until(*loop, [&] { return (echoed += peer.receive()).size() == 3; }));
      });
    }
    bool ran = false;
    in_a_thread([&] {
      EXPECT_TRUE(loop->post([&] { ran = true; }));
      EXPECT_TRUE(scripted::turn_until(*loop, [&] { return ran; }));
    });
    loop.reset();
    expect_sound_end();
    over = true;
    over.notify_all();
    for (std::thread& thread : threads) thread.join();
  }
}

// post() and wake() from many threads while the loop sleeps: each task is run once, none is late.
TEST_F(IoUringLoopEnd, PostFromOtherThreads) {
  constexpr int threads_count = 4;
  constexpr int posts = 500;
  start();
  int runs = 0;
  std::atomic<int> posted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_count; ++i) {
    threads.emplace_back([&] {
      for (int post = 0; post < posts; ++post) {
        EXPECT_TRUE(loop->post([&runs] { ++runs; }));
        ++posted;
        if (post % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  while (runs != threads_count * posts) {
    const Instant begin = MonotonicClock::now();
    loop->turn(std::chrono::seconds(20));
    ASSERT_LT(MonotonicClock::now() - begin, std::chrono::seconds(15)) << "a post did not wake the loop";
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(posted, threads_count * posts);
}

// Posted before the first turn, and where the mailbox could not be watched at first.
TEST_F(IoUringLoopEnd, PostIsSeenThoughTheMailboxCouldNotBeWatched) {
  ring_faults::Injection injection({.submissions_max = 1});
  start();
  injection.calls([](unsigned nth) { return nth == 1 ? EBUSY : 0; });  // where it finds no room
  bool ran = false;
  ASSERT_TRUE(loop->post([&ran] { ran = true; }));
  const Instant begin = MonotonicClock::now();
  for (int i = 0; i < 20 && !ran; ++i) loop->turn(std::chrono::seconds(3));
  EXPECT_TRUE(ran);
  EXPECT_LT(MonotonicClock::now() - begin, std::chrono::seconds(2));
}

TEST_F(IoUringLoopEnd, WhatIsPostedAtTheEndIsDropped) {
  start();
  loop->post([] { ADD_FAILURE() << "run by an ended loop"; });
  loop.reset();
}

TEST_F(IoUringLoopEnd, ManyConnections) {
  constexpr std::size_t count = 300;
  std::vector<scripted::Peer> peers(count);
  std::vector<scripted::Record> records(count);
  start();
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(loop->add(scripted::make_pair(peers[i]), Role::server, resources.config, &records[i]));
    peers[i].send(scripted::request());
  }
  scripted::turn_times(*loop, 2);
  loop.reset();
  for (const auto& one : records) {
    EXPECT_EQ(one.closed, 1);
    EXPECT_EQ(one.gone, 1);
  }
  expect_sound_end();
}

}  // namespace

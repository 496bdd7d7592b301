#include "sansock/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>

namespace {

using sansock::Mailbox;

bool is_readable(int fd) {
  pollfd wait{fd, POLLIN, 0};
  return poll(&wait, 1, 0) == 1;
}

TEST(Mailbox, RunsTasksInOrderAndOnlyThoseOfBefore) {
  Mailbox mailbox;
  ASSERT_FALSE(mailbox.open());
  std::string order;
  EXPECT_TRUE(mailbox.post([&] {
    order += 'a';
    EXPECT_TRUE(mailbox.post([&] { order += 'c'; }));
  }));
  EXPECT_TRUE(mailbox.post([&] { order += 'b'; }));
  EXPECT_TRUE(is_readable(mailbox.fd()));
  mailbox.run();
  EXPECT_EQ(order, "ab");
  EXPECT_TRUE(is_readable(mailbox.fd()));
  mailbox.run();
  EXPECT_EQ(order, "abc");
  EXPECT_FALSE(is_readable(mailbox.fd()));
}

TEST(Mailbox, WakeMakesItReadable) {
  Mailbox mailbox;
  ASSERT_FALSE(mailbox.open());
  mailbox.wake();
  EXPECT_TRUE(is_readable(mailbox.fd()));
  mailbox.run();
  EXPECT_FALSE(is_readable(mailbox.fd()));
}

TEST(Mailbox, RefusesTasksBeforeOpenAndAfterClose) {
  Mailbox mailbox;
  EXPECT_FALSE(mailbox.post([] {}));
  ASSERT_FALSE(mailbox.open());
  const auto owned = std::make_shared<int>(1);
  EXPECT_TRUE(mailbox.post([owned] { ADD_FAILURE() << "a dropped task ran"; }));
  mailbox.close();
  EXPECT_EQ(owned.use_count(), 1);
  EXPECT_FALSE(mailbox.post([] {}));
  mailbox.run();
}

TEST(Mailbox, LosesNothingFromManyThreads) {
  Mailbox mailbox;
  ASSERT_FALSE(mailbox.open());
  constexpr int threads = 4;
  constexpr int posts = 5000;
  int ran = 0;
  {
    std::vector<std::jthread> posters;
    for (int t = 0; t < threads; ++t) {
      posters.emplace_back([&] {
        for (int i = 0; i < posts; ++i) EXPECT_TRUE(mailbox.post([&] { ++ran; }));
      });
    }
    while (ran < threads * posts) {
      pollfd wait{mailbox.fd(), POLLIN, 0};
      ASSERT_EQ(poll(&wait, 1, 5000), 1);
      mailbox.run();
    }
  }
  EXPECT_EQ(ran, threads * posts);
}

}  // namespace

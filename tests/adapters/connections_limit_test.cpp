#include "connections_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <limits>

namespace sansock {
namespace {

TEST(ConnectionsLimit, LeavesDescriptorsToTheApplication) {
  EXPECT_EQ(connections_limit(1024, 1), 960u);
  EXPECT_EQ(connections_limit(4096, 1), 3968u);
  EXPECT_EQ(connections_limit(20'000, 1), 19'375u);
  EXPECT_EQ(connections_limit(20'000, 2), 9687u);
}

TEST(ConnectionsLimit, IsAtLeastOneAndNeverWithoutBound) {
  EXPECT_EQ(connections_limit(0, 1), 1u);
  EXPECT_EQ(connections_limit(1, 2), 1u);
  EXPECT_EQ(connections_limit(20, 1), 10u);
  EXPECT_EQ(connections_limit(std::numeric_limits<std::uint64_t>::max(), 1), 1'000'000u);
  EXPECT_EQ(connections_limit(1u << 30, 1), 1'000'000u);
}

TEST(ConnectionsLimit, IsThatOfTheProcess) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(connections_limit(Adapter::epoll), connections_limit(limit.rlim_cur, 1));
  EXPECT_EQ(connections_limit(Adapter::blocking), connections_limit(limit.rlim_cur, 2));
}

}  // namespace
}  // namespace sansock

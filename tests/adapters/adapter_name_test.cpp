#include <gtest/gtest.h>

#include "sansock/io_uring_support.h"
#include "sansock/server.h"

namespace sansock {
namespace {

TEST(AdapterName, AreThoseOfTheCommandLine) {
  EXPECT_EQ(name(Adapter::automatic), "automatic");
  EXPECT_EQ(name(Adapter::epoll), "epoll");
  EXPECT_EQ(name(Adapter::blocking), "blocking");
  EXPECT_EQ(name(Adapter::io_uring), "io_uring");
}

TEST(AdapterName, AutomaticIsOneThatIsThere) {
  EXPECT_EQ(resolve_adapter(Adapter::automatic), io_uring_support() ? Adapter::epoll : Adapter::io_uring);
  EXPECT_EQ(resolve_adapter(Adapter::epoll), Adapter::epoll);
  EXPECT_EQ(resolve_adapter(Adapter::blocking), Adapter::blocking);
  EXPECT_EQ(resolve_adapter(Adapter::io_uring), Adapter::io_uring);
}

}  // namespace
}  // namespace sansock

#include <gtest/gtest.h>

#include "sansock/server.h"

namespace sansock {
namespace {

TEST(AdapterName, AreThoseOfTheCommandLine) {
  EXPECT_EQ(name(Adapter::automatic), "automatic");
  EXPECT_EQ(name(Adapter::epoll), "epoll");
  EXPECT_EQ(name(Adapter::blocking), "blocking");
}

TEST(AdapterName, AutomaticIsOneThatIsThere) {
  EXPECT_EQ(resolve_adapter(Adapter::automatic), Adapter::epoll);
  EXPECT_EQ(resolve_adapter(Adapter::epoll), Adapter::epoll);
  EXPECT_EQ(resolve_adapter(Adapter::blocking), Adapter::blocking);
}

}  // namespace
}  // namespace sansock

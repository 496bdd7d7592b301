#include "options.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace {

TEST(Options, ParsesTargets) {
  const load::Target target = load::parse_target("ws://localhost:9001/chat?a=b");
  EXPECT_TRUE(target.websocket);
  EXPECT_EQ(target.authority, "localhost:9001");
  EXPECT_EQ(target.path, "/chat?a=b");
  EXPECT_EQ(ntohs(target.address.sin_port), 9001);
  EXPECT_EQ(ntohl(target.address.sin_addr.s_addr), INADDR_LOOPBACK);
  EXPECT_FALSE(load::parse_target("tcp://127.0.0.2:1").websocket);
  EXPECT_EQ(load::parse_target("ws://127.0.0.1:80").path, "/");
}

TEST(Options, RefusesOtherTargets) {
  for (const char* url :
       {"", "ws://", "ws://127.0.0.1", "wss://127.0.0.1:1/", "http://127.0.0.1:1/", "ws://127.0.0.1:65536/",
        "ws://127.0.0.1:/", "ws://127.0.0.1:1x/", "ws://example:80/"}) {
    EXPECT_THROW(load::parse_target(url), std::invalid_argument) << url;
  }
}

TEST(Options, ParsesListsOfCpus) {
  EXPECT_EQ(load::parse_cpus(""), (std::vector<int>{}));
  EXPECT_EQ(load::parse_cpus("1"), (std::vector<int>{1}));
  EXPECT_EQ(load::parse_cpus("0,2-4"), (std::vector<int>{0, 2, 3, 4}));
  for (const char* list : {"a", "1-", "3-1", "1,,2", "-1"}) {
    EXPECT_THROW(load::parse_cpus(list), std::invalid_argument) << list;
  }
}

}  // namespace

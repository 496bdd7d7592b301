#include <gtest/gtest.h>

#include "sansock/server.h"

namespace sansock {
namespace {

TEST(Decision, KeepsWhatItWasGiven) {
  const Decision accept = Decision::accept("chat", {{"X-A", "1"}});
  EXPECT_EQ(accept.kind, Decision::Kind::accept);
  EXPECT_EQ(accept.text, "chat");
  EXPECT_EQ(accept.headers.size(), 1u);
  const Decision reject = Decision::reject(401, "who are you", {{"WWW-Authenticate", "Basic"}});
  EXPECT_EQ(reject.kind, Decision::Kind::reject);
  EXPECT_EQ(reject.status, 401);
  EXPECT_EQ(reject.text, "who are you");
  EXPECT_EQ(reject.headers.size(), 1u);
  EXPECT_EQ(Decision::later().kind, Decision::Kind::later);
}

}  // namespace
}  // namespace sansock

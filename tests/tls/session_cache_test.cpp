#include "session_cache.h"

#include <gtest/gtest.h>

#include <cstring>

namespace sansock::test {
namespace {

class TlsSessionCache_ : public ::testing::Test {
 protected:
  // A session that can be told from others by its identifier.
  boringssl::Session make(int number, bool tls_1_3 = false) {
    boringssl::Session session(SSL_SESSION_new(context_.get()));
    SSL_SESSION_set_protocol_version(session.get(), tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_SESSION_set1_id(session.get(), reinterpret_cast<const std::uint8_t*>(&number), sizeof number);
    return session;
  }
  // -1: there is none.
  int take(const std::string& host) {
    const boringssl::Session session = cache_.take(host);
    if (session == nullptr) return -1;
    unsigned size = 0;
    int number = 0;
    const std::uint8_t* const id = SSL_SESSION_get_id(session.get(), &size);
    EXPECT_EQ(size, sizeof number);
    std::memcpy(&number, id, sizeof number);
    return number;
  }

  boringssl::Context context_{SSL_CTX_new(TLS_method())};
  TlsSessionCache cache_;
};

TEST_F(TlsSessionCache_, IsEmptyAtFirst) { EXPECT_EQ(take("a"), -1); }

TEST_F(TlsSessionCache_, GivesSessionsOfTls12AgainAndAgain) {
  cache_.put("a", make(1));
  EXPECT_EQ(take("a"), 1);
  EXPECT_EQ(take("a"), 1);
  EXPECT_EQ(take("b"), -1);
}

TEST_F(TlsSessionCache_, GivesSessionsOfTls13OnceNewestFirst) {
  cache_.put("a", make(1, true));
  cache_.put("a", make(2, true));
  EXPECT_EQ(take("a"), 2);
  EXPECT_EQ(take("a"), 1);
  EXPECT_EQ(take("a"), -1);
  cache_.put("a", make(3, true));
  EXPECT_EQ(take("a"), 3);
}

TEST_F(TlsSessionCache_, KeepsTheNewestFourOfAHost) {
  for (int i = 1; i <= 10; ++i) cache_.put("a", make(i, true));
  for (const int expected : {10, 9, 8, 7, -1}) EXPECT_EQ(take("a"), expected);
}

TEST_F(TlsSessionCache_, KeepsSoManyHosts) {
  constexpr int hosts_max = 256;
  for (int i = 0; i < 3 * hosts_max; ++i) cache_.put("host " + std::to_string(i), make(i, true));
  int there = 0;
  for (int i = 0; i < 3 * hosts_max; ++i) there += take("host " + std::to_string(i)) == i;
  EXPECT_EQ(there, hosts_max);
  cache_.put("last", make(7, true));
  EXPECT_EQ(take("last"), 7);
}

}  // namespace
}  // namespace sansock::test

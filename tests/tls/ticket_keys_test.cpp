// The keys of tickets in virtual time.
#include "ticket_keys.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace sansock::test {
namespace {

using std::chrono::seconds;

constexpr Instant start{seconds(1'000'000)};
constexpr Duration lifetime = seconds(100);
constexpr Duration least{1};

using KeyName = std::array<std::uint8_t, 16>;

class TicketKeys_ : public ::testing::Test {
 protected:
  TicketKeys_() { keys_.set_lifetime(lifetime); }

  // The name of the key that a ticket of this time is made with.
  KeyName make(Instant now) {
    KeyName name{};
    std::array<std::uint8_t, EVP_MAX_IV_LENGTH> iv{};
    EXPECT_EQ(use(name, iv, true, now), 1);
    return name;
  }
  // 0: unknown; 1: opened; 2: opened, and to be renewed.
  int open(KeyName name, Instant now) {
    std::array<std::uint8_t, EVP_MAX_IV_LENGTH> iv{};
    return use(name, iv, false, now);
  }

  TicketKeys keys_;

 private:
  int use(KeyName& name, std::array<std::uint8_t, EVP_MAX_IV_LENGTH>& iv, bool encrypt, Instant now) {
    const bssl::ScopedEVP_CIPHER_CTX cipher;
    const bssl::ScopedHMAC_CTX hmac;
    return keys_.use(name.data(), iv.data(), const_cast<EVP_CIPHER_CTX*>(cipher.get()),
                     const_cast<HMAC_CTX*>(hmac.get()), encrypt, now);
  }
};

TEST_F(TicketKeys_, AreTheSameForOneLifetime) {
  const KeyName first = make(start);
  EXPECT_EQ(make(start + lifetime - least), first);
  EXPECT_EQ(open(first, start + lifetime - least), 1);
  EXPECT_NE(make(start + lifetime), first);
}

TEST_F(TicketKeys_, OpenForAnotherLifetimeAndRenew) {
  const KeyName first = make(start);
  const KeyName second = make(start + lifetime);
  EXPECT_EQ(open(first, start + lifetime), 2);
  EXPECT_EQ(open(second, start + lifetime), 1);
  EXPECT_EQ(open(first, start + 2 * lifetime - least), 2);
  EXPECT_EQ(open(first, start + 2 * lifetime), 0);
  EXPECT_EQ(open(second, start + 2 * lifetime), 2);
}

TEST_F(TicketKeys_, AreForgottenAfterTwoLifetimesWithoutUse) {
  const KeyName first = make(start);
  EXPECT_EQ(open(first, start + 2 * lifetime), 0);
  const KeyName second = make(start + 10 * lifetime);
  EXPECT_NE(second, first);
  EXPECT_EQ(open(first, start + 10 * lifetime), 0);
  EXPECT_EQ(open(second, start + 10 * lifetime), 1);
}

TEST_F(TicketKeys_, ThatNobodyMadeAreUnknown) { EXPECT_EQ(open(KeyName{}, start), 0); }

TEST_F(TicketKeys_, LiveAsLongAsIsSetLast) {
  const KeyName first = make(start);
  keys_.set_lifetime(2 * lifetime);
  EXPECT_EQ(make(start + 2 * lifetime - least), first);
  keys_.set_lifetime(lifetime);
  EXPECT_NE(make(start + 2 * lifetime - least), first);
  EXPECT_EQ(open(first, start + 2 * lifetime - least), 2);
}

}  // namespace
}  // namespace sansock::test

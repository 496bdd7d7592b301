#include "sansock/os_entropy.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>

#include "faults.h"

namespace {

using sansock::OsEntropy;

using Key = std::array<unsigned char, 16>;

Key draw(OsEntropy& entropy) {
  Key key;
  entropy.fill(std::as_writable_bytes(std::span(key)));
  return key;
}

TEST(OsEntropy, M1_KeysAreDistinctAndUseEveryByteValue) {
  OsEntropy entropy;
  std::set<Key> keys;
  std::array<int, 256> counts{};
  for (int i = 0; i < 4096; ++i) {
    const Key key = draw(entropy);
    EXPECT_TRUE(keys.insert(key).second);
    for (const unsigned char byte : key) ++counts[byte];
  }
  // 65,536 bytes, 256 of each value expected with a standard deviation of 16: ten of them.
  for (const int count : counts) EXPECT_NEAR(count, 256, 160);
}

TEST(OsEntropy, M1_AChildDoesNotRepeatItsParent) {
  OsEntropy entropy;
  draw(entropy);  // there is a batch that a child could inherit
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const Key key = draw(entropy);
    _exit(write(ends[1], key.data(), key.size()) == static_cast<ssize_t>(key.size()) ? 0 : 1);
  }
  const Key ours = draw(entropy);
  Key theirs{};
  ASSERT_EQ(read(ends[0], theirs.data(), theirs.size()), static_cast<ssize_t>(theirs.size()));
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(ours, theirs);
  EXPECT_NE(theirs, Key{});
  close(ends[0]);
  close(ends[1]);
}

TEST(OsEntropy, CarriesOnAfterInterruptsAndShortReads) {
  const faults::Injection injection([](faults::Call call, unsigned nth) {
    if (call != faults::Call::getrandom) return faults::Fault{};
    return nth % 2 == 1 ? faults::Fault{.error = EINTR} : faults::Fault{.size_max = 100};
  });
  OsEntropy entropy;
  const Key first = draw(entropy);
  EXPECT_NE(first, draw(entropy));
  EXPECT_GT(injection.uses(faults::Call::getrandom), 40u);
}

TEST(OsEntropyDeathTest, WithoutASourceItEndsTheProcess) {
  EXPECT_DEATH(
      {
        const faults::Injection injection(
            [](faults::Call, unsigned) { return faults::Fault{.error = ENOSYS}; });
        OsEntropy entropy;
        draw(entropy);
      },
      "getrandom failed");
}

}  // namespace

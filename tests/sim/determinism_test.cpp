// A seed is enough to have everything again.
#include <gtest/gtest.h>

#include "runner.h"
#include "sansock/tls.h"

namespace sansock::sim {
namespace {

TEST(Determinism, TheSameSeedGivesTheSameTrace) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const SeedResult first = run_seed(seed);
    const SeedResult second = run_seed(seed);
    ASSERT_EQ(first.hash, second.hash) << "seed " << seed;
    ASSERT_EQ(first.stats.turns, second.stats.turns) << "seed " << seed;
  }
}

// Its ciphertext is another one each time.
TEST(Determinism, SoDoSeedsWithTls) {
  if (!tls_built_in()) GTEST_SKIP() << "there is no TLS";
  int seen = 0;
  for (std::uint64_t seed = 1'000; seen < 50; ++seed) {
    if (!draw_knobs(seed).tls) continue;
    ++seen;
    ASSERT_EQ(run_seed(seed).hash, run_seed(seed).hash) << "seed " << seed;
  }
}

TEST(Determinism, AnotherSeedGivesAnotherTrace) { EXPECT_NE(run_seed(1).hash, run_seed(2).hash); }

// In how many processes they run does not matter.
TEST(Determinism, ProcessesDoNotMatter) {
  const RunResult one = run_seeds({.from = 5'000, .seeds = 60, .jobs = 1});
  const RunResult three = run_seeds({.from = 5'000, .seeds = 60, .jobs = 3});
  EXPECT_FALSE(one.failed);
  EXPECT_EQ(one.stats.seeds, 60u);
  EXPECT_EQ(one.hash, three.hash);
  EXPECT_EQ(one.stats.messages, three.stats.messages);
}

}  // namespace
}  // namespace sansock::sim

#include "histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

namespace {

using load::Histogram;

TEST(Histogram, AnEmptyOneHasZeros) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.percentile(50), 0u);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 200; ++value) histogram.record(value);
  EXPECT_EQ(histogram.count(), 200u);
  EXPECT_EQ(histogram.percentile(0), 1u);
  EXPECT_EQ(histogram.percentile(0.5), 1u);
  EXPECT_EQ(histogram.percentile(50), 100u);
  EXPECT_EQ(histogram.percentile(99), 198u);
  EXPECT_EQ(histogram.percentile(99.9), 200u);
  EXPECT_EQ(histogram.percentile(100), 200u);
  EXPECT_DOUBLE_EQ(histogram.mean(), 100.5);
}

// Each bound of a bucket alone: what comes back is not below the value and less than 1 % above it,
// although a larger value is there too.
TEST(Histogram, AnyValueComesBackWithinOnePercent) {
  for (unsigned bit = 0; bit < 39; ++bit) {
    for (const std::uint64_t near : {0u, 1u, 2u, 63u, 64u, 127u, 128u}) {
      for (const bool below : {false, true}) {
        const std::uint64_t power = std::uint64_t{1} << bit;
        if (below && near > power) continue;
        const std::uint64_t value = below ? power - near : power + near;
        Histogram histogram;
        histogram.record(value);
        histogram.record((std::uint64_t{1} << 40) - 1);
        EXPECT_GE(histogram.percentile(50), value);
        EXPECT_LE(static_cast<double>(histogram.percentile(50)), static_cast<double>(value) * 1.01);
      }
    }
  }
}

TEST(Histogram, PercentilesAgreeWithSortedValues) {
  std::mt19937_64 random(7);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t value = random() >> (24 + random() % 40);
    values.push_back(value);
    histogram.record(value);
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<std::size_t>(percent / 100 * static_cast<double>(values.size())) - 1;
    const double exact = static_cast<double>(values[rank]);
    EXPECT_GE(static_cast<double>(histogram.percentile(percent)), exact) << percent;
    EXPECT_LE(static_cast<double>(histogram.percentile(percent)), exact * 1.01 + 1) << percent;
  }
  EXPECT_EQ(histogram.max(), values.back());
}

TEST(Histogram, ValuesBeyondTheLastBucketKeepTheMaximum) {
  Histogram histogram;
  const std::uint64_t hour_ns = 3'600'000'000'000;
  histogram.record(hour_ns);
  EXPECT_EQ(histogram.max(), hour_ns);
  EXPECT_EQ(histogram.percentile(99), hour_ns);
}

TEST(Histogram, MergingIsLikeRecordingAllInOne) {
  Histogram left;
  Histogram right;
  Histogram all;
  for (std::uint64_t value = 1; value < 1'000'000; value = value * 3 / 2 + 1) {
    (value % 2 == 0 ? left : right).record(value);
    all.record(value);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), all.count());
  EXPECT_EQ(left.max(), all.max());
  EXPECT_DOUBLE_EQ(left.mean(), all.mean());
  for (int percent = 0; percent <= 100; ++percent)
    EXPECT_EQ(left.percentile(percent), all.percentile(percent));
}

}  // namespace

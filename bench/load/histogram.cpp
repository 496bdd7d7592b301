#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace load {

// Values below 2 * parts have a bucket each. Above, `shift` low bits are dropped so that part_bits + 1
// bits are left, the first of them set: `parts` buckets for each shift.
std::size_t Histogram::bucket_of(std::uint64_t value) noexcept {
  value = std::min(value, (std::uint64_t{1} << value_bits) - 1);
  if (value < parts) return static_cast<std::size_t>(value);
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - (part_bits + 1);
  return static_cast<std::size_t>(shift * parts + (value >> shift));
}

std::uint64_t Histogram::bucket_last(std::size_t bucket) noexcept {
  if (bucket < 2 * parts) return bucket;
  const std::size_t shift = bucket / parts - 1;
  return ((static_cast<std::uint64_t>(bucket - shift * parts) + 1) << shift) - 1;
}

void Histogram::record(std::uint64_t value) noexcept {
  ++counts_[bucket_of(value)];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) counts_[bucket] += other.counts_[bucket];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::mean() const noexcept { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::uint64_t Histogram::percentile(double percent) const noexcept {
  if (count_ == 0) return 0;
  const double share = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(count_);
  const std::uint64_t rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    seen += counts_[bucket];
    // The last bucket also holds what is too long for it.
    if (seen >= rank) return bucket + 1 == buckets ? max_ : std::min(bucket_last(bucket), max_);
  }
  return max_;
}

}  // namespace load

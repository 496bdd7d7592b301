#include "bench.h"

#include <numeric>

namespace sansock::testing {

std::vector<std::size_t> every_byte(const Data& stream) {
  std::vector<std::size_t> cuts(stream.size());
  std::iota(cuts.begin(), cuts.end(), std::size_t{0});
  return cuts;
}

std::string transcript_of(Role role, const Data& stream, const std::vector<std::size_t>& cuts,
                          const Tweak& tweak) {
  Bench bench(role, tweak);
  bench.h.feed_cut(stream, cuts);
  bench.h.eof();
  return bench.h.transcript();
}

std::string model_transcript_of(Role role, const Data& stream, const Tweak& tweak) {
  Config config;
  if (tweak) tweak(config);
  Model model(role, config.limits);
  model.feed(stream);
  model.eof();
  return model.transcript();
}

void expect_every_split(Role role, const Data& stream, const std::string& expected, const Tweak& tweak) {
  const auto where = [&] { return std::string(role_name(role)) + ", stream " + quote(stream); };
  EXPECT_EQ(transcript_of(role, stream, {}, tweak), expected) << "whole, " << where();
  EXPECT_EQ(transcript_of(role, stream, every_byte(stream), tweak), expected) << "byte by byte, " << where();
  // The cuts of a long stream are taken where they matter: at its ends and around powers of two.
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    const bool near_end = cut < 300 || stream.size() - cut < 300;
    if (!near_end && (cut & (cut - 1)) != 0 && (cut & (cut + 1)) != 0) continue;
    const std::string cut_transcript = transcript_of(role, stream, {cut}, tweak);
    if (cut_transcript == expected) continue;
    EXPECT_EQ(cut_transcript, expected) << "cut before byte " << cut << ", " << where();
    break;
  }
}

void expect_as_model(Role role, const Data& stream, const Tweak& tweak) {
  expect_every_split(role, stream, model_transcript_of(role, stream, tweak), tweak);
}

}  // namespace sansock::testing

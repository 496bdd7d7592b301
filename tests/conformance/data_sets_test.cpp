#include "cases/data_sets.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "wire/deflate.h"
#include "wire/utf8_check.h"

namespace conform {
namespace {

struct Original {
  DataSetKind kind;
  std::size_t octets;
  std::size_t units;
  bool text;
  std::size_t compressed;  // by zlib at level 6, as a whole
};
constexpr Original originals[] = {{DataSetKind::json, 194056, 194056, true, 8436},
                                  {DataSetKind::picture, 263222, 263222, false, 223898},
                                  {DataSetKind::prose, 222218, 222218, false, 86346},
                                  {DataSetKind::html, 263647, 263620, true, 14604},
                                  {DataSetKind::document, 1042328, 1042328, false, 789804}};

class DataSets : public ::testing::TestWithParam<Original> {};
INSTANTIATE_TEST_SUITE_P(All, DataSets, ::testing::ValuesIn(originals));

TEST_P(DataSets, AreLikeTheOriginals) {
  const Original& original = GetParam();
  const auto data = data_set(original.kind);
  EXPECT_EQ(data->octets().size(), original.octets);
  EXPECT_EQ(data->units(), original.units);
  EXPECT_EQ(data->is_text(), original.text);
  if (original.text || original.kind == DataSetKind::prose) {
    EXPECT_TRUE(is_utf8(data->octets()));
  }
  const auto size = static_cast<double>(Deflater(15, false).message(data->octets()).size());
  EXPECT_GT(size, 0.8 * static_cast<double>(original.compressed)) << size;
  EXPECT_LT(size, 1.25 * static_cast<double>(original.compressed)) << size;
}

TEST_P(DataSets, WindowsSlideAndWrap) {
  const auto data = data_set(GetParam().kind);
  const std::size_t length = 131072;
  std::string joined;
  for (unsigned i = 0; joined.size() < 3 * data->octets().size(); ++i) {
    const std::string window = SlidingWindow(data, length).message(i);
    if (data->is_text()) {
      ASSERT_TRUE(is_utf8(window));
    }
    joined += window;
  }
  const std::string twice = data->octets() + data->octets();
  EXPECT_EQ(joined.substr(0, twice.size()), twice);
}

TEST(Deflate_, RoundTripsWithEveryWindow) {
  const std::string text = data_set(DataSetKind::prose)->octets().substr(0, 50000);
  for (int bits = 8; bits <= 15; ++bits) {
    for (const bool takeover : {true, false}) {
      Deflater deflater(bits, takeover);
      Inflater inflater(bits, takeover);
      for (int i = 0; i < 3; ++i)
        EXPECT_EQ(inflater.message(deflater.message(text), text.size()), text) << bits;
      EXPECT_EQ(inflater.message(deflater.message(""), 0), "");
    }
  }
}

TEST(Deflate_, AWindowThatIsTooLargeIsSeen) {
  // Repeats after 2,000 octets: with 2^9 it can not have been compressed like this.
  const std::string text = data_set(DataSetKind::prose)->octets().substr(0, 2000);
  Deflater deflater(15, true);
  Inflater inflater(9, true);
  EXPECT_FALSE(inflater.message(deflater.message(text + text), 1u << 20));
}

TEST(Deflate_, TheSizeIsBounded) {
  Deflater deflater(15, false);
  Inflater inflater(15, false);
  EXPECT_FALSE(inflater.message(deflater.message(std::string(1u << 20, 'x')), 1000));
}

}  // namespace
}  // namespace conform

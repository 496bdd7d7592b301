#include "document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "codec.h"

namespace {

using sansock::bench::Document;
using sansock::bench::document;

TEST(Document, HasTheExactSizeAndIsTheSameForASeed) {
  for (const Document kind : {Document::random, Document::json, Document::html}) {
    for (std::size_t size = 0; size < 600; ++size) {
      const std::string one = document(kind, size, 7);
      ASSERT_EQ(one.size(), size);
      ASSERT_EQ(one, document(kind, size, 7));
      // One that is shorter is the begin of one that is longer.
      ASSERT_EQ(one, document(kind, 1000, 7).substr(0, size));
    }
    EXPECT_NE(document(kind, 200, 1), document(kind, 200, 2));
  }
}

TEST(Document, JsonAndHtmlAreAsciiText) {
  for (const Document kind : {Document::json, Document::html}) {
    for (const char c : document(kind, 20'000, 3)) ASSERT_TRUE((c >= ' ' && c <= '~') || c == '\n');
  }
}

TEST(Document, OnlyRandomOnesDoNotShrink) {
  const auto share = [](Document kind) {
    return static_cast<double>(load::Deflater(15).compress(document(kind, 20'000, 3)).size()) / 20'000;
  };
  EXPECT_GE(share(Document::random), 1);
  for (const Document kind : {Document::json, Document::html}) {
    EXPECT_GT(share(kind), 0.1) << "no real one shrinks to so little";
    EXPECT_LT(share(kind), 0.5);
  }
}

}  // namespace

#include "base64.h"

#include <gtest/gtest.h>

#include <string>

namespace sansock::detail {
namespace {

std::string encode(std::string_view text) {
  std::string out(base64_size(text.size()), '?');
  encode_base64(as_bytes(text), out.data());
  return out;
}

// RFC 4648 section 10
TEST(Base64, TestVectors) {
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foob"), "Zm9vYg==");
  EXPECT_EQ(encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encode("\xFB\xFF\xFE"), "+//+");
}

TEST(Base64, ValuesOfDigits) {
  EXPECT_EQ(base64_value('A'), 0);
  EXPECT_EQ(base64_value('z'), 51);
  EXPECT_EQ(base64_value('9'), 61);
  EXPECT_EQ(base64_value('+'), 62);
  EXPECT_EQ(base64_value('/'), 63);
  for (const char c : {'=', '-', '_', ' ', '\0', '\xFF'}) EXPECT_EQ(base64_value(c), -1);
}

}  // namespace
}  // namespace sansock::detail

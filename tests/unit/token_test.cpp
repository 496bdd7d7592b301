#include <gtest/gtest.h>

#include <string>

#include "sansock/negotiate.h"

namespace sansock {
namespace {

TEST(Token, CharactersOfATokenAndNoOthers) {
  const std::string_view token_chars =
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (int c = 0; c < 256; ++c) {
    const std::string text(1, static_cast<char>(c));
    EXPECT_EQ(is_token(text), token_chars.find(text) != std::string_view::npos) << c;
    EXPECT_EQ(is_token("a" + text + "b"), is_token(text)) << c;
    const bool value_char = c == '\t' || (c >= 0x20 && c != 0x7F);
    EXPECT_EQ(is_header_value(text), value_char) << c;
    EXPECT_EQ(is_header_value("a" + text), value_char) << c;
  }
  EXPECT_FALSE(is_token(""));
  EXPECT_TRUE(is_header_value(""));
}

TEST(Token, CaseIsIgnoredForAsciiOnly) {
  EXPECT_TRUE(equal_ignoring_case("WebSocket", "wEBsOCKET"));
  EXPECT_TRUE(equal_ignoring_case("", ""));
  EXPECT_FALSE(equal_ignoring_case("a", ""));
  EXPECT_FALSE(equal_ignoring_case("websocket", "websockets"));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));        // differ by 0x20, and are no letters
  EXPECT_FALSE(equal_ignoring_case("[", "{"));        //
  EXPECT_FALSE(equal_ignoring_case("\xC1", "\xE1"));  //
}

TEST(Token, Trim) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\va\r"), "\va\r");
}

}  // namespace
}  // namespace sansock

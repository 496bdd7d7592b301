#include "token_list.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sansock {
namespace {

using Elements = std::vector<std::string>;

Elements elements(std::string_view list) {
  Elements found;
  while (const auto element = next_list_element(list)) found.emplace_back(*element);
  EXPECT_TRUE(list.empty());
  return found;
}

TEST(TokenList, Elements) {
  EXPECT_EQ(elements("a"), Elements({"a"}));
  EXPECT_EQ(elements("a,b , c\t"), Elements({"a", "b", "c"}));
  EXPECT_EQ(elements(" , ,a,, b,"), Elements({"a", "b"}));
  EXPECT_EQ(elements(""), Elements());
  EXPECT_EQ(elements(" ,\t,, "), Elements());
  EXPECT_EQ(elements("a b,c"), Elements({"a b", "c"}));
}

TEST(TokenList, QuotedCommasDoNotSeparate) {
  EXPECT_EQ(elements(R"(a="1,2", b)"), Elements({R"(a="1,2")", "b"}));
  EXPECT_EQ(elements(R"("a\",b",c)"), Elements({R"("a\",b")", "c"}));
  EXPECT_EQ(elements(R"("a\\",c)"), Elements({R"("a\\")", "c"}));
  EXPECT_EQ(elements(R"(a\,b)"), Elements({R"(a\)", "b"}));  // no escape outside of quotes
  EXPECT_EQ(elements(R"("a,b)"), Elements({R"("a,b)"}));     // unclosed
  EXPECT_EQ(elements("\"\\"), Elements({"\"\\"}));
}

TEST(TokenList, HasToken) {
  EXPECT_TRUE(list_has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(list_has_token("UPGRADE", "Upgrade"));
  EXPECT_FALSE(list_has_token("notupgrade", "upgrade"));
  EXPECT_FALSE(list_has_token("upgrade2, up grade", "upgrade"));
  EXPECT_FALSE(list_has_token("\"upgrade\"", "upgrade"));
  EXPECT_FALSE(list_has_token("", "upgrade"));
}

TEST(TokenList, SubprotocolsAreDistinctTokens) {
  EXPECT_TRUE(is_subprotocol_list("chat"));
  EXPECT_TRUE(is_subprotocol_list("chat, superchat, Chat"));  // case matters
  EXPECT_TRUE(is_subprotocol_list("v10.stomp,v11.stomp"));
  EXPECT_FALSE(is_subprotocol_list(""));
  EXPECT_FALSE(is_subprotocol_list(" , "));
  EXPECT_FALSE(is_subprotocol_list("chat, chat"));
  EXPECT_FALSE(is_subprotocol_list("chat, super chat"));
  EXPECT_FALSE(is_subprotocol_list("chat, a/b"));
  EXPECT_FALSE(is_subprotocol_list("chat, \"b\""));
  EXPECT_FALSE(is_subprotocol_list("b\xC3\xA4r"));
}

TEST(TokenList, SubprotocolsHaveALimit) {
  std::string list;
  for (std::size_t i = 0; i < subprotocols_max; ++i) list += "p" + std::to_string(i) + ",";
  EXPECT_TRUE(is_subprotocol_list(list));
  EXPECT_FALSE(is_subprotocol_list(list + "one-more"));
}

TEST(TokenList, ASetOverSeveralHeaders) {
  detail::TokenSet tokens;
  EXPECT_TRUE(tokens.add_list("a, b"));
  EXPECT_TRUE(tokens.add_list(""));
  EXPECT_TRUE(tokens.add_list("c"));
  EXPECT_EQ(tokens.size(), 3u);
  EXPECT_FALSE(tokens.add_list("d, a"));
  EXPECT_FALSE(tokens.add(""));
}

}  // namespace
}  // namespace sansock

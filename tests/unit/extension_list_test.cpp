#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sansock/negotiate.h"

namespace sansock {
namespace {

// name{parameter=value|flag} of each, or "invalid" where the grammar is broken.
std::string parse(std::string_view list) {
  std::string text;
  bool valid = false;
  while (const auto extension = next_extension(list, valid)) {
    text += std::string(extension->name) + "{";
    std::string_view rest = extension->parameters;
    while (const auto parameter = next_parameter(rest)) {
      text += parameter->name;
      if (parameter->has_value) text += "=" + std::string(parameter->value);
      text += "|";
    }
    text += "}";
  }
  EXPECT_TRUE(list.empty());
  return valid ? text : text + "invalid";
}

TEST(ExtensionList, ExamplesOfTheRfcs) {
  // RFC 6455 section 9.1
  EXPECT_EQ(parse("foo"), "foo{}");
  EXPECT_EQ(parse("bar; baz=2"), "bar{baz=2|}");
  EXPECT_EQ(parse("foo, bar; baz=2"), "foo{}bar{baz=2|}");
  EXPECT_EQ(parse("deflate-stream"), "deflate-stream{}");
  EXPECT_EQ(parse("mux; max-channels=4; flow-control, deflate-stream"),
            "mux{max-channels=4|flow-control|}deflate-stream{}");
  EXPECT_EQ(parse("private-extension"), "private-extension{}");
  // RFC 7692 section 7.1
  EXPECT_EQ(parse("permessage-deflate; client_max_window_bits; server_max_window_bits=10"),
            "permessage-deflate{client_max_window_bits|server_max_window_bits=10|}");
  EXPECT_EQ(parse("permessage-deflate; server_max_window_bits=\"10\", permessage-deflate"),
            "permessage-deflate{server_max_window_bits=10|}permessage-deflate{}");
}

TEST(ExtensionList, SpaceAndEmptyElements) {
  EXPECT_EQ(parse(" ,\t, foo\t;\ta = 1 ; b ,, bar, "), "foo{a=1|b|}bar{}");
  EXPECT_EQ(parse("foo;a;b;c=\"d\"\t"), "foo{a|b|c=d|}");
  EXPECT_EQ(parse(""), "");
  EXPECT_EQ(parse(" , "), "");
}

TEST(ExtensionList, QuotedValues) {
  EXPECT_EQ(parse(R"(foo; a="b")"), "foo{a=b|}");
  EXPECT_EQ(parse(R"(foo; a="1\0")"), "foo{a=1\\0|}");  // escapes stay
  for (const std::string_view bad : {R"(foo; a="")", R"(foo; a="b c")", R"(foo; a="b,c")", R"(foo; a="b)",
                                     R"(foo; a="b\)", R"(foo; a="b\")", R"(foo; a="\"")", R"(foo; a=")",
                                     R"(foo; a="b"c)", R"("foo")", R"(foo; "a"=b)", R"(foo; a="b\ ")"})
    EXPECT_EQ(parse(bad), "invalid") << bad;
}

TEST(ExtensionList, BrokenGrammar) {
  for (const std::string_view bad :
       {"foo;", "foo;;a", "foo; ,bar", "foo; a=", "foo; =b", "foo; a==b", "foo bar", "foo; a b", "foo=1",
        ";a", "foo;a=b=c", "f@o", "foo; a=b;", "\\", "\"", "="})
    EXPECT_EQ(parse(bad), "invalid") << bad;
  EXPECT_EQ(parse("good; a=1, foo;"), "good{a=1|}invalid");
}

TEST(ExtensionList, WholeLists) {
  EXPECT_TRUE(is_extension_list("foo, bar; baz"));
  EXPECT_FALSE(is_extension_list("foo, bar; "));
  EXPECT_FALSE(is_extension_list(""));
  EXPECT_FALSE(is_extension_list(","));
}

// Names that are special to other software are just names (row H5).
TEST(ExtensionList, H5_NamesOfOtherWorlds) {
  EXPECT_EQ(parse("constructor, __proto__; toString=valueOf"), "constructor{}__proto__{toString=valueOf|}");
  const std::string longest(60'000, 'x');
  EXPECT_EQ(parse(longest), longest + "{}");
}

// Row H4. These end soon only if no byte is looked at more than a few times.
TEST(ExtensionList, H4_LargeListsAreLinear) {
  constexpr std::size_t size = 64 << 10;
  EXPECT_EQ(parse(std::string(size, ' ')), "");
  EXPECT_EQ(parse(std::string(size, ',')), "");
  EXPECT_EQ(parse(std::string(size, '\\')), "invalid");
  EXPECT_EQ(parse(std::string(size, '"')), "invalid");
  EXPECT_EQ(parse("a; b=\"" + std::string(size, '\\')), "invalid");
  EXPECT_EQ(parse("a; b=\"" + std::string(size, 'c')), "invalid");
  EXPECT_EQ(parse("a" + std::string(size, ' ') + "b"), "invalid");
  EXPECT_EQ(parse("a" + std::string(size, ';')), "invalid");
  std::string many;
  for (std::size_t i = 0; i < size / 4; ++i) many += "a;b,";
  EXPECT_TRUE(is_extension_list(many));
}

}  // namespace
}  // namespace sansock

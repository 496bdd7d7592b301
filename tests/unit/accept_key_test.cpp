#include <gtest/gtest.h>

#include <string>

#include "sansock/handshake.h"

namespace sansock {
namespace {

template <std::size_t size>
std::string text(const std::array<char, size>& chars) {
  return {chars.data(), size};
}

// RFC 6455 section 1.3
TEST(AcceptKey, ExampleOfTheRfc) {
  EXPECT_EQ(text(accept_key("dGhlIHNhbXBsZSBub25jZQ==")), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(AcceptKey, EncodeKey) {
  std::array<std::byte, 16> nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::byte>(i + 1);
  EXPECT_EQ(text(encode_key(nonce)), "AQIDBAUGBwgJCgsMDQ4PEA==");  // RFC 6455 section 4.1, point 7
  EXPECT_TRUE(is_key(text(encode_key(nonce))));
}

TEST(AcceptKey, OnlyTheCanonicalFormOf16BytesIsAKey) {
  EXPECT_TRUE(is_key("dGhlIHNhbXBsZSBub25jZQ=="));
  EXPECT_TRUE(is_key("AAAAAAAAAAAAAAAAAAAAAA=="));
  EXPECT_TRUE(is_key("+/+/+/+/+/+/+/+/+/+/+w=="));
  for (const std::string_view bad : {
           "", "==",
           "dGhlIHNhbXBsZSBub25j",                  // 15 bytes
           "dGhlIHNhbXBsZSBub25jZWU=",              // 17 bytes
           "dGhlIHNhbXBsZSBub25jZQ",                // no padding
           "dGhlIHNhbXBsZSBub25jZQ=",               //
           "dGhlIHNhbXBsZSBub25jZR==",              // bits set that are not part of the value
           "dGhlIHNhbXBsZSBub25jZW==",              //
           "dGhlIHNhbXBsZSBub25jZQ= ",              //
           "dGhlIHNhbXBsZSBub25j-Q==",              // the other alphabet
           "dGhlIHNhbXBsZSBub25 ZQ==",              //
           "dGhlIHNhbXBsZSBub2=jZQ==",              // padding inside
           "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBs",  //
       })
    EXPECT_FALSE(is_key(bad)) << bad;
}

// RFC 7617 section 2
TEST(AcceptKey, BasicCredentials) {
  char out[64];
  EXPECT_EQ(basic_credentials("Aladdin:open sesame", out), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(basic_credentials("a:", std::span(out, 10)), "Basic YTo=");
  EXPECT_EQ(basic_credentials("a:", std::span(out, 9)), "");
  EXPECT_EQ(basic_credentials("", std::span(out, 6)), "Basic ");
}

}  // namespace
}  // namespace sansock

#include "codec.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using load::Deflater;
using load::Inflater;

// In pieces of so many bytes.
std::string decompress(Inflater& inflater, std::string_view compressed, std::size_t piece = 1000) {
  std::string plain;
  const auto take = [&] {
    for (auto part = inflater.next(); !part.empty(); part = inflater.next())
      plain.append(part.data(), part.size());
  };
  for (std::size_t at = 0; at < compressed.size(); at += piece) {
    inflater.give(compressed.substr(at, piece));
    take();
  }
  inflater.give_end();
  take();
  return plain;
}

// The examples of RFC 7692 section 7.2.3.
TEST(Codec, DecompressesTheExamplesOfTheStandard) {
  const std::string_view hello("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
  Inflater inflater;
  EXPECT_EQ(decompress(inflater, hello), "Hello");
  // With the context of the first one.
  EXPECT_EQ(decompress(inflater, std::string_view("\xf2\x00\x11\x00\x00", 5)), "Hello");
  EXPECT_EQ(decompress(inflater, std::string_view("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11)),
            "Hello");
  // A final block, and what comes behind it; the context stays.
  EXPECT_EQ(decompress(inflater, std::string_view("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)), "Hello");
  EXPECT_EQ(decompress(inflater, std::string_view("\xf2\x00\x11\x00\x00", 5)), "Hello");
  EXPECT_EQ(
      decompress(inflater, std::string_view("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13)),
      "Hello");
  EXPECT_EQ(decompress(inflater, std::string_view("\0", 1)), "");
}

TEST(Codec, CompressesAsTheStandardSays) {
  Deflater deflater(15);
  EXPECT_EQ(deflater.compress("Hello"), std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
  EXPECT_EQ(deflater.compress("Hello"), std::string("\xf2\x00\x11\x00\x00", 5));
  EXPECT_EQ(deflater.compress(""), std::string(1, '\0'));
  deflater.forget();
  EXPECT_EQ(deflater.compress("Hello"), std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
}

TEST(Codec, WhatIsForgottenCanNotBeReferredTo) {
  Inflater inflater;
  decompress(inflater, std::string_view("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
  inflater.forget();
  EXPECT_THROW(decompress(inflater, std::string_view("\xf2\x00\x11\x00\x00", 5)), std::runtime_error);
}

TEST(Codec, LongMessagesComeBackAtEveryCut) {
  std::string message;
  for (unsigned i = 0; i < 50'000; ++i) message += std::to_string(i * 7919 % 1000);
  for (int bits = 9; bits <= 15; ++bits) {
    Deflater deflater(bits);
    Inflater inflater(bits);
    for (const std::size_t piece : {1u, 7u, 100'000u}) {
      EXPECT_EQ(decompress(inflater, deflater.compress(message), piece), message);
    }
  }
}

TEST(Codec, RefusesWhatIsNotDeflate) {
  Inflater inflater;
  EXPECT_THROW(decompress(inflater, "\xff\xff\xff"), std::runtime_error);
}

}  // namespace

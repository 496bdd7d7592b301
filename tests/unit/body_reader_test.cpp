#include "sansock/detail/body_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "support/splits.h"

namespace sansock::detail {
namespace {

using testing::Pieces;

// The same for every split: what is kept, whether it ended, and how much was taken.
void expect(BodyFraming framing, std::uint64_t length, std::string_view input, std::size_t room,
            std::string_view kept, bool complete, std::size_t taken) {
  testing::for_each_split(input, [&](const Pieces& pieces) {
    std::vector<std::byte> memory(room);
    BodyReader reader;
    reader.begin(framing, length, memory);
    EXPECT_EQ(testing::feed_pieces(reader, pieces), taken) << input;
    EXPECT_EQ(reader.kept(), kept) << input;
    EXPECT_EQ(reader.complete(), complete) << input;
  });
}

void expect_chunks(std::string_view input, std::string_view kept, bool complete, std::size_t taken) {
  expect(BodyFraming::chunked, 0, input, 100, kept, complete, taken);
}

TEST(BodyReader, Length) {
  expect(BodyFraming::length, 5, "hello, world", 100, "hello", true, 5);
  expect(BodyFraming::length, 5, "hell", 100, "hell", false, 4);
  expect(BodyFraming::length, 0, "hello", 100, "", true, 0);
  expect(BodyFraming::length, 5, "hello", 3, "hel", true, 3);
  expect(BodyFraming::length, ~std::uint64_t{0}, "hello", 100, "hello", false, 5);
  expect(BodyFraming::length, 5, "hello", 0, "", true, 0);
}

TEST(BodyReader, UntilEof) {
  expect(BodyFraming::until_eof, 0, "hello", 100, "hello", false, 5);
  expect(BodyFraming::until_eof, 0, "hello", 4, "hell", true, 4);
}

TEST(BodyReader, Chunks) {
  const std::string_view body = "5\r\nhello\r\n00A;x=\"y\"\r\n, worldly!\r\n0\r\n\r\n";
  expect_chunks(body, "hello, worldly!", true, body.size());
  expect_chunks(std::string(body) + "HTTP/1.1", "hello, worldly!", true, body.size());
  const std::string_view trailers = "1 \r\na\r\n000\r\nA: b\r\nC: d\r\n\r\n";
  expect_chunks(trailers, "a", true, trailers.size());
  expect_chunks("0\r\n\r\n", "", true, 5);
  expect_chunks("5\r\nhel", "hel", false, 6);
  expect_chunks("5\r\nhello\r\n0\r\n", "hello", false, 13);
}

TEST(BodyReader, BrokenChunksEndTheBody) {
  expect_chunks("x\r\n", "", true, 1);
  expect_chunks("\r\n", "", true, 1);
  expect_chunks("1\nab", "", true, 2);
  expect_chunks("1\r\nabc", "a", true, 5);
  expect_chunks("1\r\na\rb", "a", true, 6);
  expect_chunks("1\rx", "", true, 3);
  expect_chunks("1;\x01", "", true, 3);
  expect_chunks("0\r\n b", "", true, 4);
  expect_chunks("0\r\na\x01", "", true, 5);
  expect_chunks("0\r\n\rx", "", true, 5);
  expect_chunks("FFFFFFFFFFFFFFFF", "", true, 15);  // no length wraps around
}

TEST(BodyReader, FramingIsBoundedToo) {
  std::vector<std::byte> memory(10);
  BodyReader reader;
  reader.begin(BodyFraming::chunked, 0, memory);
  const std::string endless = "1;" + std::string(1 << 20, 'x');
  EXPECT_LE(reader.feed(as_bytes(endless)), std::size_t{64 << 10} + 1);
  EXPECT_TRUE(reader.complete());
}

}  // namespace
}  // namespace sansock::detail

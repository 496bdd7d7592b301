#include "sansock/detail/head_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "support/splits.h"

namespace sansock::detail {
namespace {

using testing::Pieces;

struct Result {
  errc error;
  bool complete;
  std::size_t taken;
  std::string text;
  bool operator==(const Result&) const = default;
};

void PrintTo(const Result& result, std::ostream* out) {
  *out << name(result.error) << " complete=" << result.complete << " taken=" << result.taken << " "
       << result.text;
}

class HeadReaderTest : public ::testing::Test {
 protected:
  Result read(HeadKind kind, const Pieces& pieces) {
    std::vector<std::byte> memory(memory_size);
    HeadReader reader(kind, limits, memory);
    Result result{};
    result.taken = testing::feed_pieces(reader, pieces);
    result.error = reader.error();
    result.complete = reader.complete();
    if (reader.complete()) result.text = reader.text();
    EXPECT_EQ(reader.feed(as_bytes("x")), result.complete || result.error != errc::none ? 0u : 1u);
    return result;
  }

  // The same for every split, and with something behind it.
  void expect(HeadKind kind, std::string_view input, const Result& wanted) {
    testing::for_each_split(input,
                            [&](const Pieces& pieces) { EXPECT_EQ(read(kind, pieces), wanted) << input; });
    if (wanted.complete || wanted.error != errc::none) {
      EXPECT_EQ(read(kind, {std::string(input) + "\x81\x05garbage\r\n\r\n"}), wanted) << input;
      EXPECT_EQ(read(kind, {input, "G"}), wanted) << input;
    }
  }
  void expect_head(HeadKind kind, std::string_view head) {
    expect(kind, head, {errc::none, true, head.size(), std::string(head.substr(0, head.size() - 2))});
  }
  // `good` is what is taken before the byte that is wrong.
  void expect_malformed(HeadKind kind, std::string_view good, std::string_view bad) {
    expect(kind, std::string(good), {errc::none, false, good.size(), ""});
    expect(kind, std::string(good) + std::string(bad), {errc::head_malformed, false, good.size() + 1, ""});
  }

  Limits limits;
  std::size_t memory_size = 64 << 10;
};

constexpr auto request = HeadKind::request;
constexpr auto response = HeadKind::response;

TEST_F(HeadReaderTest, Requests) {
  expect_head(request, "GET / HTTP/1.1\r\n\r\n");
  expect_head(request, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect_head(request, "M-SEARCH * HTTP/9.9\r\na:\r\nB_c:  d\te \r\nx: \x80\xFF\"\\:\r\n\r\n");
  expect_head(request, "GET /\xC3\xA4 HTTP/1.1\r\n\r\n");
}

TEST_F(HeadReaderTest, Responses) {
  expect_head(response, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
  expect_head(response, "HTTP/1.1 200 \r\nA: b\r\n\r\n");
  expect_head(response, "HTTP/1.0 404\r\n\r\n");
  expect_head(response, "HTTP/2.0 999 T\xC3\xA4\t!\r\n\r\n");
}

TEST_F(HeadReaderTest, StartLinesOfRequests) {
  expect_malformed(request, "", "\x16\x03\x01");  // a TLS ClientHello
  expect_malformed(request, "", "\r\nGET / HTTP/1.1");
  expect_malformed(request, "", " GET");
  expect_malformed(request, "", std::string_view("\0", 1));
  expect_malformed(request, "", "\x80");
  expect_malformed(request, "", "\n");
  expect_malformed(request, "G", "\tET");
  expect_malformed(request, "GET", "\r\n");
  expect_malformed(request, "GET", ":");
  expect_malformed(request, "GET ", " /");
  expect_malformed(request, "GET ", "\r\n");
  expect_malformed(request, "GET /", "\r\n");  // HTTP/0.9
  expect_malformed(request, "GET /", "\tHTTP/1.1");
  expect_malformed(request, "GET /", "\x7F");
  expect_malformed(request, "GET / ", " HTTP/1.1");
  expect_malformed(request, "GET / ", "a b HTTP/1.1");
  expect_malformed(request, "GET / HTTP/1.1", " \r\n");
  expect_malformed(request, "GET / HTTP/1.1", "\n");
  expect_malformed(request, "GET / HTTP/1.1\r", "\r\n");
  expect_malformed(request, "GET / HTTP/1", "\r\n");
  expect_malformed(request, "GET / HTTP/1.1", "1\r\n");
  expect_malformed(request, "GET / ", "http/1.1\r\n");
  expect_malformed(request, "GET / HTTP/", "x.1\r\n");
}

TEST_F(HeadReaderTest, StartLinesOfResponses) {
  expect_malformed(response, "", "GET / HTTP/1.1");
  expect_malformed(response, "", "\r\n");
  expect_malformed(response, "", "\x15\x03\x01");
  expect_malformed(response, "H", "ELO");
  expect_malformed(response, "HTTP/1.1", "\r\n");
  expect_malformed(response, "HTTP/1.1 ", " 101");
  expect_malformed(response, "HTTP/1.1 10", "x");
  expect_malformed(response, "HTTP/1.1 10", " OK");
  expect_malformed(response, "HTTP/1.1 101", "1 OK");
  expect_malformed(response, "HTTP/1.1 101", "\n");
  expect_malformed(response, "HTTP/1.1 101 OK", "\n");
  expect_malformed(response, "HTTP/1.1 101 OK\r", "a");
  expect_malformed(response, "HTTP/1.1 101 O", std::string_view("\0", 1));
}

TEST_F(HeadReaderTest, HeaderLines) {
  const std::string start = "GET / HTTP/1.1\r\nA: b\r\n";
  expect_malformed(request, start, " folded");
  expect_malformed(request, start, "\tfolded");
  expect_malformed(request, start, ": no name");
  expect_malformed(request, start, "\nC: d");
  expect_malformed(request, start, std::string_view("\0: d", 4));
  expect_malformed(request, start, "\xC3\xA4: d");
  expect_malformed(request, start + "Name", " : d");
  expect_malformed(request, start + "Name", "\t: d");
  expect_malformed(request, start + "Name", "\r\n");
  expect_malformed(request, start + "Na", "/me: d");
  expect_malformed(request, start + "C: d", "\n");
  expect_malformed(request, start + "C: d\r", "e\r\n");
  expect_malformed(request, start + "C: d\r", "\r\n");
  expect_malformed(request, start + "C: d", std::string_view("\0", 1));
  expect_malformed(request, start + "C: d", "\x1B");
  expect_malformed(request, start + "C: d", "\x7F");
  expect_malformed(request, start + "\r", "\r\n");
  expect_malformed(request, start + "\r", "a");
}

TEST_F(HeadReaderTest, NothingFromNothing) {
  EXPECT_EQ(read(request, {}), (Result{errc::none, false, 0, ""}));
  EXPECT_EQ(read(request, {"", ""}), (Result{errc::none, false, 0, ""}));
}

TEST_F(HeadReaderTest, LimitOnBytes) {
  const std::string head = "GET / HTTP/1.1\r\nA: bcd\r\n\r\n";
  limits.head_bytes_max = static_cast<std::uint16_t>(head.size());
  expect_head(request, head);
  --limits.head_bytes_max;
  expect(request, head.substr(0, head.size() - 1), {errc::head_too_large, false, head.size() - 1, ""});
  limits.head_bytes_max = 8192;
  memory_size = head.size();
  expect_head(request, head);
  --memory_size;
  expect(request, head.substr(0, head.size() - 1), {errc::head_too_large, false, head.size() - 1, ""});
}

TEST_F(HeadReaderTest, LimitOnHeaders) {
  limits.headers_max = 2;
  const std::string two = "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n";
  expect_head(request, two + "\r\n");
  expect(request, two + "E: f\r\n\r\n", {errc::headers_too_many, false, two.size() + 1, ""});
  limits.headers_max = 0;
  expect_head(request, "GET / HTTP/1.1\r\n\r\n");
}

TEST_F(HeadReaderTest, StartsOverInTheSameMemory) {
  std::vector<std::byte> memory(100);
  HeadReader reader(response, limits, memory);
  const std::string first = "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n";
  const std::string second = "HTTP/1.1 101 Yes\r\n\r\n";
  EXPECT_EQ(reader.feed(as_bytes(first)), first.size());
  EXPECT_EQ(reader.memory_left().size(), 100 - first.size());
  reader.reset();
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(reader.feed(as_bytes(second)), second.size());
  EXPECT_EQ(reader.text(), "HTTP/1.1 101 Yes\r\n");
}

}  // namespace
}  // namespace sansock::detail

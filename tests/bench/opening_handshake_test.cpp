#include "opening_handshake.h"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(OpeningHandshake, OffersTheExtensionWhereItIsAskedFor) {
  load::Options options;
  options.target = load::parse_target("ws://127.0.0.1:9001/a");
  const std::string plain = load::make_request(options);
  EXPECT_TRUE(plain.starts_with("GET /a HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n"));
  EXPECT_EQ(plain.find("Extensions"), std::string::npos);
  EXPECT_TRUE(plain.ends_with("\r\n\r\n"));
  options.deflate = load::Deflate::on;
  EXPECT_TRUE(load::make_request(options).ends_with(
      "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"));
}

TEST(OpeningHandshake, JudgesTheAnswerToItsRequest) {
  const std::string good =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  EXPECT_EQ(load::judge_answer(good), "");
  EXPECT_NE(load::judge_answer("HTTP/1.1 404 Not Found\r\n\r\n"), "");
  EXPECT_NE(load::judge_answer("HTTP/1.1 101 Yes\r\n\r\n"), "");
  std::string wrong = good;
  wrong.replace(wrong.find("s3p"), 3, "abc");
  EXPECT_NE(load::judge_answer(wrong), "");
}

}  // namespace

// Both sides of the kit's opening handshake, and what is agreed of permessage-deflate.
#include <gtest/gtest.h>

#include "wire/opening_handshake.h"

namespace conform {
namespace {

constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";

std::string problem_of(std::string response, const std::vector<DeflateParameters>& offers = {}) {
  const auto head = parse_head(response + "\r\n");
  return head ? check_response(*head, key, offers).problem : "not HTTP";
}

const std::string good =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

TEST(Response, AcceptIsThatOfTheStandard) {
  EXPECT_EQ(accept_of(key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 section 1.3
  EXPECT_EQ(problem_of(good), "");
}

TEST(Response, EachFlawIsNamed) {
  EXPECT_NE(problem_of("HTTP/1.1 200 OK\r\n").find("200"), std::string::npos);
  const auto without = [](const std::string& line) {
    std::string response = good;
    return response.erase(response.find(line),
                          response.find("\r\n", response.find(line)) + 2 - response.find(line));
  };
  EXPECT_NE(problem_of(without("Upgrade: ")).find("Upgrade"), std::string::npos);
  EXPECT_NE(problem_of(without("Connection: ")).find("Connection"), std::string::npos);
  EXPECT_NE(problem_of(without("Sec-")).find("Accept"), std::string::npos);
  EXPECT_NE(problem_of(good + "Sec-WebSocket-Protocol: chat\r\n").find("subprotocol"), std::string::npos);
  EXPECT_NE(problem_of(good + "Sec-WebSocket-Extensions: permessage-deflate\r\n").find("not offered"),
            std::string::npos);
  EXPECT_NE(problem_of(good + "Sec-WebSocket-Extensions: permessage-deflate; x\r\n", {{}}).find("unknown"),
            std::string::npos);
  EXPECT_EQ(problem_of(good + "Sec-WebSocket-Extensions: permessage-deflate\r\n", {{}}), "");
}

std::optional<DeflateParameters> response_parameters(std::string_view text) {
  const auto elements = parse_extensions(text);
  return elements && elements->size() == 1 ? read_response(elements->front()) : std::nullopt;
}

TEST(DeflateParameters_, ResponseHasItsRules) {
  EXPECT_TRUE(
      response_parameters("permessage-deflate; server_max_window_bits=8; client_max_window_bits=\"15\""));
  EXPECT_FALSE(response_parameters("permessage-deflate; server_max_window_bits=7"));
  EXPECT_FALSE(response_parameters("permessage-deflate; server_max_window_bits=16"));
  EXPECT_FALSE(response_parameters("permessage-deflate; server_max_window_bits=09"));
  EXPECT_FALSE(response_parameters("permessage-deflate; client_max_window_bits"));
  EXPECT_FALSE(
      response_parameters("permessage-deflate; client_no_context_takeover; client_no_context_takeover"));
  EXPECT_FALSE(response_parameters("permessage-deflate; client_no_context_takeover=1"));
  EXPECT_FALSE(parse_extensions("permessage-deflate; a=\"b"));
  EXPECT_FALSE(parse_extensions("a b"));
}

std::string agreed(std::string_view offers, const std::vector<DeflateDemand>& demands) {
  const auto result = accept_offer(*parse_extensions(offers), demands);
  return result ? describe(*result) : "declined";
}

TEST(DeflateParameters_, OffersAreMetAsTheCatalogueSays) {
  EXPECT_EQ(agreed("x, permessage-deflate", {{}}), "permessage-deflate");
  EXPECT_EQ(agreed("permessage-deflate; server_no_context_takeover; server_max_window_bits=10", {{}}),
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=10");
  EXPECT_EQ(agreed("permessage-deflate; unknown, permessage-deflate", {{}}), "permessage-deflate");
  EXPECT_EQ(agreed("permessage-deflate", {{false, 9}}), "declined");
  EXPECT_EQ(agreed("permessage-deflate; client_max_window_bits", {{false, 9}}),
            "permessage-deflate; client_max_window_bits=9");
  EXPECT_EQ(agreed("permessage-deflate", {{true, 9}, {true, {}}, {false, {}}}),
            "permessage-deflate; client_no_context_takeover");
}

TEST(Request_, TargetAndQueryAreDecoded) {
  const auto head = parse_head(
      "GET /runCase?case=7&agent=a%20b+c HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
      "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  ASSERT_TRUE(head);
  const Request request = read_request(*head);
  EXPECT_EQ(request.problem, "");
  EXPECT_EQ(request.path, "/runCase");
  EXPECT_EQ(request.query.at("case"), "7");
  EXPECT_EQ(request.query.at("agent"), "a b c");
}

TEST(Request_, PlainHttpIsNoHandshake) {
  const auto head = parse_head("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_NE(read_request(*head).problem, "");
  EXPECT_FALSE(parse_head("nonsense"));
}

}  // namespace
}  // namespace conform

#include "opening_handshake.h"

#include <fmt/core.h>

#include <cctype>

namespace load {
namespace {

// The example of RFC 6455 section 1.3.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view key_accepted = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

}  // namespace

std::string make_request(const Options& options) {
  std::string extensions = deflate_offer(options.deflate);
  if (!extensions.empty()) extensions = fmt::format("Sec-WebSocket-Extensions: {}\r\n", extensions);
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
      "Sec-WebSocket-Version: 13\r\n{}\r\n",
      options.target.path, options.target.authority, key, extensions);
}

std::string judge_answer(std::string_view head) {
  const std::string_view first_line = head.substr(0, head.find("\r\n"));
  if (!first_line.starts_with("HTTP/1.1 101")) return fmt::format("the server answered '{}'", first_line);
  std::string lower(head);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::string_view name = "\r\nsec-websocket-accept:";
  std::size_t at = lower.find(name);
  if (at == std::string::npos) return "the answer has no Sec-WebSocket-Accept";
  at = head.find_first_not_of(' ', at + name.size());
  if (!head.substr(at).starts_with(key_accepted)) return "the answer has a wrong Sec-WebSocket-Accept";
  return {};
}

}  // namespace load

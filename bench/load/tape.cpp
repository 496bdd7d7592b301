#include "tape.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace load {
namespace {

// Enough to keep messages apart, and so little that the row stays in the cache where it can.
constexpr std::size_t row_bytes = std::size_t{256} << 10;
constexpr std::size_t row_messages_max = 64;

// The example of RFC 6455 section 1.3.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view key_accepted = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

}  // namespace

std::string make_payload(std::size_t size, std::size_t number, bool text, bool mixed) {
  std::string payload;
  payload.reserve(size);
  if (!text && !mixed) {
    for (std::size_t i = 0; i < size; ++i)
      payload += static_cast<char>((i * 7 + i / 251 + number * 37) & 0xff);
    return payload;
  }
  static constexpr std::string_view characters[] = {"a",      "\u00e9", "x",         "\u20ac",
                                                    "\u6f22", "~",      "\U0001f600"};
  for (std::size_t i = number; mixed && payload.size() + 4 <= size; ++i) payload += characters[i % 7];
  while (payload.size() < size) {
    payload += static_cast<char>(' ' + (payload.size() * 7 + payload.size() / 89 + number * 37) % 95);
  }
  return payload;
}

std::string make_frame(std::uint8_t opcode, std::string_view payload, std::uint32_t key_bits) {
  std::string frame;
  frame += static_cast<char>(0x80 | opcode);
  unsigned length_bytes = 0;
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    length_bytes = payload.size() < 65536 ? 2 : 8;
    frame += static_cast<char>(0x80 | (length_bytes == 2 ? 126 : 127));
  }
  for (unsigned i = length_bytes; i-- > 0;) frame += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  char mask[4];
  for (unsigned i = 0; i < 4; ++i) mask[i] = static_cast<char>(key_bits >> (8 * i) & 0xff);
  frame.append(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(payload[i] ^ mask[i % 4]);
  return frame;
}

Tape::Tape(const Options& options)
    : framed(options.target.websocket),
      opcode(options.text ? 1 : 2),
      count(std::clamp<std::size_t>(row_bytes / (options.size + 1), 1, row_messages_max)),
      message(options.size) {
  std::uint32_t random = 0x9e3779b9;
  for (std::size_t number = 0; number < count; ++number) {
    const std::string payload = make_payload(message, number, options.text, options.mixed);
    random = random * 1664525 + 1013904223;
    payloads += payload;
    frames += framed ? make_frame(opcode, payload, random) : payload;
  }
  frame = frames.size() / count;
}

std::string make_request(const Target& target) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
      "Sec-WebSocket-Version: 13\r\n\r\n",
      target.path, target.authority, key);
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
  if (lower.find("\r\nsec-websocket-extensions:") != std::string::npos) {
    return "the server selected an extension that was not offered";
  }
  return {};
}

}  // namespace load

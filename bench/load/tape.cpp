#include "tape.h"

#include <algorithm>
#include <optional>

#include "codec.h"
#include "document.h"

namespace load {
namespace {

// Enough to keep messages apart, and so little that the row stays in the cache where it can.
constexpr std::size_t row_bytes = std::size_t{256} << 10;
constexpr std::size_t row_messages_max = 64;
// A window of 32 KiB must not hold the round before, or whoever has such a window finds each message in it,
// random bytes too: compressed rows are longer than that, but for the tiniest messages.
constexpr std::size_t compressed_row_bytes_min = std::size_t{64} << 10;
constexpr std::size_t compressed_row_messages_max = 4096;

std::size_t row_count(std::size_t size, bool compressed) {
  std::size_t most = row_messages_max;
  if (compressed) {
    most = std::clamp(compressed_row_bytes_min / (size + 1), row_messages_max, compressed_row_messages_max);
  }
  return std::clamp<std::size_t>(row_bytes / (size + 1), 1, most);
}

std::string payload_of(const Options& options, std::size_t number) {
  using sansock::bench::Document;
  using sansock::bench::document;
  switch (options.payload) {
    case Payload::pattern: break;
    case Payload::random: return document(Document::random, options.size, number);
    case Payload::json: return document(Document::json, options.size, number);
    case Payload::html: return document(Document::html, options.size, number);
  }
  return make_payload(options.size, number, options.text, options.mixed);
}

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

std::string make_frame(std::uint8_t opcode, std::string_view payload, std::uint32_t key_bits,
                       bool compressed) {
  std::string frame;
  frame += static_cast<char>(0x80 | (compressed ? 0x40 : 0) | opcode);
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

Tape::Tape(const Options& options, const DeflateAgreement& agreement)
    : framed(options.target.websocket),
      opcode(options.text ? 1 : 2),
      count(row_count(options.size, agreement.compressed)),
      message(options.size),
      deflate(agreement) {
  std::optional<Deflater> deflater;
  if (agreement.compressed) deflater.emplace(agreement.client_window_bits);
  std::uint32_t random = 0x9e3779b9;
  for (std::size_t number = 0; number < count; ++number) {
    const std::string payload = payload_of(options, number);
    random = random * 1664525 + 1013904223;
    payloads += payload;
    if (deflater) {
      if (agreement.client_no_context_takeover) deflater->forget();
      frames += make_frame(opcode, deflater->compress(payload), random, true);
    } else {
      frames += framed ? make_frame(opcode, payload, random) : payload;
    }
    frame_ends.push_back(frames.size());
  }
}

std::size_t Tape::frame_bytes(std::size_t first, std::size_t messages) const noexcept {
  const auto begin_of = [this](std::size_t number) { return number == 0 ? 0 : frame_ends[number - 1]; };
  const std::size_t last = first + messages;
  return last / count * frames.size() + begin_of(last % count) - begin_of(first);
}

}  // namespace load

// What a connection sends, made once: a row of messages of the same size, framed and masked, that is
// sent round and round, and the payloads that have to come back.
//
// Compressed messages may refer to those before them in the row (RFC 7692 section 7.2.3.2), but not the
// first one: it is what follows the last one too, and so is valid at the begin of each round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "options.h"

namespace load {

struct Tape {
  bool framed = true;       // or the payloads alone
  std::uint8_t opcode = 2;  // of every message
  std::size_t count = 0;    // messages in the row
  std::size_t message = 0;  // bytes of a payload
  DeflateAgreement deflate;
  std::string frames;
  std::vector<std::size_t> frame_ends;  // where in `frames` each of them ends
  std::string payloads;                 // count * message, not compressed

  explicit Tape(const Options& options, const DeflateAgreement& agreement = {});

  // What so many messages have in frames, if the first of them is this one of the row.
  std::size_t frame_bytes(std::size_t first, std::size_t messages) const noexcept;
};

// One payload: all bytes differ from those of the messages beside it; as text, valid UTF-8.
std::string make_payload(std::size_t size, std::size_t number, bool text, bool mixed);
// One masked frame (RFC 6455 section 5.2). RSV1 tells that a message is compressed.
std::string make_frame(std::uint8_t opcode, std::string_view payload, std::uint32_t key,
                       bool compressed = false);

}  // namespace load

// What a connection sends, made once: a row of messages of the same size, framed and masked, that is
// sent round and round, and the payloads that have to come back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "options.h"

namespace load {

struct Tape {
  bool framed = true;       // or the payloads alone
  std::uint8_t opcode = 2;  // of every message
  std::size_t count = 0;    // messages in the row
  std::size_t message = 0;  // bytes of a payload
  std::size_t frame = 0;    // bytes of a message as sent
  std::string frames;       // count * frame
  std::string payloads;     // count * message

  explicit Tape(const Options& options);
};

// One payload: all bytes differ from those of the messages beside it; as text, valid UTF-8.
std::string make_payload(std::size_t size, std::size_t number, bool text, bool mixed);
// One masked frame (RFC 6455 section 5.2).
std::string make_frame(std::uint8_t opcode, std::string_view payload, std::uint32_t key);

// The opening handshake. The key is always the same, so that the answer to it is known.
std::string make_request(const Target& target);
// Empty if the answer accepts; else what is wrong with it.
std::string judge_answer(std::string_view head);

}  // namespace load

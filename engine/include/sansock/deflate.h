// permessage-deflate (RFC 7692) in the opening handshake: what is wanted, what is offered, what is agreed.
#pragma once

#include <cstdint>
#include <optional>

namespace sansock {

// Whether a message is compressed, where permessage-deflate was agreed on.
enum class Compression : std::uint8_t {
  automatic,  // by its size, see DeflateOptions::compress_threshold; not if it does not shrink
  off,  // a secret beside text that others choose: what it shrinks to would tell of it (RFC 7692 section 8)
  on,   // of any size, if it shrinks
};

inline constexpr std::uint8_t window_bits_min = 8;
inline constexpr std::uint8_t window_bits_max = 15;

// What the two sides have agreed on (RFC 7692 section 7.1). A window of n bits is the last 2^n bytes of the
// messages that a side has compressed before.
struct DeflateParameters {
  bool server_no_context_takeover = false;  // the server compresses each message without those before it
  bool client_no_context_takeover = false;
  std::uint8_t server_window_bits = window_bits_max;
  std::uint8_t client_window_bits = window_bits_max;
  bool operator==(const DeflateParameters&) const = default;
};

// What we want. A server takes the first offer that it can serve with it; a client offers it.
struct DeflateOptions {
  // Server: true: always; false: declines an offer that demands it; none: if the offer asks for it.
  // Client: true: asks for it.
  std::optional<bool> server_no_context_takeover = std::nullopt;
  // Server: true: demands it, which every client can fulfil; false: never; none: if the offer says that the
  // client means to. Client: true: promises it, and keeps to it whatever the server answers.
  std::optional<bool> client_no_context_takeover = std::nullopt;
  // The window of the server's messages. Server: the most that it uses, whatever is offered. Client: the
  // most that it asks the server to use; 15: asks for nothing. 8 to 15.
  std::uint8_t server_max_window_bits = window_bits_max;
  // The window of the client's messages. Server: asks for this, if the offer allows to; else it is 15.
  // Client: the most that it uses; 15: says that it understands to be asked. 8 to 15; 0: 12 of a server,
  // which keeps the windows of many clients, and 15 of a client.
  std::uint8_t client_max_window_bits = 0;
  std::uint8_t client_max_window_bits_asked() const noexcept {
    return client_max_window_bits != 0 ? client_max_window_bits : std::uint8_t{12};
  }
  std::uint8_t client_max_window_bits_used() const noexcept {
    return client_max_window_bits != 0 ? client_max_window_bits : window_bits_max;
  }
  // Client: whether the server may ask for a smaller window of the client's messages at all.
  bool client_max_window_bits_offered = true;

  // Of our own compressor: 1 is fastest, 9 makes the least bytes.
  std::uint8_t level = 2;
  // The most that we use of the window for our messages, whatever was agreed: a smaller one costs less memory
  // for each connection and less time for each message. 8 to 15.
  std::uint8_t own_window_bits_max = 12;
  // Messages with fewer payload bytes are sent as they are, unless the send says otherwise: without the
  // messages before them they hardly shrink. In messages sent in parts, the first part decides.
  std::uint32_t compress_threshold = 1024;
  std::uint32_t compress_threshold_with_context = 64;
};

}  // namespace sansock

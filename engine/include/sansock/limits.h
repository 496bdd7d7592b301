// Limits and deadlines. There is no "unlimited": every queue, loop and buffer has a bound, counted
// in work as well as in bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sansock/codec.h"
#include "sansock/deflate.h"
#include "sansock/error.h"
#include "sansock/kernels.h"
#include "sansock/memory.h"
#include "sansock/types.h"

namespace sansock {

struct Limits {
  // Payload bytes of one frame and of one message (all fragments). Checked on the frame header,
  // before any payload arrives.
  std::uint64_t frame_payload_max = 16ull << 20;
  std::uint64_t message_payload_max = 16ull << 20;
  // Frames of one message, and how many of them may be empty (they cost work but no bytes).
  std::uint32_t message_fragments_max = 131'072;
  std::uint16_t message_fragments_empty_max = 1'024;
  // Bytes queued for the transport, frame headers included. send() beyond it: errc::output_full.
  // The default takes one message of the size that is accepted by default.
  std::uint32_t output_bytes_max = (16u << 20) + (64u << 10);
  // Unsent pongs, in bytes. Beyond it, or when the transport is stalled, the newest ping wins.
  std::uint32_t pong_bytes_max = 16u << 10;
  // Ping and Pong frames received within one second of EngineClock: errc::control_flood.
  std::uint32_t control_frames_per_second_max = 20'000;
  // Bytes read and thrown away between our failing a connection and its end.
  std::uint32_t discard_bytes_max = 64u << 20;
  // The opening handshake: bytes of the head, header lines in it, and on the client the bytes kept
  // of the body of a refusal.
  std::uint16_t head_bytes_max = 8u << 10;
  std::uint16_t headers_max = 100;
  std::uint16_t refusal_body_max = 4u << 10;
};

// Deadlines. `no_timeout` switches one off.
struct Timeouts {
  Duration opening_handshake = std::chrono::seconds(10);  // from the start, absolute
  Duration first_message = no_timeout;                    // from `open` to the first data frame
  Duration message_assembly = std::chrono::seconds(120);  // from first frame to last byte of one message
  Duration ping_interval = std::chrono::seconds(30);      // silence after which we send a Ping
  Duration pong = std::chrono::seconds(30);               // silence after that Ping
  Duration idle = no_timeout;                             // silence that ends the connection with 1001
  Duration close = std::chrono::seconds(10);              // from starting to close to the transport's end
};

enum class OriginPolicy : std::uint8_t {
  same_origin,  // where an Origin is sent, it must be this host's: scheme, host and port
  any,          // browsers of every site may connect
  list,         // Config::origins; compared as scheme, host and port
};

// What connections have in common; shared by pointer, so it must outlive them and not change while
// they live. One per thread and kind of connection, because pool and entropy belong to a thread.
struct Config {
  BlockPool* pool = nullptr;         // required
  EntropySource* entropy = nullptr;  // required by clients
  Limits limits = {};
  Timeouts timeouts = {};
  // The loops over payload: find_kernels("scalar") in a bug report, best_kernels() else.
  const Kernels* kernels = &best_kernels();
  bool auto_pong = true;            // answer pings (Event::ping is delivered either way)
  bool check_received_text = true;  // UTF-8 of text messages and close reasons
  bool check_sent_text = false;     // refuse to send text that is not UTF-8
  bool lengths_lenient = false;     // accept lengths in a longer form than needed
  // permessage-deflate (RFC 7692): nullptr goes without. A codec serves one thread, as pool and entropy do,
  // and outlives its connections.
  MessageCodec* codec = nullptr;
  DeflateOptions deflate = {};  // for that
  // The opening handshake, as a server:
  bool secure = false;             // the transport is TLS: the scheme of our own origin is https
  bool origin_scheme_any = false;  // behind a proxy that ends TLS: do not compare the scheme
  bool version_8 = true;           // also accept HyBi 07-12 (Sec-WebSocket-Version: 8)
  OriginPolicy origin_policy = OriginPolicy::same_origin;
  std::span<const std::string_view> origins = {};  // for OriginPolicy::list
  // As a client: is a server that selects none of the offered subprotocols acceptable?
  bool subprotocol_optional = true;
};

// errc::none, or errc::config_invalid for limits that contradict each other or the pool's block
// size, such as a head that does not fit a block, and for DeflateOptions out of their range.
errc validate(const Config& config, Role role) noexcept;

}  // namespace sansock

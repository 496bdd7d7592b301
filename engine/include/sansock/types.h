// Vocabulary types shared by every part of sansock: bytes, time, roles, close codes.
// No header of the engine includes a system header, a clock, a thread or a stream.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sansock {

using Bytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;

// One piece of output. Same layout as `struct iovec`, which the adapters static_assert.
struct IoSlice {
  void* base;
  std::size_t size;
};

// The engine's time line. It has deliberately no now(): time is an argument of every call that
// needs it. The epoch is the caller's choice, but must not change during a connection.
struct EngineClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<EngineClock>;
  static constexpr bool is_steady = true;
};

using Duration = EngineClock::duration;
using Instant = EngineClock::time_point;

// "No timer is armed", as a deadline.
inline constexpr Instant never = Instant::max();
// "Due at once": what deadline() answers when a timer was armed by a command that has no `now`
// argument. handle_timeout(now) then learns the time and arms it.
inline constexpr Instant at_once = Instant::min();
// As a value in `Timeouts`: this deadline is switched off.
inline constexpr Duration no_timeout = Duration::max();

enum class Role : std::uint8_t { server, client };

// Values are the opcodes of RFC 6455 section 5.2.
enum class MessageType : std::uint8_t { text = 1, binary = 2 };

// RFC 6455 section 7.4.1 and the IANA registry of close codes. Any other value in 3000..4999 is a
// library's or an application's own and is carried as it is.
enum class CloseCode : std::uint16_t {
  none = 0,  // nothing was sent or received (yet); never on the wire
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,  // a Close frame without a code; never on the wire
  abnormal = 1006,   // the transport ended without a Close frame; never on the wire
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  mandatory_extension = 1010,
  internal_error = 1011,
  service_restart = 1012,
  try_again_later = 1013,
  bad_gateway = 1014,
  tls_handshake = 1015,  // never on the wire
};

// Whether `code` may stand in a Close frame, sent or received (RFC 6455 section 7.4).
constexpr bool is_wire_close_code(std::uint16_t code) noexcept {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

// Where a connection stands, as `readyState` of the browser's WebSocket has it.
enum class ReadyState : std::uint8_t { connecting, open, closing, closed };

// What the adapter has to do with the transport, over and above reading and writing.
enum class TransportAction : std::uint8_t {
  keep,
  shutdown_write,  // everything is flushed: send FIN (close_notify first), keep reading
  close,           // the end: release the transport
};

inline constexpr std::size_t control_payload_max = 125;  // RFC 6455 section 5.5
inline constexpr std::size_t close_reason_max = control_payload_max - 2;
inline constexpr std::size_t frame_header_max = 14;

inline ConstBytes as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}
inline std::string_view as_text(ConstBytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace sansock

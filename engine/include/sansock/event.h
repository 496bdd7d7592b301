// What the engine tells its driver, one at a time.
#pragma once

#include <type_traits>

#include "sansock/error.h"
#include "sansock/types.h"

namespace sansock {

enum class EventKind : std::uint8_t {
  none,        // nothing more until the next input call
  request,     // server: a request head is complete; accept() or respond(), now or later
  open,        // the opening handshake is complete
  data,        // a run of a message's payload
  ping,        // `bytes` is its payload; the Pong is already queued (Config::auto_pong)
  pong,        // `bytes` is its payload
  peer_close,  // the peer's Close frame: `code` (no_status if it had none) and `bytes`, its reason
  sent,        // the memory of send_borrowed() with this `token` is the caller's again
  closed,      // the one terminal event
};

struct Event {
  EventKind kind = EventKind::none;
  MessageType type = MessageType::binary;  // data
  // data: first and last run of a message; both in the common case of a small message.
  // closed: `end` says that the closing handshake was complete (RFC 6455 section 7.1.4: cleanly).
  bool begin = false;
  bool end = false;
  // request: `none` for an acceptable upgrade; otherwise why it will be refused unless answered.
  // sent: `none` if all of it was handed to the transport.
  // closed: the cause; `none` after a clean close.
  errc error = errc::none;
  // peer_close: the received code. closed: the peer's code, or no_status, or abnormal if no Close
  // frame came. The code that we sent is in Connection::close_status().
  CloseCode code = CloseCode::none;
  std::uint64_t token = 0;  // sent
  // A view; valid until the next poll(), feed() or detach_input(). Writable: payloads of data
  // events belong to the driver until then.
  Bytes bytes = {};

  explicit operator bool() const noexcept { return kind != EventKind::none; }
  std::string_view text() const noexcept { return as_text(bytes); }
};

static_assert(sizeof(Event) == 32 && std::is_trivially_copyable_v<Event>);

}  // namespace sansock

#include "harness.h"

namespace sansock::testing {

GuardBuffer& shared_guard_buffer() {
  static GuardBuffer buffer(256 << 10);
  return buffer;
}

std::string EventRules::check(const Event& event, ReadyState state, TransportAction action) {
  if (closed_) return "an event after closed";
  switch (event.kind) {
    case EventKind::none: return "an event of kind none";
    case EventKind::closed:
      closed_ = true;
      if (state != ReadyState::closed) return "state() is not closed at the closed event";
      return action == TransportAction::close ? "" : "transport_action() is not close at the closed event";
    case EventKind::sent: break;
    case EventKind::data:
      if (peer_closed_) return "data after the peer's Close";
      if (event.begin == in_message_) return "begin is wrong";
      if (in_message_ && event.type != type_) return "the type changed inside a message";
      in_message_ = !event.end;
      type_ = event.type;
      break;
    case EventKind::ping:
    case EventKind::pong:
      if (peer_closed_) return "a control frame after the peer's Close";
      if (event.bytes.size() > control_payload_max) return "a control payload over 125 bytes";
      break;
    case EventKind::peer_close:
      if (peer_closed_) return "a second peer_close";
      peer_closed_ = true;
      if (state == ReadyState::open) return "state() is still open at peer_close";
      break;
    case EventKind::request:
    case EventKind::open: break;
  }
  return state == ReadyState::closed ? "state() is closed before the closed event" : "";
}

}  // namespace sansock::testing

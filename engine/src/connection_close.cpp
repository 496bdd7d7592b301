// Connection: its end (RFC 6455 section 7). The states are close_machine.cpp's; what has to happen
// on the way is here.
#include "assert.h"
#include "sansock/connection.h"

namespace sansock {

using detail::CloseInput;
using detail::Phase;

// RFC 6455 section 7.1.7, "Fail the WebSocket Connection": a Close frame if none was sent yet, then
// the way of every close.
void Connection::fail(errc cause) noexcept {
  SANSOCK_ASSERT(cause != errc::none);
  if (cause_ == errc::none) cause_ = cause;
  if (phase_ == Phase::open) queue_close(close_code_for(cause), {});
  advance(CloseInput::fail);
}

// Takes the step for `input`, and the one for `flushed` too where nothing is left to flush.
void Connection::advance(CloseInput input) noexcept {
  const Phase before = phase_;
  const bool was_discarding = discarding();
  if (input != CloseInput::flushed) phase_ = next_phase(phase_, input, client_);
  if (out_.empty()) {
    // Both Close frames are known and ours has left: the closing handshake is complete, whatever
    // the transport does now (RFC 6455 section 7.1.4).
    if (phase_ == Phase::close_replied || phase_ == Phase::done_flushing) clean_ = 1;
    phase_ = next_phase(phase_, CloseInput::flushed, client_);
  }
  if (phase_ == before || phase_ == Phase::open) return;

  if (before == Phase::open || before == Phase::handshake) {
    paused_ = 0;          // or the peer's Close would never be read
    phase_at_ = at_once;  // the close deadline starts
    ping_at_ = never;
    ping_queued_ = 0;
  }
  if (discarding() && !was_discarding) {
    fragments_ = 0;  // counts what is discarded from here on
    header_size_ = 0;
    wait_ = Wait::header;
  }
  if (phase_ == Phase::closed) {
    if (!lent_) out_.abandon(*config_->pool);
    input_ = input_end_;
  }
}

// Whether input is thrown away: after the peer's Close frame and after a failure.
bool Connection::discarding() const noexcept {
  return phase_ != Phase::handshake && phase_ != Phase::open && phase_ != Phase::close_sent;
}

Event Connection::closed_event() noexcept {
  closed_given_ = 1;
  Event event;
  event.kind = EventKind::closed;
  event.end = clean_ != 0;
  event.error = cause_;
  event.code = close_received_ == CloseCode::none ? CloseCode::abnormal : close_received_;
  return event;
}

void Connection::release_control_block() noexcept {
  if (block_ == nullptr || opening_) return;
  config_->pool->release_used(block_, control_payload_max);
  block_ = nullptr;
}

}  // namespace sansock

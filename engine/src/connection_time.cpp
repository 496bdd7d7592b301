// Connection: its deadlines. There is no clock here: commands leave `at_once` where a time belongs,
// and the next input call fills it in.
#include <algorithm>

#include "opcode.h"
#include "sansock/connection.h"

namespace sansock {

using detail::CloseInput;
using detail::Phase;

// What is armed when:
//   handshake       opening_handshake
//   open            message_assembly while a message is under way, else first_message until one was;
//                   idle; ping_interval, and once a Ping has left, pong
//   open, paused    nothing: the silence is ours
//   closing         close
Instant Connection::deadline() const noexcept {
  const Timeouts& timeouts = config_->timeouts;
  if (phase_ == Phase::closed) return never;
  if (input_at_ == at_once || phase_at_ == at_once) return at_once;
  if (phase_ == Phase::handshake) return after(phase_at_, timeouts.opening_handshake);
  if (phase_ != Phase::open) return after(phase_at_, timeouts.close);
  if (paused_) return never;
  return std::min(message_deadline(), silence_deadline());
}

Instant Connection::message_deadline() const noexcept {
  if (in_message_) return after(phase_at_, config_->timeouts.message_assembly);
  return seen_data_ ? never : after(phase_at_, config_->timeouts.first_message);
}

// Whether there was silence since our Ping left. Any input ends it, not only the Pong: the peer may
// answer a later Ping instead (RFC 6455 section 5.5.3), and the next silence gets a Ping of its own.
bool Connection::awaiting_pong() const noexcept { return ping_at_ != never && input_at_ <= ping_at_; }

Instant Connection::silence_deadline() const noexcept {
  const Timeouts& timeouts = config_->timeouts;
  Instant next = after(input_at_, timeouts.idle);
  // While our Ping waits behind other output the peer can not answer it; a peer that takes no output
  // is the adapter's output stall deadline to find.
  if (ping_queued_) return next;
  return std::min(
      next, awaiting_pong() ? after(ping_at_, timeouts.pong) : after(input_at_, timeouts.ping_interval));
}

void Connection::expire(Instant now) noexcept {
  if (deadline() > now) return;
  if (phase_ == Phase::handshake) {
    fail_handshake(errc::handshake_timeout);
  } else if (phase_ != Phase::open) {
    if (!clean_ && cause_ == errc::none) cause_ = errc::close_timeout;
    advance(CloseInput::give_up);
  } else if (message_deadline() <= now) {
    fail(in_message_ ? errc::assembly_timeout : errc::first_message_timeout);
  } else if (const errc error = silence_error(now); error != errc::none) {
    fail(error);
  } else {
    send_keep_alive(now);
  }
}

errc Connection::silence_error(Instant now) const noexcept {
  const Timeouts& timeouts = config_->timeouts;
  if (after(input_at_, timeouts.idle) <= now) return errc::idle_timeout;
  return awaiting_pong() && after(ping_at_, timeouts.pong) <= now ? errc::pong_timeout : errc::none;
}

// RFC 6455 section 5.5.2: a Ping "may serve either as a keepalive or as a means to verify that the
// remote endpoint is still responsive".
void Connection::send_keep_alive(Instant now) noexcept {
  std::uint32_t id = ping_id_ + 1;
  const bool queued = out_.size() < config_->limits.output_bytes_max &&
                      queue_control(opcode_ping, std::as_bytes(std::span(&id, 1))) == errc::none;
  if (!queued) {
    input_at_ = now;  // no room for it now: try again after another interval
    return;
  }
  ping_id_ = id;
  ping_at_ = never;  // until it has left
  ping_queued_ = 1;
}

}  // namespace sansock

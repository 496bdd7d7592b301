#include "stopwatch.h"

#include <algorithm>

namespace sansock::sim {

std::string Stopwatch::check(const Endpoint& endpoint, Instant now) {
  const ReadyState state = endpoint.state();
  if (closing_at_ == never && (state == ReadyState::closing || state == ReadyState::closed))
    closing_at_ = now;
  if (endpoint.output_size() != 0) output_at_ = now;
  const errc cause = endpoint.close_status().cause;
  if (cause == cause_) return {};
  cause_ = cause;
  return check_cause(endpoint.config().timeouts, cause, now);
}

std::string Stopwatch::check_silence(const Endpoint& endpoint, Instant now, Duration late) {
  if (endpoint.output_size() != 0) output_at_ = now;
  if (endpoint.state() != ReadyState::open || endpoint.input_paused()) return {};
  const Timeouts& timeouts = endpoint.config().timeouts;
  const Duration silence = now - std::max(heard_at_, quiet_from_);
  if (timeouts.idle != no_timeout && silence > timeouts.idle + late)
    return "it is idle for longer than allowed";
  if (timeouts.ping_interval == no_timeout || timeouts.pong == no_timeout) return {};
  // A Ping that waits behind other output can not be answered.
  const Duration quiet = std::min(silence, now - output_at_);
  return quiet > timeouts.ping_interval + timeouts.pong + late ? "the peer is silent for longer than allowed"
                                                               : "";
}

std::string Stopwatch::check_cause(const Timeouts& timeouts, errc cause, Instant now) const {
  Instant from = now;
  Duration wait{};
  switch (cause) {
    case errc::handshake_timeout: from = begun_at_, wait = timeouts.opening_handshake; break;
    case errc::first_message_timeout: from = quiet_from_, wait = timeouts.first_message; break;
    case errc::assembly_timeout: from = quiet_from_, wait = timeouts.message_assembly; break;
    case errc::pong_timeout: from = std::max(heard_at_, quiet_from_), wait = timeouts.pong; break;
    case errc::idle_timeout: from = std::max(heard_at_, quiet_from_), wait = timeouts.idle; break;
    case errc::close_timeout: from = closing_at_, wait = timeouts.close; break;
    default: return {};
  }
  if (now - from >= wait) return {};
  return std::string(name(cause)) + " after " +
         std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now - from).count()) + " us";
}

}  // namespace sansock::sim

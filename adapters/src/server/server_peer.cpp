// ServerPeer: events of an open connection, turned into the route's callbacks.
#include "server_peer.h"

#include <algorithm>

#include "server_thread.h"

namespace sansock {

ServerPeer::~ServerPeer() {
  release_extra();
  if (has_data_) thread_->data().find(slot_)->reset();
}

ConnectionId ServerPeer::connection_id() const noexcept { return thread_->loop().id(slot_); }

Verdict ServerPeer::on_event(Endpoint& endpoint, const Event& event) {
  const ServerThread::OwnEvent scope(*thread_, *this, endpoint);
  if (event.kind == EventKind::data) [[likely]] {
    on_data(endpoint, event);
  } else {
    on_other_event(endpoint, event);
  }
  return Verdict::keep;  // pausing and aborting went to the endpoint already
}

[[gnu::noinline]] void ServerPeer::on_other_event(Endpoint& endpoint, const Event& event) {
  switch (event.kind) {
    case EventKind::none:
    case EventKind::data: break;
    case EventKind::request: on_request(endpoint, event.error); break;
    case EventKind::open: on_open(endpoint); break;
    case EventKind::ping:
      if (const auto& handler = route().route.on_ping) handler(*this, event.bytes);
      break;
    case EventKind::pong:
      if (const auto& handler = route().route.on_pong) handler(*this, event.bytes);
      break;
    case EventKind::peer_close: on_peer_close(event); break;
    case EventKind::sent:
      if (const auto& handler = route().route.on_sent) {
        handler(*this, event.token, event.error == errc::none);
      }
      break;
    case EventKind::closed: on_closed(endpoint, event); break;
  }
}

void ServerPeer::on_open(Endpoint&) {
  opened_ = true;
  ServerThread::count(thread_->counters().opened);
  if (const auto& handler = route().route.on_open) handler(*this);
}

void ServerPeer::on_data(Endpoint& endpoint, const Event& event) {
  if (deaf_) return;
  const Route& route = this->route().route;
  if (route.on_run) [[likely]] {
    const Run run{.type = event.type, .bytes = event.bytes, .begin = event.begin, .end = event.end};
    route.on_run(*this, run);
  } else if (!route.on_message) {
    return;
  } else if (event.begin && event.end) {
    route.on_message(*this, {.type = event.type, .bytes = event.bytes});
  } else {
    on_fragment(endpoint, event);
  }
}

// A message that comes in several runs is collected; the memory goes back with its end.
void ServerPeer::on_fragment(Endpoint& endpoint, const Event& event) {
  PeerExtra& extra = this->extra();
  if (!extra.assembler) extra.assembler.emplace(thread_->message_memory());
  switch (extra.assembler->add(event)) {
    case MessageAssembler::Result::incomplete: return;
    case MessageAssembler::Result::message:
      route().route.on_message(*this, {.type = event.type, .bytes = extra.assembler->message()});
      break;
    case MessageAssembler::Result::exhausted:
      deaf_ = true;
      extra.cause = errc::memory_exhausted;
      // It fails only where the connection is closing already.
      static_cast<void>(endpoint.close(close_code_for(errc::memory_exhausted)));
      break;
  }
  extra.assembler.reset();
  if (extra.empty()) release_extra();
}

void ServerPeer::on_peer_close(const Event& event) {
  if (event.bytes.empty() || !route().route.on_close) return;
  PeerExtra& extra = this->extra();
  const std::string_view reason = event.text();
  extra.reason_size = static_cast<std::uint8_t>(std::min(reason.size(), extra.reason.size()));
  std::copy_n(reason.data(), extra.reason_size, extra.reason.data());
}

void ServerPeer::on_closed(Endpoint& endpoint, const Event& event) {
  if (!opened_) {
    if (event.error == errc::handshake_timeout) ServerThread::count(thread_->counters().refused);
    return;
  }
  if (const auto& handler = route().route.on_close) {
    const CloseStatus status = close_status_of(endpoint);
    const PeerExtra* const extra = find_extra();
    handler(*this, status, extra != nullptr ? extra->close_reason() : std::string_view());
  }
}

void ServerPeer::on_gone(ConnectionId) { ServerThread::count(thread_->counters().closed); }

CloseStatus ServerPeer::close_status_of(const Endpoint& endpoint) const noexcept {
  CloseStatus status = endpoint.close_status();
  if (status.cause != errc::none) return status;
  if (const PeerExtra* const extra = find_extra()) status.cause = extra->cause;
  return status;
}

PeerExtra& ServerPeer::extra() {
  std::unique_ptr<PeerExtra>& entry = thread_->extras().at(slot_);
  if (!entry) entry = thread_->extra_pool().acquire();
  has_extra_ = true;
  return *entry;
}

PeerExtra* ServerPeer::find_extra() const noexcept {
  return has_extra_ ? thread_->extras().find(slot_)->get() : nullptr;
}

void ServerPeer::release_extra() noexcept {
  if (!has_extra_) return;
  has_extra_ = false;
  thread_->extra_pool().release(std::move(*thread_->extras().find(slot_)));
}

// --- output ---------------------------------------------------------------------------------------

std::error_code ServerPeer::check_sent(Endpoint& endpoint, errc error) {
  return check_output(endpoint, error == errc::none ? std::error_code{} : make_error_code(error));
}

std::error_code ServerPeer::check_output(Endpoint& endpoint, std::error_code error) {
  const bool full = error == errc::output_full;
  if (error && !full) return error;
  if (!full && endpoint.output_size() <= route().high_watermark) return error;
  output_high_ = true;
  switch (route().route.output_policy) {
    case OutputPolicy::refuse: break;
    case OutputPolicy::pause: set_paused(endpoint, paused_by_user_, true); break;
    case OutputPolicy::drop: endpoint.abort(errc::output_full); return errc::output_full;
  }
  return error;
}

// Half of the high watermark, so that a peer at the limit does not flap.
void ServerPeer::on_output_taken(Endpoint& endpoint) {
  if (endpoint.output_size() > route().high_watermark / 2) return;
  const ServerThread::OwnEvent scope(*thread_, *this, endpoint);
  output_high_ = false;
  if (paused_by_policy_) set_paused(endpoint, paused_by_user_, false);
  if (const auto& handler = route().route.on_drained; handler && endpoint.state() == ReadyState::open) {
    handler(*this);
  }
}

void ServerPeer::set_paused(Endpoint& endpoint, bool by_user, bool by_policy) {
  paused_by_user_ = by_user;
  paused_by_policy_ = by_policy;
  endpoint.pause_input(by_user || by_policy);
  // What was read and not used waits in the loop's stash: it has to be fed, also where this is an
  // event of the peer's own.
  if (!by_user && !by_policy) thread_->loop().touch(connection_id());
}

}  // namespace sansock

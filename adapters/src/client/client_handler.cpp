#include "client_handler.h"

#include <cstring>

namespace sansock {

Verdict ClientHandler::on_event(Endpoint& endpoint, const Event& event) {
  switch (event.kind) {
    case EventKind::open:
      session_->opened = true;
      keep_answer(endpoint);
      return session_->full() ? Verdict::pause_reading : Verdict::keep;
    case EventKind::data: return on_data(endpoint, event);
    case EventKind::pong: on_pong(event); break;
    case EventKind::peer_close: session_->close_reason = event.text(); break;
    case EventKind::closed: on_closed(endpoint); break;
    case EventKind::none:
    case EventKind::request:
    case EventKind::ping:
    case EventKind::sent: break;
  }
  return Verdict::keep;
}

void ClientHandler::keep_answer(const Endpoint& endpoint) {
  const Response* const response = endpoint.response();
  if (response == nullptr) return;
  Client::Answer& answer = session_->answer;
  answer.status = response->status();
  answer.body = response->body();
  answer.headers.clear();
  response->for_each_header(
      [&answer](const Header& header) { answer.headers.emplace_back(header.name, header.value); });
  session_->subprotocol = session_->opened ? response->subprotocol() : std::string_view();
}

Verdict ClientHandler::on_data(Endpoint& endpoint, const Event& event) {
  if (session_->deaf) return Verdict::keep;
  if (!session_->inbox.append(event)) {
    endpoint.abort(errc::memory_exhausted);
    return Verdict::keep;
  }
  return session_->full() ? Verdict::pause_reading : Verdict::keep;
}

void ClientHandler::on_pong(const Event& event) noexcept {
  std::uint64_t id = 0;
  if (!session_->pong_awaited || event.bytes.size() != sizeof id) return;
  std::memcpy(&id, event.bytes.data(), sizeof id);
  if (id == *session_->pong_awaited) session_->pong_awaited.reset();
}

void ClientHandler::on_closed(const Endpoint& endpoint) {
  if (!session_->opened) keep_answer(endpoint);
  session_->ended = true;
  session_->close_status = endpoint.close_status();
  session_->round_trip = endpoint.round_trip();
}

}  // namespace sansock

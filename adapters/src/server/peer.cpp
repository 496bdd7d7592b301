// Peer: what a user's code does with a connection.
#include "sansock/socket.h"
#include "server_peer.h"
#include "server_thread.h"

namespace sansock {

inline ServerPeer& Peer::self() noexcept { return static_cast<ServerPeer&>(*this); }
inline const ServerPeer& Peer::self() const noexcept { return static_cast<const ServerPeer&>(*this); }

// Commands give errc::already_closing once the transport was released.
template <class Command>
inline std::error_code Peer::output_command(Command&& command) {
  ServerPeer& peer = self();
  Endpoint* const endpoint = peer.endpoint();
  if (endpoint == nullptr) return errc::already_closing;
  std::error_code error = command(*endpoint);
  if (error || endpoint->output_size() > peer.route().high_watermark) [[unlikely]] {
    error = peer.check_output(*endpoint, error);
  }
  peer.touch();
  return error;
}

// Most often an answer to the event that is being handled: then there is no loop to be told.
std::error_code Peer::send(MessageType type, ConstBytes payload) {
  ServerPeer& peer = self();
  Endpoint* const endpoint = peer.own_endpoint();
  if (endpoint == nullptr) [[unlikely]]
    return peer.send_outside(type, payload);
  const errc error = endpoint->send_message(type, payload);
  const bool high = endpoint->output_size() > peer.route().high_watermark;
  if (error != errc::none || high) [[unlikely]]
    return peer.check_sent(*endpoint, error);
  return {};
}

[[gnu::noinline]] std::error_code ServerPeer::send_outside(MessageType type, ConstBytes payload) {
  return output_command([&](Endpoint& endpoint) { return endpoint.send(type, payload); });
}

std::error_code Peer::send(MessageType type, ConstBytes payload, Compression compression) {
  return output_command([&](Endpoint& endpoint) { return endpoint.send(type, payload, compression); });
}

std::error_code Peer::send_part(MessageType type, ConstBytes payload, bool end, Compression compression) {
  return output_command(
      [&](Endpoint& endpoint) { return endpoint.send_part(type, payload, end, compression); });
}

std::error_code Peer::send_borrowed(MessageType type, Bytes payload, std::uint64_t token) {
  return output_command([&](Endpoint& endpoint) { return endpoint.send_borrowed(type, payload, token); });
}

std::error_code Peer::send_shared(SharedFrame& frame) {
  return output_command([&](Endpoint& endpoint) { return endpoint.send_shared(frame); });
}

std::error_code Peer::ping(ConstBytes payload) {
  return output_command([&](Endpoint& endpoint) { return endpoint.ping(payload); });
}

std::error_code Peer::pong(ConstBytes payload) {
  return output_command([&](Endpoint& endpoint) { return endpoint.pong(payload); });
}

std::error_code Peer::close(CloseCode code, std::string_view reason) {
  Endpoint* const endpoint = self().endpoint();
  if (endpoint == nullptr) return errc::already_closing;
  const std::error_code error = endpoint->close(code, reason);
  // Also in an event of its own: closing ends a pause, and then the loop has a stash to feed.
  if (!error) self().thread().loop().touch(self().connection_id());
  return error;
}

void Peer::terminate() {
  Endpoint* const endpoint = self().endpoint();
  if (endpoint == nullptr) return;
  endpoint->abort(errc::aborted);
  self().touch();
}

void Peer::pause() {
  if (Endpoint* const endpoint = self().endpoint()) {
    self().set_paused(*endpoint, true, self().paused_by_policy_);
    self().touch();
  }
}

void Peer::resume() {
  if (Endpoint* const endpoint = self().endpoint()) {
    self().set_paused(*endpoint, false, self().paused_by_policy_);
  }
}

std::error_code Peer::decide(const Decision& decision) {
  Endpoint* const endpoint = self().endpoint();
  if (endpoint == nullptr) return errc::already_closing;
  const std::error_code error = self().answer(*endpoint, decision);
  self().touch();
  return error;
}

const Request* Peer::request() const noexcept {
  const Endpoint* const endpoint = self().endpoint();
  return endpoint == nullptr ? nullptr : endpoint->request();
}

std::string_view Peer::subprotocol() const noexcept {
  const ServerPeer& peer = self();
  if (peer.subprotocol_ == ServerPeer::subprotocol_none) return {};
  if (peer.subprotocol_ == ServerPeer::subprotocol_in_extra) return peer.find_extra()->subprotocol;
  return peer.route().route.subprotocols[peer.subprotocol_];
}

ReadyState Peer::state() const noexcept {
  const Endpoint* const endpoint = self().endpoint();
  return endpoint == nullptr ? ReadyState::closed : endpoint->state();
}

bool Peer::paused() const noexcept { return self().paused_by_user_; }

std::size_t Peer::output_size() const noexcept {
  const Endpoint* const endpoint = self().endpoint();
  return endpoint == nullptr ? 0 : endpoint->output_size();
}

Duration Peer::round_trip() const noexcept {
  const Endpoint* const endpoint = self().endpoint();
  return endpoint == nullptr ? Duration::zero() : endpoint->round_trip();
}

std::optional<DeflateParameters> Peer::deflate() const noexcept {
  const Endpoint* const endpoint = self().endpoint();
  return endpoint == nullptr ? std::nullopt : endpoint->deflate();
}

CloseStatus Peer::close_status() const noexcept {
  const Endpoint* const endpoint = self().endpoint();
  return endpoint == nullptr ? CloseStatus{} : self().close_status_of(*endpoint);
}

Address Peer::remote_address() const { return self().thread().loop().remote_address(self().connection_id()); }

std::optional<TlsStatus> Peer::tls() const {
  const TlsLayer* const layer = self().thread().loop().tls(self().connection_id());
  return layer == nullptr ? std::nullopt : std::optional(layer->status());
}

PeerId Peer::id() const noexcept { return self().thread().peer_id(self().connection_id()); }

Server& Peer::server() const noexcept { return self().thread().core().server; }

const std::string& Peer::route_path() const noexcept { return self().route().pattern.text; }

std::any& Peer::data() {
  std::any& data = self().thread().data().at(self().slot_);
  self().has_data_ = true;
  return data;
}

std::any* Peer::find_data() const noexcept {
  return self().has_data_ ? self().thread().data().find(self().slot_) : nullptr;
}

}  // namespace sansock

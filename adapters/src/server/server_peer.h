// The handler in the Driver of a server's connection; what a user sees of it is Peer.
//
// An idle one costs its own 16 bytes and nothing behind them. What few peers have lies in tables of
// the thread, by slot; the serial is the loop's. Its engine is found through its thread: by id, or at
// once while the peer's own event is being handled.
#pragma once

#include <cstdint>

#include "peer_extra.h"
#include "sansock/loop.h"
#include "sansock/server.h"
#include "server_routes.h"

namespace sansock {

class ServerThread;

class ServerPeer : public Peer {
 public:
  explicit ServerPeer(ServerThread& thread) noexcept : thread_(&thread) {}
  ~ServerPeer();
  // Once, right after the loop has given the connection its name.
  void set_slot(std::uint32_t slot) noexcept { slot_ = slot; }

  // Peer::send_shared() outside of the peer's own events, where the engine is at hand; flush() follows.
  std::error_code send_shared_by(Endpoint& endpoint, SharedFrame& frame) {
    return check_output(endpoint, endpoint.send_shared(frame));
  }

  // What Driver and Loop call.
  Verdict on_event(Endpoint& endpoint, const Event& event);
  void on_written(Endpoint& endpoint) {
    if (output_high_) on_output_taken(endpoint);
  }
  bool awaits_written() const noexcept { return output_high_; }
  void on_gone(ConnectionId id);

  // Of a peer whose transport was not released yet.
  ConnectionId connection_id() const noexcept;
  ServerThread& thread() const noexcept { return *thread_; }
  std::uint16_t route_index() const noexcept { return route_; }
  bool opened() const noexcept { return opened_; }

 private:
  friend class Peer;

  // The next three are asked for with every message, and lie in server_thread.h to be inlined.
  // The peer's engine; nullptr once its transport was released.
  Endpoint* endpoint() const noexcept;
  // The same while an event of its own is being handled; else nullptr.
  Endpoint* own_endpoint() const noexcept;
  // To be called after commands: the loop has to look at this peer, unless it is at it anyway.
  void touch();
  const RouteEntry& route() const noexcept;

  // server_peer.cpp
  void on_open(Endpoint& endpoint);
  void on_other_event(Endpoint& endpoint, const Event& event);
  void on_data(Endpoint& endpoint, const Event& event);
  void on_fragment(Endpoint& endpoint, const Event& event);
  void on_output_taken(Endpoint& endpoint);
  void on_peer_close(const Event& event);
  void on_closed(Endpoint& endpoint, const Event& event);
  PeerExtra& extra();                      // made now, if there is none
  PeerExtra* find_extra() const noexcept;  // nullptr if there is none
  void release_extra() noexcept;
  // After something was to be queued, with its result: acts as the route's OutputPolicy says. Only
  // needed after an error, or above the high watermark.
  std::error_code check_output(Endpoint& endpoint, std::error_code error);
  std::error_code send_outside(MessageType type, ConstBytes payload);
  std::error_code check_sent(Endpoint& endpoint, errc error);
  void set_paused(Endpoint& endpoint, bool by_user, bool by_policy);
  CloseStatus close_status_of(const Endpoint& endpoint) const noexcept;

  // server_peer_request.cpp
  void on_request(Endpoint& endpoint, errc error);
  void on_plain_request(Endpoint& endpoint);
  void refuse(Endpoint& endpoint, errc cause, std::uint16_t status);
  bool refuse_with_hook(Endpoint& endpoint, errc cause);
  void respond(Endpoint& endpoint, const Page& page, std::string_view content_type);
  std::error_code answer(Endpoint& endpoint, const Decision& decision);
  std::error_code accept(Endpoint& endpoint, const Decision& decision);
  void keep_subprotocol(std::string_view selected);

  static constexpr std::uint8_t subprotocol_none = 0xff;
  static constexpr std::uint8_t subprotocol_in_extra = 0xfe;

  ServerThread* thread_;
  std::uint32_t slot_ = 0;
  std::uint16_t route_ = RouteTable::none;
  std::uint8_t subprotocol_ = subprotocol_none;  // index into the route's list
  bool opened_ : 1 = false;
  bool output_high_ : 1 = false;       // passed the high watermark and did not drain since
  bool paused_by_user_ : 1 = false;    // Peer::pause()
  bool paused_by_policy_ : 1 = false;  // OutputPolicy::pause
  bool deaf_ : 1 = false;              // the rest of a message is dropped, and what follows it
  bool has_data_ : 1 = false;          // data() was asked for
  bool has_extra_ : 1 = false;
};

static_assert(sizeof(ServerPeer) <= 16, "an idle connection's budget (DESIGN section 2, rule 10)");

}  // namespace sansock

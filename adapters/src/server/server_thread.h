// One loop of a server with all that belongs to it: pools, configurations, counters. Everything
// here is for the loop's own thread, except where it says otherwise.
#pragma once

#include <any>
#include <atomic>
#include <deque>
#include <memory>

#include "any_loop.h"
#include "peer_extra.h"
#include "sansock/heap_message_memory.h"
#include "sansock/slab_block_pool.h"
#include "server_core.h"
#include "server_peer.h"
#include "side_table.h"
#include "thread_codec.h"

namespace sansock {

using PeerLoop = AnyLoop<ServerPeer, ServerThread>;

class Broadcast;

class ServerThread {
 public:
  // `own_connection`: it serves one connection only, and ends with it (blocking).
  ServerThread(ServerCore& core, std::uint64_t index, bool own_connection);
  ServerThread(const ServerThread&) = delete;
  ServerThread& operator=(const ServerThread&) = delete;
  ~ServerThread();

  // Sets the loop up. errc::config_invalid where a route's limits contradict each other.
  std::error_code open(std::unique_ptr<PeerLoop> loop);
  // Takes a listening socket over; its connections become peers, over TLS if there is a `tls`.
  std::error_code listen(int fd, std::shared_ptr<const TlsServer> tls);
  // Takes a connected socket over. false: no memory, or too many; it is closed then.
  bool add(LoopSocket socket, const TlsServer* tls);

  enum class Until : std::uint8_t { stop, empty };  // `empty`: or no connection is left
  // Turns the loop, then ends what is left of it in the way of Server::stop().
  void run(Until until);

  // Gives memory back that only a burst needs.
  void trim() noexcept {
    pool_.trim();
    codec_.trim();
  }

  // From any thread; wake() also from signal handlers.
  bool post(std::function<void()> task) { return loop_->post(std::move(task)); }
  void wake() noexcept { loop_->wake(); }
  void broadcast(Broadcast& message);

  // Calls `visit` with the peer, if it is there and has not ended.
  template <class Visit>
  void with_peer(PeerId id, Visit&& visit) {
    const ConnectionId in_loop{own_connection_ ? own_slot_ : id.slot, id.serial};
    Driver<ServerPeer>* const driver = loop_->find(in_loop);
    if (driver != nullptr && driver->endpoint().state() != ReadyState::closed) visit(driver->handler());
  }
  // Calls `visit` for each open peer. It may do anything to any of them.
  template <class Visit>
  void for_each_open(Visit&& visit) {
    loop_->for_each([&visit](Driver<ServerPeer>& driver) {
      if (driver.handler().opened() && driver.endpoint().state() == ReadyState::open) visit(driver.handler());
    });
  }

  // While it lives, `peer` handles an event of its own; `endpoint` is the peer's.
  class OwnEvent {
   public:
    OwnEvent(ServerThread& thread, const ServerPeer& peer, Endpoint& endpoint) noexcept : thread_(thread) {
      thread.current_peer_ = &peer;
      thread.current_endpoint_ = &endpoint;
    }
    OwnEvent(const OwnEvent&) = delete;
    OwnEvent& operator=(const OwnEvent&) = delete;
    ~OwnEvent() {
      thread_.current_peer_ = nullptr;
      thread_.current_endpoint_ = nullptr;
    }

   private:
    ServerThread& thread_;
  };
  bool in_own_event(const ServerPeer& peer) const noexcept { return current_peer_ == &peer; }
  Endpoint* own_endpoint_of(const ServerPeer& peer) const noexcept {
    return in_own_event(peer) ? current_endpoint_ : nullptr;
  }
  Endpoint* endpoint_of(const ServerPeer& peer) const noexcept {
    return in_own_event(peer) ? current_endpoint_ : find_endpoint(peer);
  }

  std::uint64_t index() const noexcept { return index_; }
  ServerCore& core() noexcept { return core_; }
  PeerLoop& loop() noexcept { return *loop_; }
  // What only some peers have, by their slot.
  SideTable<std::any>& data() noexcept { return data_; }
  SideTable<std::unique_ptr<PeerExtra>>& extras() noexcept { return extras_; }
  PeerExtraPool& extra_pool() noexcept { return extra_pool_; }
  MessageMemory& message_memory() noexcept { return message_memory_; }
  const Config& config(std::uint16_t route) const noexcept { return configs_[route]; }
  const RouteEntry& route(std::uint16_t index) const noexcept { return *routes_[index]; }
  // Where each connection has a thread of its own, `thread` and `slot` together are the index of the
  // thread, of 64 bits because it is never used again.
  PeerId peer_id(ConnectionId id) const noexcept;
  static std::uint64_t own_index(PeerId id) noexcept { return std::uint64_t{id.slot} << 32 | id.thread; }

  // Written by the thread, read by any.
  struct Counters {
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> opened{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> closed{0};
    std::atomic<std::uint64_t> broadcast_missed{0};
    std::atomic<std::uint64_t> accept_backoffs{0};
  };
  const Counters& counters() const noexcept { return counters_; }
  // Only the thread itself counts, so no read-modify-write is needed.
  static void count(std::atomic<std::uint64_t>& counter) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  Counters& counters() noexcept { return counters_; }

 private:
  std::error_code make_configs();
  std::error_code make_config(const Route& route);
  Endpoint* find_endpoint(const ServerPeer& peer) const noexcept;
  void turn(Duration wait_max);
  void stop_accepting();
  void close_all();
  void drop_all();
  void drain();

  ServerCore& core_;
  const std::uint64_t index_;
  const bool own_connection_;
  std::uint32_t own_slot_ = 0;
  SlabBlockPool pool_;
  HeapMessageMemory message_memory_;
  ThreadCodec codec_;
  PeerExtraPool extra_pool_;
  SideTable<std::unique_ptr<PeerExtra>> extras_;
  SideTable<std::any> data_;
  Config handshake_config_;
  std::deque<Config> configs_;  // by route; addresses stay
  std::vector<const RouteEntry*> routes_;
  Counters counters_;
  const ServerPeer* current_peer_ = nullptr;
  Endpoint* current_endpoint_ = nullptr;
  bool accept_stopped_ = false;
  std::unique_ptr<PeerLoop> loop_;  // last: its connections use all of the above until they end
};

inline Endpoint* ServerPeer::endpoint() const noexcept { return thread_->endpoint_of(*this); }

inline Endpoint* ServerPeer::own_endpoint() const noexcept { return thread_->own_endpoint_of(*this); }

inline void ServerPeer::touch() {
  if (!thread_->in_own_event(*this)) thread_->loop().touch(connection_id());
}

inline const RouteEntry& ServerPeer::route() const noexcept { return thread_->route(route_); }

}  // namespace sansock

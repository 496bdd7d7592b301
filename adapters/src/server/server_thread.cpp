// ServerThread: from the first turn of a loop to the end of its last connection.
#include "server_thread.h"

#include <algorithm>
#include <chrono>

#include "broadcast.h"

namespace sansock {

using std::chrono::steady_clock;

namespace {

constexpr int cancel_turns_max = 100;
// More than an io_uring lends at a time, or a block would go back to the kernel with each turn.
constexpr std::size_t warm_blocks_max = 128;

}  // namespace

ServerThread::ServerThread(ServerCore& core, std::uint64_t index, bool own_connection)
    : core_(core),
      index_(index),
      own_connection_(own_connection),
      pool_(core.options.output_memory_max, warm_blocks_max),
      message_memory_(core.options.message_memory_max) {}

ServerThread::~ServerThread() = default;

std::error_code ServerThread::open(std::unique_ptr<PeerLoop> loop) {
  if (const std::error_code error = make_configs()) return error;
  loop_ = std::move(loop);
  return loop_->open();
}

// Pools belong to a thread, so each has its own copies.
std::error_code ServerThread::make_configs() {
  handshake_config_.pool = &pool_;
  handshake_config_.kernels = core_.options.kernels;
  handshake_config_.limits = core_.options.handshake_limits;
  handshake_config_.timeouts.opening_handshake = core_.options.handshake_timeout;
  // Origins and versions are the routes' to decide, see ServerPeer::on_request().
  handshake_config_.origin_policy = OriginPolicy::any;
  handshake_config_.version_8 = core_.routes.version_8();
  if (const errc error = validate(handshake_config_, Role::server); error != errc::none) return error;
  for (std::uint16_t index = 0; index < core_.routes.size(); ++index) {
    routes_.push_back(&core_.routes.route(index));
    if (const std::error_code error = make_config(routes_[index]->route)) return error;
  }
  return {};
}

std::error_code ServerThread::make_config(const Route& route) {
  Config config = handshake_config_;
  config.limits = route.limits;
  config.timeouts = route.timeouts;
  config.auto_pong = route.auto_pong;
  config.check_received_text = route.check_received_text;
  if (route.deflate) {
    if (const std::error_code error = codec_.open(core_.options.deflate_memory_max)) return error;
    config.codec = codec_.get();
    config.deflate = *route.deflate;
  }
  if (const errc error = validate(config, Role::server); error != errc::none) return error;
  configs_.push_back(config);
  return {};
}

std::error_code ServerThread::listen(int fd, std::shared_ptr<const TlsServer> tls) {
  return loop_->listen(fd, [this, tls = std::move(tls)](LoopSocket accepted) { add(accepted, tls.get()); });
}

bool ServerThread::add(LoopSocket socket, const TlsServer* tls) {
  const std::optional<ConnectionId> id = loop_->add(socket, Role::server, handshake_config_, *this);
  if (!id) return false;
  loop_->find(*id)->handler().set_slot(id->slot);
  own_slot_ = id->slot;
  count(counters_.accepted);
  if (tls == nullptr) return true;
  pool_.set_wiped();
  // Without memory for its keys it must not become a plain one.
  if (!loop_->secure(*id, tls->make_engine(pool_)))
    loop_->find(*id)->endpoint().abort(errc::memory_exhausted);
  return true;
}

// --- the loop -------------------------------------------------------------------------------------

void ServerThread::run(Until until) {
  while (!core_.stopping.load(std::memory_order_acquire)) {
    if (core_.accept_stopped.load(std::memory_order_acquire)) stop_accepting();
    if (until == Until::empty && loop_->connections() == 0) return;
    turn(no_timeout);
  }
  drain();
}

void ServerThread::turn(Duration wait_max) {
  loop_->turn(wait_max);
  counters_.accept_backoffs.store(loop_->accept_backoffs(), std::memory_order_relaxed);
}

void ServerThread::stop_accepting() {
  if (accept_stopped_) return;
  accept_stopped_ = true;
  loop_->stop_accepting();
}

// Every peer gets a Close frame with 1001 (RFC 6455 section 7.4.1: "a server going down"), requests
// get a 503; who has not left by the deadline is dropped.
void ServerThread::drain() {
  stop_accepting();
  close_all();
  const auto deadline = steady_clock::now() + core_.options.stop_timeout;
  while (loop_->connections() != 0) {
    const auto left = deadline - steady_clock::now();
    if (left <= steady_clock::duration::zero()) break;
    turn(std::chrono::duration_cast<Duration>(left));
  }
  drop_all();
  turn(Duration::zero());  // also runs what was posted last
  // What an io_uring has under way is cancelled, which takes a turn or two.
  for (int i = 0; i < cancel_turns_max && loop_->connections() != 0; ++i) turn(std::chrono::milliseconds(1));
}

void ServerThread::close_all() {
  loop_->for_each([this](Driver<ServerPeer>& driver) {
    // Those that are closing already go on with it.
    if (!driver.endpoint().close(CloseCode::going_away)) {
      loop_->touch(driver.handler().connection_id());
    }
  });
}

void ServerThread::drop_all() {
  loop_->for_each([this](Driver<ServerPeer>& driver) {
    driver.endpoint().abort(errc::close_timeout);
    loop_->touch(driver.handler().connection_id());
  });
}

// --- peers ----------------------------------------------------------------------------------------

Endpoint* ServerThread::find_endpoint(const ServerPeer& peer) const noexcept {
  Driver<ServerPeer>* const driver = loop_->find(peer.connection_id());
  return driver == nullptr ? nullptr : &driver->endpoint();
}

PeerId ServerThread::peer_id(ConnectionId id) const noexcept {
  const auto thread = static_cast<std::uint32_t>(index_);
  const auto slot = own_connection_ ? static_cast<std::uint32_t>(index_ >> 32) : id.slot;
  return {.thread = thread, .slot = slot, .serial = id.serial};
}

// Each sends before the next is given the frame: or each would hold a block of the pool until the last
// has got one.
void ServerThread::broadcast(Broadcast& message) {
  loop_->for_each([&](Driver<ServerPeer>& driver) {
    ServerPeer& peer = driver.handler();
    if (!peer.opened() || driver.endpoint().state() != ReadyState::open) return;
    if (!message.reaches(peer)) return;
    SharedFrame& frame = message.frame_for(driver.endpoint());
    if (peer.send_shared_by(driver.endpoint(), frame)) count(counters_.broadcast_missed);
    loop_->flush(peer.connection_id());
  });
}

}  // namespace sansock

// What the backends share.
#include "server_backend.h"

namespace sansock {

void add_counters(Server::Counters& sum, const ServerThread::Counters& counters) noexcept {
  constexpr auto order = std::memory_order_relaxed;
  sum.accepted += counters.accepted.load(order);
  sum.opened += counters.opened.load(order);
  sum.refused += counters.refused.load(order);
  sum.closed += counters.closed.load(order);
  sum.broadcast_missed += counters.broadcast_missed.load(order);
  sum.accept_backoffs += counters.accept_backoffs.load(order);
}

std::unique_ptr<ServerBackend> make_backend(Adapter adapter, ServerCore& core) {
  switch (adapter) {
    case Adapter::epoll: return make_epoll_backend(core);
    case Adapter::blocking: return make_blocking_backend(core);
    case Adapter::io_uring: return make_io_uring_backend(core);
    case Adapter::automatic: break;  // resolve_adapter() never gives it
  }
  return nullptr;
}

}  // namespace sansock

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

}  // namespace sansock

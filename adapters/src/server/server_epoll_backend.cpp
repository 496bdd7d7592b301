// The epoll adapter's server.
#include "server_backend.h"

#ifdef SANSOCK_WITH_EPOLL
#include "sansock/epoll_loop.h"
#include "server_loop_backend.h"
#endif

namespace sansock {

std::unique_ptr<ServerBackend> make_epoll_backend([[maybe_unused]] ServerCore& core) {
#ifdef SANSOCK_WITH_EPOLL
  return std::make_unique<LoopBackend<EpollLoop<ServerPeer>>>(core);
#else
  return nullptr;
#endif
}

}  // namespace sansock

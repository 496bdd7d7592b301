// The io_uring adapter's server.
#include "server_backend.h"

#ifdef SANSOCK_WITH_IO_URING
#include "sansock/io_uring_loop.h"
#include "server_loop_backend.h"
#endif

namespace sansock {

std::unique_ptr<ServerBackend> make_io_uring_backend([[maybe_unused]] ServerCore& core) {
#ifdef SANSOCK_WITH_IO_URING
  return std::make_unique<LoopBackend<IoUringLoop<ServerPeer>>>(core);
#else
  return nullptr;
#endif
}

}  // namespace sansock

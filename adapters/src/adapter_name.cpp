// The adapters' names, and which one `automatic` means.
#include "sansock/io_uring_support.h"
#include "sansock/server.h"

namespace sansock {

std::string_view name(Adapter adapter) noexcept {
  switch (adapter) {
    case Adapter::automatic: return "automatic";
    case Adapter::epoll: return "epoll";
    case Adapter::blocking: return "blocking";
    case Adapter::io_uring: return "io_uring";
  }
  return "unknown";
}

Adapter resolve_adapter(Adapter adapter) noexcept {
  if (adapter != Adapter::automatic) return adapter;
  if (!io_uring_support()) return Adapter::io_uring;
#ifdef SANSOCK_WITH_EPOLL
  return Adapter::epoll;
#else
  return Adapter::blocking;
#endif
}

}  // namespace sansock

// The adapters' names, and which one `automatic` means.
#include "sansock/server.h"

namespace sansock {

std::string_view name(Adapter adapter) noexcept {
  switch (adapter) {
    case Adapter::automatic: return "automatic";
    case Adapter::epoll: return "epoll";
    case Adapter::blocking: return "blocking";
  }
  return "unknown";
}

Adapter resolve_adapter(Adapter adapter) noexcept {
  if (adapter != Adapter::automatic) return adapter;
#ifdef SANSOCK_WITH_EPOLL
  return Adapter::epoll;
#else
  return Adapter::blocking;
#endif
}

}  // namespace sansock

#include "connections_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace sansock {
namespace {

// The application has files, sockets and databases of its own; the server a few descriptors a thread.
constexpr std::uint64_t spare_share = 32;
constexpr std::uint64_t spare_min = 64;
// Where the system sets no limit, memory is one: so many cost a quarter of a gigabyte while idle.
constexpr std::uint64_t limit_max = 1'000'000;

}  // namespace

unsigned connections_limit(std::uint64_t descriptors, unsigned each) noexcept {
  const std::uint64_t spare = std::min(std::max(descriptors / spare_share, spare_min), descriptors / 2);
  return static_cast<unsigned>(std::clamp<std::uint64_t>((descriptors - spare) / each, 1, limit_max));
}

unsigned connections_limit(Adapter adapter) noexcept {
  rlimit limit = {};
  // It can not fail with this resource; a POSIX system allows 20 at least.
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = 20;
  // A blocking connection has a loop of its own, whose mailbox is a descriptor.
  return connections_limit(limit.rlim_cur, adapter == Adapter::blocking ? 2 : 1);
}

}  // namespace sansock

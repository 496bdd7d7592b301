// How many connections a server takes where ServerOptions::connections_max does not say.
#pragma once

#include <cstdint>

#include "sansock/server.h"

namespace sansock {

// As many as the process may have descriptors for now (its soft RLIMIT_NOFILE).
unsigned connections_limit(Adapter adapter) noexcept;
// With `descriptors` in all, of which each connection takes `each`. At least 1.
unsigned connections_limit(std::uint64_t descriptors, unsigned each) noexcept;

}  // namespace sansock

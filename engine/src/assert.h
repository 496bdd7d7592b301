// Assertions that stay on in release builds, and those that do not.
//
// A broken invariant ends the process at once: a WebSocket engine that goes on with a wrong length
// or a freed block is worse than none. __builtin_trap needs no library, so the engine stays free of
// dependencies.
#pragma once

#define SANSOCK_ASSERT(condition)  \
  do {                             \
    if (!(condition)) [[unlikely]] \
      __builtin_trap();            \
  } while (false)

#ifdef NDEBUG
#define SANSOCK_DEBUG_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#else
#define SANSOCK_DEBUG_ASSERT(condition) SANSOCK_ASSERT(condition)
#endif

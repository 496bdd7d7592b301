// Which loops a test of what all of them do runs over.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "sansock/blocking_loop.h"
#include "sansock/epoll_loop.h"
#ifdef SANSOCK_WITH_IO_URING
#include "sansock/io_uring_loop.h"
#endif

namespace sansock::test {

// Loops that hold many connections.
#ifdef SANSOCK_WITH_IO_URING
template <class H>
using ManyLoops = testing::Types<EpollLoop<H>, IoUringLoop<H>>;
template <class H>
using AllLoops = testing::Types<EpollLoop<H>, IoUringLoop<H>, BlockingLoop<H>>;
#else
template <class H>
using ManyLoops = testing::Types<EpollLoop<H>>;
template <class H>
using AllLoops = testing::Types<EpollLoop<H>, BlockingLoop<H>>;
#endif

template <class Loop>
struct LoopTraits;
template <class H>
struct LoopTraits<EpollLoop<H>> {
  static constexpr const char* name = "Epoll";
  static constexpr bool io_uring = false;
};
template <class H>
struct LoopTraits<BlockingLoop<H>> {
  static constexpr const char* name = "Blocking";
  static constexpr bool io_uring = false;
};
#ifdef SANSOCK_WITH_IO_URING
template <class H>
struct LoopTraits<IoUringLoop<H>> {
  static constexpr const char* name = "IoUring";
  static constexpr bool io_uring = true;
};
#endif

struct LoopNames {
  template <class Loop>
  static std::string GetName(int) {
    return LoopTraits<Loop>::name;
  }
};

}  // namespace sansock::test

// At the start of SetUp() or of a test: where the kernel, a container or an administrator refuses
// io_uring, its tests are skipped and say so.
#ifdef SANSOCK_WITH_IO_URING
#define SANSOCK_SKIP_WITHOUT_IO_URING()                              \
  if (const std::error_code refused = ::sansock::io_uring_support()) \
  GTEST_SKIP() << "no io_uring: " << refused.message()
#else
#define SANSOCK_SKIP_WITHOUT_IO_URING() GTEST_SKIP() << "no io_uring: it is not built"
#endif
#define SANSOCK_SKIP_IF_REFUSED(Loop)                          \
  if constexpr (::sansock::test::LoopTraits<Loop>::io_uring) { \
    SANSOCK_SKIP_WITHOUT_IO_URING();                           \
  }                                                            \
  static_assert(true)

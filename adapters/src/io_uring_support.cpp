// It is found out by trying: kernels, containers (seccomp) and administrators
// (kernel.io_uring_disabled) refuse in ways of their own.
#include "sansock/io_uring_support.h"

#ifdef SANSOCK_WITH_IO_URING
#include <new>

#include "io_uring/receive_buffers.h"
#include "io_uring/ring.h"
#endif

namespace sansock {
namespace {

std::error_code try_io_uring() noexcept {
#ifdef SANSOCK_WITH_IO_URING
  try {
    detail::Ring ring;
    std::error_code error = ring.open(4, 8, true);
    if (!error) {
      detail::ReceiveBuffers buffers;
      error = buffers.open(ring.get(), 4, 4096);
    }
    // A kernel calls invalid what is newer than it is.
    if (error == std::errc::invalid_argument) return std::make_error_code(std::errc::function_not_supported);
    return error;
  } catch (const std::bad_alloc&) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
#else
  return std::make_error_code(std::errc::function_not_supported);
#endif
}

}  // namespace

std::error_code io_uring_support() noexcept {
  static const std::error_code found = try_io_uring();
  return found;
}

}  // namespace sansock

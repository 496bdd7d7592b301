// The three system calls of a stream socket as the loops need them. EINTR is repeated here; SIGPIPE
// never happens.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "sansock/types.h"

namespace sansock::detail {

enum class IoState : std::uint8_t { done, would_block, ended, failed };

struct IoResult {
  IoState state = IoState::done;
  std::size_t size = 0;
};

// After a recv(2) that gave no byte: makes sense of it, and repeats it where it was interrupted.
IoResult receive_again(int fd, Bytes buffer, std::ptrdiff_t result) noexcept;
inline IoResult receive_some(int fd, Bytes buffer) noexcept {
  const ssize_t size = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size > 0) [[likely]]
    return {IoState::done, static_cast<std::size_t>(size)};
  return receive_again(fd, buffer, size);
}
// What receive_some() would find, without taking it.
IoState peek(int fd) noexcept;
IoResult send_some(int fd, std::span<IoSlice> slices) noexcept;
// After a send(2) that failed: makes sense of it, and repeats it where it was interrupted.
IoResult send_again(int fd, IoSlice slice) noexcept;
inline IoResult send_some(int fd, IoSlice slice) noexcept {
  const ssize_t size = send(fd, slice.base, slice.size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size >= 0) [[likely]]
    return {IoState::done, static_cast<std::size_t>(size)};
  return send_again(fd, slice);
}
void shutdown_write(int fd) noexcept;
void close_descriptor(int fd) noexcept;

}  // namespace sansock::detail

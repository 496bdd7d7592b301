// The three system calls of a stream socket as the loops need them. EINTR is repeated here; SIGPIPE
// never happens.
#pragma once

#include <cstdint>

#include "sansock/types.h"

namespace sansock::detail {

enum class IoState : std::uint8_t { done, would_block, ended, failed };

struct IoResult {
  IoState state = IoState::done;
  std::size_t size = 0;
};

IoResult receive_some(int fd, Bytes buffer) noexcept;
// What receive_some() would find, without taking it.
IoState peek(int fd) noexcept;
IoResult send_some(int fd, std::span<IoSlice> slices) noexcept;
void shutdown_write(int fd) noexcept;
void close_descriptor(int fd) noexcept;

}  // namespace sansock::detail

#include "sansock/detail/stream_io.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace sansock::detail {

static_assert(sizeof(IoSlice) == sizeof(iovec) && alignof(IoSlice) == alignof(iovec));
static_assert(offsetof(IoSlice, base) == offsetof(iovec, iov_base) &&
              offsetof(IoSlice, size) == offsetof(iovec, iov_len));

namespace {

IoResult receive_result(int fd, Bytes buffer, int flags, ssize_t size) noexcept {
  for (;; size = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | flags)) {
    if (size > 0) return {IoState::done, static_cast<std::size_t>(size)};
    if (size == 0) return {IoState::ended, 0};
    if (errno == EINTR) continue;
    return {errno == EAGAIN || errno == EWOULDBLOCK ? IoState::would_block : IoState::failed, 0};
  }
}

IoResult failed_send() noexcept {
  // ENOBUFS: the kernel is short of memory, not the connection broken.
  const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
  return {later ? IoState::would_block : IoState::failed, 0};
}

}  // namespace

IoResult receive_again(int fd, Bytes buffer, std::ptrdiff_t result) noexcept {
  return receive_result(fd, buffer, 0, result);
}

IoState peek(int fd) noexcept {
  std::byte byte;
  return receive_result(fd, {&byte, 1}, MSG_PEEK, recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK)).state;
}

IoResult send_again(int fd, IoSlice slice) noexcept {
  if (errno == EINTR) return send_some(fd, std::span(&slice, 1));
  return failed_send();
}

IoResult send_some(int fd, std::span<IoSlice> slices) noexcept {
  msghdr message{};
  message.msg_iov = reinterpret_cast<iovec*>(slices.data());
  message.msg_iovlen = slices.size();
  for (;;) {
    const ssize_t size = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size >= 0) return {IoState::done, static_cast<std::size_t>(size)};
    if (errno != EINTR) return failed_send();
  }
}

void shutdown_write(int fd) noexcept { shutdown(fd, SHUT_WR); }

void close_descriptor(int fd) noexcept { close(fd); }

}  // namespace sansock::detail

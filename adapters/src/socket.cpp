#include "sansock/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sansock/clock.h"
#include "sansock/error.h"
#include "socket_address.h"

namespace sansock {
namespace {

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

Socket make_socket(int family) noexcept {
  return Socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

bool set_option(int fd, int level, int name, int value) noexcept {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

std::error_code listen_at(const addrinfo& address, const TcpListenOptions& options, Socket& result) {
  Socket socket = make_socket(address.ai_family);
  if (!socket.valid()) return last_error();
  if (!set_option(socket.fd(), SOL_SOCKET, SO_REUSEADDR, 1)) return last_error();
  if (options.reuse_port && !set_option(socket.fd(), SOL_SOCKET, SO_REUSEPORT, 1)) return last_error();
  if (address.ai_family == AF_INET6 && !set_option(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 0))
    return last_error();
  if (bind(socket.fd(), address.ai_addr, address.ai_addrlen) != 0) return last_error();
  if (::listen(socket.fd(), options.backlog) != 0) return last_error();
  result = std::move(socket);
  return {};
}

int poll_timeout(Instant deadline) noexcept {
  if (deadline == never) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - MonotonicClock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

// Waits for the end of a connect(2) under way. EINTR does not stop it in the kernel, so it is waited
// for in the same way.
std::error_code finish_connect(int fd, Instant deadline) {
  for (;;) {
    pollfd wait{fd, POLLOUT, 0};
    const int ready = ::poll(&wait, 1, poll_timeout(deadline));
    if (ready > 0) break;
    if (ready < 0 && errno != EINTR) return last_error();
    if (deadline <= MonotonicClock::now()) return errc::connect_timeout;
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return last_error();
  return {error, std::system_category()};
}

std::error_code connect_at(Socket& socket, const sockaddr* address, socklen_t size, Instant deadline) {
  if (::connect(socket.fd(), address, size) == 0) return {};
  if (errno != EINPROGRESS && errno != EINTR) return last_error();
  return finish_connect(socket.fd(), deadline);
}

std::error_code bind_local(const Socket& socket, const std::string& host, int family) {
  AddressList local;
  if (const auto error = resolve(host, 0, family == AF_INET ? 4 : 6, true, local)) return error;
  return bind(socket.fd(), local->ai_addr, local->ai_addrlen) == 0 ? std::error_code{} : last_error();
}

Instant deadline_after(Duration timeout) noexcept {
  const Instant now = MonotonicClock::now();
  return timeout >= never - now ? never : now + timeout;
}

// Whether a Unix socket file certainly has no server behind it: only a refusal says so. EINTR, EACCES
// and others say nothing, and a live one must not be unlinked.
bool is_abandoned(const SocketAddress& address, socklen_t size) noexcept {
  const Socket probe = make_socket(AF_UNIX);
  if (!probe.valid()) return false;
  return ::connect(probe.fd(), &address.any, size) != 0 && errno == ECONNREFUSED;
}

std::error_code listen_at(const SocketAddress& address, socklen_t size, int backlog, Socket& result) {
  Socket socket = make_socket(AF_UNIX);
  if (!socket.valid()) return last_error();
  if (bind(socket.fd(), &address.any, size) != 0) {
    if (errno != EADDRINUSE) return last_error();
    const auto in_use = std::make_error_code(std::errc::address_in_use);
    const char* const path = address.unix_path.sun_path;
    struct stat file {};
    if (lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode) || !is_abandoned(address, size)) return in_use;
    if (unlink(path) != 0 || bind(socket.fd(), &address.any, size) != 0) return last_error();
  }
  if (::listen(socket.fd(), backlog) != 0) return last_error();
  result = std::move(socket);
  return {};
}

// A ring of io_uring outlives its process for some moments, and what listens lives as long as the ring. So
// whoever starts a killed server again at once finds the address in use by a process that is gone.
template <class Attempt>
std::error_code try_until_free(Attempt attempt) {
  const Instant end = MonotonicClock::now() + std::chrono::milliseconds(500);
  for (;;) {
    const std::error_code error = attempt();
    if (error != std::errc::address_in_use || MonotonicClock::now() >= end) return error;
    ::poll(nullptr, 0, 5);
  }
}

std::size_t count(const addrinfo* address) noexcept {
  std::size_t n = 0;
  for (; address != nullptr; address = address->ai_next) ++n;
  return n;
}

// This address's share of the time that is left, so that one that never answers leaves some to those
// behind it.
Instant deadline_of(const addrinfo* address, Instant deadline) noexcept {
  if (deadline == never) return never;
  const Instant now = MonotonicClock::now();
  return now + std::max(deadline - now, Duration::zero()) / static_cast<std::int64_t>(count(address));
}

std::error_code connect_to(const addrinfo& address, const TcpConnectOptions& options, Instant deadline,
                           Socket& result) {
  Socket socket = make_socket(address.ai_family);
  if (!socket.valid()) return last_error();
  if (!options.local_address.empty()) {
    if (const auto error = bind_local(socket, options.local_address, address.ai_family)) return error;
  }
  if (const auto error = connect_at(socket, address.ai_addr, address.ai_addrlen, deadline)) return error;
  result = std::move(socket);
  return {};
}

}  // namespace

void Socket::reset() noexcept {
  // After EINTR Linux has closed the descriptor all the same; closing it again could hit another.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::error_code listen_tcp(const TcpListenOptions& options, Socket& socket) {
  AddressList addresses;
  const std::string host = options.host.empty() ? "::" : options.host;
  if (const auto error = resolve(host, options.port, 0, true, addresses)) return error;
  std::error_code error;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    error = try_until_free([&] { return listen_at(*address, options, socket); });
    if (!error) return {};
  }
  const bool without_ipv6 = error == std::errc::address_family_not_supported ||  // not in the kernel,
                            error == std::errc::address_not_available;           // or switched off
  if (without_ipv6 && host == "::") {
    TcpListenOptions ipv4 = options;
    ipv4.host = "0.0.0.0";
    return listen_tcp(ipv4, socket);
  }
  return error;
}

std::error_code listen_unix(const std::string& path, int backlog, Socket& socket) {
  SocketAddress address;
  socklen_t size = 0;
  if (!to_unix_address(path, address, size)) return std::make_error_code(std::errc::filename_too_long);
  return try_until_free([&] { return listen_at(address, size, backlog, socket); });
}

std::error_code connect_tcp(const TcpConnectOptions& options, Socket& result) {
  const Instant deadline = deadline_after(options.timeout);
  AddressList addresses;
  if (const auto error = resolve(options.host, options.port, options.family, false, addresses)) return error;
  std::error_code error;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    error = connect_to(*address, options, deadline_of(address, deadline), result);
    if (!error) break;
  }
  return error;
}

std::error_code connect_unix(const std::string& path, Duration timeout, Socket& result) {
  SocketAddress address;
  socklen_t size = 0;
  if (!to_unix_address(path, address, size)) return std::make_error_code(std::errc::filename_too_long);
  const Instant deadline = deadline_after(timeout);
  Socket socket = make_socket(AF_UNIX);
  if (!socket.valid()) return last_error();
  for (;;) {
    const std::error_code error = connect_at(socket, &address.any, size, deadline);
    if (!error) break;
    // A full backlog: a Unix socket does not queue, it says EAGAIN.
    if (error.value() != EAGAIN || error.category() != std::system_category()) return error;
    if (deadline <= MonotonicClock::now()) return errc::connect_timeout;
    ::poll(nullptr, 0, 10);
  }
  result = std::move(socket);
  return {};
}

int accept_nonblocking(int listener) noexcept {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 || errno != EINTR) return fd;
  }
}

void set_nodelay(int fd) noexcept { set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

std::error_code set_nonblocking(int fd) noexcept {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return last_error();
  return {};
}

std::error_code set_blocking(int fd) noexcept {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) return last_error();
  return {};
}

Address local_address(int fd) {
  SocketAddress address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, &address.any, &size) != 0) return {};
  return to_address(address, size);
}

Address remote_address(int fd) {
  SocketAddress address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, &address.any, &size) != 0) return {};
  return to_address(address, size);
}

}  // namespace sansock

// Stream sockets: listening, connecting, addresses. TCP over IPv4 and IPv6, and Unix sockets. Every
// descriptor is non-blocking and close-on-exec; every call is repeated after EINTR.
#pragma once

#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "sansock/address.h"
#include "sansock/memory.h"
#include "sansock/types.h"

namespace sansock {

// Owns a descriptor.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Socket() { reset(); }

  int fd() const noexcept { return fd_; }
  bool valid() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

struct TcpListenOptions {
  std::string host = "127.0.0.1";  // "" or "::": every address, IPv4 included; "0.0.0.0": IPv4 only
  std::uint16_t port = 0;          // 0: any free one
  int backlog = 4096;
  bool reuse_port = false;  // several sockets share the port; the kernel spreads connections
};

// Both wait up to half a second for an address that is in use, before they say EADDRINUSE: that of a server
// that was killed may be, until the kernel has taken down its io_uring.
std::error_code listen_tcp(const TcpListenOptions& options, Socket& socket);
// Replaces a socket file that nobody serves any more; a live one, or a file that is no socket, is
// left alone (EADDRINUSE).
std::error_code listen_unix(const std::string& path, int backlog, Socket& socket);

struct TcpConnectOptions {
  std::string host;
  std::uint16_t port = 0;
  Duration timeout = no_timeout;   // over all of the host's addresses together
  std::string local_address = {};  // bound first, if not empty
  int family = 0;                  // 4 or 6; 0: any
};

// Tries the host's addresses in the resolver's order; each gets its share of the time that is left.
// errc::connect_timeout, or what the system said about the last address. The look-up of a name has no
// time limit of its own here: it is the resolver's (resolv.conf(5)).
std::error_code connect_tcp(const TcpConnectOptions& options, Socket& socket);
std::error_code connect_unix(const std::string& path, Duration timeout, Socket& socket);

// -1 and errno as accept4(2); EINTR is repeated.
int accept_nonblocking(int listener) noexcept;
// No Nagle delay; ignored where the socket is not TCP.
void set_nodelay(int fd) noexcept;
std::error_code set_nonblocking(int fd) noexcept;
// For an io_uring, which waits only on behalf of sockets that would wait themselves.
std::error_code set_blocking(int fd) noexcept;

Address local_address(int fd);
Address remote_address(int fd);

}  // namespace sansock

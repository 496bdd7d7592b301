#include "system_calls.h"

namespace system_calls {

std::function<int(int)> accept4;
std::function<int(int)> connect;
std::function<ssize_t(int, const msghdr&)> sendmsg;
std::function<int(addrinfo**)> getaddrinfo;
std::function<int(int)> socket;

}  // namespace system_calls

// The names are the linker's.
extern "C" {

int __real_accept4(int listener, sockaddr* address, socklen_t* size, int flags);
int __wrap_accept4(int listener, sockaddr* address, socklen_t* size, int flags) {
  if (system_calls::accept4) return system_calls::accept4(listener);
  return __real_accept4(listener, address, size, flags);
}

int __real_connect(int fd, const sockaddr* address, socklen_t size);
int __wrap_connect(int fd, const sockaddr* address, socklen_t size) {
  if (system_calls::connect) return system_calls::connect(fd);
  return __real_connect(fd, address, size);
}

// A send() is a sendmsg() of one slice, to the tests; theirs do wait.
ssize_t __real_send(int fd, const void* data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void* data, size_t size, int flags) {
  if (!system_calls::sendmsg || (flags & MSG_DONTWAIT) == 0) return __real_send(fd, data, size, flags);
  iovec slice{const_cast<void*>(data), size};
  msghdr message{};
  message.msg_iov = &slice;
  message.msg_iovlen = 1;
  return system_calls::sendmsg(fd, message);
}

ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  if (system_calls::sendmsg) return system_calls::sendmsg(fd, *message);
  return __real_sendmsg(fd, message, flags);
}

int __real_getaddrinfo(const char* host, const char* port, const addrinfo* hints, addrinfo** list);
int __wrap_getaddrinfo(const char* host, const char* port, const addrinfo* hints, addrinfo** list) {
  if (system_calls::getaddrinfo) return system_calls::getaddrinfo(list);
  return __real_getaddrinfo(host, port, hints, list);
}

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol) {
  if (system_calls::socket) return system_calls::socket(family);
  return __real_socket(family, type, protocol);
}

}  // extern "C"

namespace system_calls {

int real_connect(int fd, const sockaddr* address, socklen_t size) {
  return __real_connect(fd, address, size);
}
ssize_t real_sendmsg(int fd, const msghdr& message) {
  return __real_sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}
int real_socket(int family) { return __real_socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

}  // namespace system_calls

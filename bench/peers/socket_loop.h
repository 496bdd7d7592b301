// The epoll loop of those peers that have none of their own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

#include "peer.h"

namespace peer {

inline int listen_at(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (listen(fd, 4096) != 0) die("listen");
  return fd;
}

inline int port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

inline void watch(int epoll, int operation, int fd, void* pointer, bool input, bool output) {
  epoll_event event{};
  event.events = (input ? std::uint32_t{EPOLLIN} : 0u) | (output ? std::uint32_t{EPOLLOUT} : 0u);
  event.data.ptr = pointer;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) die("epoll_ctl");
}

// Serves for ever. Session(epoll, fd) makes one; its handle(events) is false when it has ended.
template <class Session>
[[noreturn]] void serve(const char* scheme, int port) {
  std::signal(SIGPIPE, SIG_IGN);
  const int listener = listen_at(port);
  const int epoll = epoll_create1(0);
  watch(epoll, EPOLL_CTL_ADD, listener, nullptr, true, false);
  print_ready_line(scheme, port_of(listener));
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (auto* session = static_cast<Session*>(event.data.ptr)) {
        if (!session->handle(event.events)) delete session;
        continue;
      }
      for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(epoll, EPOLL_CTL_ADD, fd, new Session(epoll, fd), true, false);
      }
    }
  }
}

}  // namespace peer

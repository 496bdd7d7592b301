// System calls that a test may take over. The program is linked with -Wl,--wrap=<call> for each of
// these, so that the code under test is the shipped one.
#pragma once

#include <netdb.h>
#include <sys/socket.h>

#include <functional>

namespace system_calls {

// Empty: the real call. Otherwise called instead of it; a result under 0 goes with errno.
extern std::function<int(int listener)> accept4;
extern std::function<int(int fd)> connect;
extern std::function<ssize_t(int fd, const msghdr& message)> sendmsg;
extern std::function<int(addrinfo** list)> getaddrinfo;
extern std::function<int(int family)> socket;

int real_connect(int fd, const sockaddr* address, socklen_t size);
ssize_t real_sendmsg(int fd, const msghdr& message);
int real_socket(int family);

// Gives the real calls back at the end of a test.
struct Restore {
  ~Restore() {
    accept4 = nullptr;
    connect = nullptr;
    sendmsg = nullptr;
    getaddrinfo = nullptr;
    socket = nullptr;
  }
};

}  // namespace system_calls

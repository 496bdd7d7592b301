#include "faults.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace faults {
struct State {
  Plan plan;
  std::array<unsigned, static_cast<std::size_t>(Call::count_)> uses{};
  Wait wait;
};
static thread_local State* active = nullptr;

// Counts the use and asks the plan.
static Fault decide(Call call) {
  if (active == nullptr) return {};
  State& state = *active;
  const unsigned nth = ++state.uses[static_cast<std::size_t>(call)];
  return state.plan(call, nth);
}

static bool fails(const Fault& fault) {
  if (fault.error != 0) errno = fault.error;
  return fault.error != 0;
}

Injection::Injection(Plan plan) { active = new State{std::move(plan), {}}; }
Injection::~Injection() {
  delete active;
  active = nullptr;
}
Wait Injection::last_wait() const { return active->wait; }
unsigned Injection::uses(Call call) const { return active->uses[static_cast<std::size_t>(call)]; }

}  // namespace faults

using faults::Call;
using faults::decide;
using faults::fails;

// NOLINTBEGIN: the names are the linker's.
extern "C" {

ssize_t __real_recv(int fd, void* buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void* buffer, size_t size, int flags) {
  const auto fault = decide(Call::recv);
  if (fails(fault)) return -1;
  return __real_recv(fd, buffer, std::min(size, fault.size_max), flags);
}

// A send() is a sendmsg() of one slice, to the tests; theirs do wait.
ssize_t __real_send(int fd, const void* data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void* data, size_t size, int flags) {
  if ((flags & MSG_DONTWAIT) == 0) return __real_send(fd, data, size, flags);
  const auto fault = decide(Call::sendmsg);
  if (fails(fault)) return -1;
  return __real_send(fd, data, std::min(size, fault.size_max), flags);
}

ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  const auto fault = decide(Call::sendmsg);
  if (fails(fault)) return -1;
  std::vector<iovec> slices;
  std::size_t left = fault.size_max;
  for (std::size_t i = 0; i < message->msg_iovlen && left > 0; ++i) {
    slices.push_back(message->msg_iov[i]);
    slices.back().iov_len = std::min(slices.back().iov_len, left);
    left -= slices.back().iov_len;
  }
  msghdr shorter = *message;
  shorter.msg_iov = slices.data();
  shorter.msg_iovlen = slices.size();
  return __real_sendmsg(fd, &shorter, flags);
}

int __real_accept4(int fd, sockaddr* address, socklen_t* size, int flags);
int __wrap_accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  return fails(decide(Call::accept4)) ? -1 : __real_accept4(fd, address, size, flags);
}

int __real_epoll_wait(int fd, epoll_event* events, int count, int timeout);
int __wrap_epoll_wait(int fd, epoll_event* events, int count, int timeout) {
  const auto fault = decide(Call::epoll_wait);
  if (fails(fault)) return -1;
  const int ready = __real_epoll_wait(fd, events, count, fault.no_wait ? 0 : timeout);
  if (faults::active != nullptr) faults::active->wait = {timeout, ready};
  return ready;
}

int __real_poll(pollfd* waits, nfds_t count, int timeout);
int __wrap_poll(pollfd* waits, nfds_t count, int timeout) {
  return fails(decide(Call::poll)) ? -1 : __real_poll(waits, count, timeout);
}

ssize_t __real_getrandom(void* buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void* buffer, size_t size, unsigned flags) {
  const auto fault = decide(Call::getrandom);
  return fails(fault) ? -1 : __real_getrandom(buffer, std::min(size, fault.size_max), flags);
}

int __real_connect(int fd, const sockaddr* address, socklen_t size);
int __wrap_connect(int fd, const sockaddr* address, socklen_t size) {
  const auto fault = decide(Call::connect);
  if (fault.error == EINTR) {
    // An interrupted connect(2) goes on in the kernel (POSIX), so it is made and then denied.
    __real_connect(fd, address, size);
  }
  return fails(fault) ? -1 : __real_connect(fd, address, size);
}
}
// NOLINTEND

// Makes system calls fail on demand. The test programs are linked with -Wl,--wrap=<call> for each of
// these, so that the adapters' code is the shipped code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace faults {

enum class Call { recv, sendmsg, accept4, epoll_wait, poll, getrandom, connect, count_ };

struct Fault {
  int error = 0;                    // not 0: the call fails with this errno, without being made
  std::size_t size_max = SIZE_MAX;  // recv, sendmsg, getrandom: at most so many bytes
  bool no_wait = false;             // epoll_wait: returns at once, whatever the timeout
};

// What the newest epoll_wait that was made was asked for and what it gave.
struct Wait {
  int timeout = 0;  // in milliseconds; -1: without end
  int ready = 0;
};

// `plan` decides about each call; `nth` counts that call's uses from 1. For the calling thread.
using Plan = std::function<Fault(Call call, unsigned nth)>;

// Active while it lives.
class Injection {
 public:
  explicit Injection(Plan plan);
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;
  ~Injection();
  unsigned uses(Call call) const;
  Wait last_wait() const;
};

}  // namespace faults

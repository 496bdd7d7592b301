// Makes an io_uring refuse, fail and fall short on demand. The test programs are linked with
// -Wl,--wrap=<function> for the functions of liburing that the adapter calls, so that the adapter's
// code is the shipped code; what is handed over is changed in the ring, right before the call.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace ring_faults {

// What is asked of the ring. `watch` is the poll of a paused connection, `readable` that of one to which much
// comes, `receive_large` its receive.
enum class Operation : std::uint8_t {
  receive,
  receive_large,
  readable,
  send,
  accept,
  watch,
  mailbox,
  cancel,
  close,
  other,
  count_
};

struct Fault {
  int error = 0;                    // not 0: the operation completes with this errno, without being made
  std::size_t size_max = SIZE_MAX;  // send: at most so many bytes
};

// `nth` counts the operation's uses from 1.
using Plan = std::function<Fault(Operation operation, unsigned nth)>;
// An errno: the system call fails with it, without being made; 0: it is made.
using CallPlan = std::function<int(unsigned nth)>;

// What an older kernel, an administrator or a container does not grant. Errors are errno values.
struct Refusals {
  int setup = 0;
  unsigned setup_flags = 0;  // EINVAL if one of them is wanted
  int buffer_ring = 0;
  int table = 0;  // of direct descriptors
  bool probe = false;
  std::vector<int> operations;  // which the probe does not name
  bool receive_multishot = false;
  bool accept_multishot = false;
  bool zero_copy = false;  // the probe has it, the socket does not
  unsigned submissions_max = UINT_MAX;
  unsigned completions_max = UINT_MAX;
};

// Active while it lives, for the thread that made it.
class Injection {
 public:
  explicit Injection(Plan plan, Refusals refusals = {});
  explicit Injection(Refusals refusals) : Injection(Plan(), std::move(refusals)) {}
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;
  ~Injection();

  void plan(Plan plan);
  // Of the calls that hand over, with or without waiting.
  void calls(CallPlan plan);
  // Called after each wait, before the adapter looks at what has completed.
  void completed(std::function<void(io_uring&)> look);
  unsigned uses(Operation operation) const;
  // Set-ups that were tried, also those that were refused.
  unsigned setups() const;
};

// Whether this kernel can let an operation fail on demand (since 6.10).
bool errors_possible();

}  // namespace ring_faults

#define SANSOCK_SKIP_WITHOUT_ERRORS() \
  if (!ring_faults::errors_possible()) GTEST_SKIP() << "this kernel has no IORING_NOP_INJECT_RESULT"

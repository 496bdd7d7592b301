// The listening sockets of one ring: accepting, and not accepting while there is no room for more.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "ring.h"
#include "sansock/detail/uring_core.h"
#include "sansock/socket.h"

namespace sansock::detail {

class UringListeners {
 public:
  using AcceptFunction = UringCore::AcceptFunction;

  // `direct_max`: how many direct descriptors there are; 0: none, descriptors are ordinary ones.
  void open(Ring& ring, unsigned direct_max) noexcept;
  // Closes what was accepted and not handed out.
  ~UringListeners();

  void listen(int fd, AcceptFunction accepted);
  void stop() noexcept;
  // Asks for connections where none are asked for, and cancels where none are wanted any more; once a
  // turn. false: the ring had no room for all of it.
  bool arm() noexcept;
  void on_completion(const UringCompletion& completion, unsigned room, Instant now, LoopCounters& counters);
  void try_again(bool freed, unsigned room, Instant now, LoopCounters& counters);
  Instant suspended_until() const noexcept { return suspended_until_; }
  // Accepts that have not ended.
  std::size_t under_way() const noexcept { return under_way_; }
  // A direct descriptor was closed.
  void direct_closed() noexcept { --direct_used_; }

 private:
  enum class Suspended : std::uint8_t { no, exhausted, full };
  enum class State : std::uint8_t { idle, armed, cancelling };
  struct Listener {
    Socket socket;
    std::shared_ptr<AcceptFunction> accepted;
    std::uint64_t serial = 0;
    State state = State::idle;
    unsigned failures = 0;  // since the last connection
  };
  struct Waiting {
    std::uint64_t serial;  // of its listener
    LoopSocket socket;
  };

  Listener* find(UringTag tag) noexcept;
  bool arm(Listener& listener) noexcept;
  void hand_out(std::uint64_t serial, LoopSocket socket, LoopCounters& counters);
  void suspend(Suspended why, Instant until) noexcept;
  bool cancel(std::uint64_t serial) noexcept;
  bool cancel_all() noexcept;
  void on_error(Listener& listener, int error, Instant now, LoopCounters& counters);
  unsigned room_for(unsigned room) const noexcept;
  void close(LoopSocket socket) noexcept;
  bool close_direct(LoopSocket socket) noexcept;

  Ring* ring_ = nullptr;
  unsigned direct_max_ = 0;
  unsigned direct_used_ = 0;
  bool multishot_ = true;
  std::vector<Listener> listeners_;
  std::deque<Waiting> waiting_;         // accepted when there was no room any more
  std::vector<std::uint64_t> stopped_;  // listeners that are gone, with an accept still to be cancelled
  std::vector<LoopSocket> closing_;     // direct descriptors likewise
  std::size_t under_way_ = 0;
  std::uint64_t last_serial_ = 0;
  Suspended suspended_ = Suspended::no;
  Instant suspended_until_ = never;
};

}  // namespace sansock::detail

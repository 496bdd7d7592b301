// The listening sockets of one ring: accepting, and not accepting while there is no room for more.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "ring.h"
#include "sansock/detail/accept_pause.h"
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
  // When accepting is to be tried again; `never` if it is not paused, or for want of room.
  Instant paused_until() const noexcept { return pause_.until(); }
  // Accepts that have not ended.
  std::size_t under_way() const noexcept { return under_way_; }
  // What was accepted, or handed to the loop by others.
  void close(LoopSocket socket) noexcept;

 private:
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
  bool cancel(std::uint64_t serial) noexcept;
  bool cancel_all() noexcept;
  void on_error(Listener& listener, int error, Instant now, LoopCounters& counters);
  unsigned room_for(unsigned room) const noexcept;

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
  AcceptPause pause_;
};

}  // namespace sansock::detail

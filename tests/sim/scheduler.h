// Everything that is going to happen, in the order of its time. What is due at the same time happens
// in the order in which it was scheduled.
#pragma once

#include <algorithm>
#include <vector>

#include "sansock/types.h"

namespace sansock::sim {

enum class TaskKind : std::uint8_t {
  connect,  // a link begins
  arrival,  // bytes of a wire are there
  room,     // a wire takes bytes again
  reset,    // a reset reaches a port
  turn,     // a port looks at its transport
  written,  // a late write is complete
  act,      // an application does something
  answer,   // a server answers a request that it has put off
  resume,   // an application reads on
  fault,    // the network does something; `detail` is which
  intrude,  // an adversary does something
  finish,   // an application comes to its end
};

struct Task {
  Instant at;
  std::uint64_t order;
  TaskKind kind;
  std::uint32_t port;  // 2 * link + side
  std::uint32_t detail;
};

class Scheduler {
 public:
  void add(Instant at, TaskKind kind, std::uint32_t port, std::uint32_t detail = 0) {
    heap_.push_back({at, order_++, kind, port, detail});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  Instant next() const noexcept { return heap_.empty() ? never : heap_.front().at; }
  Task pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Task task = heap_.back();
    heap_.pop_back();
    return task;
  }

 private:
  static bool later(const Task& a, const Task& b) noexcept {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  std::vector<Task> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace sansock::sim

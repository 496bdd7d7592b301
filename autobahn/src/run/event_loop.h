// A small event loop: descriptors, deadlines, and turns that a handler may ask for.
#pragma once

#include <memory>
#include <vector>

#include "session/session.h"

namespace conform {

class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual int descriptor() const = 0;
  virtual bool wants_read() const = 0;
  virtual bool wants_write() const = 0;
  virtual void on_readable(Instant now) = 0;
  // Once a turn, after what was readable: time-outs, and output that may go on.
  virtual void on_turn(Instant now) = 0;
  // When on_turn() is due at the latest; Instant::min(): with the next turn, at once.
  virtual Instant deadline() const = 0;
  virtual bool finished() const = 0;
};

class EventLoop {
 public:
  void add(std::unique_ptr<EventHandler> handler) { added_.push_back(std::move(handler)); }
  // Waits for something to do, does it, and drops the handlers that have finished. Not later than `limit`.
  void run_turn(Instant limit);
  bool empty() const { return handlers_.empty() && added_.empty(); }

 private:
  int wait_ms(Instant limit) const;

  std::vector<std::unique_ptr<EventHandler>> handlers_;
  std::vector<std::unique_ptr<EventHandler>> added_;
};

}  // namespace conform

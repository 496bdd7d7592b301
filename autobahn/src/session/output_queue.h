// What is still to be written, and in which pieces: some of it has to reach the socket alone, an event-loop
// turn apart from what follows.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace conform {

class OutputQueue {
 public:
  // Joins what is queued last, if that is free to be joined.
  void push(std::string_view octets);
  // A write of its own, with a turn after it.
  void push_alone(std::string octets);
  // Written `size` octets at a time, with a turn after each piece.
  void push_chopped(std::string octets, std::size_t size);
  void clear();

  bool empty() const { return entries_.empty(); }
  // True while output waits only for the next turn.
  bool turn_over() const { return turn_over_ && !entries_.empty(); }
  void begin_turn() { turn_over_ = false; }

  // What may be written now; empty if there is nothing, or nothing in this turn.
  std::string_view next() const;
  // So much of next() was written.
  void consume(std::size_t written);

 private:
  struct Entry {
    std::string octets;
    std::size_t piece;  // 0: no bound, and others may join
    std::size_t taken = 0;
    std::size_t piece_taken = 0;
  };

  std::deque<Entry> entries_;
  bool turn_over_ = false;
};

}  // namespace conform

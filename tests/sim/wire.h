// One direction of a transport: bytes that were sent, of which a part has arrived.
#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "sansock/types.h"

namespace sansock::sim {

class Wire {
 public:
  explicit Wire(std::size_t window) : window_(window) {}

  // --- the sender -------------------------------------------------------------------------------
  // Bytes that can still be sent before the reader has to read.
  std::size_t room() const noexcept { return window_ - std::min(window_, held()); }
  // Sends bytes that will be there at `at`, which never goes back.
  void push(ConstBytes bytes, Instant at);
  // The end of the stream.
  void push_end(Instant at);
  bool end_sent() const noexcept { return end_sent_; }
  Instant newest() const noexcept { return newest_; }

  // --- the reader -------------------------------------------------------------------------------
  // Lets arrive what is due; true if anything was.
  bool mature(Instant now) noexcept;
  std::size_t readable() const noexcept { return arrived_; }
  bool ended() const noexcept { return ended_ && arrived_ == 0; }
  void read(Bytes out) noexcept;

  // --- trouble ----------------------------------------------------------------------------------
  void lose_flight() noexcept;
  void lose_all() noexcept;
  // Swaps the newest byte with the one before, if both are on their way.
  bool swap_newest() noexcept;

 private:
  struct Segment {
    Instant at;
    std::size_t size;
    bool end;
  };
  std::size_t held() const noexcept { return bytes_.size() - head_; }

  std::size_t window_;
  std::vector<std::byte> bytes_;  // from head_ on: arrived and not read, then on their way
  std::size_t head_ = 0;
  std::size_t arrived_ = 0;
  std::deque<Segment> flight_;
  Instant newest_ = Instant{};
  bool end_sent_ = false;
  bool ended_ = false;
};

}  // namespace sansock::sim

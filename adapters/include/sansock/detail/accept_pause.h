// When a loop accepts no more connections for a while: there is no room for more, or no descriptors.
#pragma once

#include <chrono>
#include <cstdint>

#include "sansock/types.h"

namespace sansock::detail {

class AcceptPause {
 public:
  bool active() const noexcept { return why_ != Why::none; }
  bool full() const noexcept { return why_ == Why::full; }
  // When a back-off ends; `never` if there is none.
  Instant until() const noexcept { return until_; }

  // Until there is room.
  void begin_full() noexcept { set(Why::full, never); }
  // After an error that trying again at once would only give again.
  void begin_back_off(Instant now) noexcept { set(Why::back_off, now + std::chrono::milliseconds(100)); }
  void end() noexcept { set(Why::none, never); }
  // Whether it ends here: the back-off has passed, or descriptors or connections have become free.
  bool ends(bool freed, bool room, Instant now) noexcept {
    if (why_ == Why::none) return false;
    if (!room) {  // whatever it was: a back-off that has passed must not keep the loop awake
      begin_full();
      return false;
    }
    if (why_ == Why::back_off && !freed && now < until_) return false;
    end();
    return true;
  }

 private:
  enum class Why : std::uint8_t { none, back_off, full };
  void set(Why why, Instant until) noexcept {
    why_ = why;
    until_ = until;
  }

  Why why_ = Why::none;
  Instant until_ = never;
};

}  // namespace sansock::detail

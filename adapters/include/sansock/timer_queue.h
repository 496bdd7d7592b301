// The deadlines of one loop: a lazy binary heap with at most one entry a connection.
//
// A deadline that moves later is not touched: its entry comes up early, and whoever pops it sets it
// again. So a busy connection, whose deadlines move with every read, costs nothing here. An entry
// is 8 bytes (40 bits of milliseconds, 24 of slot), and a slot has 4 more for its place in the heap.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sansock/types.h"

namespace sansock {

class TimerQueue {
 public:
  static constexpr std::uint32_t slot_max = (1u << 24) - 1;

  // Makes room for slots 0..count-1, so that set() can not fail. May throw std::bad_alloc.
  void reserve(std::uint32_t count);

  // The slot wants to be popped at `deadline` or earlier. `never` leaves an entry as it is.
  void set(std::uint32_t slot, Instant deadline) noexcept;
  void remove(std::uint32_t slot) noexcept;
  // Takes off a slot whose entry is due, oldest first; nullopt if none is.
  std::optional<std::uint32_t> pop_due(Instant now) noexcept;
  // When pop_due() will have something, rounded up to a millisecond; `never` if empty.
  Instant next() const noexcept;
  std::size_t size() const noexcept { return heap_.size(); }

 private:
  void place(std::size_t index, std::uint64_t entry) noexcept;
  void sift_up(std::size_t index, std::uint64_t entry) noexcept;
  void sift_down(std::size_t index, std::uint64_t entry) noexcept;
  void erase(std::size_t index) noexcept;

  std::vector<std::uint64_t> heap_;       // milliseconds << 24 | slot
  std::vector<std::uint32_t> positions_;  // of each slot: its index in heap_ plus 1, or 0
};

}  // namespace sansock

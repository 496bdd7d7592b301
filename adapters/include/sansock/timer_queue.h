// The deadlines of one loop: a lazy binary heap with at most one entry a connection.
//
// A deadline that moves later is not touched: its entry comes up early, and whoever pops it sets it
// again. So a busy connection, whose deadlines move with every read, costs nothing here. An entry
// is 8 bytes (40 bits of milliseconds, 24 of slot), and a slot has 4 more for its place in the heap.
// Both lie in chunks that never move: an array that doubles would cost up to twice as much, and leave
// its former self behind in the allocator.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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
  void set(std::uint32_t slot, Instant deadline) noexcept {
    if (deadline != never) set_entry(slot, deadline);
  }
  void remove(std::uint32_t slot) noexcept;
  // Takes off a slot whose entry is due, oldest first; nullopt if none is.
  std::optional<std::uint32_t> pop_due(Instant now) noexcept;
  // When pop_due() will have something, rounded up to a millisecond; `never` if empty.
  Instant next() const noexcept;
  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::uint32_t chunk_slots = 256;
  // A heap has at most as many entries as there are slots, so both grow together.
  struct Chunk {
    std::array<std::uint64_t, chunk_slots> entries;      // milliseconds << 24 | slot
    std::array<std::uint32_t, chunk_slots> positions{};  // of each slot: its index in the heap plus 1, or 0
  };

  std::uint64_t& entry(std::uint32_t index) noexcept {
    return chunks_[index / chunk_slots]->entries[index % chunk_slots];
  }
  std::uint32_t& position(std::uint32_t slot) noexcept {
    return chunks_[slot / chunk_slots]->positions[slot % chunk_slots];
  }
  void set_entry(std::uint32_t slot, Instant deadline) noexcept;
  void place(std::uint32_t index, std::uint64_t entry) noexcept;
  void sift_up(std::uint32_t index, std::uint64_t entry) noexcept;
  void sift_down(std::uint32_t index, std::uint64_t entry) noexcept;
  void erase(std::uint32_t index) noexcept;

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::uint32_t size_ = 0;
};

}  // namespace sansock

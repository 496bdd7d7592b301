// Where a loop keeps its connections: slots that never move, named by ConnectionId.
//
// Slots come in chunks, and one is touched only when it is first needed, so that memory grows by
// what is used. A slot holds an object and its serial. Free slots form a list through their own
// memory: the one that was freed last is used first, since it is the one in the cache.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "sansock/loop.h"

namespace sansock::detail {

template <class T>
class SlotTable {
 public:
  static constexpr std::uint32_t chunk_slots = 256;
  static constexpr std::uint32_t slots_max = 1u << 24;  // as many as a TimerQueue can tell apart

  SlotTable() = default;
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;
  ~SlotTable() {
    for (std::uint32_t index = 0; index < used_; ++index) {
      if (at(index).serial != 0) at(index).object()->~T();
    }
  }

  // Makes sure that acquire() finds a slot. false: no memory, or there are slots_max already.
  bool ensure_free() noexcept {
    if (free_ != none || used_ != capacity()) return true;
    if (capacity() == slots_max) return false;
    try {
      chunks_.push_back(std::unique_ptr<Chunk>(new Chunk));  // not filled with zeros: see `used_`
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  // Takes a free slot, after ensure_free(), and names what will be in it. Nothing is there yet, and
  // find() finds nothing: it waits for emplace(), or goes back with release().
  ConnectionId acquire() noexcept {
    std::uint32_t index = free_;
    if (index != none) {
      std::memcpy(&free_, at(index).memory, sizeof free_);
    } else {
      assert(used_ != capacity());
      index = used_++;
      at(index).serial = 0;
    }
    return {index, ++last_serial_};
  }
  template <class... Args>
  T& emplace(ConnectionId id, Args&&... args) {
    Slot& slot = at(id.slot);
    T* const object = new (slot.memory) T(std::forward<Args>(args)...);
    slot.serial = id.serial;
    return *object;
  }
  // From now on find() no longer finds it; the object lives until it is destroy()ed.
  void retire(std::uint32_t index) noexcept { at(index).serial = 0; }
  // Ends an object that was retired, and makes its slot free.
  void destroy(std::uint32_t index) noexcept {
    at(index).object()->~T();
    release(index);
  }
  // Makes a slot free that nothing is in.
  void release(std::uint32_t index) noexcept {
    assert(at(index).serial == 0);
    std::memcpy(at(index).memory, &free_, sizeof free_);
    free_ = index;
  }

  // What has this name; nullptr if it is there no longer.
  T* find(ConnectionId id) noexcept {
    if (id.slot >= used_ || id.serial == 0) return nullptr;
    Slot& slot = at(id.slot);
    return slot.serial == id.serial ? slot.object() : nullptr;
  }
  // The same where only the serial's lower half is at hand, as with an event of the kernel's: an event
  // is of its slot's present or of its recent past, never 2^32 connections old.
  T* find(std::uint32_t index, std::uint32_t serial_low) noexcept {
    if (index >= used_) return nullptr;
    Slot& slot = at(index);
    if (static_cast<std::uint32_t>(slot.serial) != serial_low || slot.serial == 0) return nullptr;
    return slot.object();
  }
  // Of a slot that something is in.
  T& operator[](std::uint32_t index) noexcept { return *at(index).object(); }
  ConnectionId id(std::uint32_t index) const noexcept { return {index, serial(index)}; }
  std::uint64_t serial(std::uint32_t index) const noexcept { return at(index).serial; }  // 0: nothing in it

  // Calls visit(ConnectionId, T&) for all that find() finds. It may emplace, and retire and destroy.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t index = 0; index < used_; ++index) {
      if (at(index).serial != 0) visit(id(index), *at(index).object());
    }
  }
  // All indexes are below it; what must have room for each of them reserves so much after ensure_free().
  std::uint32_t capacity() const noexcept { return static_cast<std::uint32_t>(chunks_.size()) * chunk_slots; }

 private:
  struct Slot {
    alignas(T) std::byte memory[sizeof(T)];
    std::uint64_t serial;  // 0: nothing that find() may find
    T* object() noexcept { return std::launder(reinterpret_cast<T*>(memory)); }
  };
  static_assert(sizeof(T) >= sizeof(std::uint32_t), "a free slot holds the index of the next one");
  using Chunk = std::array<Slot, chunk_slots>;
  static constexpr std::uint32_t none = 0xFFFF'FFFF;

  Slot& at(std::uint32_t index) noexcept { return (*chunks_[index / chunk_slots])[index % chunk_slots]; }
  const Slot& at(std::uint32_t index) const noexcept {
    return (*chunks_[index / chunk_slots])[index % chunk_slots];
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::uint32_t used_ = 0;     // slots from here on were never touched
  std::uint32_t free_ = none;  // the first of the list
  std::uint64_t last_serial_ = 0;
};

}  // namespace sansock::detail

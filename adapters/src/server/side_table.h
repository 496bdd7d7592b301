// What only some peers of a thread have, by slot: a peer without it pays nothing, not even a pointer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace sansock {

// Entries never move. They come in chunks that are made when one of theirs is first needed, and stay.
template <class T>
class SideTable {
 public:
  // The entry of a slot, T{} if it was never used. May throw std::bad_alloc.
  T& at(std::uint32_t slot) {
    const std::size_t chunk = slot / chunk_slots;
    if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
    if (!chunks_[chunk]) chunks_[chunk] = std::make_unique<Chunk>();
    return (*chunks_[chunk])[slot % chunk_slots];
  }
  // nullptr where nothing was ever needed.
  T* find(std::uint32_t slot) const noexcept {
    const std::size_t chunk = slot / chunk_slots;
    if (chunk >= chunks_.size() || !chunks_[chunk]) return nullptr;
    return &(*chunks_[chunk])[slot % chunk_slots];
  }

 private:
  static constexpr std::uint32_t chunk_slots = 64;
  using Chunk = std::array<T, chunk_slots>;

  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace sansock

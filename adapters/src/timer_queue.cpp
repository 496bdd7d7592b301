#include "sansock/timer_queue.h"

#include <algorithm>
#include <cassert>

namespace sansock {
namespace {

constexpr unsigned slot_bits = 24;
constexpr std::uint64_t ticks_max = (std::uint64_t{1} << 40) - 1;  // 34 years of milliseconds
constexpr Duration tick = std::chrono::milliseconds(1);

std::uint32_t slot_of(std::uint64_t entry) noexcept {
  return static_cast<std::uint32_t>(entry) & TimerQueue::slot_max;
}

// Rounded up: an entry is never due before its deadline.
std::uint64_t ticks_of(Instant at) noexcept {
  if (at.time_since_epoch().count() <= 0) return 0;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(at.time_since_epoch()).count();
  return std::min(static_cast<std::uint64_t>(ms), ticks_max);
}

Instant instant_of(std::uint64_t ticks) noexcept {
  return Instant(std::chrono::milliseconds(static_cast<std::int64_t>(ticks)));
}

}  // namespace

void TimerQueue::reserve(std::uint32_t count) {
  assert(count <= slot_max + 1);
  while (chunks_.size() * chunk_slots < count) chunks_.push_back(std::unique_ptr<Chunk>(new Chunk));
}

void TimerQueue::set_entry(std::uint32_t slot, Instant deadline) noexcept {
  const std::uint32_t known = position(slot);
  if (known != 0) {
    // Asked of every message that is read: no division while the deadline does not move earlier.
    const std::uint64_t ticks = entry(known - 1) >> slot_bits;
    if (deadline > instant_of(ticks) - tick) return;
  }
  const std::uint64_t wanted = ticks_of(deadline) << slot_bits | slot;
  if (known == 0) return sift_up(size_++, wanted);
  if (entry(known - 1) > wanted) sift_up(known - 1, wanted);
}

void TimerQueue::remove(std::uint32_t slot) noexcept {
  if (position(slot) != 0) erase(position(slot) - 1);
}

std::optional<std::uint32_t> TimerQueue::pop_due(Instant now) noexcept {
  if (size_ == 0 || next() > now) return std::nullopt;
  const std::uint32_t slot = slot_of(entry(0));
  erase(0);
  return slot;
}

Instant TimerQueue::next() const noexcept {
  if (size_ == 0) return never;
  return instant_of(chunks_[0]->entries[0] >> slot_bits);
}

void TimerQueue::place(std::uint32_t index, std::uint64_t entry) noexcept {
  this->entry(index) = entry;
  position(slot_of(entry)) = index + 1;
}

void TimerQueue::sift_up(std::uint32_t index, std::uint64_t wanted) noexcept {
  while (index > 0) {
    const std::uint32_t parent = (index - 1) / 2;
    if (entry(parent) <= wanted) break;
    place(index, entry(parent));
    index = parent;
  }
  place(index, wanted);
}

void TimerQueue::sift_down(std::uint32_t index, std::uint64_t wanted) noexcept {
  for (;;) {
    std::uint32_t child = 2 * index + 1;
    if (child >= size_) break;
    if (child + 1 < size_ && entry(child + 1) < entry(child)) ++child;
    if (wanted <= entry(child)) break;
    place(index, entry(child));
    index = child;
  }
  place(index, wanted);
}

void TimerQueue::erase(std::uint32_t index) noexcept {
  position(slot_of(entry(index))) = 0;
  const std::uint64_t last = entry(--size_);
  if (index == size_) return;
  if (index > 0 && entry((index - 1) / 2) > last) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

}  // namespace sansock

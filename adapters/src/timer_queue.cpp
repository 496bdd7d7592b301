#include "sansock/timer_queue.h"

#include <algorithm>
#include <cassert>

namespace sansock {
namespace {

constexpr unsigned slot_bits = 24;
constexpr std::uint64_t ticks_max = (std::uint64_t{1} << 40) - 1;  // 34 years of milliseconds

std::uint32_t slot_of(std::uint64_t entry) noexcept {
  return static_cast<std::uint32_t>(entry) & TimerQueue::slot_max;
}

// Rounded up: an entry is never due before its deadline.
std::uint64_t ticks_of(Instant at) noexcept {
  if (at.time_since_epoch().count() <= 0) return 0;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(at.time_since_epoch()).count();
  return std::min(static_cast<std::uint64_t>(ms), ticks_max);
}

}  // namespace

void TimerQueue::reserve(std::uint32_t count) {
  assert(count <= slot_max + 1);
  if (heap_.capacity() < count) heap_.reserve(std::max<std::size_t>(count, 2 * heap_.capacity()));
  if (positions_.size() < count) positions_.resize(count, 0);
}

void TimerQueue::set(std::uint32_t slot, Instant deadline) noexcept {
  if (deadline == never) return;
  const std::uint64_t entry = ticks_of(deadline) << slot_bits | slot;
  if (const std::uint32_t position = positions_[slot]; position != 0) {
    if (heap_[position - 1] > entry) sift_up(position - 1, entry);
    return;
  }
  assert(heap_.size() < heap_.capacity());
  heap_.push_back(entry);
  sift_up(heap_.size() - 1, entry);
}

void TimerQueue::remove(std::uint32_t slot) noexcept {
  if (positions_[slot] != 0) erase(positions_[slot] - 1);
}

std::optional<std::uint32_t> TimerQueue::pop_due(Instant now) noexcept {
  if (heap_.empty() || next() > now) return std::nullopt;
  const std::uint32_t slot = slot_of(heap_.front());
  erase(0);
  return slot;
}

Instant TimerQueue::next() const noexcept {
  if (heap_.empty()) return never;
  return Instant(std::chrono::milliseconds(static_cast<std::int64_t>(heap_.front() >> slot_bits)));
}

void TimerQueue::place(std::size_t index, std::uint64_t entry) noexcept {
  heap_[index] = entry;
  positions_[slot_of(entry)] = static_cast<std::uint32_t>(index + 1);
}

void TimerQueue::sift_up(std::size_t index, std::uint64_t entry) noexcept {
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent] <= entry) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerQueue::sift_down(std::size_t index, std::uint64_t entry) noexcept {
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (entry <= heap_[child]) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, entry);
}

void TimerQueue::erase(std::size_t index) noexcept {
  positions_[slot_of(heap_[index])] = 0;
  const std::uint64_t last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  if (index > 0 && heap_[(index - 1) / 2] > last) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

}  // namespace sansock

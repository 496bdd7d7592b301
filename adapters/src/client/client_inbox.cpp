#include "client_inbox.h"

#include <algorithm>
#include <cstring>

namespace sansock {
namespace {

constexpr std::size_t memory_size_min = 4096;
// More than this is given back when the inbox is empty.
constexpr std::size_t memory_size_idle_max = 64u << 10;

}  // namespace

bool ClientInbox::append(const Event& event) {
  if (!make_room(event.bytes.size())) return false;
  if (!event.bytes.empty()) {
    std::memcpy(held_.data() + head_ + size_, event.bytes.data(), event.bytes.size());
  }
  size_ += event.bytes.size();
  // Runs of one message become one entry, so that empty fragments cost nothing.
  if (!entries_.empty() && !entries_.back().end) {
    entries_.back().size += event.bytes.size();
    entries_.back().end = event.end;
  } else {
    entries_.push_back({event.bytes.size(), event.type, event.begin, event.end});
  }
  return true;
}

// Doubling keeps the copying linear; the size follows what has arrived.
bool ClientInbox::make_room(std::size_t size) {
  release_taken();
  const std::size_t wanted = size_ + size;
  if (head_ + wanted <= held_.size()) return true;
  if (head_ != 0) {
    std::memmove(held_.data(), held_.data() + head_, size_);
    head_ = 0;
  }
  // Half empty after moving, or else moving would be repeated for a few bytes each time.
  if (wanted <= held_.size() / 2 || (wanted <= held_.size() && size_ == 0)) return true;
  const std::size_t doubled = std::max({wanted, 2 * held_.size(), memory_size_min});
  Bytes grown = memory_->resize(held_, size_, doubled);
  if (grown.empty()) grown = memory_->resize(held_, size_, wanted);
  if (grown.empty()) return wanted <= held_.size();
  held_ = grown;
  return true;
}

Bytes ClientInbox::take_front() {
  release_taken();
  taken_ = entries_.front().size;
  size_ -= taken_;
  entries_.pop_front();
  return held_.subspan(head_, taken_);
}

Message ClientInbox::take_message() {
  const MessageType type = entries_.front().type;
  return {.type = type, .bytes = take_front()};
}

Run ClientInbox::take_run() {
  const Entry entry = entries_.front();
  return {.type = entry.type, .bytes = take_front(), .begin = entry.begin, .end = entry.end};
}

void ClientInbox::release_taken() noexcept {
  head_ += taken_;
  taken_ = 0;
  if (size_ != 0) return;
  head_ = 0;
  if (held_.size() <= memory_size_idle_max) return;
  memory_->release(held_);
  held_ = {};
}

void ClientInbox::clear() noexcept {
  entries_.clear();
  head_ = taken_ = size_ = 0;
  if (!held_.empty()) memory_->release(held_);
  held_ = {};
}

}  // namespace sansock

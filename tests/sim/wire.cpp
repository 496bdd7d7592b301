#include "wire.h"

#include <algorithm>

namespace sansock::sim {

void Wire::push(ConstBytes bytes, Instant at) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  newest_ = std::max(newest_, at);
  flight_.push_back({newest_, bytes.size(), false});
}

void Wire::push_end(Instant at) {
  end_sent_ = true;
  newest_ = std::max(newest_, at);
  flight_.push_back({newest_, 0, true});
}

bool Wire::mature(Instant now) noexcept {
  bool any = false;
  while (!flight_.empty() && flight_.front().at <= now) {
    arrived_ += flight_.front().size;
    ended_ = ended_ || flight_.front().end;
    flight_.pop_front();
    any = true;
  }
  return any;
}

void Wire::read(Bytes out) noexcept {
  const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(head_);
  std::copy_n(first, out.size(), out.begin());
  head_ += out.size();
  arrived_ -= out.size();
  if (head_ == bytes_.size()) {
    bytes_.clear();
    head_ = 0;
  } else if (head_ > 65'536 && head_ > bytes_.size() / 2) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void Wire::lose_flight() noexcept {
  flight_.clear();
  bytes_.resize(head_ + arrived_);
}

void Wire::lose_all() noexcept {
  flight_.clear();
  bytes_.clear();
  head_ = arrived_ = 0;
}

bool Wire::swap_newest() noexcept {
  if (flight_.empty() || flight_.back().size < 2) return false;
  std::byte& last = bytes_[bytes_.size() - 1];
  std::byte& before = bytes_[bytes_.size() - 2];
  if (last == before) return false;
  std::swap(last, before);
  return true;
}

}  // namespace sansock::sim

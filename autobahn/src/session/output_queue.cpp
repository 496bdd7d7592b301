#include "session/output_queue.h"

#include <algorithm>
#include <utility>

namespace conform {

void OutputQueue::push(std::string_view octets) {
  if (octets.empty()) return;
  if (entries_.empty() || entries_.back().piece != 0) entries_.push_back({std::string(), 0});
  entries_.back().octets.append(octets);
}

void OutputQueue::push_alone(std::string octets) {
  const std::size_t size = octets.size();
  push_chopped(std::move(octets), size);
}

void OutputQueue::push_chopped(std::string octets, std::size_t size) {
  if (octets.empty()) return;
  entries_.push_back({std::move(octets), std::max<std::size_t>(size, 1)});
}

void OutputQueue::clear() {
  entries_.clear();
  turn_over_ = false;
}

std::string_view OutputQueue::next() const {
  if (entries_.empty() || turn_over_) return {};
  const Entry& front = entries_.front();
  const std::string_view rest = std::string_view(front.octets).substr(front.taken);
  return front.piece == 0 ? rest : rest.substr(0, front.piece - front.piece_taken);
}

void OutputQueue::consume(std::size_t written) {
  if (entries_.empty()) return;
  Entry& front = entries_.front();
  front.taken += written;
  const bool whole = front.taken == front.octets.size();
  if (front.piece != 0) {
    front.piece_taken += written;
    if (whole || front.piece_taken == front.piece) {
      front.piece_taken = 0;
      turn_over_ = true;
    }
  }
  if (whole) entries_.pop_front();
}

}  // namespace conform

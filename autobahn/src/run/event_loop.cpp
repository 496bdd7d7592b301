#include "run/event_loop.h"

#include <poll.h>

#include <algorithm>
#include <iterator>

namespace conform {
namespace {

// However far the deadlines are, a signal is looked for now and then.
constexpr int wait_ms_max = 100;

}  // namespace

int EventLoop::wait_ms(Instant limit) const {
  Instant next = limit;
  for (const auto& handler : handlers_) next = std::min(next, handler->deadline());
  const Instant now = std::chrono::steady_clock::now();
  if (next <= now) return 0;
  if (next - now > std::chrono::milliseconds(wait_ms_max)) return wait_ms_max;
  // Rounded up: waking a little late is right, waking early would spin.
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(next - now).count());
}

void EventLoop::run_turn(Instant limit) {
  std::move(added_.begin(), added_.end(), std::back_inserter(handlers_));
  added_.clear();
  std::vector<pollfd> descriptors;
  descriptors.reserve(handlers_.size());
  for (const auto& handler : handlers_) {
    const int events = (handler->wants_read() ? POLLIN : 0) | (handler->wants_write() ? POLLOUT : 0);
    descriptors.push_back({handler->descriptor(), static_cast<short>(events), 0});
  }
  // A failure is a signal, and then nothing is ready.
  if (poll(descriptors.data(), descriptors.size(), wait_ms(limit)) < 0) {
    for (pollfd& one : descriptors) one.revents = 0;
  }
  const Instant now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    if ((descriptors[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) handlers_[i]->on_readable(now);
  }
  for (const auto& handler : handlers_) handler->on_turn(std::chrono::steady_clock::now());
  std::erase_if(handlers_, [](const auto& handler) { return handler->finished(); });
}

}  // namespace conform

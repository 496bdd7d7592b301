// A socket and its Driver, as the readiness-based loops (epoll, poll) use them: what to do when the
// socket is readable or writable, and what to wait for next. It holds no protocol rule.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "sansock/detail/stream_io.h"
#include "sansock/driver.h"

namespace sansock::detail {

// What a loop waits for.
struct Wants {
  bool read = false;
  bool write = false;
  bool closed = false;  // the end: release the socket
  Instant deadline = never;
};

template <Handler H>
class Channel {
 public:
  template <class... Args>
  Channel(int fd, Role role, const Config& config, Args&&... handler_arguments)
      : driver_(role, config, std::forward<Args>(handler_arguments)...), fd_(fd) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { close_descriptor(fd_); }

  Driver<H>& driver() noexcept { return driver_; }
  int fd() const noexcept { return fd_; }
  bool blocked() const noexcept { return blocked_; }

  // The socket is readable, or has failed. One receive, so that no connection starves the others.
  Wants on_readable(Bytes buffer, Instant now, Duration stall_max) {
    const IoResult got = receive_some(fd_, buffer);
    switch (got.state) {
      case IoState::done: return go_on(take(buffer.first(got.size), now), now, stall_max);
      case IoState::would_block: return go_on(driver_.resume(now), now, stall_max);
      case IoState::ended: return go_on(driver_.on_eof(now), now, stall_max);
      case IoState::failed: break;
    }
    return on_failure(errc::transport_error, now);
  }
  Wants on_writable(Instant now, Duration stall_max) {
    blocked_ = false;
    return go_on(driver_.resume(now), now, stall_max);
  }
  Wants on_failure(errc cause, Instant now) {
    driver_.on_failure(cause, now);
    return {.closed = true};
  }
  // A deadline may have passed, or commands were given.
  Wants on_turn(Instant now, Duration stall_max) {
    if (blocked_ && extra_ != nullptr && stall_deadline(stall_max) <= now) {
      return on_failure(errc::output_stall_timeout, now);
    }
    return go_on(driver_.on_timeout(now), now, stall_max);
  }

 private:
  // What only a stalled or a paused connection needs.
  struct Extra {
    std::vector<std::byte> stash;  // read, but not taken by the engine, which is paused
    Instant progress_at = never;   // when the transport last took output
  };

  Extra& extra() {
    if (extra_ == nullptr) extra_ = std::make_unique<Extra>();
    return *extra_;
  }

  Interest take(Bytes input, Instant now) {
    const Interest interest = driver_.on_bytes(input, now);
    stash(driver_.detach_input());
    return interest;
  }

  void stash(Bytes rest) {
    if (!rest.empty()) extra().stash.assign(rest.begin(), rest.end());
  }

  // Does all that is possible without waiting.
  Wants go_on(Interest interest, Instant now, Duration stall_max) {
    for (;;) {
      if (interest.close) return {.closed = true};
      if (interest.write && !blocked_) {
        if (!write(interest, now)) return on_failure(errc::transport_error, now);
        continue;
      }
      if (interest.shutdown_write && !shut_) {
        shutdown_write(fd_);
        shut_ = true;
      }
      if (!interest.read || extra_ == nullptr || extra_->stash.empty()) break;
      // Reading goes on: first what was read before. It moves out, because on_bytes() may stash again.
      std::vector<std::byte> input = std::move(extra_->stash);
      extra_->stash.clear();
      interest = take(input, now);
    }
    Wants wants{.read = interest.read, .write = blocked_, .closed = false, .deadline = interest.deadline};
    if (blocked_) {
      wants.deadline = std::min(wants.deadline, stall_deadline(stall_max));
    } else if (extra_ != nullptr && extra_->stash.empty()) {
      extra_.reset();
    }
    return wants;
  }

  // One gathered send. false: the transport failed.
  bool write(Interest& interest, Instant now) {
    std::array<IoSlice, 64> slices;
    const std::size_t count = driver_.gather(slices);
    const IoResult sent = send_some(fd_, std::span(slices).first(count));
    if (sent.state == IoState::failed) return false;
    std::size_t offered = 0;
    for (std::size_t i = 0; i < count; ++i) offered += slices[i].size;
    blocked_ = sent.size < offered;
    if (blocked_ && (sent.size != 0 || extra_ == nullptr || extra_->progress_at == never)) {
      extra().progress_at = now;
    } else if (!blocked_ && extra_ != nullptr) {
      extra_->progress_at = never;
    }
    interest = driver_.on_written(sent.size, now);
    return true;
  }

  Instant stall_deadline(Duration stall_max) const noexcept {
    if (extra_ == nullptr || extra_->progress_at == never || stall_max >= never - extra_->progress_at)
      return never;
    return extra_->progress_at + stall_max;
  }

  Driver<H> driver_;
  std::unique_ptr<Extra> extra_;
  int fd_;
  bool blocked_ = false;  // a send was short: wait until the socket is writable
  bool shut_ = false;
};

}  // namespace sansock::detail

// A socket and its Driver, as the readiness-based loops (epoll, poll) use them: what to do when the
// socket is readable or writable, and what to wait for next. It holds no protocol rule.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "sansock/detail/stream_io.h"
#include "sansock/driver.h"

namespace sansock::detail {

// What a loop waits for.
struct Wants {
  bool read = false;
  bool write = false;   // output is queued: the socket was full, or others come first
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

  // The loop's own notes about this connection. They lie here because there is room.
  struct Notes {
    std::uint8_t watched = 0;  // what the loop waits for
    bool dirty = false;        // its commands are still to be carried out
  };
  Notes& notes() noexcept { return notes_; }

  // The socket is readable, or has failed. One receive, so that no connection starves the others.
  //
  // Most often all that is read are whole messages, and what they bring about is sent at once. That is all
  // there is to see here; the rest is out of line.
  [[gnu::noinline]] Wants on_readable(Bytes buffer, Instant now, Duration stall_max) {
    const IoResult got = receive_some(fd_, buffer);
    if (got.state != IoState::done) [[unlikely]]
      return on_nothing_read(got.state, now, stall_max);
    Interest interest{.read = true, .write = true};
    if (!driver_.take_bytes(buffer.first(got.size), now, interest.deadline)) [[unlikely]] {
      return on_taken(now, stall_max);
    }
    if (blocked_ || extra_ != nullptr) [[unlikely]]
      return on_taken(now, stall_max);
    IoSlice slice;
    if (!driver_.gather_whole(slice)) [[unlikely]]
      return on_taken(now, stall_max);
    const IoResult sent = send_some(fd_, slice);
    if (sent.size != slice.size) [[unlikely]]
      return on_sent(sent, interest, now, stall_max);
    driver_.on_gathered_written();
    return {.read = true, .deadline = interest.deadline};
  }
  [[gnu::noinline]] Wants on_nothing_read(IoState state, Instant now, Duration stall_max) {
    switch (state) {
      case IoState::would_block: return go_on(driver_.resume(now), now, stall_max);
      case IoState::ended: return go_on(driver_.on_eof(now), now, stall_max);
      default: return on_failure(errc::transport_error, now);
    }
  }
  Wants on_writable(Instant now, Duration stall_max) {
    blocked_ = false;
    return go_on(driver_.resume(now), now, stall_max);
  }
  // The peer has closed its end while reading is paused. A Unix socket says so even while there is
  // something to read: nullopt then; it stays for the time when reading goes on.
  std::optional<Wants> on_hang_up(Instant now, Duration stall_max) {
    if (!stash_empty()) return std::nullopt;
    switch (peek(fd_)) {
      case IoState::ended: return go_on(driver_.on_eof(now), now, stall_max);
      case IoState::failed: return on_failure(errc::transport_error, now);
      default: return std::nullopt;
    }
  }
  // Commands were given, and are to be carried out now.
  Wants on_commands(Instant now, Duration stall_max) { return go_on(driver_.resume(now), now, stall_max); }
  Wants on_failure(errc cause, Instant now) {
    driver_.on_failure(cause, now);
    return {.closed = true};
  }
  // A deadline may have passed, or commands were given.
  Wants on_turn(Instant now, Duration stall_max) {
    if (blocked_ && stall_deadline(stall_max) <= now) return on_failure(errc::output_stall_timeout, now);
    return go_on(driver_.on_timeout(now), now, stall_max);
  }

 private:
  // Sends in one go, of up to 64 slices each, and receives of what a peer sent before it left.
  static constexpr int sends_max = 16;
  static constexpr int last_receives_max = 64;

  // What only a stalled or a paused connection needs.
  struct Extra {
    std::vector<std::byte> stash;  // read; from stash_begin on not taken by the engine, which is paused
    std::size_t stash_begin = 0;
    Instant progress_at = never;  // when the transport last took output
  };

  // nullptr if there is no memory.
  Extra* extra() noexcept {
    if (extra_ == nullptr) extra_.reset(new (std::nothrow) Extra);
    return extra_.get();
  }
  bool stash_empty() const noexcept { return extra_ == nullptr || extra_->stash.empty(); }

  // After what was read was given to the driver.
  [[gnu::noinline]] Wants on_taken(Instant now, Duration stall_max) {
    Interest interest = driver_.resume(now);
    if (!stash(driver_.detach_input())) interest = driver_.on_failure(errc::memory_exhausted, now);
    return go_on(interest, now, stall_max);
  }
  // After a send of all there was that fell short.
  [[gnu::noinline]] Wants on_sent(IoResult sent, Interest interest, Instant now, Duration stall_max) {
    const std::size_t offered = driver_.endpoint().output_size();
    if (!written(sent, offered, interest, now)) return on_write_failure(interest, now);
    return go_on(interest, now, stall_max);
  }

  Interest take(Bytes input, Instant now) {
    const Interest interest = driver_.on_bytes(input, now);
    if (stash(driver_.detach_input())) return interest;
    return driver_.on_failure(errc::memory_exhausted, now);
  }

  // First what was read before. It moves out while it is fed, and what is left of it moves back, so
  // that a handler that pauses after each of many small messages does not have them copied each time.
  Interest take_stash(Instant now) {
    std::vector<std::byte> input = std::exchange(extra_->stash, {});
    const Interest interest = driver_.on_bytes(Bytes(input).subspan(extra_->stash_begin), now);
    const Bytes rest = driver_.detach_input();
    extra_->stash_begin = input.size() - rest.size();
    if (!rest.empty()) extra_->stash = std::move(input);
    return interest;
  }

  bool stash(Bytes rest) noexcept {
    if (rest.empty()) return true;
    if (extra() == nullptr) return false;
    try {
      extra_->stash.assign(rest.begin(), rest.end());
      extra_->stash_begin = 0;
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  // Does all that is possible without waiting, within bounds: a peer that takes output as fast as it
  // is made must not hold the loop.
  Wants go_on(Interest interest, Instant now, Duration stall_max) {
    for (int sends = 0;;) {
      if (interest.close) return {.closed = true};
      if (interest.write && !blocked_) {
        if (++sends > sends_max) break;
        if (!write(interest, now)) return on_write_failure(interest, now);
        continue;
      }
      if (interest.shutdown_write && !shut_) {
        shutdown_write(fd_);
        shut_ = true;
      }
      if (!interest.read || stash_empty()) break;
      interest = take_stash(now);
    }
    if (!interest.write) blocked_ = false;
    // What is stashed comes before what can be read.
    Wants wants{.read = interest.read && stash_empty(),
                .write = interest.write,
                .closed = false,
                .deadline = interest.deadline};
    if (blocked_) {
      wants.deadline = std::min(wants.deadline, stall_deadline(stall_max));
    } else if (extra_ != nullptr) {
      extra_->progress_at = never;
      if (stash_empty()) extra_.reset();
    }
    return wants;
  }

  // The peer is gone, but what it sent before, its Close frame most of all, may still be here.
  Wants on_write_failure(Interest interest, Instant now) {
    if (interest.read && !stash_empty()) interest = take_stash(now);
    std::array<std::byte, 4096> buffer;
    for (int i = 0; i < last_receives_max && interest.read && !interest.close; ++i) {
      const IoResult got = receive_some(fd_, buffer);
      if (got.state != IoState::done) break;
      interest = take(Bytes(buffer).first(got.size), now);
    }
    return on_failure(errc::transport_error, now);
  }

  // One gathered send. false: the transport failed.
  bool write(Interest& interest, Instant now) {
    std::array<IoSlice, 64> slices;
    const std::size_t count = driver_.gather(slices);
    const IoResult sent = send_some(fd_, std::span(slices).first(count));
    std::size_t offered = driver_.endpoint().output_size();
    if (count == slices.size()) {  // perhaps not all of it
      offered = 0;
      for (const IoSlice& slice : slices) offered += slice.size;
    }
    return written(sent, offered, interest, now);
  }

  // After a send of so much. false: the transport failed.
  bool written(IoResult sent, std::size_t offered, Interest& interest, Instant now) {
    if (sent.state == IoState::failed) return false;
    blocked_ = sent.size < offered;
    // Without memory for it, the stall deadline waits for the next short send.
    if (blocked_ && extra() != nullptr && (sent.size != 0 || extra_->progress_at == never))
      extra_->progress_at = now;
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
  Notes notes_;
};

}  // namespace sansock::detail

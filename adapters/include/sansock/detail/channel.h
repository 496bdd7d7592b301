// A socket and its Driver, as the readiness-based loops (epoll, poll) use them: what to do when the
// socket is readable or writable, and what to wait for next. It holds no protocol rule.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "sansock/detail/link.h"
#include "sansock/detail/stream_io.h"

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
      : link_(role, config, std::forward<Args>(handler_arguments)...), fd_(fd) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { close_descriptor(fd_); }

  Driver<H>& driver() noexcept { return link_.driver(); }
  Link<H>& link() noexcept { return link_; }
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
    if (!link_.plain()) [[unlikely]]
      return on_read(buffer.first(got.size), now, stall_max);
    Interest interest{.read = true, .write = true};
    Driver<H>& driver = link_.driver();
    if (!driver.take_bytes(buffer.first(got.size), now, interest.deadline)) [[unlikely]] {
      return on_taken(now, stall_max);
    }
    if (blocked_) [[unlikely]]
      return on_taken(now, stall_max);
    IoSlice slice;
    if (!driver.gather_whole(slice)) [[unlikely]]
      return on_taken(now, stall_max);
    const IoResult sent = send_some(fd_, slice);
    if (sent.size != slice.size) [[unlikely]]
      return on_sent(sent, interest, now, stall_max);
    driver.on_gathered_written();
    return {.read = true, .deadline = interest.deadline};
  }
  [[gnu::noinline]] Wants on_nothing_read(IoState state, Instant now, Duration stall_max) {
    switch (state) {
      case IoState::would_block: return go_on(link_.resume(now), now, stall_max);
      case IoState::ended: return go_on(link_.on_eof(now), now, stall_max);
      default: return on_failure(errc::transport_error, now);
    }
  }
  Wants on_writable(Instant now, Duration stall_max) {
    blocked_ = false;
    return go_on(link_.resume(now), now, stall_max);
  }
  // The peer has closed its end while reading is paused. A Unix socket says so even while there is
  // something to read: nullopt then; it stays for the time when reading goes on.
  std::optional<Wants> on_hang_up(Instant now, Duration stall_max) {
    if (link_.input_waits()) return std::nullopt;
    switch (peek(fd_)) {
      case IoState::ended: return go_on(link_.on_eof(now), now, stall_max);
      case IoState::failed: return on_failure(errc::transport_error, now);
      default: return std::nullopt;
    }
  }
  // Commands were given, and are to be carried out now.
  Wants on_commands(Instant now, Duration stall_max) { return go_on(link_.resume(now), now, stall_max); }
  Wants on_failure(errc cause, Instant now) {
    link_.on_failure(cause, now);
    return {.closed = true};
  }
  // A deadline may have passed, or commands were given.
  Wants on_turn(Instant now, Duration stall_max) {
    if (blocked_ && stall_deadline(stall_max) <= now) return on_failure(errc::output_stall_timeout, now);
    return go_on(link_.on_timeout(now), now, stall_max);
  }

 private:
  // Sends in one go, of up to 64 slices each, and receives of what a peer sent before it left.
  static constexpr int sends_max = 16;
  static constexpr int last_receives_max = 64;

  // After what was read was given to the driver.
  [[gnu::noinline]] Wants on_taken(Instant now, Duration stall_max) {
    return go_on(link_.keep_rest(now), now, stall_max);
  }
  [[gnu::noinline]] Wants on_read(Bytes input, Instant now, Duration stall_max) {
    return go_on(link_.on_bytes(input, now), now, stall_max);
  }
  // After a send of all there was that fell short.
  [[gnu::noinline]] Wants on_sent(IoResult sent, Interest interest, Instant now, Duration stall_max) {
    if (!written(sent, link_.output_size(), interest, now)) return on_write_failure(interest, now);
    return go_on(interest, now, stall_max);
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
      if (!interest.read || link_.stash_empty()) break;
      interest = link_.take_stash(now);
    }
    if (!interest.write) blocked_ = false;
    // What is stashed comes before what can be read.
    Wants wants{.read = interest.read && link_.stash_empty(),
                .write = interest.write,
                .closed = false,
                .deadline = interest.deadline};
    if (blocked_) {
      wants.deadline = std::min(wants.deadline, stall_deadline(stall_max));
    } else if (!link_.plain()) {
      link_.set_progress_at(never);
      link_.trim();
    }
    return wants;
  }

  // The peer is gone, but what it sent before, its Close frame most of all, may still be here.
  Wants on_write_failure(Interest interest, Instant now) {
    if (interest.read && !link_.stash_empty()) interest = link_.take_stash(now);
    std::array<std::byte, 4096> buffer;
    for (int i = 0; i < last_receives_max && interest.read && !interest.close; ++i) {
      const IoResult got = receive_some(fd_, buffer);
      if (got.state != IoState::done) break;
      interest = link_.on_bytes(Bytes(buffer).first(got.size), now);
    }
    return on_failure(errc::transport_error, now);
  }

  // One gathered send. false: the transport failed.
  bool write(Interest& interest, Instant now) {
    std::array<IoSlice, 64> slices;
    const std::size_t count = link_.gather(slices);
    if (count == 0) {  // there is no memory to encrypt with; the interest tells when to try again
      interest = link_.resume(now);
      return true;
    }
    const IoResult sent = send_some(fd_, std::span(slices).first(count));
    std::size_t offered = link_.output_size();
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
    if (blocked_ && (sent.size != 0 || link_.progress_at() == never)) link_.set_progress_at(now);
    interest = link_.on_written(sent.size, now);
    return true;
  }

  Instant stall_deadline(Duration stall_max) const noexcept {
    const Instant progress_at = link_.progress_at();
    if (progress_at == never || stall_max >= never - progress_at) return never;
    return progress_at + stall_max;
  }

  Link<H> link_;
  int fd_;
  bool blocked_ = false;  // a send was short: wait until the socket is writable
  bool shut_ = false;
  Notes notes_;
};

}  // namespace sansock::detail

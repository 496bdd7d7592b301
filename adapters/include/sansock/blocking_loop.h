// A loop of one connection over poll(2): for a thread of its own, and for clients that wait for
// each answer. The same calls as EpollLoop. See sansock/loop.h.
#pragma once

#include <memory>
#include <optional>

#include "sansock/clock.h"
#include "sansock/detail/channel.h"
#include "sansock/detail/poll_wait.h"
#include "sansock/loop.h"
#include "sansock/mailbox.h"
#include "sansock/socket.h"

namespace sansock {

template <Handler H>
class BlockingLoop {
 public:
  explicit BlockingLoop(LoopOptions options = {}) : options_(options) {}
  BlockingLoop(const BlockingLoop&) = delete;
  BlockingLoop& operator=(const BlockingLoop&) = delete;
  ~BlockingLoop() {
    mailbox_.close();
    if (channel_) follow(channel_->on_failure(errc::aborted, MonotonicClock::now()));
  }

  std::error_code open() {
    buffer_ = std::make_unique_for_overwrite<std::byte[]>(options_.receive_buffer_size);
    return mailbox_.open();
  }

  // Takes a connected socket over; it may be in blocking mode. nullopt: there is one already.
  template <class... Args>
  std::optional<ConnectionId> add(int fd, Role role, const Config& config, Args&&... handler_arguments) {
    Socket socket(fd);
    if (channel_) return std::nullopt;
    if (options_.tcp_nodelay) set_nodelay(fd);
    channel_.emplace(socket.release(), role, config, std::forward<Args>(handler_arguments)...);
    wants_ = {.read = true, .deadline = at_once};
    hung_up_ = false;
    ++serial_;
    return id();
  }

  Driver<H>* find(ConnectionId wanted) noexcept {
    return channel_ && wanted == id() ? &channel_->driver() : nullptr;
  }
  ConnectionId id(std::uint32_t slot = 0) const noexcept { return {slot, serial_}; }
  bool secure(ConnectionId wanted, std::unique_ptr<TlsEngine> engine) noexcept {
    return channel_ && wanted == id() && channel_->link().secure(std::move(engine));
  }
  const TlsLayer* tls(ConnectionId wanted) noexcept {
    return channel_ && wanted == id() ? channel_->link().tls() : nullptr;
  }
  int fd(ConnectionId wanted) const noexcept { return channel_ && wanted == id() ? channel_->fd() : -1; }
  void touch(ConnectionId wanted) noexcept {
    if (channel_ && wanted == id()) wants_.deadline = at_once;
  }
  void flush(ConnectionId wanted) noexcept { touch(wanted); }
  template <class Visit>
  void for_each(Visit&& visit) {
    if (channel_) visit(id(), channel_->driver());
  }

  void turn(Duration wait_max) {
    ++counters_.turns;
    if (channel_ && wants_.deadline <= MonotonicClock::now()) {
      follow(channel_->on_turn(MonotonicClock::now(), options_.output_stall_timeout));
      wait_max = Duration::zero();
    }
    const Instant deadline = channel_ ? wants_.deadline : never;
    const int fd = channel_ && !hung_up_ ? channel_->fd() : -1;
    const detail::PollResult ready =
        detail::poll_wait(mailbox_.fd(), fd, wants_.read, wants_.write, wait_max, deadline);
    if (ready.mailbox) mailbox_.run();
    const Instant now = MonotonicClock::now();
    if (channel_ && ready.writable) follow(channel_->on_writable(now, options_.output_stall_timeout));
    if (channel_ && ready.readable && wants_.read) {
      follow(channel_->on_readable({buffer_.get(), options_.receive_buffer_size}, now,
                                   options_.output_stall_timeout));
    } else if (channel_ && (ready.failed || (ready.hung_up && wants_.write))) {
      follow(channel_->on_failure(errc::transport_error, now));
    } else if (channel_ && ready.hung_up) {
      const auto wants = channel_->on_hang_up(now, options_.output_stall_timeout);
      if (wants) follow(*wants);
      hung_up_ = !wants;
    }
    if (channel_ && wants_.deadline <= now) follow(channel_->on_turn(now, options_.output_stall_timeout));
  }

  bool post(std::function<void()> task) { return mailbox_.post(std::move(task)); }
  void wake() noexcept { mailbox_.wake(); }
  unsigned connections() const noexcept { return channel_ ? 1 : 0; }
  const LoopCounters& counters() const noexcept { return counters_; }

 private:
  void follow(const detail::Wants& wants) {
    wants_ = wants;
    if (wants.read || wants.write) hung_up_ = false;
    if (!wants.closed) return;
    ++counters_.closed;
    if constexpr (requires(H & handler) { handler.on_gone(ConnectionId{}); }) {
      channel_->driver().handler().on_gone(id());
    }
    channel_.reset();
  }

  LoopOptions options_;
  Mailbox mailbox_;
  LoopCounters counters_;
  std::unique_ptr<std::byte[]> buffer_;
  std::optional<detail::Channel<H>> channel_;
  detail::Wants wants_;
  // The peer has closed its end while reading is paused, and there is still something to read for the
  // time when reading goes on: poll(2) would say so in each turn.
  bool hung_up_ = false;
  std::uint64_t serial_ = 0;
};

}  // namespace sansock

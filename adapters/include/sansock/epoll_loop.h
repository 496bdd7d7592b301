// A loop over epoll(7), level-triggered: many connections, one thread. See sansock/loop.h for what
// loops have in common.
#pragma once

#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "sansock/clock.h"
#include "sansock/detail/channel.h"
#include "sansock/detail/epoll_core.h"
#include "sansock/detail/slot_table.h"

namespace sansock {

template <Handler H>
class EpollLoop {
 public:
  using AcceptFunction = detail::EpollCore::AcceptFunction;

  explicit EpollLoop(LoopOptions options = {}) : options_(options) {}
  EpollLoop(const EpollLoop&) = delete;
  EpollLoop& operator=(const EpollLoop&) = delete;
  // Drops all connections, each with its `closed` event, and what is still posted.
  ~EpollLoop() {
    core_.mailbox.close();
    options_.connections_max = 0;  // on_gone can add no more
    slots_.for_each([this](ConnectionId id, Channel& channel) {
      follow(id.slot, channel, channel.on_failure(errc::aborted, MonotonicClock::now()));
    });
  }

  std::error_code open() {
    buffer_ = std::make_unique_for_overwrite<std::byte[]>(options_.receive_buffer_size);
    return core_.open();
  }

  // Takes a listening socket over. `accepted` is given each connection's descriptor, to add() it.
  std::error_code listen(int fd, AcceptFunction accepted) { return core_.listen(fd, std::move(accepted)); }
  void stop_accepting() noexcept { core_.stop_accepting(); }

  // Takes a connected or connecting, non-blocking socket over. nullopt: no memory or no room; the
  // socket is closed then.
  template <class... Args>
  std::optional<ConnectionId> add(int fd, Role role, const Config& config, Args&&... handler_arguments) {
    Socket socket(fd);
    if (connections_ >= options_.connections_max || !ensure_free_slot()) return std::nullopt;
    if (options_.tcp_nodelay) set_nodelay(fd);
    const ConnectionId id = slots_.acquire();
    if (!core_.watch(fd, EPOLLIN, id.slot, static_cast<std::uint32_t>(id.serial))) {
      slots_.release(id.slot);
      return std::nullopt;
    }
    Channel& channel = slots_.emplace(id, fd, role, config, std::forward<Args>(handler_arguments)...);
    socket.release();
    channel.notes().watched = watch_read;
    ++connections_;
    touch(id);  // arms its first deadline; a client's request goes out
    return id;
  }

  Driver<H>* find(ConnectionId id) noexcept {
    Channel* const channel = slots_.find(id);
    return channel == nullptr ? nullptr : &channel->driver();
  }
  ConnectionId id(std::uint32_t slot) const noexcept { return slots_.id(slot); }
  bool secure(ConnectionId id, std::unique_ptr<TlsEngine> engine) noexcept {
    Channel* const channel = slots_.find(id);
    return channel != nullptr && channel->link().secure(std::move(engine));
  }
  const TlsLayer* tls(ConnectionId id) noexcept {
    Channel* const channel = slots_.find(id);
    return channel == nullptr ? nullptr : channel->link().tls();
  }
  int fd(ConnectionId id) noexcept {
    Channel* const channel = slots_.find(id);
    return channel == nullptr ? -1 : channel->fd();
  }
  void touch(ConnectionId id) noexcept {
    Channel* const channel = slots_.find(id);
    if (channel == nullptr || channel->notes().dirty) return;
    try {
      dirty_.push_back(id);
      channel->notes().dirty = true;
    } catch (const std::bad_alloc&) {
      core_.timers.set(id.slot, at_once);  // has the room, and does the same by a longer way
    }
  }
  void flush(ConnectionId id) {
    if (Channel* const channel = slots_.find(id)) {
      follow(id.slot, *channel, channel->on_commands(now(), options_.output_stall_timeout));
    }
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    slots_.for_each([&visit](ConnectionId id, Channel& channel) { visit(id, channel.driver()); });
  }

  void turn(Duration wait_max) {
    Instant now = MonotonicClock::now();
    if (!dirty_.empty()) wait_max = Duration::zero();
    const auto events = core_.wait(wait_max, core_.timers.next(), now);
    turn_at_ = now = MonotonicClock::now();
    freed_ = false;
    for (const epoll_event& event : events) handle(event, now);
    expire(now);
    settle(now);
    core_.try_accepting_again(freed_, connections_ < options_.connections_max, now);
    turn_at_ = never;
  }

  bool post(std::function<void()> task) { return core_.mailbox.post(std::move(task)); }
  void wake() noexcept { core_.mailbox.wake(); }
  unsigned connections() const noexcept { return connections_; }
  const LoopCounters& counters() const noexcept { return core_.counters; }

 private:
  using Channel = detail::Channel<H>;

  // Channel::Notes::watched, bits.
  static constexpr std::uint8_t watch_read = 1;
  static constexpr std::uint8_t watch_write = 2;
  static constexpr std::uint8_t watch_nothing = 4;

  static constexpr int timers_per_turn = 1024;

  // Within a turn there is one time: what follows in it must not be earlier for a connection.
  Instant now() const noexcept { return turn_at_ != never ? turn_at_ : MonotonicClock::now(); }

  // A slot, and the place in the timer queue that it may need: set() must not fail later.
  bool ensure_free_slot() noexcept {
    if (!slots_.ensure_free()) return false;
    try {
      core_.timers.reserve(slots_.capacity());
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  void handle(const epoll_event& event, Instant now) {
    const auto slot = static_cast<std::uint32_t>(event.data.u64);
    // An event of a connection that ended earlier in this turn carries a serial of the past.
    Channel* const channel = slots_.find(slot, static_cast<std::uint32_t>(event.data.u64 >> 32));
    if (channel == nullptr) return handle_other(slot, now);
    // Nearly all events are this one.
    if (event.events == EPOLLIN && (channel->notes().watched & watch_read) != 0) [[likely]] {
      return receive(slot, *channel, now);
    }
    handle_any(slot, *channel, event.events, now);
  }

  // What is no connection: its slot is above all of theirs.
  [[gnu::noinline]] void handle_other(std::uint32_t slot, Instant now) {
    if (slot == detail::EpollCore::slot_of_mailbox) return core_.mailbox.run();
    if (slot >= detail::EpollCore::slot_of_listeners) {
      core_.accept_from(slot, options_.connections_max - connections_, now, core_.counters);
    }
  }

  [[gnu::noinline]] void handle_any(std::uint32_t slot, Channel& channel, std::uint32_t events, Instant now) {
    const bool hung_up = (events & EPOLLHUP) != 0;
    bool reading = (channel.notes().watched & watch_read) != 0;
    // "Hung up" without "writable": a send finds out what there is to say.
    if ((events & EPOLLOUT) != 0 || (hung_up && (channel.notes().watched & watch_write) != 0)) {
      const detail::Wants wants = channel.on_writable(now, options_.output_stall_timeout);
      follow(slot, channel, wants);
      if (wants.closed) return;
      reading = reading && wants.read;  // it may have been paused just now
    }
    if (reading) {
      if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) receive(slot, channel, now);
    } else if ((events & EPOLLERR) != 0 || (hung_up && (channel.notes().watched & watch_write) != 0)) {
      // Nothing else would tell that the peer is gone.
      follow(slot, channel, channel.on_failure(errc::transport_error, now));
    } else if (hung_up && channel.notes().watched != watch_nothing) {
      const auto wants = channel.on_hang_up(now, options_.output_stall_timeout);
      if (wants) return follow(slot, channel, *wants);
      watch_for(slot, channel, watch_nothing);  // or it would be said again in each turn
    }
  }

  void receive(std::uint32_t slot, Channel& channel, Instant now) {
    follow(slot, channel,
           channel.on_readable({buffer_.get(), options_.receive_buffer_size}, now,
                               options_.output_stall_timeout));
  }

  // Arranges to wait for what a channel wants.
  void follow(std::uint32_t index, Channel& channel, const detail::Wants& wants) {
    if (wants.closed) [[unlikely]]
      return end(index, channel);
    const auto watched =
        static_cast<std::uint8_t>((wants.read ? watch_read : 0) | (wants.write ? watch_write : 0));
    const std::uint8_t before = channel.notes().watched;
    if (watched != before && (watched != 0 || before != watch_nothing)) [[unlikely]]
      watch_for(index, channel, watched);
    core_.timers.set(index, wants.deadline);
  }

  [[gnu::noinline]] void watch_for(std::uint32_t index, Channel& channel, std::uint8_t watched) noexcept {
    channel.notes().watched = watched;
    const std::uint32_t mask = ((watched & watch_read) != 0 ? EPOLLIN : 0u) |
                               ((watched & watch_write) != 0 ? EPOLLOUT : 0u) |
                               ((watched & watch_nothing) != 0 ? EPOLLET : 0u);
    core_.rewatch(channel.fd(), mask, index, static_cast<std::uint32_t>(slots_.serial(index)));
  }

  [[gnu::noinline]] void end(std::uint32_t index, Channel& channel) {
    const ConnectionId id = slots_.id(index);
    core_.timers.remove(index);
    slots_.retire(index);
    --connections_;
    ++core_.counters.closed;
    freed_ = true;
    if constexpr (requires(H & handler) { handler.on_gone(id); }) channel.driver().handler().on_gone(id);
    slots_.destroy(index);  // closes the socket, which leaves epoll by that
  }

  // Bounded work a turn: what is left is due at once in the next one.
  [[gnu::noinline]] void expire(Instant now) {
    for (int i = 0; i < timers_per_turn; ++i) {
      const auto due = core_.timers.pop_due(now);
      if (!due) return;
      Channel& channel = slots_[*due];
      follow(*due, channel, channel.on_turn(now, options_.output_stall_timeout));
    }
  }

  // Connections that were given commands from outside of their own events.
  [[gnu::noinline]] void settle(Instant now) {
    std::vector<ConnectionId> dirty = std::move(dirty_);
    dirty_.clear();
    for (const ConnectionId id : dirty) {
      Channel* const channel = slots_.find(id);
      if (channel == nullptr || !channel->notes().dirty) continue;
      channel->notes().dirty = false;
      follow(id.slot, *channel, channel->on_turn(now, options_.output_stall_timeout));
    }
    if (dirty_.empty()) {
      dirty.clear();
      dirty_ = std::move(dirty);  // keeps its capacity
    }
  }

  LoopOptions options_;
  detail::EpollCore core_;
  std::unique_ptr<std::byte[]> buffer_;
  detail::SlotTable<Channel> slots_;
  std::vector<ConnectionId> dirty_;
  unsigned connections_ = 0;
  bool freed_ = false;
  Instant turn_at_ = never;  // the time of the turn that is being made
};

}  // namespace sansock

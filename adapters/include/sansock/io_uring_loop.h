// A loop over io_uring(7): many connections, one thread, one system call a turn. See sansock/loop.h
// for what loops have in common, and io_uring_support() for whether this machine has what it needs.
//
// The thread of the first turn() is the loop's from then on, unless LoopOptions::one_thread says
// otherwise. The loop is destroyed by it, or after it has ended. What handlers and commands have queued is
// handed to the kernel with the next turn(); a turn with a bounded wait hands over what it has itself brought
// about, too.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "sansock/clock.h"
#include "sansock/detail/ring_channel.h"
#include "sansock/detail/slot_table.h"
#include "sansock/detail/uring_core.h"
#include "sansock/io_uring_support.h"
#include "sansock/socket.h"

namespace sansock {

template <Handler H>
class IoUringLoop {
 public:
  using AcceptFunction = detail::UringCore::AcceptFunction;

  explicit IoUringLoop(LoopOptions options = {}) : options_(options) {}
  IoUringLoop(const IoUringLoop&) = delete;
  IoUringLoop& operator=(const IoUringLoop&) = delete;
  // Drops all connections, each with its `closed` event, and what is still posted.
  ~IoUringLoop() {
    core_.mailbox.close();
    options_.connections_max = 0;  // on_gone can add no more
    core_.stop_accepting();
    drop_all();
  }

  std::error_code open() { return core_.open(options_); }

  // Takes a listening socket over. `accepted` is given each connection's socket, to add() it.
  std::error_code listen(int fd, AcceptFunction accepted) { return core_.listen(fd, std::move(accepted)); }
  void stop_accepting() noexcept { core_.stop_accepting(); }

  // Takes over a connected or connecting socket, or what a listener has accepted. nullopt: no memory or
  // no room; the socket is closed then.
  template <class... Args>
  std::optional<ConnectionId> add(LoopSocket socket, Role role, const Config& config,
                                  Args&&... handler_arguments) {
    if (connections_ >= options_.connections_max || !ensure_free_slot()) {
      core_.close(socket);
      return std::nullopt;
    }
    const ConnectionId id = slots_.acquire();
    slots_.emplace(id, socket, role, config, std::forward<Args>(handler_arguments)...);
    ++connections_;
    touch(id);  // arms its first deadline; a client's request goes out
    return id;
  }
  template <class... Args>
  std::optional<ConnectionId> add(int fd, Role role, const Config& config, Args&&... handler_arguments) {
    Socket socket(fd);
    if (set_blocking(fd)) return std::nullopt;
    if (options_.tcp_nodelay) set_nodelay(fd);
    return add(LoopSocket{socket.release()}, role, config, std::forward<Args>(handler_arguments)...);
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
  // -1 also for a direct descriptor, which has no number of its own; see with_fd().
  int fd(ConnectionId id) noexcept {
    Channel* const channel = slots_.find(id);
    return channel == nullptr || channel->socket().direct ? -1 : channel->socket().number;
  }
  // Calls visit(int fd) with a descriptor that is valid during the call, for addresses and socket
  // options; -1 where there is none to be had.
  template <class Visit>
  auto with_fd(ConnectionId id, Visit&& visit) {
    Channel* const channel = slots_.find(id);
    if (channel == nullptr || !channel->socket().direct) return visit(fd(id));
    const Socket installed(core_.install(channel->socket()));
    return visit(installed.fd());
  }
  void touch(ConnectionId id) noexcept {
    Channel* const channel = slots_.find(id);
    if (channel == nullptr || channel->dirty()) return;
    try {
      dirty_.push_back(id);
      channel->set_dirty(true);
    } catch (const std::bad_alloc&) {
      core_.timers.set(id.slot, at_once);  // has the room, and does the same by a longer way
    }
  }
  void flush(ConnectionId id) {
    Channel* const channel = slots_.find(id);
    if (channel == nullptr) return;
    const Instant at = now();
    follow(id.slot, *channel, channel->on_commands(context(id.slot, at)));
    if (core_.flush_due()) flush_ring(at);
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    slots_.for_each([&visit](ConnectionId id, Channel& channel) { visit(id, channel.driver()); });
  }

  void turn(Duration wait_max) {
    const bool bounded = wait_max != no_timeout;
    Instant now = MonotonicClock::now();
    // What is settled here may be what the caller waits for.
    if (!dirty_.empty()) wait_max = Duration::zero();
    settle(now);
    const auto completions = core_.wait(wait_max, core_.timers.next(), now);
    turn_at_ = now = MonotonicClock::now();
    freed_ = false;
    detail::RingContext context{core_, {}, now, options_.output_stall_timeout, detail::ring_ticks(now)};
    for (const detail::UringCompletion& completion : completions) handle(completion, context);
    expire(now);
    settle(now);
    give_buffers(now);
    core_.try_accepting_again(freed_, room(), now);
    turn_at_ = never;
    if (core_.quiet() && options_.on_quiet) options_.on_quiet();
    if (bounded) core_.submit();
  }

  bool post(std::function<void()> task) { return core_.mailbox.post(std::move(task)); }
  void wake() noexcept { core_.mailbox.wake(); }
  unsigned connections() const noexcept { return connections_; }
  const LoopCounters& counters() const noexcept {
    LoopCounters& counters = counters_;
    const std::uint64_t closed = counters.closed;
    counters = core_.counters();
    counters.closed = closed;
    return counters;
  }

 private:
  using Channel = detail::RingChannel<H>;
  using UringOp = detail::UringOp;

  static constexpr int timers_per_turn = 1024;

  // Within a turn there is one time: what follows in it must not be earlier for a connection.
  Instant now() const noexcept { return turn_at_ != never ? turn_at_ : MonotonicClock::now(); }
  // A peer that takes output as fast as it is made must not hold the loop.
  static constexpr int flushes_max = 16;

  unsigned room() const noexcept {
    return options_.connections_max - std::min(options_.connections_max, connections_);
  }

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

  detail::RingContext context(std::uint32_t index, Instant now) noexcept {
    return {core_, detail::UringTag(UringOp::receive, index, slots_.serial(index)), now,
            options_.output_stall_timeout, detail::ring_ticks(now)};
  }

  // Nearly all completions are of these two kinds. Only what is received brings about sends that may have to
  // be handed over.
  void handle(const detail::UringCompletion& completion, detail::RingContext& context) {
    const std::uint32_t index = completion.tag.slot();
    const UringOp op = completion.tag.op();
    if (op == UringOp::receive) {
      if (Channel* const channel = slots_.find(index, completion.tag.serial())) [[likely]] {
        context.tag = completion.tag;
        const detail::RingWants wants = channel->on_received(completion, context);
        if (wants.closed || wants.again) [[unlikely]] {
          follow_completion(completion, wants);
        } else {
          core_.timers.set(index, wants.deadline);
        }
        if (core_.flush_due()) [[unlikely]]
          flush_ring(context.now);
        return;
      }
    } else if (op == UringOp::send && all_sent(completion)) [[likely]] {
      return;
    }
    handle_any(completion, context.now);
    if (core_.flush_due()) flush_ring(context.now);
  }
  bool all_sent(const detail::UringCompletion& completion) {
    Channel* const channel = slots_.find(completion.tag.slot(), completion.tag.serial());
    return channel != nullptr && channel->on_all_sent(completion);
  }
  [[gnu::noinline]] void follow_completion(const detail::UringCompletion& completion,
                                           const detail::RingWants& wants) {
    const std::uint32_t index = completion.tag.slot();
    follow(index, slots_[index], wants);
  }

  [[gnu::noinline]] void handle_any(const detail::UringCompletion& completion, Instant now) {
    switch (completion.tag.op()) {
      case UringOp::accept: return core_.on_accept(completion, room(), now);
      case UringOp::mailbox: return core_.on_mailbox(completion);
      case UringOp::ignored: return;
      case UringOp::install:  // of a call that has failed, but was carried out after that
        if (completion.result >= 0) core_.close({completion.result});
        return;
      default: break;
    }
    const std::uint32_t index = completion.tag.slot();
    Channel* const channel = slots_.find(index, completion.tag.serial());
    if (channel == nullptr) {  // can not be: a channel outlives what it has asked for
      return core_.discard(completion);
    }
    const detail::RingContext context = this->context(index, now);
    switch (completion.tag.op()) {
      case UringOp::send: return follow(index, *channel, channel->on_sent(completion, context));
      case UringOp::shutdown: return follow(index, *channel, channel->on_shut_down(context));
      case UringOp::hang_up: return follow(index, *channel, channel->on_hang_up(completion, context));
      case UringOp::readable: return follow(index, *channel, channel->on_readable(completion, context));
      case UringOp::receive_large:
        return follow(index, *channel, channel->on_large_received(completion, context));
      default: return follow(index, *channel, channel->on_received(completion, context));
    }
  }

  [[gnu::noinline]] void flush_ring(Instant now) {
    std::array<detail::UringCompletion, 64> sent;
    for (int i = 0; i < flushes_max; ++i) {
      const auto completions = core_.flush(sent);
      if (completions.empty()) return;
      for (const detail::UringCompletion& completion : completions) {
        if (!all_sent(completion)) handle_any(completion, now);
      }
    }
  }

  // Arranges for what a channel wants.
  void follow(std::uint32_t index, Channel& channel, const detail::RingWants& wants) {
    if (wants.closed) [[unlikely]]
      return end(index, channel);
    if (wants.again) [[unlikely]]
      touch(slots_.id(index));
    core_.timers.set(index, wants.deadline);
  }

  [[gnu::noinline]] void end(std::uint32_t index, Channel& channel) {
    const ConnectionId id = slots_.id(index);
    core_.timers.remove(index);
    slots_.retire(index);
    --connections_;
    ++counters_.closed;
    freed_ = true;
    if constexpr (requires(H & handler) { handler.on_gone(id); }) channel.driver().handler().on_gone(id);
    core_.close(channel.socket());
    slots_.destroy(index);
  }

  // Bounded work a turn: what is left is due at once in the next one.
  [[gnu::noinline]] void expire(Instant now) {
    for (int i = 0; i < timers_per_turn; ++i) {
      const auto due = core_.timers.pop_due(now);
      if (!due) return;
      follow(*due, slots_[*due], slots_[*due].on_turn(context(*due, now)));
    }
  }

  // Connections that were given commands from outside of their own events, or that the ring had no
  // room for.
  [[gnu::noinline]] void settle(Instant now) {
    if (dirty_.empty()) return;
    std::vector<ConnectionId> dirty = std::move(dirty_);
    dirty_.clear();
    for (const ConnectionId id : dirty) {
      Channel* const channel = slots_.find(id);
      if (channel == nullptr || !channel->dirty()) continue;
      channel->set_dirty(false);
      follow(id.slot, *channel, channel->on_turn(context(id.slot, now)));
      if (core_.flush_due()) flush_ring(now);
    }
    if (dirty_.empty()) {
      dirty.clear();
      dirty_ = std::move(dirty);  // keeps its capacity
    }
  }

  // To those that wait to receive much.
  void give_buffers(Instant now) {
    // Those that put themselves into the queue again have no room in the ring, and come with the next turn.
    for (std::size_t queued = core_.large_queued(); queued > 0; --queued) {
      const detail::UringTag tag = core_.next_large();
      if (tag.op() == UringOp::ignored) return;
      Channel* const channel = slots_.find(tag.slot(), tag.serial());
      if (channel == nullptr) continue;
      follow(tag.slot(), *channel, channel->on_large_turn(context(tag.slot(), now)));
    }
  }

  void drop_all() {
    constexpr int turns_max = 100;  // a cancelled operation completes within a turn or two
    const Instant now = MonotonicClock::now();
    slots_.for_each([this, now](ConnectionId id, Channel& channel) {
      follow(id.slot, channel, channel.on_failure(errc::aborted, context(id.slot, now)));
    });
    // What was accepted meanwhile is closed: a descriptor in a completion that nobody reads is lost.
    for (int i = 0; (connections_ != 0 || core_.accepting()) && i < turns_max; ++i) {
      turn(std::chrono::milliseconds(1));
    }
    // Another thread turned this loop, and the kernel has cancelled all of it when that thread ended.
    slots_.for_each([this, now](ConnectionId id, Channel& channel) {
      channel.on_ring_end(now);
      end(id.slot, channel);
    });
  }

  LoopOptions options_;
  detail::UringCore core_;
  detail::SlotTable<Channel> slots_;
  std::vector<ConnectionId> dirty_;
  mutable LoopCounters counters_;
  unsigned connections_ = 0;
  bool freed_ = false;
  Instant turn_at_ = never;  // the time of the turn that is being made
};

}  // namespace sansock

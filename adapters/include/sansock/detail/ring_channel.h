// A socket and its Driver, as the completion-based loop (io_uring) uses them: what to ask the ring
// for, and what its answers mean. It holds no protocol rule.
//
// At most one receive (of a connection that receives much at a time: a watch and a receive), one send, one
// watch for the peer's end and one shutdown are under way. The kernel holds on to what they were given until
// they complete, so a channel ends in two steps: first the driver, then, when nothing is under way any more,
// the channel.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sansock/detail/link.h"
#include "sansock/detail/uring_core.h"

namespace sansock::detail {

// What a channel needs from its loop in each call.
struct RingContext {
  UringCore& core;
  UringTag tag;  // the channel's; its operation does not matter
  Instant now;
  Duration stall_max;
  std::uint32_t now_ticks;  // ring_ticks(now)
};

// Milliseconds, of 32 bits to keep a connection small; differences are right for 24 days. Never 0.
inline std::uint32_t ring_ticks(Instant at) noexcept {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  return static_cast<std::uint32_t>(ms) | 1;
}

struct RingWants {
  bool closed = false;  // the end: release the socket
  bool again = false;   // the ring was full: call on_turn() in the next turn
  Instant deadline = never;
};

template <Handler H>
class RingChannel {
 public:
  template <class... Args>
  RingChannel(LoopSocket socket, Role role, const Config& config, Args&&... handler_arguments)
      : link_(role, config, std::forward<Args>(handler_arguments)...),
        fd_(socket.number),
        direct_(socket.direct) {}
  RingChannel(const RingChannel&) = delete;
  RingChannel& operator=(const RingChannel&) = delete;

  Driver<H>& driver() noexcept { return link_.driver(); }
  Link<H>& link() noexcept { return link_; }
  LoopSocket socket() const noexcept { return {fd_, direct_ != 0}; }
  // The loop's note: its commands are still to be carried out.
  bool dirty() const noexcept { return dirty_; }
  void set_dirty(bool dirty) noexcept { dirty_ = dirty; }

  // Most often all that was read are whole messages, and what they bring about can be sent. That is all there
  // is to see here; the rest is out of line.
  [[gnu::noinline]] RingWants on_received(const UringCompletion& completion, const RingContext& context) {
    const bool last = !completion.socket_filled();
    if (!completion.more() || !context.core.small(completion.result) || !simple() ||
        !link_.endpoint().between_messages()) [[unlikely]] {
      return on_any_received(completion, last, context);
    }
    RingWants wants;
    Driver<H>& driver = link_.driver();
    if (!driver.take_bytes(context.core.view(completion), context.now, wants.deadline)) [[unlikely]] {
      return on_taken(completion, last, context);
    }
    context.core.used(completion);
    IoSlice slice;
    if (!last || sending_ || send_at_ticks_ != 0 || !driver.gather_whole(slice) ||
        !context.core.copied(slice.size)) [[unlikely]] {
      return go_on_calm(wants.deadline, last, context);
    }
    if (!context.core.send_copied(socket(), context.tag.with(UringOp::send), slice)) [[unlikely]] {
      return go_on_calm(wants.deadline, last, context);
    }
    driver.lend_output();
    sending_ = true;
    send_at_ticks_ = context.now_ticks;
    if (!stall_watched_) watch_stall(wants, context);
    return wants;
  }
  // All that was queued was sent, nothing follows from it, and there is nothing else to do either. Otherwise
  // false, and nothing has happened.
  bool on_all_sent(const UringCompletion& completion) {
    if (completion.flags != 0 || completion.result <= 0 || !receiving_ || send_cancelled_ || !simple() ||
        !link_.driver().on_written_whole(static_cast<std::size_t>(completion.result))) {
      return false;
    }
    sending_ = false;
    send_at_ticks_ = 0;
    return true;
  }

  // `last`: nothing else is known to have arrived, so what there is to say is said now.
  [[gnu::noinline]] RingWants on_any_received(const UringCompletion& completion, bool last,
                                              const RingContext& context) {
    if (!completion.more()) receiving_ = cancelling_ = 0;
    if (ended_ || completion.result <= 0) context.core.discard(completion);
    if (ended_) return finish(context);
    Interest interest;
    if (completion.result > 0) {
      interest = link_.on_bytes(context.core.received(completion), context.now);
      context.core.recycle(completion);
      if (context.core.large(completion.result)) large_ = true;
      if (!last && completion.more() && !interest.close)
        return {.again = true, .deadline = interest.deadline};
    } else if (completion.result == 0) {
      eof_ = true;
      interest = link_.resume(context.now);
    } else if (context.core.receive_again(completion)) {
      interest = link_.resume(context.now);
    } else {
      return on_failure(errc::transport_error, context);
    }
    return go_on(interest, context);
  }

  // There may be something to receive.
  RingWants on_readable(const UringCompletion& completion, const RingContext& context) {
    if (!completion.more()) receiving_ = cancelling_ = 0;
    if (ended_) return finish(context);
    // An error of the watch tells nothing of the connection: it is asked for again. Where the watch is about
    // to give way to a receive that goes on, that finds by itself what there is.
    if (completion.result >= 0 && large_) {
      readable_ = true;
      if ((completion.result & (POLLRDHUP | POLLHUP | POLLERR)) != 0) draining_ = true;
    }
    return go_on(link_.resume(context.now), context);
  }
  // It has waited, and may now receive into a buffer.
  RingWants on_large_turn(const RingContext& context) {
    queued_ = false;
    if (ended_) return finish(context);
    bool asked = true;
    const bool wanted = may_receive() || hung_up_;
    if (wanted && readable_ && !reading_ && !eof_) {
      reading_ = asked = context.core.receive_large(socket(), context.tag.with(UringOp::receive_large));
      readable_ = !reading_;
    }
    RingWants wants = go_on(link_.resume(context.now), context);
    wants.again |= !asked;
    return wants;
  }
  RingWants on_large_received(const UringCompletion& completion, const RingContext& context) {
    reading_ = false;
    const Bytes input = context.core.received_large(completion);
    if (ended_) {
      context.core.recycle_large(completion);
      return finish(context);
    }
    Interest interest;
    if (completion.result > 0) interest = link_.on_bytes(input, context.now);
    context.core.recycle_large(completion);
    if (completion.result <= 0) {
      const int error = -completion.result;
      if (error == EINTR || error == ECANCELED) {
        readable_ = true;
      } else if (error != 0 && error != EAGAIN) {  // EAGAIN: others have read it, or it was no data
        return on_failure(errc::transport_error, context);
      }
      eof_ = completion.result == 0;
      draining_ = false;
      interest = link_.resume(context.now);
    } else {
      // The watch has told of what is still there, an end too, and tells only of what comes from now on.
      if (draining_ || completion.socket_filled() || context.core.filled_large(completion)) readable_ = true;
      // Back to the way of small ones; not at once, since a message may end with a small rest.
      few_ = context.core.few(completion.result) ? (few_ + 1) & few_max : 0;
      if (few_ == few_max) {
        large_ = false;  // the receive that follows finds by itself what is still there
        readable_ = false;
        draining_ = false;
        few_ = 0;
      }
    }
    return go_on(interest, context);
  }

  RingWants on_sent(const UringCompletion& completion, const RingContext& context) {
    // A zero-copy send has two completions, a result and a notification that its memory is no longer in
    // use. They are looked at in any order, since flush() takes some of them early.
    std::int32_t result = completion.result;
    if (completion.more() || completion.notification()) {
      if (completion.more()) zero_copy_sent_ = completion.result;
      zero_copy_half_ = !zero_copy_half_;
      if (zero_copy_half_) return {.deadline = never};
      result = zero_copy_sent_;
    }
    sending_ = send_cancelled_ = false;
    if (result < 0) fail_send(-result, context.now);
    const Interest interest = link_.on_written(static_cast<std::size_t>(std::max(result, 0)), context.now);
    return ended_ ? finish(context) : go_on(interest, context);
  }

  // The peer has closed its end or half of it, or the connection has failed, while reading is paused.
  RingWants on_hang_up(const UringCompletion& completion, const RingContext& context) {
    watching_ = completion.more();
    if (ended_) return finish(context);
    // What is still there is read: it is bounded, since nothing can follow. An error of the watch tells
    // nothing of the connection, and the end of the peer's half alone can wait.
    if (completion.result >= 0 && (completion.result & (POLLHUP | POLLERR)) != 0) hung_up_ = true;
    return go_on(link_.resume(context.now), context);
  }
  RingWants on_shut_down(const RingContext& context) {
    shutting_ = false;
    return ended_ ? finish(context) : go_on(link_.resume(context.now), context);
  }
  // A deadline may have passed, or commands were given.
  RingWants on_turn(const RingContext& context) {
    stall_watched_ = false;
    if (ended_) return finish(context);
    if (sending_ && stall_deadline(context) <= context.now) {
      return on_failure(errc::output_stall_timeout, context);
    }
    return go_on(link_.on_timeout(context.now), context);
  }
  // Commands were given, and are to be carried out now.
  RingWants on_commands(const RingContext& context) {
    return ended_ ? finish(context) : go_on(link_.resume(context.now), context);
  }
  RingWants on_failure(errc cause, const RingContext& context) {
    link_.on_failure(cause, context.now);
    return finish(context);
  }
  // The ring is gone and has left nothing under way.
  void on_ring_end(Instant now) {
    if (!ended_) link_.on_failure(errc::aborted, now);
    if (link_.endpoint().output_lent()) link_.on_written(0, now);
  }

 private:
  static constexpr Duration send_again_after = std::chrono::milliseconds(10);

  // Of a connection that may have to wait for a buffer, and be paused meanwhile.
  bool may_receive() const noexcept { return !link_.input_waits() && !link_.endpoint().input_paused(); }
  // Nothing is under way but to receive and to send.
  bool simple() const noexcept {
    return !cancelling_ && !send_failed_ && !read_shut_ && !watching_ && !hung_up_ && !eof_ && !shut_ &&
           !shutting_ && !ended_ && link_.plain();
  }

  // After what was received was given to the driver, from which more follows than output.
  [[gnu::noinline]] RingWants on_taken(const UringCompletion& completion, bool last,
                                       const RingContext& context) {
    const Interest interest = link_.keep_rest(context.now);
    context.core.used(completion);
    if (!last && !interest.close) return {.again = true, .deadline = interest.deadline};
    return go_on(interest, context);
  }
  [[gnu::noinline]] RingWants go_on_calm(Instant deadline, bool last, const RingContext& context) {
    if (!last) return {.again = true, .deadline = deadline};
    const bool output = link_.output_size() != 0;
    return go_on({.read = true, .write = output, .deadline = deadline}, context);
  }
  // One that was set for an earlier send will do: when it passes, on_turn() looks at the newest.
  [[gnu::noinline]] void watch_stall(RingWants& wants, const RingContext& context) noexcept {
    stall_watched_ = true;
    wants.deadline = std::min(wants.deadline, stall_deadline(context));
  }

  // Feeds what is there, and asks the ring for what the driver wants next.
  RingWants go_on(Interest interest, const RingContext& context) {
    while (!interest.close) {
      if (interest.read && !link_.stash_empty()) {
        interest = link_.take_stash(context.now);
      } else if (eof_ && !eof_told_ && !link_.input_waits() && (interest.read || hung_up_)) {
        eof_told_ = true;
        interest =
            send_failed_ ? link_.on_failure(errc::transport_error, context.now) : link_.on_eof(context.now);
      } else {
        break;
      }
    }
    if (interest.close) return finish(context);
    if (send_failed_ && !interest.read) return on_failure(errc::transport_error, context);
    link_.trim();
    RingWants wants{.deadline = interest.deadline};
    write(interest, wants, context);
    read(interest, wants, context);
    return wants;
  }

  void write(const Interest& interest, RingWants& wants, const RingContext& context) {
    if (interest.shutdown_write && !shut_ && !sending_ && !shutting_) {
      shut_ = shut_down(SHUT_WR, wants, context);
    }
    if (interest.write && !sending_ && !send_failed_) {
      if (send_at_ticks_ != 0 && context.now_ticks - send_at_ticks_ > ticks_half) {
        wants.deadline = std::min(wants.deadline, context.now + send_again_after);
        return;
      }
      send_at_ticks_ = 0;
      std::array<IoSlice, 64> slices;
      const auto gathered = std::span(slices).first(link_.gather(slices));
      if (gathered.empty()) {  // there is no memory to encrypt with
        wants.deadline = std::min(wants.deadline, link_.resume(context.now).deadline);
        return;
      }
      if (context.core.send(socket(), context.tag.with(UringOp::send), gathered, !copied_, large_ != 0)) {
        link_.lend_output();
        sending_ = true;
        send_at_ticks_ = context.now_ticks;
      } else {
        wants.again = true;
      }
    }
    if (sending_) wants.deadline = std::min(wants.deadline, stall_deadline(context));
  }

  // While reading is paused nothing is received, but the peer's end is still noticed.
  void read(const Interest& interest, RingWants& wants, const RingContext& context) {
    const bool wanted = (interest.read && link_.stash_empty()) || hung_up_;
    // Never beside a large receive: two of them may complete in another order than they received.
    if (wanted && !receiving_ && !reading_ && !eof_) {
      begin_receive(context);
      wants.again |= !receiving_;
    } else if (receiving_ && !cancelling_ && (!wanted || large_ != watched_)) {
      cancelling_ = cancel_receive(context);
      wants.again |= !cancelling_;
    }
    if (wanted && readable_ && !queued_ && !reading_ && !eof_) {
      queued_ = context.core.queue_large(context.tag.with(UringOp::receive_large));
      wants.again |= !queued_;
    }
    // Nothing can be said to the peer any more: its half ends behind what has arrived.
    if (send_failed_ && !read_shut_ && !shutting_) read_shut_ = shut_down(SHUT_RD, wants, context);
    const bool paused = !interest.read && !receiving_ && !hung_up_;
    if (paused && !watching_) {
      watching_ = context.core.watch_hang_up(socket(), context.tag.with(UringOp::hang_up));
      wants.again |= !watching_;
    }
  }

  void begin_receive(const RingContext& context) {
    watched_ = large_;
    if (large_) {
      receiving_ = context.core.watch_readable(socket(), context.tag.with(UringOp::readable));
      return;
    }
    const UringOp asked = context.core.receive(socket(), context.tag);
    receiving_ = asked != UringOp::ignored;
    receiving_once_ = asked == UringOp::receive_once;
  }

  bool shut_down(int how, RingWants& wants, const RingContext& context) {
    const bool asked = context.core.shutdown(socket(), context.tag.with(UringOp::shutdown), how);
    shutting_ = asked && direct_;
    wants.again |= !asked;
    return asked;
  }

  // The driver has ended. What is under way is cancelled, and when nothing is any more, so has this.
  RingWants finish(const RingContext& context) {
    ended_ = true;
    bool asked = true;
    if (receiving_ && !cancelling_) {
      cancelling_ = cancel_receive(context);
      asked = asked && cancelling_;
    }
    if (watching_ && !watch_cancelled_) {
      watch_cancelled_ = context.core.cancel(context.tag.with(UringOp::hang_up));
      asked = asked && watch_cancelled_;
    }
    if (sending_ && !send_cancelled_) {
      send_cancelled_ = context.core.cancel(context.tag.with(UringOp::send));
      asked = asked && send_cancelled_;
    }
    // A shutdown and a large receive, too, are waited for, but they never take long.
    const bool idle = !receiving_ && !reading_ && !watching_ && !sending_ && !shutting_;
    return {.closed = idle, .again = !asked, .deadline = never};
  }

  // The peer is gone, but what it sent before, its Close frame most of all, may still be here: reading
  // goes on to its end.
  void fail_send(int error, Instant now) noexcept {
    if (!copied_ && UringCore::copy_instead(error)) {
      copied_ = true;
    } else if (UringCore::send_later(error)) {
      send_at_ticks_ = ring_ticks(now + send_again_after);
    } else {
      send_failed_ = true;
    }
  }

  bool cancel_receive(const RingContext& context) const noexcept {
    return context.core.cancel(context.tag.with(watched_          ? UringOp::readable
                                                : receiving_once_ ? UringOp::receive_once
                                                                  : UringOp::receive));
  }

  Instant stall_deadline(const RingContext& context) const noexcept {
    const auto passed = std::chrono::milliseconds(context.now_ticks - send_at_ticks_);
    if (context.stall_max >= never - context.now) return never;
    return context.now - passed + context.stall_max;
  }

  static constexpr std::uint32_t ticks_half = UINT32_MAX / 2;
  static constexpr unsigned few_max = 3;

  Link<H> link_;
  int fd_;
  // When the send under way was handed over; otherwise when the next one may be, after an error; or 0.
  std::uint32_t send_at_ticks_ = 0;
  std::int32_t zero_copy_sent_ = 0;
  // Small numbers, because compilers test several of those at once; see simple() and on_all_sent().
  using Bit = std::uint8_t;
  Bit receiving_ : 1 = 0;
  Bit send_cancelled_ : 1 = 0;
  Bit cancelling_ : 1 = 0;  // the receive
  Bit send_failed_ : 1 = 0;
  Bit read_shut_ : 1 = 0;
  Bit watching_ : 1 = 0;
  Bit hung_up_ : 1 = 0;
  Bit eof_ : 1 = 0;  // the peer's half has ended
  Bit shut_ : 1 = 0;
  Bit shutting_ : 1 = 0;  // a shutdown is under way
  Bit ended_ : 1 = 0;
  Bit sending_ : 1 = 0;
  Bit stall_watched_ : 1 = 0;  // the loop will call on_turn() no later than the send's stall deadline
  Bit direct_ : 1;
  Bit dirty_ : 1 = 0;
  Bit receiving_once_ : 1 = 0;
  Bit copied_ : 1 = 0;          // zero-copy sends were refused
  Bit zero_copy_half_ : 1 = 0;  // one of two completions has come
  Bit watch_cancelled_ : 1 = 0;
  Bit eof_told_ : 1 = 0;  // and the engine knows
  // Of a connection that receives much at a time:
  Bit large_ : 1 = 0;     // it is one
  Bit watched_ : 1 = 0;   // what is under way as a receive only tells that there is something
  Bit readable_ : 1 = 0;  // and there may be
  Bit queued_ : 1 = 0;    // it waits for a buffer
  Bit reading_ : 1 = 0;   // and receives into it
  Bit draining_ : 1 = 0;  // behind what can be received is an end or an error
  Bit few_ : 2 = 0;       // receives one after the other that brought little
};

}  // namespace sansock::detail

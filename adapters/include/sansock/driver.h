// Drains an Endpoint's events into a handler and tells the adapter what to want next. It holds no
// system call: every adapter, the simulator and your own loop obey the same Interest.
#pragma once

#include <concepts>
#include <utility>

#include "sansock/endpoint.h"

namespace sansock {

enum class Verdict : std::uint8_t {
  keep,
  pause_reading,  // no further data until resume_reading(); what was read and not used is stashed
  drop,           // abort the connection, without a closing handshake
};

// on_event runs between two polls, so it may send, ping, close, accept. It must not destroy the
// endpoint: dropping is a return value.
template <class H>
concept Handler = requires(H handler, Endpoint& endpoint, const Event& event) {
  { handler.on_event(endpoint, event) } -> std::same_as<Verdict>;
};

// What the adapter is to do next.
struct Interest {
  bool read = false;
  bool write = false;           // gather() has something
  bool shutdown_write = false;  // send FIN, once
  bool close = false;           // release the transport; nothing else matters any more
  Instant deadline = never;     // when to call on_timeout()
};

template <Handler H>
class Driver {
 public:
  template <class... Args>
  Driver(Role role, const Config& config, Args&&... handler_arguments)
      : endpoint_(role, config), handler_(std::forward<Args>(handler_arguments)...) {}

  // Each input drains all events before it returns. `input` is borrowed until then; while
  // reading is paused the unread rest must be taken with detach_input() and stashed.
  Interest on_bytes(Bytes input, Instant now) {
    endpoint_.feed(input, now);
    return drain(now);
  }
  // The first half of on_bytes(). True: that was all, since the connection is open and wants to be read from;
  // its Interest is `deadline`, and to write what there is to gather(). False: resume() is to follow.
  bool take_bytes(Bytes input, Instant now, Instant& deadline) {
    endpoint_.feed(input, now);
    poll_all();
    return endpoint_.calm(deadline) && deadline > now;
  }
  Interest on_eof(Instant now) {
    endpoint_.feed_eof(now);
    return drain(now);
  }
  // The transport failed (errc::transport_error), or an adapter's own deadline passed.
  Interest on_failure(errc cause, Instant now) {
    endpoint_.abort(cause);
    return drain(now);
  }
  Interest on_timeout(Instant now) {
    endpoint_.handle_timeout(now);
    return drain(now);
  }
  // A handler may have `void on_written(Endpoint&)`, called when the transport took some output,
  // before the events that follow from it: how a handler sees that its output drains. It may also have
  // `bool awaits_written() const`: where that is false, the call may be left out.
  Interest on_written(std::size_t written, Instant now) {
    endpoint_.consume(written, now);
    if constexpr (requires(H & handler, Endpoint & endpoint) { handler.on_written(endpoint); }) {
      handler_.on_written(endpoint_);
    }
    return drain(now);
  }
  // The same, if that was all of the output and nothing follows from it: of the last Interest only `write`
  // is no longer true then. Otherwise false, and nothing has happened.
  bool on_written_whole(std::size_t written) { return !awaits_written() && endpoint_.consume_whole(written); }
  // The same for what gather_whole() gave, when nothing has happened since then.
  void on_gathered_written() noexcept { endpoint_.consume_gathered(); }
  // After commands from outside an event, and after resume_reading().
  Interest resume(Instant now) { return drain(now); }
  // Lifts Verdict::pause_reading. The stash is then to be given to on_bytes() before new input.
  void resume_reading() noexcept { endpoint_.pause_input(false); }

  std::size_t gather(std::span<IoSlice> slices) noexcept { return endpoint_.gather(slices); }
  // The same if all of it is one slice, and nothing follows when all of that was sent. Otherwise false.
  bool gather_whole(IoSlice& slice) noexcept { return !awaits_written() && endpoint_.gather_whole(slice); }
  // What gather() gave is being sent; on_written() will tell how much of it was, also when nothing was.
  void lend_output() noexcept { endpoint_.lend_output(); }
  Bytes detach_input() noexcept { return endpoint_.detach_input(); }

  Endpoint& endpoint() noexcept { return endpoint_; }
  const Endpoint& endpoint() const noexcept { return endpoint_; }
  H& handler() noexcept { return handler_; }
  const H& handler() const noexcept { return handler_; }

 private:
  Interest drain(Instant now) {
    poll_all();
    Instant deadline;
    if (endpoint_.calm(deadline) && deadline > now) [[likely]] {
      return {.read = true, .write = endpoint_.output_size() != 0, .deadline = deadline};
    }
    return drain_timers(now);
  }

  [[gnu::noinline]] Interest drain_timers(Instant now) {
    // Commands arm timers without knowing the time; now it is known. While input is paused, some of it
    // may still be the endpoint's, and then its time may not go on: the deadline that is returned
    // makes the adapter call on_timeout() when it has detached that input.
    Instant deadline = endpoint_.deadline();
    if (deadline <= now && !endpoint_.input_paused()) {
      endpoint_.handle_timeout(now);
      poll_all();
      deadline = endpoint_.deadline();
    }
    return interest(deadline);
  }

  bool awaits_written() const noexcept {
    if constexpr (requires(const H& handler) { handler.awaits_written(); }) {
      return handler_.awaits_written();
    } else {
      return requires(H & handler, Endpoint & endpoint) { handler.on_written(endpoint); };
    }
  }

  void poll_all() {
    while (const Event event = endpoint_.poll()) {
      switch (handler_.on_event(endpoint_, event)) {
        case Verdict::keep: break;
        case Verdict::pause_reading: endpoint_.pause_input(true); break;
        case Verdict::drop: endpoint_.abort(errc::aborted); break;
      }
    }
  }

  Interest interest(Instant deadline) const noexcept {
    const TransportAction action = endpoint_.transport_action();
    return {.read = endpoint_.wants_input(),
            .write = endpoint_.output_size() != 0,
            .shutdown_write = action == TransportAction::shutdown_write,
            .close = action == TransportAction::close,
            .deadline = deadline};
  }

  Endpoint endpoint_;
  H handler_;
};

}  // namespace sansock

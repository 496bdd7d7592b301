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
  // before the events that follow from it: how a handler sees that its output drains.
  Interest on_written(std::size_t written, Instant now) {
    endpoint_.consume(written, now);
    if constexpr (requires(H & handler, Endpoint & endpoint) { handler.on_written(endpoint); }) {
      handler_.on_written(endpoint_);
    }
    return drain(now);
  }
  // After commands from outside an event, and after resume_reading().
  Interest resume(Instant now) { return drain(now); }
  // Lifts Verdict::pause_reading. The stash is then to be given to on_bytes() before new input.
  void resume_reading() noexcept { endpoint_.pause_input(false); }

  std::size_t gather(std::span<IoSlice> slices) noexcept { return endpoint_.gather(slices); }
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

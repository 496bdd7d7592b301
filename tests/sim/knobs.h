// What one seed switches on, and how much of it: drawn first, so that seeds differ in kind and not
// only in detail (swarm testing). A seed without any fault has to end without any loss.
#pragma once

#include <array>
#include <string>

#include "prng.h"
#include "sansock/limits.h"

namespace sansock::sim {

// Bugs that the tests of the simulator plant, to see that a checker names them.
enum class Plant : std::uint8_t {
  none,
  bytes_duplicated,   // the link gives bytes twice
  bytes_lost,         // the link swallows bytes
  bytes_reordered,    // the link swaps bytes
  message_swallowed,  // the application misses a message
  block_leaked,       // a pool forgets a block that came back
  never_resumed,      // an application pauses reading and forgets about it
  timers_ignored,     // the adapter does not call at deadlines
  wake_lost,          // the adapter does not look when the transport takes bytes again
  token_repeated,     // the engine seems to report borrowed memory twice
  closed_repeated,    // the engine seems to report the end twice
  code_changed,       // the peer's close code seems to be another one
  output_unbounded,   // the engine seems to queue more than its limit
  deadline_past,      // the adapter is told of a deadline that has passed
  output_changed,     // what was offered seems to have changed
  interest_wrong,     // reading seems to be wanted while it is paused
  result_wrong,       // a send seems to queue a byte too many
  frame_kept,         // somebody does not give a shared frame back
  ping_changed,       // a Ping seems to have another payload
  memory_kept,        // an application does not give memory for messages back
  dropped_in_secret,  // an application ends a connection in a seed that should be calm
  turn_repeated,      // the adapter looks again and again
  notify_forgotten,   // with TLS: close_notify is never sent
  truncation_hidden,  // with TLS: a transport that was cut off seems to be a clean end
};

struct Network {
  Duration latency_min{};
  Duration latency_max{};
  std::size_t window = 0;       // bytes that are sent and not yet read
  std::uint64_t bandwidth = 0;  // bytes per second
  std::size_t read_max = 0;     // bytes that one read gives
  unsigned write_short = 0;     // per mille of writes that take less than they could
  bool writes_late = false;     // a write completes later than it is begun, as with io_uring
  Duration turn_delay_max{};    // how long a loop may be busy with others
  Duration stall_timeout{};     // the adapter's own deadline for output
};

// How often a link has it, per mille.
struct Faults {
  unsigned reset = 0;
  unsigned half_open = 0;  // nothing gets through any more, in silence
  unsigned vanish = 0;     // one side is gone, in silence
  unsigned cut = 0;        // one direction ends as if the sender had shut it down
  unsigned stall = 0;      // nothing gets through for a while
  unsigned sleep = 0;      // the whole machine stands still for a while: everything is late
  unsigned adversary = 0;  // one side speaks no proper WebSocket
};

// Weights of what an application may do next; per mille where it says so.
struct Actions {
  unsigned send = 0;
  unsigned part = 0;
  unsigned borrowed = 0;
  unsigned broadcast = 0;
  unsigned ping = 0;
  unsigned pong = 0;
  unsigned pause = 0;
  unsigned close = 0;
  unsigned drop = 0;
  unsigned misuse = 0;
  unsigned text_broken = 0;       // sends text that is not UTF-8
  unsigned in_event = 0;          // per mille of events in which it acts at once
  unsigned pause_in_event = 0;    // per mille of data events
  unsigned drop_in_event = 0;     // per mille of data events
  unsigned refuse = 0;            // per mille of requests
  unsigned defer = 0;             // per mille of requests
  unsigned leave_connecting = 0;  // per mille of clients that leave before they are open
};

// The servers, or the clients: they share a pool and a configuration.
struct Side {
  std::size_t block_size = 0;
  std::size_t blocks_max = 0;
  unsigned block_refused = 0;  // per mille of blocks that can not be had
  std::size_t message_memory_max = 0;
  Limits limits;
  Timeouts timeouts;
  bool auto_pong = true;
  bool check_sent_text = false;
  bool assemble = false;  // whole messages
  DeflateOptions deflate = {};
};

enum class Closers : std::uint8_t { servers, clients, both };

struct Knobs {
  std::uint64_t seed = 0;
  Plant plant = Plant::none;
  unsigned links = 0;
  unsigned acts = 0;         // of each application
  Duration duration{};       // then applications begin to close
  std::size_t size_max = 0;  // of a message
  Network network;
  Faults faults;
  Actions actions;
  std::array<Side, 2> sides;  // servers, clients
  Closers closers = Closers::both;
  bool deadlines_tight = false;
  bool limits_tight = false;
  bool blocks_scarce = false;
  bool deflate = false;  // both sides have a codec
  bool tls = false;      // both sides speak TLS

  // Nothing may go wrong: every message arrives, every close is clean.
  bool calm() const noexcept;
  std::string text() const;
};

Knobs draw_knobs(std::uint64_t seed);
// The same without what can go wrong.
Knobs draw_calm_knobs(std::uint64_t seed);

}  // namespace sansock::sim

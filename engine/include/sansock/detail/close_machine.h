// The states in which a connection ends, and what leads from one to the next, as one table.
// ARCHITECTURE.md's diagram is generated from it (tools/state_diagram).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sansock::detail {

enum class Phase : std::uint8_t {
  handshake,      // the opening handshake; no frame yet
  open,           // both directions carry messages
  close_sent,     // our Close is queued or sent; the peer's is awaited, messages still arrive
  close_replied,  // both Close frames are known, ours is not flushed yet
  failing,        // our last bytes (a Close, or an HTTP refusal) are not flushed yet; input is discarded
  lingering,      // everything flushed and our half shut down; input is discarded until EOF
  awaiting_eof,   // client: both Close frames are through; the server ends the transport first
  eof_flushing,   // the peer's half has ended without a Close; what was accepted is still flushed
  done_flushing,  // the peer's half has ended after its Close; our reply is still flushed
  closed,
};
inline constexpr std::size_t phase_count = 10;

enum class CloseInput : std::uint8_t {
  opened,       // the opening handshake succeeded
  local_close,  // close() by the application
  peer_close,   // a valid Close frame arrived
  fail,         // the peer broke a rule, or a deadline passed: a Close or a refusal was queued
  flushed,      // the transport took the last queued byte
  eof,          // the transport's read half ended
  give_up,      // close deadline, transport error, abort, discard limit
};
inline constexpr std::size_t close_input_count = 7;

// The next phase. A pair that can not happen maps to the phase itself: late inputs are no-ops.
using CloseRow = std::array<Phase, close_input_count>;
extern const std::array<CloseRow, phase_count> close_table_server;
extern const std::array<CloseRow, phase_count> close_table_client;

Phase next_phase(Phase phase, CloseInput input, bool client) noexcept;
std::string_view name(Phase phase) noexcept;
std::string_view name(CloseInput input) noexcept;

}  // namespace sansock::detail

// How a connection ends. Theory of operation:
//
//   fail or close -> queue a Close frame -> flush -> shut our half down -> read and discard until the
//   peer's half ends or the close deadline passes -> close
//
// Reading on after our FIN is what keeps the kernel from answering late bytes with a reset, which
// could destroy our Close frame in the peer's receive buffer (RFC 9112 section 9.6 describes it).
// A server ends the transport first, a client waits for that (RFC 6455 section 7.1.1), so that
// TIME_WAIT stays with the server's side as the RFC wants it.
#include "sansock/detail/close_machine.h"

namespace sansock::detail {
namespace {

constexpr std::size_t index(Phase phase) noexcept { return static_cast<std::size_t>(phase); }
constexpr std::size_t index(CloseInput input) noexcept { return static_cast<std::size_t>(input); }

struct Edge {
  Phase from;
  CloseInput input;
  Phase to;
};

// The edges that both roles share.
constexpr Edge shared_edges[] = {
    {Phase::handshake, CloseInput::opened, Phase::open},
    {Phase::handshake, CloseInput::fail, Phase::failing},
    {Phase::handshake, CloseInput::eof, Phase::eof_flushing},
    {Phase::open, CloseInput::local_close, Phase::close_sent},
    {Phase::open, CloseInput::peer_close, Phase::close_replied},
    {Phase::open, CloseInput::fail, Phase::failing},
    {Phase::open, CloseInput::eof, Phase::eof_flushing},
    {Phase::close_sent, CloseInput::peer_close, Phase::close_replied},
    {Phase::close_sent, CloseInput::fail, Phase::failing},
    {Phase::close_sent, CloseInput::eof, Phase::eof_flushing},
    {Phase::close_replied, CloseInput::eof, Phase::done_flushing},
    {Phase::failing, CloseInput::flushed, Phase::lingering},
    {Phase::failing, CloseInput::eof, Phase::eof_flushing},
    {Phase::lingering, CloseInput::eof, Phase::closed},
    {Phase::awaiting_eof, CloseInput::eof, Phase::closed},
    {Phase::eof_flushing, CloseInput::flushed, Phase::closed},
    {Phase::done_flushing, CloseInput::flushed, Phase::closed},
};

constexpr std::array<CloseRow, phase_count> make_table(bool client) noexcept {
  std::array<CloseRow, phase_count> table{};
  for (std::size_t phase = 0; phase < phase_count; ++phase) {
    for (Phase& to : table[phase]) to = static_cast<Phase>(phase);
    table[phase][index(CloseInput::give_up)] = Phase::closed;
  }
  for (const Edge& edge : shared_edges) table[index(edge.from)][index(edge.input)] = edge.to;
  table[index(Phase::close_replied)][index(CloseInput::flushed)] =
      client ? Phase::awaiting_eof : Phase::lingering;
  return table;
}

constexpr std::array<std::string_view, phase_count> phase_names = {
    "handshake", "open",         "close_sent",   "close_replied", "failing",
    "lingering", "awaiting_eof", "eof_flushing", "done_flushing", "closed"};
constexpr std::array<std::string_view, close_input_count> input_names = {
    "opened", "local_close", "peer_close", "fail", "flushed", "eof", "give_up"};

}  // namespace

constexpr std::array<CloseRow, phase_count> close_table_server = make_table(false);
constexpr std::array<CloseRow, phase_count> close_table_client = make_table(true);

Phase next_phase(Phase phase, CloseInput input, bool client) noexcept {
  return (client ? close_table_client : close_table_server)[index(phase)][index(input)];
}

std::string_view name(Phase phase) noexcept { return phase_names[index(phase)]; }
std::string_view name(CloseInput input) noexcept { return input_names[index(input)]; }

}  // namespace sansock::detail

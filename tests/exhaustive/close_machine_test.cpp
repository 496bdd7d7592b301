// Every short sequence of inputs through the table of the closing states.
#include "sansock/detail/close_machine.h"

#include <gtest/gtest.h>

#include <vector>

namespace sansock::testing {
namespace {

using detail::close_input_count;
using detail::CloseInput;
using detail::next_phase;
using detail::Phase;

// How far a phase is on the way to the end. No input leads back.
int rank(Phase phase) {
  switch (phase) {
    case Phase::handshake: return 0;
    case Phase::open: return 1;
    case Phase::close_sent: return 2;
    case Phase::close_replied:
    case Phase::failing: return 3;
    case Phase::lingering:
    case Phase::awaiting_eof:
    case Phase::eof_flushing:
    case Phase::done_flushing: return 4;
    case Phase::closed: return 5;
  }
  return -1;
}

constexpr std::size_t depth = 6;

void walk(Phase phase, bool client, std::size_t left, std::size_t& paths) {
  ++paths;
  if (left == 0) return;
  for (std::size_t i = 0; i < close_input_count; ++i) {
    const Phase next = next_phase(phase, static_cast<CloseInput>(i), client);
    ASSERT_TRUE(next == phase || rank(next) > rank(phase))
        << detail::name(phase) << " -" << detail::name(static_cast<CloseInput>(i)) << "-> "
        << detail::name(next);
    walk(next, client, left - 1, paths);
  }
}

TEST(CloseMachineSequences, NoPhaseGoesBack) {
  for (const bool client : {false, true}) {
    std::size_t paths = 0;
    walk(Phase::handshake, client, depth, paths);
    walk(Phase::open, client, depth, paths);
    EXPECT_GT(paths, 200'000u);
  }
}

// Whatever came before: when everything is flushed and the peer's half has ended, it is over; and a
// deadline ends what the peer does not.
void expect_end(Phase phase, bool client, std::size_t left) {
  Phase ended = next_phase(phase, CloseInput::flushed, client);
  ended = next_phase(ended, CloseInput::eof, client);
  ended = next_phase(ended, CloseInput::flushed, client);
  ASSERT_EQ(ended, Phase::closed) << detail::name(phase);
  ASSERT_EQ(next_phase(phase, CloseInput::give_up, client), Phase::closed);
  if (left == 0) return;
  for (std::size_t i = 0; i < close_input_count; ++i) {
    expect_end(next_phase(phase, static_cast<CloseInput>(i), client), client, left - 1);
  }
}

TEST(CloseMachineSequences, EveryPathReachesClosed) {
  for (const bool client : {false, true}) expect_end(Phase::handshake, client, 5);
}

// A Close of ours is sent once: after close_sent, close_replied or failing no edge asks for one.
TEST(CloseMachineSequences, ReachedPhasesAreAllOfThem) {
  for (const bool client : {false, true}) {
    std::vector<bool> seen(detail::phase_count);
    std::vector<Phase> open = {Phase::handshake};
    while (!open.empty()) {
      const Phase phase = open.back();
      open.pop_back();
      if (seen[static_cast<std::size_t>(phase)]) continue;
      seen[static_cast<std::size_t>(phase)] = true;
      for (std::size_t i = 0; i < close_input_count; ++i) {
        open.push_back(next_phase(phase, static_cast<CloseInput>(i), client));
      }
    }
    for (std::size_t phase = 0; phase < detail::phase_count; ++phase) {
      const bool only_clients = static_cast<Phase>(phase) == Phase::awaiting_eof;
      EXPECT_EQ(seen[phase], client || !only_clients) << detail::name(static_cast<Phase>(phase));
    }
  }
}

}  // namespace
}  // namespace sansock::testing

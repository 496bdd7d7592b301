// The table of the closing states, one edge at a time. What sequences of inputs do is in
// exhaustive/close_machine_test.cpp.
#include "sansock/detail/close_machine.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sansock::testing {
namespace {

using detail::close_input_count;
using detail::CloseInput;
using detail::next_phase;
using detail::Phase;
using detail::phase_count;

Phase phase(std::size_t index) { return static_cast<Phase>(index); }
CloseInput input(std::size_t index) { return static_cast<CloseInput>(index); }

TEST(CloseMachine, ClosedIsTheEnd) {
  for (std::size_t i = 0; i < close_input_count; ++i) {
    for (const bool client : {false, true})
      EXPECT_EQ(next_phase(Phase::closed, input(i), client), Phase::closed);
  }
}

TEST(CloseMachine, GivingUpClosesAtOnce) {
  for (std::size_t p = 0; p < phase_count; ++p) {
    for (const bool client : {false, true})
      EXPECT_EQ(next_phase(phase(p), CloseInput::give_up, client), Phase::closed);
  }
}

TEST(CloseMachine, OnlyOpenedOpens) {
  for (std::size_t p = 0; p < phase_count; ++p) {
    for (std::size_t i = 0; i < close_input_count; ++i) {
      for (const bool client : {false, true}) {
        if (next_phase(phase(p), input(i), client) != Phase::open || phase(p) == Phase::open) continue;
        EXPECT_EQ(phase(p), Phase::handshake);
        EXPECT_EQ(input(i), CloseInput::opened);
      }
    }
  }
}

// RFC 6455 section 7.1.1: the server ends the transport first, the client waits for it.
TEST(CloseMachine, RolesDifferOnlyInWhoEndsTheTransport) {
  for (std::size_t p = 0; p < phase_count; ++p) {
    for (std::size_t i = 0; i < close_input_count; ++i) {
      const Phase server = next_phase(phase(p), input(i), false);
      const Phase client = next_phase(phase(p), input(i), true);
      if (phase(p) == Phase::close_replied && input(i) == CloseInput::flushed) {
        EXPECT_EQ(server, Phase::lingering);
        EXPECT_EQ(client, Phase::awaiting_eof);
      } else {
        EXPECT_EQ(server, client);
      }
    }
  }
}

// The end of the peer's half ends every phase, at once or when everything is flushed.
TEST(CloseMachine, EofLeadsToClosed) {
  for (std::size_t p = 0; p < phase_count; ++p) {
    for (const bool client : {false, true}) {
      const Phase after = next_phase(phase(p), CloseInput::eof, client);
      EXPECT_EQ(next_phase(after, CloseInput::flushed, client), Phase::closed) << detail::name(phase(p));
    }
  }
}

TEST(CloseMachine, NamesAreDistinct) {
  std::set<std::string> names;
  for (std::size_t p = 0; p < phase_count; ++p) names.emplace(detail::name(phase(p)));
  EXPECT_EQ(names.size(), phase_count);
  names.clear();
  for (std::size_t i = 0; i < close_input_count; ++i) names.emplace(detail::name(input(i)));
  EXPECT_EQ(names.size(), close_input_count);
}

}  // namespace
}  // namespace sansock::testing

// Prints the tables of detail/close_machine.h as Mermaid state diagrams, one a role.
//
// ARCHITECTURE.md holds the output between two markers; `./dev format` renews it there, and a check
// in tests/lint fails when it is stale. So the picture can not differ from the program.
#include <array>
#include <cstdio>
#include <string>

#include "sansock/detail/close_machine.h"

namespace {

using sansock::detail::close_input_count;
using sansock::detail::CloseInput;
using sansock::detail::name;
using sansock::detail::next_phase;
using sansock::detail::Phase;
using sansock::detail::phase_count;

// Whether an input leads to `to` from wherever one is: a remark says so better than ten arrows.
bool leads_from_everywhere(CloseInput input, Phase to, bool client) {
  for (std::size_t from = 0; from < phase_count; ++from) {
    if (next_phase(static_cast<Phase>(from), input, client) != to) return false;
  }
  return true;
}

// The inputs that lead from one phase to another, "eof, flushed"; empty if none does.
std::string inputs_between(Phase from, Phase to, bool client) {
  std::string inputs;
  for (std::size_t i = 0; i < close_input_count; ++i) {
    const auto input = static_cast<CloseInput>(i);
    if (next_phase(from, input, client) != to || leads_from_everywhere(input, to, client)) continue;
    if (!inputs.empty()) inputs += ", ";
    inputs += name(input);
  }
  return inputs;
}

// Phases that can be reached from the handshake: a role does not use all of them.
std::array<bool, phase_count> reachable_phases(bool client) {
  std::array<bool, phase_count> reached{};
  reached[static_cast<std::size_t>(Phase::handshake)] = true;
  for (bool grown = true; grown;) {
    grown = false;
    for (std::size_t from = 0; from < phase_count; ++from) {
      if (!reached[from]) continue;
      for (std::size_t i = 0; i < close_input_count; ++i) {
        const Phase to = next_phase(static_cast<Phase>(from), static_cast<CloseInput>(i), client);
        bool& reached_to = reached[static_cast<std::size_t>(to)];
        if (!reached_to) grown = reached_to = true;
      }
    }
  }
  return reached;
}

void print_diagram(const char* title, bool client) {
  const std::array<bool, phase_count> reached = reachable_phases(client);
  std::printf("%s:\n\n```mermaid\nstateDiagram-v2\n  [*] --> %s\n", title,
              std::string(name(Phase::handshake)).c_str());
  for (std::size_t from = 0; from < phase_count; ++from) {
    if (!reached[from]) continue;
    for (std::size_t to = 0; to < phase_count; ++to) {
      if (to == from) continue;
      const std::string inputs = inputs_between(static_cast<Phase>(from), static_cast<Phase>(to), client);
      if (inputs.empty()) continue;
      std::printf("  %s --> %s: %s\n", std::string(name(static_cast<Phase>(from))).c_str(),
                  std::string(name(static_cast<Phase>(to))).c_str(), inputs.c_str());
    }
  }
  for (std::size_t i = 0; i < close_input_count; ++i) {
    const auto input = static_cast<CloseInput>(i);
    if (!leads_from_everywhere(input, Phase::closed, client)) continue;
    std::printf("  note right of %s: %s leads here from every phase\n",
                std::string(name(Phase::closed)).c_str(), std::string(name(input)).c_str());
  }
  std::printf("  %s --> [*]\n```\n", std::string(name(Phase::closed)).c_str());
}

}  // namespace

int main() {
  print_diagram("Server", false);
  std::printf("\n");
  print_diagram("Client", true);
  return 0;
}

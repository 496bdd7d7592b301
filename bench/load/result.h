// What a run found, and how it is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "histogram.h"
#include "options.h"

namespace load {

struct ServerUse {
  double cpu_s = 0;
  double user_s = 0;
  double system_s = 0;
  int threads = 0;
};

struct Memory {
  std::uint64_t before_bytes = 0;
  std::uint64_t opened_bytes = 0;
  std::uint64_t used_bytes = 0;  // after a message on each connection
};

struct Result {
  double seconds = 0;
  std::uint64_t messages = 0;
  Histogram latency;                // in nanoseconds
  std::vector<double> client_busy;  // share of a CPU, for each thread
  std::optional<ServerUse> server;
  std::optional<Memory> memory;
};

// "server", "client", "both" or "neither".
std::string bottleneck(const Result& result);

void print_result(const Options& options, const Result& result);
// Throws std::runtime_error if it can not be written.
void write_json(const Options& options, const Result& result);

}  // namespace load

// What a run found, and how it is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "echo_reader.h"
#include "histogram.h"
#include "negotiation.h"
#include "options.h"

namespace load {

struct ServerUse {
  double cpu_s = 0;
  double user_s = 0;
  double system_s = 0;
  double waited_s = 0;
  int threads = 0;
};

struct Memory {
  std::uint64_t before_bytes = 0;
  std::uint64_t opened_bytes = 0;
  std::uint64_t used_bytes = 0;              // after a message on each connection
  std::optional<std::uint64_t> later_bytes;  // after all, where there is more than one
};

struct Result {
  double seconds = 0;
  std::uint64_t messages = 0;
  double begun_at_s = 0;  // the begin of what is measured, in seconds since 1970
  Histogram latency;      // in nanoseconds
  // For each thread, as a share of the time: on a CPU; ready to run while others had the CPU.
  std::vector<double> client_busy;
  std::vector<double> client_waited;
  Negotiated negotiated;
  double sent_bytes_each = 0;  // of frames, before TLS
  Traffic traffic;             // received in all, warm-up included
  std::uint64_t resumed = 0;   // TLS sessions
  std::optional<ServerUse> server;
  std::optional<Memory> memory;
};

// Who was never idle: "server", "client", "both" or "neither". Time in which others had the CPU
// counts as not idle.
std::string bottleneck(const Result& result);

void print_result(const Options& options, const Result& result);
// Throws std::runtime_error if it can not be written.
void write_json(const Options& options, const Result& result);

}  // namespace load

// What the system knows of a process: its CPU time, its memory.
#pragma once

#include <cstdint>

namespace load {

struct CpuTime {
  double user_s = 0;    // to the tick, mostly 10 ms
  double system_s = 0;  // to the tick
  double total_s = 0;   // to the nanosecond where the system has it
};

// Of all threads of a process. Throws std::runtime_error if there is no such process.
CpuTime process_cpu(int pid);
// Resident anonymous memory (heap, stacks, buffers), exact to the page.
std::uint64_t process_anonymous_bytes(int pid);
int process_threads(int pid);

}  // namespace load

// What the system knows of a process: its CPU time, its memory.
#pragma once

#include <cstdint>

namespace load {

struct CpuTime {
  double user_s = 0;    // to the tick, mostly 10 ms
  double system_s = 0;  // to the tick
  double total_s = 0;   // exact where the system keeps schedstat
  double waited_s = 0;  // ready to run, and others had the CPU; 0 where it does not
};

// Of all threads of a process. Throws std::runtime_error if there is no such process.
CpuTime process_cpu(int pid);
// Resident anonymous memory (heap, stacks, buffers), exact to the page.
std::uint64_t process_anonymous_bytes(int pid);
int process_threads(int pid);
// How long a thread of this process was ready to run while others had the CPU.
double thread_waited_s(int thread_id);

}  // namespace load

#include "process.h"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace load {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(fmt::format("can not read {}; is the server alive?", path));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Scheduled {
  double run_s = 0;
  double waited_s = 0;
};

// Zeros where the system keeps none.
Scheduled read_schedstat(const std::filesystem::path& directory) {
  std::ifstream file(directory / "schedstat");
  double run_ns = 0;
  double waited_ns = 0;
  if (!(file >> run_ns >> waited_ns)) return {};
  return {.run_s = run_ns / 1e9, .waited_s = waited_ns / 1e9};
}

// Of all living threads of a process.
Scheduled scheduled(int pid) {
  Scheduled sum;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    const Scheduled one = read_schedstat(task.path());
    sum.run_s += one.run_s;
    sum.waited_s += one.waited_s;
  }
  return sum;
}

// The fields of /proc/PID/stat from the third on: the second, a name, may hold anything.
std::istringstream stat_fields(int pid) {
  const std::string text = read_file(fmt::format("/proc/{}/stat", pid));
  return std::istringstream(text.substr(text.rfind(')') + 1));
}

}  // namespace

CpuTime process_cpu(int pid) {
  std::istringstream fields = stat_fields(pid);
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  CpuTime time{.user_s = user / ticks, .system_s = system / ticks};
  const Scheduled exact = scheduled(pid);
  time.total_s = exact.run_s > 0 ? exact.run_s : time.user_s + time.system_s;
  time.waited_s = exact.waited_s;
  return time;
}

std::uint64_t process_anonymous_bytes(int pid) {
  std::istringstream lines(read_file(fmt::format("/proc/{}/smaps_rollup", pid)));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Anonymous:")) return std::stoull(line.substr(10)) * 1024;
  }
  throw std::runtime_error("smaps_rollup has no line 'Anonymous:'");
}

int process_threads(int pid) {
  std::istringstream fields = stat_fields(pid);
  std::string skipped;
  for (int field = 3; field < 20; ++field) fields >> skipped;
  int threads = 0;
  fields >> threads;
  return threads;
}

double thread_waited_s(int thread_id) {
  return read_schedstat(fmt::format("/proc/self/task/{}", thread_id)).waited_s;
}

}  // namespace load

// The main thread conducts: it waits until all connections are open, lets the warm-up pass, and takes
// all counters and clocks at the beginning and at the end of the time that is measured.
#include "timed_run.h"

#include <fmt/core.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "clock.h"
#include "process.h"
#include "worker.h"

namespace load {
namespace {

// Without any progress for so long, something hangs; only a bound.
constexpr double patience_s = 60;

class Threads {
 public:
  explicit Threads(const Plan& plan) : plan_(plan) {
    const Options& options = plan.options;
    for (std::size_t i = 0; i < options.threads; ++i) {
      workers.push_back(make_worker(plan, shared, i, options.threads));
    }
    for (std::size_t i = 0; i < options.threads; ++i) {
      const int cpu = options.cpus.empty() ? -1 : options.cpus[i % options.cpus.size()];
      threads_.emplace_back([worker = workers[i].get(), cpu] { worker->run(cpu); });
    }
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { stop(); }

  void stop() {
    shared.phase = Phase::stopped;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  std::uint64_t messages() const {
    std::uint64_t sum = 0;
    for (const auto& worker : workers) sum += worker->messages();
    return sum;
  }

  std::vector<double> cpu_s() {
    std::vector<double> times;
    for (std::thread& thread : threads_) {
      clockid_t clock{};
      timespec time{};
      if (pthread_getcpuclockid(thread.native_handle(), &clock) == 0) clock_gettime(clock, &time);
      times.push_back(static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9);
    }
    return times;
  }

  std::vector<double> waited_s() const {
    std::vector<double> times;
    for (const auto& worker : workers) times.push_back(thread_waited_s(worker->thread_id()));
    return times;
  }

  void throw_failure() {
    if (!shared.failed) return;
    const std::lock_guard lock(shared.mutex);
    throw std::runtime_error(shared.error);
  }

  // Until `seconds` have passed and at least one message has come; with a progress line each second.
  void wait(double seconds) {
    const std::uint64_t begin = now_ns();
    const std::uint64_t messages_before = messages();
    std::uint64_t messages_shown = messages_before;
    double shown_s = 0;
    for (;;) {
      throw_failure();
      const double passed_s = static_cast<double>(now_ns() - begin) / 1e9;
      if (passed_s >= seconds && (messages() > messages_before || seconds == 0)) return;
      if (passed_s >= seconds + patience_s) throw std::runtime_error("nothing comes back; the server hangs");
      if (passed_s - shown_s >= 1) {
        const std::uint64_t all = messages();
        fmt::print(stderr, "load: {:.0f} of {:.0f} s, {:.0f}/s\n", passed_s, seconds,
                   static_cast<double>(all - messages_shown) / (passed_s - shown_s));
        messages_shown = all;
        shown_s = passed_s;
      }
      const double rest_s = std::clamp(seconds - passed_s, 0.0005, 0.05);
      std::this_thread::sleep_for(std::chrono::duration<double>(rest_s));
    }
  }

  void wait_until_open() {
    std::size_t opened = 0;
    std::uint64_t progress_at = now_ns();
    while (shared.opened < plan_.options.connections) {
      throw_failure();
      if (shared.opened != opened) {
        opened = shared.opened;
        progress_at = now_ns();
      } else if (static_cast<double>(now_ns() - progress_at) / 1e9 > patience_s) {
        throw std::runtime_error(
            fmt::format("only {} of {} connections could be opened", opened, plan_.options.connections));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  Shared shared;
  std::vector<std::unique_ptr<Worker>> workers;

 private:
  const Plan& plan_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result timed_run(const Plan& plan) {
  const Options& options = plan.options;
  Threads threads(plan);
  threads.wait_until_open();
  threads.shared.phase = Phase::warmup;
  threads.wait(options.warmup_s);

  Result result;
  CpuTime server_before;
  if (options.server_pid != 0) server_before = process_cpu(options.server_pid);
  const std::vector<double> client_before = threads.cpu_s();
  const std::vector<double> waited_before = threads.waited_s();
  // First of all, so that each message that is counted has its latency recorded.
  threads.shared.phase = Phase::measuring;
  const std::uint64_t messages_before = threads.messages();
  const std::uint64_t begin = now_ns();
  const std::chrono::duration<double> begun_at = std::chrono::system_clock::now().time_since_epoch();
  result.begun_at_s = begun_at.count();
  threads.wait(options.seconds);

  result.messages = threads.messages() - messages_before;
  result.seconds = static_cast<double>(now_ns() - begin) / 1e9;
  const std::vector<double> client_after = threads.cpu_s();
  const std::vector<double> waited_after = threads.waited_s();
  if (options.server_pid != 0) {
    const CpuTime after = process_cpu(options.server_pid);
    result.server = ServerUse{.cpu_s = after.total_s - server_before.total_s,
                              .user_s = after.user_s - server_before.user_s,
                              .system_s = after.system_s - server_before.system_s,
                              .waited_s = after.waited_s - server_before.waited_s,
                              .threads = process_threads(options.server_pid)};
  }
  threads.stop();
  threads.throw_failure();
  for (const auto& worker : threads.workers) {
    result.latency.merge(worker->latency());
    result.traffic.add(worker->traffic());
    result.resumed += worker->resumed();
  }
  if (options.tls_resume && result.resumed == 0)
    throw std::runtime_error("the server resumed no TLS session");
  result.sent_bytes_each =
      static_cast<double>(plan.tape.frames.size()) / static_cast<double>(plan.tape.count);
  for (std::size_t i = 0; i < client_after.size(); ++i) {
    result.client_busy.push_back((client_after[i] - client_before[i]) / result.seconds);
    result.client_waited.push_back((waited_after[i] - waited_before[i]) / result.seconds);
  }
  return result;
}

}  // namespace load

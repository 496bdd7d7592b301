// One thread of load: a loop and its share of the connections. What it does with them is the mode's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connection.h"
#include "histogram.h"

namespace load {

enum class Phase { opening, warmup, measuring, stopped };

// Between the threads.
struct Shared {
  std::atomic<Phase> phase = Phase::opening;
  std::atomic<std::size_t> opened = 0;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  std::string error;  // the first one, under the mutex

  void fail(const std::string& what);
};

class Worker : public Handler {
 public:
  // Serves the connections first, first + step, ... of the plan.
  Worker(const Plan& plan, Shared& shared, std::size_t first, std::size_t step);

  // The body of its thread; ends when the phase is `stopped` or anything failed.
  void run(int cpu) noexcept;  // cpu < 0: any

  // 0 before it runs.
  int thread_id() const noexcept { return thread_id_; }
  std::uint64_t messages() const noexcept { return messages_.load(std::memory_order_relaxed); }
  // Of those that ended while the phase was `measuring`; to be read when the thread has ended.
  const Histogram& latency() const noexcept { return latency_; }
  // Of all its connections; to be read when the thread has ended.
  Traffic traffic() const noexcept;
  // TLS sessions that were resumed, of all whose latency was recorded; to be read when the thread has ended.
  std::uint64_t resumed() const noexcept { return resumed_; }

  void opened(Connection& connection, std::uint64_t opening_at, std::uint64_t now) override;

 protected:
  // All connections of all threads are open.
  virtual void begin(std::uint64_t now) = 0;
  // Counts messages of which each took so long.
  void count(std::size_t messages, std::uint64_t latency_ns) noexcept;
  void open_next();
  bool measuring() const noexcept;

  const Plan& plan_;
  std::vector<std::unique_ptr<Connection>> connections_;
  Loop loop_;
  std::uint64_t resumed_ = 0;

 private:
  Shared& shared_;
  std::size_t opening_next_ = 0;
  std::atomic<int> thread_id_ = 0;
  std::atomic<std::uint64_t> messages_ = 0;
  Histogram latency_;
};

// A worker of the mode that the options name; not `idle`.
std::unique_ptr<Worker> make_worker(const Plan& plan, Shared& shared, std::size_t first, std::size_t step);

}  // namespace load

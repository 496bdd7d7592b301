#include "worker.h"

#include <sched.h>
#include <unistd.h>

#include <exception>
#include <stdexcept>

#include "clock.h"

namespace load {
namespace {

// At the same time in the opening handshake: below the backlog of any server.
constexpr std::size_t opening_max = 64;
constexpr int turn_ms = 10;

class EchoWorker : public Worker {
 public:
  using Worker::Worker;

  void received(Connection& connection, std::size_t messages, std::uint64_t now) override {
    for (std::size_t i = 0; i < messages; ++i) count(1, now - connection.take_sent_at());
    connection.send(messages, now);
  }

 protected:
  void begin(std::uint64_t now) override {
    for (const auto& connection : connections_) connection->send(plan_.options.depth, now);
  }
};

// Each connection is opened, reset and opened again. Reset, since the ports of connections that are
// closed in good order stay taken for a minute.
class RateWorker : public Worker {
 public:
  using Worker::Worker;

  void opened(Connection& connection, std::uint64_t opening_at, std::uint64_t now) override {
    if (!begun_) Worker::opened(connection, opening_at, now);
    if (begun_) {
      if (measuring() && connection.tls() != nullptr && connection.tls()->resumed()) ++resumed_;
      count(1, now - opening_at);
      again(connection);
    }
  }
  void received(Connection&, std::size_t, std::uint64_t) override {}

 protected:
  void begin(std::uint64_t) override {
    begun_ = true;
    for (const auto& connection : connections_) again(*connection);
  }

 private:
  void again(Connection& connection) {
    connection.abort();
    loop_.open(connection);
  }

  bool begun_ = false;
};

// The first connection sends `depth` messages; when they have reached all, the next ones follow.
class BroadcastWorker : public Worker {
 public:
  using Worker::Worker;

  void received(Connection&, std::size_t messages, std::uint64_t now) override {
    count(messages, now - burst_at_);
    deliveries_ += messages;
    if (deliveries_ < plan_.options.depth * connections_.size()) return;
    for (std::size_t i = 0; i < plan_.options.depth; ++i) connections_.front()->take_sent_at();
    begin(now);
  }

 protected:
  void begin(std::uint64_t now) override {
    deliveries_ = 0;
    burst_at_ = now;
    connections_.front()->send(plan_.options.depth, now);
  }

 private:
  std::uint64_t burst_at_ = 0;
  std::size_t deliveries_ = 0;
};

void pin(int cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    throw std::runtime_error("can not pin a thread to CPU " + std::to_string(cpu) + "; choose other --cpus");
  }
}

}  // namespace

void Shared::fail(const std::string& what) {
  const std::lock_guard lock(mutex);
  if (error.empty()) error = what;
  failed = true;
}

Worker::Worker(const Plan& plan, Shared& shared, std::size_t first, std::size_t step)
    : plan_(plan), loop_(*this), shared_(shared) {
  for (std::size_t number = first; number < plan.options.connections; number += step) {
    connections_.push_back(std::make_unique<Connection>(plan, number));
  }
}

void Worker::open_next() {
  if (opening_next_ < connections_.size()) loop_.open(*connections_[opening_next_++]);
}

void Worker::opened(Connection&, std::uint64_t, std::uint64_t) {
  shared_.opened.fetch_add(1);
  open_next();
}

bool Worker::measuring() const noexcept {
  return shared_.phase.load(std::memory_order_relaxed) == Phase::measuring;
}

Traffic Worker::traffic() const noexcept {
  Traffic sum;
  for (const auto& connection : connections_) sum.add(connection->traffic());
  return sum;
}

void Worker::count(std::size_t messages, std::uint64_t latency_ns) noexcept {
  // Only this thread writes it, so that no locked addition is needed.
  messages_.store(messages_.load(std::memory_order_relaxed) + messages, std::memory_order_relaxed);
  if (!measuring()) return;
  for (std::size_t i = 0; i < messages; ++i) latency_.record(latency_ns);
}

void Worker::run(int cpu) noexcept {
  try {
    thread_id_ = gettid();
    pin(cpu);
    for (std::size_t i = 0; i < opening_max; ++i) open_next();
    while (shared_.phase == Phase::opening && !shared_.failed) loop_.turn(turn_ms);
    if (!shared_.failed) begin(now_ns());
    while (shared_.phase != Phase::stopped && !shared_.failed) loop_.turn(turn_ms);
  } catch (const std::exception& error) {
    shared_.fail(error.what());
  }
}

std::unique_ptr<Worker> make_worker(const Plan& plan, Shared& shared, std::size_t first, std::size_t step) {
  switch (plan.options.mode) {
    case Mode::rate: return std::make_unique<RateWorker>(plan, shared, first, step);
    case Mode::broadcast: return std::make_unique<BroadcastWorker>(plan, shared, first, step);
    case Mode::echo:
    case Mode::idle: break;
  }
  return std::make_unique<EchoWorker>(plan, shared, first, step);
}

}  // namespace load

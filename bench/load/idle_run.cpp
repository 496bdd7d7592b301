#include "idle_run.h"

#include <fmt/core.h>
#include <time.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "clock.h"
#include "process.h"

namespace load {
namespace {

constexpr std::size_t opening_max = 64;
constexpr double patience_s = 60;  // without any progress; only a bound
constexpr int turn_ms = 10;
// After the first message of each connection: a million of them one by one would take minutes, and what so
// few need at the same time is nothing beside what thousands of connections keep.
constexpr std::size_t later_at_once = 16;

class IdleRun : public Handler {
 public:
  explicit IdleRun(const Plan& plan) : plan_(plan), loop_(*this) {}

  void opened(Connection&, std::uint64_t, std::uint64_t) override { ++opened_; }
  void received(Connection& connection, std::size_t messages, std::uint64_t) override {
    for (std::size_t i = 0; i < messages; ++i) connection.take_sent_at();
    echoed_ += messages;
  }

  // So many connections more, all open at the end.
  void open(std::size_t connections) {
    const std::size_t wanted = connections_.size() + connections;
    wait("open", opened_, wanted, [&] {
      while (connections_.size() < wanted && connections_.size() - opened_ < opening_max) {
        connections_.push_back(std::make_unique<Connection>(plan_, connections_.size()));
        loop_.open(*connections_.back());
      }
    });
  }

  // One message there and back on each, so many at a time: that no two are there at once is what idle means.
  void echo_each(std::size_t at_once = 1) {
    std::size_t sent = 0;
    echoed_ = 0;
    wait("echo", echoed_, connections_.size(), [&] {
      while (sent < connections_.size() && sent - echoed_ < at_once) connections_[sent++]->send(1, now_ns());
    });
  }

  Traffic traffic() const noexcept {
    Traffic sum;
    for (const auto& connection : connections_) sum.add(connection->traffic());
    return sum;
  }

  void hold(double seconds) {
    const std::uint64_t begin = now_ns();
    while (static_cast<double>(now_ns() - begin) / 1e9 < seconds) loop_.turn(turn_ms);
  }

 private:
  // Turns until `count` has reached `wanted`; `more` is called before each turn.
  template <class More>
  void wait(const char* what, const std::size_t& count, std::size_t wanted, More more) {
    std::uint64_t progress_at = now_ns();
    std::uint64_t shown_at = progress_at;
    std::size_t before = count;
    while (count < wanted) {
      more();
      loop_.turn(turn_ms);
      const std::uint64_t now = now_ns();
      if (count != before) progress_at = now;
      before = count;
      if (now - progress_at > static_cast<std::uint64_t>(patience_s * 1e9)) {
        throw std::runtime_error(
            fmt::format("{}: {} of {} connections, and no progress", what, count, wanted));
      }
      if (now - shown_at > 1'000'000'000) {
        fmt::print(stderr, "load: {} {} of {}\n", what, count, wanted);
        shown_at = now;
      }
    }
  }

  const Plan& plan_;
  Loop loop_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::size_t opened_ = 0;
  std::size_t echoed_ = 0;
};

}  // namespace

Result idle_run(const Plan& plan) {
  const Options& options = plan.options;
  IdleRun run(plan);
  // What the server needs once, such as its receive buffer, is not the connections'.
  run.open(1);
  run.echo_each();
  // Idle is who is at rest: some give memory back when a burst is over.
  constexpr double rest_s = 0.5;
  run.hold(rest_s);
  Result result;
  Memory memory;
  memory.before_bytes = process_anonymous_bytes(options.server_pid);
  const std::uint64_t begin = now_ns();
  run.open(options.connections);
  run.hold(rest_s);
  memory.opened_bytes = process_anonymous_bytes(options.server_pid);
  run.echo_each();
  run.hold(rest_s);
  memory.used_bytes = process_anonymous_bytes(options.server_pid);
  if (options.idle_messages > 1) {
    for (std::size_t i = 1; i < options.idle_messages; ++i) run.echo_each(later_at_once);
    run.hold(rest_s);
    memory.later_bytes = process_anonymous_bytes(options.server_pid);
  }
  run.hold(options.seconds);
  result.memory = memory;
  result.messages = options.connections * options.idle_messages;
  result.traffic = run.traffic();
  result.sent_bytes_each =
      static_cast<double>(plan.tape.frames.size()) / static_cast<double>(plan.tape.count);
  result.seconds = static_cast<double>(now_ns() - begin) / 1e9;
  return result;
}

}  // namespace load

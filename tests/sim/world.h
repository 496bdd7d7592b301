// One simulation from its seed to its end: servers and clients, the links between them, what the
// network does to them, and virtual time.
#pragma once

#include <memory>
#include <vector>

#include "adversary.h"
#include "port.h"

namespace sansock::sim {

class World {
 public:
  explicit World(const Knobs& knobs);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  // Runs to the end, or to the first violation.
  void run();

  const Checks& checks() const noexcept { return scene_.checks; }
  const Trace& trace() const noexcept { return scene_.trace; }
  Trace& trace() noexcept { return scene_.trace; }
  const Stats& stats() const noexcept { return scene_.stats; }

 private:
  enum class FaultKind : std::uint8_t { reset, half_open, vanish, cut, stall, sleep };

  // A connection, with all that belongs to it.
  struct Session {
    Session(Scene& scene, unsigned number) : link(scene, number) {}
    Link link;
    Conversation conversation;
    std::unique_ptr<Port> ports[2];
    std::unique_ptr<Adversary> adversary;
    unsigned adversary_side = 0;
  };

  void plan(unsigned number);
  void plan_faults(unsigned number, Instant begin);
  void plan_finish(unsigned number);
  void step();
  void run_timers();
  void run_task(const Task& task);
  void run_port_task(const Task& task, Session& session);
  void begin_session(unsigned number);
  void act(const Task& task, Session& session);
  void broadcast();
  void fault(const Task& task, Session& session);
  void bury(unsigned port);
  void check_blocks();
  void check_end();
  bool all_over() const noexcept;
  Instant end_of_acts() const noexcept { return start + scene_.knobs.duration; }

  Scene scene_;
  TimerQueue timers_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<SharedFrame*> frames_;
  Duration slept_{};
  unsigned steps_at_once_ = 0;
};

}  // namespace sansock::sim

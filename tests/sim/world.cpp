#include "world.h"

#include "sansock/shared_frame.h"
#include "settlement.h"

namespace sansock::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// First one side closes, or both; what is open after this time is closed from both.
constexpr Duration second_finish = seconds(150);
// From there on the deadlines of closing end everything.
constexpr Duration end_bound = seconds(130);
constexpr unsigned steps_at_once_max = 100'000;
constexpr std::uint64_t turns_max = 3'000'000;

}  // namespace

World::World(const Knobs& knobs) : scene_(knobs) {
  timers_.reserve(2 * knobs.links);
  for (unsigned i = 0; i < knobs.links; ++i) {
    sessions_.push_back(std::make_unique<Session>(scene_, i));
    plan(i);
  }
}

World::~World() {
  for (SharedFrame* const frame : frames_) {
    if (scene_.knobs.plant == Plant::frame_kept) frame->release();
    frame->release();
  }
}

// --- what is going to happen ----------------------------------------------------------------------

void World::plan(unsigned number) {
  const Knobs& knobs = scene_.knobs;
  Session& session = *sessions_[number];
  session.conversation.adversary = scene_.prng.chance(knobs.faults.adversary);
  session.adversary_side = static_cast<unsigned>(scene_.prng.below(2));
  // Half of the adversaries speak plain WebSocket to somebody who expects TLS.
  if (knobs.tls && (!session.conversation.adversary || scene_.prng.chance(500))) {
    session.conversation.tls = true;
    session.link.hide_bytes();
  }
  const Instant begin = start + scene_.prng.between(Duration(0), knobs.duration / 2);
  scene_.scheduler.add(begin, TaskKind::connect, 2 * number);
  for (unsigned side = server; side <= client; ++side) {
    const bool adversary = session.conversation.adversary && side == session.adversary_side;
    scene_.scheduler.add(begin + scene_.prng.between(Duration(0), milliseconds(200)),
                         adversary ? TaskKind::intrude : TaskKind::act, 2 * number + side, knobs.acts);
  }
  plan_faults(number, begin);
  plan_finish(number);
}

void World::plan_faults(unsigned number, Instant begin) {
  const Faults& faults = scene_.knobs.faults;
  const std::pair<unsigned, FaultKind> all[] = {
      {faults.reset, FaultKind::reset},   {faults.half_open, FaultKind::half_open},
      {faults.vanish, FaultKind::vanish}, {faults.cut, FaultKind::cut},
      {faults.stall, FaultKind::stall},   {faults.sleep, FaultKind::sleep}};
  for (const auto& [often, kind] : all) {
    const auto port = static_cast<std::uint32_t>(2 * number + scene_.prng.below(2));
    const Instant at = begin + scene_.prng.between(Duration(0), end_of_acts() - begin + seconds(1));
    if (scene_.prng.chance(often)) {
      scene_.scheduler.add(at, TaskKind::fault, port, static_cast<std::uint32_t>(kind));
    }
  }
}

void World::plan_finish(unsigned number) {
  const Closers closers = scene_.knobs.closers;
  for (unsigned side = server; side <= client; ++side) {
    const bool first = closers == Closers::both || (closers == Closers::servers) == (side == server);
    const Instant at = end_of_acts() + scene_.prng.between(Duration(0), milliseconds(100));
    if (first) scene_.scheduler.add(at, TaskKind::finish, 2 * number + side);
    scene_.scheduler.add(at + second_finish, TaskKind::finish, 2 * number + side);
  }
}

// --- time -----------------------------------------------------------------------------------------

void World::run() {
  scene_.stats.seeds = 1;
  try {
    while (!scene_.checks.failed() && !all_over()) step();
  } catch (const Livelock&) {
  }
  if (!scene_.checks.failed()) check_end();
  scene_.stats.simulated = static_cast<std::uint64_t>((scene_.now - start).count());
}

bool World::all_over() const noexcept {
  for (const auto& session : sessions_) {
    if (session->ports[server] != nullptr || session->ports[client] != nullptr) return false;
  }
  // Those that have not begun yet still will.
  return scene_.now > end_of_acts();
}

void World::step() {
  const Instant next = std::min(scene_.scheduler.next(), timers_.next());
  if (next == never)
    return scene_.checks.fail("deadlock", "connections are open, and nothing is going to happen");
  if (next > end_of_acts() + second_finish + end_bound + slept_) {
    return scene_.checks.fail("quiescence", "connections are open after all deadlines");
  }
  steps_at_once_ = next > scene_.now ? 0 : steps_at_once_ + 1;
  if (steps_at_once_ > steps_at_once_max || ++scene_.stats.turns > turns_max) {
    return scene_.checks.fail("livelock", "too much happens, and time does not go on");
  }
  scene_.now = std::max(scene_.now, next);
  // What is due at the same time may happen in any order.
  const bool timer_due = timers_.next() <= scene_.now;
  if (timer_due && (scene_.scheduler.next() > scene_.now || scene_.prng.chance(500))) {
    run_timers();
  } else {
    run_task(scene_.scheduler.pop());
  }
  if (scene_.stats.turns % 16 == 0) check_blocks();
}

void World::run_timers() {
  const std::optional<std::uint32_t> due = timers_.pop_due(scene_.now);
  if (!due) return;
  sessions_[*due / 2]->ports[*due % 2]->on_timer();
  bury(*due);
}

void World::run_task(const Task& task) {
  Session& session = *sessions_[task.port / 2];
  const unsigned side = task.port % 2;
  switch (task.kind) {
    case TaskKind::connect: return begin_session(task.port / 2);
    case TaskKind::arrival: return session.link.on_arrival(side);
    case TaskKind::room: return session.link.on_room(side);
    case TaskKind::reset: return session.link.on_reset(side);
    case TaskKind::fault: return fault(task, session);
    case TaskKind::act: return act(task, session);
    case TaskKind::intrude:
      if (session.adversary->act() && task.detail > 1) {
        const Duration wait =
            scene_.prng.between(Duration(0), scene_.knobs.duration / (scene_.knobs.acts + 1) * 2);
        scene_.scheduler.add(scene_.now + wait, TaskKind::intrude, task.port, task.detail - 1);
      }
      return;
    default: return run_port_task(task, session);
  }
}

void World::run_port_task(const Task& task, Session& session) {
  const unsigned side = task.port % 2;
  if (session.adversary != nullptr && side == session.adversary_side) {
    if (task.kind == TaskKind::turn) session.adversary->turn();
    if (task.kind == TaskKind::finish) session.adversary->leave();
    return;
  }
  if (session.ports[side] == nullptr) return;
  Port& port = *session.ports[side];
  switch (task.kind) {
    case TaskKind::turn: port.turn(task.detail == 1); break;
    case TaskKind::written: port.on_written(); break;
    case TaskKind::answer: port.answer(); break;
    case TaskKind::resume: port.resume(); break;
    case TaskKind::finish: port.finish(); break;
    default: break;
  }
  bury(task.port);
}

// --- connections ----------------------------------------------------------------------------------

void World::begin_session(unsigned number) {
  Session& session = *sessions_[number];
  ++scene_.stats.connections;
  scene_.note(2 * number, "connect");
  for (unsigned side = server; side <= client; ++side) {
    const unsigned port = 2 * number + side;
    if (session.conversation.adversary && side == session.adversary_side) {
      session.adversary = std::make_unique<Adversary>(scene_, port, session.link);
    } else {
      session.ports[side] = std::make_unique<Port>(scene_, port, session.link, session.conversation, timers_);
    }
  }
  if (session.adversary != nullptr) session.adversary->connect();
  for (unsigned side = server; side <= client; ++side) {
    if (session.ports[side] != nullptr) session.ports[side]->connect();
    bury(2 * number + side);
  }
}

// Gives a port free whose transport was released.
void World::bury(unsigned port) {
  std::unique_ptr<Port>& place = sessions_[port / 2]->ports[port % 2];
  if (place != nullptr && place->over()) place.reset();
}

void World::act(const Task& task, Session& session) {
  std::unique_ptr<Port>& port = session.ports[task.port % 2];
  if (port == nullptr || scene_.now >= end_of_acts()) return;
  if (task.port % 2 == server && scene_.prng.chance(10 * scene_.knobs.actions.broadcast)) {
    broadcast();
  } else {
    port->act();
    bury(task.port);
  }
  if (task.detail <= 1) return;
  const Duration wait = scene_.prng.between(Duration(0), scene_.knobs.duration / (scene_.knobs.acts + 1) * 2);
  scene_.scheduler.add(scene_.now + wait, TaskKind::act, task.port, task.detail - 1);
}

// One frame, encoded once, to the clients of all servers; where they have agreed on compression, one that was
// compressed for the smallest of windows, if it shrinks.
void World::broadcast() {
  const Piece piece = Sender::draw_piece(scene_.prng, scene_.knobs);
  const ConstBytes payload = payload_bytes(piece, 0, piece.size);
  SharedFrame* const frame = make_shared_frame(piece.type, payload);
  SharedFrame* small = nullptr;
  Host& servers = scene_.host(server);
  if (servers.config.codec != nullptr) {
    small = make_shared_frame(piece.type, payload, *servers.config.codec, servers.config.deflate, 8);
    if (small != nullptr) frames_.push_back(small);
  }
  for (unsigned i = 0; i < sessions_.size(); ++i) {
    if (sessions_[i]->ports[server] == nullptr) continue;
    Port& port = *sessions_[i]->ports[server];
    port.broadcast(small != nullptr && port.endpoint().deflate() ? *small : *frame, piece);
    bury(2 * i + server);
  }
  frames_.push_back(frame);
  if (scene_.knobs.plant == Plant::frame_kept) frame->retain();
}

void World::fault(const Task& task, Session& session) {
  ++scene_.stats.faults;
  switch (static_cast<FaultKind>(task.detail)) {
    case FaultKind::reset: return session.link.reset();
    case FaultKind::half_open: return session.link.go_dark();
    case FaultKind::cut: return session.link.cut(task.port % 2);
    case FaultKind::stall:
      return session.link.stall(scene_.now + scene_.prng.between(milliseconds(1), seconds(5)));
    case FaultKind::sleep: {
      const Duration time = scene_.prng.between(Duration(milliseconds(1)), seconds(40));
      scene_.note(Trace::no_port, "sleep", static_cast<std::uint64_t>(time.count()));
      scene_.now += time;
      slept_ += time;
      return;
    }
    case FaultKind::vanish:
      if (session.ports[task.port % 2] == nullptr) return;
      session.link.go_dark();
      session.conversation.endings[task.port % 2].vanished = true;
      session.ports[task.port % 2].reset();
      return;
  }
}

// --- the checks of the whole ----------------------------------------------------------------------

// Where no output is queued, a connection holds one block at most: for an opening handshake, or for a
// control frame that was cut.
void World::check_blocks() {
  for (unsigned side = server; side <= client; ++side) {
    std::size_t live = 0;
    std::size_t output = 0;
    for (const auto& session : sessions_) {
      if (session->ports[side] == nullptr) continue;
      ++live;
      output += session->ports[side]->endpoint().output_size() + session->ports[side]->ciphertext();
    }
    const std::size_t held = scene_.host(side).pool.in_use();
    if (output == 0 && held > live) {
      scene_.checks.fail("blocks", std::to_string(held) + " blocks are held by " + std::to_string(live) +
                                       " connections without output");
    }
  }
}

void World::check_end() {
  for (unsigned side = server; side <= client; ++side) {
    Host& host = scene_.host(side);
    if (host.pool.in_use() != 0) {
      scene_.checks.fail("blocks", std::to_string(host.pool.in_use()) + " blocks have not come back");
    }
    if (host.memory.in_use() != 0) {
      scene_.checks.fail("memory",
                         std::to_string(host.memory.in_use()) + " bytes for messages have not come back");
    }
    if (const std::string left = host.codec.left(); !left.empty()) scene_.checks.fail("memory", left);
  }
  for (const SharedFrame* const frame : frames_) {
    if (frame->references != 1) scene_.checks.fail("frames", "a shared frame is still in use");
  }
  if (timers_.size() != 0) scene_.checks.fail("deadlines", "a deadline is left after the end");
  for (unsigned i = 0; i < sessions_.size(); ++i) {
    settle(scene_, sessions_[i]->conversation, sessions_[i]->link, i);
  }
}

}  // namespace sansock::sim

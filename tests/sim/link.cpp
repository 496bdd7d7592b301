#include "link.h"

#include <algorithm>

namespace sansock::sim {

Link::Link(Scene& scene, unsigned number)
    : scene_(&scene),
      number_(number),
      prng_(scene.prng.fork()),
      wires_{Wire(scene.knobs.network.window), Wire(scene.knobs.network.window)} {}

Instant Link::arrival_time(std::size_t size) {
  const Network& network = scene_->knobs.network;
  const std::uint64_t transfer = size * 1'000'000'000ull / network.bandwidth;
  return scene_->now + prng_.between(network.latency_min, network.latency_max) +
         Duration(static_cast<Duration::rep>(transfer));
}

void Link::wake(unsigned side) {
  if (released_[side]) return;
  const Duration delay = prng_.between(Duration(0), scene_->knobs.network.turn_delay_max);
  scene_->scheduler.add(scene_->now + delay, TaskKind::turn, port(side));
}

std::optional<std::size_t> Link::write(unsigned side, ConstBytes bytes) {
  if (failed_[side]) return std::nullopt;
  Wire& wire = wires_[side];
  std::size_t size = std::min(bytes.size(), wire.room());
  if (prng_.chance(scene_->knobs.network.write_short)) size = prng_.between(0, size);
  if (size < bytes.size()) {
    waits_[side] = true;
    // Otherwise the reader makes room.
    if (wire.room() > size) {
      scene_->scheduler.add(arrival_time(0), TaskKind::room, port(side));
    }
  }
  if (size == 0) return 0;
  scene_->note(port(side), "written", size, bytes.size());
  if (!hidden_) scene_->trace.bytes(bytes.first(size));
  if (cut_[side]) {
    send_reset(side);
    return size;
  }
  if (released_[1 - side]) {
    send_reset(side);
    return size;
  }
  const Instant at = arrival_time(size);
  if (scene_->knobs.plant != Plant::none && prng_.chance(20)) {
    plant(wire, bytes.first(size), at, 1 - side);
  } else {
    wire.push(bytes.first(size), at);
  }
  if (!dark_) scene_->scheduler.add(wire.newest(), TaskKind::arrival, port(1 - side));
  return size;
}

// What a wire must never do, for the tests of the simulator.
void Link::plant(Wire& wire, ConstBytes bytes, Instant at, unsigned reader) {
  const Plant what = scene_->knobs.plant;
  if (what != Plant::bytes_lost) wire.push(bytes, at);
  if (what == Plant::bytes_duplicated) wire.push(bytes, at);
  if (what == Plant::bytes_reordered) wire.swap_newest();
  scene_->note(port(reader), "planted", static_cast<std::uint64_t>(what));
}

bool Link::writable(unsigned side) const noexcept { return failed_[side] || !waits_[side]; }

void Link::read(unsigned side, Bytes out) {
  from(side).read(out);
  const unsigned writer = 1 - side;
  if (waits_[writer]) scene_->scheduler.add(arrival_time(0), TaskKind::room, port(writer));
}

void Link::finish(unsigned side) {
  if (wires_[side].end_sent() || failed_[side]) return;
  scene_->note(port(side), "finish");
  wires_[side].push_end(arrival_time(0));
  if (!dark_) scene_->scheduler.add(wires_[side].newest(), TaskKind::arrival, port(1 - side));
}

void Link::close(unsigned side) {
  const bool unread = readable(side) != 0;
  scene_->note(port(side), "release", unread ? 1 : 0);
  released_[side] = true;
  if (failed_[side]) return;
  if (unread) {
    send_reset(1 - side);
  } else {
    finish(side);
  }
}

void Link::send_reset(unsigned to) {
  if (dark_ || failed_[to]) return;
  const Instant at = std::max(arrival_time(0), wires_[1 - to].newest());
  scene_->scheduler.add(at, TaskKind::reset, port(to));
}

void Link::on_reset(unsigned side) {
  if (failed_[side] || dark_) return;
  failed_[side] = true;
  scene_->note(port(side), "reset");
  wires_[side].lose_flight();
  // Some systems let the reader have what had arrived, others do not.
  if (prng_.chance(500)) {
    from(side).lose_flight();
  } else {
    from(side).lose_all();
  }
  wake(side);
}

void Link::reset() {
  faulted_ = true;
  on_reset(server);
  on_reset(client);
}

void Link::go_dark() {
  scene_->note(port(server), "dark");
  dark_ = true;
  faulted_ = true;
}

void Link::cut(unsigned side) {
  if (cut_[side]) return;
  scene_->note(port(side), "cut");
  finish(side);
  cut_[side] = true;
  faulted_ = true;
}

void Link::stall(Instant until) {
  scene_->note(port(server), "stall", static_cast<std::uint64_t>((until - scene_->now).count()));
  stalled_until_ = std::max(stalled_until_, until);
  faulted_ = true;
}

void Link::on_arrival(unsigned reader) {
  if (dark_) return;
  if (scene_->now < stalled_until_) {
    scene_->scheduler.add(stalled_until_, TaskKind::arrival, port(reader));
    return;
  }
  if (failed_[reader] || !from(reader).mature(scene_->now)) return;
  if (released_[reader]) {
    // Nobody is there to read it.
    if (from(reader).readable() != 0) send_reset(1 - reader);
    return;
  }
  wake(reader);
}

void Link::on_room(unsigned writer) {
  if (dark_ || !waits_[writer]) return;
  if (scene_->now < stalled_until_) {
    scene_->scheduler.add(stalled_until_, TaskKind::room, port(writer));
    return;
  }
  if (wires_[writer].room() == 0) return;
  waits_[writer] = false;
  if (scene_->knobs.plant != Plant::wake_lost) wake(writer);
}

}  // namespace sansock::sim

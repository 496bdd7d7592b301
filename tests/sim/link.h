// A transport between a server and a client, as TCP gives it: each direction in order and without
// loss, or not at all. The sides are numbered as in Scene.
#pragma once

#include <array>
#include <optional>

#include "scene.h"
#include "wire.h"

namespace sansock::sim {

class Link {
 public:
  Link(Scene& scene, unsigned number);

  // --- what a side may do with its end ------------------------------------------------------------
  // How many bytes were taken, at most all; nullopt: the transport has failed.
  std::optional<std::size_t> write(unsigned side, ConstBytes bytes);
  // After a short write: whether it is worth to try again.
  bool writable(unsigned side) const noexcept;
  // Bytes that can be read at once.
  std::size_t readable(unsigned side) const noexcept { return from(side).readable(); }
  void read(unsigned side, Bytes out);
  bool ended(unsigned side) const noexcept { return from(side).ended(); }
  // Nothing comes any more and nothing can be sent; what has arrived may still be read.
  bool failed(unsigned side) const noexcept { return failed_[side]; }
  void finish(unsigned side);
  // Releases the transport. What was not read makes it a reset, as with TCP.
  void close(unsigned side);

  // What is written is random, and does not count for the trace.
  void hide_bytes() noexcept { hidden_ = true; }
  bool hidden() const noexcept { return hidden_; }

  // --- faults -------------------------------------------------------------------------------------
  void reset();
  void go_dark();
  void cut(unsigned side);
  void stall(Instant until);
  // Whether anything of this happened.
  bool faulted() const noexcept { return faulted_; }
  bool dark() const noexcept { return dark_; }

  // --- tasks of the scheduler ---------------------------------------------------------------------
  void on_arrival(unsigned reader);
  void on_room(unsigned writer);
  void on_reset(unsigned side);

 private:
  Wire& from(unsigned reader) noexcept { return wires_[1 - reader]; }
  const Wire& from(unsigned reader) const noexcept { return wires_[1 - reader]; }
  unsigned port(unsigned side) const noexcept { return 2 * number_ + side; }
  Instant arrival_time(std::size_t size);
  void wake(unsigned side);
  void send_reset(unsigned to);
  void plant(Wire& wire, ConstBytes bytes, Instant at, unsigned reader);

  Scene* scene_;
  unsigned number_;
  Prng prng_;
  std::array<Wire, 2> wires_;  // by the side that writes
  std::array<bool, 2> waits_{};
  std::array<bool, 2> failed_{};
  std::array<bool, 2> released_{};
  std::array<bool, 2> cut_{};  // what this side writes is thrown away
  Instant stalled_until_ = start;
  bool dark_ = false;
  bool faulted_ = false;
  bool hidden_ = false;
};

}  // namespace sansock::sim

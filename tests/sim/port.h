// One end of a link, as an adapter has it: a driver, TLS or a stash, deadlines, short writes. The same
// steps as in the adapters' Channel, over a simulated transport.
#pragma once

#include <optional>
#include <vector>

#include "application.h"
#include "link.h"
#include "sansock/detail/link.h"
#include "sansock/timer_queue.h"
#include "stopwatch.h"
#include "watched_engine.h"

namespace sansock::sim {

class Port {
 public:
  Port(Scene& scene, unsigned number, Link& link, Conversation& conversation, TimerQueue& timers);
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port();

  // --- tasks of the scheduler -----------------------------------------------------------------------
  void connect();
  // The transport may have something; `own` for a turn that was scheduled here.
  void turn(bool own);
  void on_written();
  void on_timer();
  void act();
  void answer();
  void resume();
  void finish();
  void broadcast(SharedFrame& frame, const Piece& piece);

  // The transport was released; nothing is to be done any more.
  bool over() const noexcept { return over_; }
  const Endpoint& endpoint() const noexcept { return stack_.endpoint(); }
  // With TLS: what is encrypted and has not left.
  std::size_t ciphertext() const noexcept { return tls_ == nullptr ? 0 : stack_.output_size(); }
  // When the transport stops taking output for too long.
  Instant stall_deadline() const noexcept;

 private:
  unsigned side() const noexcept { return number_ % 2; }
  void complain(const char* checker, const std::string& text);
  using Stack = detail::Link<Application>;
  Stack& begin() noexcept;
  void go_on(Interest interest);
  void check(const Interest& interest);
  void check_write(const Interest& interest);
  void check_lingering(const Interest& interest);
  void check_end_of_input();
  void observe();
  void check_deadline(const Interest& interest);
  Interest take(Bytes input);
  Interest take_stash();
  Interest after_input(Interest interest);
  Interest take_end();
  Interest take_arrived(std::size_t size_max);
  std::size_t gather();
  void count_written(std::size_t written);
  void begin_write();
  bool write(Interest& interest);
  Interest on_write_failure(Interest interest);
  Interest fail(errc cause);
  void schedule_turn();
  void end();

  Scene* scene_;
  Link* link_;
  Conversation* conversation_;
  TimerQueue* timers_;
  Prng prng_;
  unsigned number_;
  Stack stack_;
  WatchedEngine* tls_ = nullptr;  // null: there is none
  Stopwatch stopwatch_;
  std::vector<std::byte> offered_;  // what a late write was begun with
  std::vector<IoSlice> slices_;     // and where it lies
  Instant progress_at_ = never;
  Instant lingering_from_ = never;  // the endpoint has ended, TLS has still something to say
  bool wants_read_ = false;
  bool blocked_ = false;
  bool writing_ = false;
  bool shut_ = false;
  bool cut_off_ = false;  // the transport has ended without close_notify before the endpoint had
  bool over_ = false;
  bool turn_scheduled_ = false;
};

}  // namespace sansock::sim

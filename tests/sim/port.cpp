#include "port.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace sansock::sim {

namespace {

constexpr int writes_max = 16;      // of one turn
constexpr int last_reads_max = 64;  // of what the peer sent before the transport failed
constexpr std::size_t slack = 2 * (14 + control_payload_max);  // control frames beyond the limit

}  // namespace

Port::Port(Scene& scene, unsigned number, Link& link, Conversation& conversation, TimerQueue& timers)
    : scene_(&scene),
      link_(&link),
      conversation_(&conversation),
      timers_(&timers),
      prng_(scene.prng.fork()),
      number_(number),
      driver_(number % 2 == server ? Role::server : Role::client, scene.host(number % 2).config, scene,
              number, conversation),
      stopwatch_(scene.now) {
  conversation.endings[side()].begun = true;
}

Port::~Port() { timers_->remove(number_); }

void Port::complain(const char* checker, const std::string& text) {
  scene_->checks.fail(checker, number_, text);
}

// Each input starts here.
Driver<Application>& Port::begin() noexcept {
  driver_.handler().begin_input();
  return driver_;
}

// --- tasks ----------------------------------------------------------------------------------------

void Port::connect() {
  if (side() == client) driver_.handler().connect(driver_.endpoint());
  go_on(begin().on_timeout(scene_->now));
}

void Port::turn(bool own) {
  observe();
  if (own) turn_scheduled_ = false;
  if (scene_->knobs.plant == Plant::turn_repeated)
    scene_->scheduler.add(scene_->now, TaskKind::turn, number_);
  if (blocked_ && link_->writable(side())) {
    blocked_ = false;
    go_on(begin().resume(scene_->now));
    if (over_) return;
  }
  if (!wants_read_) {
    if (link_->failed(side())) go_on(fail(errc::transport_error));
    return;
  }
  if (link_->readable(side()) != 0) {
    go_on(take_arrived(scene_->knobs.network.read_max));
  } else if (link_->ended(side())) {
    scene_->note(number_, "eof");
    const bool queued = driver_.endpoint().output_size() != 0;
    const Interest interest = begin().on_eof(scene_->now);
    if (queued && interest.close && !conversation_->endings[side()].dropped) {
      complain("delivery", "what was accepted is thrown away, although only the other direction has ended");
    }
    if (interest.read) complain("interest", "reading is wanted after the end of the stream");
    go_on(interest);
  } else if (link_->failed(side())) {
    go_on(fail(errc::transport_error));
  }
}

void Port::on_timer() {
  observe();
  if (blocked_ && stall_deadline() <= scene_->now) return go_on(fail(errc::output_stall_timeout));
  scene_->note(number_, "timer");
  go_on(begin().on_timeout(scene_->now));
}

void Port::act() {
  observe();
  if (driver_.handler().act(driver_.endpoint()) == Verdict::drop) return go_on(fail(errc::aborted));
  go_on(begin().on_timeout(scene_->now));
}

void Port::answer() {
  observe();
  driver_.handler().answer(driver_.endpoint());
  go_on(begin().on_timeout(scene_->now));
}

void Port::resume() {
  observe();
  scene_->note(number_, "resume");
  if (driver_.endpoint().input_paused()) stopwatch_.restart(scene_->now);
  driver_.resume_reading();
  go_on(begin().resume(scene_->now));
}

void Port::finish() {
  observe();
  driver_.handler().finish(driver_.endpoint());
  go_on(begin().on_timeout(scene_->now));
}

void Port::broadcast(SharedFrame& frame, const Piece& piece) {
  observe();
  driver_.handler().broadcast(driver_.endpoint(), frame, piece);
  go_on(begin().on_timeout(scene_->now));
}

// --- what follows from an input -------------------------------------------------------------------

// Does what is possible without waiting, and arranges to be called again.
void Port::go_on(Interest interest) {
  for (int writes = 0;;) {
    if (scene_->checks.failed()) return;
    check(interest);
    if (interest.close) return end();
    if (interest.write && !blocked_ && !writing_) {
      if (++writes > writes_max) {
        schedule_turn();
        blocked_ = true;  // as for a socket that is writable: the next turn goes on
        break;
      }
      if (scene_->knobs.network.writes_late) {
        begin_write();
      } else if (!write(interest)) {
        interest = on_write_failure(interest);
      }
      continue;
    }
    if (interest.shutdown_write && !shut_) {
      link_->finish(side());
      shut_ = true;
    }
    if (!interest.read || stash_.empty()) break;
    interest = take_stash();
  }
  if (!interest.write) blocked_ = false;
  if (!blocked_) progress_at_ = never;
  wants_read_ = interest.read && stash_.empty();
  if (scene_->knobs.plant != Plant::timers_ignored) {
    timers_->set(number_, std::min(interest.deadline, stall_deadline()));
  }
  const bool something = link_->readable(side()) != 0 || link_->ended(side()) || link_->failed(side());
  if (wants_read_ && something) schedule_turn();
}

void Port::schedule_turn() {
  if (turn_scheduled_) return;
  turn_scheduled_ = true;
  const Duration busy = prng_.between(Duration(0), scene_->knobs.network.turn_delay_max);
  scene_->scheduler.add(scene_->now + busy, TaskKind::turn, number_, 1);
}

// What Interest says must be what the endpoint says, and must make sense.
void Port::check(const Interest& interest) {
  const Endpoint& endpoint = driver_.endpoint();
  const Limits& limits = endpoint.config().limits;
  if (interest.close != (endpoint.state() == ReadyState::closed)) {
    complain("interest", "the transport is to be released before the end, or kept behind it");
  }
  if (interest.write != (endpoint.output_size() != 0))
    complain("interest", "write does not match the output");
  const bool planted = scene_->knobs.plant == Plant::interest_wrong;
  if ((interest.read || planted) && endpoint.input_paused())
    complain("interest", "reading is wanted while it is paused");
  if (interest.shutdown_write && interest.write) complain("interest", "a shutdown before all is flushed");
  if (shut_ && interest.write) complain("interest", "output behind the shutdown");
  std::size_t output = endpoint.output_size();
  if (scene_->knobs.plant == Plant::output_unbounded && output != 0) output += limits.output_bytes_max;
  if (output > std::size_t{limits.output_bytes_max} + limits.pong_bytes_max + slack) {
    complain("limits", std::to_string(output) + " bytes of output are over the limit");
  }
  check_deadline(interest);
  if (conversation_->endings[side()].restarted_at == scene_->now) stopwatch_.restart(scene_->now);
  const std::string wrong = stopwatch_.check(endpoint, scene_->now);
  if (!wrong.empty()) complain("deadlines", wrong);
}

// At the head of each task, before it changes anything.
void Port::observe() {
  // A timer queue rounds up to milliseconds; a machine that sleeps is late by any time, and without a
  // block there is no Ping.
  const bool exact = scene_->knobs.faults.sleep == 0 && !scene_->knobs.blocks_scarce;
  const Duration late = exact ? Duration(std::chrono::milliseconds(2)) : Duration(std::chrono::hours(1));
  const std::string wrong = stopwatch_.check_silence(driver_.endpoint(), scene_->now, late);
  if (!wrong.empty()) complain("deadlines", wrong);
}

void Port::check_deadline(const Interest& interest) {
  Instant deadline = interest.deadline;
  if (scene_->knobs.plant == Plant::deadline_past && prng_.chance(50)) deadline = scene_->now;
  if (interest.close) {
    if (deadline != never) complain("deadlines", "a deadline behind the end");
    return;
  }
  // Where reading was paused within an input, the driver asks for a call behind it.
  const bool asks = driver_.endpoint().input_paused();
  if (deadline <= scene_->now && !asks) complain("deadlines", "the deadline is in the past");
}

// --- reading --------------------------------------------------------------------------------------

Interest Port::take_arrived(std::size_t size_max) {
  const std::size_t size = prng_.between(1, std::min(size_max, link_->readable(side())));
  const std::unique_ptr<std::byte[]> memory(new std::byte[size]);
  const Bytes input(memory.get(), size);
  link_->read(side(), input);
  scene_->note(number_, "read", size);
  const Interest interest = take(input);
  // Nothing of it may be needed any more.
  std::memset(memory.get(), 0xDD, size);
  return interest;
}

Interest Port::take(Bytes input) {
  stopwatch_.heard(scene_->now);
  const Interest interest = begin().on_bytes(input, scene_->now);
  const Bytes rest = driver_.detach_input();
  if (!rest.empty() && !driver_.endpoint().input_paused()) {
    complain("interest", "input was left over although reading is not paused");
  }
  stash_.assign(rest.begin(), rest.end());
  return interest;
}

Interest Port::take_stash() {
  std::vector<std::byte> input = std::move(stash_);
  stash_.clear();
  scene_->note(number_, "stash", input.size());
  return take(input);
}

// --- writing --------------------------------------------------------------------------------------

std::size_t Port::gather() {
  slices_.resize(prng_.pick<std::size_t>({1, 2, 5, 64}));
  slices_.resize(driver_.gather(slices_));
  offered_.clear();
  for (const IoSlice& slice : slices_) {
    const auto* const base = static_cast<const std::byte*>(slice.base);
    offered_.insert(offered_.end(), base, base + slice.size);
  }
  if (offered_.empty() || offered_.size() > driver_.endpoint().output_size()) {
    complain("output", "gather() gives " + std::to_string(offered_.size()) + " of " +
                           std::to_string(driver_.endpoint().output_size()) + " bytes");
  }
  return offered_.size();
}

void Port::begin_write() {
  gather();
  writing_ = true;
  const Duration wait = prng_.between(Duration(0), std::chrono::milliseconds(2));
  scene_->scheduler.add(scene_->now + wait, TaskKind::written, number_);
}

// A late write is complete: what was offered must still lie where it lay.
void Port::on_written() {
  observe();
  writing_ = false;
  if (scene_->knobs.plant == Plant::output_changed) offered_.back() ^= std::byte{1};
  const std::byte* expected = offered_.data();
  for (const IoSlice& slice : slices_) {
    if (std::memcmp(expected, slice.base, slice.size) != 0) {
      return complain("output", "offered output was changed before it was consumed");
    }
    expected += slice.size;
  }
  const std::optional<std::size_t> taken = link_->write(side(), offered_);
  if (!taken) return go_on(on_write_failure(begin().resume(scene_->now)));
  blocked_ = *taken < offered_.size();
  if (blocked_ && (*taken != 0 || progress_at_ == never)) progress_at_ = scene_->now;
  conversation_->endings[side()].consumed += *taken;
  go_on(begin().on_written(*taken, scene_->now));
}

bool Port::write(Interest& interest) {
  gather();
  const std::optional<std::size_t> taken = link_->write(side(), offered_);
  if (!taken) return false;
  blocked_ = *taken < offered_.size();
  if (blocked_ && (*taken != 0 || progress_at_ == never)) progress_at_ = scene_->now;
  conversation_->endings[side()].consumed += *taken;
  interest = begin().on_written(*taken, scene_->now);
  return true;
}

// The peer is gone, but what it sent before may still be here.
Interest Port::on_write_failure(Interest interest) {
  if (interest.read && !stash_.empty()) interest = take_stash();
  for (int i = 0; i < last_reads_max && interest.read && !interest.close; ++i) {
    if (link_->readable(side()) == 0) break;
    interest = take_arrived(4'096);
  }
  return interest.close ? interest : fail(errc::transport_error);
}

Interest Port::fail(errc cause) {
  scene_->note(number_, "fail", static_cast<std::uint64_t>(cause));
  const Interest interest = begin().on_failure(cause, scene_->now);
  if (!interest.close) complain("interest", "a failed transport is not released");
  return interest;
}

Instant Port::stall_deadline() const noexcept {
  if (!blocked_ || progress_at_ == never) return never;
  return progress_at_ + scene_->knobs.network.stall_timeout;
}

// --- the end --------------------------------------------------------------------------------------

void Port::end() {
  if (writing_) {
    // A completion that comes after the end is of no consequence.
    const Interest late = begin().on_written(prng_.below(offered_.size() + 1), scene_->now);
    if (!late.close || late.write || late.read)
      complain("interest", "a late completion revives a connection");
  }
  over_ = true;
  timers_->remove(number_);
  link_->close(side());
}

}  // namespace sansock::sim

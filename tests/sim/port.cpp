#include "port.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace sansock::sim {

namespace {

constexpr int writes_max = 16;      // of one turn
constexpr int last_reads_max = 64;  // of what the peer sent before the transport failed
constexpr std::size_t slack = 2 * (14 + control_payload_max);  // control frames beyond the limit
// What TLS may have encrypted and not sent: a flight, or a handshake.
constexpr std::size_t ciphertext_max = 300'000;
// How long TLS may go on behind the end, and how late a timer queue may be.
constexpr Duration lingering_max = std::chrono::seconds(2) + std::chrono::milliseconds(2);

}  // namespace

Port::Port(Scene& scene, unsigned number, Link& link, Conversation& conversation, TimerQueue& timers)
    : scene_(&scene),
      link_(&link),
      conversation_(&conversation),
      timers_(&timers),
      prng_(scene.prng.fork()),
      number_(number),
      stack_(number % 2 == server ? Role::server : Role::client, scene.host(number % 2).config, scene, number,
             conversation),
      stopwatch_(scene.now) {
  Ending& ending = conversation.endings[side()];
  ending.begun = true;
  if (!conversation.tls) return;
  auto engine = std::make_unique<WatchedEngine>(
      scene.tls.make_engine(side() == client, scene.host(side()).pool), scene, number, endpoint(), ending);
  tls_ = engine.get();
  if (!stack_.secure(std::move(engine))) complain("tls", "there is no memory for it");
}

Port::~Port() { timers_->remove(number_); }

void Port::complain(const char* checker, const std::string& text) {
  scene_->checks.fail(checker, number_, text);
}

// Each input starts here.
Port::Stack& Port::begin() noexcept {
  stack_.driver().handler().begin_input();
  return stack_;
}

// --- tasks ----------------------------------------------------------------------------------------

void Port::connect() {
  Driver<Application>& driver = stack_.driver();
  if (side() == client) driver.handler().connect(driver.endpoint());
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
    go_on(take_end());
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
  if (stack_.driver().handler().act(stack_.driver().endpoint()) == Verdict::drop)
    return go_on(fail(errc::aborted));
  go_on(begin().on_timeout(scene_->now));
}

void Port::answer() {
  observe();
  stack_.driver().handler().answer(stack_.driver().endpoint());
  go_on(begin().on_timeout(scene_->now));
}

void Port::resume() {
  observe();
  scene_->note(number_, "resume");
  if (endpoint().input_paused()) stopwatch_.restart(scene_->now);
  stack_.driver().resume_reading();
  go_on(begin().resume(scene_->now));
}

void Port::finish() {
  observe();
  stack_.driver().handler().finish(stack_.driver().endpoint());
  go_on(begin().on_timeout(scene_->now));
}

void Port::broadcast(SharedFrame& frame, const Piece& piece) {
  observe();
  stack_.driver().handler().broadcast(stack_.driver().endpoint(), frame, piece);
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
      if (gather() == 0) {
        interest = begin().resume(scene_->now);  // which tells when to try again
      } else if (scene_->knobs.network.writes_late) {
        begin_write();
      } else if (!write(interest)) {
        interest = on_write_failure(interest);
      }
      continue;
    }
    if (interest.shutdown_write && !shut_) {
      const Ending& ending = conversation_->endings[side()];
      if (tls_ != nullptr && tls_->established() && tls_->failure() == errc::none && ending.notify_end == 0)
        complain("tls", "the end of the stream comes without close_notify");
      link_->finish(side());
      shut_ = true;
    }
    if (!interest.read || stack_.stash_empty()) break;
    interest = take_stash();
  }
  if (!interest.write) blocked_ = false;
  if (!blocked_) {
    progress_at_ = never;
    stack_.trim();
  }
  wants_read_ = interest.read && stack_.stash_empty();
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
  const Endpoint& endpoint = this->endpoint();
  const Limits& limits = endpoint.config().limits;
  const bool closed = endpoint.state() == ReadyState::closed;
  if (interest.close != closed && (interest.close || tls_ == nullptr)) {
    complain("interest", "the transport is to be released before the end, or kept behind it");
  }
  check_write(interest);
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
  if (ciphertext() > ciphertext_max)
    complain("limits", std::to_string(ciphertext()) + " bytes of ciphertext are queued");
  check_deadline(interest);
  if (closed && !interest.close) check_lingering(interest);
  const Ending& ending = conversation_->endings[side()];
  if (closed && cut_off_ && (ending.clean || scene_->knobs.plant == Plant::truncation_hidden))
    complain("tls", "a clean end, although the transport has ended without close_notify");
  if (ending.restarted_at == scene_->now) stopwatch_.restart(scene_->now);
  const std::string wrong = stopwatch_.check(endpoint, scene_->now);
  if (!wrong.empty()) complain("deadlines", wrong);
}

void Port::check_write(const Interest& interest) {
  const bool queued = endpoint().output_size() != 0;
  if (tls_ == nullptr) {
    if (interest.write != queued) complain("interest", "write does not match the output");
    return;
  }
  if (interest.close) return;
  if (interest.write && !queued && ciphertext() == 0) complain("interest", "there is nothing to write");
  if (!interest.write && ciphertext() != 0) complain("interest", "ciphertext is left where it is");
  // It can not be encrypted before there are keys, without blocks, or after a failure.
  const bool can = tls_->established() && !scene_->knobs.blocks_scarce && tls_->failure() == errc::none;
  if (!interest.write && queued && can) complain("interest", "output is left where it is");
}

// The endpoint has ended, and TLS has still something to say.
void Port::check_lingering(const Interest& interest) {
  if (lingering_from_ == never) lingering_from_ = scene_->now;
  const bool slept = scene_->knobs.faults.sleep != 0;
  if (interest.deadline == never || interest.deadline > lingering_from_ + lingering_max ||
      (scene_->now > lingering_from_ + lingering_max && !slept)) {
    complain("deadlines", "TLS goes on for too long behind the end");
  }
}

// At the head of each task, before it changes anything.
void Port::observe() {
  // A timer queue rounds up to milliseconds; a machine that sleeps is late by any time, and without a
  // block there is no Ping.
  const bool exact = scene_->knobs.faults.sleep == 0 && !scene_->knobs.blocks_scarce;
  const Duration late = exact ? Duration(std::chrono::milliseconds(2)) : Duration(std::chrono::hours(1));
  const std::string wrong = stopwatch_.check_silence(endpoint(), scene_->now, late);
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
  const bool asks = endpoint().input_paused();
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
  if (tls_ == nullptr) stopwatch_.heard(scene_->now);
  conversation_->endings[side()].ciphertext_read += input.size();
  return after_input(begin().on_bytes(input, scene_->now));
}

Interest Port::take_stash() {
  scene_->note(number_, "stash");
  stopwatch_.heard(scene_->now);
  return after_input(begin().take_stash(scene_->now));
}

Interest Port::after_input(Interest interest) {
  // The endpoint has heard nothing of a record that is not complete.
  if (tls_ != nullptr && tls_->take_decrypted()) stopwatch_.heard(scene_->now);
  if (!stack_.stash_empty() && !endpoint().input_paused())
    complain("interest", "input was left over although reading is not paused");
  return interest;
}

Interest Port::take_end() {
  scene_->note(number_, "eof");
  const bool queued = endpoint().output_size() != 0;
  const errc before = endpoint().close_status().cause;
  check_end_of_input();
  const Interest interest = begin().on_eof(scene_->now);
  // Over TLS this may be an end that somebody else has made: then nothing more is sent to whom it may be.
  if (queued && interest.close && tls_ == nullptr && !conversation_->endings[side()].dropped) {
    complain("delivery", "what was accepted is thrown away, although only the other direction has ended");
  }
  if (interest.read) complain("interest", "reading is wanted after the end of the stream");
  const errc cause = endpoint().close_status().cause;
  if (cut_off_ && before == errc::none && endpoint().state() == ReadyState::closed &&
      cause != errc::tls_truncated && condition_for(cause) != condition::transport_failed) {
    complain("tls", "a cut is taken for " + std::string(name(cause)));
  }
  return interest;
}

// The transport ends, or fails: if the peer has not said so before, this can not be a clean end.
void Port::check_end_of_input() {
  if (tls_ == nullptr || endpoint().state() == ReadyState::closed) return;
  if (!conversation_->notified(side())) cut_off_ = true;
}

// --- writing --------------------------------------------------------------------------------------

std::size_t Port::gather() {
  slices_.resize(prng_.pick<std::size_t>({1, 2, 5, 64}));
  const std::uint64_t refusals = scene_->host(side()).pool.refusals();
  slices_.resize(stack_.gather(slices_));
  offered_.clear();
  for (const IoSlice& slice : slices_) {
    const auto* const base = static_cast<const std::byte*>(slice.base);
    offered_.insert(offered_.end(), base, base + slice.size);
  }
  // TLS needs memory to encrypt.
  const bool excused =
      tls_ != nullptr && (tls_->failure() != errc::none || scene_->host(side()).pool.refusals() != refusals);
  if ((offered_.empty() && !excused) || offered_.size() > stack_.output_size()) {
    complain("output", "gather() gives " + std::to_string(offered_.size()) + " of " +
                           std::to_string(stack_.output_size()) + " bytes");
  }
  return offered_.size();
}

void Port::begin_write() {
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
  count_written(*taken);
  go_on(begin().on_written(*taken, scene_->now));
}

void Port::count_written(std::size_t written) {
  blocked_ = written < offered_.size();
  if (blocked_ && (written != 0 || progress_at_ == never)) progress_at_ = scene_->now;
  if (tls_ == nullptr) conversation_->endings[side()].consumed += written;
}

bool Port::write(Interest& interest) {
  const std::optional<std::size_t> taken = link_->write(side(), offered_);
  if (!taken) return false;
  count_written(*taken);
  interest = begin().on_written(*taken, scene_->now);
  return true;
}

// The peer is gone, but what it sent before may still be here.
Interest Port::on_write_failure(Interest interest) {
  if (interest.read && !stack_.stash_empty()) interest = take_stash();
  for (int i = 0; i < last_reads_max && interest.read && !interest.close; ++i) {
    if (link_->readable(side()) == 0) break;
    interest = take_arrived(4'096);
  }
  return interest.close ? interest : fail(errc::transport_error);
}

Interest Port::fail(errc cause) {
  scene_->note(number_, "fail", static_cast<std::uint64_t>(cause));
  if (cause == errc::transport_error) check_end_of_input();
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
  if (writing_ && tls_ == nullptr) {
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

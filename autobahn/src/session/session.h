// One case, from the opening handshake on: sends what its script says, records what comes back, and closes.
//
// It does no I/O: octets and times go in, octets to write and a deadline come out. The socket's side calls
// start() once, then any input until done(), then result().
//
//   open ──our Close──► closing ──its Close──► closed ──(client: the server drops TCP)──► done
//     └────its Close, answered at once──────────►┘       (server: the kit drops TCP)
// A rule that the testee breaks, a time-out or a drop ends it from any state.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "cases/case.h"
#include "session/output_queue.h"
#include "session/result.h"
#include "verdict/judge.h"
#include "wire/deflate.h"
#include "wire/frame_reader.h"

namespace conform {

using Instant = std::chrono::steady_clock::time_point;
inline constexpr Instant never = Instant::max();

class Session final : private FrameSink {
 public:
  // `patience` stretches every time limit that a sound testee does not reach; 1 is what the catalogue says.
  // All references outlive the session.
  Session(const Case& test, Role role, double patience, std::mt19937_64& random);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The opening handshake is done, with or without permessage-deflate.
  void start(Instant now, const std::optional<DeflateParameters>& agreed);
  void feed(std::string_view octets, Instant now);
  // The connection has ended; `how` says it in words: "dropped TCP". `cut_off`: it was one of TLS, and the
  // testee did not end that.
  void feed_end(std::string_view how, Instant now, bool cut_off = false);
  void handle_timeout(Instant now);
  // So much of output().next() was written.
  void consume(std::size_t written, Instant now);

  OutputQueue& output() { return output_; }
  Instant deadline() const;
  // The socket is to be closed: all is said, or given up.
  bool done() const { return done_; }

  // Once done: fills in what the session knows, and the verdicts.
  void finish(Instant now, CaseResult& result);

 private:
  // FrameSink
  void on_frame(const FrameHeader& header, std::string_view header_octets,
                std::string_view payload_start) override;
  void on_message(unsigned type, std::string payload) override;
  void on_ping(std::string payload) override;
  void on_pong(std::string payload) override;
  void on_close(unsigned code, std::string reason) override;

  void run_script();
  void do_step(const SendFrame& step);
  void do_step(const SendFrameStart& step);
  void do_step(const SendFrameRest& step);
  void do_step(const Pause& step);
  void do_step(const KillAfter& step);
  void do_step(const CloseAfter& step);

  FrameHeader new_header(unsigned code, std::uint64_t length);
  void send(const SendFrame& frame);
  void send_message(unsigned type, std::string payload, std::size_t fragment, std::size_t chop);
  void begin_close(std::string payload);
  void close_complete();
  void fail(const Violation& violation);
  void drop(std::string reason);
  void record(Event event);

  void begin_exchange();
  void next_message();
  void check_echo(unsigned type, std::string_view payload);
  void end_exchange(Verdict verdict, std::string reason);

  void note(std::string text);
  void log_sent(const FrameHeader& header, std::string_view payload, std::string_view wire,
                const SendFrame& how);
  Instant later(Seconds time, bool limit) const;

  const Case& test_;
  Role role_;
  double patience_;
  std::mt19937_64& random_;
  Instant now_{};
  Instant began_{};

  std::unique_ptr<Inflater> inflater_;
  std::unique_ptr<Deflater> deflater_;
  std::unique_ptr<FrameReader> reader_;
  OutputQueue output_;

  std::size_t step_ = 0;
  bool script_over_ = false;
  FrameHeader parted_;  // the frame that is written in parts
  std::uint64_t parted_taken_ = 0;

  // Deadlines; `never` if not armed.
  Instant pause_end_ = never;
  std::string pause_label_;
  Instant kill_at_ = never;
  Instant close_at_ = never;
  Instant answer_until_ = never;  // for the testee's Close frame
  Instant drop_until_ = never;    // for the server's end of TCP
  Instant exchange_until_ = never;

  unsigned exchange_index_ = 0;
  std::string exchange_payload_;

  Observed observed_;
  std::optional<CloseFrame> close_sent_;
  std::optional<CloseFrame> close_received_;
  bool close_sound_ = false;  // the testee's Close frame was a valid one
  bool closed_by_kit_ = false;
  bool failed_by_kit_ = false;
  bool dropped_by_kit_ = false;
  bool drop_when_written_ = false;
  bool cut_off_ = false;
  bool done_ = false;
  std::string not_clean_reason_;
  WireLog log_;
  Traffic sent_;
  Traffic got_;
};

}  // namespace conform

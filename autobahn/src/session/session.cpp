#include "session/session.h"

#include <algorithm>
#include <utility>

#include "wire/hex.h"

namespace conform {
namespace {

constexpr Seconds answer_limit{1};  // for a Close frame, and for the end of TCP after it
constexpr std::size_t kept_payload = 4096;

CloseFrame close_frame_of(std::string_view payload) {
  if (payload.size() < 2) return {};
  const unsigned code = static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8 |
                        static_cast<unsigned char>(payload[1]);
  return {code, std::string(payload.substr(2))};
}

}  // namespace

Session::Session(const Case& test, Role role, double patience, std::mt19937_64& random)
    : test_(test), role_(role), patience_(patience), random_(random) {}

Session::~Session() = default;

Instant Session::later(Seconds time, bool limit) const {
  return now_ + std::chrono::duration_cast<Duration>(limit ? time * patience_ : time);
}

// --- inputs ----------------------------------------------------------------------------------------
void Session::start(Instant now, const std::optional<DeflateParameters>& agreed) {
  now_ = began_ = now;
  if (agreed) {
    const bool client = role_ == Role::client;
    const auto& own_bits = client ? agreed->client_max_window_bits : agreed->server_max_window_bits;
    const auto& its_bits = client ? agreed->server_max_window_bits : agreed->client_max_window_bits;
    deflater_ = std::make_unique<Deflater>(
        own_bits.value_or(window_bits_max),
        !(client ? agreed->client_no_context_takeover : agreed->server_no_context_takeover));
    inflater_ = std::make_unique<Inflater>(
        its_bits.value_or(window_bits_max),
        !(client ? agreed->server_no_context_takeover : agreed->client_no_context_takeover));
    note("agreed: " + describe(*agreed));
  }
  FrameSink& sink = *this;
  reader_ = std::make_unique<FrameReader>(sink, role_ == Role::server, inflater_.get());
  if (test_.compression && !agreed) {
    observed_.decided = Verdict::unimplemented;
    observed_.reason = "permessage-deflate was not agreed.";
    begin_close(close_payload(1000));
  } else if (test_.exchange) {
    begin_exchange();
  } else {
    run_script();
  }
}

void Session::feed(std::string_view octets, Instant now) {
  now_ = now;
  ++got_.transfers[octets.size()];
  if (done_ || failed_by_kit_ || reader_->closed()) return;
  if (const auto violation = reader_->feed(octets)) fail(*violation);
}

void Session::feed_end(std::string_view how, Instant now, bool cut_off) {
  now_ = now;
  if (done_) return;
  cut_off_ = cut_off;
  note("the testee " + std::string(how));
  if (!close_sent_) {
    not_clean_reason_ = "the testee " + std::string(how) + " without a Close frame";
  } else if (!close_received_) {
    not_clean_reason_ = "the testee " + std::string(how) + " without answering the Close frame";
  }
  done_ = true;
}

void Session::handle_timeout(Instant now) {
  now_ = now;
  if (done_) return;
  if (now >= pause_end_) {
    pause_end_ = never;
    if (!pause_label_.empty() && !script_over_)
      record({Event::Kind::timeout, 0, std::exchange(pause_label_, {})});
    run_script();
  }
  if (now >= exchange_until_) {
    end_exchange(Verdict::failed, "The time was over after " + std::to_string(exchange_index_) + " of " +
                                      std::to_string(test_.exchange->count) + " messages.");
    begin_close({});
  }
  if (now >= kill_at_) {
    kill_at_ = never;
    note("time is over");
    begin_close(close_payload(1001, "time is over"));
  }
  if (now >= close_at_) {
    close_at_ = never;
    note("time is over");
    begin_close({});
  }
  if (now >= answer_until_) drop("the testee did not answer the Close frame in time");
  if (now >= drop_until_) {
    drop(role_ == Role::client ? "the server did not drop TCP in time"
                               : "the client did not take the Close frame in time");
  }
}

void Session::consume(std::size_t written, Instant now) {
  now_ = now;
  ++sent_.transfers[written];
  output_.consume(written);
  if (drop_when_written_ && output_.empty()) done_ = true;
}

Instant Session::deadline() const {
  if (done_) return never;
  return std::min({pause_end_, kill_at_, close_at_, answer_until_, drop_until_, exchange_until_});
}

// --- the script ------------------------------------------------------------------------------------
void Session::run_script() {
  while (!script_over_ && pause_end_ == never && step_ < test_.steps.size()) {
    std::visit([this](const auto& step) { do_step(step); }, test_.steps[step_++]);
  }
}

void Session::do_step(const SendFrame& step) {
  if (!step.counts_as_close) {
    send(step);
    return;
  }
  // What follows a Close frame in the script is sent all the same: that is what those cases are about.
  begin_close(step.payload);
  script_over_ = false;
}

void Session::do_step(const SendFrameStart& step) {
  parted_ = new_header(step.opcode, step.length);
  parted_taken_ = step.part.size();
  std::string octets = step.part;
  if (parted_.masked) apply_mask(octets.data(), octets.size(), parted_.key, 0);
  octets.insert(0, encode_header(parted_));
  log_sent(parted_, step.part, octets, {.sync = true});
  output_.push_alone(std::move(octets));
}

void Session::do_step(const SendFrameRest& step) {
  std::string octets = step.part;
  if (parted_.masked) apply_mask(octets.data(), octets.size(), parted_.key, parted_taken_);
  parted_taken_ += octets.size();
  note("sent " + std::to_string(octets.size()) + " more octets of the same frame: " + to_hex(step.part));
  output_.push_alone(std::move(octets));
}

void Session::do_step(const Pause& step) {
  pause_end_ = later(step.time, step.limit);
  pause_label_ = step.label;
}

void Session::do_step(const KillAfter& step) { kill_at_ = later(step.time, true); }
void Session::do_step(const CloseAfter& step) { close_at_ = later(step.time, true); }

// --- sending ---------------------------------------------------------------------------------------
FrameHeader Session::new_header(unsigned code, std::uint64_t length) {
  FrameHeader header;
  header.opcode = code;
  header.length = length;
  header.masked = role_ == Role::client;
  if (header.masked) {
    const std::uint64_t key = random_();
    for (std::size_t i = 0; i < header.key.size(); ++i)
      header.key[i] = static_cast<std::uint8_t>(key >> (8 * i));
  }
  return header;
}

void Session::send(const SendFrame& frame) {
  FrameHeader header = new_header(frame.opcode, frame.payload.size());
  header.fin = frame.fin;
  header.rsv = frame.rsv;
  std::string octets = encode_header(header);
  const std::size_t begin = octets.size();
  octets += frame.payload;
  if (header.masked) apply_mask(octets.data() + begin, frame.payload.size(), header.key, 0);
  log_sent(header, frame.payload, octets, frame);
  if (frame.chop != 0) {
    output_.push_chopped(std::move(octets), frame.chop);
  } else if (frame.sync) {
    output_.push_alone(std::move(octets));
  } else {
    output_.push(octets);
  }
}

void Session::send_message(unsigned type, std::string payload, std::size_t fragment, std::size_t chop) {
  SendFrame frame{.opcode = type, .rsv = 0, .chop = chop};
  if (deflater_) {
    payload = deflater_->message(payload);
    frame.rsv = 4;  // on the first frame alone (RFC 7692 section 6.1)
  }
  std::size_t from = 0;
  if (fragment != 0 && payload.size() > fragment) {
    frame.fin = false;
    for (; payload.size() - from >= fragment; from += fragment) {
      frame.payload.assign(payload, from, fragment);
      send(frame);
      frame.opcode = opcode::continuation;
      frame.rsv = 0;
    }
    frame.fin = true;
  }
  frame.payload = payload.substr(from);  // empty after a whole number of fragments
  send(frame);
}

void Session::begin_close(std::string payload) {
  script_over_ = true;
  kill_at_ = close_at_ = exchange_until_ = never;
  if (close_sent_) return;
  close_sent_ = close_frame_of(payload);
  closed_by_kit_ = !close_received_;
  send({.opcode = opcode::close, .payload = std::move(payload)});
  if (closed_by_kit_) answer_until_ = later(answer_limit, true);
}

void Session::close_complete() {
  answer_until_ = never;
  pause_end_ = never;
  drop_until_ = later(answer_limit, true);
  if (role_ == Role::server) {
    dropped_by_kit_ = true;
    drop_when_written_ = true;
    if (output_.empty()) done_ = true;
  }
}

void Session::fail(const Violation& violation) {
  note("the testee broke a rule: " + violation.text);
  failed_by_kit_ = true;
  observed_.reason = "The testee broke a rule: " + violation.text + ".";
  not_clean_reason_ = violation.text;
  if (test_.exchange) end_exchange(Verdict::failed, observed_.reason);
  begin_close(close_payload(violation.close_code));
  answer_until_ = std::min(answer_until_, later(answer_limit, true));
  pause_end_ = never;
}

void Session::drop(std::string reason) {
  note(reason);
  if (not_clean_reason_.empty()) not_clean_reason_ = std::move(reason);
  dropped_by_kit_ = true;
  output_.clear();
  done_ = true;
}

// --- receiving -------------------------------------------------------------------------------------
void Session::on_frame(const FrameHeader& header, std::string_view header_octets,
                       std::string_view payload_start) {
  ++got_.frames[header.opcode];
  std::string wire(payload_start);
  if (header.masked) apply_mask(wire.data(), wire.size(), header.key, 0);
  wire.insert(0, header_octets);
  log_.add({LogEntry::Kind::received,
            std::chrono::duration_cast<Duration>(now_ - began_),
            header,
            std::string(payload_start),
            std::move(wire),
            0,
            false,
            {}});
}

void Session::on_message(unsigned type, std::string payload) {
  if (test_.exchange) {
    check_echo(type, payload);
  } else {
    record({Event::Kind::message, type, std::move(payload)});
  }
}

void Session::on_ping(std::string payload) {
  if (!close_sent_) send({.opcode = opcode::pong, .payload = std::move(payload)});
}

void Session::on_pong(std::string payload) {
  if (!test_.exchange) record({Event::Kind::pong, opcode::pong, std::move(payload)});
}

void Session::on_close(unsigned code, std::string reason) {
  close_sound_ = code == 0 || (close_code_allowed(code) && is_utf8(reason));
  close_received_ = code == 0 ? CloseFrame{} : CloseFrame{code, std::move(reason)};
  script_over_ = true;
  // An unsound one ends in fail().
  if (!close_sound_) return;
  if (!close_sent_) begin_close(code == 0 ? std::string() : close_payload(code));
  close_complete();
}

void Session::record(Event event) {
  observed_.events.push_back(std::move(event));
  const bool match = test_.close_on_match && observed_.events == test_.expected.front().events;
  if (match && !close_sent_) begin_close(close_payload(1000));
}

// --- lock-step -------------------------------------------------------------------------------------
void Session::begin_exchange() {
  observed_.decided = Verdict::failed;
  observed_.reason = "The testee ended the connection before the last echo.";
  exchange_until_ = later(test_.exchange->timeout, true);
  next_message();
}

void Session::next_message() {
  const Exchange& exchange = *test_.exchange;
  exchange_payload_ = exchange.source->message(exchange_index_);
  send_message(exchange.type, exchange_payload_, exchange.fragment, exchange.chop);
}

void Session::check_echo(unsigned type, std::string_view payload) {
  const Exchange& exchange = *test_.exchange;
  if (close_sent_ || exchange_index_ == exchange.count) return;
  const std::string which =
      "Echo " + std::to_string(exchange_index_ + 1) + " of " + std::to_string(exchange.count);
  std::string problem;
  if (type != exchange.type) {
    problem = which + " is of the other type.";
  } else if (payload.size() != exchange_payload_.size()) {
    problem = which + " has " + std::to_string(payload.size()) + " octets, not " +
              std::to_string(exchange_payload_.size()) + ".";
  } else if (exchange.compare_content && payload != exchange_payload_) {
    problem = which + " has other octets.";
  }
  if (!problem.empty()) {
    end_exchange(Verdict::failed, problem);
    begin_close(close_payload(1000));
  } else if (++exchange_index_ == exchange.count) {
    end_exchange(Verdict::ok, "All " + std::to_string(exchange.count) + " echoes are as expected.");
    begin_close(close_payload(1000));
  } else {
    next_message();
  }
}

void Session::end_exchange(Verdict verdict, std::string reason) {
  exchange_until_ = never;
  // A rule that is broken after the last echo is seen in the closing, not here.
  if (observed_.decided == Verdict::ok) return;
  observed_.decided = verdict;
  observed_.reason = std::move(reason);
}

// --- the end ---------------------------------------------------------------------------------------
void Session::note(std::string text) {
  log_.add({LogEntry::Kind::note,
            std::chrono::duration_cast<Duration>(now_ - began_),
            {},
            {},
            {},
            0,
            false,
            std::move(text)});
}

void Session::log_sent(const FrameHeader& header, std::string_view payload, std::string_view wire,
                       const SendFrame& how) {
  ++sent_.frames[header.opcode];
  log_.add({LogEntry::Kind::sent,
            std::chrono::duration_cast<Duration>(now_ - began_),
            header,
            std::string(payload.substr(0, WireLog::octets_max)),
            std::string(wire.substr(0, WireLog::octets_max)),
            how.chop,
            how.sync,
            {}});
}

void Session::finish(Instant now, CaseResult& result) {
  result.handshake_done = true;
  result.duration = std::chrono::duration_cast<Duration>(now - began_);
  result.close_sent = close_sent_;
  result.close_received = close_received_;
  result.closed_by_kit = closed_by_kit_;
  result.failed_by_kit = failed_by_kit_;
  result.dropped_by_kit = dropped_by_kit_;
  result.cut_off = cut_off_;
  result.was_clean =
      close_sent_ && close_received_ && close_sound_ && !(role_ == Role::client && dropped_by_kit_);
  result.not_clean_reason = result.was_clean ? std::string() : not_clean_reason_;
  judge(test_, observed_, result);
  for (Event& event : observed_.events) {
    if (event.payload.size() > kept_payload) event.payload.resize(kept_payload);
  }
  result.received = std::move(observed_.events);
  result.log = std::move(log_);
  result.sent = std::move(sent_);
  result.got = std::move(got_);
}

}  // namespace conform

#include "run/connection.h"

#include <ctime>

namespace conform {
namespace {

constexpr Seconds handshake_limit{5};
constexpr Seconds linger_limit{1};
constexpr int reads_a_turn = 8;

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Duration as_duration(Seconds time) { return std::chrono::duration_cast<Duration>(time); }

}  // namespace

Connection::Connection(Descriptor socket, Role role, const Environment& environment)
    : environment_(environment),
      stream_(std::move(socket), environment.tls != nullptr ? environment.tls->channel() : nullptr),
      role_(role),
      stage_until_(std::chrono::steady_clock::now() + as_duration(handshake_limit * environment.patience)) {}

void Connection::begin_case(const Case& test, std::string agent, Finished finished) {
  test_ = &test;
  finished_ = std::move(finished);
  result_.case_id = test.id;
  result_.agent = std::move(agent);
  result_.role = role_;
  result_.description = test.description;
  result_.expectation = test.expectation;
  result_.expected = test.expected;
  result_.close_expected = test.close;
  result_.started = utc_now();
  result_.begun = std::chrono::steady_clock::now();
}

void Connection::start_session(const std::optional<DeflateParameters>& agreed, Instant now) {
  stage_ = Stage::session;
  session_ = std::make_unique<Session>(*test_, role_, environment_.patience, *environment_.random);
  session_->start(now, agreed);
  const std::string early = std::exchange(handshake_input_, {});
  if (!early.empty()) session_->feed(early, now);
}

void Connection::fail_handshake(const std::string& problem, Instant now) {
  if (test_ != nullptr) {
    judge(*test_, {{}, std::nullopt, problem}, result_);
    deliver_result(now);
  }
  linger(now);
}

void Connection::deliver_result(Instant now) {
  test_ = nullptr;
  result_.ended = now;
  if (finished_) std::exchange(finished_, nullptr)(std::move(result_));
}

void Connection::linger(Instant now) {
  write_handshake();
  stage_ = Stage::lingering;
  stage_until_ = now + as_duration(linger_limit);
  stream_.end();
  if (input_ended_) stage_ = Stage::over;
}

void Connection::finish_case(Instant now) {
  session_->finish(now, result_);
  session_.reset();
  deliver_result(now);
  linger(now);
}

// --- reading ---------------------------------------------------------------------------------------
void Connection::on_readable(Instant now) {
  for (int i = 0; i < reads_a_turn && !input_ended_; ++i) {
    switch (stream_.receive([this, now](std::string_view octets) { take(octets, now); })) {
      case Stream::Input::nothing: return;
      case Stream::Input::octets: break;
      case Stream::Input::broken:
        // Lingering goes on: the alert that says why is still to reach the testee.
        if (stage_ != Stage::lingering) take_end(now);
        break;
      case Stream::Input::ended: input_ended_ = true; take_end(now);
    }
  }
}

void Connection::take(std::string_view octets, Instant now) {
  if (stage_ == Stage::session) {
    session_->feed(octets, now);
  } else if (stage_ == Stage::handshake) {
    handshake_input_.append(octets);
    const auto size = head_size(handshake_input_);
    if (size && !head_taken_) {
      head_taken_ = true;
      const std::string head = handshake_input_.substr(0, *size);
      handshake_input_.erase(0, *size);
      on_head(head, now);
    } else if (!size && handshake_input_.size() > head_size_max) {
      fail_handshake("the head has more than 64 KiB", now);
    }
  }
}

void Connection::take_end(Instant now) {
  switch (stage_) {
    case Stage::handshake: fail_handshake("the testee " + stream_.how(), now); break;
    case Stage::session: session_->feed_end(stream_.how(), now, stream_.cut_off()); break;
    default: stage_ = Stage::over;
  }
}

// --- writing ---------------------------------------------------------------------------------------
void Connection::write_handshake() {
  std::size_t written = 0;
  while (!handshake_output_.empty() && stream_.send(handshake_output_, written)) {
    handshake_output_.erase(0, written);
  }
}

void Connection::write_session(Instant now) {
  OutputQueue& output = session_->output();
  output.begin_turn();
  std::size_t written = 0;
  while (!session_->done() && !output.next().empty() && stream_.send(output.next(), written)) {
    session_->consume(written, now);
  }
  // What the testee said before it ended TCP is still read; the end comes with it.
  if (stream_.failed()) output.clear();
}

void Connection::on_turn(Instant now) {
  stream_.flush();
  if (stage_ == Stage::handshake || !handshake_output_.empty()) write_handshake();
  if (stage_ == Stage::session) {
    session_->handle_timeout(now);
    if (handshake_output_.empty()) write_session(now);
    if (session_->done()) finish_case(now);
  } else if (now >= stage_until_) {
    if (stage_ == Stage::handshake) {
      fail_handshake("it was not done in time", now);
    } else {
      stage_ = Stage::over;
    }
  }
}

Instant Connection::deadline() const {
  if (stage_ != Stage::session) return stage_until_;
  const bool next_turn = session_->done() || (!stream_.blocked() && !session_->output().empty());
  return next_turn ? Instant::min() : session_->deadline();
}

// --- roles -----------------------------------------------------------------------------------------
ClientConnection::ClientConnection(Descriptor socket, const Environment& environment, const Target& target,
                                   const Case& test, std::string agent, Finished finished)
    : Connection(std::move(socket), Role::client, environment),
      key_(random_websocket_key(*environment.random)) {
  begin_case(test, std::move(agent), std::move(finished));
  if (test.compression) offers_ = test.compression->offers;
  result_.http_request = write_request(target, key_, offers_);
  queue_handshake(result_.http_request);
}

void ClientConnection::on_head(const std::string& head, Instant now) {
  result_.http_response = head;
  const auto parsed = parse_head(head);
  if (!parsed) return fail_handshake("the answer is not HTTP", now);
  const HandshakeOutcome outcome = check_response(*parsed, key_, offers_);
  if (!outcome.problem.empty()) return fail_handshake(outcome.problem, now);
  start_session(outcome.deflate, now);
}

ServerConnection::ServerConnection(Descriptor socket, const Environment& environment, Assign assign)
    : Connection(std::move(socket), Role::server, environment), assign_(std::move(assign)) {}

void ServerConnection::on_head(const std::string& head, Instant now) {
  const auto parsed = parse_head(head);
  if (!parsed) {
    queue_handshake(write_refusal(400, "Bad Request", "This is not an HTTP request.\n"));
    return fail_handshake("it is not HTTP", now);
  }
  const Request request = read_request(*parsed);
  Assignment assignment = assign_(request);
  if (assignment.test == nullptr) {
    queue_handshake(write_refusal(assignment.refusal_status, "Refused", assignment.refusal));
    return fail_handshake(assignment.refusal, now);
  }
  owned_ = assignment.owned;
  begin_case(*assignment.test, assignment.agent, std::move(assignment.finished));
  result_.http_request = head;
  if (!request.problem.empty()) {
    queue_handshake(write_refusal(400, "Bad Request",
                                  "This is not a WebSocket opening handshake: " + request.problem + ".\n"));
    return fail_handshake(request.problem, now);
  }
  std::optional<DeflateParameters> agreed;
  if (assignment.test->compression)
    agreed = accept_offer(request.extensions, assignment.test->compression->demands);
  result_.http_response = write_response(request.key, agreed);
  queue_handshake(result_.http_response);
  start_session(agreed, now);
}

}  // namespace conform

#include "application.h"

#include <algorithm>
#include <cstring>

namespace sansock::sim {

namespace {

constexpr std::size_t events_max = 200'000;  // that one input may give
constexpr std::string_view subprotocols[] = {"chat", "superchat"};

}  // namespace

Application::Application(Scene& scene, unsigned port, Conversation& conversation)
    : scene_(&scene),
      conversation_(&conversation),
      prng_(scene.prng.fork()),
      port_(port),
      sender_(scene, port, conversation, prng_.fork()),
      assembler_(scene.host(port % 2).memory),
      assembling_(scene.side(port % 2).assemble) {}

void Application::complain(const char* checker, const std::string& text) {
  scene_->checks.fail(checker, port_, text);
}

void Application::connect(Endpoint& endpoint) {
  ClientRequest request{.host = "sim.example", .target = "/simulated?seed"};
  if (prng_.chance(500)) request.subprotocols = subprotocols;
  const std::uint64_t refusals = scene_->clients.pool.refusals();
  const std::error_code error = endpoint.connect(request);
  scene_->note(port_, "connect", static_cast<std::uint64_t>(error.value()));
  if (!error) return;
  own().left_early = true;
  if (error != errc::blocks_exhausted || scene_->clients.pool.refusals() == refusals) {
    complain("commands", "connect gives " + error.message());
  }
  endpoint.close();
}

Verdict Application::on_event(Endpoint& endpoint, const Event& event) {
  scene_->note(port_, "event", static_cast<std::uint64_t>(event.kind), event.bytes.size());
  if (++events_ > events_max) {
    complain("livelock", "one input gives more and more events");
    throw Livelock{};
  }
  if (!check_order(endpoint, event)) return Verdict::keep;
  switch (event.kind) {
    case EventKind::request: return on_request(endpoint, event);
    case EventKind::open:
      own().opened = true;
      own().restarted_at = scene_->now;
      break;
    case EventKind::data: return on_data(endpoint, event);
    case EventKind::ping: on_ping(endpoint, event); break;
    case EventKind::pong: on_pong(event); break;
    case EventKind::peer_close: on_peer_close(event); break;
    case EventKind::sent: sender_.on_sent(event); break;
    case EventKind::closed:
      on_closed(endpoint, event);
      if (scene_->knobs.plant == Plant::closed_repeated) check_order(endpoint, event);
      return Verdict::keep;
    case EventKind::none: break;
  }
  if (scene_->knobs.plant == Plant::token_repeated && event.kind == EventKind::sent) sender_.on_sent(event);
  return act_in_event(endpoint);
}

// request -> open -> data, ping, pong -> peer_close -> closed; `sent` anywhere before the last.
bool Application::check_order(const Endpoint& endpoint, const Event& event) {
  const EventKind kind = event.kind;
  const Ending& so_far = own();
  const bool message = kind == EventKind::data || kind == EventKind::ping || kind == EventKind::pong ||
                       kind == EventKind::peer_close;
  const char* wrong = nullptr;
  if (so_far.closed) wrong = "an event after the end";
  if (kind == EventKind::request && (requested_ || side() == client)) wrong = "a request that can not be";
  if (kind == EventKind::open && (so_far.opened || so_far.refused)) wrong = "open twice, or after a refusal";
  if (message && !so_far.opened) wrong = "a message before the connection is open";
  if (message && so_far.peer_close) wrong = "a message after the peer's Close";
  if (kind != EventKind::closed && endpoint.state() == ReadyState::closed) wrong = "closed before its event";
  if (kind == EventKind::closed && endpoint.state() != ReadyState::closed) wrong = "not closed at the end";
  if (so_far.dropped && kind != EventKind::sent && kind != EventKind::closed) wrong = "an event after a drop";
  if (wrong != nullptr) complain("events", wrong);
  if (kind == EventKind::request) requested_ = true;
  return wrong == nullptr;
}

// --- the opening handshake ------------------------------------------------------------------------

Verdict Application::on_request(Endpoint& endpoint, const Event& event) {
  if (event.error != errc::none && !conversation_->adversary) {
    complain("causes", "a proper request is found to be " + std::string(name(event.error)));
  }
  if (prng_.chance(actions().defer)) {
    if (const std::error_code error = endpoint.defer(); error) complain("commands", "defer gives an error");
    const Duration wait = prng_.between(Duration(0), std::chrono::milliseconds(500));
    scene_->scheduler.add(scene_->now + wait, TaskKind::answer, port_);
    return Verdict::keep;
  }
  if (event.error == errc::none || prng_.chance(200)) answer(endpoint);
  return Verdict::keep;
}

void Application::answer(Endpoint& endpoint) {
  const Request* const request = endpoint.request();
  if (request == nullptr || endpoint.state() != ReadyState::connecting) return;
  if (!conversation_->adversary && request->target() != "/simulated?seed") {
    complain("content", "the target of the request was changed");
  }
  if (prng_.chance(actions().refuse) || conversation_->adversary) {
    // What can not be accepted must be refused.
    if (conversation_->adversary && prng_.chance(800)) return accept(endpoint);
    return refuse(endpoint);
  }
  accept(endpoint);
}

void Application::accept(Endpoint& endpoint) {
  AcceptOptions options;
  const Header forbidden{"Bad\r\nName", "value"};
  if (prng_.chance(50)) {
    options.headers = {&forbidden, 1};
    const std::error_code error = endpoint.accept(options);
    if (error != errc::header_invalid && !conversation_->adversary) {
      complain("commands", "accept with a bad header gives " + error.message());
    }
    options.headers = {};
  }
  if (endpoint.request()->offers_subprotocol("chat") && prng_.chance(500)) options.subprotocol = "chat";
  if (prng_.chance(200)) options.config = &scene_->servers.config_other;
  const std::uint64_t refusals = scene_->servers.pool.refusals();
  const std::error_code error = endpoint.accept(options);
  scene_->note(port_, "accept", static_cast<std::uint64_t>(error.value()));
  if (!error || conversation_->adversary) return;
  if (error == errc::blocks_exhausted && scene_->servers.pool.refusals() != refusals) {
    scene_->scheduler.add(scene_->now + std::chrono::milliseconds(100), TaskKind::answer, port_);
    return;
  }
  complain("commands", "accept gives " + error.message());
}

void Application::refuse(Endpoint& endpoint) {
  HttpResponse response{.status = prng_.pick<std::uint16_t>({403, 404, 503, 200})};
  const std::string body(prng_.below(300), 'b');
  response.body = as_bytes(body);
  const std::uint64_t refusals = scene_->servers.pool.refusals();
  const std::error_code error = endpoint.respond(response);
  scene_->note(port_, "respond", response.status, static_cast<std::uint64_t>(error.value()));
  if (!error) {
    own().refused = true;
  } else if (error == errc::blocks_exhausted && scene_->servers.pool.refusals() != refusals) {
    scene_->scheduler.add(scene_->now + std::chrono::milliseconds(100), TaskKind::answer, port_);
  } else if (!conversation_->adversary) {
    complain("commands", "respond gives " + error.message());
  }
}

// --- messages -------------------------------------------------------------------------------------

Verdict Application::on_data(Endpoint& endpoint, const Event& event) {
  const bool swallowed =
      scene_->knobs.plant == Plant::message_swallowed && event.begin && event.end && prng_.chance(100);
  if (!conversation_->adversary && !swallowed) {
    const std::string wrong = incoming().deliver(event);
    if (!wrong.empty()) {
      complain("content", wrong);
      return Verdict::keep;  // the books are of no use any more
    }
  }
  if (event.end) {
    ++scene_->stats.messages;
    own().restarted_at = scene_->now;
    check_limits(endpoint);
  }
  scene_->stats.bytes += event.bytes.size();
  if (assembling_) assemble(endpoint, event);
  // The payload is the driver's until the next poll: the engine must not depend on it any more.
  std::fill(event.bytes.begin(), event.bytes.end(), std::byte{0xEE});
  if (prng_.chance(actions().drop_in_event)) {
    own().dropped = true;
    return Verdict::drop;
  }
  if (prng_.chance(actions().pause_in_event) && may_pause()) {
    schedule_resume();
    return Verdict::pause_reading;
  }
  return act_in_event(endpoint);
}

// What has arrived must have been within the limits of this side.
void Application::check_limits(const Endpoint& endpoint) {
  if (conversation_->adversary || incoming().delivered() == 0) return;
  const Limits& limits = endpoint.config().limits;
  const Ledger::Extent& extent = incoming().delivered_extent();
  if (extent.size > limits.message_payload_max || extent.frame > limits.frame_payload_max ||
      extent.frames > limits.message_fragments_max ||
      extent.frames_empty > limits.message_fragments_empty_max) {
    complain("limits", "a message was delivered that is over the limits");
  }
}

void Application::assemble(Endpoint& endpoint, const Event& event) {
  if (event.begin) skipping_ = false;
  if (skipping_) return;
  switch (assembler_.add(event)) {
    case MessageAssembler::Result::incomplete: break;
    case MessageAssembler::Result::message: {
      const Bytes message = assembler_.message();
      if (!conversation_->adversary && scene_->knobs.plant != Plant::message_swallowed) {
        const Piece& piece = incoming().delivered_piece();
        const ConstBytes expected = payload_bytes(piece, 0, piece.size);
        const bool same =
            message.size() == expected.size() && std::equal(message.begin(), message.end(), expected.begin());
        if (!same) complain("content", "an assembled message is not what was sent");
      }
      if (prng_.chance(300)) assembler_.release();
      break;
    }
    case MessageAssembler::Result::exhausted:
      skipping_ = true;
      own().overloaded = true;
      if (endpoint.state() == ReadyState::open) own().asked_close = true;
      endpoint.close(CloseCode::message_too_big);
      break;
  }
}

void Application::on_ping(Endpoint& endpoint, const Event& event) {
  if (scene_->knobs.plant == Plant::ping_changed) event.bytes.back() ^= std::byte{1};
  if (!conversation_->adversary) {
    const std::string wrong = incoming().deliver_ping(event.bytes);
    if (!wrong.empty()) complain("control", wrong);
  }
  if (!scene_->side(side()).auto_pong) sender_.answer(endpoint, event.bytes);
}

void Application::on_pong(const Event& event) {
  if (conversation_->adversary) return;
  const std::string wrong = incoming().deliver_pong(event.bytes, outgoing());
  if (!wrong.empty()) complain("control", wrong);
}

void Application::on_peer_close(const Event& event) {
  own().peer_close = true;
  own().received = scene_->knobs.plant == Plant::code_changed ? CloseCode::bad_gateway : event.code;
  if (conversation_->adversary) return;
  // A Close frame goes behind all that was accepted before.
  if (!incoming().settled()) {
    complain("delivery", "the peer's Close comes after " + std::to_string(incoming().delivered()) + " of " +
                             std::to_string(incoming().accepted()) + " messages");
  }
  const std::string& reason = conversation_->endings[1 - side()].reason;
  // Without a block, either side may lose the reason.
  if (event.text() != reason && !(event.bytes.empty() && scene_->knobs.blocks_scarce)) {
    complain("codes", "the reason of the peer's Close is another one than was given");
  }
}

void Application::on_closed(const Endpoint& endpoint, const Event& event) {
  Ending& ending = own();
  const CloseStatus status = endpoint.close_status();
  ending.closed = true;
  ending.clean = event.end;
  ending.cause = event.error;
  ending.sent = status.sent;
  scene_->note(port_, event.end ? "closed clean" : "closed unclean", static_cast<std::uint64_t>(event.error),
               static_cast<std::uint64_t>(event.code));
  if (event.end) ++scene_->stats.clean;
  if (scene_->knobs.plant == Plant::memory_kept) scene_->host(side()).keep_memory();
  if (sender_.loans() != 0) complain("tokens", "the end comes before all borrowed memory is given back");
  if (status.clean != event.end || status.cause != event.error) {
    complain("events", "the last event and close_status() do not agree");
  }
  const CloseCode code = ending.peer_close ? event.code : CloseCode::abnormal;
  if (event.code != code) complain("codes", "the last event has another code than the peer's Close");
  if (event.end && !ending.peer_close) complain("codes", "a clean end without the peer's Close");
}

// --- what it does by itself -----------------------------------------------------------------------

Verdict Application::act_in_event(Endpoint& endpoint) {
  if (finishing_ || event_acts_left_ == 0 || !prng_.chance(actions().in_event)) return Verdict::keep;
  --event_acts_left_;
  return act(endpoint);
}

Verdict Application::act(Endpoint& endpoint) {
  const Actions& weights = actions();
  if (endpoint.state() == ReadyState::connecting && prng_.chance(weights.leave_connecting)) {
    own().left_early = true;
    endpoint.close();
    return Verdict::keep;
  }
  const unsigned all = weights.send + weights.part + weights.borrowed + weights.ping + weights.pong +
                       weights.pause + weights.close + weights.drop + weights.misuse + weights.text_broken;
  auto draw = static_cast<unsigned>(prng_.below(all));
  const auto is = [&draw](unsigned weight) {
    const bool chosen = draw < weight;
    draw -= weight;
    return chosen;
  };
  const bool planted = scene_->knobs.plant == Plant::dropped_in_secret && prng_.chance(50);
  if (planted || is(weights.drop)) {
    own().dropped = true;
    return Verdict::drop;
  }
  if (is(weights.part)) {
    sender_.send_part(endpoint);
  } else if (is(weights.borrowed)) {
    sender_.send_borrowed(endpoint);
  } else if (is(weights.ping)) {
    sender_.ping(endpoint);
  } else if (is(weights.pong)) {
    sender_.pong(endpoint);
  } else if (is(weights.pause)) {
    pause(endpoint);
  } else if (is(weights.close)) {
    close(endpoint);
  } else if (is(weights.misuse)) {
    sender_.misuse(endpoint);
  } else if (is(weights.text_broken)) {
    sender_.send_broken_text(endpoint);
  } else {
    sender_.send(endpoint);
  }
  return Verdict::keep;
}

void Application::broadcast(Endpoint& endpoint, SharedFrame& frame, const Piece& piece) {
  sender_.send_shared(endpoint, frame, piece);
}

void Application::pause(Endpoint& endpoint) {
  if (endpoint.state() != ReadyState::open || !may_pause()) return;
  endpoint.pause_input(true);
  schedule_resume();
}

void Application::schedule_resume() {
  if (scene_->knobs.plant == Plant::never_resumed) return;
  const Duration wait = prng_.between(Duration(0), std::chrono::seconds(2));
  scene_->scheduler.add(scene_->now + wait, TaskKind::resume, port_);
}

void Application::close(Endpoint& endpoint) {
  const CloseCode code = prng_.pick({CloseCode::normal, CloseCode::going_away, CloseCode::no_status,
                                     static_cast<CloseCode>(prng_.between(3000, 4999))});
  const Piece piece =
      whole_characters({MessageType::text, prng_.below(payload_offset_max), prng_.below(120)});
  const std::string reason(code == CloseCode::no_status ? "" : as_text(payload_bytes(piece, 0, piece.size)));
  const ReadyState before = endpoint.state();
  const std::error_code error = endpoint.close(code, reason);
  scene_->note(port_, "close", static_cast<std::uint64_t>(code), static_cast<std::uint64_t>(error.value()));
  const bool late = before == ReadyState::closing || before == ReadyState::closed;
  if (error != (late ? make_error_code(errc::already_closing) : std::error_code{})) {
    complain("commands", "close gives " + error.message());
  }
  if (before == ReadyState::open) {
    own().asked_close = true;
    own().reason = reason;
  }
  if (before == ReadyState::connecting) own().left_early = true;
}

void Application::finish(Endpoint& endpoint) {
  if (scene_->knobs.plant == Plant::never_resumed) return;
  finishing_ = true;
  if (own().closed) return;
  sender_.end_parts(endpoint);
  close(endpoint);
}

}  // namespace sansock::sim

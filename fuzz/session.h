// A Connection or an Endpoint with all that a fuzzer does to it. What is held, beside what
// tests/support/harness.h holds about events:
//
//   - a command that fails has changed nothing; one that succeeds has queued exactly its frame
//   - what gather() has offered stays where and what it is until consume() has passed it
//   - the output has its limit, and is a row of good frames: the messages that were accepted, in order
//   - each borrowed memory comes back once, at the latest with the end; each shared frame is let go
//   - closed comes exactly once, whatever happened, and no block of the pool is kept
#pragma once

#include <list>
#include <map>
#include <memory>

#include "check.h"
#include "harness.h"
#include "sansock/assembler.h"
#include "sansock/frame_format.h"
#include "settings.h"
#include "stream.h"
#include "test_entropy.h"
#include "test_pool.h"

namespace sansock::fuzz {

using testing::bytes_of;
using testing::Frame;
using testing::TestPool;
using testing::view_of;

// A byte of flags (1 text, 2 a size that is large) and a run, or a size and what fills it.
struct Payload {
  MessageType type = MessageType::binary;
  Data bytes;
};
inline Payload payload_of(Input& input) {
  constexpr std::array<std::uint32_t, 12> sizes = {125,  126,  127,    900,    1010,   1024,
                                                   4090, 5000, 16'380, 65'535, 65'536, 80'000};
  const unsigned flags = input.byte();
  Payload payload{(flags & 1) != 0 ? MessageType::text : MessageType::binary, {}};
  if ((flags & 2) == 0) {
    payload.bytes = input.run();
  } else {
    const std::size_t size = input.pick(sizes);
    payload.bytes = Data(size, static_cast<std::uint8_t>('a' + (flags >> 2) % 26));
  }
  return payload;
}

// Memory of messages with a bound, which is reached now and then.
class BoundedMemory final : public MessageMemory {
 public:
  static constexpr std::size_t size_max = 3000;

  Bytes resize(Bytes old, std::size_t size_used, std::size_t size_wanted) noexcept override {
    if (size_wanted > size_max) return {};
    auto* const memory = new std::byte[size_wanted];
    std::copy_n(old.begin(), size_used, memory);
    release(old);
    ++held_;
    return {memory, size_wanted};
  }
  void release(Bytes memory) noexcept override {
    if (memory.data() != nullptr) --held_;
    delete[] memory.data();
  }
  int held() const { return held_; }

 private:
  int held_ = 0;
};

// Whatever an error is, it can be told.
inline void check_error(std::error_code error) {
  if (!error) return;
  FUZZ_CHECK(error.category() == engine_category() && !error.message().empty());
  const auto cause = static_cast<errc>(error.value());
  const std::error_condition group = error.default_error_condition();
  FUZZ_CHECK(error == condition_for(cause) && group == condition_for(cause) && !group.message().empty());
  FUZZ_CHECK(!name(cause).empty() && !describe(cause).empty());
}

template <class Subject>
class Session {
 public:
  explicit Session(const Settings& settings)
      : stream(settings.role),
        pool_(settings.block_size),
        config_(settings.config),
        subject_(std::make_unique<Subject>(settings.role, with_memory(config_, settings.role))),
        h_(*subject_) {
    h_.draining = false;
    h_.handler = [this](const Event& event) { on_event(event); };
  }

  FrameStream stream;  // what the peer sends

  TestPool& pool() { return pool_; }

  // --- inputs -----------------------------------------------------------------------------------
  void feed(const Data& data) {
    if (!ended_) h_.feed(data);
  }
  void feed_good_head();
  void consume(std::size_t size) {
    h_.pump();
    if (subject_->output_size() == 0) return;
    forget_offer();
    h_.drain_some(size);
  }
  void wait(Duration time) { h_.advance(time); }
  // Early and spurious calls are no-ops.
  void tick() {
    const Instant deadline = subject_->deadline();
    const std::size_t size = subject_->output_size();
    if (deadline <= h_.now || subject_->input_paused()) return;
    h_.pump();
    subject_->handle_timeout(h_.now);
    FUZZ_CHECK(subject_->deadline() == deadline && subject_->output_size() == size);
    h_.pump();
  }
  void eof() {
    h_.pump();
    if (ended_ || !h_.stash().empty()) return;
    ended_ = true;
    h_.eof();
  }
  void abort() {
    h_.pump();
    h_.abort(errc::transport_error);
    FUZZ_CHECK(h_.closed());
  }
  void pause() { subject_->pause_input(true); }
  void resume() {
    if (ended_) return subject_->pause_input(false);
    h_.resume();
  }
  void detach() {
    h_.pump();
    FUZZ_CHECK(subject_->detach_input().empty());
  }
  // The peer's Pong for the newest of our Pings that has left.
  void feed_pong() {
    Data payload;
    bool found = false;
    for (const Frame& frame : testing::decode(frames_sent()).frames) {
      if (frame.opcode != testing::op_ping) continue;
      payload = frame.payload;
      found = true;
    }
    if (!found) return;
    const Duration before = subject_->round_trip();
    feed(testing::Peer(subject_->role()).frame(testing::op_pong, payload));
    FUZZ_CHECK(subject_->round_trip() >= Duration::zero() && before >= Duration::zero());
  }
  // An entropy source that gives only zeros: keys that must not be used.
  void break_entropy(bool broken) {
    entropy_.set(broken ? 0 : 0x37FA213D);
    entropy_broken_ = broken;
  }
  void toggle_draining() { h_.draining = !h_.draining; }
  void pause_at_next_event() { pause_at_next_ = true; }
  void break_pool(std::size_t k, bool all) {
    all ? pool_.fail_from(k) : pool_.fail_at(k);
    pool_broken_ = true;
  }

  // --- commands ---------------------------------------------------------------------------------
  void send(const Payload& payload) {
    command(
        frame_size(payload.bytes.size()),
        [&] { return subject_->send(payload.type, view_of(payload.bytes)); },
        [&] { record(payload, true, true); });
  }
  void send_part(const Payload& payload, bool end) {
    command(
        frame_size(payload.bytes.size()),
        [&] { return subject_->send_part(payload.type, view_of(payload.bytes), end); },
        [&] {
          record(payload, !in_parts_, end);
          in_parts_ = !end;
        });
  }
  void send_borrowed(const Payload& payload) {
    lent_.push_back(payload.bytes);
    const std::uint64_t token = ++last_token_;
    Data& memory = lent_.back();
    command(
        frame_size(payload.bytes.size()),
        [&] {
          return subject_->send_borrowed(payload.type, std::as_writable_bytes(std::span(memory)), token);
        },
        [&] {
          record(payload, true, true);
          out_[token] = h_.output.size() + subject_->output_size();
        });
  }
  void send_shared(const Payload& payload) {
    struct Owned : SharedFrame {
      Data memory;
    };
    auto* const frame = new Owned;
    frame->memory =
        testing::encode({.opcode = static_cast<unsigned>(payload.type), .payload = payload.bytes});
    std::byte header[frame_header_max];
    const std::size_t header_size = format_frame_header(header, payload.type, payload.bytes.size());
    FUZZ_CHECK(std::memcmp(header, frame->memory.data(), header_size) == 0 &&
               header_size + payload.bytes.size() == frame->memory.size());
    frame->bytes = view_of(frame->memory);
    frame->destroy = [](SharedFrame* gone) noexcept { delete static_cast<Owned*>(gone); };
    command(
        frame->memory.size(), [&] { return subject_->send_shared(*frame); },
        [&] { record(payload, true, true); });
    frame->release();
  }
  void ping(const Data& payload) {
    command(
        frame_size(payload.size()), [&] { return subject_->ping(view_of(payload)); }, [] {});
  }
  void pong(const Data& payload) {
    command(
        frame_size(payload.size()), [&] { return subject_->pong(view_of(payload)); }, [] {});
  }
  void close(CloseCode code, const std::string& reason) {
    // During the opening handshake it is another thing: an answer, or the end.
    const bool connecting = subject_->state() == ReadyState::connecting;
    const std::size_t before = subject_->output_size();
    const ReadyState state = subject_->state();
    const std::error_code error = subject_->close(code, reason);
    check_error(error);
    if (error) {
      FUZZ_CHECK(subject_->output_size() == before && subject_->state() == state);
    } else if (!connecting) {
      FUZZ_CHECK(state == ReadyState::open && subject_->output_size() > before && !subject_->input_paused());
    }
    h_.settle();
  }
  void offer() {
    forget_offer();
    IoSlice slices[16];
    const std::size_t count = subject_->gather(slices);
    for (std::size_t i = 0; i < count; ++i) {
      FUZZ_CHECK(slices[i].size > 0);
      const auto* const base = static_cast<const std::uint8_t*>(slices[i].base);
      offered_.push_back({slices[i], Data(base, base + slices[i].size)});
    }
  }
  void answer(Input& input);
  void connect(Input& input);

  // --- what holds after each operation ------------------------------------------------------------
  void check() {
    check_offer();
    const Limits& limits = config_.limits;
    // Our own Close and keep-alive Ping go beyond it, the Pongs have a limit of their own, and the
    // answer to an opening handshake lies in blocks too.
    std::uint64_t allowed = std::min<std::uint64_t>(limits.output_bytes_max, accepted_bytes_);
    allowed += std::uint64_t{limits.pong_bytes_max} + 2 * 131u;
    if (std::is_same_v<Subject, Endpoint>) allowed += pool_.block_size() + 1000;
    FUZZ_CHECK(subject_->output_size() <= allowed);
    if (h_.closed()) {
      FUZZ_CHECK(subject_->output_size() == 0 && subject_->deadline() == never && !subject_->wants_input());
      FUZZ_CHECK(out_.empty(), "borrowed memory did not come back before closed");
    }
  }
  // Leaves in one of the ways in which connections end.
  void finish() {
    pool_.fail_never();
    if (subject_->input_paused()) resume();
    if (!h_.closed()) {
      consume(static_cast<std::size_t>(-1));
      eof();
      check();
      wait(std::chrono::seconds(20));
      consume(static_cast<std::size_t>(-1));
      wait(std::chrono::seconds(20));
    }
    if (!h_.closed()) abort();
    check();
    h_.pump();
    FUZZ_CHECK(h_.events.count(EventKind::closed) == 1);
    check_output();
    assembler_.release();
    FUZZ_CHECK(memory_.held() == 0 && assembler_.capacity() == 0, "memory of messages was kept");
    FUZZ_CHECK(&subject_->config() == &config_);
    subject_.reset();
    FUZZ_CHECK(pool_.live() == 0, "blocks were kept");
  }

 private:
  struct Offered {
    IoSlice slice;
    Data copy;
  };
  struct Sent {
    unsigned opcode;
    bool fin;
    Data payload;
  };

  Config& with_memory(Config& config, Role role) {
    config.pool = &pool_;
    config.entropy = &entropy_;
    FUZZ_CHECK(validate(config, role) == errc::none);
    return config;
  }

  void on_event(const Event& event) {
    if (pause_at_next_) {
      pause_at_next_ = false;
      subject_->pause_input(true);
    }
    if (event.kind == EventKind::data) assemble(event);
    if (event.kind == EventKind::closed) check_error(event.error);
    if (event.kind == EventKind::sent) {
      const auto lent = out_.find(event.token);
      FUZZ_CHECK(lent != out_.end(), "a token that is not out");
      FUZZ_CHECK((event.error == errc::none) == (h_.output.size() >= lent->second), "sent or not");
      out_.erase(lent);
    }
    if (event.kind == EventKind::request || event.kind == EventKind::open) check_views();
  }
  void check_views();
  void assemble(const Event& event) {
    if (event.begin) assembling_ = true;
    if (!assembling_) return;  // of a message that did not fit
    assembled_size_ = (event.begin ? 0 : assembled_size_) + event.bytes.size();
    switch (assembler_.add(event)) {
      case MessageAssembler::Result::incomplete: FUZZ_CHECK(!event.end); return;
      case MessageAssembler::Result::message:
        FUZZ_CHECK(event.end && bytes_of(assembler_.message()) == h_.events.messages().back());
        return;
      case MessageAssembler::Result::exhausted:
        FUZZ_CHECK(2 * assembled_size_ >= BoundedMemory::size_max && !assembler_.collecting());
        assembling_ = false;
    }
  }

  std::size_t frame_size(std::size_t payload) const {
    const std::size_t length = payload < 126 ? 0u : payload < 65'536 ? 2u : 8u;
    return 2 + length + payload + (subject_->role() == Role::client ? 4u : 0u);
  }

  template <class Call, class Then>
  void command(std::size_t size, Call&& call, Then&& then) {
    const std::size_t before = subject_->output_size();
    const ReadyState state = subject_->state();
    const std::error_code error = call();
    check_error(error);
    if (error) check_reason(static_cast<errc>(error.value()), state, before, size);
    FUZZ_CHECK(subject_->state() == state);
    if (error) {
      FUZZ_CHECK(subject_->output_size() == before, error.message());
    } else {
      FUZZ_CHECK(state == ReadyState::open && subject_->output_size() == before + size);
      FUZZ_CHECK(before + size <= config_.limits.output_bytes_max);
      accepted_bytes_ += size;
      then();
    }
    h_.settle();
  }
  // An error says what is the matter; nothing that is long past may cause one.
  void check_reason(errc error, ReadyState state, std::size_t before, std::size_t size) {
    const std::size_t limit = config_.limits.output_bytes_max;
    switch (error) {
      case errc::not_open: return holds(state == ReadyState::connecting);
      case errc::already_closing: return holds(state == ReadyState::closing || state == ReadyState::closed);
      case errc::message_unfinished:
      case errc::message_type_changed: return holds(in_parts_);
      case errc::output_full: return holds(before + size > limit && size <= limit);
      case errc::message_over_limit: return holds(size > limit);
      case errc::blocks_exhausted: return holds(pool_broken_);
      case errc::entropy_failed: return holds(entropy_broken_ && subject_->role() == Role::client);
      case errc::text_not_utf8: return holds(config_.check_sent_text);
      case errc::control_payload_too_long: return holds(size > control_payload_max);
      case errc::role_wrong: return holds(subject_->role() == Role::client);
      default: FUZZ_CHECK(false, std::string(name(error)));
    }
  }
  static void holds(bool condition) { FUZZ_CHECK(condition, "an error without its cause"); }
  void record(const Payload& payload, bool begin, bool end) {
    sent_.push_back(
        {begin ? static_cast<unsigned>(payload.type) : testing::op_continuation, end, payload.bytes});
  }

  void forget_offer() {
    check_offer();
    offered_.clear();
  }
  void check_offer() {
    if (subject_->state() == ReadyState::closed) offered_.clear();
    if (offered_.empty()) return;
    // With draining on, some of it may be gone by now.
    if (h_.draining) return offered_.clear();
    IoSlice slices[16];
    const std::size_t count = subject_->gather(slices);
    FUZZ_CHECK(count >= offered_.size());
    for (std::size_t i = 0; i < offered_.size(); ++i) {
      const Offered& was = offered_[i];
      FUZZ_CHECK(slices[i].base == was.slice.base && slices[i].size >= was.slice.size);
      FUZZ_CHECK(std::memcmp(slices[i].base, was.copy.data(), was.copy.size()) == 0);
    }
  }

  // What has left behind the head; empty if there is no more.
  Data frames_sent() const {
    Data frames = h_.output;
    if (std::is_same_v<Subject, Endpoint>) {
      const std::string text = testing::string_of(frames);
      const std::size_t end = text.find("\r\n\r\n");
      const bool upgraded = subject_->role() == Role::client || text.rfind("HTTP/1.1 101 ", 0) == 0;
      if (end == text.npos || !upgraded) return {};
      frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(end + 4));
    }
    return frames;
  }
  // All that has left, against what was accepted.
  void check_output() const {
    std::size_t next = 0;
    bool closed = false;
    for (const Frame& frame : testing::decode(frames_sent()).frames) {
      FUZZ_CHECK(!closed, "a frame after our Close");
      FUZZ_CHECK(frame.rsv == 0 && frame.key.has_value() == (subject_->role() == Role::client));
      closed = frame.opcode == testing::op_close;
      if (frame.opcode >= 8) {
        FUZZ_CHECK(frame.fin && frame.payload.size() <= control_payload_max && frame.opcode <= 10);
        continue;
      }
      FUZZ_CHECK(next < sent_.size(), "a message that nobody sent");
      const Sent& sent = sent_[next++];
      FUZZ_CHECK(frame.opcode == sent.opcode && frame.fin == sent.fin && frame.payload == sent.payload);
    }
    if (subject_->close_status().clean) FUZZ_CHECK(closed && next == sent_.size());
  }

  TestPool pool_;
  testing::ConstantEntropy entropy_{0x37FA213D};
  Config config_;
  std::unique_ptr<Subject> subject_;
  testing::Harness<Subject> h_;
  std::list<Data> lent_;
  std::map<std::uint64_t, std::size_t> out_;  // lent and not back yet: where its frame ends in the output
  std::uint64_t last_token_ = 0;
  std::vector<Offered> offered_;
  std::vector<Sent> sent_;
  BoundedMemory memory_;
  MessageAssembler assembler_{memory_};
  bool assembling_ = false;
  std::size_t assembled_size_ = 0;
  std::uint64_t accepted_bytes_ = 0;  // of all commands so far
  bool pool_broken_ = false;          // at some time
  bool entropy_broken_ = false;
  bool in_parts_ = false;
  bool ended_ = false;
  bool pause_at_next_ = false;
};

// --- the opening handshake, where there is one ------------------------------------------------------

template <class Subject>
void Session<Subject>::feed_good_head() {
  if constexpr (std::is_same_v<Subject, Endpoint>) {
    constexpr std::string_view request =
        "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: chat, superchat\r\n\r\n";
    constexpr std::string_view response =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: 7Ubo2JRe6fIuZAdGHq7kDA4XEQ0=\r\n\r\n";
    feed(bytes_of(subject_->role() == Role::server ? request : response));
  }
}

// Reads every view that a handler may read.
template <class Subject>
void Session<Subject>::check_views() {
  if constexpr (std::is_same_v<Subject, Endpoint>) {
    if (const Request* const request = subject_->request()) {
      std::size_t size = request->method().size() + request->target().size() + request->path().size() +
                         request->query().size() + request->host().size() + request->origin().size() +
                         request->subprotocols().size() + request->extensions().size();
      request->for_each_header([&](const Header& line) { size += line.name.size() + line.value.size(); });
      FUZZ_CHECK(size <= 10 * pool_.block_size());
      FUZZ_CHECK(!request->offers_subprotocol("") && request->version() <= 13);
    }
    if (const Response* const response = subject_->response())
      FUZZ_CHECK(response->status() == 101 && response->body().empty() &&
                 response->reason().size() < 65'536 &&
                 response->subprotocol().size() + response->extensions().size() < 65'536);
  }
}

template <class Subject>
void Session<Subject>::answer(Input& input) {
  if constexpr (std::is_same_v<Subject, Endpoint>) {
    constexpr std::array<std::uint16_t, 10> statuses = {200, 204, 304, 401, 404, 503, 101, 199, 600, 299};
    const unsigned choice = input.byte();
    const std::string name = input.text();
    const std::string value = (choice & 8) != 0 ? input.text() : "chat";
    const Header headers[] = {{name, value}};
    const auto extra = std::span<const Header>(headers).first((choice & 4) != 0 ? 1u : 0u);
    const std::size_t before = subject_->output_size();
    std::error_code error;
    switch (choice & 3) {
      case 0:
        error =
            subject_->accept({.subprotocol = (choice & 16) != 0 ? value : std::string(), .headers = extra});
        break;
      case 1: error = subject_->accept(); break;
      case 2: {
        const std::uint16_t status = statuses[(choice >> 4) % statuses.size()];
        error = subject_->respond({.status = status, .headers = extra, .body = view_of(bytes_of(value))});
        break;
      }
      default: error = subject_->defer();
    }
    if (error || (choice & 3) == 3) FUZZ_CHECK(subject_->output_size() == before);
    if (!error && (choice & 3) < 2) resume();
    h_.settle();
  }
}

template <class Subject>
void Session<Subject>::connect(Input& input) {
  if constexpr (std::is_same_v<Subject, Endpoint>) {
    const unsigned choice = input.byte();
    const std::string host = (choice & 1) != 0 ? input.text() : "example.com";
    const std::string target = (choice & 2) != 0 ? input.text() : "/chat";
    const std::string extra = (choice & 4) != 0 ? input.text() : "";
    const Header headers[] = {{"X-Extra", extra}};
    static constexpr std::string_view subprotocols[] = {"chat"};
    const std::size_t before = subject_->output_size();
    const std::error_code error =
        subject_->connect({.host = host,
                           .target = target,
                           .origin = (choice & 8) != 0 ? "https://example.com" : "",
                           .subprotocols = std::span(subprotocols).first((choice & 16) != 0 ? 1u : 0u),
                           .headers = std::span<const Header>(headers).first((choice & 4) != 0 ? 1u : 0u),
                           .authorization = (choice & 32) != 0 ? "Basic YTpi" : "",
                           .version = (choice & 64) != 0 ? 8 : 13});
    if (error) FUZZ_CHECK(subject_->output_size() == before);
    h_.settle();
  }
}

}  // namespace sansock::fuzz

// One WebSocket connection after its opening handshake, as a state machine without I/O.
//
// Four kinds of methods:
//   inputs     feed, feed_eof, handle_timeout, consume, abort: what happened to the transport
//   commands   send…, ping, close, pause_input: what the application wants
//   polls      poll, gather, deadline, transport_action: what is to be done next
//   observers  the rest
//
// After any input call, call poll() until it gives EventKind::none before the next input call.
// Everything that was fed is then consumed; the caller never keeps a tail and never feeds a byte
// twice. The exception is announced: while input_paused(), poll() stops early, and detach_input()
// hands back what was not looked at yet.
//
// Commands have the strong guarantee: if they return an error, nothing has changed.
#pragma once

#include <optional>
#include <string_view>
#include <system_error>

#include "sansock/detail/close_machine.h"
#include "sansock/detail/out_queue.h"
#include "sansock/event.h"
#include "sansock/kernels.h"
#include "sansock/limits.h"

namespace sansock {

class Endpoint;

// How a connection ended, or stands.
struct CloseStatus {
  CloseCode sent = CloseCode::none;      // the code that we sent; no_status for an empty Close
  CloseCode received = CloseCode::none;  // the code that the peer sent; no_status likewise
  bool clean = false;                    // the closing handshake was complete
  errc cause = errc::none;               // what ended it, if it was not a clean close
};

class Connection {
 public:
  // A connection whose opening handshake was done elsewhere. `config`, its pool, its entropy source and its
  // codec must outlive it. Its first deadline is `at_once`: handle_timeout() tells it the time.
  Connection(Role role, const Config& config) noexcept;
  // The same where it has agreed on compression; `stream` is one of config.codec, and the connection's now.
  Connection(Role role, const Config& config, CodecStream& stream, const DeflateParameters& agreed) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  // Gives its blocks back. Borrowed memory is the caller's again, without an event.
  ~Connection();

  // --- inputs -----------------------------------------------------------------------------------
  // Borrows `input` until poll() gives `none`; it is unmasked in place. Empty input is a no-op.
  // `now` never goes back.
  void feed(Bytes input, Instant now) noexcept {
    if (!settled_ || input_ != input_end_) [[unlikely]]
      __builtin_trap();
    if (input.empty()) return;
    if (now < input_at_) [[unlikely]]
      __builtin_trap();
    settled_ = 0;
    if (phase_at_ == at_once) phase_at_ = now;
    input_at_ = now;
    if (phase_ != detail::Phase::open && input_ended()) return;
    input_ = input.data();
    input_end_ = input_ + input.size();
  }
  // The transport's read half has ended; nothing is fed afterwards.
  void feed_eof(Instant now) noexcept;
  // A deadline may have passed. Early or spurious calls are no-ops.
  void handle_timeout(Instant now) noexcept;
  // The transport took the oldest `written` bytes of what gather() gave.
  void consume(std::size_t written, Instant now) noexcept;
  // The same, if that is all there was and neither an event nor another deadline follows from it: then
  // there is nothing to poll. Otherwise false, and nothing has happened.
  bool consume_whole(std::size_t written) noexcept {
    if (!at_rest() || written != out_.size() || !out_.consume_first(*config_->pool)) return false;
    lent_ = 0;
    return true;
  }
  // The same for all that gather_whole() gave, when nothing has happened since then.
  void consume_gathered() noexcept {
    if (!out_.offered_all()) [[unlikely]]
      __builtin_trap();
    out_.release_first(*config_->pool);
  }
  // The transport is gone (errc::transport_error) or is to be dropped without a closing handshake
  // (errc::aborted, or an adapter's own deadline). Unsent output is discarded.
  void abort(errc cause) noexcept;

  // --- polls ------------------------------------------------------------------------------------
  Event poll() noexcept { return between_messages() ? poll_between() : poll_any(); }
  // Fills `slices` with queued output, oldest first; returns how many. The memory stays where it
  // is until consume() has passed it. Calling it again gives the same bytes again.
  std::size_t gather(std::span<IoSlice> slices) noexcept { return out_.gather(slices); }
  // The same, if all of it is one slice and consume_whole() will do. Otherwise false.
  bool gather_whole(IoSlice& slice) noexcept { return at_rest() && out_.gather_first(slice); }
  // An asynchronous transport reads what gather() gave while other things happen: until the next
  // consume(), which may say 0, none of that memory is released, whatever ends the connection.
  // Event::sent of a lent segment and Event::closed wait for that consume().
  void lend_output() noexcept {
    if (phase_ == detail::Phase::closed || out_.empty()) [[unlikely]]
      __builtin_trap();
    lent_ = 1;
  }
  // When to call handle_timeout(): `never`, or `at_once` after a command that armed a timer.
  Instant deadline() const noexcept;
  // Whether the connection is open and reads on, with no deadline but that of its next keep-alive: which
  // is most often so between two messages. `deadline` is that one then.
  bool calm(Instant& deadline) const noexcept {
    const Timeouts& timeouts = config_->timeouts;
    if (phase_ != detail::Phase::open || in_message_ || paused_ || ping_queued_ || !seen_data_ ||
        ping_at_ != never || timeouts.idle != no_timeout || input_at_ == at_once || phase_at_ == at_once) {
      return false;
    }
    deadline = after(input_at_, timeouts.ping_interval);
    return true;
  }
  TransportAction transport_action() const noexcept {
    if (phase_ == detail::Phase::closed) return TransportAction::close;
    return phase_ == detail::Phase::lingering ? TransportAction::shutdown_write : TransportAction::keep;
  }

  // --- commands ---------------------------------------------------------------------------------
  // Sends a whole message; copied (and masked by a client) in one pass.
  std::error_code send(MessageType type, ConstBytes payload) noexcept;
  std::error_code send(MessageType type, ConstBytes payload, Compression compression) noexcept;
  std::error_code send(std::string_view text) noexcept { return send(MessageType::text, as_bytes(text)); }
  // The same, for callers that have no use for a std::error_code.
  errc send_message(MessageType type, ConstBytes payload) noexcept;
  // Sends one fragment of a message; `end` makes it the last. The first part decides the type, and with its
  // size and `compression` whether the message is compressed.
  std::error_code send_part(MessageType type, ConstBytes payload, bool end,
                            Compression compression = Compression::automatic) noexcept;
  // Sends a whole message without copying it, and so without compressing it. The memory is the engine's,
  // which may mask it in place, until Event::sent with this token; it comes also when the connection ends
  // before.
  std::error_code send_borrowed(MessageType type, Bytes payload, std::uint64_t token) noexcept;
  // Server: sends a frame that was encoded once for many connections. Takes a reference of its own. One that
  // is compressed: errc::compression_not_agreed where it can not be; see SharedFrame::deflate_window_bits.
  std::error_code send_shared(SharedFrame& frame) noexcept;
  std::error_code ping(ConstBytes payload = {}) noexcept;
  // A Pong that answers no Ping (RFC 6455 section 5.5.3), or a late answer with auto_pong off.
  std::error_code pong(ConstBytes payload = {}) noexcept;
  // Starts the closing handshake. CloseCode::no_status sends a Close frame without a code.
  // Input is no longer paused from here on, so that the peer's reply can be read.
  std::error_code close(CloseCode code = CloseCode::normal, std::string_view reason = {}) noexcept;
  // true: poll() gives no further data; see detach_input(). No effect once closing.
  void pause_input(bool paused) noexcept;
  // Hands back the part of the fed input that was not looked at, and forgets it. To be fed again
  // after pause_input(false). Empty unless paused.
  Bytes detach_input() noexcept {
    const Bytes rest{input_, input_end_};
    input_ = input_end_;
    return rest;
  }

  // --- observers --------------------------------------------------------------------------------
  Role role() const noexcept { return client_ ? Role::client : Role::server; }
  ReadyState state() const noexcept {
    if (phase_ == detail::Phase::open) return ReadyState::open;
    if (phase_ == detail::Phase::handshake) return ReadyState::connecting;
    // Not ahead of the events: lent memory may have to come back before the closed event.
    return closed_given_ ? ReadyState::closed : ReadyState::closing;
  }
  bool input_paused() const noexcept { return paused_; }
  bool output_lent() const noexcept { return lent_; }
  // Bytes that gather() would give in all: what is queued and not yet consumed.
  std::size_t output_size() const noexcept { return out_.size(); }
  // false once the connection is over, or will be without reading on.
  bool wants_input() const noexcept { return !paused_ && !input_ended(); }
  CloseStatus close_status() const noexcept;
  // Of the newest keep-alive Ping that was answered; zero before the first.
  Duration round_trip() const noexcept { return std::chrono::microseconds(round_trip_us_); }
  const Config& config() const noexcept { return *config_; }
  // What was agreed on permessage-deflate, also after the end; nullopt if it is not in use.
  std::optional<DeflateParameters> deflate() const noexcept {
    return agreed_.server_window_bits == 0 ? std::nullopt : std::optional(agreed_);
  }

 private:
  friend class Endpoint;
  enum class Wait : std::uint8_t { header, payload, control_payload };

  // What the Endpoint needs around the opening handshake.
  Connection(Role role, const Config& config, detail::Phase phase) noexcept;
  void open(const Config& config) noexcept;
  // The same with permessage-deflate. `stream` is one of config.codec, and the connection's from here on.
  void open(const Config& config, CodecStream& stream, const DeflateParameters& agreed) noexcept;
  void compress_with(CodecStream& stream, const DeflateParameters& agreed) noexcept;
  errc queue_handshake(ConstBytes head, ConstBytes body) noexcept;
  void fail_handshake(errc cause) noexcept;
  ConstBytes unread() const noexcept { return {input_, input_end_}; }

  // Whether the transport's read half is over, or of no interest any more.
  bool input_ended() const noexcept {
    return phase_ == detail::Phase::closed || phase_ == detail::Phase::eof_flushing ||
           phase_ == detail::Phase::done_flushing;
  }
  // Whether the next byte, if there is one, begins a frame of an open connection outside of any message,
  // and no other event is due.
  bool between_messages() const noexcept {
    return phase_ == detail::Phase::open && wait_ == Wait::header && header_size_ == 0 && !in_message_ &&
           !paused_ && !inflated_held_ && block_ == nullptr && !out_.has_sent();
  }
  // Whether nothing follows when output leaves. All input is read.
  bool at_rest() const noexcept {
    return phase_ == detail::Phase::open && wait_ == Wait::header && header_size_ == 0 && !in_message_ &&
           !paused_ && !ping_queued_ && settled_ && pong_end_ == 0 && block_ == nullptr &&
           input_ == input_end_;
  }
  bool past_opening() const noexcept { return phase_ != detail::Phase::handshake && !opening_; }

  // Only between two messages.
  Event poll_between() noexcept {
    if (input_ != input_end_) return poll_input();
    settled_ = 1;
    return {};
  }

  // connection_poll.cpp
  Event poll_input() noexcept;
  Event poll_other_text(Bytes text, MaskKey key) noexcept;
  Event poll_long() noexcept;
  Event message_event(MessageType type, Bytes payload) noexcept;
  Event poll_any() noexcept;

  // connection_read.cpp
  bool readable() const noexcept;
  Event read_step() noexcept;
  Event read_header() noexcept;
  errc check_header(const std::byte* header, std::size_t size) const noexcept;
  errc check_first_byte(unsigned byte) const noexcept;
  errc check_length(const std::byte* header) const noexcept;
  void begin_frame(const std::byte* header) noexcept;
  Event read_payload() noexcept;
  std::size_t take_text(Bytes run) noexcept;
  Event data_event(Bytes run, bool end) noexcept;
  Event read_control() noexcept;
  Event collect_control() noexcept;
  void skip_control(Bytes part) noexcept;
  Event finish_control(Bytes payload) noexcept;
  Event receive_close(Bytes payload) noexcept;
  Event receive_pong(Bytes payload) noexcept;
  errc count_control() noexcept;
  void discard() noexcept;

  // connection_deflate.cpp
  Event read_compressed() noexcept;
  MessageCodec::Inflated inflate_piece(Bytes piece, bool last) noexcept;
  Event inflated_event(const MessageCodec::Inflated& made, bool end) noexcept;
  std::size_t valid_text(ConstBytes run) noexcept;
  void release_inflated() noexcept;
  void close_stream() noexcept;
  bool wants_deflate(std::size_t size, Compression compression) const noexcept;
  errc send_deflated(MessageType type, ConstBytes payload, Compression compression) noexcept;
  errc send_part_deflated(unsigned first_byte, ConstBytes payload, bool end) noexcept;

  // connection_write.cpp
  errc send_in_block(MessageType type, ConstBytes payload) noexcept;
  errc send_any(MessageType type, ConstBytes payload, Compression compression) noexcept;
  errc check_sendable(std::size_t payload_size) const noexcept;
  errc check_room(std::size_t size) const noexcept;
  bool checks_text(MessageType type) const noexcept {
    return type == MessageType::text && config_->check_sent_text;
  }
  errc check_text(ConstBytes payload, bool begin, bool end) noexcept;
  errc queue_frame(unsigned first_byte, ConstBytes payload) noexcept;
  errc queue_in_pieces(unsigned first_byte, ConstBytes payload, MaskKey key) noexcept;
  errc queue_control(unsigned opcode, ConstBytes payload) noexcept;
  void queue_pong(ConstBytes payload) noexcept;
  void queue_close(CloseCode code, std::string_view reason) noexcept;
  bool draw_key(MaskKey& key) noexcept;

  // connection_close.cpp
  void fail(errc cause) noexcept;
  void advance(detail::CloseInput input) noexcept;
  Event closed_event() noexcept;
  bool discarding() const noexcept;
  void release_control_block() noexcept;

  // `at` plus `wait`, without overflow; `never` for a deadline that is switched off.
  static Instant after(Instant at, Duration wait) noexcept {
    return wait == no_timeout || at > never - wait ? never : at + wait;
  }

  // connection_time.cpp
  void arm(Instant now) noexcept {
    if (input_at_ == at_once) input_at_ = now;
    if (phase_at_ == at_once) phase_at_ = now;
  }
  void expire(Instant now) noexcept;
  void send_keep_alive(Instant now) noexcept;
  errc silence_error(Instant now) const noexcept;
  bool awaiting_pong() const noexcept;
  Instant silence_deadline() const noexcept;
  Instant message_deadline() const noexcept;

  const Config* config_;
  std::byte* input_ = nullptr;  // the unread part of what was fed
  std::byte* input_end_ = nullptr;
  detail::OutQueue out_;
  // The frame under way. While waiting for a header, the bytes of one that was cut; afterwards what
  // is left of its payload, and its key.
  union Frame {
    std::byte header[frame_header_max];
    struct {
      std::uint64_t remaining;
      MaskKey key;
    } payload;
    Frame() noexcept : payload{0, {}} {}
  } frame_;
  CodecStream* stream_ = nullptr;  // of Config::codec, where compression was agreed on
  std::byte* block_ = nullptr;  // holds the opening handshake (`opening_`), or a control payload that was cut
  std::uint64_t message_size_ = 0;  // payload bytes announced by the frames of this message
  // `at_once` in the next two: the time is not known yet, the next input call brings it.
  Instant input_at_ = at_once;   // when the peer was last heard
  Instant phase_at_ = at_once;   // start of: handshake, first message wait, message under way, closing
  Instant ping_at_ = never;      // when the unanswered keep-alive Ping was sent
  std::uint32_t fragments_ = 0;  // of this message; while discarding: bytes discarded
  static constexpr std::uint32_t second_unknown = UINT32_MAX;
  std::uint32_t control_second_ = second_unknown;  // in which control_count_ was counted
  std::uint32_t control_count_ = 0;
  std::uint32_t ping_id_ = 0;  // payload of the newest keep-alive Ping
  std::uint32_t round_trip_us_ = 0;
  std::uint32_t pong_bytes_ = 0;  // an upper bound of queued, unsent pongs
  std::uint32_t pong_end_ = 0;    // output bytes up to the end of the newest of them
  std::uint16_t fragments_empty_ = 0;
  DeflateParameters agreed_{.server_window_bits = 0};  // 0: nothing was
  CloseCode close_sent_ = CloseCode::none;
  CloseCode close_received_ = CloseCode::none;
  errc cause_ = errc::none;
  Utf8State utf8_;                 // of the text being received; of a reason that can not be kept
  Utf8State send_utf8_;            // of the text being sent (Config::check_sent_text)
  std::uint8_t control_size_ = 0;  // bytes of a cut control payload that arrived
  std::uint8_t pong_tail_ = 0;     // size of the Pong that is the newest frame queued, or 0
  // What poll() looks at first lies together, so that it is compared at once.
  detail::Phase phase_ : 4;
  Wait wait_ : 2 = Wait::header;
  std::uint8_t in_message_ : 1 = 0;  // between the first and the last frame of a message
  std::uint8_t paused_ : 1 = 0;
  std::uint8_t header_size_ : 4 = 0;  // bytes of a cut header in frame_.header
  std::uint8_t client_ : 1;
  std::uint8_t sending_ : 1 = 0;      // between two parts of a message being sent
  std::uint8_t ping_queued_ : 1 = 0;  // a keep-alive Ping is in the output queue
  std::uint8_t seen_data_ : 1 = 0;    // the first data frame has come
  std::uint8_t settled_ : 1 = 1;      // poll() gave none after the last input
  std::uint8_t opcode_ : 4 = 0;       // of the frame under way
  std::uint8_t fin_ : 1 = 0;
  std::uint8_t begun_ : 1 = 0;                  // the message's first data event was given
  MessageType type_ : 2 = MessageType::binary;  // of the message being received
  MessageType send_type_ : 2 = MessageType::binary;
  std::uint8_t opening_ : 1 = 0;  // the Endpoint's opening handshake is in block_
  std::uint8_t closed_given_ : 1 = 0;
  std::uint8_t clean_ : 1 = 0;
  std::uint8_t lent_ : 1 = 0;           // the transport is reading queued output; see lend_output()
  std::uint8_t compressed_ : 1 = 0;     // the message being received
  std::uint8_t inflate_more_ : 1 = 0;   // there is more to be made of it without further input
  std::uint8_t inflated_held_ : 1 = 0;  // the codec keeps what the last event has shown
  std::uint8_t deflate_ : 1 = 0;        // stream_ is there
  std::uint8_t send_deflated_ : 1 = 0;  // the message being sent in parts is compressed
};

static_assert(sizeof(Connection) <= 192, "the budget of an idle connection (DESIGN section 2, rule 10)");

}  // namespace sansock

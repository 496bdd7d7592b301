// A WebSocket from its first byte to its last: an opening handshake in front of a Connection,
// behind the same calls. This is what adapters, the simulator and fuzzers drive.
//
//   server:  request -> accept() or respond(), at once or later -> open -> data … -> closed
//   client:  connect() -> open -> data … -> closed
//
// See connection.h for the rules of the calls; they hold here without exception.
#pragma once

#include "sansock/connection.h"
#include "sansock/handshake.h"

namespace sansock {

class Endpoint {
 public:
  // A server's endpoint waits for a request; a client's for connect(). `config` is used until
  // accept() names another one.
  Endpoint(Role role, const Config& config) noexcept;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint();

  // --- the opening handshake --------------------------------------------------------------------
  // Client: queues the request. Once. If the server then accepts permessage-deflate and Config::codec has no
  // memory for it, the connection ends with errc::codec_exhausted: what the server sends could not be read.
  std::error_code connect(const ClientRequest& request) noexcept;

  // Server, from Event::request on: upgrades. May come later than the event: until then input is
  // paused and the opening handshake's deadline runs. Accepts permessage-deflate if the connection's config
  // has a codec, which has memory, and the options for an offer of the client; see deflate().
  // errc::no_request if Event::request carried an error, or there is none; errc::already_answered.
  std::error_code accept(const AcceptOptions& options = {}) noexcept;
  // Server, from Event::request on: answers with anything but 101 and closes. If Event::request
  // carries an error and neither respond() nor defer() is called before the next poll(), the
  // default refusal for that error is sent.
  std::error_code respond(const HttpResponse& response) noexcept;
  // Server, at an Event::request with an error: respond() will be called later.
  std::error_code defer() noexcept;

  // Server: the request, from Event::request until the poll() after Event::open; client: the
  // response, from Event::open (until the next poll()) or Event::closed on. Otherwise nullptr.
  const Request* request() const noexcept;
  const Response* response() const noexcept;

  // --- inputs, polls, commands and observers of Connection --------------------------------------
  void feed(Bytes input, Instant now) noexcept { connection_.feed(input, now); }
  void feed_eof(Instant now) noexcept;
  void handle_timeout(Instant now) noexcept;
  void consume(std::size_t written, Instant now) noexcept { connection_.consume(written, now); }
  bool consume_whole(std::size_t written) noexcept { return connection_.consume_whole(written); }
  void consume_gathered() noexcept { connection_.consume_gathered(); }
  void abort(errc cause) noexcept { connection_.abort(cause); }

  Event poll() noexcept {
    if (connection_.between_messages()) return connection_.poll_between();
    return connection_.past_opening() ? connection_.poll_any() : poll_opening();
  }
  std::size_t gather(std::span<IoSlice> slices) noexcept { return connection_.gather(slices); }
  bool gather_whole(IoSlice& slice) noexcept { return connection_.gather_whole(slice); }
  void lend_output() noexcept { connection_.lend_output(); }
  Instant deadline() const noexcept { return connection_.deadline(); }
  bool calm(Instant& deadline) const noexcept { return connection_.calm(deadline); }
  TransportAction transport_action() const noexcept { return connection_.transport_action(); }

  std::error_code send(MessageType type, ConstBytes payload) noexcept {
    return connection_.send(type, payload);
  }
  std::error_code send(MessageType type, ConstBytes payload, Compression compression) noexcept {
    return connection_.send(type, payload, compression);
  }
  std::error_code send(std::string_view text) noexcept { return connection_.send(text); }
  errc send_message(MessageType type, ConstBytes payload) noexcept {
    return connection_.send_message(type, payload);
  }
  std::error_code send_part(MessageType type, ConstBytes payload, bool end,
                            Compression compression = Compression::automatic) noexcept {
    return connection_.send_part(type, payload, end, compression);
  }
  std::error_code send_borrowed(MessageType type, Bytes payload, std::uint64_t token) noexcept {
    return connection_.send_borrowed(type, payload, token);
  }
  std::error_code send_shared(SharedFrame& frame) noexcept { return connection_.send_shared(frame); }
  std::error_code ping(ConstBytes payload = {}) noexcept { return connection_.ping(payload); }
  std::error_code pong(ConstBytes payload = {}) noexcept { return connection_.pong(payload); }
  // During the opening handshake: ends it; a server answers 503, a client just leaves.
  std::error_code close(CloseCode code = CloseCode::normal, std::string_view reason = {}) noexcept;
  void pause_input(bool paused) noexcept { connection_.pause_input(paused); }
  Bytes detach_input() noexcept { return connection_.detach_input(); }

  Role role() const noexcept { return connection_.role(); }
  ReadyState state() const noexcept { return connection_.state(); }
  // Also true while a request waits for its answer.
  bool input_paused() const noexcept {
    return connection_.input_paused() || (!connection_.past_opening() && awaits_answer());
  }
  // Open and reading, and the next byte begins a message.
  bool between_messages() const noexcept { return connection_.between_messages(); }
  bool output_lent() const noexcept { return connection_.output_lent(); }
  std::size_t output_size() const noexcept { return connection_.output_size(); }
  bool wants_input() const noexcept { return connection_.wants_input() && !input_paused(); }
  CloseStatus close_status() const noexcept { return connection_.close_status(); }
  Duration round_trip() const noexcept { return connection_.round_trip(); }
  const Config& config() const noexcept { return connection_.config(); }
  std::optional<DeflateParameters> deflate() const noexcept { return connection_.deflate(); }

 private:
  struct Opening;  // lies in a block of the pool, with the head's memory behind it

  bool begin_opening() noexcept;
  void end_opening() noexcept;
  static std::size_t head_size(const Config& config) noexcept;
  Bytes answer_memory() const noexcept;
  errc check_asked() const noexcept;
  errc queue_accept(const AcceptOptions& options, const DeflateOptions* deflate) noexcept;
  void open(const Config& config, CodecStream* stream,
            const std::optional<DeflateParameters>& deflate) noexcept;
  // The opening handshake; nullptr before its first byte and after the poll() behind Event::open.
  Opening* opening() const noexcept;
  bool awaits_answer() const noexcept;
  Event poll_opening() noexcept;
  Event step_opening() noexcept;
  Event poll_server() noexcept;
  Event poll_client() noexcept;
  void refuse(errc cause) noexcept;
  bool refused_by_server() noexcept;

  Connection connection_;
};

static_assert(sizeof(Endpoint) <= 192, "the budget of an idle connection");

}  // namespace sansock

// Endpoint: an opening handshake in front of a Connection. Theory of operation:
//
//   server   reading --head complete--> asked --accept()--> opened --poll()--> given --poll()--> (gone)
//                                         |                 Event::open
//                                         +--respond(), or poll() with an error--> answered --> (gone)
//   client   reading --response good--> given --poll()--> (gone)
//                    --response bad---> answered (kept, for response())
//
// All of it lies in one block of the pool, from the first byte of a head to the poll() after
// Event::open: a server connection that has sent nothing yet, and one that is open, hold none.
#include "sansock/endpoint.h"

#include <algorithm>
#include <new>

#include "assert.h"
#include "opening_memory.h"

namespace sansock {

using detail::CloseInput;
using detail::Phase;

namespace {

enum class Stage : std::uint8_t {
  reading,   // the head is not complete
  asked,     // server: Event::request was given, no answer yet
  opened,    // server: accepted, Event::open was not given yet
  given,     // Event::open was given; request and response views live until the next poll()
  answered,  // refused, by us or by the server
};

}  // namespace

struct Endpoint::Opening {
  Opening(Role role, const Config& config, Bytes head) noexcept : client(config, head) {
    if (role == Role::server) new (&server) ServerHandshake(config, head);
  }

  union {
    ServerHandshake server;
    ClientHandshake client;
  };
  Stage stage = Stage::reading;
  bool deferred = false;
};

static_assert(std::is_trivially_destructible_v<ServerHandshake> &&
              std::is_trivially_destructible_v<ClientHandshake>);

Endpoint::Endpoint(Role role, const Config& config) noexcept : connection_(role, config, Phase::handshake) {}

Endpoint::~Endpoint() { end_opening(); }

Endpoint::Opening* Endpoint::opening() const noexcept {
  return connection_.opening_ ? std::launder(reinterpret_cast<Opening*>(connection_.block_)) : nullptr;
}

// Puts the handshake into a block, with the memory of its head behind it.
bool Endpoint::begin_opening() noexcept {
  static_assert(sizeof(Opening) <= detail::opening_object_max);  // what validate() reckons with
  const Config& config = connection_.config();
  std::byte* const block = config.pool->acquire();
  if (block == nullptr) return false;
  const Bytes head{block + sizeof(Opening), config.pool->block_size() - sizeof(Opening)};
  new (block) Opening(role(), config, head.first(std::min<std::size_t>(head.size(), head_size(config))));
  SANSOCK_ASSERT(connection_.block_ == nullptr);
  connection_.block_ = block;
  connection_.opening_ = 1;
  return true;
}

void Endpoint::end_opening() noexcept {
  if (!connection_.opening_) return;
  BlockPool& pool = *connection_.config().pool;
  pool.release_used(connection_.block_, pool.block_size());
  connection_.block_ = nullptr;
  connection_.opening_ = 0;
}

// The head's share of the block; what is left takes an answer while it is written.
std::size_t Endpoint::head_size(const Config& config) noexcept {
  return config.limits.head_bytes_max + std::size_t{config.limits.refusal_body_max};
}

Bytes Endpoint::answer_memory() const noexcept {
  const Config& config = connection_.config();
  std::byte* const block = connection_.block_;
  const std::size_t begin = std::min(sizeof(Opening) + head_size(config), config.pool->block_size());
  return {block + begin, config.pool->block_size() - begin};
}

// --- the opening handshake ------------------------------------------------------------------------

std::error_code Endpoint::connect(const ClientRequest& request) noexcept {
  if (role() != Role::client) return errc::role_wrong;
  if (opening() != nullptr || connection_.phase_ != Phase::handshake) return errc::already_answered;
  if (!begin_opening()) return errc::blocks_exhausted;
  // Nothing of the response is there yet, so the request may be written over all of the block's rest.
  const Bytes memory{reinterpret_cast<std::byte*>(opening() + 1),
                     connection_.config().pool->block_size() - sizeof(Opening)};
  std::size_t written = 0;
  errc error = opening()->client.write_request(request, memory, written);
  if (error == errc::none) error = connection_.queue_handshake(memory.first(written), {});
  if (error == errc::none) return {};
  end_opening();
  return error;
}

std::error_code Endpoint::accept(const AcceptOptions& options) noexcept {
  if (const errc error = check_asked(); error != errc::none) return error;
  if (opening()->server.error() != errc::none) return errc::no_request;
  const Config& config = options.config != nullptr ? *options.config : connection_.config();
  if (config.pool != connection_.config().pool) return errc::config_invalid;  // queued output lies there
  const auto deflate =
      config.codec != nullptr ? opening()->server.deflate_acceptable(config.deflate) : std::nullopt;
  // Without memory for it the offers are declined.
  CodecStream* const stream = deflate ? config.codec->open(Role::server, *deflate, config.deflate) : nullptr;
  if (const errc error = queue_accept(options, stream != nullptr ? &config.deflate : nullptr);
      error != errc::none) {
    if (stream != nullptr) config.codec->close(*stream);
    return error;
  }
  opening()->stage = Stage::opened;
  open(config, stream, deflate);
  return {};
}

errc Endpoint::queue_accept(const AcceptOptions& options, const DeflateOptions* deflate) noexcept {
  std::size_t written = 0;
  const errc error = opening()->server.write_accept(options, answer_memory(), written, deflate);
  if (error != errc::none) return error;
  return connection_.queue_handshake(answer_memory().first(written), {});
}

void Endpoint::open(const Config& config, CodecStream* stream,
                    const std::optional<DeflateParameters>& deflate) noexcept {
  if (stream != nullptr) return connection_.open(config, *stream, *deflate);
  connection_.open(config);
}

std::error_code Endpoint::respond(const HttpResponse& response) noexcept {
  if (const errc error = check_asked(); error != errc::none) return error;
  std::size_t written = 0;
  errc error = ServerHandshake::write_response(response, answer_memory(), written);
  if (error == errc::none) error = connection_.queue_handshake(answer_memory().first(written), response.body);
  if (error != errc::none) return error;
  const errc cause = opening()->server.error();
  opening()->stage = Stage::answered;
  connection_.fail_handshake(cause == errc::none ? errc::rejected : cause);
  return {};
}

std::error_code Endpoint::defer() noexcept {
  if (const errc error = check_asked(); error != errc::none) return error;
  opening()->deferred = true;
  return {};
}

errc Endpoint::check_asked() const noexcept {
  if (role() != Role::server) return errc::role_wrong;
  if (opening() == nullptr) return errc::no_request;
  switch (opening()->stage) {
    case Stage::reading: return errc::no_request;
    case Stage::asked: return connection_.phase_ == Phase::handshake ? errc::none : errc::already_closing;
    default: return errc::already_answered;
  }
}

const Request* Endpoint::request() const noexcept {
  if (role() != Role::server || opening() == nullptr || opening()->stage == Stage::reading) return nullptr;
  return &opening()->server.request();
}

const Response* Endpoint::response() const noexcept {
  if (role() != Role::client || opening() == nullptr || opening()->stage == Stage::reading) return nullptr;
  return &opening()->client.response();
}

// --- inputs ---------------------------------------------------------------------------------------

void Endpoint::feed_eof(Instant now) noexcept {
  if (connection_.phase_ == Phase::handshake) refused_by_server();
  connection_.feed_eof(now);
}

// Whether a client has the head of a refusal; then no more of its body is waited for.
bool Endpoint::refused_by_server() noexcept {
  if (role() == Role::server || opening() == nullptr) return false;
  ClientHandshake& client = opening()->client;
  client.feed_eof();
  if (client.error() != errc::status_unexpected) return false;
  opening()->stage = Stage::answered;
  connection_.abort(client.error());
  return true;
}

// RFC 9110 section 15.5.9: a server that is tired of waiting for a request answers 408. A client that
// waits for the rest of a refusal's body has its answer all the same.
void Endpoint::handle_timeout(Instant now) noexcept {
  if (connection_.phase_ != Phase::handshake || connection_.deadline() == at_once ||
      connection_.deadline() > now) {
    connection_.handle_timeout(now);
    return;
  }
  SANSOCK_ASSERT(connection_.settled_);
  connection_.settled_ = 0;
  if (!refused_by_server()) refuse(errc::handshake_timeout);
  connection_.arm(now);  // the close deadline has started
}

// --- polls ----------------------------------------------------------------------------------------

Event Endpoint::poll_opening() noexcept {
  if (const Event event = step_opening()) return event;
  if (connection_.phase_ != Phase::handshake) return connection_.poll();
  connection_.settled_ = 1;
  return {};
}

Event Endpoint::step_opening() noexcept {
  if (opening() != nullptr) {
    switch (opening()->stage) {
      case Stage::opened: opening()->stage = Stage::given; return {.kind = EventKind::open};
      case Stage::given: end_opening(); return {};
      case Stage::answered:
        if (role() == Role::server) end_opening();  // a client's response stays for Event::closed
        return {};
      case Stage::asked:
        if (connection_.phase_ != Phase::handshake) {  // it ended while the answer was awaited
          end_opening();
        } else if (const errc error = opening()->server.error();
                   error != errc::none && !opening()->deferred) {
          refuse(error);
        }
        return {};
      case Stage::reading:
        if (connection_.phase_ == Phase::handshake) break;
        end_opening();  // it ended inside the head
        return {};
    }
  }
  if (connection_.phase_ != Phase::handshake || connection_.paused_ || connection_.unread().empty())
    return {};
  return role() == Role::server ? poll_server() : poll_client();
}

Event Endpoint::poll_server() noexcept {
  if (opening() == nullptr && !begin_opening()) {
    connection_.abort(errc::blocks_exhausted);
    return {};
  }
  ServerHandshake& server = opening()->server;
  connection_.input_ += server.feed(connection_.unread());
  if (server.state() == HandshakeState::reading) return {};
  opening()->stage = Stage::asked;
  return {.kind = EventKind::request, .error = server.error()};
}

Event Endpoint::poll_client() noexcept {
  if (opening() == nullptr) {  // a server that talks before it is asked
    connection_.abort(errc::response_malformed);
    return {};
  }
  ClientHandshake& client = opening()->client;
  connection_.input_ += client.feed(connection_.unread());
  if (client.state() == HandshakeState::reading) return {};
  if (client.state() == HandshakeState::refused) {
    opening()->stage = Stage::answered;
    connection_.abort(client.error());
    return {};
  }
  const Config& config = connection_.config();
  const std::optional<DeflateParameters>& deflate = client.deflate();
  CodecStream* const stream = deflate ? config.codec->open(Role::client, *deflate, config.deflate) : nullptr;
  if (deflate && stream == nullptr) {  // the server has it that way, and will send compressed messages
    opening()->stage = Stage::answered;
    connection_.abort(errc::codec_exhausted);
    return {};
  }
  opening()->stage = Stage::given;
  open(config, stream, deflate);
  return {.kind = EventKind::open};
}

// Answers with the default refusal for `cause`, or, where there is nobody or no block to answer
// with, just ends.
void Endpoint::refuse(errc cause) noexcept {
  if (role() == Role::client || (opening() == nullptr && !begin_opening())) {
    connection_.abort(cause);
    return;
  }
  opening()->stage = Stage::answered;
  const std::size_t written =
      ServerHandshake::write_refusal(cause, answer_memory(), connection_.config().version_8);
  if (connection_.queue_handshake(answer_memory().first(written), {}) != errc::none) {
    connection_.abort(cause);
    return;
  }
  connection_.fail_handshake(cause);
}

// --- commands and observers -----------------------------------------------------------------------

std::error_code Endpoint::close(CloseCode code, std::string_view reason) noexcept {
  if (connection_.phase_ != Phase::handshake) return connection_.close(code, reason);
  if (opening() == nullptr) {
    connection_.abort(errc::aborted);  // nothing was said yet, so there is nothing to answer
  } else {
    refuse(errc::aborted);
  }
  return {};
}

bool Endpoint::awaits_answer() const noexcept {
  return opening() != nullptr && opening()->stage == Stage::asked && connection_.phase_ == Phase::handshake;
}

}  // namespace sansock

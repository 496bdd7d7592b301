// Client: each call turns a loop with one connection until what it waits for is there.
#include "sansock/client.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "client_handler.h"
#include "client_url.h"
#include "sansock/clock.h"
#include "sansock/kernels_choice.h"
#include "sansock/negotiate.h"
#include "sansock/os_entropy.h"
#include "sansock/slab_block_pool.h"
#include "sansock/socket.h"
#include "thread_codec.h"
#ifdef SANSOCK_WITH_EPOLL
#include "sansock/epoll_loop.h"
#endif
#ifdef SANSOCK_WITH_BLOCKING
#include "sansock/blocking_loop.h"
#endif
#ifdef SANSOCK_WITH_IO_URING
#include "sansock/io_uring_loop.h"
#endif

namespace sansock {
namespace {

constexpr std::size_t inbox_max_usual = 256u << 10;
constexpr std::size_t receive_buffer_size = 64u << 10;

Instant after(Duration timeout) noexcept {
  const Instant now = MonotonicClock::now();
  return timeout >= never - now ? never : now + timeout;
}

std::unique_ptr<ClientLoop> make_loop(const ClientOptions& options) {
  const LoopOptions loop{.receive_buffer_size = receive_buffer_size,
                         .connections_max = 1,
                         .tcp_nodelay = options.tcp_nodelay,
                         .one_thread = false};
  switch (options.adapter) {
#ifdef SANSOCK_WITH_EPOLL
    case Adapter::epoll:
      return std::make_unique<AnyLoopOf<EpollLoop<ClientHandler>, ClientHandler, ClientSession>>(loop);
#endif
#ifdef SANSOCK_WITH_IO_URING
    case Adapter::io_uring:
      return std::make_unique<AnyLoopOf<IoUringLoop<ClientHandler>, ClientHandler, ClientSession>>(loop);
#endif
    case Adapter::automatic:
#ifdef SANSOCK_WITH_BLOCKING
    case Adapter::blocking:
      return std::make_unique<AnyLoopOf<BlockingLoop<ClientHandler>, ClientHandler, ClientSession>>(loop);
#endif
    default: return nullptr;
  }
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(ClientOptions given);

  std::error_code connect(const ClientTarget& target);
  std::error_code open(Socket socket, const ClientTarget& target);
  // What connections over TLS are made with, once it is loaded.
  const TlsClient& tls() const noexcept { return options.tls_shared ? *options.tls_shared : own_tls; }
  std::error_code load_tls();
  bool secure(const ClientTarget& target);
  void reset();
  void terminate() noexcept;

  // The engine; nullptr without a connection, or once it has ended.
  Endpoint* endpoint() noexcept;
  // Turns until `done`, the connection's end or the deadline. false: the deadline came first.
  template <class Done>
  bool turn_until(Instant deadline, Done done);
  // Reads on where the inbox was full and is no longer.
  void resume_if_possible();
  // Tries a command again and again while the output is full.
  template <class Command>
  std::error_code output_command(ConstBytes payload, Command command);
  bool wait_for_front(Duration timeout, bool whole_message);
  // Why there is no connection.
  std::error_code end_error() const noexcept;

  ClientOptions options;
  SlabBlockPool pool;
  OsEntropy os_entropy;
  ThreadCodec codec;
  Config config;
  TlsClient own_tls;
  bool own_tls_loaded = false;
  std::string tls_problem;
  ClientSession session;
  std::unique_ptr<ClientLoop> loop;  // behind what its connection uses
  ConnectionId id;
  std::string url;
  bool timed_out = false;
  std::uint64_t ping_id = 0;
};

Client::Impl::Impl(ClientOptions given)
    : options(std::move(given)),
      // What may be queued, and blocks that are partly filled.
      pool(2 * std::size_t{options.limits.output_bytes_max} + (1u << 20), 4),
      session(2 * (static_cast<std::size_t>(options.limits.message_payload_max) + inbox_max_usual)) {
  config.pool = &pool;
  config.entropy = options.entropy != nullptr ? options.entropy : &os_entropy;
  config.kernels = options.kernels != nullptr ? options.kernels : kernels_from_environment();
  config.limits = options.limits;
  config.timeouts = options.timeouts;
  config.auto_pong = options.auto_pong;
  config.check_received_text = options.check_received_text;
  config.subprotocol_optional = options.subprotocol_optional;
}

// --- connecting -----------------------------------------------------------------------------------

// Once: a client that connects again resumes its sessions.
std::error_code Client::Impl::load_tls() {
  if (options.tls_shared || own_tls_loaded) return {};
  const std::error_code error = own_tls.load(options.tls);
  own_tls_loaded = !error;
  tls_problem = error ? own_tls.problem() : std::string();
  return error;
}

// Nothing of the request is sent before the server is verified: it is the layer that sends.
bool Client::Impl::secure(const ClientTarget& target) {
  pool.set_wiped();
  return loop->secure(id, tls().make_engine(pool, target.host, target.port));
}

std::error_code Client::Impl::connect(const ClientTarget& target) {
  if (target.secure) {
    // Before the connection is made: what is wrong here need not trouble the server.
    if (const std::error_code error = load_tls()) return error;
  }
  Socket socket;
  const TcpConnectOptions tcp{.host = target.host,
                              .port = target.port,
                              .timeout = options.connect_timeout,
                              .local_address = options.local_address,
                              .family = options.family};
  const std::error_code error = target.unix_socket
                                    ? connect_unix(target.host, options.connect_timeout, socket)
                                    : connect_tcp(tcp, socket);
  return error ? error : open(std::move(socket), target);
}

std::error_code Client::Impl::open(Socket socket, const ClientTarget& target) {
  if (target.secure) {
    if (const std::error_code error = load_tls()) return error;
  }
  if (options.deflate && deflate_built_in()) {
    if (const std::error_code error = codec.open(options.deflate_memory_max)) return error;
    config.codec = codec.get();
    config.deflate = *options.deflate;
  }
  if (const errc error = validate(config, Role::client); error != errc::none) return error;
  if (options.version != 13 && options.version != 8) return errc::config_invalid;
  if (const std::error_code error = set_nonblocking(socket.fd())) return error;
  loop = make_loop(options);
  if (!loop) return std::make_error_code(std::errc::operation_not_supported);
  if (const std::error_code error = loop->open()) return error;
  const std::optional<ConnectionId> added = loop->add({socket.release()}, Role::client, config, session);
  if (!added) return std::make_error_code(std::errc::not_enough_memory);
  id = *added;
  if (target.secure && !secure(target)) {
    terminate();
    return errc::tls_config_invalid;  // no name that a certificate could be for, or no memory
  }

  const std::vector<std::string_view> subprotocols(options.subprotocols.begin(), options.subprotocols.end());
  std::vector<Header> headers;
  for (const auto& [name, value] : options.headers) headers.push_back({name, value});
  const std::string& credentials = target.credentials.empty() ? options.authorization : target.credentials;
  std::vector<char> encoded(6 + 4 * (credentials.size() / 3 + 1));
  ClientRequest request{.host = target.host_header,
                        .target = target.target,
                        .origin = options.origin,
                        .subprotocols = subprotocols,
                        .headers = headers,
                        .version = options.version};
  if (!credentials.empty()) request.authorization = basic_credentials(credentials, encoded);
  if (const std::error_code error = endpoint()->connect(request)) {
    terminate();
    return error;
  }
  loop->touch(id);
  session.wait = ClientSession::Wait::open;
  turn_until(never, [this] { return session.opened; });
  session.wait = ClientSession::Wait::nothing;
  return session.opened ? std::error_code{} : end_error();
}

void Client::Impl::reset() {
  terminate();
  loop.reset();
  session.inbox.clear();
  session.inbox_max = inbox_max_usual;
  session.wait = ClientSession::Wait::nothing;
  session.opened = session.ended = session.deaf = false;
  session.pong_awaited.reset();
  session.close_status = {};
  session.close_reason.clear();
  session.subprotocol.clear();
  session.round_trip = Duration::zero();
  session.answer = {};
  timed_out = false;
}

void Client::Impl::terminate() noexcept {
  Endpoint* const open = endpoint();
  if (open == nullptr) return;
  open->abort(errc::aborted);
  loop->touch(id);
  while (loop->connections() != 0) loop->turn(Duration::zero());
}

std::error_code Client::Impl::end_error() const noexcept {
  const errc cause = session.close_status.cause;
  if (cause != errc::none) return cause;
  return session.opened ? errc::already_closing : errc::eof_in_handshake;
}

// --- turning --------------------------------------------------------------------------------------

Endpoint* Client::Impl::endpoint() noexcept {
  Driver<ClientHandler>* const driver = loop ? loop->find(id) : nullptr;
  return driver == nullptr ? nullptr : &driver->endpoint();
}

void Client::Impl::resume_if_possible() {
  Endpoint* const open = endpoint();
  if (open == nullptr || !open->input_paused() || session.full()) return;
  loop->find(id)->resume_reading();
  loop->touch(id);
}

template <class Done>
bool Client::Impl::turn_until(Instant deadline, Done done) {
  for (;;) {
    if (done() || endpoint() == nullptr) return true;
    resume_if_possible();
    const Instant now = MonotonicClock::now();
    loop->turn(deadline == never ? no_timeout : std::max(deadline - now, Duration::zero()));
    if (deadline <= now) return done() || endpoint() == nullptr;
  }
}

bool Client::Impl::wait_for_front(Duration timeout, bool whole_message) {
  session.inbox.release_taken();
  using Wait = ClientSession::Wait;
  session.wait = whole_message ? Wait::message : Wait::run;
  timed_out = !turn_until(
      after(timeout), [&] { return whole_message ? session.inbox.has_message() : !session.inbox.empty(); });
  session.wait = Wait::nothing;
  return whole_message ? session.inbox.has_message() : !session.inbox.empty();
}

// While it waits it reads on, beyond what the inbox holds otherwise: a peer that does not read
// before it has written would never make room. The loop's output stall deadline ends it.
template <class Command>
std::error_code Client::Impl::output_command(ConstBytes payload, Command command) {
  std::vector<std::byte> kept;
  for (;;) {
    Endpoint* const open = endpoint();
    if (open == nullptr) return loop ? end_error() : errc::not_open;
    const std::error_code error = command(*open, payload);
    if (!error) break;
    const std::size_t queued = open->output_size();
    if ((error != errc::output_full && error != errc::blocks_exhausted) || queued == 0) return error;
    // What is read meanwhile moves what was received before, and the payload may be a view of that.
    if (session.inbox.has_taken()) {
      kept.assign(payload.begin(), payload.end());
      payload = kept;
      session.inbox.release_taken();
    }
    session.inbox_max = std::max<std::size_t>(inbox_max_usual, options.limits.message_payload_max);
    turn_until(never, [this, queued] {
      const Endpoint* const now = endpoint();
      return now == nullptr || now->output_size() <= queued / 2;
    });
    session.inbox_max = inbox_max_usual;
  }
  session.inbox.release_taken();
  loop->touch(id);
  resume_if_possible();
  loop->turn(Duration::zero());
  return {};
}

// --- Client ---------------------------------------------------------------------------------------

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() {
  if (impl_) impl_->terminate();
}

std::error_code Client::connect(std::string_view url) {
  impl_->reset();
  impl_->url = url;
  ClientTarget target;
  if (const std::error_code error = parse_client_url(impl_->url, target)) return error;
  return impl_->connect(target);
}

std::error_code Client::connect_fd(int fd, std::string_view url) {
  Socket socket(fd);
  impl_->reset();
  impl_->url = url;
  ClientTarget target;
  if (const std::error_code error = parse_client_url(impl_->url, target)) return error;
  return impl_->open(std::move(socket), target);
}

std::optional<Message> Client::receive(Duration timeout) {
  if (!impl_->wait_for_front(timeout, true)) return std::nullopt;
  return impl_->session.inbox.take_message();
}

std::optional<Run> Client::receive_run(Duration timeout) {
  if (!impl_->wait_for_front(timeout, false)) return std::nullopt;
  return impl_->session.inbox.take_run();
}

bool Client::timed_out() const noexcept { return impl_->timed_out; }

std::error_code Client::send(MessageType type, ConstBytes payload) {
  return impl_->output_command(
      payload, [type](Endpoint& endpoint, ConstBytes bytes) { return endpoint.send(type, bytes); });
}

std::error_code Client::send(MessageType type, ConstBytes payload, Compression compression) {
  return impl_->output_command(payload, [type, compression](Endpoint& endpoint, ConstBytes bytes) {
    return endpoint.send(type, bytes, compression);
  });
}

std::error_code Client::send_part(MessageType type, ConstBytes payload, bool end, Compression compression) {
  return impl_->output_command(payload, [type, end, compression](Endpoint& endpoint, ConstBytes bytes) {
    return endpoint.send_part(type, bytes, end, compression);
  });
}

std::error_code Client::ping(ConstBytes payload) {
  return impl_->output_command(payload,
                               [](Endpoint& endpoint, ConstBytes bytes) { return endpoint.ping(bytes); });
}

std::optional<Duration> Client::ping_and_wait(Duration timeout) {
  const Instant sent_at = MonotonicClock::now();
  const Instant deadline = after(timeout);
  const std::uint64_t id = static_cast<std::uint64_t>(sent_at.time_since_epoch().count()) + ++impl_->ping_id;
  ClientSession& session = impl_->session;
  session.pong_awaited = id;
  if (!ping(std::as_bytes(std::span(&id, 1)))) {
    impl_->turn_until(deadline, [&session] { return !session.pong_awaited; });
  }
  const bool answered = !session.pong_awaited;
  session.pong_awaited.reset();
  if (!answered) return std::nullopt;
  return MonotonicClock::now() - sent_at;
}

std::error_code Client::close(CloseCode code, std::string_view reason) {
  Endpoint* const endpoint = impl_->endpoint();
  if (endpoint == nullptr) return impl_->loop ? impl_->end_error() : errc::not_open;
  const std::error_code error = endpoint->close(code, reason);
  if (error && error != errc::already_closing) return error;
  ClientSession& session = impl_->session;
  session.deaf = true;
  session.inbox.clear();
  impl_->loop->touch(impl_->id);
  impl_->turn_until(never, [] { return false; });
  return session.close_status.clean ? std::error_code{} : impl_->end_error();
}

void Client::terminate() noexcept { impl_->terminate(); }

ReadyState Client::state() const noexcept {
  const Endpoint* const endpoint = impl_->endpoint();
  return endpoint == nullptr ? ReadyState::closed : endpoint->state();
}

CloseStatus Client::close_status() const noexcept {
  const Endpoint* const endpoint = impl_->endpoint();
  return endpoint == nullptr ? impl_->session.close_status : endpoint->close_status();
}

std::optional<TlsStatus> Client::tls() const {
  const TlsLayer* const layer = impl_->loop ? impl_->loop->tls(impl_->id) : nullptr;
  return layer == nullptr ? std::nullopt : std::optional(layer->status());
}

std::string Client::tls_problem() const { return impl_->tls_problem; }

std::optional<DeflateParameters> Client::deflate() const noexcept {
  const Endpoint* const endpoint = impl_->endpoint();
  return endpoint == nullptr ? std::nullopt : endpoint->deflate();
}

std::string_view Client::close_reason() const noexcept { return impl_->session.close_reason; }
std::string_view Client::subprotocol() const noexcept { return impl_->session.subprotocol; }
std::string_view Client::url() const noexcept { return impl_->url; }

std::size_t Client::output_size() const noexcept {
  const Endpoint* const endpoint = impl_->endpoint();
  return endpoint == nullptr ? 0 : endpoint->output_size();
}

Duration Client::round_trip() const noexcept {
  const Endpoint* const endpoint = impl_->endpoint();
  return endpoint == nullptr ? impl_->session.round_trip : endpoint->round_trip();
}

const Client::Answer& Client::response() const noexcept { return impl_->session.answer; }

std::optional<std::string_view> Client::Answer::header(std::string_view name) const noexcept {
  const auto found = std::find_if(headers.begin(), headers.end(), [name](const auto& header) {
    return equal_ignoring_case(header.first, name);
  });
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

int Client::fd() const noexcept { return impl_->loop ? impl_->loop->fd(impl_->id) : -1; }

}  // namespace sansock

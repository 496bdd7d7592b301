// A WebSocket server in ten lines, over any adapter.
//
//   sansock::Server server;
//   server.route("/", {.on_message = [](sansock::Peer& peer, sansock::Message message) {
//     peer.send(message.type, message.bytes);
//   }});
//   if (auto error = server.listen({.port = 9001})) return fail(error);
//   server.run();
//
// Threads: each of ServerOptions::threads runs a loop of its own with its own listening socket
// (SO_REUSEPORT); a peer lives on one of them and its handlers run there, never concurrently with
// one another. Everything of Peer must be called there. From elsewhere: post(), broadcast(), stop().
// Handlers must not throw.
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "sansock/address.h"
#include "sansock/driver.h"
#include "sansock/shared_frame.h"
#include "sansock/tls.h"

namespace sansock {

class Peer;
class ServerPeer;

enum class Adapter : std::uint8_t { automatic, epoll, blocking, io_uring };
// "epoll", "blocking", "io_uring"; what `automatic` picks on this machine is resolve_adapter(): io_uring
// if the kernel has what it needs (io_uring_support() tells why not), else epoll.
std::string_view name(Adapter adapter) noexcept;
Adapter resolve_adapter(Adapter adapter) noexcept;
// Whether permessage-deflate is built in (meson option `deflate`).
bool deflate_built_in() noexcept;

// A whole message, or a part of one. `bytes` may be changed, and is valid during the call.
struct Message {
  MessageType type = MessageType::binary;
  Bytes bytes = {};
  std::string_view text() const noexcept { return as_text(bytes); }
};
struct Run {
  MessageType type = MessageType::binary;
  Bytes bytes = {};
  bool begin = false;  // the first run of its message
  bool end = false;    // the last one
};

// Names a peer for as long as the server runs; never reused. For use across threads and time.
struct PeerId {
  std::uint32_t thread = 0;
  std::uint32_t slot = 0;
  std::uint64_t serial = 0;
  bool operator==(const PeerId&) const = default;
};

// What to do with an upgrade request. One that can not be sent (a header with a line break, a
// subprotocol that was not offered, a status out of range) becomes a 500 from on_request, and an
// error of Peer::decide().
class Decision {
 public:
  // Accepts with the first offered subprotocol that the route has (or none), or with `subprotocol`.
  static Decision accept(std::string subprotocol = {},
                         std::vector<std::pair<std::string, std::string>> headers = {});
  static Decision reject(std::uint16_t status, std::string body = {},
                         std::vector<std::pair<std::string, std::string>> headers = {});
  // Later, from Peer::decide() on the peer's thread: asynchronous authentication. The opening
  // handshake's deadline goes on running.
  static Decision later();

  enum class Kind : std::uint8_t { accept, reject, later };
  Kind kind = Kind::accept;
  std::uint16_t status = 0;
  std::string text;  // subprotocol or body
  std::vector<std::pair<std::string, std::string>> headers;
};

// What happens to a peer that does not read what is sent to it, once more than
// Route::output_high_watermark bytes are queued for it.
enum class OutputPolicy : std::uint8_t {
  refuse,  // go on until Limits::output_bytes_max, then send() gives errc::output_full
  pause,   // also stop reading from this peer until its output has drained: for echo-like routes
  drop,    // end the connection at once: send() gives errc::output_full, as does on_close
};

struct Route {
  // All optional. A route takes whole messages (on_message) or runs (on_run), not both.
  std::function<Decision(Peer&, const Request&)> on_request = {};  // default: accept
  std::function<void(Peer&)> on_open = {};                         // Peer::request() is still there
  std::function<void(Peer&, Message)> on_message = {};
  std::function<void(Peer&, const Run&)> on_run = {};
  std::function<void(Peer&, ConstBytes payload)> on_ping = {};
  std::function<void(Peer&, ConstBytes payload)> on_pong = {};
  std::function<void(Peer&)> on_drained = {};  // after output_high_watermark was passed
  std::function<void(Peer&, std::uint64_t token, bool complete)> on_sent = {};  // see Peer::send_borrowed
  // Once for each opened peer, last. `reason` is the peer's.
  std::function<void(Peer&, const CloseStatus&, std::string_view reason)> on_close = {};

  std::vector<std::string> subprotocols = {};
  Limits limits = {};
  Timeouts timeouts = {};
  OriginPolicy origin_policy = OriginPolicy::same_origin;
  std::vector<std::string> origins = {};
  OutputPolicy output_policy = OutputPolicy::refuse;
  std::uint32_t output_high_watermark = 1u << 20;
  bool auto_pong = true;
  bool check_received_text = true;
  bool version_8 = true;
  // permessage-deflate (RFC 7692), for clients that offer it; none: declined. Compressing costs time, and a
  // secret must not be compressed in one message with text that somebody else may choose (section 8), so it
  // is off by default. Server::run() gives std::errc::operation_not_supported where it is not built in;
  // see deflate_built_in().
  std::optional<DeflateOptions> deflate = std::nullopt;
};

// The answer to a plain HTTP request (a page, a health check), or to one that is refused.
struct Page {
  std::uint16_t status = 200;
  std::string content_type = "text/html; charset=utf-8";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct ListenOptions {
  std::string host = "127.0.0.1";  // "" or "::" for all addresses; names are looked up
  std::uint16_t port = 0;          // 0: any free one, see Server::port()
  std::string unix_path = {};      // listens there instead; an old socket file is replaced
  int backlog = 4096;
  // Serves wss:// and https:// there. After load(); may be shared by several places and servers.
  std::shared_ptr<const TlsServer> tls = nullptr;
};

struct ServerOptions {
  Adapter adapter = Adapter::automatic;
  unsigned threads = 1;  // epoll, io_uring: loops; blocking: each connection has a thread anyway
  // Over all threads, in equal shares; others wait in the backlog. 0: as many as there are descriptors
  // for at run() or start(): the process's soft limit (RLIMIT_NOFILE, `ulimit -n`) but for 1/32 and at
  // least 64 of them, which are the application's; half as many with blocking, where each takes two;
  // at most 1,000,000.
  unsigned connections_max = 0;
  // Bytes of output blocks; like the next two per thread, so that blocking has them per connection.
  std::size_t output_memory_max = std::size_t{256} << 20;
  std::size_t message_memory_max = std::size_t{256} << 20;  // bytes of partly arrived messages
  // Bytes of all that compression takes; likewise. Beyond it new connections go without, messages are sent as
  // they are, and a message that can not be decompressed ends its connection with 1011. A connection is
  // counted with the windows that it may need, 8 KiB most often: the default lets 32,000 in.
  std::size_t deflate_memory_max = std::size_t{256} << 20;
  std::size_t receive_buffer_size = 256u << 10;  // blocking: at most 64 KiB
  Limits handshake_limits = {};                  // of the request head, before a route is known
  Duration handshake_timeout = std::chrono::seconds(10);
  Duration stop_timeout = std::chrono::seconds(5);           // bound of stop()
  Duration output_stall_timeout = std::chrono::seconds(60);  // queued output, and the peer takes none
  bool tcp_nodelay = true;
  std::size_t zero_copy_min = SIZE_MAX;  // io_uring: output of this size leaves uncopied; see LoopOptions
  const Kernels* kernels = nullptr;  // default: what SANSOCK_SIMD names, else the best; see kernels_choice.h
};

// Whom Server::broadcast() reaches.
struct BroadcastOptions {
  std::string_view route = {};  // as given to route(); empty: all
  std::optional<PeerId> except = {};
  std::function<bool(Peer&)> filter = {};
  // Peers that have agreed on it get one frame that was compressed by itself, with Compression::automatic
  // from DeflateOptions::compress_threshold on.
  Compression compression = Compression::automatic;
};

class Server {
 public:
  explicit Server(ServerOptions options = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // stops and joins

  // Before run() or start(). `path` is compared exactly, or as a prefix if it ends in '*'. The
  // longest match wins; no match gives 404.
  void route(std::string path, Route route);
  // Answers plain requests (no upgrade) for a path; others get 426 where a route exists, else 404.
  void page(std::string path, std::function<Page(const Request&)> handler);
  // Sees every refusal that the library itself decides on, before it is sent; may replace it. `cause`
  // is errc::rejected where no route has the path (404). The request is nullptr where its head was
  // malformed. Not seen: 408 on the deadline, 503 at stop(). Runs on each thread, as pages do.
  void on_refusal(std::function<std::optional<Page>(errc cause, const Request*)> handler);

  // Several calls listen at several places.
  std::error_code listen(const ListenOptions& options);
  std::uint16_t port() const noexcept;  // of the first TCP listener
  std::vector<Address> addresses() const;

  // Serves until stop(), once; run() uses the calling thread for the first loop, start() returns.
  // errc::config_invalid where a route's limits contradict each other; std::errc::
  // destination_address_required before listen(); what the system says otherwise.
  std::error_code run();
  std::error_code start();
  void join();

  // From any thread, and from signal handlers. Stops accepting, closes every peer with 1001, waits
  // at most stop_timeout, then drops the rest and returns from run(). Idempotent, and for good: a
  // server that was stopped before run() returns from it at once.
  void stop() noexcept;
  // From any thread: stops accepting, peers live on.
  void stop_accepting() noexcept;

  // From any thread, also from handlers; what the next three do happens after the running handler
  // has returned, and not at all while the server does not run.
  // Runs `task` on the peer's thread, if the peer is still there by then.
  void post(PeerId peer, std::function<void(Peer&)> task);
  // Sends to every open peer, or to those of one route. The frame is encoded once and shared; a compressed
  // one once for each size of window that peers have agreed on. `filter` runs on each peer's thread. Peers
  // whose output is full, or who are in the middle of a message of send_part(), miss it (counted).
  void broadcast(MessageType type, ConstBytes payload, BroadcastOptions options = {});
  // Calls `visit` for each open peer, on that peer's thread. It may do anything to any peer there.
  void for_each(std::function<void(Peer&)> visit);

  struct Counters {
    std::uint64_t accepted = 0;  // transports
    std::uint64_t opened = 0;    // completed opening handshakes
    std::uint64_t refused = 0;
    std::uint64_t closed = 0;          // transports ended
    std::uint64_t frames_encoded = 0;  // by broadcast(), also of those that were compressed
    std::uint64_t broadcast_missed = 0;
    std::uint64_t accept_backoffs = 0;  // EMFILE and the like
  };
  Counters counters() const noexcept;
  unsigned connections() const noexcept;

 private:
  class Impl;
  friend class Peer;
  std::unique_ptr<Impl> impl_;
};

// One client of the server. Its address is stable from on_request to the end of on_close.
class Peer {
 public:
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::error_code send(MessageType type, ConstBytes payload);
  std::error_code send(std::string_view text) { return send(MessageType::text, as_bytes(text)); }
  std::error_code send(MessageType type, ConstBytes payload, Compression compression);
  // The first part decides whether the message is compressed.
  std::error_code send_part(MessageType type, ConstBytes payload, bool end,
                            Compression compression = Compression::automatic);
  // No copy: the memory is the library's until on_sent with this token.
  std::error_code send_borrowed(MessageType type, Bytes payload, std::uint64_t token);
  std::error_code send_shared(SharedFrame& frame);
  std::error_code ping(ConstBytes payload = {});
  std::error_code pong(ConstBytes payload = {});
  std::error_code close(CloseCode code = CloseCode::normal, std::string_view reason = {});
  void terminate();  // at once, without a closing handshake
  // No more messages until resume(). What had arrived already is kept; closing ends the pause.
  void pause();
  void resume();

  // After Decision::later(), once. errc::already_answered for a second time; errc::already_closing or
  // errc::no_request where the client has left. On error nothing was answered.
  std::error_code decide(const Decision& decision);

  // In on_request, until decide(), and in on_open; nullptr otherwise.
  const Request* request() const noexcept;
  std::string_view subprotocol() const noexcept;  // "" if none was selected
  ReadyState state() const noexcept;
  bool paused() const noexcept;  // by pause(), not by OutputPolicy::pause
  std::size_t output_size() const noexcept;
  Duration round_trip() const noexcept;
  CloseStatus close_status() const noexcept;
  // What was agreed on for compression; none without, and once the peer has gone.
  std::optional<DeflateParameters> deflate() const noexcept;
  Address remote_address() const;
  // Of a connection over TLS; none otherwise, and once the peer has gone.
  std::optional<TlsStatus> tls() const;
  PeerId id() const noexcept;
  Server& server() const noexcept;
  const std::string& route_path() const noexcept;

  // Yours: lives until after on_close. Its memory is taken at the first call of data(), which throws
  // std::bad_alloc if there is none, as assigning to a std::any may; data_as() takes none. A server
  // whose peers have no data does not pay for it.
  std::any& data();
  // nullptr if there is no data, or none of this type.
  template <class T>
  T* data_as() noexcept {
    return std::any_cast<T>(find_data());
  }

 private:
  friend class ServerPeer;  // the only class derived from this one
  Peer() = default;
  ~Peer() = default;
  ServerPeer& self() noexcept;
  const ServerPeer& self() const noexcept;
  std::any* find_data() const noexcept;  // nullptr if data() was never called
  template <class Command>
  std::error_code output_command(Command&& command);
};

}  // namespace sansock

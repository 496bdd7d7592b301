// A WebSocket client in six lines.
//
//   sansock::Client client;
//   if (auto error = client.connect("ws://127.0.0.1:9001/")) return fail(error);
//   client.send("hello");
//   while (auto message = client.receive()) std::puts(std::string(message->text()).c_str());
//
// Blocking: each call does the I/O that it needs, on the calling thread, answers pings and keeps
// deadlines while it waits. One thread at a time. For many clients at once, or callbacks, drive a
// Driver on an EpollLoop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "sansock/server.h"

namespace sansock {

struct ClientOptions {
  Adapter adapter = Adapter::blocking;
  std::vector<std::string> subprotocols = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string origin = {};
  std::string authorization = {};  // "user:password"; that of the URL wins
  int version = 13;                // or 8
  bool subprotocol_optional = true;
  Limits limits = {};
  Timeouts timeouts = {};  // timeouts.opening_handshake is the handshake timeout
  Duration connect_timeout = std::chrono::seconds(10);
  std::string local_address = {};  // bind to it before connecting
  int family = 0;                  // 0: any; 4 or 6
  bool tcp_nodelay = true;
  bool auto_pong = true;
  bool check_received_text = true;
  // Offers permessage-deflate (RFC 7692), where it is built in; none: does not.
  std::optional<DeflateOptions> deflate = DeflateOptions{};
  std::size_t deflate_memory_max = std::size_t{8} << 20;  // bytes of all that compression takes
  TlsClientOptions tls = {};                              // of wss://
  // Instead of `tls`, after load(): for several clients with the same trust, which then also resume each
  // other's sessions.
  std::shared_ptr<const TlsClient> tls_shared = nullptr;
  EntropySource* entropy = nullptr;  // masking keys; default: the operating system's
  const Kernels* kernels = nullptr;  // default: what SANSOCK_SIMD names, else the best; see kernels_choice.h
};

class Client {
 public:
  explicit Client(ClientOptions options = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();  // terminates what is still open

  // Connects and completes the opening handshake. On errc::status_unexpected and others, response()
  // has the answer. May be called again after the connection has ended.
  std::error_code connect(std::string_view url);
  // The same over a stream socket that is connected already. Takes `fd` over, also on failure.
  std::error_code connect_fd(int fd, std::string_view url);

  // Waits for the next whole message. nullopt: the connection has ended (close_status()), or the
  // time has passed (timed_out() is true). The view is valid until the next call of any kind, whose
  // payload it may be: send(message->type, message->bytes).
  std::optional<Message> receive(Duration timeout = no_timeout);
  // As receive(), for the parts of a message as they arrive.
  std::optional<Run> receive_run(Duration timeout = no_timeout);
  bool timed_out() const noexcept;

  // Queues and writes; waits while the output is full. An error is the connection's end or misuse.
  std::error_code send(MessageType type, ConstBytes payload);
  std::error_code send(std::string_view text) { return send(MessageType::text, as_bytes(text)); }
  std::error_code send(MessageType type, ConstBytes payload, Compression compression);
  // The first part decides whether the message is compressed.
  std::error_code send_part(MessageType type, ConstBytes payload, bool end,
                            Compression compression = Compression::automatic);
  std::error_code ping(ConstBytes payload = {});
  // Waits for a Pong of this payload; the round-trip time, or nullopt.
  std::optional<Duration> ping_and_wait(Duration timeout);
  // Closes and waits for the end of the closing handshake, at most Timeouts::close. Messages that
  // still arrive are dropped. Error: it was not complete.
  std::error_code close(CloseCode code = CloseCode::normal, std::string_view reason = {});
  void terminate() noexcept;

  ReadyState state() const noexcept;
  CloseStatus close_status() const noexcept;
  std::string_view close_reason() const noexcept;  // the peer's
  std::string_view subprotocol() const noexcept;
  // What was agreed on for compression; none without, and once the connection has ended.
  std::optional<DeflateParameters> deflate() const noexcept;
  // Of a connection over TLS; none otherwise, and once it has ended.
  std::optional<TlsStatus> tls() const;
  // Where ClientOptions::tls made connect() fail: what is wrong with it, in one sentence. Otherwise empty.
  std::string tls_problem() const;
  std::string_view url() const noexcept;
  std::size_t output_size() const noexcept;
  Duration round_trip() const noexcept;
  // The server's answer to the opening handshake: status, headers, and body of a refusal.
  struct Answer {
    std::uint16_t status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::optional<std::string_view> header(std::string_view name) const noexcept;
  };
  const Answer& response() const noexcept;
  int fd() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sansock

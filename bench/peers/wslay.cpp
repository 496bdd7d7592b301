// wslay, a parser and writer of frames, over epoll, with an opening handshake of our own.
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <wslay/wslay.h>

#include <string>
#include <string_view>

#include "socket_loop.h"

namespace {

// The Sec-WebSocket-Accept of a key (RFC 6455 section 4.2.2).
std::string accept_value(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  sha1_ctx hash;
  std::uint8_t digest[SHA1_DIGEST_SIZE];
  sha1_init(&hash);
  sha1_update(&hash, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  sha1_digest(&hash, sizeof digest, digest);
  std::string value(BASE64_ENCODE_RAW_LENGTH(sizeof digest), '\0');
  base64_encode_raw(value.data(), sizeof digest, digest);
  return value;
}

class Session {
 public:
  Session(int epoll, int fd) : epoll_(epoll), fd_(fd) {
    wslay_event_callbacks callbacks{};
    callbacks.recv_callback = receive;
    callbacks.send_callback = transmit;
    callbacks.on_msg_recv_callback = echo;
    if (wslay_event_context_server_init(&context_, &callbacks, this) != 0) peer::die("wslay");
    wslay_event_config_set_max_recv_msg_length(context_, peer::message_bytes_max);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    wslay_event_context_free(context_);
    close(fd_);
  }

  bool handle(std::uint32_t events) {
    if (!answered_) return shake_hands();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && wslay_event_recv(context_) != 0) return false;
    if (wslay_event_want_write(context_) != 0 && wslay_event_send(context_) != 0) return false;
    const bool output = wslay_event_want_write(context_) != 0;
    if (output != output_) peer::watch(epoll_, EPOLL_CTL_MOD, fd_, this, true, output);
    output_ = output;
    return true;
  }

 private:
  bool shake_hands() {
    char buffer[4096];
    const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
    if (size < 0) return errno == EAGAIN;
    if (size == 0) return false;
    head_.append(buffer, static_cast<std::size_t>(size));
    if (!head_.ends_with("\r\n\r\n")) return head_.size() < sizeof buffer;
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    const std::size_t at = head_.find(name);
    if (at == std::string::npos) return false;
    const std::size_t begin = at + name.size();
    const std::string key = head_.substr(begin, head_.find('\r', begin) - begin);
    const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
        "Upgrade\r\nSec-WebSocket-Accept: " +
        accept_value(key) + "\r\n\r\n";
    head_ = {};
    answered_ = true;
    return send(fd_, answer.data(), answer.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(answer.size());
  }

  static ssize_t receive(wslay_event_context* context, std::uint8_t* buffer, std::size_t size, int,
                         void* user) {
    const ssize_t received = recv(static_cast<Session*>(user)->fd_, buffer, size, 0);
    if (received > 0) return received;
    wslay_event_set_error(
        context, received < 0 && errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
  }

  static ssize_t transmit(wslay_event_context* context, const std::uint8_t* data, std::size_t size, int flags,
                          void* user) {
    const int more = (flags & WSLAY_MSG_MORE) != 0 ? MSG_MORE : 0;
    const ssize_t sent = send(static_cast<Session*>(user)->fd_, data, size, MSG_NOSIGNAL | more);
    if (sent >= 0) return sent;
    wslay_event_set_error(context, errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
  }

  static void echo(wslay_event_context* context, const wslay_event_on_msg_recv_arg* arrived, void*) {
    if (wslay_is_ctrl_frame(arrived->opcode)) return;
    const wslay_event_msg message{arrived->opcode, arrived->msg, arrived->msg_length};
    wslay_event_queue_msg(context, &message);
  }

  int epoll_;
  int fd_;
  wslay_event_context* context_ = nullptr;
  std::string head_;
  bool answered_ = false;
  bool output_ = false;
};

}  // namespace

int main(int argc, char** argv) { peer::serve<Session>("ws", peer::port_argument(argc, argv)); }

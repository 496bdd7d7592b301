// wslay (Debian: libwslay-dev) on the same bytes. Its masking and its UTF-8 check can not be called alone.
#include <wslay/wslay.h>

#include <algorithm>

#include "suite.h"

namespace sansock::bench {

namespace {

struct Wire {
  const std::uint8_t* input = nullptr;
  std::size_t input_size = 0;
  std::size_t messages = 0;
  std::size_t written = 0;
};

Wire& wire_of(void* user) { return *static_cast<Wire*>(user); }

ssize_t receive(wslay_event_context_ptr context, std::uint8_t* buffer, std::size_t size, int, void* user) {
  Wire& wire = wire_of(user);
  if (wire.input_size == 0) {
    wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
    return -1;
  }
  size = std::min(size, wire.input_size);
  std::memcpy(buffer, wire.input, size);
  wire.input += size;
  wire.input_size -= size;
  return static_cast<ssize_t>(size);
}

// As gather() and consume(): the bytes are there to be written, and nobody copies them.
ssize_t transmit(wslay_event_context_ptr, const std::uint8_t* data, std::size_t size, int, void* user) {
  benchmark::DoNotOptimize(data);
  wire_of(user).written += size;
  return static_cast<ssize_t>(size);
}

int make_key(wslay_event_context_ptr, std::uint8_t* buffer, std::size_t size, void*) {
  std::memset(buffer, key_bytes[0], size);
  return 0;
}

void take_message(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg* message, void* user) {
  benchmark::DoNotOptimize(message->msg);
  ++wire_of(user).messages;
}

class WslayPeer {
 public:
  explicit WslayPeer(bool client) {
    wslay_event_callbacks callbacks{};
    callbacks.recv_callback = receive;
    callbacks.send_callback = transmit;
    callbacks.genmask_callback = make_key;
    callbacks.on_msg_recv_callback = take_message;
    (client ? wslay_event_context_client_init : wslay_event_context_server_init)(&context_, &callbacks,
                                                                                 &wire_);
  }
  WslayPeer(const WslayPeer&) = delete;
  WslayPeer& operator=(const WslayPeer&) = delete;
  ~WslayPeer() { wslay_event_context_free(context_); }

  std::size_t take(Buffer& stream) {
    wire_.input = stream.data();
    wire_.input_size = stream.size();
    wire_.messages = 0;
    if (wslay_event_recv(context_) != 0) return 0;
    return wire_.messages;
  }

  std::size_t send(Buffer& payload, std::size_t batch) {
    wire_.written = 0;
    const wslay_event_msg message{WSLAY_BINARY_FRAME, payload.data(), payload.size()};
    for (std::size_t i = 0; i < batch; ++i) {
      if (wslay_event_queue_msg(context_, &message) != 0) return 0;
    }
    if (wslay_event_send(context_) != 0) return 0;
    return wire_.written;
  }

 private:
  Wire wire_;
  wslay_event_context_ptr context_ = nullptr;
};

}  // namespace

void add_wslay() {
  add_frame_in("wslay", [](std::size_t) { return WslayPeer(false); });
  add_frame_out("wslay", [](bool client) { return WslayPeer(client); });
}

}  // namespace sansock::bench

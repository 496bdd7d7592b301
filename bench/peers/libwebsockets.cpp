// libwebsockets: messages are collected and written back one a "writeable" callback, as its
// documentation asks.
#include <libwebsockets.h>

#include <cstdint>
#include <deque>
#include <string>

#include "peer.h"

namespace {

// What it writes has room for the header in front.
struct Message {
  std::string bytes = std::string(LWS_PRE, '\0');
  bool binary = false;
};

struct Session {
  Message incoming;
  std::deque<Message> outgoing;
  // Compression may go on to read it until the next callback.
  Message written;
};

// Its own level is 1, its buffers are of 2 to the 10 bytes. Without the extension, this does nothing.
void set_compression(lws* wsi) {
  const auto* given = static_cast<const peer::Arguments*>(lws_context_user(lws_get_context(wsi)));
  const std::string level = std::to_string(given->level);
  const std::string memory_level = std::to_string(peer::compression_memory_level);
  lws_set_extension_option(wsi, "permessage-deflate", "compression_level", level.c_str());
  lws_set_extension_option(wsi, "permessage-deflate", "mem_level", memory_level.c_str());
  lws_set_extension_option(wsi, "permessage-deflate", "rx_buf_size", "16");
  lws_set_extension_option(wsi, "permessage-deflate", "tx_buf_size", "16");
}

int handle(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t size) {
  auto* slot = static_cast<Session**>(user);
  switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
      *slot = new Session;
      set_compression(wsi);
      break;
    case LWS_CALLBACK_CLOSED:
      delete *slot;
      *slot = nullptr;
      break;
    case LWS_CALLBACK_RECEIVE: {
      Session& session = **slot;
      session.incoming.bytes.append(static_cast<const char*>(in), size);
      if (lws_is_final_fragment(wsi) == 0 || lws_remaining_packet_payload(wsi) != 0) break;
      session.incoming.binary = lws_frame_is_binary(wsi) != 0;
      session.outgoing.push_back(std::move(session.incoming));
      session.incoming = Message();
      lws_callback_on_writable(wsi);
      break;
    }
    case LWS_CALLBACK_SERVER_WRITEABLE: {
      Session& session = **slot;
      if (session.outgoing.empty()) break;
      session.written = std::move(session.outgoing.front());
      session.outgoing.pop_front();
      Message& message = session.written;
      const size_t length = message.bytes.size() - LWS_PRE;
      auto* payload = reinterpret_cast<unsigned char*>(message.bytes.data()) + LWS_PRE;
      if (lws_write(wsi, payload, length, message.binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0) return -1;
      if (!session.outgoing.empty()) lws_callback_on_writable(wsi);
      break;
    }
    default: break;
  }
  return 0;
}

// Debian's package has OpenSSL.
void set_tls(const peer::Arguments& given, lws_context_creation_info& info) {
  info.ssl_cert_filepath = given.tls_certificate;
  info.ssl_private_key_filepath = given.tls_key;
  info.tls1_3_plus_cipher_list = peer::tls_cipher;
  info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
}

}  // namespace

int main(int argc, char** argv) {
  peer::Arguments given = peer::arguments(argc, argv);
  lws_set_log_level(LLL_ERR, nullptr);
  constexpr size_t receive_bytes = 65536;
  const lws_protocols protocols[] = {
      {"echo", handle, sizeof(Session*), receive_bytes, 0, nullptr, 0},
      {nullptr, nullptr, 0, 0, 0, nullptr, 0},
  };
  // Whether it keeps its context is what the client asks for: it has no choice of its own.
  const lws_extension extensions[] = {
      {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"},
      {nullptr, nullptr, nullptr},
  };
  lws_context_creation_info info{};
  info.user = &given;
  if (given.deflate != peer::Deflate::off) info.extensions = extensions;
  info.port = given.port;
  info.iface = "127.0.0.1";
  info.protocols = protocols;
  info.pt_serv_buf_size = receive_bytes;
  if (given.tls_certificate != nullptr) set_tls(given, info);
  // Not the default, which is poll(): that costs more the more connections there are.
  info.options |= LWS_SERVER_OPTION_LIBEV;
  lws_context* context = lws_create_context(&info);
  if (context == nullptr) {
    info.options &= ~std::uint64_t{LWS_SERVER_OPTION_LIBEV};
    context = lws_create_context(&info);
  }
  if (context == nullptr) peer::die("lws_create_context");
  const int bound =
      given.port != 0 ? given.port : lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default"));
  peer::print_ready_line(given.scheme(), bound);
  while (lws_service(context, 0) >= 0) {
  }
}

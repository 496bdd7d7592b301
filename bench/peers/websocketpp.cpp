// websocketpp over Boost.Asio, without its logs.
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/extensions/permessage_deflate/disabled.hpp>
#include <websocketpp/extensions/permessage_deflate/enabled.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include "peer.h"

namespace {

namespace permessage_deflate = websocketpp::extensions::permessage_deflate;

// Its level is zlib's default; its memory level is 4, that of all others 8: it can not be chosen.
using DeflateConfig = websocketpp::config::asio::permessage_deflate_config;
using NoDeflate = permessage_deflate::disabled<DeflateConfig>;
using DeflateWithContext = permessage_deflate::enabled<DeflateConfig>;

struct DeflateWithoutContext : DeflateWithContext {
  DeflateWithoutContext() {
    enable_server_no_context_takeover();
    enable_client_no_context_takeover();
  }
};

template <class Extension>
struct Config : websocketpp::config::asio {
  using permessage_deflate_type = Extension;
  using type = Config;
  // One thread: no locks.
  using concurrency_type = websocketpp::concurrency::none;
  using request_type = websocketpp::config::asio::request_type;
  using response_type = websocketpp::config::asio::response_type;
  using elog_type = websocketpp::log::stub;
  using alog_type = websocketpp::log::stub;
  struct transport_config : websocketpp::config::asio::transport_config {
    using concurrency_type = Config::concurrency_type;
    using elog_type = Config::elog_type;
    using alog_type = Config::alog_type;
    static const bool enable_multithreading = false;
  };
  using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};

template <class Extension>
[[noreturn]] void serve(int port) {
  using Server = websocketpp::server<Config<Extension>>;
  Server server;
  server.init_asio();
  server.set_reuse_addr(true);
  server.set_max_message_size(peer::message_bytes_max);
  server.set_open_handler([&server](websocketpp::connection_hdl connection) {
    server.get_con_from_hdl(connection)->get_raw_socket().set_option(boost::asio::ip::tcp::no_delay(true));
  });
  server.set_message_handler(
      [&server](websocketpp::connection_hdl connection, typename Server::message_ptr message) {
        server.send(connection, message->get_raw_payload(), message->get_opcode());
      });
  server.listen(boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(),
                                               static_cast<unsigned short>(port)));
  websocketpp::lib::asio::error_code error;
  peer::print_ready_line("ws", server.get_local_endpoint(error).port());
  server.start_accept();
  server.run();
  std::exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const peer::Arguments given = peer::arguments(argc, argv);
  if (given.level != peer::compression_level) {
    return peer::refuse("websocketpp has one level of compression only");
  }
  if (given.tls_certificate != nullptr) return peer::refuse("websocketpp is not measured over TLS");
  switch (given.deflate) {
    case peer::Deflate::off: serve<NoDeflate>(given.port);
    case peer::Deflate::on: serve<DeflateWithContext>(given.port);
    case peer::Deflate::no_context: serve<DeflateWithoutContext>(given.port);
  }
}

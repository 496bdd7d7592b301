// websocketpp over Boost.Asio, without its logs.
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include "peer.h"

namespace {

struct Config : websocketpp::config::asio {
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

using Server = websocketpp::server<Config>;

}  // namespace

int main(int argc, char** argv) {
  const int port = peer::port_argument(argc, argv);
  Server server;
  server.init_asio();
  server.set_reuse_addr(true);
  server.set_max_message_size(peer::message_bytes_max);
  server.set_open_handler([&server](websocketpp::connection_hdl connection) {
    server.get_con_from_hdl(connection)->get_raw_socket().set_option(boost::asio::ip::tcp::no_delay(true));
  });
  server.set_message_handler([&server](websocketpp::connection_hdl connection, Server::message_ptr message) {
    server.send(connection, message->get_raw_payload(), message->get_opcode());
  });
  server.listen(boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(),
                                               static_cast<unsigned short>(port)));
  websocketpp::lib::asio::error_code error;
  peer::print_ready_line("ws", server.get_local_endpoint(error).port());
  server.start_accept();
  server.run();
}

// Boost.Beast, asynchronous, on one thread: read a message, write it, and so on.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>

#include "peer.h"

namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

websocket::permessage_deflate compression(const peer::Arguments& given) {
  websocket::permessage_deflate options;
  options.server_enable = given.deflate != peer::Deflate::off;
  options.server_no_context_takeover = given.deflate == peer::Deflate::no_context;
  options.client_no_context_takeover = given.deflate == peer::Deflate::no_context;
  options.server_max_window_bits = peer::compression_window_bits;
  options.client_max_window_bits = peer::compression_window_bits;
  options.compLevel = given.level;
  options.memLevel = peer::compression_memory_level;
  return options;
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, const peer::Arguments& given) : stream_(std::move(socket)) {
    stream_.next_layer().set_option(tcp::no_delay(true));
    stream_.read_message_max(peer::message_bytes_max);
    if (given.deflate != peer::Deflate::off) stream_.set_option(compression(given));
    // A whole message is one write.
    stream_.auto_fragment(false);
  }

  void start() {
    stream_.async_accept([self = shared_from_this()](error_code error) {
      if (!error) self->read();
    });
  }

 private:
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->write();
    });
  }

  void write() {
    stream_.text(stream_.got_text());
    stream_.async_write(buffer_.data(), [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      self->buffer_.clear();
      self->read();
    });
  }

  websocket::stream<tcp::socket> stream_;
  boost::beast::flat_buffer buffer_;
};

void accept(tcp::acceptor& acceptor, const peer::Arguments& given) {
  acceptor.async_accept([&acceptor, &given](error_code error, tcp::socket socket) {
    if (!error) std::make_shared<Session>(std::move(socket), given)->start();
    accept(acceptor, given);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const peer::Arguments given = peer::arguments(argc, argv);
  // One thread: Asio leaves its locks out.
  asio::io_context context(1);
  tcp::acceptor acceptor(context,
                         {asio::ip::address_v4::loopback(), static_cast<unsigned short>(given.port)});
  peer::print_ready_line("ws", acceptor.local_endpoint().port());
  accept(acceptor, given);
  context.run();
}

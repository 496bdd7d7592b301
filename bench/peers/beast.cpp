// Boost.Beast, asynchronous, on one thread: read a message, write it, and so on. Where OpenSSL is, also over
// TLS.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>
#ifdef SANSOCK_BENCH_OPENSSL
#include <boost/asio/ssl.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket/ssl.hpp>
#endif

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

template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <class... Tls>
  explicit Session(const peer::Arguments& given, tcp::socket socket, Tls&... tls)
      : stream_(std::move(socket), tls...) {
    boost::beast::get_lowest_layer(stream_).set_option(tcp::no_delay(true));
    stream_.read_message_max(peer::message_bytes_max);
    if (given.deflate != peer::Deflate::off) stream_.set_option(compression(given));
    // A whole message is one write.
    stream_.auto_fragment(false);
  }

  void start() {
#ifdef SANSOCK_BENCH_OPENSSL
    if constexpr (!std::is_same_v<Stream, tcp::socket>) {
      stream_.next_layer().async_handshake(asio::ssl::stream_base::server,
                                           [self = this->shared_from_this()](error_code error) {
                                             if (!error) self->accept();
                                           });
      return;
    }
#endif
    accept();
  }

 private:
  void accept() {
    stream_.async_accept([self = this->shared_from_this()](error_code error) {
      if (!error) self->read();
    });
  }

  void read() {
    stream_.async_read(buffer_, [self = this->shared_from_this()](error_code error, std::size_t) {
      if (!error) self->write();
    });
  }

  void write() {
    stream_.text(stream_.got_text());
    stream_.async_write(buffer_.data(), [self = this->shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      self->buffer_.clear();
      self->read();
    });
  }

  websocket::stream<Stream> stream_;
  boost::beast::flat_buffer buffer_;
};

// Makes a session of each socket: over TLS if there is its context.
template <class Stream, class... Tls>
void accept(tcp::acceptor& acceptor, const peer::Arguments& given, Tls&... tls) {
  acceptor.async_accept([&](error_code error, tcp::socket socket) {
    if (!error) std::make_shared<Session<Stream>>(given, std::move(socket), tls...)->start();
    accept<Stream>(acceptor, given, tls...);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const peer::Arguments given = peer::arguments(argc, argv);
  // One thread: Asio leaves its locks out.
  asio::io_context context(1);
  tcp::acceptor acceptor(context,
                         {asio::ip::address_v4::loopback(), static_cast<unsigned short>(given.port)});
#ifdef SANSOCK_BENCH_OPENSSL
  asio::ssl::context tls(asio::ssl::context::tls_server);
  if (given.tls_certificate != nullptr) {
    tls.use_certificate_chain_file(given.tls_certificate);
    tls.use_private_key_file(given.tls_key, asio::ssl::context::pem);
    SSL_CTX_set_ciphersuites(tls.native_handle(), peer::tls_cipher);
    accept<boost::beast::ssl_stream<tcp::socket>>(acceptor, given, tls);
  }
#else
  if (given.tls_certificate != nullptr) return peer::refuse("built without OpenSSL; install libssl-dev");
#endif
  if (given.tls_certificate == nullptr) accept<tcp::socket>(acceptor, given);
  peer::print_ready_line(given.scheme(), acceptor.local_endpoint().port());
  context.run();
}

// Boost.Beast (Debian: libboost-dev) on the same bytes: its masking and its UTF-8 check alone, and its
// websocket stream over a transport that is memory.
//
// The client's opening handshake is not measured: its key is random, so that the answer would have to be
// computed inside of what is measured.
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/detail/hybi13.hpp>
#include <boost/beast/websocket/detail/mask.hpp>
#include <boost/beast/websocket/detail/utf8_checker.hpp>

#include "opening_request.h"
#include "suite.h"

namespace sansock::bench {

namespace {

namespace net = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

// The least that Beast accepts as a synchronous stream. Output is counted and thrown away, as
// gather() and consume() do it.
class MemoryStream {
 public:
  using executor_type = net::io_context::executor_type;

  explicit MemoryStream(net::io_context& context) : executor_(context.get_executor()) {}
  executor_type get_executor() const noexcept { return executor_; }

  void provide(const void* data, std::size_t size) { input_ = net::const_buffer(data, size); }
  std::size_t written() const { return written_; }
  // Whether what is written is a request to be accepted.
  void set_answering(bool answering) { answering_ = answering; }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, error_code& error) {
    const std::size_t size = net::buffer_copy(buffers, input_);
    input_ += size;
    error = size == 0 ? error_code(net::error::eof) : error_code();
    return size;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, error_code& error) {
    const std::size_t size = net::buffer_size(buffers);
    written_ += size;
    if (answering_) answer(buffers);
    error = {};
    return size;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    error_code ignored;
    return read_some(buffers, ignored);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    error_code ignored;
    return write_some(buffers, ignored);
  }

 private:
  template <class Buffers>
  void answer(const Buffers& buffers) {
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    request_ += boost::beast::buffers_to_string(buffers);
    if (request_.find("\r\n\r\n") == std::string::npos) return;
    websocket::detail::sec_ws_accept_type accept;
    websocket::detail::make_sec_ws_accept(
        accept, boost::beast::string_view(request_).substr(request_.find(name) + name.size(), 24));
    answer_ =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        std::string(accept.data(), accept.size()) + "\r\n\r\n";
    provide(answer_.data(), answer_.size());
  }

  executor_type executor_;
  net::const_buffer input_;
  std::size_t written_ = 0;
  bool answering_ = false;
  std::string request_;
  std::string answer_;
};

void teardown(boost::beast::role_type, MemoryStream&, error_code& error) { error = {}; }

class BeastPeer {
 public:
  explicit BeastPeer(bool client) {
    MemoryStream& transport = stream_.next_layer();
    if (client) {
      transport.set_answering(true);
      stream_.handshake("example.com", "/chat");
      transport.set_answering(false);
    } else {
      transport.provide(browser_request.data(), browser_request.size());
      stream_.accept();
    }
    stream_.binary(true);
  }

  std::size_t take(Buffer& input) {
    stream_.next_layer().provide(input.data(), input.size());
    std::size_t messages = 0;
    for (;;) {
      error_code error;
      message_.clear();
      stream_.read(message_, error);
      if (error) return messages;
      benchmark::DoNotOptimize(message_.data());
      if (++messages == expected_) return messages;
    }
  }
  // A read at the end of the input would fail the stream, so it has to know when to stop.
  void expect(std::size_t messages) { expected_ = messages; }

  std::size_t send(Buffer& payload, std::size_t batch) {
    const std::size_t before = stream_.next_layer().written();
    for (std::size_t i = 0; i < batch; ++i) {
      error_code error;
      stream_.write(net::const_buffer(payload.data(), payload.size()), error);
      if (error) return 0;
    }
    return stream_.next_layer().written() - before;
  }

 private:
  net::io_context context_;
  websocket::stream<MemoryStream> stream_{context_};
  boost::beast::flat_buffer message_;
  std::size_t expected_ = 0;
};

struct BeastTaker {
  explicit BeastTaker(std::size_t size) { peer->expect(frames_at_once(size)); }
  std::size_t take(Buffer& stream) { return peer->take(stream); }
  std::unique_ptr<BeastPeer> peer = std::make_unique<BeastPeer>(false);
};

void unmask(Buffer& buffer) {
  websocket::detail::prepared_key key;
  std::copy(key_bytes, key_bytes + 4, key.begin());
  websocket::detail::mask_inplace(net::mutable_buffer(buffer.data(), buffer.size()), key);
  benchmark::DoNotOptimize(key);
}

void validate(Buffer& buffer) {
  websocket::detail::utf8_checker checker;
  benchmark::DoNotOptimize(checker.write(buffer.data(), buffer.size()) && checker.finish());
}

void accept_as_server(benchmark::State& state) {
  net::io_context context;
  for (auto _ : state) {
    websocket::stream<MemoryStream> stream(context);
    stream.next_layer().provide(browser_request.data(), browser_request.size());
    error_code error;
    stream.accept(error);
    if (error) return state.SkipWithError("not accepted");
  }
  count(state, 1, browser_request.size());
}

}  // namespace

void add_beast() {
  add_over_buffers("mask/in_place/beast", Content::binary, unmask);
  for (const Content content : {Content::ascii, Content::mixed}) {
    const std::string variant = content == Content::ascii ? "ascii" : "mixed";
    add_over_buffers("utf8/" + variant + "/beast", content, validate);
    add_over_buffers("fused/" + variant + "/beast", content, [](Buffer& buffer) {
      unmask(buffer);
      validate(buffer);
    });
  }
  add_frame_in("beast", [](std::size_t size) { return BeastTaker(size); });
  add_frame_out("beast", [](bool client) { return BeastPeer(client); });
  add("handshake/server/beast", browser_request.size(), "batch", 1, accept_as_server);
}

}  // namespace sansock::bench

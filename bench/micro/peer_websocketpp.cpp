// websocketpp (Debian: libwebsocketpp-dev) on the same bytes: its masking and its UTF-8 check alone, and
// its processor of RFC 6455. Compiled as C++17: its headers are not valid C++20.
#include <websocketpp/config/core.hpp>
#include <websocketpp/processors/hybi13.hpp>
#include <websocketpp/utf8_validator.hpp>

#include "opening_request.h"
#include "suite.h"

namespace sansock::bench {

namespace {

using Settings = websocketpp::config::core;
using Processor = websocketpp::processor::hybi13<Settings>;
namespace frame = websocketpp::frame;

class WebsocketppPeer {
 public:
  explicit WebsocketppPeer(bool client) : processor_(false, !client, manager_, random_) {
    outgoing_ = manager_->get_message(frame::opcode::BINARY, 0);
    prepared_ = manager_->get_message();
  }

  std::size_t take(Buffer& stream) {
    std::size_t messages = 0;
    std::uint8_t* data = stream.data();
    for (std::size_t left = stream.size(); left != 0;) {
      websocketpp::lib::error_code error;
      const std::size_t taken = processor_.consume(data, left, error);
      if (error) return 0;
      data += taken;
      left -= taken;
      if (!processor_.ready()) continue;
      benchmark::DoNotOptimize(processor_.get_message()->get_payload().data());
      ++messages;
    }
    return messages;
  }

  // Its output is a header and a payload in two strings; sending them is the transport's part.
  std::size_t send(Buffer& payload, std::size_t batch) {
    std::size_t written = 0;
    for (std::size_t i = 0; i < batch; ++i) {
      outgoing_->set_payload(payload.data(), payload.size());
      if (processor_.prepare_data_frame(outgoing_, prepared_)) return 0;
      benchmark::DoNotOptimize(prepared_->get_payload().data());
      written += prepared_->get_header().size() + prepared_->get_payload().size();
    }
    return written;
  }

 private:
  Settings::con_msg_manager_type::ptr manager_ = std::make_shared<Settings::con_msg_manager_type>();
  Settings::rng_type random_;
  Processor processor_;
  Processor::message_ptr outgoing_;
  Processor::message_ptr prepared_;
};

void unmask(Buffer& buffer) {
  frame::masking_key_type key;
  std::memcpy(key.c, key_bytes, 4);
  benchmark::DoNotOptimize(
      frame::word_mask_circ(buffer.data(), buffer.size(), frame::prepare_masking_key(key)));
}

void validate(Buffer& buffer) {
  websocketpp::utf8_validator::validator validator;
  benchmark::DoNotOptimize(validator.decode(buffer.data(), buffer.data() + buffer.size()) &&
                           validator.complete());
}

void accept_as_server(benchmark::State& state) {
  const auto manager = std::make_shared<Settings::con_msg_manager_type>();
  Settings::rng_type random;
  for (auto _ : state) {
    Processor processor(false, true, manager, random);
    Settings::request_type request;
    Settings::response_type response;
    request.consume(browser_request.data(), browser_request.size());
    if (!request.ready() || processor.validate_handshake(request)) return state.SkipWithError("refused");
    processor.negotiate_extensions(request);
    if (processor.process_handshake(request, "", response)) return state.SkipWithError("refused");
    response.set_status(websocketpp::http::status_code::switching_protocols);
    benchmark::DoNotOptimize(response.raw());
  }
  count(state, 1, browser_request.size());
}

}  // namespace

void add_websocketpp() {
  add_over_buffers("mask/in_place/websocketpp", Content::binary, unmask);
  for (const Content content : {Content::ascii, Content::mixed}) {
    const std::string variant = content == Content::ascii ? "ascii" : "mixed";
    add_over_buffers("utf8/" + variant + "/websocketpp", content, validate);
    add_over_buffers("fused/" + variant + "/websocketpp", content, [](Buffer& buffer) {
      unmask(buffer);
      validate(buffer);
    });
  }
  add_frame_in("websocketpp", [](std::size_t) { return WebsocketppPeer(false); });
  add_frame_out("websocketpp", [](bool client) { return WebsocketppPeer(client); });
  add("handshake/server/websocketpp", browser_request.size(), "batch", 1, accept_as_server);
}

}  // namespace sansock::bench

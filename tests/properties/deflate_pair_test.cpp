// Whatever one side sends arrives at the other where they may have agreed on compression: any parameters, any
// way of sending, any cut of the bytes in both directions. In the end neither codec has kept anything.
#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <list>
#include <random>

#include "pair.h"
#include "sansock/deflate_codec.h"
#include "sansock/shared_frame.h"

namespace sansock::testing {
namespace {

constexpr Compression compressions[] = {Compression::automatic, Compression::on, Compression::off};

std::uint8_t some_bits() { return static_cast<std::uint8_t>(*rc::gen::inRange(8, 16)); }
std::optional<bool> some_tristate() {
  return *rc::gen::element<std::optional<bool>>(std::nullopt, false, true);
}

DeflateOptions some_options() {
  DeflateOptions options;
  options.server_no_context_takeover = some_tristate();
  options.client_no_context_takeover = some_tristate();
  options.server_max_window_bits = *rc::gen::arbitrary<bool>() ? some_bits() : window_bits_max;
  options.client_max_window_bits = *rc::gen::arbitrary<bool>() ? some_bits() : std::uint8_t{0};
  options.client_max_window_bits_offered = *rc::gen::weightedElement<bool>({{4, true}, {1, false}});
  options.level = static_cast<std::uint8_t>(*rc::gen::inRange(1, 10));
  options.own_window_bits_max = some_bits();
  options.compress_threshold = *rc::gen::element<std::uint32_t>(0, 100, 1024);
  options.compress_threshold_with_context = *rc::gen::element<std::uint32_t>(0, 64);
  return options;
}

// Text, so that it may be sent as either type; much of it was there before.
Data some_text(std::mt19937& random) {
  static const std::string words[] = {"abc ", "\xC3\xA9", "\xE2\x82\xAC uro, ", "\xF0\x9F\x98\x80",
                                      "abcabcabd"};
  const std::size_t size = random() % 8 == 0   ? random() % 100'000
                           : random() % 4 == 0 ? random() % 3000
                                               : random() % 300;
  std::string text;
  switch (random() % 3) {
    case 0: return Data(size, static_cast<std::uint8_t>('a' + random() % 3));
    case 1: {  // does not shrink by itself, but does the second time
      Data data = noise(size, random() % 4);
      for (std::uint8_t& byte : data) byte &= 0x7F;
      return data;
    }
    default:
      while (text.size() < size) text += words[random() % std::size(words)];
      return bytes_of(text);
  }
}

// The client keeps to what it has promised also where the server's answer does not hold it to that.
void expect_agreed(const Pair<Endpoint>& pair) {
  const std::optional<DeflateParameters> server = pair.server.deflate();
  const std::optional<DeflateParameters> client = pair.client.deflate();
  RC_ASSERT(server.has_value() == client.has_value());
  if (!server) return;
  RC_ASSERT(server->server_no_context_takeover == client->server_no_context_takeover);
  RC_ASSERT(server->server_window_bits == client->server_window_bits);
  RC_ASSERT(client->client_no_context_takeover || !server->client_no_context_takeover);
  RC_ASSERT(client->client_window_bits <= server->client_window_bits);
}

// One side of the pair: its codec, and what it sends.
class Side {
 public:
  Side(Role role, std::mt19937& random) : options(some_options()), role_(role), random_(random) {}

  void step(Pair<Endpoint>& pair) {
    Endpoint& subject = pair.subject(role_);
    if (random_() % 5 == 0) {
      RC_ASSERT(!subject.ping(as_bytes(std::string_view("ping"))));
      ++pings;
    }
    if (in_parts_) return part(subject);
    payload_ = some_text(random_);
    type_ = random_() % 2 == 0 ? MessageType::text : MessageType::binary;
    const Compression compression = compressions[random_() % 3];
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2: return part(subject);
      case 3:
        lent_.push_back(payload_);
        RC_ASSERT(!subject.send_borrowed(type_, std::as_writable_bytes(std::span(lent_.back())), 1));
        break;
      case 4:
        if (role_ == Role::server && subject.deflate()) {
          if (!share(subject)) return;
          break;
        }
        [[fallthrough]];
      default: RC_ASSERT(!subject.send(type_, view_of(payload_), compression));
    }
    sent.push_back(payload_);
  }
  bool in_parts() const { return in_parts_; }

  DeflateCodec codec;
  const std::size_t used_at_first = codec.memory_used();
  DeflateOptions options;
  std::vector<Data> sent;
  std::size_t pings = 0;

 private:
  void part(Endpoint& subject) {
    const std::size_t left = payload_.size() - offset_;
    const std::size_t size = random_() % 3 == 0 ? left : random_() % (left + 1);
    const bool end = size == left && random_() % 4 != 0;  // the last part may be an empty one
    RC_ASSERT(!subject.send_part(type_, view_of(payload_).subspan(offset_, size), end,
                                 compressions[random_() % 3]));
    offset_ += size;
    in_parts_ = !end;
    if (!end) return;
    offset_ = 0;
    sent.push_back(payload_);
  }
  // false: it can not be sent here, or does not shrink.
  bool share(Endpoint& subject) {
    const auto bits = static_cast<std::uint8_t>(8 + random_() % 8);
    SharedFrame* const frame = make_shared_frame(type_, view_of(payload_), codec, options, bits);
    if (frame == nullptr) return false;
    const std::error_code error = subject.send_shared(*frame);
    frame->release();
    const bool fits = bits <= subject.deflate()->server_window_bits;
    RC_ASSERT(error == (fits ? std::error_code{} : make_error_code(errc::compression_not_agreed)));
    return fits;
  }

  Role role_;
  std::mt19937& random_;
  MessageType type_ = MessageType::text;
  Data payload_;
  std::size_t offset_ = 0;
  bool in_parts_ = false;
  std::list<Data> lent_;
};

void exchange(Pair<Endpoint>& pair, Side& server, Side& client, std::mt19937& random) {
  const auto size = [&] { return random() % 5 == 0 ? random() % 200'000 : random() % 50; };
  for (auto steps = 2 + random() % 40; steps != 0 || server.in_parts() || client.in_parts();) {
    const bool of_server = random() % 2 == 0;
    Side& side = of_server ? server : client;
    if (steps != 0 || side.in_parts()) side.step(pair);
    if (steps != 0) --steps;
    for (auto moves = random() % 6; moves != 0; --moves) {
      for (const Role role : both_roles) {
        pair.harness(role).pump();
        if (pair.subject(role).output_size() != 0 && random() % 2 == 0) pair.harness(role).drain_some(size());
        if (random() % 2 == 0) pair.deliver(role, size());
      }
    }
  }
}

RC_GTEST_PROP(DeflatePair, AllArrivesAndNothingIsKept, ()) {
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  Side server(Role::server, random);
  Side client(Role::client, random);
  {
    Side* next = &server;
    Pair<Endpoint> pair([&](Config& config) {
      config.codec = &next->codec;
      config.deflate = next->options;
      next = &client;
    });
    expect_agreed(pair);
    pair.server_h.draining = pair.client_h.draining = false;
    exchange(pair, server, client, random);
    pair.settle();
    RC_ASSERT(pair.client_h.events.messages() == server.sent);
    RC_ASSERT(pair.server_h.events.messages() == client.sent);
    RC_ASSERT(pair.client_h.events.count(EventKind::ping) == server.pings);
    RC_ASSERT(pair.server_h.events.count(EventKind::ping) == client.pings);
    const auto end = random() % 3;
    if (end == 0) {  // in the middle of something
      server.step(pair);
      client.step(pair);
      for (const Role role : both_roles) {
        pair.harness(role).drain_some(random() % 300);
        pair.deliver(role, random() % 300);
        pair.harness(role).abort(errc::transport_error);
      }
    } else {
      RC_ASSERT(!pair.subject(end == 1 ? Role::server : Role::client).close(CloseCode::going_away, "done"));
      pair.settle();
      pair.hang_up();
      for (const Role role : both_roles) RC_ASSERT(pair.subject(role).close_status().clean);
    }
    // Closed is enough; the endpoints are still there.
    for (const Side* const side : {&server, &client}) RC_ASSERT(side->codec.streams() == 0u);
  }
  for (Side* const side : {&server, &client}) {
    side->codec.trim();
    RC_ASSERT(side->codec.memory_used() == side->used_at_first);
  }
}

}  // namespace
}  // namespace sansock::testing

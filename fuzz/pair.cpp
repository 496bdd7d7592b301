// A client and a server Endpoint, joined byte by byte: what goes in on one side comes out on the
// other, once and in order; if the link breaks, the beginning of it.
//
// Input: flags (1 small blocks, 2 no text checks, 4 small output limit), then operations.
#include "pair.h"

#include <list>

#include "check.h"
#include "input.h"

namespace {

using namespace sansock;
using namespace sansock::testing;

struct OwnedFrame : SharedFrame {
  explicit OwnedFrame(Data encoded) : memory(std::move(encoded)) {
    bytes = view_of(memory);
    destroy = [](SharedFrame* frame) noexcept { delete static_cast<OwnedFrame*>(frame); };
  }
  Data memory;
};

// One side, and what it has sent.
struct Side {
  std::vector<Data> messages;
  std::vector<std::string> pings;
  std::list<Data> lent;
  Data parts;  // of the message that is being sent in parts
  bool in_parts = false;
  MessageType part_type = MessageType::text;
};

class Link {
 public:
  explicit Link(unsigned flags)
      : pair_(
            [flags](Config& config) {
              config.timeouts.message_assembly = config.timeouts.ping_interval = no_timeout;
              config.check_received_text = (flags & 2) == 0;
              if ((flags & 4) != 0) config.limits.output_bytes_max = 3000;
            },
            (flags & 1) != 0 ? 14'900 : 65'536),
        limited_((flags & 4) != 0) {
    pair_.server_h.draining = pair_.client_h.draining = false;
  }

  void step(fuzz::Input& input) {
    const unsigned operation = input.byte();
    const Role role = (operation & 0x80) != 0 ? Role::client : Role::server;
    Harness<Endpoint>& h = pair_.harness(role);
    switch ((operation & 0x7F) % 10) {
      case 0:
      case 1: return send(role, payload(input), operation);
      case 2: return send_part(role, payload(input), (operation & 16) != 0);
      case 3: return ping(role, input.take(input.byte() % 130u));
      case 4:
      case 5:
        h.pump();
        if (pair_.subject(role).output_size() != 0) h.drain_some(input.number(2));
        return;
      case 6:
      case 7:
        if (!dropped_) pair_.deliver(role, input.number(2));
        return;
      case 8:
        if (input.byte() % 4 == 0) close(role);
        return;
      default:
        if (input.byte() % 8 == 0) drop();
    }
  }

  void finish() {
    if (!dropped_) {
      end_parts(Role::server);
      end_parts(Role::client);
      pair_.settle();
    }
    for (const Role role : both_roles) check(role);
    // An idle connection holds no block.
    if (!dropped_ && !closed_) FUZZ_CHECK(pair_.server_pool.live() == 0 && pair_.client_pool.live() == 0);
    if (!dropped_ && !closed_) close(Role::client);
    if (!dropped_) pair_.settle();
    const bool was_dropped = dropped_;
    if (!was_dropped) pair_.hang_up();
    for (const Role role : both_roles) {
      FUZZ_CHECK(pair_.harness(role).closed());
      if (!was_dropped) FUZZ_CHECK(pair_.subject(role).close_status().clean);
    }
  }

 private:
  Side& side(Role role) { return role == Role::server ? server_ : client_; }

  // A size, and a byte that fills it; even: text.
  static Data payload(fuzz::Input& input) {
    const unsigned size = input.byte();
    const unsigned filler = input.byte();
    const std::size_t bytes = size < 200 ? size : (size - 199) * (size - 199) * 20u;
    if ((filler & 1) != 0) return noise(bytes, filler);
    Data text;
    static const std::string pattern = "abc \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 ";
    while (text.size() < bytes) text.insert(text.end(), pattern.begin(), pattern.end());
    return text;
  }

  void accepted(Role role, std::error_code error, const Data& message) {
    if (!error) {
      side(role).messages.push_back(message);
      return;
    }
    const bool expected = error == errc::already_closing || error == errc::not_open ||
                          error == errc::message_unfinished || error == errc::output_full ||
                          error == errc::message_over_limit;
    FUZZ_CHECK(expected, error.message());
    FUZZ_CHECK(limited_ || (error != errc::output_full && error != errc::message_over_limit));
  }
  void send(Role role, const Data& message, unsigned operation) {
    if (sent_ > 2'000'000) return;
    sent_ += message.size();
    Endpoint& endpoint = pair_.subject(role);
    const MessageType type = utf8_is_valid(view_of(message)) ? MessageType::text : MessageType::binary;
    switch (operation >> 4 & 3) {
      case 0: return accepted(role, endpoint.send(type, view_of(message)), message);
      case 1:
      case 2: {
        side(role).lent.push_back(message);
        const Bytes memory = std::as_writable_bytes(std::span(side(role).lent.back()));
        return accepted(role, endpoint.send_borrowed(type, memory, sent_), message);
      }
      default: {
        if (role == Role::client) return accepted(role, endpoint.send(type, view_of(message)), message);
        auto* const frame =
            new OwnedFrame(encode({.opcode = static_cast<unsigned>(type), .payload = message}));
        const std::error_code error = endpoint.send_shared(*frame);
        frame->release();
        accepted(role, error, message);
      }
    }
  }
  void send_part(Role role, const Data& part, bool end) {
    Side& from = side(role);
    const bool text = utf8_is_valid(view_of(part));
    if (!from.in_parts) from.part_type = text ? MessageType::text : MessageType::binary;
    if (from.part_type == MessageType::text && !text) return;
    if (pair_.subject(role).send_part(from.part_type, view_of(part), end)) return;
    from.parts = from.parts + part;
    from.in_parts = !end;
    if (!end) return;
    from.messages.push_back(from.parts);
    from.parts.clear();
  }
  // A part that found no room finds it when all is drained.
  void end_parts(Role role) {
    if (!side(role).in_parts) return;
    pair_.settle();
    send_part(role, {}, true);
  }
  void ping(Role role, const Data& payload) {
    if (!pair_.subject(role).ping(view_of(payload))) side(role).pings.push_back("ping " + quote(payload));
  }
  void close(Role role) {
    end_parts(role);
    if (!pair_.subject(role).close(CloseCode::going_away, "done")) closed_ = true;
  }
  // Both ends lose the transport; what is in flight is lost.
  void drop() {
    if (dropped_) return;
    dropped_ = true;
    for (const Role role : both_roles) {
      if (!pair_.harness(role).closed()) pair_.harness(role).abort(errc::transport_error);
    }
  }

  // What `role` has received is what the other has sent; its beginning, where something was lost or
  // where it closed, after which messages are not looked at any more.
  void check(Role role) {
    const Side& sender = side(role == Role::server ? Role::client : Role::server);
    const Transcript& events = pair_.harness(role).events;
    const std::vector<Data>& got = events.messages();
    std::vector<std::string> pings;
    for (const std::string& line : events.lines()) {
      if (line.rfind("ping ", 0) == 0) pings.push_back(line);
    }
    FUZZ_CHECK(got.size() <= sender.messages.size() && pings.size() <= sender.pings.size());
    FUZZ_CHECK(std::equal(got.begin(), got.end(), sender.messages.begin()));
    FUZZ_CHECK(std::equal(pings.begin(), pings.end(), sender.pings.begin()));
    if (dropped_ || closed_) return;
    FUZZ_CHECK(got.size() == sender.messages.size() && pings.size() == sender.pings.size());
  }

  Pair<Endpoint> pair_;
  Side server_;
  Side client_;
  bool limited_;
  bool dropped_ = false;
  bool closed_ = false;
  std::size_t sent_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Link link(input.byte());
  for (int steps = 0; !input.empty() && steps < 500; ++steps) link.step(input);
  link.finish();
  return 0;
}

// Whatever one side sends arrives whole and in order at the other, through any chunking and any
// partial writes.
#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <list>
#include <random>

#include "pair.h"

namespace sansock::testing {
namespace {

struct Message {
  bool text;
  std::size_t size;
  int way;  // 0, 1: whole; 2: in parts; 3: lent; 4: shared, where the sender is a server
};

Data payload_of(const Message& message, std::size_t index) {
  if (!message.text) return noise(message.size, static_cast<std::uint32_t>(index + 1));
  static const std::string pattern = "abc \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 ";
  Data text;
  while (text.size() < message.size) text.insert(text.end(), pattern.begin(), pattern.end());
  return text;
}

struct OwnedFrame : SharedFrame {
  explicit OwnedFrame(Data encoded) : memory(std::move(encoded)) {
    bytes = view_of(memory);
    destroy = [](SharedFrame* frame) noexcept { delete static_cast<OwnedFrame*>(frame); };
  }
  Data memory;
};

// Sends its messages one after the other, with pings between the parts.
template <class Subject>
class Sender {
 public:
  Sender(Pair<Subject>& pair, Role role, const std::vector<Message>& messages)
      : subject_(pair.subject(role)), messages_(messages) {}

  bool done() const { return next_ == messages_.size(); }
  void step(std::mt19937& random) {
    if (random() % 4 == 0) {
      const std::string payload = "ping " + std::to_string(pings.size());
      if (!subject_.ping(as_bytes(payload))) pings.push_back(payload);
    }
    if (done()) return;
    const Message& message = messages_[next_];
    const MessageType type = message.text ? MessageType::text : MessageType::binary;
    if (!in_parts_) payload_ = payload_of(message, next_);
    if (message.way == 2) return part(type, random);
    if (message.way == 3) {
      lent_.push_back(payload_);
      RC_ASSERT(!subject_.send_borrowed(type, std::as_writable_bytes(std::span(lent_.back())), next_));
    } else if (message.way == 4 && subject_.role() == Role::server) {
      auto* const frame =
          new OwnedFrame(encode({.opcode = static_cast<unsigned>(type), .payload = payload_}));
      const std::error_code error = subject_.send_shared(*frame);
      frame->release();
      RC_ASSERT(!error);
    } else {
      RC_ASSERT(!subject_.send(type, view_of(payload_)));
    }
    finish();
  }

  std::vector<Data> sent;
  std::vector<std::string> pings;

 private:
  void part(MessageType type, std::mt19937& random) {
    const std::size_t left = payload_.size() - offset_;
    const std::size_t size = random() % 3 == 0 ? left : random() % (left + 1);
    const bool end = size == left;
    RC_ASSERT(!subject_.send_part(type, view_of(payload_).subspan(offset_, size), end));
    offset_ += size;
    in_parts_ = !end;
    if (end) finish();
  }
  void finish() {
    sent.push_back(payload_);
    offset_ = 0;
    ++next_;
  }

  Subject& subject_;
  const std::vector<Message>& messages_;
  std::size_t next_ = 0;
  Data payload_;
  std::size_t offset_ = 0;
  bool in_parts_ = false;
  std::list<Data> lent_;
};

rc::Gen<std::vector<Message>> some_messages() {
  const auto size =
      rc::gen::weightedOneOf<std::size_t>({{6, rc::gen::inRange<std::size_t>(0, 300)},
                                           {2, rc::gen::element<std::size_t>(125, 126, 65535, 65536)},
                                           {1, rc::gen::inRange<std::size_t>(0, 100'000)}});
  return rc::gen::container<std::vector<Message>>(
      rc::gen::construct<Message>(rc::gen::arbitrary<bool>(), size, rc::gen::inRange(0, 5)));
}

std::vector<std::string> ping_lines(const Transcript& events) {
  std::vector<std::string> lines;
  for (const std::string& line : events.lines()) {
    if (line.rfind("ping ", 0) == 0) lines.push_back(line);
  }
  return lines;
}

template <class Subject>
void arrives_whole() {
  const auto from_server = *some_messages();
  const auto from_client = *some_messages();
  const auto block_size = *rc::gen::element<std::size_t>(16'384, 20'000, 65'536);
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  Pair<Subject> pair([](Config& config) { config.check_sent_text = false; }, block_size);
  pair.server_h.draining = pair.client_h.draining = false;
  Sender<Subject> server(pair, Role::server, from_server);
  Sender<Subject> client(pair, Role::client, from_client);
  const auto size = [&] { return random() % 5 == 0 ? random() % 200'000 : random() % 50; };
  for (int steps = 0; !server.done() || !client.done() || steps % 16 != 0; ++steps) {
    Sender<Subject>& sender = random() % 2 == 0 ? server : client;
    if (random() % 3 == 0) sender.step(random);
    for (const Role role : both_roles) {
      pair.harness(role).pump();
      if (pair.subject(role).output_size() != 0 && random() % 2 == 0) pair.harness(role).drain_some(size());
      if (random() % 2 == 0) pair.deliver(role, size());
    }
  }
  pair.settle();
  RC_ASSERT(pair.client_h.events.messages() == server.sent);
  RC_ASSERT(pair.server_h.events.messages() == client.sent);
  for (const auto& [events, sender] :
       {std::pair(&pair.client_h.events, &server), std::pair(&pair.server_h.events, &client)}) {
    std::vector<std::string> expected;
    for (const std::string& ping : sender->pings) expected.push_back("ping " + quote(ping));
    RC_ASSERT(ping_lines(*events) == expected);
  }
  const Role closer = random() % 2 == 0 ? Role::server : Role::client;
  RC_ASSERT(!pair.subject(closer).close(CloseCode::going_away, "done"));
  pair.settle();
  pair.hang_up();
  for (const Role role : both_roles) RC_ASSERT(pair.subject(role).close_status().clean);
}

RC_GTEST_PROP(Pair, ConnectionsArriveWhole, ()) { arrives_whole<Connection>(); }
RC_GTEST_PROP(Pair, EndpointsArriveWhole, ()) { arrives_whole<Endpoint>(); }

}  // namespace
}  // namespace sansock::testing

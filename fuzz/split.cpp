// The same stream of bytes whole, in the reads that the input names, and byte by byte: the same
// events, the same output, the same end. For a Connection and for an Endpoint with its opening
// handshake, in both roles.
//
// Input: settings, flags (1 raw stream, 2 a good head in front, 4 the application answers by itself,
// 8 the answer comes later), cuts, the stream.
#include "check.h"
#include "harness.h"
#include "settings.h"
#include "stream.h"
#include "test_entropy.h"
#include "test_pool.h"

namespace {

using namespace sansock;
using namespace sansock::testing;
using sansock::fuzz::Settings;

constexpr std::string_view good_request =
    "GET /chat?x=1 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: chat\r\n\r\n";
// For the key that the entropy of this target gives.
constexpr std::string_view good_response =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: 7Ubo2JRe6fIuZAdGHq7kDA4XEQ0=\r\n\r\n";

struct Plan {
  Settings settings;
  bool good_head = false;
  bool respond = false;
  bool later = false;
};

// What can be seen from outside.
struct Seen {
  std::string events;
  Data output;
  CloseStatus status;
  std::string error;

  bool operator==(const Seen& other) const {
    return events == other.events && output == other.output && error == other.error &&
           status.sent == other.status.sent && status.received == other.status.received &&
           status.clean == other.status.clean && status.cause == other.status.cause;
  }
  std::string text() const {
    return events + "output " + to_hex(output) + "\nsent " +
           std::to_string(static_cast<unsigned>(status.sent)) + " received " +
           std::to_string(static_cast<unsigned>(status.received)) + " " + std::string(name(status.cause)) +
           " " + error + "\n";
  }
};

template <class Subject>
class Run {
 public:
  explicit Run(const Plan& plan)
      : plan_(plan),
        pool_(plan.settings.block_size),
        config_(plan.settings.config),
        subject_(plan.settings.role, with_memory(config_)),
        h_(subject_) {}

  Seen see(const Data& stream, const std::vector<std::size_t>& cuts) {
    begin();
    h_.feed_cut(stream, cuts);
    while (!h_.closed() && subject_.input_paused()) {
      answer();
      h_.resume();
    }
    h_.eof();
    h_.advance(std::chrono::seconds(1000));
    if (!h_.closed()) h_.abort(errc::transport_error);
    FUZZ_CHECK(h_.events.count(EventKind::closed) == 1);
    return {h_.events.text(), h_.output, subject_.close_status(), error_};
  }

 private:
  Config& with_memory(Config& config) {
    config.pool = &pool_;
    config.entropy = &entropy_;
    // Which Pong is the newest when too many are queued depends on the reads.
    config.limits.pong_bytes_max = 0xFFFF'FFFF;
    config.limits.discard_bytes_max = 64u << 20;
    FUZZ_CHECK(validate(config, plan_.settings.role) == errc::none);
    return config;
  }
  void begin() {
    if constexpr (std::is_same_v<Subject, Endpoint>) {
      if (plan_.settings.role == Role::client) {
        FUZZ_CHECK(!subject_.connect({.host = "example.com", .target = "/chat"}));
        h_.settle();
      } else if (!plan_.later) {
        h_.handler = [this](const Event& event) {
          if (event.kind == EventKind::request) answer();
        };
      }
    }
  }
  // Errors are part of what is seen: a refused request can not be accepted.
  void answer() {
    if constexpr (std::is_same_v<Subject, Endpoint>) {
      const std::error_code error =
          plan_.respond ? subject_.respond({.status = 404, .body = as_bytes("not here")}) : subject_.accept();
      error_ += error ? error.message() : "answered";
      if (error && subject_.input_paused() && plan_.later) subject_.abort(errc::aborted);
    }
  }

  const Plan& plan_;
  TestPool pool_;
  ConstantEntropy entropy_{0x37FA213D};
  Config config_;
  Subject subject_;
  Harness<Subject> h_;
  std::string error_;
};

Seen see(const Plan& plan, const Data& stream, const std::vector<std::size_t>& cuts) {
  if (plan.settings.endpoint) return Run<Endpoint>(plan).see(stream, cuts);
  return Run<Connection>(plan).see(stream, cuts);
}

void expect_equal(const Seen& got, const Seen& expected, const Data& stream) {
  FUZZ_CHECK(got == expected,
             "in parts:\n" + got.text() + "whole:\n" + expected.text() + "stream: " + to_hex(stream));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Plan plan{.settings = fuzz::read_settings(input)};
  const unsigned flags = input.byte();
  plan.good_head = (flags & 2) != 0;
  plan.respond = (flags & 4) != 0;
  plan.later = (flags & 8) != 0;
  const Role role = plan.settings.role;
  const std::vector<std::size_t> cuts = fuzz::read_cuts(input);
  Data stream = fuzz::stream_of(input, role, (flags & 1) != 0);
  if (plan.settings.endpoint && plan.good_head)
    stream = bytes_of(role == Role::server ? good_request : good_response) + stream;
  const Seen whole = see(plan, stream, {});
  expect_equal(see(plan, stream, cuts), whole, stream);
  if (stream.size() < 2000) {
    std::vector<std::size_t> every_byte(stream.size());
    for (std::size_t i = 0; i < stream.size(); ++i) every_byte[i] = i;
    expect_equal(see(plan, stream, every_byte), whole, stream);
  }
  return 0;
}

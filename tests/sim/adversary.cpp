#include "adversary.h"

#include <algorithm>

#include "sansock/handshake.h"

namespace sansock::sim {

namespace {

constexpr std::size_t heard_max = 4'096;
constexpr std::size_t unsent_max = 300'000;

}  // namespace

Adversary::Adversary(Scene& scene, unsigned port, Link& link)
    : scene_(&scene), link_(&link), prng_(scene.prng.fork()), port_(port), deaf_(prng_.chance(200)) {}

void Adversary::connect() {
  if (side() == client) say_request();
}

void Adversary::turn() {
  if (gone_) return;
  if (link_->failed(side())) return leave();
  if (!deaf_ && link_->readable(side()) != 0) {
    std::vector<std::byte> bytes(link_->readable(side()));
    link_->read(side(), bytes);
    if (heard_.size() < heard_max) heard_.append(as_text(bytes));
    // What it hears of TLS is random, and must not move it.
    if (side() == server && !link_->hidden() && !answered_ && heard_.find("\r\n\r\n") != std::string::npos)
      say_response();
  }
  flush();
}

bool Adversary::act() {
  if (gone_) return false;
  switch (prng_.below(20)) {
    case 0: link_->finish(side()); break;
    case 1: leave(); return false;
    case 2: link_->reset(); break;
    case 3: deaf_ = !deaf_; break;
    default: say_frames(); break;
  }
  turn();
  return !gone_;
}

void Adversary::leave() {
  if (gone_) return;
  gone_ = true;
  link_->close(side());
}

// --- what it says ---------------------------------------------------------------------------------

void Adversary::say(const std::vector<std::byte>& bytes) {
  if (unsent_.size() < unsent_max) add(unsent_, bytes);
  flush();
}

void Adversary::say(const std::string& text) {
  const ConstBytes bytes = as_bytes(text);
  say(std::vector<std::byte>(bytes.begin(), bytes.end()));
}

void Adversary::flush() {
  if (unsent_.empty() || gone_) return;
  const std::size_t size = link_->write(side(), unsent_).value_or(0);
  unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(size));
}

void Adversary::say_request() {
  const std::string good =
      "GET /simulated?seed HTTP/1.1\r\nHost: sim.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  switch (prng_.below(10)) {
    case 0: return say(good + "Sec-WebSocket-Version: 99\r\n\r\n");
    case 1: return say(good + "X: " + std::string(prng_.below(2'000), 'x') + "\r\n\r\n");
    case 2: return say(good.substr(0, prng_.below(good.size())));
    case 3: return say("GET / HTTP/1.1\r\nHost: sim.example\r\n\r\n");
    case 4: {
      std::string bad = good + "\r\n";
      bad[prng_.below(bad.size())] = static_cast<char>(prng_.next());
      return say(bad);
    }
    default: return say(good + "\r\n");
  }
}

void Adversary::say_response() {
  answered_ = true;
  const std::string name = "Sec-WebSocket-Key: ";
  const std::size_t at = heard_.find(name);
  const std::string key = at == std::string::npos ? "" : heard_.substr(at + name.size(), 24);
  const auto accept = accept_key(key);
  const std::string good =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      std::string(accept.begin(), accept.end()) + "\r\n";
  switch (prng_.below(10)) {
    case 0: return say(good + "Sec-WebSocket-Protocol: other\r\n\r\n");
    case 1: return say("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    case 2: return say("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello");
    case 3: return say(good.substr(0, prng_.below(good.size())));
    case 4: {
      std::string bad = good + "\r\n";
      bad[prng_.below(bad.size())] = static_cast<char>(prng_.next());
      return say(bad);
    }
    default: return say(good + "\r\n");
  }
}

void Adversary::add(std::vector<std::byte>& to, const std::vector<std::byte>& bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// A frame as this role sends it, with a payload of random bytes.
std::vector<std::byte> Adversary::frame(unsigned first_byte, std::size_t size) {
  std::vector<std::byte> bytes{static_cast<std::byte>(first_byte)};
  const unsigned mask = side() == client ? 0x80 : 0;
  if (size < 126) {
    bytes.push_back(static_cast<std::byte>(mask | size));
  } else {
    const int length_bytes = size < 65'536 ? 2 : 8;
    bytes.push_back(static_cast<std::byte>(mask | (length_bytes == 2 ? 126u : 127u)));
    for (int i = length_bytes; i-- > 0;)
      bytes.push_back(static_cast<std::byte>(std::uint64_t{size} >> (8 * i)));
  }
  const std::size_t rest = size + (mask != 0 ? 4 : 0);
  for (std::size_t i = 0; i < rest; ++i) bytes.push_back(static_cast<std::byte>(prng_.next() % 128));
  return bytes;
}

std::vector<std::byte> Adversary::broken_frame() {
  std::vector<std::byte> bytes;
  switch (prng_.below(8)) {
    case 0: return frame(static_cast<unsigned>(prng_.below(256)), prng_.below(300));
    case 1:  // an announced size that is not to be believed
      bytes = frame(0x82, 70'000);
      for (std::size_t i = 2; i < 10; ++i) bytes[i] = static_cast<std::byte>(prng_.next());
      bytes.resize(prng_.between(2, 40));
      return bytes;
    case 2:  // the other role's frame
      bytes = frame(0x81, prng_.below(100));
      bytes[1] ^= std::byte{0x80};
      return bytes;
    case 3:  // a longer length than needed
      bytes = frame(0x82, 300);
      bytes[2] = std::byte{0};
      bytes[3] = std::byte{5};
      return bytes;
    case 4: return frame(0x88, prng_.below(126));
    case 5: return frame(0x88, 1);
    case 6:
      for (std::size_t i = prng_.below(2'000); i-- > 0;)
        bytes.push_back(static_cast<std::byte>(prng_.next()));
      return bytes;
    default:  // one bit of a good frame
      bytes = frame(0x81, prng_.below(300));
      bytes[prng_.below(bytes.size())] ^= static_cast<std::byte>(1u << prng_.below(8));
      return bytes;
  }
}

void Adversary::say_frames() {
  std::vector<std::byte> bytes;
  switch (prng_.below(8)) {
    case 0:  // a flood of Pings
      for (std::size_t i = prng_.below(200); i-- > 0;) add(bytes, frame(0x89, prng_.below(126)));
      break;
    case 1:  // fragments without content, and perhaps an end
      add(bytes, frame(0x01, 0));
      for (std::size_t i = prng_.below(1'200); i-- > 0;) add(bytes, frame(0x00, 0));
      if (prng_.chance(500)) add(bytes, frame(0x80, 0));
      break;
    case 2: add(bytes, frame(0x82, prng_.below(100'000))); break;
    case 3:  // a part of a frame
      bytes = frame(0x81, prng_.below(1'000));
      bytes.resize(prng_.below(bytes.size()));
      break;
    case 4: bytes = broken_frame(); break;
    case 5:  // Pongs that nobody asked for
      add(bytes, frame(0x8A, prng_.below(126)));
      break;
    default: add(bytes, frame(0x81, prng_.below(500))); break;
  }
  scene_->note(port_, "intrude", bytes.size());
  say(bytes);
}

}  // namespace sansock::sim

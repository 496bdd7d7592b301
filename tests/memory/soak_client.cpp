// soak_client PORT CONNECTIONS MESSAGES: echoes MESSAGES on each of CONNECTIONS at once and checks
// every byte that comes back. It shares no code with the library, so that both can not be wrong alike.
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr std::size_t in_flight_max = 4;  // messages a connection
constexpr std::size_t pattern_size = 1 << 20;

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "soak_client: %s\n", text.c_str());
  std::exit(1);
}

std::uint64_t scramble(std::uint64_t x) {  // the finalizer of splitmix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

const std::string& pattern() {
  static const std::string bytes = [] {
    std::string made(pattern_size, '\0');
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<char>(scramble(i + 1) % 128);
    return made;
  }();
  return bytes;
}

// The n-th message of a connection: a piece of the pattern. Most are small, some need the 16-bit
// length, a few the 64-bit one. All bytes are ASCII, so each may also go as text.
struct Payload {
  std::string_view bytes;
  bool text;
};

Payload payload_of(std::uint64_t connection, std::uint64_t number) {
  const std::uint64_t random = scramble(connection * 1'000'003 + number + 1);
  const std::uint64_t kind = random % 256;
  std::size_t size_max = 126;
  if (kind < 64) size_max = 1'000;
  if (kind < 16) size_max = 10'000;
  if (kind == 0) size_max = 140'000;
  const std::size_t size = (random >> 8) % size_max;
  const std::size_t offset = (random >> 30) % (pattern_size - size_max);
  return {std::string_view(pattern()).substr(offset, size), (random >> 60) % 2 == 0};
}

void append_frame(std::string& out, const Payload& payload, std::uint32_t key) {
  const std::size_t size = payload.bytes.size();
  out.push_back(static_cast<char>(payload.text ? 0x81 : 0x82));
  const int length_bytes = size < 126 ? 0 : size < 65'536 ? 2 : 8;
  out.push_back(static_cast<char>(0x80 | (length_bytes == 0 ? size : length_bytes == 2 ? 126u : 127u)));
  for (int i = length_bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(size >> (8 * i)));
  std::array<char, 4> mask;
  std::memcpy(mask.data(), &key, mask.size());
  out.append(mask.data(), mask.size());
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(payload.bytes[i] ^ mask[i % 4]));
}

class Connection {
 public:
  Connection(std::uint64_t number, std::uint64_t messages, std::uint16_t port)
      : number_(number), messages_(messages) {
    // Addresses 127.0.0.2 and up, so that ports do not run out.
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number / 10'000));
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) fail(std::string("socket: ") + std::strerror(errno));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (bind(fd_, generic, sizeof address) != 0) fail(std::string("bind: ") + std::strerror(errno));
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, generic, sizeof address) != 0) fail(std::string("connect: ") + std::strerror(errno));
    shake_hands();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(fd_); }

  int fd() const { return fd_; }
  bool done() const { return received_ == messages_; }
  bool wants_write() const { return !output_.empty(); }
  std::uint64_t bytes() const { return bytes_; }

  void write() {
    while (sent_ < messages_ && sent_ - received_ < in_flight_max) {
      append_frame(output_, payload_of(number_, sent_), static_cast<std::uint32_t>(scramble(sent_ + 7)));
      ++sent_;
    }
    if (output_.empty()) return;
    const ssize_t size = send(fd_, output_.data(), output_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN && errno != EINTR) complain(std::strerror(errno));
    if (size > 0) output_.erase(0, static_cast<std::size_t>(size));
  }

  void read() {
    static std::array<char, 256 << 10> buffer;
    const ssize_t size = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size < 0) complain(std::strerror(errno));
    if (size == 0) complain("the server has closed");
    input_.append(buffer.data(), static_cast<std::size_t>(size));
    std::size_t used = 0;
    while (const std::size_t frame = take_frame(std::string_view(input_).substr(used))) used += frame;
    input_.erase(0, used);
  }

 private:
  [[noreturn]] void complain(const std::string& text) const {
    fail("connection " + std::to_string(number_) + ", message " + std::to_string(received_) + ": " + text);
  }

  void shake_hands() {
    static constexpr std::string_view request =
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
      complain("the request could not be sent");
    }
    std::string answer;
    while (!answer.ends_with("\r\n\r\n")) {  // the server has nothing to say behind it
      std::array<char, 1024> part;
      const ssize_t size = recv(fd_, part.data(), part.size(), 0);
      if (size <= 0) complain("no answer to the request");
      answer.append(part.data(), static_cast<std::size_t>(size));
    }
    if (!answer.starts_with("HTTP/1.1 101 ")) complain("refused: " + answer);
  }

  // The size of the first whole frame in `input`, which was checked; 0 if there is none.
  std::size_t take_frame(std::string_view input) {
    if (input.size() < 2) return 0;
    const auto byte = [input](std::size_t i) { return static_cast<unsigned char>(input[i]); };
    std::uint64_t length = byte(1);
    const std::size_t header = length < 126 ? 2 : length == 126 ? 4 : 10;
    if (length > 127) complain("a masked frame");
    if (input.size() < header) return 0;
    if (header > 2) length = 0;
    for (std::size_t i = 2; i < header; ++i) length = length << 8 | byte(i);
    if (input.size() - header < length) return 0;
    const unsigned opcode = byte(0) & 0x0Fu;
    const std::string_view payload = input.substr(header, length);
    if (opcode == 9) {
      append_pong(payload);
    } else if (opcode <= 2) {
      take_data(opcode, (byte(0) & 0x80) != 0, payload);
    } else {
      complain("a frame with opcode " + std::to_string(opcode));
    }
    return header + length;
  }

  void append_pong(std::string_view payload) {
    output_.push_back(static_cast<char>(0x8A));
    output_.push_back(static_cast<char>(0x80 | payload.size()));
    output_.append(4, '\0').append(payload);
  }

  void take_data(unsigned opcode, bool fin, std::string_view payload) {
    if (received_ == sent_) complain("a message that was not sent");
    const Payload expected = payload_of(number_, received_);
    if (opcode != (offset_begun_ ? 0u : expected.text ? 1u : 2u)) complain("a wrong opcode");
    offset_begun_ = !fin;
    if (expected.bytes.substr(std::min(offset_, expected.bytes.size()), payload.size()) != payload) {
      complain("the echo differs behind byte " + std::to_string(offset_));
    }
    offset_ += payload.size();
    bytes_ += payload.size();
    if (!fin) return;
    if (offset_ != expected.bytes.size()) complain("the echo is short: " + std::to_string(offset_));
    offset_ = 0;
    ++received_;
  }

  std::uint64_t number_;
  std::uint64_t messages_;
  int fd_ = -1;
  std::string input_;
  std::string output_;
  std::uint64_t sent_ = 0;      // messages
  std::uint64_t received_ = 0;  // whole echoes
  std::size_t offset_ = 0;      // bytes of the echo under way
  bool offset_begun_ = false;   // its first frame was here
  std::uint64_t bytes_ = 0;
};

std::uint64_t parse_number(const char* text, std::uint64_t max) {
  char* end = nullptr;
  const std::uint64_t number = std::strtoull(text, &end, 10);
  if (*text == '\0' || *end != '\0' || number == 0 || number > max) fail(std::string("bad number: ") + text);
  return number;
}

void watch(int epoll, int operation, const Connection& connection, std::size_t index) {
  epoll_event event = {};
  event.events = EPOLLIN | (connection.wants_write() ? EPOLLOUT : 0u);
  event.data.u64 = index;
  if (epoll_ctl(epoll, operation, connection.fd(), &event) != 0) fail("epoll_ctl");
}

void run(std::vector<std::unique_ptr<Connection>>& connections) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::size_t left = connections.size();
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i]->write();
    watch(epoll, EPOLL_CTL_ADD, *connections[i], i);
  }
  std::array<epoll_event, 256> events;
  while (left > 0) {
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 60'000);
    if (count == 0) fail("nothing has come for 60 s, and " + std::to_string(left) + " connections wait");
    for (int i = 0; i < count; ++i) {
      const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
      Connection& connection = *connections[index];
      const bool wanted = connection.wants_write();
      connection.read();
      connection.write();
      if (connection.done()) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, connection.fd(), nullptr);
        --left;
      } else if (connection.wants_write() != wanted) {
        watch(epoll, EPOLL_CTL_MOD, connection, index);
      }
    }
  }
  close(epoll);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: soak_client PORT CONNECTIONS MESSAGES");
  const auto port = static_cast<std::uint16_t>(parse_number(argv[1], 65'535));
  const std::uint64_t count = parse_number(argv[2], 1'000'000);
  const std::uint64_t messages = parse_number(argv[3], 1'000'000'000);
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<std::unique_ptr<Connection>> connections;
  for (std::uint64_t i = 0; i < count; ++i) {
    connections.push_back(std::make_unique<Connection>(i, messages, port));
  }
  const auto start = std::chrono::steady_clock::now();
  run(connections);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::uint64_t bytes = 0;
  for (const auto& connection : connections) bytes += connection->bytes();
  std::printf("%llu messages on %llu connections, %llu bytes each way, all the same, in %.1f s\n",
              static_cast<unsigned long long>(count * messages), static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(bytes), took.count());
  return 0;
}

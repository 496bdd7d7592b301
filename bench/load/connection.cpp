#include "connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "clock.h"
#include "opening_handshake.h"

namespace load {
namespace {

constexpr std::size_t receive_bytes = std::size_t{256} << 10;
// Less by more than a record, of which the begin came before: what comes out has room.
constexpr std::size_t record_bytes_max = receive_bytes - (std::size_t{32} << 10);
// Encrypted at once, before it is known whether the socket takes it.
constexpr std::size_t encrypt_bytes = std::size_t{64} << 10;
constexpr std::size_t answer_bytes_max = 16384;
// A source address has about 28,000 ports to one destination, and those of the run before stay taken for
// a minute.
constexpr std::size_t connections_per_source = 5'000;

// Names the connection already.
struct Failure : std::runtime_error {
  using runtime_error::runtime_error;
};

bool is_loopback(const sockaddr_in& address) { return ntohl(address.sin_addr.s_addr) >> 24 == 127; }

}  // namespace

Connection::Connection(const Plan& plan, std::size_t number)
    : plan_(plan), number_(number), reader_(plan.tape, plan.options.verify), sent_at_(plan.options.depth) {
  if (plan.tls != nullptr) tls_ = std::make_unique<TlsStream>(*plan.tls);
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

void Connection::fail(const std::string& what, int error) const {
  const std::string reason = error == 0 ? "" : ": " + std::generic_category().message(error);
  throw Failure(fmt::format("connection {} to {}: {}{}", number_ + 1, plan_.options.url, what, reason));
}

void Connection::open(int epoll) {
  const Target& target = plan_.options.target;
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail("no socket", errno);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::size_t source = number_ / connections_per_source;
  if (source > 0 && is_loopback(target.address)) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(source));
    setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) fail("can not bind", errno);
  }
  state_ = State::connecting;
  epoll_ = epoll;
  opening_at_ = now_ns();
  answer_.clear();
  reader_ = EchoReader(plan_.tape, plan_.options.verify);
  tape_position_ = bytes_due_ = row_index_ = sent_first_ = sent_next_ = in_flight_ = 0;
  const auto* address = reinterpret_cast<const sockaddr*>(&target.address);
  if (connect(fd_, address, sizeof target.address) != 0 && errno != EINPROGRESS)
    fail("can not connect", errno);
  output_wanted_ = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.ptr = this;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd_, &event) != 0) fail("epoll refuses it", errno);
}

void Connection::want_output(bool wanted) {
  if (wanted == output_wanted_) return;
  output_wanted_ = wanted;
  epoll_event event{};
  event.events = EPOLLIN | (wanted ? std::uint32_t{EPOLLOUT} : 0u);
  event.data.ptr = this;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event) != 0) fail("epoll refuses it", errno);
}

void Connection::finish_connecting() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) fail("can not connect", error);
  if (!tls_) return begin_request();
  state_ = State::securing;
  tls_->restart();
  tls_->handshake();
  flush();
}

void Connection::begin_request() {
  // In the mode `rate` a raw server gets the same bytes and sends them back, the floor of that mode.
  const bool request_sent = plan_.options.target.websocket || plan_.options.mode == Mode::rate;
  state_ = request_sent ? State::answering : State::open;
  request_left_ = request_sent ? plan_.request.size() : 0;
  flush();
}

// How much of the parts was taken; 0 if the socket takes nothing now.
std::size_t Connection::put(const iovec* parts, std::size_t count) {
  if (!tls_) return put_plain(parts, count);
  // What is small goes with the next: the end of the handshake with the request.
  if (tls_->output().size() >= encrypt_bytes && !put_records()) return 0;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < count && taken < encrypt_bytes; ++i) {
    const std::size_t size = std::min(parts[i].iov_len, encrypt_bytes - taken);
    tls_->write({static_cast<const char*>(parts[i].iov_base), size});
    taken += size;
  }
  put_records();
  return taken;
}

std::size_t Connection::put_plain(const iovec* parts, std::size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = count;
  const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) fail("can not send", errno);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

// Sends what TLS made; false if some of it is left.
bool Connection::put_records() {
  std::string& output = tls_->output();
  if (output.empty()) return true;
  const iovec part{output.data(), output.size()};
  output.erase(0, put_plain(&part, 1));
  return output.empty();
}

void Connection::flush() {
  while (request_left_ > 0) {
    const char* rest = plan_.request.data() + plan_.request.size() - request_left_;
    const iovec part{const_cast<char*>(rest), request_left_};
    const std::size_t sent = put(&part, 1);
    if (sent == 0) return want_output(true);
    request_left_ -= sent;
  }
  const std::string& frames = plan_.tape.frames;
  while (bytes_due_ > 0) {
    // To the end of the tape, and once more round it where that is not enough.
    const std::size_t first = std::min(bytes_due_, frames.size() - tape_position_);
    std::array<iovec, 2> parts{
        {{const_cast<char*>(frames.data()) + tape_position_, first},
         {const_cast<char*>(frames.data()), std::min(bytes_due_ - first, frames.size())}}};
    const std::size_t sent = put(parts.data(), parts[1].iov_len > 0 ? 2 : 1);
    if (sent == 0) return want_output(true);
    bytes_due_ -= sent;
    tape_position_ = (tape_position_ + sent) % frames.size();
  }
  want_output(tls_ && !put_records());
}

void Connection::send(std::size_t messages, std::uint64_t now) {
  for (std::size_t i = 0; i < messages; ++i) {
    sent_at_[sent_next_] = now;
    if (++sent_next_ == sent_at_.size()) sent_next_ = 0;
  }
  in_flight_ += messages;
  bytes_due_ += plan_.tape.frame_bytes(row_index_, messages);
  row_index_ = (row_index_ + messages) % plan_.tape.count;
  flush();
}

std::uint64_t Connection::take_sent_at() {
  if (in_flight_ == 0) fail("wrong echo: a message came that was not sent");
  --in_flight_;
  const std::uint64_t at = sent_at_[sent_first_];
  if (++sent_first_ == sent_at_.size()) sent_first_ = 0;
  return at;
}

void Connection::abort() noexcept {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(fd_);
  fd_ = -1;
  state_ = State::closed;
}

// Takes the answer from the front of `bytes`; the connection is open if it is complete.
void Connection::take_answer(std::span<const char>& bytes) {
  const std::size_t before = answer_.size();
  answer_.append(bytes.data(), bytes.size());
  std::size_t end = plan_.request.size();  // of a raw echo
  if (plan_.options.target.websocket) {
    end = answer_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
      if (answer_.size() > answer_bytes_max) fail("the answer to the handshake has no end");
      bytes = {};
      return;
    }
    end += 4;
    judge(std::string_view(answer_).substr(0, end));
  } else if (answer_.size() < end) {
    bytes = {};
    return;
  } else if (answer_ != plan_.request) {
    fail("wrong echo of the request");
  }
  bytes = bytes.subspan(end - before);
  answer_ = {};
  state_ = State::open;
}

void Connection::judge(std::string_view head) {
  const std::string wrong = judge_answer(head);
  if (!wrong.empty()) fail(wrong);
  agreement_ = read_deflate_answer(plan_.options.deflate, head);
  if (!plan_.asks && agreement_ != plan_.tape.deflate) {
    fail(fmt::format("the server agreed to '{}', and to '{}' before", describe(agreement_),
                     describe(plan_.tape.deflate)));
  }
}

std::span<const char> Connection::receive_some(std::span<char> buffer) {
  const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
  if (size == 0) fail("the server closed it");
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) return {};
    fail("can not receive", errno);
  }
  return buffer.first(static_cast<std::size_t>(size));
}

std::span<const char> Connection::receive_plain(Buffers& buffers) {
  if (!tls_) return receive_some(buffers.plain);
  tls_->give(receive_some(std::span(buffers.records).first(record_bytes_max)));
  if (state_ == State::securing) {
    const bool done = tls_->handshake();
    if (done) begin_request();
    if (!done) flush();
    if (!done) return {};
  }
  return std::span(buffers.plain).first(tls_->read(buffers.plain));
}

// How many messages arrived.
std::size_t Connection::receive(Buffers& buffers) {
  std::span<const char> bytes = receive_plain(buffers);
  if (state_ == State::answering && !bytes.empty()) take_answer(bytes);
  // Who asks has no tape that fits yet: what comes after the answer is not looked at.
  return bytes.empty() || plan_.asks ? 0 : reader_.read(bytes);
}

std::size_t Connection::handle(std::uint32_t events, Buffers& buffers) {
  try {
    if (state_ == State::connecting) {
      // An error is in the socket; an event without output or error is not the end of connecting.
      if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) finish_connecting();
      return 0;
    }
    if ((events & EPOLLOUT) != 0) flush();
    return (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 ? receive(buffers) : 0;
  } catch (const Failure&) {
    throw;
  } catch (const std::runtime_error& error) {
    fail(error.what());
  }
}

Loop::Loop(Handler& handler)
    : handler_(handler),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffers_{.plain = std::vector<char>(receive_bytes), .records = std::vector<char>(receive_bytes)} {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll");
}

Loop::~Loop() { close(epoll_); }

void Loop::open(Connection& connection) { connection.open(epoll_); }

void Loop::handle(Connection& connection, std::uint32_t events) {
  using State = Connection::State;
  const State before = connection.state_;
  const std::size_t messages = connection.handle(events, buffers_);
  const std::uint64_t now = now_ns();
  // Each may abort and open it again, so that nothing of before is used behind it.
  if (before != State::open && connection.state_ == State::open) {
    handler_.opened(connection, connection.opening_at_, now);
  } else if (messages > 0) {
    handler_.received(connection, messages, now);
  }
}

void Loop::turn(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    handle(*static_cast<Connection*>(event.data.ptr), event.events);
  }
}

}  // namespace load

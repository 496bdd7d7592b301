// A connection of the load generator and the epoll loop that serves its share of them.
//
// A connection goes through connecting -> securing -> answering -> open -> closed; without TLS it skips
// `securing`, and raw TCP skips `answering`.
// Any failure is thrown as std::runtime_error that names the connection: one is enough to end a run,
// since figures of a run in which some connections fail mean nothing.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "echo_reader.h"
#include "tape.h"
#include "tls.h"

namespace load {

class Loop;

struct Plan {
  const Options& options;
  const Tape& tape;
  std::string request;
  const TlsContext* tls = nullptr;
  // Every connection has to agree on what the tape was made for; but the one that asks takes anything.
  bool asks = false;
};

// Of a loop: what a connection receives into.
struct Buffers {
  std::vector<char> plain;
  std::vector<char> records;  // of TLS
};

class Connection {
 public:
  enum class State { closed, connecting, securing, answering, open };

  Connection(const Plan& plan, std::size_t number);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  State state() const noexcept { return state_; }
  // Sends the next messages of the tape.
  void send(std::size_t messages, std::uint64_t now);
  // When the oldest message in flight was handed to send(); forgets it.
  std::uint64_t take_sent_at();
  // With a reset, so that its port is free again at once.
  void abort() noexcept;

  // Of an open connection.
  const DeflateAgreement& agreement() const noexcept { return agreement_; }
  const TlsStream* tls() const noexcept { return tls_.get(); }
  const Traffic& traffic() const noexcept { return reader_.traffic(); }

 private:
  friend class Loop;

  void open(int epoll);
  // How many messages arrived.
  std::size_t handle(std::uint32_t events, Buffers& buffers);
  void finish_connecting();
  void begin_request();
  void flush();
  std::size_t put(const iovec* parts, std::size_t count);
  std::size_t put_plain(const iovec* parts, std::size_t count);
  bool put_records();
  std::size_t receive(Buffers& buffers);
  std::span<const char> receive_some(std::span<char> buffer);
  std::span<const char> receive_plain(Buffers& buffers);
  void take_answer(std::span<const char>& bytes);
  void judge(std::string_view head);
  void want_output(bool wanted);
  [[noreturn]] void fail(const std::string& what, int error = 0) const;

  const Plan& plan_;
  std::size_t number_;
  int fd_ = -1;
  int epoll_ = -1;
  State state_ = State::closed;
  bool output_wanted_ = false;
  std::unique_ptr<TlsStream> tls_;
  std::string answer_;
  DeflateAgreement agreement_;
  std::size_t request_left_ = 0;
  std::size_t tape_position_ = 0;
  std::size_t bytes_due_ = 0;
  EchoReader reader_;
  std::size_t row_index_ = 0;           // in the tape, of the message that is sent next
  std::vector<std::uint64_t> sent_at_;  // a ring of `depth`
  std::size_t sent_first_ = 0;
  std::size_t sent_next_ = 0;
  std::size_t in_flight_ = 0;
  std::uint64_t opening_at_ = 0;
};

// What a mode does when something happened on a connection. May call send(), abort(), Loop::open().
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void opened(Connection& connection, std::uint64_t opening_at, std::uint64_t now) = 0;
  virtual void received(Connection& connection, std::size_t messages, std::uint64_t now) = 0;
};

class Loop {
 public:
  explicit Loop(Handler& handler);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  void open(Connection& connection);
  // Waits so long at most, and handles what came.
  void turn(int timeout_ms);

 private:
  void handle(Connection& connection, std::uint32_t events);

  Handler& handler_;
  int epoll_;
  Buffers buffers_;
};

}  // namespace load

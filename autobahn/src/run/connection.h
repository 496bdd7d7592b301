// A connection that a case runs on: the opening handshake of either role, then a Session.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "run/event_loop.h"
#include "run/stream.h"
#include "session/session.h"
#include "wire/opening_handshake.h"

namespace conform {

struct Environment {
  double patience = 1;
  std::mt19937_64* random = nullptr;
  const TlsContext* tls = nullptr;  // null: plain TCP
};

class Connection : public EventHandler {
 public:
  using Finished = std::function<void(CaseResult&&)>;

  Connection(Descriptor socket, Role role, const Environment& environment);

  int descriptor() const override { return stream_.descriptor(); }
  bool wants_read() const override { return !input_ended_; }
  bool wants_write() const override { return stream_.blocked(); }
  void on_readable(Instant now) override;
  void on_turn(Instant now) override;
  Instant deadline() const override;
  bool finished() const override { return stage_ == Stage::over; }

 protected:
  // The head of the other side's part of the opening handshake. Either begin_case() or refuse() follows.
  virtual void on_head(const std::string& head, Instant now) = 0;

  // `test` outlives the connection.
  void begin_case(const Case& test, std::string agent, Finished finished);
  // The opening handshake is done: what was read behind the head belongs to the session.
  void start_session(const std::optional<DeflateParameters>& agreed, Instant now);
  // The opening handshake failed; what is queued still goes out.
  void fail_handshake(const std::string& problem, Instant now);
  void queue_handshake(std::string octets) { handshake_output_ += octets; }

  CaseResult result_;
  const Environment& environment_;

 private:
  enum class Stage { handshake, session, lingering, over };

  void take(std::string_view octets, Instant now);
  void take_end(Instant now);
  void write_handshake();
  void write_session(Instant now);
  void finish_case(Instant now);
  void deliver_result(Instant now);
  // Ends the stream, then reads what still comes, so that no reset overtakes what was written.
  void linger(Instant now);

  Stream stream_;
  Role role_;
  Stage stage_ = Stage::handshake;
  Instant stage_until_;
  const Case* test_ = nullptr;
  Finished finished_;
  std::unique_ptr<Session> session_;
  std::string handshake_input_;
  std::string handshake_output_;
  bool head_taken_ = false;
  bool input_ended_ = false;
};

// The kit as client of a server under test.
class ClientConnection final : public Connection {
 public:
  // `socket` is connected or about to be.
  ClientConnection(Descriptor socket, const Environment& environment, const Target& target, const Case& test,
                   std::string agent, Finished finished);

 private:
  void on_head(const std::string& head, Instant now) override;

  std::string key_;
  std::vector<DeflateParameters> offers_;
};

// What a client that connected to the kit asked for.
struct Assignment {
  const Case* test = nullptr;         // null: refused
  std::shared_ptr<const Case> owned;  // keeps `test` alive if nobody else does
  std::string agent;
  Connection::Finished finished;
  int refusal_status = 404;
  std::string refusal;
};

// The kit as server of a client under test.
class ServerConnection final : public Connection {
 public:
  using Assign = std::function<Assignment(const Request&)>;

  ServerConnection(Descriptor socket, const Environment& environment, Assign assign);

 private:
  void on_head(const std::string& head, Instant now) override;

  Assign assign_;
  std::shared_ptr<const Case> owned_;
};

}  // namespace conform

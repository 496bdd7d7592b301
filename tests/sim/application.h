// What sits on top of an endpoint: a handler that sends, pauses, closes and drops by chance, and that
// holds each event to the rules of event.h and to the ledger.
#pragma once

#include "sansock/assembler.h"
#include "sansock/driver.h"
#include "sender.h"

namespace sansock::sim {

class Application {
 public:
  Application(Scene& scene, unsigned port, Conversation& conversation);

  Verdict on_event(Endpoint& endpoint, const Event& event);

  // Client: asks for the connection.
  void connect(Endpoint& endpoint);
  // One thing by chance. drop: the connection is to be aborted.
  Verdict act(Endpoint& endpoint);
  // Server: gives the answer that was put off.
  void answer(Endpoint& endpoint);
  // Comes to an end: closes, in whatever state the connection is.
  void finish(Endpoint& endpoint);
  void broadcast(Endpoint& endpoint, SharedFrame& frame, const Piece& piece);

  // A new input begins: the count of events starts again.
  void begin_input() noexcept { events_ = 0; }
  const Sender& sender() const noexcept { return sender_; }
  void drop_noted() noexcept { own().dropped = true; }

 private:
  unsigned side() const noexcept { return port_ % 2; }
  Ending& own() noexcept { return conversation_->endings[side()]; }
  Ledger& incoming() noexcept { return conversation_->ledgers[1 - side()]; }
  Ledger& outgoing() noexcept { return conversation_->ledgers[side()]; }
  const Actions& actions() const noexcept { return scene_->knobs.actions; }
  bool check_order(const Endpoint& endpoint, const Event& event);
  void complain(const char* checker, const std::string& text);

  Verdict on_request(Endpoint& endpoint, const Event& event);
  Verdict on_data(Endpoint& endpoint, const Event& event);
  void on_ping(Endpoint& endpoint, const Event& event);
  void on_pong(const Event& event);
  void on_peer_close(const Event& event);
  void on_closed(const Endpoint& endpoint, const Event& event);
  void check_limits(const Endpoint& endpoint);
  void assemble(Endpoint& endpoint, const Event& event);
  void accept(Endpoint& endpoint);
  void refuse(Endpoint& endpoint);
  Verdict act_in_event(Endpoint& endpoint);
  bool may_pause() noexcept { return pauses_left_ != 0 && pauses_left_-- != 0; }
  void pause(Endpoint& endpoint);
  void schedule_resume();
  void close(Endpoint& endpoint);

  Scene* scene_;
  Conversation* conversation_;
  Prng prng_;
  unsigned port_;
  Sender sender_;
  MessageAssembler assembler_;
  bool assembling_ = true;
  bool skipping_ = false;  // the rest of a message for which there was no memory
  bool requested_ = false;
  bool finishing_ = false;
  std::size_t events_ = 0;
  unsigned event_acts_left_ = 100;  // or each message would give rise to more and more
  unsigned pauses_left_ = 10;       // or a backlog would take forever
};

}  // namespace sansock::sim

// What happened on a connection, as lines of text. Runs of one message that follow each other become
// one line, so transcripts of the same bytes cut in different ways compare equal:
//
//   text "hello"             a whole message
//   text "hel"...            its beginning (a control frame comes between, or the connection fails)
//   text ..."lo"             its end
//   ping "x" | pong "x" | peer_close 1000 "bye" | sent 7 | open | request [error]
//   closed clean 1000 | closed unclean 1006 mask_missing
#pragma once

#include <string>
#include <vector>

#include "frames.h"
#include "sansock/event.h"

namespace sansock::testing {

class Transcript {
 public:
  void add(const Event& event);
  void data(MessageType type, bool begin, bool end, const Data& bytes);
  void control(EventKind kind, const Data& payload);
  void peer_close(unsigned code, const Data& reason);
  void closed(bool clean, unsigned code, errc cause);
  void line(const std::string& text);

  std::vector<std::string> lines() const;
  std::string text() const;
  // The payload of every whole message, in order.
  const std::vector<Data>& messages() const { return messages_; }
  std::size_t count(EventKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }

 private:
  void settle();

  std::vector<std::string> lines_;
  std::vector<Data> messages_;
  Data message_;  // all of the message under way
  std::size_t counts_[16] = {};
  // The coalesced run that may still grow.
  bool open_ = false;
  bool begin_ = false;
  bool end_ = false;
  MessageType type_ = MessageType::binary;
  Data run_;
};

}  // namespace sansock::testing

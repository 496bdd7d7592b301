// A peer that speaks no proper WebSocket: a handshake that is wrong in some way or right, and then
// frames that break each of the rules by chance, and bytes without any sense.
#pragma once

#include <string>
#include <vector>

#include "conversation.h"
#include "link.h"

namespace sansock::sim {

class Adversary {
 public:
  Adversary(Scene& scene, unsigned port, Link& link);

  void connect();
  // Its end of the link may have something.
  void turn();
  // Does one thing by chance; false: it will do no more.
  bool act();
  void leave();

 private:
  unsigned side() const noexcept { return port_ % 2; }
  void say(const std::vector<std::byte>& bytes);
  void say(const std::string& text);
  void flush();
  void say_request();
  void say_response();
  void say_frames();
  std::vector<std::byte> frame(unsigned first_byte, std::size_t size);
  std::vector<std::byte> broken_frame();
  void add(std::vector<std::byte>& to, const std::vector<std::byte>& bytes);

  Scene* scene_;
  Link* link_;
  Prng prng_;
  unsigned port_;
  std::string heard_;  // of the head of a request
  std::vector<std::byte> unsent_;
  bool answered_ = false;
  bool deaf_ = false;  // it does not read
  bool gone_ = false;
};

}  // namespace sansock::sim

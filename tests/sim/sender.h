// The sends of an application, of all forms. Each result is checked: a success is entered in the
// ledger, an error must have its reason, and must have changed nothing.
#pragma once

#include <deque>
#include <vector>

#include "conversation.h"
#include "sansock/endpoint.h"
#include "scene.h"

namespace sansock::sim {

class Sender {
 public:
  Sender(Scene& scene, unsigned port, Conversation& conversation, Prng prng)
      : scene_(&scene), conversation_(&conversation), prng_(prng), port_(port) {}

  void send(Endpoint& endpoint);
  void send_part(Endpoint& endpoint);
  // Ends a message that is under way, so that another one may be sent.
  void end_parts(Endpoint& endpoint);
  void send_borrowed(Endpoint& endpoint);
  void send_broken_text(Endpoint& endpoint);
  void send_shared(Endpoint& endpoint, SharedFrame& frame, const Piece& piece);
  void ping(Endpoint& endpoint);
  void pong(Endpoint& endpoint);
  // Answers a Ping where the engine does not.
  void answer(Endpoint& endpoint, ConstBytes payload);
  // Calls that have to be refused.
  void misuse(Endpoint& endpoint);

  void on_sent(const Event& event);
  std::size_t loans() const noexcept { return loans_.size(); }

  static Piece draw_piece(Prng& prng, const Knobs& knobs);

 private:
  struct Before {
    std::size_t output;
    ReadyState state;
    std::uint64_t refusals;
  };
  struct Loan {
    std::uint64_t token;
    std::vector<std::byte> memory;
    std::uint64_t end;  // where it ends in all that the transport takes
  };
  unsigned side() const noexcept { return port_ % 2; }
  Ledger& ledger() noexcept { return conversation_->ledgers[side()]; }
  Before before(const Endpoint& endpoint);
  // What compression makes of a payload is not foreseen here, only how large it may be.
  struct Compressed {
    bool possibly = false;
    std::size_t growth_max = 0;  // of what has to be sent compressed, also if it does not shrink
  };
  static Compressed whole(const Endpoint& endpoint) { return {endpoint.deflate().has_value(), 0}; }
  static Compressed part(const Endpoint& endpoint, std::size_t size) {
    if (!endpoint.deflate()) return {};
    return {true, size / 8 + size / 64 + 64};
  }
  Compression draw_compression(const Endpoint& endpoint);
  bool check(const char* call, const Endpoint& endpoint, const Before& before, std::error_code error,
             std::size_t payload_size, const Compressed& compressed);
  bool check(const char* call, const Endpoint& endpoint, const Before& before, std::error_code error,
             std::size_t payload_size) {
    return check(call, endpoint, before, error, payload_size, {});
  }
  bool has_reason(const Endpoint& endpoint, const Before& before, errc error, std::size_t wire_size,
                  const Compressed& compressed) const;
  void expect(const char* call, std::error_code error, errc expected);
  void misuse_close(Endpoint& endpoint);
  std::size_t wire_size(std::size_t payload_size) const noexcept;

  Scene* scene_;
  Conversation* conversation_;
  Prng prng_;
  unsigned port_;
  bool in_parts_ = false;
  bool broken_ = false;  // the text of the call at hand
  std::uint64_t last_token_ = 0;
  std::deque<Loan> loans_;
};

}  // namespace sansock::sim

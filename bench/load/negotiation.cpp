#include "negotiation.h"

#include <stdexcept>

#include "clock.h"
#include "opening_handshake.h"

namespace load {
namespace {

constexpr double patience_s = 60;  // only a bound
constexpr int turn_ms = 10;

class Asking : public Handler {
 public:
  void opened(Connection&, std::uint64_t, std::uint64_t) override { done = true; }
  void received(Connection&, std::size_t, std::uint64_t) override {}

  bool done = false;
};

}  // namespace

Negotiated negotiate(const Options& options, const TlsContext* tls) {
  if (options.deflate == Deflate::off && tls == nullptr) return {};
  const Tape tape(options);
  const Plan plan{
      .options = options, .tape = tape, .request = make_request(options), .tls = tls, .asks = true};
  Asking asking;
  Loop loop(asking);
  Connection connection(plan, 0);
  loop.open(connection);
  const std::uint64_t begin = now_ns();
  while (!asking.done) {
    loop.turn(turn_ms);
    if (static_cast<double>(now_ns() - begin) / 1e9 > patience_s) {
      throw std::runtime_error("the server does not answer the opening handshake");
    }
  }
  Negotiated negotiated{.deflate = connection.agreement(), .tls_cipher = {}};
  if (connection.tls() != nullptr) negotiated.tls_cipher = connection.tls()->cipher();
  connection.abort();
  return negotiated;
}

}  // namespace load

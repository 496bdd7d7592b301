// One Connection or Endpoint under any sequence of inputs and commands, with every rule of
// connection.h that can be seen from outside held at every step; see session.h for the rules.
//
// Input: settings, then operations: a byte that chooses (modulo their number), and what it needs.
#include "session.h"

namespace {

using namespace sansock;
using namespace sansock::testing;
using sansock::fuzz::Input;
using sansock::fuzz::Session;

constexpr std::array waits = {Duration(0),
                              Duration(1),
                              Duration(1'000'000),
                              Duration(1'999'999'999),
                              Duration(2'000'000'000),
                              Duration(3'000'000'000),
                              Duration(5'000'000'000),
                              Duration(10'000'000'000),
                              Duration(60'000'000'000)};
constexpr std::array<std::uint16_t, 16> close_codes = {1000, 1001, 1005, 1003, 1006, 1011, 1014, 1015,
                                                       2999, 3000, 4999, 5000, 0,    999,  1004, 65535};

enum class Operation : std::uint8_t {
  feed_frame,     // a piece of stream.h
  feed_raw,       // a run
  feed_cut,       // a piece in two reads, cut where a byte says
  feed_frames,    // as many pieces as a byte says, modulo 8, in one read
  consume,        // two bytes: at most so many
  drain,          // all
  send,           // a payload
  send_part,      // a flag: the last; a payload
  send_borrowed,  // a payload
  send_shared,    // a payload
  ping,           // a run
  pong,           // a run
  close,          // a byte that chooses the code; a run: the reason
  wait,           // a byte that chooses how long
  tick,           // handle_timeout() although nothing is due
  eof,
  abort,
  pause,
  resume,
  detach,  // what was fed and not looked at is handed back and fed again
  offer,   // gather(); what it gives has to stay where it is
  pool,    // a byte of how, one of k: the k-th block, or all from the k-th on, can not be had
  pool_heals,
  pause_at_next,  // pauses inside the next event
  answer,         // Endpoint: a byte that chooses accept, respond, defer; options
  connect,        // Endpoint: options
  good_head,      // Endpoint: feeds a good head
  drain_always,   // take output after every input, or stop doing so
  feed_pong,      // the peer answers the newest Ping
  entropy,        // a flag: only zeros come from the entropy source
  count_,
};

template <class Subject>
void inputs(Session<Subject>& session, Operation operation, Input& input) {
  switch (operation) {
    case Operation::feed_frame: return session.feed(session.stream.next(input));
    case Operation::feed_raw: return session.feed(input.run());
    case Operation::feed_cut: {
      const Data piece = session.stream.next(input);
      const std::size_t cut = piece.empty() ? 0 : input.number(2) % piece.size();
      const auto middle = piece.begin() + static_cast<std::ptrdiff_t>(cut);
      session.feed(Data(piece.begin(), middle));
      return session.feed(Data(middle, piece.end()));
    }
    case Operation::feed_frames: {
      Data pieces;
      for (unsigned count = input.byte() % 8; count > 0; --count)
        pieces = pieces + session.stream.next(input);
      return session.feed(pieces);
    }
    case Operation::consume: return session.consume(input.number(2));
    case Operation::drain: return session.consume(static_cast<std::size_t>(-1));
    case Operation::wait: return session.wait(input.pick(waits));
    case Operation::tick: return session.tick();
    case Operation::eof: return session.eof();
    case Operation::abort: return session.abort();
    case Operation::pause: return session.pause();
    case Operation::resume: return session.resume();
    case Operation::detach: return session.detach();
    case Operation::feed_pong: return session.feed_pong();
    case Operation::entropy: return session.break_entropy(input.flag());
    case Operation::good_head: return session.feed_good_head();
    default: return;
  }
}

template <class Subject>
void commands(Session<Subject>& session, Operation operation, Input& input) {
  switch (operation) {
    case Operation::send: return session.send(fuzz::payload_of(input));
    case Operation::send_part: {
      const bool end = input.flag();
      return session.send_part(fuzz::payload_of(input), end);
    }
    case Operation::send_borrowed: return session.send_borrowed(fuzz::payload_of(input));
    case Operation::send_shared: return session.send_shared(fuzz::payload_of(input));
    case Operation::ping: return session.ping(input.run());
    case Operation::pong: return session.pong(input.run());
    case Operation::close: {
      const std::uint16_t code = input.pick(close_codes);
      return session.close(static_cast<CloseCode>(code), input.text());
    }
    case Operation::offer: return session.offer();
    case Operation::pool: {
      const bool all = input.flag();
      return session.break_pool(input.byte() % 16u + 1u, all);
    }
    case Operation::pool_heals: return session.pool().fail_never();
    case Operation::pause_at_next: return session.pause_at_next_event();
    case Operation::drain_always: return session.toggle_draining();
    case Operation::answer: return session.answer(input);
    case Operation::connect: return session.connect(input);
    default: return inputs(session, operation, input);
  }
}

template <class Subject>
void run(const fuzz::Settings& settings, Input& input) {
  Session<Subject> session(settings);
  for (int steps = 0; !input.empty() && steps < 300; ++steps) {
    const auto choice = input.byte() % static_cast<unsigned>(Operation::count_);
    commands(session, static_cast<Operation>(choice), input);
    session.check();
  }
  session.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const fuzz::Settings settings = fuzz::read_settings(input);
  if (settings.endpoint) {
    run<Endpoint>(settings, input);
  } else {
    run<Connection>(settings, input);
  }
  return 0;
}

#include "sender.h"

#include <algorithm>

namespace sansock::sim {

namespace {

constexpr std::size_t parts_size_max = 200'000;

Bytes writable(std::vector<std::byte>& memory) { return memory; }

}  // namespace

Piece Sender::draw_piece(Prng& prng, const Knobs& knobs) {
  const std::size_t block = knobs.sides[prng.below(2)].block_size;
  const std::size_t size =
      prng.pick<std::size_t>({0, 1, prng.between(2, 124), prng.between(125, 127), prng.between(128, 3'000),
                              block, block * prng.between(2, 8) + prng.below(3), prng.between(65'534, 65'537),
                              prng.between(0, knobs.size_max), prng.between(0, knobs.size_max)});
  const MessageType type = prng.chance(500) ? MessageType::text : MessageType::binary;
  const Piece piece{type, prng.below(payload_offset_max), std::min(size, knobs.size_max)};
  return type == MessageType::text ? whole_characters(piece) : piece;
}

std::size_t Sender::wire_size(std::size_t payload_size) const noexcept {
  const std::size_t header = payload_size < 126 ? 2 : payload_size < 65'536 ? 4 : 10;
  return payload_size + header + (side() == client ? 4 : 0);
}

Sender::Before Sender::before(const Endpoint& endpoint) {
  return {endpoint.output_size(), endpoint.state(), scene_->host(side()).pool.refusals()};
}

// Drawn only where it says something: other seeds are as they were.
Compression Sender::draw_compression(const Endpoint& endpoint) {
  if (!endpoint.deflate()) return Compression::automatic;
  return prng_.pick({Compression::automatic, Compression::on, Compression::off});
}

bool Sender::has_reason(const Endpoint& endpoint, const Before& before, errc error, std::size_t wire_size,
                        const Compressed& compressed) const {
  const std::size_t limit = endpoint.config().limits.output_bytes_max;
  const std::size_t size_max = wire_size + compressed.growth_max;
  switch (error) {
    case errc::none: return before.state == ReadyState::open;
    case errc::not_open: return before.state == ReadyState::connecting;
    case errc::already_closing:
      return before.state == ReadyState::closing || before.state == ReadyState::closed;
    case errc::message_unfinished: return in_parts_;
    case errc::message_over_limit: return size_max > limit;
    case errc::output_full:
      return before.output + size_max > limit && (wire_size <= limit || compressed.possibly);
    case errc::blocks_exhausted: return scene_->host(port_ % 2).pool.refusals() != before.refusals;
    case errc::text_not_utf8: return broken_ && endpoint.config().check_sent_text;
    default: return false;
  }
}

// Whether the send was accepted.
bool Sender::check(const char* call, const Endpoint& endpoint, const Before& before, std::error_code error,
                   std::size_t payload_size, const Compressed& compressed) {
  const auto cause = static_cast<errc>(error.value());
  const std::size_t size = wire_size(payload_size);
  scene_->note(port_, call, payload_size, static_cast<std::uint64_t>(cause));
  if (!has_reason(endpoint, before, cause, size, compressed)) {
    scene_->checks.fail("commands", port_,
                        std::string(call) + " gives " + std::string(name(cause)) + " without a reason, at " +
                            std::to_string(payload_size) + " bytes");
  }
  const std::size_t planted = scene_->knobs.plant == Plant::result_wrong ? 1 : 0;
  const std::size_t expected = before.output + (error ? 0 : size + compressed.growth_max + planted);
  const bool smaller = compressed.possibly && !error && endpoint.output_size() > before.output;
  if (endpoint.output_size() > expected || (endpoint.output_size() < expected && !smaller)) {
    scene_->checks.fail("commands", port_,
                        std::string(call) + " makes the output " + std::to_string(endpoint.output_size()) +
                            " bytes, not " + std::to_string(expected));
  }
  if (cause == errc::output_full) ++scene_->stats.full;
  if (smaller && endpoint.output_size() < before.output + size) ++scene_->stats.compressed;
  return !error;
}

void Sender::send(Endpoint& endpoint) {
  const Piece piece = draw_piece(prng_, scene_->knobs);
  const Before before = this->before(endpoint);
  const std::error_code error =
      endpoint.send(piece.type, payload_bytes(piece, 0, piece.size), draw_compression(endpoint));
  if (check("send", endpoint, before, error, piece.size, whole(endpoint))) ledger().add(piece, true);
}

void Sender::send_part(Endpoint& endpoint) {
  Piece piece = draw_piece(prng_, scene_->knobs);
  std::size_t done = 0;
  if (in_parts_) {
    const std::size_t size = piece.size;
    piece = ledger().newest();
    done = piece.size;
    piece.size += size;
  }
  const bool end = piece.size > parts_size_max || prng_.chance(300);
  if (end && piece.type == MessageType::text) {
    piece.size += 4;  // what is cut off to end with a whole character is new then
    piece = whole_characters(piece);
  }
  const std::size_t size = piece.size - done;
  const Before before = this->before(endpoint);
  const std::error_code error =
      endpoint.send_part(piece.type, payload_bytes(piece, done, size), end, draw_compression(endpoint));
  if (!check(end ? "send_part end" : "send_part", endpoint, before, error, size, part(endpoint, size)))
    return;
  if (in_parts_) {
    ledger().extend(size, end);
  } else {
    ledger().add(piece, end);
  }
  in_parts_ = !end;
}

void Sender::end_parts(Endpoint& endpoint) {
  if (!in_parts_) return;
  Piece piece = ledger().newest();
  const std::size_t done = piece.size;
  if (piece.type == MessageType::text) {
    piece.size += 4;
    piece = whole_characters(piece);
  }
  const std::size_t size = piece.size - done;
  const Before before = this->before(endpoint);
  const std::error_code error = endpoint.send_part(piece.type, payload_bytes(piece, done, size), true);
  if (!check("send_part end", endpoint, before, error, size, part(endpoint, size))) return;
  ledger().extend(size, true);
  in_parts_ = false;
}

void Sender::send_borrowed(Endpoint& endpoint) {
  const Piece piece = draw_piece(prng_, scene_->knobs);
  const ConstBytes content = payload_bytes(piece, 0, piece.size);
  loans_.push_back({++last_token_, std::vector<std::byte>(content.begin(), content.end()), 0});
  Loan& loan = loans_.back();
  const Before before = this->before(endpoint);
  const std::error_code error = endpoint.send_borrowed(piece.type, writable(loan.memory), loan.token);
  if (check("send_borrowed", endpoint, before, error, piece.size)) {
    ledger().add(piece, true);
    loan.end = conversation_->endings[side()].consumed + endpoint.output_size();
    return;
  }
  if (!std::equal(content.begin(), content.end(), loan.memory.begin())) {
    scene_->checks.fail("commands", port_, "send_borrowed was refused, but has changed the memory");
  }
  loans_.pop_back();
}

void Sender::on_sent(const Event& event) {
  if (loans_.empty() || loans_.front().token != event.token) {
    scene_->checks.fail("tokens", port_,
                        "token " + std::to_string(event.token) + " is reported, expected is " +
                            (loans_.empty() ? "none" : std::to_string(loans_.front().token)));
    return;
  }
  const bool taken = conversation_->endings[side()].consumed >= loans_.front().end;
  if (taken != (event.error == errc::none)) {
    scene_->checks.fail("tokens", port_, "it is not true whether all of the borrowed memory was sent");
  }
  // From here on the memory is ours: the engine must not read it any more.
  Loan& loan = loans_.front();
  std::fill(loan.memory.begin(), loan.memory.end(), std::byte{0xBB});
  loans_.pop_front();
}

void Sender::send_broken_text(Endpoint& endpoint) {
  Piece piece = whole_characters(draw_piece(prng_, scene_->knobs));
  piece.type = MessageType::text;
  piece.size = std::max<std::size_t>(piece.size, 1);
  // From the middle of a character on.
  while ((payload_bytes(piece, 0, 1)[0] & std::byte{0xC0}) != std::byte{0x80}) ++piece.offset;
  broken_ = true;
  const Before before = this->before(endpoint);
  const std::error_code error = endpoint.send(piece.type, payload_bytes(piece, 0, piece.size));
  if (check("send broken", endpoint, before, error, piece.size, whole(endpoint))) {
    conversation_->endings[side()].text_broken = true;
    ledger().add(piece, true);
    if (endpoint.config().check_sent_text) scene_->checks.fail("commands", port_, "broken text was accepted");
  }
  broken_ = false;
}

void Sender::send_shared(Endpoint& endpoint, SharedFrame& frame, const Piece& piece) {
  const Before before = this->before(endpoint);
  if (check("send_shared", endpoint, before, endpoint.send_shared(frame), piece.size, whole(endpoint)))
    ledger().add(piece, true);
}

void Sender::ping(Endpoint& endpoint) {
  std::byte payload[control_payload_max];
  const Bytes content = Bytes(payload).first(prng_.between(Ledger::control_size_min, control_payload_max));
  Ledger::make_control(content, 'p', ledger().next_ping());
  const Before before = this->before(endpoint);
  if (check("ping", endpoint, before, endpoint.ping(content), content.size())) ledger().add_ping();
}

void Sender::pong(Endpoint& endpoint) {
  std::byte payload[control_payload_max];
  const Bytes content = Bytes(payload).first(prng_.between(Ledger::control_size_min, control_payload_max));
  Ledger::make_control(content, 'u', ledger().next_pong());
  const Before before = this->before(endpoint);
  if (check("pong", endpoint, before, endpoint.pong(content), content.size())) ledger().add_pong();
}

void Sender::answer(Endpoint& endpoint, ConstBytes payload) {
  const Before before = this->before(endpoint);
  check("answer", endpoint, before, endpoint.pong(payload), payload.size());
}

void Sender::expect(const char* call, std::error_code error, errc expected) {
  scene_->note(port_, call, 0, static_cast<std::uint64_t>(error.value()));
  if (error == expected) return;
  scene_->checks.fail("commands", port_,
                      std::string(call) + " gives " + std::string(name(static_cast<errc>(error.value()))) +
                          ", not " + std::string(name(expected)));
}

void Sender::misuse_close(Endpoint& endpoint) {
  const std::string long_reason(close_reason_max + 1, 'r');
  switch (prng_.below(4)) {
    case 0: return expect("close 1006", endpoint.close(CloseCode::abnormal), errc::close_code_not_sendable);
    case 1:
      return expect("close long", endpoint.close(CloseCode::normal, long_reason),
                    errc::close_reason_too_long);
    case 2:
      return expect("close bytes", endpoint.close(CloseCode::normal, "\xff"), errc::close_reason_not_utf8);
    default:
      return expect("close reason", endpoint.close(CloseCode::no_status, "r"), errc::close_reason_too_long);
  }
}

void Sender::misuse(Endpoint& endpoint) {
  const Before before = this->before(endpoint);
  const std::byte payload[control_payload_max + 1]{};
  SharedFrame frame;
  switch (prng_.below(5)) {
    case 0: expect("ping long", endpoint.ping(payload), errc::control_payload_too_long); break;
    case 1:
      if (before.state == ReadyState::open) misuse_close(endpoint);
      break;
    case 2:
      if (side() == client) expect("shared", endpoint.send_shared(frame), errc::role_wrong);
      break;
    case 3:
      if (side() == client) expect("accept", endpoint.accept(), errc::role_wrong);
      break;
    default:
      if (in_parts_ && before.state == ReadyState::open) {
        const bool text = ledger().newest().type == MessageType::text;
        expect("other part", endpoint.send_part(text ? MessageType::binary : MessageType::text, {}, true),
               before.output + wire_size(0) > endpoint.config().limits.output_bytes_max
                   ? errc::output_full
                   : errc::message_type_changed);
        expect("other message", endpoint.send("x"), errc::message_unfinished);
      }
      break;
  }
  if (endpoint.output_size() != before.output || endpoint.state() != before.state) {
    scene_->checks.fail("commands", port_, "a refused call has changed something");
  }
}

}  // namespace sansock::sim

// Whatever is sent arrives: our messages at a dedicated zlib stream, its messages at us, with any parameters,
// parts and cuts.
#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "codec_calls.h"
#include "document.h"
#include "slow_inflate.h"
#include "zlib_peer.h"

namespace sansock::testing {
namespace {

DeflateParameters some_parameters() {
  const auto bits = [] { return static_cast<std::uint8_t>(*rc::gen::inRange(8, 16)); };
  DeflateParameters parameters;
  parameters.server_window_bits = bits();
  parameters.client_window_bits = bits();
  parameters.server_no_context_takeover = *rc::gen::arbitrary<bool>();
  parameters.client_no_context_takeover = *rc::gen::arbitrary<bool>();
  return parameters;
}

DeflateOptions some_options() {
  DeflateOptions options;
  options.level = static_cast<std::uint8_t>(*rc::gen::inRange(1, 10));
  options.own_window_bits_max = static_cast<std::uint8_t>(*rc::gen::inRange(8, 16));
  return options;
}

// Texts that refer to themselves and to each other.
Data some_text(std::mt19937& random) {
  const std::size_t size = random() % 8 == 0 ? random() % 100'000 : random() % 3000;
  switch (random() % 4) {
    case 0: return noise(size, static_cast<std::uint32_t>(random() % 5));
    case 1: return bytes_of(bench::document(bench::Document::html, size, random() % 3));
    case 2: return Data(size, static_cast<std::uint8_t>(random()));
    default: return bytes_of(bench::document(bench::Document::json, size, random() % 1000));
  }
}

// Cut anywhere, with empty pieces among them.
std::vector<Data> some_pieces(const Data& whole, std::mt19937& random) {
  std::vector<Data> pieces;
  const std::size_t size_max = random() % 3 == 0 ? whole.size() + 1 : 1 + random() % 200;
  for (std::size_t at = 0; at < whole.size() && pieces.size() < 2000;) {
    const std::size_t size = std::min(random() % (size_max + 1), whole.size() - at);
    const auto begin = whole.begin() + static_cast<long>(at);
    pieces.emplace_back(begin, begin + static_cast<long>(size));
    at += size;
    if (pieces.size() == 2000) pieces.emplace_back(begin + static_cast<long>(size), whole.end());
  }
  if (pieces.empty() || random() % 4 == 0) pieces.push_back({});
  return pieces;
}

RC_GTEST_PROP(RoundTrip, OurMessagesArriveAtZlib, ()) {
  const DeflateParameters parameters = some_parameters();
  const DeflateOptions options = some_options();
  const Role role = *rc::gen::element(Role::server, Role::client);
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  const bool server = role == Role::server;
  const bool takeover =
      !(server ? parameters.server_no_context_takeover : parameters.client_no_context_takeover);
  const unsigned bits = std::min(server ? parameters.server_window_bits : parameters.client_window_bits,
                                 options.own_window_bits_max);
  DeflateCodec codec;
  OpenStream stream(codec, role, parameters, options);
  ZlibReceiver peer(takeover);
  Data sent;
  for (int i = 0; i < 8; ++i) {
    const Data text = some_text(random);
    const bool in_parts = random() % 3 == 0;
    const auto payload = send(stream, in_parts ? some_pieces(text, random) : std::vector<Data>{text});
    RC_ASSERT(payload.has_value());
    RC_ASSERT(!payload->empty());
    RC_ASSERT(peer.message(*payload) == text);
    const SlowInflated second =
        slow_inflate(takeover ? last_of(sent, std::size_t{1} << bits) : Data{}, *payload);
    RC_ASSERT(second.verdict == Verdict::complete);
    RC_ASSERT(second.text == text);
    RC_ASSERT(second.distance_max <= std::size_t{1} << bits);
    sent = sent + text;
    if (random() % 6 == 0 && codec.deflated_elsewhere(*stream, 8)) {
      ZlibSender elsewhere(8, false);
      const Data shared = some_text(random);
      RC_ASSERT(peer.message(elsewhere.message(shared)) == shared);
      sent = shared;
      RC_ASSERT(send(stream, shared).has_value());
      RC_ASSERT(peer.message(Data{0x00}).has_value());
      return;
    }
  }
}

RC_GTEST_PROP(RoundTrip, MessagesOfZlibArrive, ()) {
  const DeflateParameters parameters = some_parameters();
  const Role role = *rc::gen::element(Role::server, Role::client);
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  const bool server = role == Role::server;
  const bool takeover =
      !(server ? parameters.client_no_context_takeover : parameters.server_no_context_takeover);
  const unsigned bits = server ? parameters.client_window_bits : parameters.server_window_bits;
  DeflateCodec codec;
  OpenStream stream(codec, role, parameters);
  ZlibSender peer(bits, takeover, *rc::gen::inRange(0, 10), *rc::gen::inRange(1, 10),
                  *rc::gen::inRange(0, 5));
  for (int i = 0; i < 8; ++i) {
    const Data text = some_text(random);
    const Data payload = peer.message(text, random() % 5 == 0 ? Z_FINISH : Z_SYNC_FLUSH);
    RC_ASSERT(receive(stream, some_pieces(payload, random)) == (Received{text, errc::none}));
  }
}

RC_GTEST_PROP(RoundTrip, DamagedMessagesAreJudgedAlikeHoweverTheyAreCut, ()) {
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  ZlibSender sender(15, true, 6, 1, *rc::gen::inRange(0, 5));
  const Data before = some_text(random);
  const Data first = sender.message(before);
  Data payload = sender.message(some_text(random));
  payload[random() % payload.size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
  if (random() % 4 == 0) payload.resize(random() % payload.size());
  const SlowInflated expected = slow_inflate(last_of(before, 32768), payload);
  const errc error = expected.verdict == Verdict::invalid     ? errc::compressed_data_invalid
                     : expected.verdict == Verdict::truncated ? errc::compressed_data_truncated
                                                              : errc::none;
  for (int i = 0; i < 3; ++i) {
    DeflateCodec codec;
    OpenStream stream(codec, Role::server);
    RC_ASSERT(receive(stream, first).error == errc::none);
    RC_ASSERT(receive(stream, i == 0 ? std::vector<Data>{payload} : some_pieces(payload, random)) ==
              (Received{expected.text, error}));
  }
}

}  // namespace
}  // namespace sansock::testing

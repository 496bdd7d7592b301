// permessage-deflate in the opening handshake (RFC 7692 sections 5 and 7.1): what the two sides say about it
// in Sec-WebSocket-Extensions, and what follows from that.
//
//   client   make_deflate_offer() -> the request
//   server   the request -> choose_deflate_answer() -> the response
//   client   the response -> check_deflate_answer()
//
// An offer and an answer have the same form, so both are DeflateTerms. Names are compared as they are
// registered, in lower case, as subprotocols are.
#pragma once

#include <optional>
#include <string_view>

#include "sansock/deflate.h"
#include "sansock/handshake.h"
#include "text_writer.h"

namespace sansock::detail {

// The smallest window of our own messages that we agree to. Of 8 bits is possible, although zlib's own
// compressor can not do it: the codec then refers to at most 256 bytes by other means, or sends messages as
// they are. 9 would have a server decline offers that demand 8, and a client refuse a server that does.
inline constexpr std::uint8_t own_window_bits_min = window_bits_min;

// The parameters of one permessage-deflate, offered or answered.
struct DeflateTerms {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::uint8_t server_max_window_bits = 0;  // 0: it is not there
  bool client_max_window_bits_named = false;
  std::uint8_t client_max_window_bits = 0;  // 0: it is not there, or, in an offer, has no value
  bool operator==(const DeflateTerms&) const = default;
};

// From Extension::parameters. nullopt for what RFC 7692 section 7.1 has the server decline and the client
// fail: an unknown or a repeated parameter, a value that is missing, invalid or one too many.
std::optional<DeflateTerms> read_deflate_terms(std::string_view parameters) noexcept;
// The whole header line.
void write_deflate_terms(const DeflateTerms& terms, TextWriter& writer) noexcept;

// Server: the answer to one offer; nullopt declines it.
std::optional<DeflateTerms> answer_deflate_offer(const DeflateTerms& offer,
                                                 const DeflateOptions& options) noexcept;
// Server: the answer to the first of all offers that is acceptable; nullopt if none is. The request's lists
// are known to follow the grammar. Linear in the request's size.
std::optional<DeflateTerms> choose_deflate_answer(const HttpHead& request,
                                                  const DeflateOptions& options) noexcept;
// Server: what is agreed by that answer.
DeflateParameters agreed_as_server(const DeflateTerms& answer) noexcept;

// Client: the offer.
DeflateTerms make_deflate_offer(const DeflateOptions& options) noexcept;
// Client: what the response agrees to; nullopt: the offer was declined. errc: extension_unoffered for another
// extension than permessage-deflate, or what is no list of extensions; extension_refused for a
// permessage-deflate that is repeated or no answer to our offer.
errc check_deflate_answer(const HttpHead& response, const DeflateOptions& options,
                          std::optional<DeflateParameters>& agreed) noexcept;

}  // namespace sansock::detail

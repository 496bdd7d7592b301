#include "deflate_negotiation.h"

#include <algorithm>

#include "character.h"

namespace sansock::detail {

namespace {

constexpr std::string_view header_name = "Sec-WebSocket-Extensions";
constexpr std::string_view extension_name = "permessage-deflate";
constexpr std::string_view server_no_context_takeover = "server_no_context_takeover";
constexpr std::string_view client_no_context_takeover = "client_no_context_takeover";
constexpr std::string_view server_max_window_bits = "server_max_window_bits";
constexpr std::string_view client_max_window_bits = "client_max_window_bits";

// "a decimal integer value without leading zeroes between 8 to 15, inclusive" (RFC 7692 sections 7.1.2.1 and
// 7.1.2.2); 0 for anything else.
std::uint8_t window_bits_of(std::string_view value) noexcept {
  unsigned bits = 0;
  for (const char c : value) {
    if (c == '\\') continue;  // an escape: the parser left it there, and only inside of quotes
    if (!is_digit(static_cast<unsigned char>(c)) || (bits == 0 && c == '0')) return 0;
    bits = bits * 10 + static_cast<unsigned>(c - '0');
    if (bits > window_bits_max) return 0;
  }
  return bits >= window_bits_min ? static_cast<std::uint8_t>(bits) : std::uint8_t{0};
}

// A parameter that has no value (RFC 7692 sections 7.1.1.1 and 7.1.1.2).
bool read_flag(const ExtensionParameter& parameter, bool& flag) noexcept {
  if (flag || parameter.has_value) return false;
  flag = true;
  return true;
}

// "This parameter has a decimal integer value" (RFC 7692 section 7.1.2.1), in offers as in answers.
bool read_server_window(const ExtensionParameter& parameter, DeflateTerms& terms) noexcept {
  if (terms.server_max_window_bits != 0 || !parameter.has_value) return false;
  terms.server_max_window_bits = window_bits_of(parameter.value);
  return terms.server_max_window_bits != 0;
}

// "This parameter has no value or a decimal integer value" in an offer (RFC 7692 section 7.1.2.2).
bool read_client_window(const ExtensionParameter& parameter, DeflateTerms& terms) noexcept {
  if (terms.client_max_window_bits_named) return false;
  terms.client_max_window_bits_named = true;
  if (!parameter.has_value) return true;
  terms.client_max_window_bits = window_bits_of(parameter.value);
  return terms.client_max_window_bits != 0;
}

// RFC 7692 section 7.1 has a parameter that is not defined, has an invalid value or comes twice declined by
// the server, and the connection failed by the client.
bool read_parameter(const ExtensionParameter& parameter, DeflateTerms& terms) noexcept {
  if (parameter.name == server_no_context_takeover)
    return read_flag(parameter, terms.server_no_context_takeover);
  if (parameter.name == client_no_context_takeover)
    return read_flag(parameter, terms.client_no_context_takeover);
  if (parameter.name == server_max_window_bits) return read_server_window(parameter, terms);
  if (parameter.name == client_max_window_bits) return read_client_window(parameter, terms);
  return false;
}

void write_parameter(std::string_view name, std::uint8_t bits, TextWriter& writer) noexcept {
  writer.text("; ");
  writer.text(name);
  if (bits == 0) return;
  writer.text("=");
  writer.number(bits);
}

std::uint8_t window_or_largest(std::uint8_t bits) noexcept { return bits != 0 ? bits : window_bits_max; }

// Whether `answer` is one that our offer allows. More than was asked for is fine, unless it binds us.
bool is_answer_to(const DeflateTerms& offer, const DeflateTerms& answer) noexcept {
  // "A server accepts [it] by including the "server_no_context_takeover" extension parameter in the
  // corresponding extension negotiation response" (RFC 7692 section 7.1.1.1)
  if (offer.server_no_context_takeover && !answer.server_no_context_takeover) return false;
  // "[...] with the same or smaller value as the offer" (RFC 7692 section 7.1.2.1)
  if (offer.server_max_window_bits != 0 &&
      (answer.server_max_window_bits == 0 || answer.server_max_window_bits > offer.server_max_window_bits))
    return false;
  // The client's need not be there, and then nothing is to be checked.
  if (!answer.client_max_window_bits_named) return true;
  // "If a received extension negotiation offer doesn't have the "client_max_window_bits" extension parameter,
  // the corresponding extension negotiation response [...] MUST NOT include [it]"; in a response it has a
  // value, which is not larger than the offer's (RFC 7692 section 7.1.2.2).
  return offer.client_max_window_bits_named && answer.client_max_window_bits >= own_window_bits_min &&
         answer.client_max_window_bits <= window_or_largest(offer.client_max_window_bits);
}

DeflateParameters agreed_as_client(const DeflateTerms& offer, const DeflateTerms& answer,
                                   const DeflateOptions& options) noexcept {
  DeflateParameters agreed = agreed_as_server(answer);
  // What was offered binds us also where the answer does not repeat it: "even if the server doesn't include
  // [it], the client is not going to use context takeover", nor a larger window (RFC 7692 sections 7.1.1.2
  // and 7.1.2.2).
  agreed.client_no_context_takeover |= offer.client_no_context_takeover;
  agreed.client_window_bits = std::min(agreed.client_window_bits, options.client_max_window_bits_used());
  return agreed;
}

}  // namespace

std::optional<DeflateTerms> read_deflate_terms(std::string_view parameters) noexcept {
  DeflateTerms terms;
  while (const auto parameter = next_parameter(parameters)) {
    if (!read_parameter(*parameter, terms)) return std::nullopt;
  }
  return terms;
}

void write_deflate_terms(const DeflateTerms& terms, TextWriter& writer) noexcept {
  writer.text(header_name);
  writer.text(": ");
  writer.text(extension_name);
  if (terms.server_no_context_takeover) write_parameter(server_no_context_takeover, 0, writer);
  if (terms.client_no_context_takeover) write_parameter(client_no_context_takeover, 0, writer);
  if (terms.server_max_window_bits != 0)
    write_parameter(server_max_window_bits, terms.server_max_window_bits, writer);
  if (terms.client_max_window_bits_named)
    write_parameter(client_max_window_bits, terms.client_max_window_bits, writer);
  writer.text("\r\n");
}

// --- the server's side ----------------------------------------------------------------------------

std::optional<DeflateTerms> answer_deflate_offer(const DeflateTerms& offer,
                                                 const DeflateOptions& options) noexcept {
  DeflateTerms answer;
  // Must be in the answer if the offer has it, and may be there if not (RFC 7692 section 7.1.1.1).
  answer.server_no_context_takeover =
      offer.server_no_context_takeover || options.server_no_context_takeover.value_or(false);
  // A server declines what it does not support (RFC 7692 section 7.1).
  if (answer.server_no_context_takeover && !options.server_no_context_takeover.value_or(true))
    return std::nullopt;
  // May be in the answer whether the offer has it or not (RFC 7692 section 7.1.1.2). In an offer it is the
  // client's intention; an answer with it costs nothing then and makes it certain.
  answer.client_no_context_takeover =
      options.client_no_context_takeover.value_or(offer.client_no_context_takeover);

  // The same or a smaller value if the offer has it; may be there if not (RFC 7692 section 7.1.2.1).
  const std::uint8_t server_bits =
      std::min(window_or_largest(offer.server_max_window_bits), options.server_max_window_bits);
  if (server_bits < own_window_bits_min) return std::nullopt;
  if (offer.server_max_window_bits != 0 || server_bits < window_bits_max)
    answer.server_max_window_bits = server_bits;

  // Only if the offer has it (RFC 7692 section 7.1.2.2); else the client goes on with the largest.
  if (!offer.client_max_window_bits_named) return answer;
  const std::uint8_t client_bits =
      std::min(window_or_largest(offer.client_max_window_bits), options.client_max_window_bits_asked());
  answer.client_max_window_bits_named = offer.client_max_window_bits != 0 || client_bits < window_bits_max;
  if (answer.client_max_window_bits_named) answer.client_max_window_bits = client_bits;
  return answer;
}

// A client lists offers in the order of its preference, over several headers as in one (RFC 7692 section 5,
// RFC 6455 section 9.1). One that can not be accepted is passed over, as is every other extension.
std::optional<DeflateTerms> choose_deflate_answer(const HttpHead& request,
                                                  const DeflateOptions& options) noexcept {
  std::optional<DeflateTerms> answer;
  request.for_each_header([&](const Header& line) {
    if (answer || !equal_ignoring_case(line.name, header_name)) return;
    std::string_view rest = line.value;
    bool valid = true;
    while (const auto extension = next_extension(rest, valid)) {
      if (extension->name != extension_name) continue;
      const std::optional<DeflateTerms> offer = read_deflate_terms(extension->parameters);
      if (offer) answer = answer_deflate_offer(*offer, options);
      if (answer) return;
    }
  });
  return answer;
}

// What is not in an answer is the largest window (RFC 7692 sections 7.1.2.1 and 7.1.2.2).
DeflateParameters agreed_as_server(const DeflateTerms& answer) noexcept {
  return {.server_no_context_takeover = answer.server_no_context_takeover,
          .client_no_context_takeover = answer.client_no_context_takeover,
          .server_window_bits = window_or_largest(answer.server_max_window_bits),
          .client_window_bits = window_or_largest(answer.client_max_window_bits)};
}

// --- the client's side ----------------------------------------------------------------------------

DeflateTerms make_deflate_offer(const DeflateOptions& options) noexcept {
  DeflateTerms offer;
  offer.server_no_context_takeover = options.server_no_context_takeover.value_or(false);
  offer.client_no_context_takeover = options.client_no_context_takeover.value_or(false);
  // The largest window is what there is without being asked for.
  if (options.server_max_window_bits < window_bits_max)
    offer.server_max_window_bits = options.server_max_window_bits;
  offer.client_max_window_bits_named = options.client_max_window_bits_offered;
  if (options.client_max_window_bits_offered && options.client_max_window_bits_used() < window_bits_max)
    offer.client_max_window_bits = options.client_max_window_bits_used();
  return offer;
}

errc check_deflate_answer(const HttpHead& response, const DeflateOptions& options,
                          std::optional<DeflateParameters>& agreed) noexcept {
  agreed.reset();
  std::size_t headers = 0;
  std::size_t extensions = 0;
  std::string_view parameters;
  bool ours = true;
  response.for_each_header([&](const Header& line) {
    if (!ours || !equal_ignoring_case(line.name, header_name)) return;
    ++headers;
    std::string_view rest = line.value;
    while (const auto extension = next_extension(rest, ours)) {
      ours = extension->name == extension_name;
      if (!ours) return;
      ++extensions;
      parameters = extension->parameters;
    }
  });
  if (headers == 0) return errc::none;
  // RFC 6455 section 4.1, point 5 of what the client must validate.
  if (!ours || extensions == 0) return errc::extension_unoffered;
  // One offer has one answer. For any that can not be accepted a client must fail the connection (RFC 7692
  // section 7.1).
  if (extensions > 1) return errc::extension_refused;
  const std::optional<DeflateTerms> answer = read_deflate_terms(parameters);
  const DeflateTerms offer = make_deflate_offer(options);
  if (!answer || !is_answer_to(offer, *answer)) return errc::extension_refused;
  agreed = agreed_as_client(offer, *answer, options);
  return errc::none;
}

}  // namespace sansock::detail

// What a server answers when it does not upgrade. The connection closes behind it: what a client has
// sent after its request is not looked at, and cannot be taken for another request.
#include <algorithm>

#include "sansock/handshake.h"
#include "text_writer.h"

namespace sansock {

namespace {

using detail::TextWriter;

struct ReasonPhrase {
  std::uint16_t status;
  std::string_view phrase;
};

// RFC 9110 section 15, and the IANA registry of status codes.
constexpr ReasonPhrase reason_phrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};

// RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5
bool status_forbids_body(std::uint16_t status) noexcept {
  return status == 204 || status == 205 || status == 304;
}

void begin_answer(std::uint16_t status, TextWriter& writer) noexcept {
  writer.text("HTTP/1.1 ");
  writer.number(status);
  writer.text(" ");
  writer.text(reason_phrase(status));
  writer.text("\r\n");
  if (status == 426) {
    // RFC 9110 section 15.5.22: it MUST say to what; and section 7.8: Connection MUST name Upgrade.
    writer.header("Connection", "close, Upgrade");
    writer.header("Upgrade", "websocket");
  } else {
    writer.header("Connection", "close");
  }
}

void end_answer(std::uint16_t status, std::size_t body_size, TextWriter& writer) noexcept {
  // RFC 9110 section 8.6: none with 204; with 304 it would be that of another answer.
  if (status != 204 && status != 304) {
    writer.text("Content-Length: ");
    writer.number(body_size);
    writer.text("\r\n");
  }
  writer.text("\r\n");
}

// A refusal may name the versions that are spoken (RFC 6455 section 4.4), as the handshake does.
bool is_sendable_in_answer(const Header& header) noexcept {
  if (equal_ignoring_case(header.name, "Sec-WebSocket-Version")) return is_header_value(header.value);
  return detail::is_sendable(header);
}

}  // namespace

std::string_view reason_phrase(std::uint16_t status) noexcept {
  for (const ReasonPhrase& entry : reason_phrases) {
    if (entry.status == status) return entry.phrase;
  }
  return "Unknown";
}

errc ServerHandshake::write_response(const HttpResponse& response, Bytes out, std::size_t& written) noexcept {
  written = 0;
  if (response.status < 200 || response.status > 599) return errc::status_invalid;
  if (status_forbids_body(response.status) && !response.body.empty()) return errc::status_invalid;
  if (!std::all_of(response.headers.begin(), response.headers.end(), is_sendable_in_answer))
    return errc::header_invalid;
  if (!is_header_value(response.content_type)) return errc::header_invalid;
  TextWriter writer(out);
  begin_answer(response.status, writer);
  const bool has_content_type =
      std::any_of(response.headers.begin(), response.headers.end(),
                  [](const Header& header) { return equal_ignoring_case(header.name, "Content-Type"); });
  if (!response.body.empty() && !response.content_type.empty() && !has_content_type)
    writer.header("Content-Type", response.content_type);
  for (const Header& header : response.headers) writer.header(header.name, header.value);
  end_answer(response.status, response.body.size(), writer);
  if (writer.full()) return errc::memory_exhausted;
  written = writer.size();
  return errc::none;
}

std::size_t ServerHandshake::write_refusal(errc cause, Bytes out, bool version_8) noexcept {
  const std::uint16_t status = http_status_for(cause);
  const std::string_view line = describe(cause);
  TextWriter writer(out);
  begin_answer(status, writer);
  if (status == 405) writer.header("Allow", "GET");  // RFC 9110 section 15.5.6
  // RFC 6455 section 4.4
  if (cause == errc::version_unsupported || cause == errc::version_missing)
    writer.header("Sec-WebSocket-Version", version_8 ? "13, 8" : "13");
  writer.header("Content-Type", HttpResponse().content_type);
  end_answer(status, line.size() + 1, writer);
  writer.text(line);
  writer.text("\n");
  return writer.full() ? 0 : writer.size();
}

}  // namespace sansock

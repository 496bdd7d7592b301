// Both sides of the opening handshake over any bytes and over heads that are nearly right. What is
// accepted has to pass a second, independent look; what is refused has a status; the bytes behind a
// head are the connection's, all of them; what our client writes our server accepts.
//
// Input: settings, a byte that chooses the side (0 server, 1 client, 2 our request to our server,
// 3 our answer to our client), for 0 and 1 a byte of cuts, and the text or the parts of it.
#include "sansock/handshake.h"

#include <vector>

#include "check.h"
#include "harness.h"
#include "settings.h"
#include "test_entropy.h"
#include "test_pool.h"
#include "view.h"

namespace {

using namespace sansock;
using namespace sansock::testing;
using sansock::fuzz::Input;
using sansock::fuzz::Settings;

constexpr std::string_view accept_of_client = "7Ubo2JRe6fIuZAdGHq7kDA4XEQ0=";  // for the entropy here

using Lines = std::vector<std::pair<std::string, std::string>>;  // names in small letters

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

std::string stripped(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// A head taken apart by the simplest means; the first "line" is the start line.
Lines lines_of(const std::string& head) {
  Lines lines;
  std::size_t at = 0;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    FUZZ_CHECK(end != head.npos, "a line without an end");
    const std::string line = head.substr(at, end - at);
    at = end + 2;
    if (lines.empty()) {
      lines.emplace_back("", line);
    } else if (!line.empty()) {
      const std::size_t colon = line.find(':');
      FUZZ_CHECK(colon != line.npos && colon > 0 && line[0] != ' ' && line[0] != '\t');
      lines.emplace_back(lower(line.substr(0, colon)), stripped(line.substr(colon + 1)));
    }
  }
  return lines;
}

std::vector<std::string> values(const Lines& lines, const std::string& name) {
  std::vector<std::string> found;
  for (const auto& [line_name, value] : lines) {
    if (line_name == name) found.push_back(value);
  }
  return found;
}

bool mentions(const Lines& lines, const std::string& name, const std::string& word) {
  for (const std::string& value : values(lines, name)) {
    if (lower(value).find(word) != std::string::npos) return true;
  }
  return false;
}

// What every accepted request must have, by RFC 6455 section 4.2.1 read once more.
void check_accepted_request(const std::string& head) {
  const Lines lines = lines_of(head);
  const std::string& start = lines.front().second;
  FUZZ_CHECK(start.rfind("GET /", 0) == 0 && start.ends_with(" HTTP/1.1"));
  FUZZ_CHECK(std::count(start.begin(), start.end(), ' ') == 2);
  FUZZ_CHECK(head.find('\0') == head.npos && head.find("\n ") == head.npos && head.find("\n\t") == head.npos);
  FUZZ_CHECK(std::count(head.begin(), head.end(), '\r') == std::count(head.begin(), head.end(), '\n'));
  FUZZ_CHECK(values(lines, "host").size() == 1 && !values(lines, "host")[0].empty());
  FUZZ_CHECK(mentions(lines, "upgrade", "websocket") && mentions(lines, "connection", "upgrade"));
  const auto keys = values(lines, "sec-websocket-key");
  FUZZ_CHECK(keys.size() == 1 && keys[0].size() == 24 && keys[0].ends_with("=="));
  const auto versions = values(lines, "sec-websocket-version");
  FUZZ_CHECK(versions.size() == 1 && (versions[0] == "13" || versions[0] == "8"));
  FUZZ_CHECK(values(lines, "transfer-encoding").empty());
  for (const std::string& length : values(lines, "content-length")) FUZZ_CHECK(length == "0");
}

void check_refusal(errc error, bool version_8) {
  FUZZ_CHECK(error != errc::none);
  const std::uint16_t status = http_status_for(error);
  FUZZ_CHECK(status >= 400 && status < 600);
  std::byte memory[512];
  const std::size_t written = ServerHandshake::write_refusal(error, memory, version_8);
  const std::string text(as_text(ConstBytes(memory, written)));
  FUZZ_CHECK(text.rfind("HTTP/1.1 " + std::to_string(status) + " ", 0) == 0);
  FUZZ_CHECK(text.find("\r\n\r\n") != text.npos && text.find("\r\nConnection: close") != text.npos);
}

// One handshake over `text`, in reads of `read` bytes. Returns how many bytes it took.
template <class Handshake>
std::size_t feed(Handshake& handshake, std::string_view text, std::size_t read) {
  std::size_t taken = 0;
  while (taken < text.size() && handshake.state() == HandshakeState::reading) {
    const fuzz::ExactText part(text.substr(taken, read));
    const std::size_t now = handshake.feed(as_bytes(part.view()));
    FUZZ_CHECK(now <= part.view().size());
    taken += now;
    if (now < part.view().size()) break;
  }
  return taken;
}

// An Endpoint over the whole text gives the same events as a Connection over the rest of it.
void check_leftover(const Settings& settings, Config config, std::string_view text, std::size_t taken) {
  TestPool pool(settings.block_size);
  config.pool = &pool;
  Endpoint endpoint(Role::server, config);
  EndpointHarness whole(endpoint);
  whole.handler = [&](const Event& event) {
    if (event.kind == EventKind::request) FUZZ_CHECK(event.error == errc::none && !endpoint.accept());
  };
  Connection connection(Role::server, config);
  ConnectionHarness rest(connection);
  whole.feed(bytes_of(text));
  rest.feed(bytes_of(text.substr(taken)));
  whole.eof();
  rest.eof();
  FUZZ_CHECK(whole.events.text() == "request\nopen\n" + rest.events.text(), whole.events.text());
}

void server_side(const Settings& settings, const Config& config, std::string_view text, std::size_t read) {
  std::vector<std::byte> memory(config.limits.head_bytes_max);
  ServerHandshake handshake(config, memory);
  const std::size_t taken = feed(handshake, text, text.size());
  std::vector<std::byte> memory_again(config.limits.head_bytes_max);
  ServerHandshake again(config, memory_again);
  const std::size_t taken_again = feed(again, text, read);
  FUZZ_CHECK(taken == taken_again && handshake.state() == again.state() &&
             handshake.error() == again.error());
  std::byte answer[4096];
  std::size_t written = 0;
  const errc error = handshake.write_accept({}, answer, written);
  switch (handshake.state()) {
    case HandshakeState::reading: FUZZ_CHECK(taken == text.size() && error == errc::no_request); return;
    case HandshakeState::refused:
      FUZZ_CHECK(error == errc::no_request);
      return check_refusal(handshake.error(), config.version_8);
    case HandshakeState::complete: break;
  }
  const std::string head(text.substr(0, taken));
  FUZZ_CHECK(head.ends_with("\r\n\r\n") && error == errc::none);
  check_accepted_request(head);
  const Lines lines = lines_of(std::string(as_text(ConstBytes(answer, written))));
  const std::string key = values(lines_of(head), "sec-websocket-key")[0];
  const auto expected = accept_key(key);
  FUZZ_CHECK(values(lines, "sec-websocket-accept") ==
             std::vector{std::string(expected.data(), expected.size())});
  FUZZ_CHECK(values(lines, "sec-websocket-extensions").empty());
  // An answer finds room or says that there is none; it never writes over the end.
  std::vector<std::byte> short_memory(written - 1);
  std::size_t short_written = 0;
  FUZZ_CHECK(handshake.write_accept({}, short_memory, short_written) == errc::memory_exhausted &&
             short_written == 0);
  check_leftover(settings, config, text, taken);
}

void check_accepted_response(const std::string& head, const ClientRequest& request, const Config& config) {
  const Lines lines = lines_of(head);
  FUZZ_CHECK(lines.front().second.rfind("HTTP/1.1 101", 0) == 0);
  FUZZ_CHECK(mentions(lines, "upgrade", "websocket") && mentions(lines, "connection", "upgrade"));
  FUZZ_CHECK(values(lines, "sec-websocket-accept") == std::vector{std::string(accept_of_client)});
  FUZZ_CHECK(values(lines, "sec-websocket-extensions").empty());
  const auto chosen = values(lines, "sec-websocket-protocol");
  FUZZ_CHECK(chosen.size() <= 1);
  if (chosen.empty()) FUZZ_CHECK(request.subprotocols.empty() || config.subprotocol_optional);
  for (const std::string& name : chosen)
    FUZZ_CHECK(std::find(request.subprotocols.begin(), request.subprotocols.end(), name) !=
               request.subprotocols.end());
}

void client_side(const Config& config, std::string_view text, std::size_t read, bool subprotocols) {
  constexpr std::string_view names[] = {"chat", "superchat"};
  const ClientRequest request{.host = "example.com",
                              .subprotocols = std::span(names).first(subprotocols ? 2u : 0u)};
  const std::size_t memory_size = std::size_t{config.limits.head_bytes_max} + config.limits.refusal_body_max;
  std::vector<std::byte> memory(memory_size);
  std::vector<std::byte> memory_again(memory_size);
  std::byte out[2048];
  std::size_t written = 0;
  ClientHandshake handshake(config, memory);
  ClientHandshake again(config, memory_again);
  FUZZ_CHECK(handshake.write_request(request, out, written) == errc::none);
  FUZZ_CHECK(again.write_request(request, out, written) == errc::none);
  const std::size_t taken = feed(handshake, text, text.size());
  const std::size_t taken_again = feed(again, text, read);
  const auto check_same = [&] {
    FUZZ_CHECK(taken == taken_again && handshake.state() == again.state() &&
               handshake.error() == again.error());
    FUZZ_CHECK(handshake.response().status() == again.response().status());
    FUZZ_CHECK(handshake.response().body() == again.response().body());
  };
  check_same();
  FUZZ_CHECK(handshake.response().body().size() <= config.limits.refusal_body_max);
  if (handshake.state() == HandshakeState::complete) {
    // Answers of 1xx may come before.
    const std::string heads(text.substr(0, taken));
    const std::size_t begin = heads.rfind("\r\n\r\n", heads.size() - 5);
    check_accepted_response(begin == heads.npos ? heads : heads.substr(begin + 4), request, config);
    return;
  }
  handshake.feed_eof();
  again.feed_eof();
  check_same();
  FUZZ_CHECK(handshake.state() == HandshakeState::refused && handshake.error() != errc::none);
}

struct Parts {
  explicit Parts(Input& input) {
    for (std::string& text : texts) text = input.text();
    flags = input.byte();
  }
  // The last of them are headers, as many as the flags say.
  std::span<const Header> headers() {
    list[0] = {texts[2], texts[3]};
    list[1] = {"X-Second", texts[4]};
    return std::span<const Header>(list).first(flags % 3);
  }
  std::string texts[5];
  unsigned flags = 0;
  Header list[2];
};

// Whatever our client agrees to write, our server accepts.
void request_round_trip(Config config, Input& input) {
  config.origin_policy = OriginPolicy::any;
  config.version_8 = true;
  config.limits = {};
  Parts parts(input);
  const std::string_view names[] = {parts.texts[4], "chat"};
  const ClientRequest request{.host = parts.texts[0],
                              .target = parts.texts[1],
                              .origin = (parts.flags & 8) != 0 ? std::string_view(parts.texts[3]) : "",
                              .subprotocols = std::span(names).first((parts.flags & 16) != 0 ? 2u : 0u),
                              .headers = parts.headers(),
                              .authorization = (parts.flags & 32) != 0 ? "Basic YTpi" : "",
                              .version = (parts.flags & 64) != 0    ? 8
                                         : (parts.flags & 128) != 0 ? 12
                                                                    : 13};
  std::byte out[4096];
  std::size_t written = 0;
  std::vector<std::byte> client_memory(8192);
  ClientHandshake client(config, client_memory);
  if (const errc error = client.write_request(request, out, written); error != errc::none) {
    FUZZ_CHECK(error == errc::header_invalid && written == 0);
    return;
  }
  std::vector<std::byte> server_memory(8192);
  ServerHandshake server(config, server_memory);
  FUZZ_CHECK(server.feed(ConstBytes(out, written)) == written);
  FUZZ_CHECK(server.state() == HandshakeState::complete, std::string(name(server.error())));
  check_accepted_request(std::string(as_text(ConstBytes(out, written))));
  std::size_t answered = 0;
  const AcceptOptions options{.subprotocol = (parts.flags & 16) != 0 ? "chat" : ""};
  FUZZ_CHECK(server.write_accept(options, out, answered) == errc::none);
  FUZZ_CHECK(client.feed(ConstBytes(out, answered)) == answered);
  FUZZ_CHECK(client.state() == HandshakeState::complete, std::string(name(client.error())));
  FUZZ_CHECK(client.response().subprotocol() == options.subprotocol);
}

// Whatever our server agrees to answer, our client understands.
void response_round_trip(const Config& config, Input& input) {
  Parts parts(input);
  const auto status = static_cast<std::uint16_t>(195 + parts.flags * 2);
  const HttpResponse response{.status = status,
                              .headers = parts.headers(),
                              .content_type = parts.texts[0],
                              .body = as_bytes(parts.texts[1])};
  std::byte out[4096];
  std::size_t written = 0;
  if (ServerHandshake::write_response(response, out, written) != errc::none) return;
  Config lenient = config;
  lenient.limits = {};
  std::vector<std::byte> memory(8192 + 4096);
  ClientHandshake client(lenient, memory);
  std::byte request[1024];
  std::size_t request_size = 0;
  FUZZ_CHECK(client.write_request({.host = "example.com"}, request, request_size) == errc::none);
  FUZZ_CHECK(client.feed(ConstBytes(out, written)) == written);
  client.feed(response.body);
  FUZZ_CHECK(client.state() == HandshakeState::refused && client.error() == errc::status_unexpected);
  FUZZ_CHECK(client.response().status() == status && client.response().body() == parts.texts[1]);
  for (const Header& header : response.headers) FUZZ_CHECK(client.response().header_count(header.name) > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Settings settings = fuzz::read_settings(input);
  settings.block_size = 16'384;
  TestPool pool(settings.block_size);
  ConstantEntropy entropy(0x37FA213D);
  Config config = settings.config;
  config.pool = &pool;
  config.entropy = &entropy;
  if (config.limits.head_bytes_max == 0) config.limits.head_bytes_max = 2000;
  const unsigned side = input.byte() % 4;
  if (side == 2) return request_round_trip(config, input), 0;
  if (side == 3) return response_round_trip(config, input), 0;
  const unsigned more = input.byte();
  const std::size_t read = more / 2 + 1;
  const fuzz::ExactText text(input.rest());
  if (side == 0) {
    server_side(settings, config, text.view(), read);
  } else {
    client_side(config, text.view(), read, (more & 1) != 0);
  }
  return 0;
}

// permessage-deflate in the opening handshake, both sides. What our server answers to any offers is what a
// slow second opinion answers, and the client of those offers takes it; what our client takes is what that
// opinion takes; our client and our server always understand each other.
//
// Input: a byte that chooses (0 offers to our server, 1 answers to our client, 2 both ours), three bytes of
// options for each side, the values of the headers, one a line.
#include <vector>

#include "deflate_reference.h"
#include "fake_codec.h"
#include "sansock/handshake.h"
#include "test_entropy.h"
#include "test_pool.h"
#include "view.h"

namespace {

using namespace sansock;
using namespace sansock::testing;
using sansock::fuzz::ExactText;
using sansock::fuzz::Input;

constexpr std::string_view header_name = "Sec-WebSocket-Extensions: ";

DeflateOptions read_options(Input& input) {
  const std::array choices{std::optional<bool>(), std::optional(true), std::optional(false)};
  const unsigned takeover = input.byte();
  const unsigned windows = input.byte();
  DeflateOptions options;
  options.server_no_context_takeover = choices[takeover % 3];
  options.client_no_context_takeover = choices[takeover / 3 % 3];
  options.client_max_window_bits_offered = (takeover / 9 & 1) == 0;
  options.server_max_window_bits = static_cast<std::uint8_t>(window_bits_max - windows % 8);
  options.client_max_window_bits = static_cast<std::uint8_t>(window_bits_max - windows / 8 % 8);
  options.own_window_bits_max = static_cast<std::uint8_t>(window_bits_min + input.byte() % 8);
  return options;
}

// nullopt: something that can not be the value of a header, or more headers than the handshakes take.
std::optional<std::vector<std::string>> read_values(Input& input) {
  std::vector<std::string> values(1);
  for (const char c : string_of(input.rest())) {
    if (c == '\n') {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  constexpr std::size_t values_max = 50;
  if (values.size() > values_max) return std::nullopt;
  for (const std::string& value : values)
    if (!is_header_value(value)) return std::nullopt;
  return values;
}

std::string lines_of(const std::vector<std::string>& values) {
  std::string lines;
  for (const std::string& value : values) lines += std::string(header_name) + value + "\r\n";
  return lines;
}

// All extensions of the lists, in order, as the name and then each parameter; nullopt for broken grammar.
using Listed = std::vector<std::vector<std::string>>;
std::optional<Listed> listed_in(const std::vector<std::string>& values) {
  Listed all;
  for (const std::string& value : values) {
    std::string_view rest = value;
    bool valid = true;
    while (const auto extension = next_extension(rest, valid)) {
      all.push_back({std::string(extension->name)});
      std::string_view parameters = extension->parameters;
      while (const auto parameter = next_parameter(parameters)) {
        const std::string text = parameter->has_value ? "=" + std::string(parameter->value) : "";
        all.back().push_back(std::string(parameter->name) + text);
      }
    }
    if (!valid) return std::nullopt;
  }
  return all;
}

std::vector<std::string> parameters_of(const std::vector<std::string>& extension) {
  return {extension.begin() + 1, extension.end()};
}

// The value of the one header for extensions in a head that we wrote; empty if there is none.
std::string value_in(const std::string& head) {
  const std::size_t at = head.find("\r\n" + std::string(header_name));
  if (at == head.npos) return "";
  const std::size_t begin = at + 2 + header_name.size();
  FUZZ_CHECK(head.find("\r\n" + std::string(header_name), begin) == head.npos, "two headers");
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

// One handshake of a client with these options.
class Client {
 public:
  explicit Client(const DeflateOptions& options) {
    config_.entropy = &entropy_;
    config_.codec = &codec_;
    config_.deflate = options;
    config_.limits.head_bytes_max = 8192;
    std::vector<std::byte> out(2048);
    std::size_t written = 0;
    FUZZ_CHECK(handshake_.write_request({.host = "a"}, out, written) == errc::none);
    request = as_text(ConstBytes(out).first(written));
  }

  errc receive(const std::string& answer) {
    const ExactText text(answer);
    FUZZ_CHECK(handshake_.feed(as_bytes(text.view())) == answer.size());
    FUZZ_CHECK(handshake_.state() != HandshakeState::reading);
    FUZZ_CHECK((handshake_.state() == HandshakeState::complete) == (handshake_.error() == errc::none));
    return handshake_.error();
  }
  const std::optional<DeflateParameters>& deflate() const { return handshake_.deflate(); }

  std::string request;

 private:
  SeededEntropy entropy_{1};
  FakeCodec codec_;
  Config config_;
  std::vector<std::byte> memory_ = std::vector<std::byte>(8192);
  ClientHandshake handshake_{config_, memory_};
};

// The answer of a server with these options.
struct Server {
  Server(const std::string& request, const DeflateOptions& options) {
    Config config;
    std::vector<std::byte> memory(8192);
    ServerHandshake handshake(config, memory);
    const ExactText text(request);
    FUZZ_CHECK(handshake.feed(as_bytes(text.view())) == request.size());
    error = handshake.error();
    if (error != errc::none) {
      FUZZ_CHECK(!handshake.deflate_acceptable(options));
      return;
    }
    agreed = handshake.deflate_acceptable(options);
    std::vector<std::byte> out(2048);
    std::size_t written = 0;
    FUZZ_CHECK(handshake.write_accept({}, out, written, &options) == errc::none);
    answer = as_text(ConstBytes(out).first(written));
    FUZZ_CHECK(agreed.has_value() == !value_in(answer).empty());
  }

  errc error = errc::none;
  std::optional<DeflateParameters> agreed;
  std::string answer;
};

std::string with_lines(const std::string& head, const std::string& lines) {
  return head.substr(0, head.size() - 2) + lines + "\r\n";
}
// A request or an answer without any extension.
std::string plain(const std::string& head) {
  const std::size_t at = head.find(header_name);
  if (at == head.npos) return head;
  return head.substr(0, at) + head.substr(head.find("\r\n", at) + 2);
}

// The client keeps to what it said, which may be less than the server allows.
void check_both(const DeflateParameters& client, const DeflateParameters& server) {
  FUZZ_CHECK(client.server_no_context_takeover == server.server_no_context_takeover);
  FUZZ_CHECK(client.server_window_bits == server.server_window_bits);
  FUZZ_CHECK(client.client_no_context_takeover || !server.client_no_context_takeover);
  FUZZ_CHECK(client.client_window_bits <= server.client_window_bits);
}

// The options of a client that offers this.
DeflateOptions options_of(const deflate_reference::Said& offer) {
  const auto bits = [&](const char* name) {
    const bool stated = offer.count(name) != 0 && !offer.at(name).empty();
    return static_cast<std::uint8_t>(stated ? deflate_reference::numbers.at(offer.at(name)) : 15);
  };
  return {.server_no_context_takeover = offer.count("server_no_context_takeover") != 0,
          .client_no_context_takeover = offer.count("client_no_context_takeover") != 0,
          .server_max_window_bits = bits("server_max_window_bits"),
          .client_max_window_bits = bits("client_max_window_bits"),
          .client_max_window_bits_offered = offer.count("client_max_window_bits") != 0};
}

void check_server(const std::vector<std::string>& values, const DeflateOptions& options) {
  const std::string request = with_lines(plain(Client({}).request), lines_of(values));
  const Server server(request, options);
  const std::optional<Listed> offers = listed_in(values);
  if (!offers || offers->empty()) {
    FUZZ_CHECK(server.error == errc::extension_invalid);
    return;
  }
  FUZZ_CHECK(server.error == errc::none);
  for (const std::vector<std::string>& offer : *offers) {
    if (offer.front() != "permessage-deflate") continue;
    const std::vector<std::string> parameters = parameters_of(offer);
    const std::string expected = deflate_reference::expected_answer(parameters, options);
    if (expected.empty()) continue;
    FUZZ_CHECK(value_in(server.answer) == expected, value_in(server.answer));
    Client client(options_of(*deflate_reference::understand(parameters)));
    FUZZ_CHECK(client.receive(server.answer) == errc::none);
    FUZZ_CHECK(client.deflate().has_value());
    check_both(*client.deflate(), *server.agreed);
    return;
  }
  FUZZ_CHECK(!server.agreed, "no offer was acceptable");
}

void check_client(const std::vector<std::string>& values, const DeflateOptions& options) {
  Client client(options);
  const std::string accepted = Server(plain(client.request), {}).answer;
  deflate_reference::Checked got;
  got.error = client.receive(with_lines(accepted, lines_of(values)));
  got.agreed = client.deflate();
  const std::optional<Listed> extensions = listed_in(values);
  deflate_reference::Checked expected{errc::extension_unoffered, std::nullopt};
  const bool ours = extensions && !extensions->empty() &&
                    std::all_of(extensions->begin(), extensions->end(),
                                [](const auto& extension) { return extension[0] == "permessage-deflate"; });
  if (ours && extensions->size() > 1) expected.error = errc::extension_refused;
  if (ours && extensions->size() == 1)
    expected = deflate_reference::expected_check(parameters_of(extensions->front()), options);
  FUZZ_CHECK(got == expected, std::string(name(got.error)));
}

void check_ours(const DeflateOptions& client_options, const DeflateOptions& server_options) {
  Client client(client_options);
  const Server server(client.request, server_options);
  FUZZ_CHECK(server.error == errc::none && client.receive(server.answer) == errc::none);
  const bool contradiction =
      client_options.server_no_context_takeover == true && server_options.server_no_context_takeover == false;
  FUZZ_CHECK(client.deflate().has_value() == !contradiction);
  FUZZ_CHECK(server.agreed.has_value() == !contradiction);
  if (!contradiction) check_both(*client.deflate(), *server.agreed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const unsigned choice = input.byte() % 3;
  const DeflateOptions client = read_options(input);
  const DeflateOptions server = read_options(input);
  if (choice == 2) {
    check_ours(client, server);
    return 0;
  }
  const auto values = read_values(input);
  if (!values) return 0;
  if (choice == 0) {
    check_server(*values, server);
  } else {
    check_client(*values, client);
  }
  return 0;
}

#include "autobahn_cases.h"

#include <unistd.h>

#include <charconv>
#include <iostream>
#include <optional>

#include "options.h"

namespace examples {
namespace {

constexpr const char* program = "echo_client";
// The slowest known cases echo 16 MiB in 64-byte fragments.
constexpr sansock::Duration silence_max = std::chrono::seconds(100);

// For a query's value: everything but RFC 3986's unreserved characters as %XX.
std::string percent_encode(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter_or_digit =
        (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
    if (letter_or_digit || byte == '-' || byte == '.' || byte == '_' || byte == '~') {
      out.push_back(c);
    } else {
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return out;
}

bool connect(sansock::Client& client, const std::string& url) {
  const std::error_code error = client.connect(url);
  if (error) complain(program, "can not connect to " + url + ": " + error.message());
  return !error;
}

std::optional<unsigned> case_count(sansock::Client& client, const std::string& base) {
  const std::string url = base + "/getCaseCount";
  if (!connect(client, url)) return std::nullopt;
  unsigned count = 0;
  const auto message = client.receive(silence_max);
  const std::string text(message ? message->text() : std::string_view());
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  if (!message || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    complain(program, url + " did not answer with a number: is it a fuzzing server?");
    return std::nullopt;
  }
  client.close();  // the count is all that we came for; how this connection ends does not matter
  return count;
}

void show_progress(unsigned number, unsigned count) {
  static const bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal) {
    std::cerr << "\rcase " << number << " of " << count << (number == count ? "\n" : "") << std::flush;
  } else if (number % 25 == 0 || number == count) {
    std::cerr << "case " << number << " of " << count << '\n';
  }
}

}  // namespace

int run_autobahn_cases(const sansock::ClientOptions& options, const std::string& url,
                       const std::string& agent) {
  std::string base = url;
  while (!base.empty() && base.back() == '/') base.pop_back();
  const std::string as_agent = "agent=" + percent_encode(agent);

  sansock::Client client(options);
  const auto count = case_count(client, base);
  if (!count) return exit_failed;
  std::string payload;
  for (unsigned number = 1; number <= *count; ++number) {
    if (!connect(client, base + "/runCase?case=" + std::to_string(number) + "&" + as_agent)) {
      return exit_failed;
    }
    // Ends when the server ends the case, in whatever way it wants to see: that is its verdict to
    // give, so neither a failed send nor an unclean end is an error here.
    while (const auto message = client.receive(silence_max)) {
      payload.assign(message->text());  // the view ends with the next call
      client.send(message->type, sansock::as_bytes(payload));
    }
    client.terminate();
    show_progress(number, *count);
  }
  if (!connect(client, base + "/updateReports?" + as_agent)) return exit_failed;
  while (client.receive(silence_max)) continue;
  std::cout << "ran " << *count << " cases as " << agent << "; the reports are the server's\n";
  return 0;
}

}  // namespace examples

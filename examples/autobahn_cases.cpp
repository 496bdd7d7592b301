#include "autobahn_cases.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <iostream>
#include <optional>
#include <thread>
#include <vector>

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

void show_progress(unsigned done, unsigned count) {
  static const bool terminal = isatty(STDERR_FILENO) != 0;
  if (!terminal && done % 25 != 0 && done != count) return;
  std::string line = "case " + std::to_string(done) + " of " + std::to_string(count);
  line = terminal ? "\r" + line + (done == count ? "\n" : "") : line + "\n";
  std::cerr << line << std::flush;  // in one piece: others may write beside
}

// What the jobs of a run share.
struct Run {
  const sansock::ClientOptions& options;
  const std::string& base;
  const std::string& as_agent;
  unsigned count;
  std::atomic<unsigned> next = 1;
  std::atomic<unsigned> done = 0;
  std::atomic<bool> failed = false;
};

void run_cases(Run& run) {
  sansock::Client client(run.options);
  std::string payload;
  while (!run.failed) {
    const unsigned number = run.next++;
    if (number > run.count) return;
    if (!connect(client, run.base + "/runCase?case=" + std::to_string(number) + "&" + run.as_agent)) {
      run.failed = true;
      return;
    }
    // Ends when the server ends the case, in whatever way it wants to see: that is its verdict to
    // give, so neither a failed send nor an unclean end is an error here.
    while (const auto message = client.receive(silence_max)) {
      payload.assign(message->text());  // the view ends with the next call
      client.send(message->type, sansock::as_bytes(payload));
    }
    client.terminate();
    show_progress(++run.done, run.count);
  }
}

}  // namespace

int run_autobahn_cases(const sansock::ClientOptions& options, const std::string& url,
                       const std::string& agent, unsigned jobs) {
  std::string base = url;
  while (!base.empty() && base.back() == '/') base.pop_back();
  const std::string as_agent = "agent=" + percent_encode(agent);

  sansock::Client client(options);
  const auto count = case_count(client, base);
  if (!count) return exit_failed;
  Run run{options, base, as_agent, *count};
  std::vector<std::thread> threads;
  for (unsigned job = 1; job < std::min(jobs, *count); ++job)
    threads.emplace_back([&run] { run_cases(run); });
  run_cases(run);
  for (std::thread& thread : threads) thread.join();
  if (run.failed) return exit_failed;
  if (!connect(client, base + "/updateReports?" + as_agent)) return exit_failed;
  while (client.receive(silence_max)) continue;
  std::cout << "ran " << *count << " cases as " << agent << "; the reports are the server's\n";
  return 0;
}

}  // namespace examples

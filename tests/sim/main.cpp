// The simulator's command line: see usage.
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "runner.h"

namespace {

using namespace sansock::sim;

constexpr const char* usage =
    "usage: sim [OPTION...]\n"
    "  --seeds COUNT   run this many seeds (1000)\n"
    "  --from N        the first of them (0)\n"
    "  --seconds S     run fresh seeds for this long; the first is made of the time and printed\n"
    "  --jobs N        in so many processes (1)\n"
    "  --seed N        run this one seed, and print what it switches on\n"
    "  --trace         with --seed: print all that happens\n"
    "  --tap           report as a test\n"
    "Exits with 1 if a checker finds a violation: then the seed, its knobs, the last part of its trace and\n"
    "the command that replays it are printed.\n";

struct CommandLine {
  RunOptions run;
  bool from_given = false;
  bool seeds_given = false;
  bool one = false;
  bool trace = false;
  bool tap = false;
  std::uint64_t seed = 0;
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "sim: %s\n%s", why.c_str(), usage);
  std::exit(2);
}

std::uint64_t number_of(std::string_view option, const char* text) {
  char* end = nullptr;
  const std::uint64_t number = text != nullptr ? std::strtoull(text, &end, 10) : 0;
  if (text == nullptr || end == text || *end != 0 || *text == '-') {
    give_up(std::string(option) + " needs a number");
  }
  return number;
}

CommandLine parse(int count, char** arguments) {
  CommandLine line;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    if (option == "--help" || option == "-h") {
      std::fputs(usage, stdout);
      std::exit(0);
    }
    if (option == "--trace" || option == "--tap") {
      (option == "--trace" ? line.trace : line.tap) = true;
      continue;
    }
    const char* const value = i + 1 < count ? arguments[++i] : nullptr;
    if (option == "--seed") {
      line.seed = number_of(option, value);
      line.one = true;
    } else if (option == "--seeds") {
      line.run.seeds = number_of(option, value);
      line.seeds_given = true;
    } else if (option == "--from") {
      line.run.from = number_of(option, value);
      line.from_given = true;
    } else if (option == "--seconds") {
      line.run.seconds = static_cast<double>(number_of(option, value));
    } else if (option == "--jobs") {
      line.run.jobs = static_cast<unsigned>(std::clamp<std::uint64_t>(number_of(option, value), 1, 256));
    } else {
      give_up("unknown option " + std::string(option));
    }
  }
  return line;
}

int run_one(const CommandLine& line) {
  std::fputs(draw_knobs(line.seed).text().c_str(), stdout);
  const SeedResult result = run_seed(line.seed, line.trace);
  std::fputs(result.report.c_str(), stdout);
  std::printf("seed=%" PRIu64 " %s, trace hash %016" PRIx64 ", %" PRIu64 " turns\n", line.seed,
              result.checker.empty() ? "ended well" : result.checker.c_str(), result.hash,
              result.stats.turns);
  std::puts(summary({result.stats, result.hash, !result.checker.empty()}).c_str());
  return result.checker.empty() ? 0 : 1;
}

int run_many(CommandLine& line) {
  if (line.run.seconds > 0) {
    if (!line.seeds_given) line.run.seeds = 0;
    if (!line.from_given) line.run.from = static_cast<std::uint64_t>(std::time(nullptr)) * 1'000'000;
    std::printf("fresh seeds from %" PRIu64 " on\n", line.run.from);
  }
  line.run.progress = isatty(STDERR_FILENO) != 0;
  const RunResult result = run_seeds(line.run);
  if (line.tap) {
    std::printf("1..1\n%sok 1 - seeds from %" PRIu64 " on\n# ", result.failed ? "not " : "", line.run.from);
  }
  std::puts(summary(result).c_str());
  return result.failed ? 1 : 0;
}

}  // namespace

int main(int count, char** arguments) {
  CommandLine line = parse(count, arguments);
  return line.one ? run_one(line) : run_many(line);
}

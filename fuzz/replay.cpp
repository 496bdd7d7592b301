// Runs a fuzz target over inputs that are there, without a fuzzer and with any compiler:
//
//   replay_TARGET [FILE | DIRECTORY | --each DIRECTORY]...
//
// Speaks TAP: each argument is a case, which says how many inputs it had; behind --each, where the
// directory may be missing, each file is one. An input that breaks the target ends the process; its
// name is said.
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "check.h"

namespace {

namespace fs = std::filesystem;

char replayed[4096] = "nothing";

// Only what may be called in a signal handler.
void say_what_was_replayed(int signal) {
  const char before[] = "\nwhile replaying ";
  [[maybe_unused]] ssize_t ignored = write(STDERR_FILENO, before, sizeof before - 1);
  ignored = write(STDERR_FILENO, replayed, std::strlen(replayed));
  ignored = write(STDERR_FILENO, "\n", 1);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

std::vector<fs::path> files_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool replay(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) return false;
  std::snprintf(replayed, sizeof replayed, "%s", path.c_str());
  // Memory of exactly this size, so that a sanitizer sees what is read beside it.
  const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), copy.get());
  LLVMFuzzerTestOneInput(copy.get(), bytes.size());
  return true;
}

// A case of TAP: all files of a path.
class Cases {
 public:
  void run(const fs::path& path) {
    bool read = fs::exists(path);
    std::size_t inputs = 0;
    if (read) {
      for (const fs::path& file : files_of(path)) {
        read = replay(file) && read;
        ++inputs;
      }
    }
    const fs::path name = path.parent_path().filename() / path.filename();
    std::printf("%s %d - %s: %zu inputs\n", read ? "ok" : "not ok", ++count_, name.c_str(), inputs);
    std::fflush(stdout);
    good_ = good_ && read;
  }
  int finish() const {
    std::printf("1..%d\n", count_);
    return good_ && count_ > 0 ? 0 : 1;
  }

 private:
  int count_ = 0;
  bool good_ = true;
};

}  // namespace

int main(int count, char** arguments) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGTRAP})
    std::signal(signal, say_what_was_replayed);
  Cases cases;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--each") != 0) {
      cases.run(arguments[i]);
    } else if (++i < count && fs::exists(arguments[i])) {
      for (const fs::path& file : files_of(arguments[i])) cases.run(file);
    }
  }
  return cases.finish();
}

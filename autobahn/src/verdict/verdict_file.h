// Pinned verdicts: what each case is expected to come to.
//
//     # comment
//     *      OK             OK
//     7.1.6  INFORMATIONAL  INFORMATIONAL
//     12.*   UNIMPLEMENTED  OK
//
// A later line wins over an earlier one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verdict/verdict.h"

namespace conform {

class VerdictFile {
 public:
  // Empty, and `problem` with the line: it can not be understood.
  static std::optional<VerdictFile> parse(std::string_view text, std::string& problem);
  static std::optional<VerdictFile> read(const std::string& path, std::string& problem);

  // Empty: no line is about this case.
  std::optional<Verdicts> expected(std::string_view id) const;
  // How a verdict differs from what is pinned, better ones too. Empty: it does not.
  std::string difference(std::string_view id, const Verdicts& verdicts) const;

 private:
  struct Line {
    std::string pattern;
    Verdicts verdicts;
  };
  std::vector<Line> lines_;
};

}  // namespace conform

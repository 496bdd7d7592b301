// The groups of the catalogue, a file each.
#pragma once

#include <vector>

#include "cases/case.h"
#include "cases/catalogue.h"

namespace conform {

void add_framing_cases(std::vector<Case>& cases);                          // 1
void add_ping_cases(std::vector<Case>& cases);                             // 2
void add_reserved_bit_cases(std::vector<Case>& cases);                     // 3
void add_reserved_opcode_cases(std::vector<Case>& cases);                  // 4
void add_fragmentation_cases(std::vector<Case>& cases);                    // 5
void add_utf8_cases(std::vector<Case>& cases);                             // 6
void add_closing_cases(std::vector<Case>& cases);                          // 7
void add_limit_cases(std::vector<Case>& cases, const Scale& scale);        // 9
void add_auto_fragment_cases(std::vector<Case>& cases);                    // 10
void add_compression_cases(std::vector<Case>& cases, const Scale& scale);  // 12, 13

}  // namespace conform

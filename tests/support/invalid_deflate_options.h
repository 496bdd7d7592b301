// Options that each end of a connection refuses: one below and one above what each number may be.
#pragma once

#include "sansock/deflate.h"

namespace sansock::testing {

inline constexpr DeflateOptions invalid_deflate_options[] = {{.server_max_window_bits = 7},
                                                             {.server_max_window_bits = 16},
                                                             {.client_max_window_bits = 7},
                                                             {.client_max_window_bits = 16},
                                                             {.level = 0},
                                                             {.level = 10},
                                                             {.own_window_bits_max = 7},
                                                             {.own_window_bits_max = 16}};

}  // namespace sansock::testing

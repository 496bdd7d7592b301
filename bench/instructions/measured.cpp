#include "measured.h"

namespace sansock::bench {

std::size_t measured(const Work& work) { return work(); }

}  // namespace sansock::bench

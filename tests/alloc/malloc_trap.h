// Counts every allocation of the process while armed. malloc and its kin are replaced in this
// executable, and operator new stands on them.
#pragma once

#include <cstddef>

namespace sansock::testing {

class MallocTrap {
 public:
  MallocTrap();
  MallocTrap(const MallocTrap&) = delete;
  MallocTrap& operator=(const MallocTrap&) = delete;
  ~MallocTrap();

  // Allocations since it was armed.
  static std::size_t count();
};

}  // namespace sansock::testing

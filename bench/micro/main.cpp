// build/bench/micro: all suites in one program. --benchmark_filter takes a part of them.
#include <cstdio>

#include "suite.h"

namespace sansock::bench {

namespace {

void add_peers() {
#ifdef SANSOCK_BENCH_WSLAY
  add_wslay();
#else
  std::fputs("micro: built without wslay (package libwslay-dev)\n", stderr);
#endif
#ifdef SANSOCK_BENCH_BEAST
  add_beast();
#else
  std::fputs("micro: built without Boost.Beast (package libboost-dev)\n", stderr);
#endif
#ifdef SANSOCK_BENCH_WEBSOCKETPP
  add_websocketpp();
#else
  std::fputs("micro: built without websocketpp (package libwebsocketpp-dev)\n", stderr);
#endif
}

}  // namespace

}  // namespace sansock::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  sansock::bench::add_mask();
  sansock::bench::add_utf8();
  sansock::bench::add_fused();
  sansock::bench::add_frame_in();
  sansock::bench::add_frame_out();
  sansock::bench::add_handshake();
#ifdef SANSOCK_BENCH_DEFLATE
  sansock::bench::add_deflate();
#else
  std::fputs("micro: built without compression (packages libisal-dev, zlib1g-dev)\n", stderr);
#endif
  sansock::bench::add_peers();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

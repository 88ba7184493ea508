#include "isa.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "simd.h"

namespace tfvfi {
namespace {

constexpr const char* kNames[] = {"baseline", "avx2", "avx512", "avx512_bf16"};
constexpr int kCount = sizeof(kNames) / sizeof(kNames[0]);

Isa Supported() {
#ifdef TFVFI_MANY_VERSIONS
  const auto all = [](auto... supported) { return (... && supported); };
  if (!all(__builtin_cpu_supports("avx2"), __builtin_cpu_supports("fma"),
           __builtin_cpu_supports("bmi"), __builtin_cpu_supports("bmi2"))) {
    return Isa::kBaseline;
  }
  if (!all(__builtin_cpu_supports("avx512f"), __builtin_cpu_supports("avx512bw"),
           __builtin_cpu_supports("avx512cd"), __builtin_cpu_supports("avx512dq"),
           __builtin_cpu_supports("avx512vl"))) {
    return Isa::kAvx2;
  }
  return __builtin_cpu_supports("avx512bf16") ? Isa::kAvx512Bf16 : Isa::kAvx512;
#else
  return Isa::kBaseline;
#endif
}

Isa Choose() {
  const char* wanted = std::getenv("TFVFI_NATIVE_ISA");
  for (int isa = 0; wanted && isa < kCount; ++isa) {
    if (!std::strcmp(wanted, kNames[isa])) return std::min(Supported(), static_cast<Isa>(isa));
  }
  return Supported();
}

}  // namespace

Isa ChosenIsa() {
  static const Isa chosen = Choose();
  return chosen;
}

}  // namespace tfvfi

// The best instruction set of this processor by its name in TFVFI_NATIVE_ISA, for Python.
extern "C" __attribute__((visibility("default"))) const char* tfvfi_supported_isa() {
  return tfvfi::kNames[static_cast<int>(tfvfi::Supported())];
}

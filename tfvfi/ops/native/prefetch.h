// Loads pixels into the cache before they are needed.
//
// Convolutions read a few pixels from each of several rows, which is a pattern that processors do
// not foresee.

#ifndef TFVFI_OPS_NATIVE_PREFETCH_H_
#define TFVFI_OPS_NATIVE_PREFETCH_H_

#include <algorithm>
#include <cstdint>

#include "simd.h"

namespace tfvfi {

// Pixels of a frame, some of which may lie outside it.
struct Window {
  int64_t top, left, rows, columns;
};

template <class Number>
TFVFI_INLINE void Prefetch(const Number* frame, int64_t height, int64_t width, int64_t channels,
                           const Window& window) {
  constexpr int64_t line = 64 / sizeof(Number);
  const int64_t bottom = std::min(window.top + window.rows, height);
  const int64_t right = std::min(window.left + window.columns, width);
  for (int64_t y = std::max<int64_t>(0, window.top); y < bottom; ++y) {
    const Number* row = frame + y * width * channels;
    for (int64_t at = std::max<int64_t>(0, window.left) * channels; at < right * channels;
         at += line) {
      __builtin_prefetch(row + at, 0, 2);
    }
  }
}

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_PREFETCH_H_

#include "convolution_loops.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "isa.h"
#include "pairs.h"
#include "products.h"
#include "simd.h"
#include "vectors.h"
#include "winograd.h"

namespace tfvfi {
namespace {

template <int kTaps, class Version, class Number, class Factor>
TFVFI_INLINE void ConvolveTiles(const Shapes& shapes, const Data& data, void* memory,
                                float* products, int64_t begin, int64_t end) {
  using Vector = typename Version::Vector;
  Factor* transformed = static_cast<Factor*>(memory);
  constexpr int64_t unmoved = 0, side = TileOf(kTaps);
  const int64_t a_step = shapes.rows() * shapes.depth, c_step = shapes.rows() * shapes.padded;
  for (int64_t first = begin; first < end; first += shapes.block) {
    const int64_t count = std::min<int64_t>(shapes.block, end - first);
    for (int64_t tile = 0; tile < count; ++tile) {
      const Place place(shapes, first + tile, side);
      const Number* frame = static_cast<const Number*>(data.image) + shapes.passed +
                            place.frame * shapes.height * shapes.width * shapes.channels_in();
      ForChannels<Vector>(shapes.inputs, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
        TransformChannels<decltype(vector)>(shapes, frame, place.row - 1, place.column - 1, channel,
                                            a_step, transformed + tile * shapes.depth);
      });
    }
    for (int place = 0; place < kPlaces; ++place) {
      const auto kernels = static_cast<const Factor*>(data.kernels);
      Multiply<Version>(transformed + place * a_step, &unmoved, 1, shapes.depth,
                        kernels + place * shapes.depth * shapes.padded, count, shapes.padded,
                        products + place * c_step);
    }
    for (int64_t tile = 0; tile < count; ++tile) {
      const Place place(shapes, first + tile, side);
      const float* found = products + tile * shapes.padded;
      for (int64_t pixel = 0; pixel < shapes.scale * shapes.scale; ++pixel) {
        ForChannels<Vector>(
            shapes.outputs_of_pixel(), [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
              FinishChannels<side, decltype(vector), Number>(shapes, data, found, c_step, place,
                                                             pixel, channel);
            });
      }
      if (shapes.passed) PassChannels<Number>(shapes, data, place);
    }
  }
}

template <int kTaps, class Version, class Factor>
TFVFI_INLINE void TransformAny(const Shapes& shapes, const float* kernels, void* out, int64_t begin,
                               int64_t end) {
  TransformKernels<kTaps, Version>(shapes, kernels, static_cast<Factor*>(out), begin, end);
}

template <class Version, class Factor>
constexpr Loops LoopsOf(decltype(Loops::transform_kernels) transform_kernels,
                        decltype(Loops::convolve) convolve) {
  return {kLanes<typename Version::Vector>, kDepth<Factor>, sizeof(Factor), transform_kernels,
          convolve};
}

// Factors are float32, except where the processor multiplies bfloat16 twice as fast.
template <int kTaps, class Number>
Loops LoopsFor() {
  switch (ChosenIsa()) {
#ifdef TFVFI_MANY_VERSIONS
    case Isa::kAvx512Bf16:
      if constexpr (!std::is_same_v<Number, float>) {
        return LoopsOf<Wide, FastHalf>(
            Hot<TransformAny<kTaps, Wide, FastHalf>>::Avx512,
            Hot<ConvolveTiles<kTaps, Wide, FastHalf, FastHalf>>::Avx512);
      }
      [[fallthrough]];
    case Isa::kAvx512:
      return LoopsOf<Wide, float>(Hot<TransformAny<kTaps, Wide, float>>::Avx512,
                                  Hot<ConvolveTiles<kTaps, Wide, Number, float>>::Avx512);
    case Isa::kAvx2:
      return LoopsOf<Middle, float>(Hot<TransformAny<kTaps, Middle, float>>::Avx2,
                                    Hot<ConvolveTiles<kTaps, Middle, Number, float>>::Avx2);
#endif
    default:
      return LoopsOf<Narrow, float>(Hot<TransformAny<kTaps, Narrow, float>>::Baseline,
                                    Hot<ConvolveTiles<kTaps, Narrow, Number, float>>::Baseline);
  }
}

}  // namespace

Loops BestLoops(int64_t taps, bool bfloat16) {
  if (taps == 2) return bfloat16 ? LoopsFor<2, Half>() : LoopsFor<2, float>();
  return bfloat16 ? LoopsFor<3, Half>() : LoopsFor<3, float>();
}

}  // namespace tfvfi

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

template <class Version, class Number, class Factor>
TFVFI_INLINE void ConvolveTiles(const Shapes& shapes, const Data& data, void* memory,
                                float* products, int64_t begin, int64_t end) {
  using Vector = typename Version::Vector;
  Factor* transformed = static_cast<Factor*>(memory);
  constexpr int64_t unmoved = 0;
  const int64_t per_pixel = shapes.outputs_of_pixel(), wide = shapes.scale * shapes.width;
  const int64_t a_step = shapes.rows() * shapes.depth, c_step = shapes.rows() * shapes.padded;
  for (int64_t first = begin; first < end; first += shapes.block) {
    const int64_t count = std::min<int64_t>(shapes.block, end - first);
    for (int64_t tile = 0; tile < count; ++tile) {
      const Place place(shapes, first + tile);
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
      const Place place(shapes, first + tile);
      for (int64_t part = 0; part < shapes.scale * shapes.scale; ++part) {
        const int64_t row = shapes.scale * (place.frame * shapes.height + place.row) +
                            part / shapes.scale;
        const int64_t pixel = row * wide + shapes.scale * place.column + part % shapes.scale;
        const int64_t start = pixel * shapes.channels_out() + shapes.passed;
        ForChannels<Vector>(per_pixel, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
          FinishChannels<decltype(vector), Number>(shapes, data, products + tile * shapes.padded,
                                                   c_step, place, start + channel,
                                                   part * per_pixel + channel);
        });
      }
      if (shapes.passed) PassChannels<Number>(shapes, data, place);
    }
  }
}

template <class Version, class Factor>
TFVFI_INLINE void TransformAny(const Shapes& shapes, const float* kernels, void* out, int64_t begin,
                               int64_t end) {
  TransformKernels<Version>(shapes, kernels, static_cast<Factor*>(out), begin, end);
}

template <class Version, class Number, class Factor>
constexpr Loops LoopsOf(decltype(Loops::transform_kernels) transform_kernels,
                        decltype(Loops::convolve) convolve) {
  return {kLanes<typename Version::Vector>, kDepth<Factor>, sizeof(Factor), transform_kernels,
          convolve};
}

// Factors are float32, except where the processor multiplies bfloat16 twice as fast.
template <class Number>
Loops LoopsFor() {
  switch (ChosenIsa()) {
#ifdef TFVFI_MANY_VERSIONS
    case Isa::kAvx512Bf16:
      if constexpr (!std::is_same_v<Number, float>) {
        return LoopsOf<Wide, FastHalf, FastHalf>(
            Hot<TransformAny<Wide, FastHalf>>::Avx512,
            Hot<ConvolveTiles<Wide, FastHalf, FastHalf>>::Avx512);
      }
      [[fallthrough]];
    case Isa::kAvx512:
      return LoopsOf<Wide, Number, float>(Hot<TransformAny<Wide, float>>::Avx512,
                                          Hot<ConvolveTiles<Wide, Number, float>>::Avx512);
    case Isa::kAvx2:
      return LoopsOf<Middle, Number, float>(Hot<TransformAny<Middle, float>>::Avx2,
                                            Hot<ConvolveTiles<Middle, Number, float>>::Avx2);
#endif
    default:
      return LoopsOf<Narrow, Number, float>(Hot<TransformAny<Narrow, float>>::Baseline,
                                            Hot<ConvolveTiles<Narrow, Number, float>>::Baseline);
  }
}

}  // namespace

Loops BestLoops(bool bfloat16) { return bfloat16 ? LoopsFor<Half>() : LoopsFor<float>(); }

}  // namespace tfvfi

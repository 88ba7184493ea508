// Concatenation of maps along their channels, as numbers of one type, and the reverse, each in one
// pass.
//
// Tiles of pixels are processed map by map. Numbers of another type are converted first, to a buffer
// that stays in the cache. Then the pixels are copied to their places, with a loop compiled for
// their number of channels if there are few.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "scratch.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace {

// The number of pixels of a tile. Narrow maps share the cost of a call; wide ones are faster if the
// memory of their pixels is written in order.
int64_t TileOf(int64_t channels) { return channels < 64 ? 64 : 1; }

// `kChannels` is the number of channels to copy if there is a loop compiled for it, or else 0.
template <int kChannels, class Number>
TFVFI_INLINE void CopyPixels(const Number* from, int64_t from_step, Number* to, int64_t to_step,
                             int64_t channels, int64_t pixels) {
  const int64_t size = sizeof(Number) * (kChannels ? kChannels : channels);
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    std::memcpy(to + pixel * to_step, from + pixel * from_step, size);
  }
}

template <class Number>
TFVFI_INLINE void CopyAny(const Number* from, int64_t from_step, Number* to, int64_t to_step,
                          int64_t channels, int64_t pixels) {
  switch (channels) {
    case 1:
      return CopyPixels<1>(from, from_step, to, to_step, channels, pixels);
    case 2:
      return CopyPixels<2>(from, from_step, to, to_step, channels, pixels);
    case 3:
      return CopyPixels<3>(from, from_step, to, to_step, channels, pixels);
    case 4:
      return CopyPixels<4>(from, from_step, to, to_step, channels, pixels);
    default:
      return CopyPixels<0>(from, from_step, to, to_step, channels, pixels);
  }
}

struct Map {
  void* numbers;
  bool half;
  int64_t channels;
};

struct Maps {
  std::vector<Map> all;
  int64_t channels, widest;
};

template <class Number>
TFVFI_INLINE void JoinPixels(const Maps& maps, Number* buffer, Number* out, int64_t begin,
                             int64_t end) {
  using Other = std::conditional_t<std::is_same_v<Number, float>, Half, float>;
  const int64_t tile = TileOf(maps.channels);
  for (int64_t first = begin; first < end; first += tile) {
    const int64_t pixels = std::min(tile, end - first);
    Number* to = out + first * maps.channels;
    for (const Map& map : maps.all) {
      const int64_t start = first * map.channels;
      const Number* from = static_cast<const Number*>(map.numbers) + start;
      if (map.half == std::is_same_v<Number, float>) {
        const Other* const numbers = static_cast<const Other*>(map.numbers) + start;
        ForChannels<Vector16>(pixels * map.channels, [&](auto vector,
                                                         int64_t at) TFVFI_INLINE_LAMBDA {
          Store(buffer + at, Load<decltype(vector)>(numbers + at));
        });
        from = buffer;
      }
      CopyAny(from, map.channels, to, maps.channels, map.channels, pixels);
      to += map.channels;
    }
  }
}

template <class Number>
void JoinAll(const Maps& maps, Number* out, int64_t pixels) {
  ParallelFor(pixels, 0.5 * maps.channels, [&](int64_t begin, int64_t end) {
    const auto buffer = Allocate<Number>(TileOf(maps.channels) * maps.widest);
    Hot<JoinPixels<Number>>::Run(maps, buffer.get(), out, begin, end);
  });
}

class Join {
 public:
  explicit Join(const Attributes& attributes) : type_(attributes.Type("type")) {}

  void Compute(const Context& context) const {
    std::vector<Tensor> inputs;
    Maps maps{{}, 0, 0};
    for (int index = 0; index < context.inputs(); ++index) {
      inputs.push_back(context.Input4(index));
      const Tensor& map = inputs.back();
      for (int axis = 0; axis < 3; ++axis) {
        Require(map.dim(axis) == inputs[0].dim(axis), "all maps must agree in size");
      }
      if (map.dim(3) == 0) continue;
      maps.all.push_back({map.data<void>(), map.type() != TF_FLOAT, map.dim(3)});
      maps.channels += map.dim(3);
      maps.widest = std::max(maps.widest, map.dim(3));
    }
    std::vector<int64_t> shape = inputs[0].shape();
    shape[3] = maps.channels;
    const Tensor out = context.Output(0, shape, type_);
    if (out.size() == 0) return;
    const int64_t pixels = out.size() / maps.channels;
    if (type_ == TF_FLOAT) {
      JoinAll(maps, out.data(), pixels);
    } else {
      JoinAll(maps, out.data<Half>(), pixels);
    }
  }

 private:
  const TF_DataType type_;
};

template <class Number>
TFVFI_INLINE void SplitPixels(const Maps& maps, const Number* image, int64_t begin, int64_t end) {
  const int64_t tile = TileOf(maps.channels);
  for (int64_t first = begin; first < end; first += tile) {
    const int64_t pixels = std::min(tile, end - first);
    const Number* from = image + first * maps.channels;
    for (const Map& map : maps.all) {
      Number* const to = static_cast<Number*>(map.numbers) + first * map.channels;
      CopyAny(from, maps.channels, to, map.channels, map.channels, pixels);
      from += map.channels;
    }
  }
}

class Split {
 public:
  explicit Split(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), sizes = context.Input(1);
    Require(sizes.size() == context.outputs(), "there must be one size for each part");
    std::vector<Tensor> outputs;
    Maps maps{{}, image.dim(3), 0};
    int64_t left = image.dim(3);
    for (int index = 0; index < context.outputs(); ++index) {
      std::vector<int64_t> shape = image.shape();
      shape[3] = sizes.data<int32_t>()[index];
      left -= shape[3];
      Require(shape[3] >= 0 && left >= 0, "the parts must fit into the channels of the image");
      outputs.push_back(context.Output(index, shape, image.type()));
      maps.all.push_back({outputs.back().data<void>(), image.type() != TF_FLOAT, shape[3]});
    }
    if (image.size() == 0) return;
    ParallelFor(image.size() / maps.channels, 0.5 * maps.channels,
                [&](int64_t begin, int64_t end) {
                  if (image.type() == TF_FLOAT) {
                    Hot<SplitPixels<float>>::Run(maps, image.data(), begin, end);
                  } else {
                    Hot<SplitPixels<Half>>::Run(maps, image.data<Half>(), begin, end);
                  }
                });
  }
};

const bool registered = Register<Join>({"TfvfiJoin",
                                        {"maps: types"},
                                        {"joined: type"},
                                        {"types: list({float, bfloat16})", "type: {float, bfloat16}"},
                                        ShapeAtRunTime});
const bool split_registered = Register<Split>({"TfvfiSplit",
                                               {"image: T", "sizes: int32"},
                                               {"parts: count * T"},
                                               {"T: {float, bfloat16}", "count: int >= 1"},
                                               ShapeAtRunTime});

}  // namespace
}  // namespace tfvfi

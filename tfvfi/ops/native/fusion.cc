// Frames rendered along several motions, each pixel weighted by how well its two sources agree.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"
#include "spline.h"
#include "vectors.h"

namespace tfvfi {
namespace {

constexpr int kColors = 3;
// The most motions that are fused at once.
constexpr int kMost = 8;
// Means are taken over windows that reach this far from the pixel.
constexpr int kReach = 2, kRows = 2 * kReach + 1;

struct Inputs {
  const float *spline0, *spline1, *frame0, *frame1;
  // One motion after the other, (motions, N, H, W, 2), and how far each is known, (motions, N, H,
  // W, 1).
  const float *motions, *known;
  // The weight of frame0, and 1 where content is visible in both frames; (N, H, W, 1).
  const float *mask, *visible;
  // The time of each example.
  const float* time;
};

struct Settings {
  float sharpness, doubtful, hole;
};

struct Size {
  int64_t batch, height, width;
  int motions;

  int64_t pixels() const { return batch * height * width; }
};

// The exponential of a number that is not positive, within 3e-7 of it; NaN stays NaN.
TFVFI_INLINE float Exponential(float x) {
  const float bounded = x < -80 ? -80 : x;
  const float halvings = bounded * -1.44269504f;
  const int32_t whole = static_cast<int32_t>(halvings == halvings ? halvings + 0.5f : 0);
  const float rest = bounded + static_cast<float>(whole) * 0.693359375f -
                     static_cast<float>(whole) * 2.12194440e-4f;
  const float series =
      1 + rest * (1 + rest * (0.5f + rest * (1.6666667e-1f + rest * (4.1666668e-2f +
                  rest * (8.3333358e-3f + rest * 1.3888889e-3f)))));
  const int32_t bits = (127 - whole) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof(power));
  return series * power;
}

// A row of pixels that one motion renders, before its neighborhood decides how sharp it is.
struct Row {
  explicit Row(int64_t width) : sharp(kColors * width), soft(kColors * width), gap(width) {}
  std::vector<float> sharp, soft;
  // How much the two sources differ.
  std::vector<float> gap;
};

// Reads both frames along one motion, for one row of one example.
TFVFI_INLINE void Render(const Inputs& inputs, const Size& size, const float* motion, int64_t row,
                         Row* out) {
  const int64_t stride = size.width * kColors;
  const int64_t start = row / size.height * size.height * stride;
  const int32_t y = static_cast<int32_t>(row % size.height);
  const int32_t height = static_cast<int32_t>(size.height);
  const int32_t width = static_cast<int32_t>(size.width);
  const float time = inputs.time[row / size.height];
  // Three colors are read as four, except for the very last pixel.
  const int64_t last_four = size.pixels() * kColors - 4;
  const float* splines[] = {inputs.spline0, inputs.spline1};
  const float* frames[] = {inputs.frame0, inputs.frame1};
  const float shares[] = {-time, 1 - time};
  Taps across[2], down[2];
  for (int32_t column = 0; column < width; column += kTile) {
    const int count = std::min(kTile, width - column);
    const float* arrows = motion + 2 * (row * width + column);
    for (int side = 0; side < 2; ++side) {
      FindTaps(width, arrows, shares[side], column, 1, count, &across[side]);
      FindTaps(height, arrows + 1, shares[side], y, 0, count, &down[side]);
    }
    for (int i = 0; i < count; ++i) {
      Vector4 sharp[2], soft[2];
      for (int side = 0; side < 2; ++side) {
        int64_t rows[4], columns[4];
        for (int tap = 0; tap < 4; ++tap) {
          rows[tap] = start + down[side].index[tap][i] * stride;
          columns[tap] = across[side].index[tap][i] * kColors;
        }
        const float *spline = splines[side], *frame = frames[side];
        if (rows[3] + columns[3] <= last_four) {
          const auto found =
              ReadAt<Vector4>(spline, frame, rows, columns, down[side], across[side], i);
          sharp[side] = found.first;
          soft[side] = found.second;
          continue;
        }
        for (int color = 0; color < kColors; ++color) {
          const auto found = ReadAt<Vector1>(spline + color, frame + color, rows, columns,
                                             down[side], across[side], i);
          sharp[side][color] = found.first[0];
          soft[side][color] = found.second[0];
        }
      }
      const int64_t at = column + i;
      const float mask = inputs.mask[row * width + at];
      const Vector4 blended = mask * sharp[0] + (1 - mask) * sharp[1];
      const Vector4 blurred = mask * soft[0] + (1 - mask) * soft[1];
      const Vector4 difference = sharp[0] - sharp[1];
      std::memcpy(&out->sharp[kColors * at], &blended, kColors * sizeof(float));
      std::memcpy(&out->soft[kColors * at], &blurred, kColors * sizeof(float));
      out->gap[at] = (std::fabs(difference[0]) + std::fabs(difference[1]) +
                      std::fabs(difference[2])) / kColors;
    }
  }
}

// Means of values over the window around each pixel of a row. `sums` holds the sums of the values
// over the `rows` rows of the window, with kReach zeros before and after them.
TFVFI_INLINE void Means(const float* sums, int64_t width, int64_t rows, float* means) {
  for (int64_t x = 0; x < width; ++x) {
    const int64_t columns = std::min(x + kReach, width - 1) - std::max<int64_t>(x - kReach, 0) + 1;
    float sum = 0;
    for (int by = -kReach; by <= kReach; ++by) sum += sums[x + by];
    means[x] = sum / static_cast<float>(rows * columns);
  }
}

// Renders rows `begin` to `end`, numbered through the batch.
TFVFI_INLINE void Fuse(const Inputs& inputs, const Settings& settings, const Size& size,
                       float* frame, float* motion, int64_t begin, int64_t end) {
  const int64_t width = size.width;
  // For each motion the rows of a window, each stored by its number modulo their count.
  std::vector<std::vector<Row>> rendered(size.motions, std::vector<Row>(kRows, Row(width)));
  std::vector<float> gaps(width + 2 * kReach), doubts(width + 2 * kReach);
  std::vector<float> around(width), least(width), total(width);
  std::vector<std::vector<float>> trust(size.motions, std::vector<float>(width));
  std::vector<std::vector<float>> softness(size.motions, std::vector<float>(width));
  int64_t known_until = begin;  // Rows before it are rendered.
  for (int64_t row = begin; row < end; ++row) {
    const int64_t top = row / size.height * size.height, bottom = top + size.height - 1;
    const int64_t first = std::max(row - kReach, top), last = std::min(row + kReach, bottom);
    const int64_t missing = row == begin || row == top ? first : known_until;
    for (int64_t next = missing; next <= last; ++next) {
      for (int each = 0; each < size.motions; ++each) {
        Render(inputs, size, inputs.motions + 2 * each * size.pixels(), next,
               &rendered[each][next % kRows]);
      }
    }
    known_until = last + 1;

    std::fill(least.begin(), least.end(), INFINITY);
    for (int each = 0; each < size.motions; ++each) {
      std::fill(gaps.begin(), gaps.end(), 0.0f);
      std::fill(doubts.begin(), doubts.end(), 0.0f);
      for (int64_t near = first; near <= last; ++near) {
        const float* gap = rendered[each][near % kRows].gap.data();
        const float* visible = inputs.visible + near * width;
        for (int64_t x = 0; x < width; ++x) {
          gaps[kReach + x] += gap[x];
          doubts[kReach + x] += visible[x] * gap[x];
        }
      }
      Means(gaps.data() + kReach, width, last - first + 1, around.data());
      for (int64_t x = 0; x < width; ++x) {
        const float doubt = around[x] / settings.doubtful, square = doubt * doubt;
        softness[each][x] = square > 1 ? 1 : square;
      }
      Means(doubts.data() + kReach, width, last - first + 1, trust[each].data());
      for (int64_t x = 0; x < width; ++x) {
        least[x] = trust[each][x] < least[x] ? trust[each][x] : least[x];
      }
    }
    std::fill(total.begin(), total.end(), 0.0f);
    for (int each = 0; each < size.motions; ++each) {
      const float* known = inputs.known + each * size.pixels() + row * width;
      for (int64_t x = 0; x < width; ++x) {
        const float lead = settings.sharpness * (least[x] - trust[each][x]);
        trust[each][x] = (known[x] + settings.hole) * Exponential(lead);
        total[x] += trust[each][x];
      }
    }
    float* colors = frame + kColors * row * width;
    float* arrows = motion + 2 * row * width;
    std::fill(colors, colors + kColors * width, 0.0f);
    std::fill(arrows, arrows + 2 * width, 0.0f);
    for (int each = 0; each < size.motions; ++each) {
      const Row& pixels = rendered[each][row % kRows];
      const float* moved = inputs.motions + 2 * (each * size.pixels() + row * width);
      for (int64_t x = 0; x < width; ++x) {
        const float share = trust[each][x] / total[x];
        for (int64_t at = kColors * x; at < kColors * (x + 1); ++at) {
          const float sharp = pixels.sharp[at];
          colors[at] += share * (sharp + softness[each][x] * (pixels.soft[at] - sharp));
        }
        arrows[2 * x] += share * moved[2 * x];
        arrows[2 * x + 1] += share * moved[2 * x + 1];
      }
    }
  }
}

class FuseMotions {
 public:
  explicit FuseMotions(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor spline0 = context.Input4(0), spline1 = context.Input4(1);
    const Tensor frame0 = context.Input4(2), frame1 = context.Input4(3);
    const Tensor motions = context.Input(4), known = context.Input(5);
    const Tensor mask = context.Input4(6), visible = context.Input4(7);
    const Tensor time = context.Input(8), settings = context.Input(9);
    Require(frame0.dim(3) == kColors, "frames must have 3 channels");
    for (const Tensor* other : {&spline0, &spline1, &frame1}) {
      Require(other->shape() == frame0.shape(), "frames and splines must agree in shape");
    }
    const int64_t count = motions.rank() == 5 ? motions.dim(0) : 0;
    Require(count > 0 && count <= kMost, "there must be 1 to 8 motions");
    std::vector<int64_t> plane = frame0.shape(), arrows = frame0.shape();
    plane[3] = 1;
    arrows[3] = 2;
    auto several = [&](std::vector<int64_t> shape) {
      shape.insert(shape.begin(), count);
      return shape;
    };
    Require(motions.shape() == several(arrows), "motions and frames must agree in size");
    Require(known.shape() == several(plane), "known and motions must agree in size");
    Require(mask.shape() == plane && visible.shape() == plane,
            "mask, visible and frames must agree in size");
    Require(time.size() == frame0.dim(0), "there must be one time for each example");
    Require(settings.size() == 3, "there must be three settings");

    const Size size{frame0.dim(0), frame0.dim(1), frame0.dim(2), static_cast<int>(count)};
    const Inputs inputs{spline0.data(), spline1.data(), frame0.data(),  frame1.data(), motions.data(),
                        known.data(),   mask.data(),    visible.data(), time.data()};
    const float* numbers = settings.data();
    const Settings chosen{numbers[0], numbers[1], numbers[2]};
    const Tensor frame = context.Output(0, frame0.shape()), motion = context.Output(1, arrows);
    const double cost = 60.0 * size.width * size.motions;
    ParallelFor(size.batch * size.height, cost, [&](int64_t begin, int64_t end) {
      Hot<Fuse>::Run(inputs, chosen, size, frame.data(), motion.data(), begin, end);
    });
  }
};

const bool registered = Register<FuseMotions>(
    {"TfvfiFuseMotions",
     {"spline0: float", "spline1: float", "frame0: float", "frame1: float", "motions: float",
      "known: float", "mask: float", "visible: float", "time: float", "settings: float"},
     {"frame: float", "motion: float"},
     {},
     ShapeAtRunTime});

}  // namespace
}  // namespace tfvfi

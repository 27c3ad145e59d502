// Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
// What surrounds a convolution of StyleGAN3, with gradients, for pictures [N, H, W, C] of bfloat16 or float32; C
// is a multiple of 16. filtered.py says what is computed.
//
// The enlarged picture is never stored: its rows are made one after another, each from a few rows of what is
// given, and shrunk at once. So all between what is read and what is written stays in the processor's cache.

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

typedef float Floats __attribute__((vector_size(64), aligned(64)));  // 16 channels of a pixel
typedef uint32_t Words __attribute__((vector_size(64), aligned(64)));
typedef uint16_t Halves __attribute__((vector_size(32), aligned(2), may_alias));
const int LANES = 16;
const float SLOPE = 0.2f;

inline Floats load(const uint16_t* place) {
  Halves halves;
  std::memcpy(&halves, place, sizeof halves);
  Words words = __builtin_convertvector(halves, Words) << 16;
  Floats floats;
  std::memcpy(&floats, &words, sizeof floats);
  return floats;
}

inline void store(uint16_t* place, Floats floats) {  // rounded to the nearest
  Words words;
  std::memcpy(&words, &floats, sizeof words);
  words = (words + 0x7fffu + ((words >> 16) & 1u)) >> 16;
  Halves halves = __builtin_convertvector(words, Halves);
  std::memcpy(place, &halves, sizeof halves);
}

inline Floats load(const float* place) {
  Floats floats;
  std::memcpy(&floats, place, sizeof floats);
  return floats;
}

inline void store(float* place, Floats floats) { std::memcpy(place, &floats, sizeof floats); }

// result[r + step * m] = sum_t taps[t] * x[stride * m + first + t], m from 0 on.
struct Run {
  int r, step, stride, first;
  std::vector<float> taps;
};

struct Sums {  // of one axis; `margin` places before and behind x are 0
  int number, margin;
  std::vector<Run> runs;
};

// weight[i, j] = all[i + shift - step * j] where there is such a tap, i < rows, j < columns
Sums by_phases(const float* all, int total, int step, int shift, int rows) {
  Sums sums{rows, 0, {}};
  for (int q = 0; q < step; q++) {  // i = step * m + q takes taps q + shift - step * (j - m)
    Run run{q, step, 1, 0, {}};
    int lowest = -((total - 1 - q - shift) / step) - 2, found = 0;
    for (int j = lowest; j <= q + shift; j++) {
      int tap = q + shift - step * j;
      if (tap < 0 || tap >= total) continue;
      if (!found++) run.first = j;
      run.taps.push_back(all[tap]);
    }
    sums.runs.push_back(run);
  }
  return sums;
}

Sums transposed(const float* all, int total, int step, int shift, int columns) {
  Run run{0, 1, step, -shift, std::vector<float>(all, all + total)};
  return Sums{columns, 0, {run}};
}

void set_margin(Sums& sums, int length) {
  for (const Run& run : sums.runs) {
    int last = (sums.number - 1 - run.r) / run.step * run.stride + run.first + int(run.taps.size()) - 1;
    if (-run.first > sums.margin) sums.margin = -run.first;
    if (last - length + 1 > sums.margin) sums.margin = last - length + 1;
  }
}

struct Row {  // vectors with zeros around them
  std::vector<char> bytes;
  Floats* begin;
  Row(size_t number, int margin) : bytes((number + 2 * margin) * sizeof(Floats) + 64, 0) {
    size_t place = reinterpret_cast<size_t>(bytes.data());
    begin = reinterpret_cast<Floats*>((place + 63) / 64 * 64) + margin;
  }
};

template <int N>
inline void along_by(const Run& run, int number, const Floats* __restrict x, Floats* __restrict result) {
  Floats taps[N];
  for (int t = 0; t < N; t++) taps[t] = Floats{} + run.taps[t];
  const int step = run.step, stride = run.stride;
  x += run.first;
  for (int i = run.r; i < number; i += step, x += stride) {
    Floats sum = x[0] * taps[0];
    for (int t = 1; t < N; t++) sum += x[t] * taps[t];
    result[i] = sum;
  }
}

// Along a row.
inline void along(const Sums& sums, const Floats* x, Floats* result) {
  for (const Run& run : sums.runs) switch (run.taps.size()) {
      case 6: along_by<6>(run, sums.number, x, result); break;
      case 12: along_by<12>(run, sums.number, x, result); break;
      default: along_by<24>(run, sums.number, x, result);
    }
}

template <int N>
inline void across_by(const float* given, const Floats* const* rows, int width, Floats* __restrict result) {
  Floats taps[N];
  for (int t = 0; t < N; t++) taps[t] = Floats{} + given[t];
  for (int k = 0; k < width; k++) {
    Floats sum = rows[0][k] * taps[0];
    for (int t = 1; t < N; t++) sum += rows[t][k] * taps[t];
    result[k] = sum;
  }
}

// Row i of sums over rows; `row(j)` says where row j is.
template <class Where>
inline void across(const Sums& sums, int i, int width, Where row, Floats* result) {
  const Run& run = sums.runs[i % sums.runs.size()];
  int first = (i - run.r) / run.step * run.stride + run.first;
  const Floats* rows[24];
  for (size_t t = 0; t < run.taps.size(); t++) rows[t] = row(first + int(t));
  if (run.taps.size() == 6) return across_by<6>(run.taps.data(), rows, width, result);
  if (run.taps.size() == 12) return across_by<12>(run.taps.data(), rows, width, result);
  across_by<24>(run.taps.data(), rows, width, result);
}

const int RING = 16;  // rows that are kept

struct Layer {
  int pictures, channels, side, large, result;
  Sums enlarge, collect, shrink, spread;  // `collect` is the transpose of `enlarge`, `spread` of `shrink`

  Layer(const int* sizes, const float* up_taps, int up_number, int up, int shift, const float* down_taps,
        int down_number, int down)
      : pictures(sizes[0]), channels(sizes[1]), side(sizes[2]), large(sizes[3]), result(sizes[4]),
        enlarge(by_phases(up_taps, up_number, up, shift, large)),
        collect(transposed(up_taps, up_number, up, shift, side)),
        shrink(transposed(down_taps, down_number, down, 0, result)),
        spread(by_phases(down_taps, down_number, down, 0, large)) {
    set_margin(enlarge, side);
    set_margin(collect, large);
    set_margin(shrink, large);
    set_margin(spread, result);
  }
};

template <class Value>
struct Enlarged {  // enlarged rows of 16 channels of x * scale + bias, from the top down
  const Layer& layer;
  const Value* x;
  Floats scale, bias;
  int known = 0;
  Row given, nothing, high;

  Enlarged(const Layer& layer, const Value* x, const float* scale, const float* bias)
      : layer(layer), x(x), scale(load(scale)), bias(load(bias)), given(size_t(RING) * layer.side, 0),
        nothing(layer.side, 0), high(layer.side, layer.enlarge.margin) {}

  const Floats* row(int j) {
    if (j < 0 || j >= layer.side) return nothing.begin;
    for (; known <= j; known++) {
      const Value* from = x + size_t(known) * layer.side * layer.channels;
      Floats* to = given.begin + (known % RING) * layer.side;
      for (int k = 0; k < layer.side; k++) to[k] = load(from + size_t(k) * layer.channels) * scale + bias;
    }
    return given.begin + (j % RING) * layer.side;
  }

  void make(int i, Floats* result) {
    across(layer.enlarge, i, layer.side, [this](int j) { return row(j); }, high.begin);
    along(layer.enlarge, high.begin, result);
  }
};

template <class Value>
void draw(const Layer& layer, const Value* x, const float* scale, const float* bias, Value* out) {
  int large = layer.large, result = layer.result;
  Enlarged<Value> rows(layer, x, scale, bias);
  Row row(large, layer.shrink.margin), shrunk(size_t(RING) * result, 0), sum(result, 0);
  int taps = layer.shrink.runs[0].taps.size(), down = layer.shrink.runs[0].stride;
  auto where = [&](int j) { return shrunk.begin + (j % RING) * result; };
  for (int i = 0, done = 0; done < result; i++) {
    rows.make(i, row.begin);
    for (int k = 0; k < large; k++) {
      Floats value = row.begin[k], less = value * SLOPE;
      row.begin[k] = value > less ? value : less;
    }
    along(layer.shrink, row.begin, shrunk.begin + (i % RING) * result);
    if (i < done * down + taps - 1) continue;
    across(layer.shrink, done, result, where, sum.begin);
    for (int k = 0; k < result; k++) store(out + (size_t(done) * result + k) * layer.channels, sum.begin[k]);
    done++;
  }
}

template <class Value>
void differentiate(const Layer& layer, const Value* x, const float* scale, const float* bias,
                   const Value* grad, Value* out, float* scale_grad, float* bias_grad) {
  int large = layer.large, result = layer.result, side = layer.side, channels = layer.channels;
  Enlarged<Value> rows(layer, x, scale, bias);
  Row row(large, 0), slope(large, layer.collect.margin), narrow(result, layer.spread.margin), small(side, 0);
  Row given(size_t(RING) * result, 0), found(size_t(side) * side, 0), nothing(result, 0);
  int known = 0;
  auto where = [&](int j) -> const Floats* {
    if (j < 0 || j >= result) return nothing.begin;
    for (; known <= j; known++)
      for (int k = 0; k < result; k++)
        given.begin[(known % RING) * result + k] = load(grad + (size_t(known) * result + k) * channels);
    return given.begin + (j % RING) * result;
  };
  for (int i = 0; i < large; i++) {
    rows.make(i, row.begin);
    across(layer.spread, i, result, where, narrow.begin);
    along(layer.spread, narrow.begin, slope.begin);
    for (int k = 0; k < large; k++) {
      Floats value = slope.begin[k], less = value * SLOPE;
      slope.begin[k] = row.begin[k] > 0.f ? value : less;
    }
    along(layer.collect, slope.begin, small.begin);
    const Run& run = layer.enlarge.runs[i % layer.enlarge.runs.size()];
    for (size_t t = 0; t < run.taps.size(); t++) {
      int j = i / run.step + run.first + int(t);
      if (j < 0 || j >= side) continue;
      Floats* sum = found.begin + size_t(j) * side;
      for (int k = 0; k < side; k++) sum[k] += small.begin[k] * run.taps[t];
    }
  }
  Floats by_scale = {}, by_bias = load(bias_grad);
  for (int k = 0; k < side * side; k++) {
    Floats slope = found.begin[k];
    by_bias += slope;
    by_scale += slope * load(x + size_t(k) * channels);
    store(out + size_t(k) * channels, slope * rows.scale);
  }
  store(scale_grad, by_scale);
  store(bias_grad, by_bias);
}

// x * style with `margin` zeros around it; squares are each channel's sums over all pictures of x * x
template <class Value>
void scale_by_style(const Value* x, const float* style, Value* out, float* squares, int pictures, int channels,
                    int side, int margin) {
  int wide = side + 2 * margin;
  std::memset(out, 0, sizeof(Value) * pictures * wide * wide * channels);
  for (int n = 0; n < pictures; n++)
    for (int row = 0; row < side; row++) {
      const Value* from = x + (size_t(n) * side + row) * side * channels;
      Value* to = out + ((size_t(n) * wide + row + margin) * wide + margin) * channels;
      for (int c = 0; c < channels; c += LANES) {
        Floats scale = load(style + n * channels + c), sum = load(squares + c);
        for (int k = 0; k < side; k++) {
          Floats value = load(from + size_t(k) * channels + c);
          sum += value * value;
          store(to + size_t(k) * channels + c, value * scale);
        }
        store(squares + c, sum);
      }
    }
}

template <class Value>
void differentiate_style(const Value* x, const float* style, const Value* grad, Value* out, float* style_grad,
                         int pictures, int channels, int side, int margin) {
  int wide = side + 2 * margin;
  for (int n = 0; n < pictures; n++)
    for (int row = 0; row < side; row++) {
      const Value* given = x + (size_t(n) * side + row) * side * channels;
      Value* to = out + (size_t(n) * side + row) * side * channels;
      const Value* from = grad + ((size_t(n) * wide + row + margin) * wide + margin) * channels;
      for (int c = 0; c < channels; c += LANES) {
        Floats scale = load(style + n * channels + c), sum = load(style_grad + n * channels + c);
        for (int k = 0; k < side; k++) {
          Floats slope = load(from + size_t(k) * channels + c);
          sum += slope * load(given + size_t(k) * channels + c);
          store(to + size_t(k) * channels + c, slope * scale);
        }
        store(style_grad + n * channels + c, sum);
      }
    }
}

// Calls draw or differentiate for 16 channels of one picture after another.
template <class Value>
void activate_all(const Layer& layer, const Value* x, const float* scale, const float* bias, const Value* grad,
                  Value* out, float* scale_grad, float* bias_grad) {
  size_t before = size_t(layer.side) * layer.side * layer.channels;
  size_t after = size_t(layer.result) * layer.result * layer.channels;
  for (int n = 0; n < layer.pictures; n++)
    for (int c = 0; c < layer.channels; c += LANES) {
      size_t in = n * before + c, to = n * after + c, style = size_t(n) * layer.channels + c;
      if (grad == nullptr)
        draw(layer, x + in, scale + style, bias + c, out + to);
      else
        differentiate(layer, x + in, scale + style, bias + c, grad + to, out + in, scale_grad + style,
                      bias_grad + c);
    }
}

typedef uint16_t Half;  // bfloat16

}  // namespace

// half: values are bfloat16, else float32. Without `grad` the pictures are drawn, with it their gradients.
// sizes: pictures, channels, side of what is given, of the enlarged, of the result
extern "C" void activate(int half, const void* x, const float* scale, const float* bias, const void* grad,
                         void* out, float* scale_grad, float* bias_grad, const int* sizes,
                         const float* up_taps, int up_number, int up, int shift, const float* down_taps,
                         int down_number, int down) {
  Layer layer(sizes, up_taps, up_number, up, shift, down_taps, down_number, down);
  if (half)
    activate_all(layer, static_cast<const Half*>(x), scale, bias, static_cast<const Half*>(grad),
                 static_cast<Half*>(out), scale_grad, bias_grad);
  else
    activate_all(layer, static_cast<const float*>(x), scale, bias, static_cast<const float*>(grad),
                 static_cast<float*>(out), scale_grad, bias_grad);
}

extern "C" void modulate(int half, const void* x, const float* style, void* out, float* squares, int pictures,
                         int channels, int side, int margin) {
  if (half)
    scale_by_style(static_cast<const Half*>(x), style, static_cast<Half*>(out), squares, pictures, channels,
                   side, margin);
  else
    scale_by_style(static_cast<const float*>(x), style, static_cast<float*>(out), squares, pictures, channels,
                   side, margin);
}

extern "C" void modulate_back(int half, const void* x, const float* style, const void* grad, void* out,
                              float* style_grad, int pictures, int channels, int side, int margin) {
  if (half)
    differentiate_style(static_cast<const Half*>(x), style, static_cast<const Half*>(grad),
                        static_cast<Half*>(out), style_grad, pictures, channels, side, margin);
  else
    differentiate_style(static_cast<const float*>(x), style, static_cast<const float*>(grad),
                        static_cast<float*>(out), style_grad, pictures, channels, side, margin);
}

// SPDX-License-Identifier: Apache-2.0
// One pass of least squares. With d = x - shift (0 where x is missing) and m = 1 where it is
// missing, the sums of all products of the columns [1, d, m] are enough: an imputed, centred value
// is
//   x̃ - mean = d + δ·m - δ,  δ = Σd / (number of values),
// linear in those columns, so its products follow from theirs. The same map moves a partial state
// to another shift before two are added.
#include "ml/gram.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "ml/kernels.h"
#include "ml/picked_batch.h"

namespace braid::ml {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "BGRAM001";
constexpr size_t kMostInputs = 1 << 16;

// Whether rows [begin, begin + count) all have a value; begin is a multiple of 64.
bool AllValid(const ColumnView& view, size_t begin, size_t count) {
  if (view.validity == nullptr) return true;
  for (size_t row = 0; row < count; row += 64) {
    const size_t left = std::min<size_t>(64, count - row);
    const uint64_t mask = left == 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    if ((view.validity[(begin + row) / 64] & mask) != mask) return false;
  }
  return true;
}

bool HasValue(const ColumnView& view, size_t row) {
  return view.IsValid(row) && !std::isnan(view.doubles()[row]);
}

template <typename T>
void Put(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
T Take(std::string_view& bytes) {
  T value;
  if (bytes.size() < sizeof value) throw Error(ErrorCode::kInternal, "A Gram state is cut short");
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

}  // namespace

GramAccumulator::GramAccumulator(size_t inputs)
    : inputs_(inputs),
      shift_(inputs + 1),
      shift_known_(inputs + 1),
      indicator_of_(inputs, kNone),
      sums_((inputs + 2) * (inputs + 3) / 2) {
  if (inputs == 0 || inputs > kMostInputs)
    throw Error(ErrorCode::kTrainingData, fmt::format("Too few or too many inputs: {}", inputs));
}

void GramAccumulator::Add(const Batch& rows) {
  BRAID_CHECK(rows.columns.size() == inputs_ + 1);
  for (const ColumnView& column : rows.columns) BRAID_CHECK(column.kind == ColumnKind::kDouble);
  for (size_t begin = 0; begin < rows.rows; begin += kSliceRows)
    AddSlice(rows, begin, std::min(kSliceRows, rows.rows - begin));
}

void GramAccumulator::AddSlice(const Batch& rows, size_t begin, size_t count) {
  for (size_t c = 0; c <= inputs_; ++c)
    if (!shift_known_[c]) SetShift(c, rows.columns[c], begin, count);
  packed_.resize((1 + inputs_ + 1 + inputs_) * kSliceRows);
  const bool whole = std::all_of(rows.columns.begin(), rows.columns.end(), [&](const auto& column) {
    return AllValid(column, begin, count);
  });
  std::vector<size_t> columns;
  for (size_t c = 1; c <= inputs_ + 1; ++c) columns.push_back(c);
  if (whole && PackWhole(rows, begin, count)) {
    rows_ += static_cast<int64_t>(count);
    AddProducts(columns, count);
    return;
  }
  const size_t kept = PackSome(rows, begin, count);
  rows_ += static_cast<int64_t>(kept);
  skipped_ += static_cast<int64_t>(count - kept);
  if (kept == 0) return;
  for (size_t c = 0; c < inputs_; ++c) {
    const double* missing = &packed_[(2 + inputs_ + c) * kSliceRows];
    if (std::find(missing, missing + kept, 1.0) != missing + kept)
      columns.push_back(IndicatorOf(c));
  }
  AddProducts(columns, kept);
}

// The mean of the first values, found from the first of them: a constant column has no deviations
// at all, and none is large against the spread.
void GramAccumulator::SetShift(size_t column, const ColumnView& view, size_t begin, size_t count) {
  double first = 0;
  double sum = 0;
  size_t values = 0;
  for (size_t row = begin; row < begin + count; ++row) {
    if (!HasValue(view, row)) continue;
    if (values++ == 0) first = view.doubles()[row];
    sum += view.doubles()[row] - first;
  }
  if (values == 0) return;
  const double mean = first + sum / static_cast<double>(values);
  shift_[column] = std::isfinite(mean) ? mean : 0;
  shift_known_[column] = true;
}

// The slice without NULLs. Returns false, having changed nothing, when a value is not finite.
bool GramAccumulator::PackWhole(const Batch& rows, size_t begin, size_t count) {
  std::vector<double> sums(inputs_ + 1);
  for (size_t c = 0; c <= inputs_; ++c) {
    sums[c] = PackShifted(rows.columns[c].doubles() + begin, shift_[c], count,
                          &packed_[(1 + c) * kSliceRows]);
    if (!std::isfinite(sums[c])) return false;
  }
  for (size_t c = 0; c <= inputs_; ++c) sums_[At(1 + c, 0)].Add(sums[c]);
  return true;
}

// The slice's rows that have a label, with indicators of what is missing. Returns how many.
size_t GramAccumulator::PackSome(const Batch& rows, size_t begin, size_t count) {
  std::vector<size_t> kept;
  for (size_t row = begin; row < begin + count; ++row)
    if (HasValue(rows.columns[inputs_], row)) kept.push_back(row);
  for (size_t c = 0; c <= inputs_; ++c) {
    const ColumnView& view = rows.columns[c];
    double* out = &packed_[(1 + c) * kSliceRows];
    double* missing = c < inputs_ ? &packed_[(2 + inputs_ + c) * kSliceRows] : nullptr;
    double sum = 0;
    for (size_t i = 0; i < kept.size(); ++i) {
      const bool has_value = HasValue(view, kept[i]);
      out[i] = has_value ? view.doubles()[kept[i]] - shift_[c] : 0;
      if (std::isinf(out[i])) RefuseInfinite(c);
      if (missing != nullptr) missing[i] = has_value ? 0 : 1;
      sum += out[i];
    }
    const size_t padded = (kept.size() + kLanes - 1) / kLanes * kLanes;
    std::fill(out + kept.size(), out + padded, 0.0);
    if (missing != nullptr) std::fill(missing + kept.size(), missing + padded, 0.0);
    sums_[At(1 + c, 0)].Add(sum);
  }
  return kept.size();
}

void GramAccumulator::AddPicked(const Batch& rows, std::span<const uint32_t> picked) {
  constexpr size_t kFew = 16;
  if (picked.size() < kFew) {
    std::vector<double> line;
    for (const uint32_t row : picked) AddRow(rows, row, line);
    return;
  }
  PickedBatch copies;
  Add(copies.Pick(rows, 0, rows.columns.size(), picked));
  packed_ = {};  // there may be as many accumulators as groups
}

// `line` is scratch memory.
void GramAccumulator::AddRow(const Batch& rows, size_t row, std::vector<double>& line) {
  if (!HasValue(rows.columns[inputs_], row)) {
    ++skipped_;
    return;
  }
  line.assign(columns(), 0);
  for (size_t c = 0; c <= inputs_; ++c) {
    const ColumnView& view = rows.columns[c];
    if (!HasValue(view, row)) {
      const size_t indicator = IndicatorOf(c);
      line.resize(columns());
      line[indicator] = 1;
      continue;
    }
    const double value = view.doubles()[row];
    if (std::isinf(value)) RefuseInfinite(c);
    if (!shift_known_[c]) {
      shift_[c] = value;
      shift_known_[c] = true;
    }
    line[1 + c] = value - shift_[c];
  }
  ++rows_;
  CompensatedSum* sum =
      sums_.data() + 1;  // after that of the constant with itself, which is the row count
  for (size_t i = 1; i < line.size(); ++i) {
    (sum++)->Add(line[i]);
    for (size_t j = 1; j <= i; ++j) (sum++)->Add(line[i] * line[j]);
  }
}

void GramAccumulator::RefuseInfinite(size_t column) const {
  throw Error(ErrorCode::kTrainingData,
              column < inputs_
                  ? fmt::format("Infinite value in numeric input number {}", column + 1)
                  : "Infinite value in the label");
}

size_t GramAccumulator::IndicatorOf(size_t input) {
  if (indicator_of_[input] == kNone) {
    indicator_of_[input] = columns();
    ++indicators_;
    sums_.resize(columns() * (columns() + 1) / 2);
  }
  return indicator_of_[input];
}

void GramAccumulator::AddProducts(const std::vector<size_t>& columns, size_t count) {
  const size_t padded = (count + kLanes - 1) / kLanes * kLanes;
  std::vector<const double*> pointers;
  for (const size_t column : columns) {
    size_t place = column;
    if (column >= 2 + inputs_) {
      const auto input = std::find(indicator_of_.begin(), indicator_of_.end(), column);
      place = 2 + inputs_ + static_cast<size_t>(input - indicator_of_.begin());
    }
    pointers.push_back(&packed_[place * kSliceRows]);
  }
  std::vector<double> products;
  Products(pointers, pointers, padded, /*lower=*/true, products);
  for (size_t i = 0; i < columns.size(); ++i) {
    for (size_t j = 0; j <= i; ++j) {
      const double product = products[i * columns.size() + j];
      sums_[At(columns[i], columns[j])].Add(product);
      // An indicator's sum is its product with itself.
      if (i == j && columns[i] >= 2 + inputs_) sums_[At(columns[i], 0)].Add(product);
    }
  }
}

std::vector<double> GramAccumulator::Full() const {
  const size_t n = columns();
  std::vector<double> full(n * n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) full[i * n + j] = full[j * n + i] = sums_[At(i, j)].total();
  full[0] = static_cast<double>(rows_);
  return full;
}

// Replaces each d by d + by·(1 - m), in both directions of the table of products.
void GramAccumulator::Move(std::vector<double>& full, const std::vector<double>& by) const {
  const size_t n = columns();
  for (const bool across : {false, true}) {
    const size_t step = across ? n : 1;  // from one entry of a line to the next
    const size_t line = across ? 1 : n;  // from one line to the next
    for (size_t c = 0; c <= inputs_; ++c) {
      if (by[c] == 0) continue;
      const size_t indicator = c < inputs_ ? indicator_of_[c] : kNone;
      for (size_t k = 0; k < n; ++k) {
        double present = full[k * step];
        if (indicator != kNone) present -= full[indicator * line + k * step];
        full[(1 + c) * line + k * step] += by[c] * present;
      }
    }
  }
}

void GramAccumulator::Merge(const GramAccumulator& other) {
  BRAID_CHECK(inputs_ == other.inputs_);
  std::vector<double> by(inputs_ + 1);
  for (size_t c = 0; c <= inputs_; ++c) {
    if (!shift_known_[c] && other.shift_known_[c]) {
      shift_[c] = other.shift_[c];
      shift_known_[c] = true;
    }
    if (other.shift_known_[c]) by[c] = other.shift_[c] - shift_[c];
  }
  std::vector<double> moved = other.Full();
  other.Move(moved, by);
  std::vector<size_t> place(other.columns());
  for (size_t c = 0; c < 2 + inputs_; ++c) place[c] = c;
  for (size_t c = 0; c < inputs_; ++c)
    if (other.indicator_of_[c] != kNone) place[other.indicator_of_[c]] = IndicatorOf(c);
  for (size_t i = 0; i < other.columns(); ++i)
    for (size_t j = 0; j <= i; ++j)
      if (i != 0) sums_[At(place[i], place[j])].Add(moved[i * other.columns() + j]);
  rows_ += other.rows_;
  skipped_ += other.skipped_;
}

GramMoments GramAccumulator::Finish() const {
  GramMoments moments{.inputs = inputs_, .rows = rows_, .skipped = skipped_};
  moments.mean.resize(inputs_ + 1);
  moments.null_count.resize(inputs_);
  moments.centred.resize((inputs_ + 1) * (inputs_ + 1));
  std::vector<double> full = Full();
  const size_t n = columns();
  std::vector<double> by(inputs_ + 1);
  for (size_t c = 0; c <= inputs_; ++c) {
    double values = static_cast<double>(rows_);
    if (c < inputs_ && indicator_of_[c] != kNone) {
      moments.null_count[c] = std::llround(full[indicator_of_[c]]);
      values -= full[indicator_of_[c]];
    }
    if (values > 0) by[c] = -full[1 + c] / values;
    moments.mean[c] = shift_[c] - by[c];
  }
  Move(full, by);
  for (size_t i = 0; i <= inputs_; ++i) {
    for (size_t j = 0; j <= inputs_; ++j) {
      const double value = full[(1 + i) * n + 1 + j];
      if (!std::isfinite(value))
        throw Error(ErrorCode::kTrainingData,
                    "The values are too large for their squares to be added",
                    "divide the largest inputs or the label by a power of ten");
      moments.centred[i * (inputs_ + 1) + j] = value;
    }
  }
  return moments;
}

std::string GramAccumulator::Serialize() const {
  std::string bytes(kMagic);
  Put(bytes, static_cast<uint64_t>(inputs_));
  Put(bytes, static_cast<uint64_t>(indicators_));
  Put(bytes, rows_);
  Put(bytes, skipped_);
  for (size_t c = 0; c <= inputs_; ++c) {
    Put(bytes, shift_[c]);
    Put(bytes, static_cast<uint8_t>(shift_known_[c]));
  }
  for (const size_t column : indicator_of_) Put(bytes, static_cast<uint64_t>(column));
  for (const CompensatedSum& sum : sums_) {
    Put(bytes, sum.value);
    Put(bytes, sum.lost);
  }
  return bytes;
}

GramAccumulator GramAccumulator::Deserialize(std::string_view bytes) {
  const Error malformed(ErrorCode::kInternal, "A Gram state is malformed");
  if (!bytes.starts_with(kMagic)) throw malformed;
  bytes.remove_prefix(kMagic.size());
  const auto inputs = Take<uint64_t>(bytes);
  const auto indicators = Take<uint64_t>(bytes);
  // Each input takes more than nine bytes of what follows.
  if (inputs == 0 || inputs > std::min(kMostInputs, bytes.size() / 9) || indicators > inputs)
    throw malformed;
  const size_t n = 2 + inputs + indicators;
  if (bytes.size() != 16 + (inputs + 1) * 9 + inputs * 8 + n * (n + 1) / 2 * 16) throw malformed;
  GramAccumulator gram(inputs);
  gram.indicators_ = indicators;
  gram.rows_ = Take<int64_t>(bytes);
  gram.skipped_ = Take<int64_t>(bytes);
  for (size_t c = 0; c <= inputs; ++c) {
    gram.shift_[c] = Take<double>(bytes);
    gram.shift_known_[c] = Take<uint8_t>(bytes) != 0;
  }
  std::vector<bool> used(n);
  for (size_t& column : gram.indicator_of_) {
    column = Take<uint64_t>(bytes);
    if (column == kNone) continue;
    if (column < 2 + inputs || column >= n || used[column]) throw malformed;
    used[column] = true;
  }
  gram.sums_.resize(n * (n + 1) / 2);
  for (CompensatedSum& sum : gram.sums_) {
    sum.value = Take<double>(bytes);
    sum.lost = Take<double>(bytes);
  }
  return gram;
}

}  // namespace braid::ml

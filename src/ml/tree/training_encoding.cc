// SPDX-License-Identifier: Apache-2.0
#include "ml/tree/training_encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "ml/random_stream.h"

namespace braid::ml {

namespace {

double WeightOf(const TreeRows& rows, size_t row) {
  return rows.weight.empty() ? 1 : rows.weight[row];
}

size_t TargetCount(const TreeRows& rows) {
  return rows.classes.size() > 2 ? rows.classes.size() : 1;
}

double TargetOf(const TreeRows& rows, size_t row, size_t target, double base) {
  if (rows.classes.empty()) return rows.label[row] - base;
  const size_t wanted = rows.classes.size() > 2 ? target : 1;
  return static_cast<size_t>(rows.label[row]) == wanted ? 1 : 0;
}

// Σ weight, Σ weight · target and Σ weight · target² of some rows.
struct Sums {
  double weight = 0;
  double total = 0;
  double squares = 0;
  void Add(double w, double y) {
    weight += w;
    total += w * y;
    squares += w * y * y;
  }
  double mean() const { return weight > 0 ? total / weight : 0; }
  // Σ weight · (target - mean)².
  double spread() const { return std::max(0.0, squares - total * mean()); }
};

// The level's mean drawn to the mean of all by how little its rows tell.
double Shrunk(const Sums& level, const Sums& all) {
  const double variance = all.weight > 0 ? all.spread() / all.weight : 0;
  const double own = variance * level.weight;
  const double lambda = own / (own + level.spread() / level.weight);
  if (std::isnan(lambda)) return all.mean();
  return lambda * level.mean() + (1 - lambda) * all.mean();
}

// A category's codes; the number of levels for NULL.
std::vector<size_t> CodesOf(const TreeRows& rows, size_t inputs, size_t input, size_t levels) {
  std::vector<size_t> codes(rows.rows, levels);
  for (size_t row = 0; row < rows.rows; ++row) {
    const float value = rows.values[row * inputs + input];
    if (!std::isnan(value)) codes[row] = static_cast<size_t>(value);
  }
  return codes;
}

// The encodings of the rows of each fold, then the one of all other rows.
std::vector<TreeEncoding> TargetEncodings(const TreeRequest& request, const TreeRows& rows,
                                          const std::vector<uint8_t>& fold) {
  const size_t inputs = request.inputs.size();
  const double base = rows.classes.empty() ? LabelMean(rows) : 0;
  std::vector<std::vector<EncodedInput>> encoded(kTargetFolds + 1, rows.encoding.encoded());
  for (size_t c = 0; c < inputs; ++c) {
    if (request.inputs[c].kind == InputKind::kNumeric) continue;
    const size_t levels = encoded[0][c].levels.size();
    const std::vector<size_t> codes = CodesOf(rows, inputs, c, levels);
    for (size_t left_out = 0; left_out <= kTargetFolds; ++left_out)
      encoded[left_out][c].values = TargetValues(rows, codes, levels, base, fold, left_out);
  }
  std::vector<TreeEncoding> encodings;
  for (std::vector<EncodedInput>& parts : encoded)
    encodings.emplace_back(TreeEncodingKind::kTarget, request.inputs, std::move(parts),
                           TargetCount(rows));
  return encodings;
}

}  // namespace

// Dealt out at random, class by class, so that each fold has its share of every class.
std::vector<uint8_t> DealFolds(const TreeRows& rows, int64_t seed) {
  RandomStream random(seed);
  std::vector<size_t> order(rows.rows);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  if (!rows.classes.empty())
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return rows.label[a] < rows.label[b]; });
  std::vector<uint8_t> fold(rows.rows);
  for (size_t i = 0; i < order.size(); ++i) fold[order[i]] = static_cast<uint8_t>(i % kTargetFolds);
  return fold;
}

std::vector<double> TargetValues(const TreeRows& rows, const std::vector<size_t>& codes,
                                 size_t levels, double base, const std::vector<uint8_t>& fold,
                                 size_t left_out) {
  const size_t targets = TargetCount(rows);
  std::vector<Sums> of_level((levels + 1) * targets);
  std::vector<Sums> of_all(targets);
  std::vector<Sums> of_left_out(targets);
  for (size_t row = 0; row < rows.rows; ++row) {
    const double weight = WeightOf(rows, row);
    for (size_t t = 0; t < targets; ++t) {
      const double target = TargetOf(rows, row, t, base);
      if (fold[row] == left_out) {
        of_left_out[t].Add(weight, target);
        continue;
      }
      of_level[codes[row] * targets + t].Add(weight, target);
      of_all[t].Add(weight, target);
    }
  }
  // So few rows that all of them are in one fold.
  if (!(of_all[0].weight > 0)) of_all = of_left_out;
  std::vector<double> values;
  for (size_t level = 0; level <= levels; ++level)
    for (size_t t = 0; t < targets; ++t)
      values.push_back(Shrunk(of_level[level * targets + t], of_all[t]));
  for (const Sums& all : of_all) values.push_back(all.mean());
  return values;
}

void EncodeCategories(const TreeRequest& request, TreeRows& rows) {
  const TreeEncodingKind wanted = request.options.category_encoding;
  if (wanted == TreeEncodingKind::kLabel) return;
  const size_t inputs = request.inputs.size();
  std::vector<TreeEncoding> encodings;
  std::vector<uint8_t> fold(rows.rows);
  if (wanted == TreeEncodingKind::kTarget) {
    fold = DealFolds(rows, request.seed);
    encodings = TargetEncodings(request, rows, fold);
  } else {
    encodings.emplace_back(wanted, request.inputs, rows.encoding.encoded(), 1);
  }
  const size_t width = encodings.back().width();
  if (wanted == TreeEncodingKind::kOneHot && (width == 0 || width > kMostIndicators))
    throw Error(ErrorCode::kTrainingData,
                width == 0 ? std::string("The categories have no value, so there is no indicator")
                           : fmt::format("One-hot encoding makes {} columns of the inputs; {} are "
                                         "the most",
                                         width, kMostIndicators),
                width == 0 ? "select a column with values"
                           : "use CATEGORY_ENCODING_METHOD 'TARGET_ENCODING' or 'LABEL_ENCODING'");
  std::vector<float> values(rows.rows * width);
  for (size_t row = 0; row < rows.rows; ++row) {
    const TreeEncoding& encoding = encodings[fold[row]];
    const std::span<float> out(&values[row * width], width);
    for (size_t c = 0; c < inputs; ++c) {
      const float value = rows.values[row * inputs + c];
      if (request.inputs[c].kind == InputKind::kNumeric)
        encoding.PutNumber(c, value, out);
      else
        encoding.PutCode(
            c, std::isnan(value) ? encoding.encoded()[c].levels.size() : static_cast<size_t>(value),
            out);
    }
  }
  rows.values = std::move(values);
  rows.encoding = std::move(encodings.back());
}

}  // namespace braid::ml

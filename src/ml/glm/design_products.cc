// SPDX-License-Identifier: Apache-2.0
// Products of the design's features over the rows. Numbers meet numbers in blocked dot products; an
// indicator costs one addition a row whatever the number of levels.
#include <algorithm>

#include "base/error.h"
#include "ml/glm/design.h"
#include "ml/kernels.h"

namespace braid::ml {

namespace {

// The dense columns of one slice of rows, and the same times the rows' weights.
class Slice {
 public:
  Slice(const Design& design, std::span<const double> weights, std::span<const double> extra)
      : weights_(weights), extra_(extra) {
    for (const DesignColumn& column : design.columns) {
      if (column.kind != InputKind::kNumeric) continue;
      numeric_.push_back(&column);
      targets.push_back(column.first);
    }
    targets.push_back(design.features);
    if (!extra.empty()) targets.push_back(design.features + 1);
    plain_.resize(targets.size() * kSliceRows);
    weighted_.resize(plain_.size());
    weight.resize(kSliceRows);
    for (size_t k = 0; k < targets.size(); ++k) {
      plain.push_back(&plain_[k * kSliceRows]);
      weighted.push_back(&weighted_[k * kSliceRows]);
    }
  }

  void Fill(size_t begin, size_t count) {
    padded = (count + kLanes - 1) / kLanes * kLanes;
    for (size_t i = 0; i < padded; ++i)
      weight[i] = i >= count ? 0 : weights_.empty() ? 1 : weights_[begin + i];
    for (size_t k = 0; k < targets.size(); ++k) {
      double* out = &plain_[k * kSliceRows];
      if (k < numeric_.size())
        std::copy_n(&numeric_[k]->values[begin], count, out);
      else if (k == numeric_.size())
        std::fill_n(out, count, 1.0);
      else
        std::copy_n(&extra_[begin], count, out);
      std::fill(out + count, out + padded, 0.0);
      double* scaled = &weighted_[k * kSliceRows];
      for (size_t i = 0; i < padded; ++i) scaled[i] = out[i] * weight[i];
    }
  }

  std::vector<size_t> targets;  // rows of the table of products
  std::vector<const double*> plain;
  std::vector<const double*> weighted;
  std::vector<double> weight;
  size_t padded = 0;

 private:
  std::span<const double> weights_;
  std::span<const double> extra_;
  std::vector<const DesignColumn*> numeric_;
  std::vector<double> plain_;
  std::vector<double> weighted_;
};

void AddCategories(const Design& design, const Slice& slice, size_t begin, size_t count,
                   std::vector<double>& products) {
  const size_t n = design.features + 2;
  for (size_t c = 0; c < design.columns.size(); ++c) {
    const DesignColumn& column = design.columns[c];
    if (column.kind == InputKind::kNumeric) continue;
    const int32_t* codes = &column.codes[begin];
    for (size_t k = 0; k < slice.targets.size(); ++k) {
      double* line = &products[slice.targets[k] * n + column.first];
      for (size_t i = 0; i < count; ++i)
        if (codes[i] >= 0) line[codes[i]] += slice.weighted[k][i];
    }
    for (size_t d = 0; d <= c; ++d) {
      const DesignColumn& other = design.columns[d];
      if (other.kind == InputKind::kNumeric) continue;
      const int32_t* other_codes = &other.codes[begin];
      for (size_t i = 0; i < count; ++i)
        if (codes[i] >= 0 && other_codes[i] >= 0)
          products[(column.first + static_cast<size_t>(codes[i])) * n + other.first +
                   static_cast<size_t>(other_codes[i])] += slice.weight[i];
    }
  }
}

}  // namespace

std::vector<double> WeightedProducts(const Design& design, std::span<const double> weights,
                                     std::span<const double> extra) {
  const size_t n = design.features + 2;
  std::vector<double> products(n * n);
  Slice slice(design, weights, extra);
  std::vector<double> block;
  for (size_t begin = 0; begin < design.rows; begin += kSliceRows) {
    const size_t count = std::min(kSliceRows, design.rows - begin);
    slice.Fill(begin, count);
    Products(slice.weighted, slice.plain, slice.padded, /*lower=*/true, block);
    const size_t dense = slice.targets.size();
    for (size_t i = 0; i < dense; ++i)
      for (size_t j = 0; j <= i; ++j)
        products[slice.targets[i] * n + slice.targets[j]] += block[i * dense + j];
    AddCategories(design, slice, begin, count, products);
  }
  // Each pair was added on one side of the diagonal.
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < i; ++j) {
      const double sum = products[i * n + j] + products[j * n + i];
      products[i * n + j] = products[j * n + i] = sum;
    }
  return products;
}

void Centre(std::vector<double>& products, std::span<const double> means) {
  const size_t features = means.size();
  const size_t n = features + 2;
  BRAID_CHECK(products.size() == n * n);
  for (size_t j = 0; j < features; ++j)
    for (size_t k = 0; k < n; ++k) products[j * n + k] -= means[j] * products[features * n + k];
  for (size_t k = 0; k < n; ++k)
    for (size_t j = 0; j < features; ++j)
      products[k * n + j] -= means[j] * products[k * n + features];
}

void AddScores(const Design& design, std::span<const double> beta, double intercept,
               std::span<double> out) {
  for (double& value : out) value += intercept;
  for (const DesignColumn& column : design.columns) {
    if (column.kind == InputKind::kNumeric) {
      AddScaled(column.values.data(), beta[column.first], 0, design.rows, out.data());
      continue;
    }
    const double* weights = beta.data() + column.first;
    for (size_t row = 0; row < design.rows; ++row)
      if (column.codes[row] >= 0) out[row] += weights[column.codes[row]];
  }
}

std::vector<double> TransposedProduct(const Design& design, std::span<const double> row_values) {
  std::vector<double> product(design.features + 1);
  for (const double value : row_values) product[design.features] += value;
  for (const DesignColumn& column : design.columns) {
    double* out = &product[column.first];
    if (column.kind == InputKind::kNumeric) {
      out[0] = Dot(column.values.data(), row_values.data(), design.rows);
      continue;
    }
    for (size_t row = 0; row < design.rows; ++row)
      if (column.codes[row] >= 0) out[column.codes[row]] += row_values[row];
  }
  return product;
}

}  // namespace braid::ml

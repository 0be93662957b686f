// SPDX-License-Identifier: Apache-2.0
#include "ml/factor/factor_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ml/factor/factor_extraction.h"
#include "ml/factor/factor_fit.h"
#include "ml/factor/factor_rotation.h"
#include "ml/linear_solver.h"

namespace braid::ml {

namespace {

constexpr size_t kFewestInputs = 3;  // two correlate in one number, which fits any factor
constexpr int64_t kFewestRows = 3;   // two always lie on a line
// Variances below this share of the squared mean are rounding.
constexpr double kConstant = 1e-26;

int64_t DegreesOfFreedom(size_t inputs, int64_t factors) {
  const int64_t rest = static_cast<int64_t>(inputs) - factors;
  return (rest * rest - static_cast<int64_t>(inputs) - factors) / 2;
}

int64_t MostFactors(size_t inputs) {
  int64_t most = 1;
  while (most + 1 < static_cast<int64_t>(inputs) && DegreesOfFreedom(inputs, most + 1) >= 0) ++most;
  return most;
}

void CheckInputs(const TrainingRequest& request) {
  for (const InputColumn& input : request.inputs)
    if (input.kind == InputKind::kCategory)
      throw Error(ErrorCode::kTrainingData, "Factor analysis takes numbers only: " + input.name,
                  "leave the column out, or encode it as numbers in the query");
  if (request.inputs.size() < kFewestInputs)
    throw Error(ErrorCode::kTrainingData,
                fmt::format("Factor analysis needs at least {} inputs, but got {}", kFewestInputs,
                            request.inputs.size()),
                "select more numeric columns");
}

Matrix Correlate(const GramMoments& moments, FactorParts& parts) {
  const size_t p = moments.inputs;
  const auto n = static_cast<double>(moments.rows);
  for (size_t i = 0; i < p; ++i) {
    const double square = moments.centred[i * (p + 1) + i];
    if (!(square > kConstant * n * moments.mean[i] * moments.mean[i]))
      throw Error(ErrorCode::kTrainingData, "The input has only one value: " + parts.inputs[i],
                  "leave it out: it correlates with nothing");
    parts.mean.push_back(moments.mean[i]);
    parts.standard_deviation.push_back(std::sqrt(square / (n - 1)));
  }
  Matrix correlation = Matrix::Identity(p);
  for (size_t i = 0; i < p; ++i)
    for (size_t j = 0; j < i; ++j) {
      const double scale = parts.standard_deviation[i] * parts.standard_deviation[j] * (n - 1);
      correlation(i, j) = std::clamp(moments.centred[i * (p + 1) + j] / scale, -1.0, 1.0);
      correlation(j, i) = correlation(i, j);
    }
  return correlation;
}

// Factors whose eigenvalues, from the first on, exceed those of random data.
int64_t CountByParallelAnalysis(const FactorParts& parts) {
  int64_t count = 0;
  const int64_t most = MostFactors(parts.inputs.size());
  while (count < most && parts.eigenvalues[count] > parts.reference_eigenvalues[count]) ++count;
  return std::max<int64_t>(count, 1);
}

int64_t CountFactors(const FactorOptions& options, const FactorParts& parts) {
  if (!options.num_factors) return CountByParallelAnalysis(parts);
  const int64_t most = MostFactors(parts.inputs.size());
  if (*options.num_factors > most)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("{} factors are too many for {} inputs", *options.num_factors,
                            parts.inputs.size()),
                fmt::format("NUM_FACTORS is at most {} here", most));
  return *options.num_factors;
}

// By falling sum of squares, each with loadings that sum to a positive number.
void Arrange(const Rotated& rotated, FactorParts& parts) {
  const size_t p = rotated.loadings.rows;
  const size_t k = rotated.loadings.columns;
  const Matrix structure = Product(rotated.loadings, rotated.correlations);
  std::vector<double> squares(k);
  std::vector<double> sign(k);
  std::vector<size_t> order(k);
  for (size_t f = 0; f < k; ++f) {
    order[f] = f;
    double sum = 0;
    for (size_t i = 0; i < p; ++i) {
      squares[f] += structure(i, f) * rotated.loadings(i, f);
      sum += rotated.loadings(i, f);
    }
    sign[f] = sum < 0 ? -1 : 1;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t left, size_t right) { return squares[left] > squares[right]; });
  parts.loadings = Matrix(p, k);
  parts.correlations = Matrix::Identity(k);
  for (size_t f = 0; f < k; ++f) {
    parts.ss_loadings.push_back(squares[order[f]]);
    for (size_t i = 0; i < p; ++i)
      parts.loadings(i, f) = sign[order[f]] * rotated.loadings(i, order[f]);
    for (size_t g = 0; g < k; ++g)
      if (f != g)
        parts.correlations(f, g) =
            sign[order[f]] * sign[order[g]] * rotated.correlations(order[f], order[g]);
  }
}

// Thurstone (1935): R⁻¹ΛΦ. Bartlett (1937): Ψ⁻¹Λ(Λ'Ψ⁻¹Λ)⁻¹.
Matrix ScoreWeights(const Matrix& correlation, const FactorParts& parts, FactorScores scores) {
  const Matrix& loadings = parts.loadings;
  if (scores == FactorScores::kRegression)
    return Product(InvertSymmetric(correlation).inverse, Product(loadings, parts.correlations));
  Matrix scaled = loadings;
  for (size_t i = 0; i < loadings.rows; ++i)
    for (size_t f = 0; f < loadings.columns; ++f) scaled(i, f) /= parts.uniqueness[i];
  return Product(scaled, InvertSymmetric(Product(Transposed(loadings), scaled)).inverse);
}

std::vector<std::string> Notices(const FactorParts& parts, bool extracted, bool rotated,
                                 bool singular) {
  std::vector<std::string> notices;
  for (size_t i = 0; i < parts.inputs.size(); ++i)
    if (parts.uniqueness[i] <= kLeastUniqueness * (1 + 1e-9))
      notices.push_back(
          fmt::format("Heywood case: the factors explain all of {}", parts.inputs[i]));
  if (singular)
    notices.emplace_back(
        "The correlation matrix is singular (inputs depend on each other, or rows are too few), so "
        "the fit has no chi-square");
  if (!extracted)
    notices.emplace_back("The extraction did not converge: MAX_ITERATIONS was reached");
  if (!rotated) notices.emplace_back("The rotation did not converge");
  return notices;
}

}  // namespace

TrainedModel TrainFactors(const TrainingRequest& request, RowSource& rows,
                          const TrainingControl& control) {
  CheckInputs(request);
  GramAccumulator moments(request.inputs.size());
  rows.Scan([&](const Batch& batch) {
    ThrowIfStopped(control);
    const std::vector<double> zeros(batch.rows);
    Batch with_label = batch;
    with_label.columns.push_back({.kind = ColumnKind::kDouble, .data = zeros.data()});
    moments.Add(with_label);
  });
  return TrainFactorsFromMoments(request, moments, control);
}

TrainedModel TrainFactorsFromMoments(const TrainingRequest& request, const GramAccumulator& moments,
                                     const TrainingControl& control) {
  CheckInputs(request);
  const FactorOptions options = ParseFactorOptions(request.settings);
  const GramMoments sums = moments.Finish();
  if (sums.rows < kFewestRows)
    throw Error(
        ErrorCode::kTrainingData,
        fmt::format("Factor analysis needs at least {} rows, but got {}", kFewestRows, sums.rows),
        "train on more rows");
  FactorParts parts{.rows = sums.rows};
  for (const InputColumn& input : request.inputs) parts.inputs.push_back(input.name);
  const Matrix correlation = Correlate(sums, parts);
  parts.eigenvalues = DecomposeSymmetric(correlation.cells, correlation.rows).values;
  parts.reference_eigenvalues =
      RandomEigenvalues(correlation.rows, sums.rows, static_cast<uint64_t>(request.seed));
  ThrowIfStopped(control);
  const auto factors = static_cast<size_t>(CountFactors(options, parts));
  Extracted extracted =
      ExtractFactors(correlation, factors, options.extraction, options.max_iterations);
  ThrowIfStopped(control);
  const Rotated rotated =
      RotateFactors(extracted.loadings, options.rotation, options.kaiser_normalize,
                    {.starts = options.num_starts,
                     .seed = request.seed,
                     .threads = request.threads,
                     .stop = control.stop});
  parts.uniqueness = std::move(extracted.uniqueness);
  Arrange(rotated, parts);
  parts.weights = ScoreWeights(correlation, parts, options.scores);
  JudgeFit(correlation, parts);
  std::vector<std::string> notices = Notices(parts, extracted.converged, rotated.converged,
                                             !InvertSymmetric(correlation).is_positive);
  return {std::make_unique<FactorModel>(std::move(parts)), std::move(notices)};
}

}  // namespace braid::ml

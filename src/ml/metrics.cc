// SPDX-License-Identifier: Apache-2.0
#include "ml/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace braid::ml {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr double kLeastProbability = 1e-15;

std::map<std::string, double> Defined(std::map<std::string, double> metrics) {
  std::erase_if(metrics, [](const auto& metric) { return std::isnan(metric.second); });
  return metrics;
}

// Reorders the values.
double Median(std::vector<double>& values) {
  if (std::any_of(values.begin(), values.end(), [](double x) { return std::isnan(x); }))
    return kUndefined;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double Quotient(double count, double of) { return of > 0 ? count / of : 0; }

int32_t PredictedClass(std::span<const double> probabilities, double threshold) {
  if (probabilities.size() == 2) return probabilities[1] >= threshold ? 1 : 0;
  return static_cast<int32_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                              probabilities.begin());
}

// Rows by actual and predicted class; the last line is of labels that the model does not know.
std::vector<double> Confusion(std::span<const int32_t> actual,
                              std::span<const double> probabilities, size_t classes,
                              double threshold) {
  std::vector<double> counts((classes + 1) * classes);
  for (size_t row = 0; row < actual.size(); ++row) {
    const int32_t predicted =
        PredictedClass(probabilities.subspan(row * classes, classes), threshold);
    const size_t line = actual[row] < 0 ? classes : static_cast<size_t>(actual[row]);
    ++counts[line * classes + static_cast<size_t>(predicted)];
  }
  return counts;
}

void FillCounts(const std::vector<double>& confusion, size_t classes, double rows,
                ClassificationMetrics& metrics) {
  double right = 0;
  double averaged = 0;
  for (size_t k = 0; k < classes; ++k) {
    const double hits = confusion[k * classes + k];
    right += hits;
    if (classes == 2 && k == 0) continue;
    double predicted = 0;
    double actual = 0;
    for (size_t i = 0; i <= classes; ++i) predicted += confusion[i * classes + k];
    for (size_t j = 0; j < classes; ++j) actual += confusion[k * classes + j];
    const double precision = Quotient(hits, predicted);
    const double recall = Quotient(hits, actual);
    metrics.precision += precision;
    metrics.recall += recall;
    metrics.f1_score += Quotient(2 * precision * recall, precision + recall);
    ++averaged;
  }
  metrics.precision /= averaged;
  metrics.recall /= averaged;
  metrics.f1_score /= averaged;
  metrics.accuracy = right / rows;
}

}  // namespace

std::map<std::string, double> RegressionMetrics::ToMap() const {
  return Defined({{"mean_absolute_error", mean_absolute_error},
                  {"mean_squared_error", mean_squared_error},
                  {"mean_squared_log_error", mean_squared_log_error},
                  {"median_absolute_error", median_absolute_error},
                  {"r2_score", r2_score},
                  {"explained_variance", explained_variance}});
}

RegressionMetrics EvaluateRegression(std::span<const double> actual,
                                     std::span<const double> predicted) {
  RegressionErrors errors;
  errors.Add(actual, predicted);
  return errors.Finish();
}

void RegressionErrors::Moments::Add(std::span<const double> values) {
  if (values.empty()) return;
  Moments batch{.count = static_cast<double>(values.size())};
  // From the first value on: a constant has no rounding error.
  for (const double value : values) batch.mean += value - values[0];
  batch.mean = values[0] + batch.mean / batch.count;
  for (const double value : values) batch.squares += (value - batch.mean) * (value - batch.mean);
  Merge(batch);
}

void RegressionErrors::Moments::Merge(const Moments& other) {
  if (other.count == 0) return;
  const double total = count + other.count;
  const double apart = other.mean - mean;
  squares += other.squares + apart * apart * count * other.count / total;
  mean += apart * other.count / total;
  count = total;
}

void RegressionErrors::Add(std::span<const double> actual, std::span<const double> predicted) {
  BRAID_CHECK(actual.size() == predicted.size());
  scratch_.resize(actual.size());
  const size_t begin = sizes_.size();
  sizes_.resize(begin + actual.size());
  double sum = 0;
  for (size_t row = 0; row < actual.size(); ++row) {
    scratch_[row] = actual[row] - predicted[row];
    sum += sizes_[begin + row] = std::abs(scratch_[row]);
  }
  sizes_sum_ += sum;
  actual_.Add(actual);
  errors_.Add(scratch_);
  for (size_t row = 0; row < actual.size(); ++row) {
    if (!(actual[row] > -1 && predicted[row] > -1)) continue;
    const double difference = std::log1p(actual[row]) - std::log1p(predicted[row]);
    log_squares_ += difference * difference;
    ++log_rows_;
  }
}

void RegressionErrors::Merge(const RegressionErrors& other) {
  actual_.Merge(other.actual_);
  errors_.Merge(other.errors_);
  log_squares_ += other.log_squares_;
  log_rows_ += other.log_rows_;
  sizes_sum_ += other.sizes_sum_;
  sizes_.insert(sizes_.end(), other.sizes_.begin(), other.sizes_.end());
}

RegressionMetrics RegressionErrors::Finish() {
  const double rows = actual_.count;
  if (rows == 0) return {kUndefined, kUndefined, kUndefined, kUndefined, kUndefined, kUndefined};
  const double mean_squares = errors_.squares / rows + errors_.mean * errors_.mean;
  const bool varies = actual_.squares > 0;
  return {.mean_absolute_error = sizes_sum_ / rows,
          .mean_squared_error = mean_squares,
          .mean_squared_log_error = log_rows_ > 0 ? log_squares_ / log_rows_ : kUndefined,
          .median_absolute_error = Median(sizes_),
          .r2_score = varies ? 1 - mean_squares / (actual_.squares / rows) : kUndefined,
          .explained_variance = varies ? 1 - errors_.squares / actual_.squares : kUndefined};
}

std::map<std::string, double> ClassificationMetrics::ToMap() const {
  return Defined({{"precision", precision},
                  {"recall", recall},
                  {"accuracy", accuracy},
                  {"f1_score", f1_score},
                  {"log_loss", log_loss},
                  {"roc_auc", roc_auc}});
}

ClassificationMetrics EvaluateClassification(std::span<const int32_t> actual,
                                             std::span<const double> probabilities, size_t classes,
                                             double threshold) {
  BRAID_CHECK(classes >= 2 && probabilities.size() == actual.size() * classes);
  if (actual.empty())
    return {kUndefined, kUndefined, kUndefined, kUndefined, kUndefined, kUndefined};
  const auto rows = static_cast<double>(actual.size());
  ClassificationMetrics metrics;
  FillCounts(Confusion(actual, probabilities, classes, threshold), classes, rows, metrics);
  for (size_t row = 0; row < actual.size(); ++row) {
    const double p =
        actual[row] < 0 ? 0 : probabilities[row * classes + static_cast<size_t>(actual[row])];
    metrics.log_loss -= std::log(std::max(p, kLeastProbability)) / rows;
  }
  double areas = 0;
  double averaged = 0;
  std::vector<double> scores(actual.size());
  for (size_t k = classes == 2 ? 1 : 0; k < classes; ++k) {
    for (size_t row = 0; row < actual.size(); ++row) scores[row] = probabilities[row * classes + k];
    const double area = AreaUnderRoc(scores, actual, static_cast<int32_t>(k));
    if (std::isnan(area)) continue;
    areas += area;
    ++averaged;
  }
  metrics.roc_auc = averaged > 0 ? areas / averaged : kUndefined;
  return metrics;
}

// Mann and Whitney: the positives' ranks, ties sharing their mean rank.
double AreaUnderRoc(std::span<const double> scores, std::span<const int32_t> actual,
                    int32_t positive) {
  BRAID_CHECK(scores.size() == actual.size());
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  double positives = 0;
  double ranks = 0;
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    double tied = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end)
      tied += actual[order[end]] == positive ? 1 : 0;
    if (end == begin) ++end;  // NaN equals nothing
    positives += tied;
    ranks += tied * (static_cast<double>(begin + end + 1) / 2);
    begin = end;
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return kUndefined;
  return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

}  // namespace braid::ml

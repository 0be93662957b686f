// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace braid::ml {

// ML.EVALUATE's columns for a regression. NaN where a metric is undefined (no rows; a constant
// label for r2_score and explained_variance; no value above -1 for mean_squared_log_error).
struct RegressionMetrics {
  double mean_absolute_error = 0;
  double mean_squared_error = 0;
  double mean_squared_log_error = 0;  // over the rows where both values are above -1
  double median_absolute_error = 0;   // exact
  double r2_score = 0;
  double explained_variance = 0;
  // By name, without the undefined ones.
  std::map<std::string, double> ToMap() const;
};
RegressionMetrics EvaluateRegression(std::span<const double> actual,
                                     std::span<const double> predicted);

// The same in one pass over batches; what several threads gathered is merged. Keeps 8 bytes a row,
// for the median. Variances are merged as Chan, Golub and LeVeque (1979) do.
class RegressionErrors {
 public:
  // As many of one as of the other.
  void Add(std::span<const double> actual, std::span<const double> predicted);
  void Merge(const RegressionErrors& other);
  RegressionMetrics Finish();

 private:
  struct Moments {
    double count = 0;
    double mean = 0;
    double squares = 0;  // of the deviations from the mean
    void Add(std::span<const double> values);
    void Merge(const Moments& other);
  };
  Moments actual_;
  Moments errors_;
  double log_squares_ = 0;
  double log_rows_ = 0;
  double sizes_sum_ = 0;
  std::vector<double> sizes_;    // of the errors
  std::vector<double> scratch_;  // one batch
};

// ML.EVALUATE's columns for a classification. Two classes: of the higher label at `threshold`;
// more: macro averages over the classes. A quotient 0/0 counts as 0. log_loss clips probabilities
// at 1e-15. roc_auc counts ties half and averages one-against-rest over the classes that both occur
// and do not; NaN if there is none.
struct ClassificationMetrics {
  double precision = 0;
  double recall = 0;
  double accuracy = 0;
  double f1_score = 0;
  double log_loss = 0;
  double roc_auc = 0;
  std::map<std::string, double> ToMap() const;
};
// `actual`: the class of each row, or -1 for a label that the model does not know. `probabilities`:
// rows × classes.
ClassificationMetrics EvaluateClassification(std::span<const int32_t> actual,
                                             std::span<const double> probabilities, size_t classes,
                                             double threshold = 0.5);

// The probability that a row of the class scores above a row of another (ties half); NaN without
// both.
double AreaUnderRoc(std::span<const double> scores, std::span<const int32_t> actual,
                    int32_t positive);

}  // namespace braid::ml

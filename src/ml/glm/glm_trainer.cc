// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/glm_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "ml/glm/design.h"
#include "ml/glm/glm_problem.h"
#include "ml/glm/glm_solvers.h"
#include "ml/glm/inference.h"
#include "ml/glm/leakage.h"
#include "ml/glm/warm_start.h"
#include "ml/linear_solver.h"

namespace braid::ml {

namespace {

// Products lose as many digits as the condition number has; past this, rows are decomposed instead.
constexpr double kTrustedCondition = 1e5;
constexpr size_t kMostDenseFeatures = 1500;
constexpr size_t kMostCardinality = 10'000;  // BigQuery ML's limit for the normal equations

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// Under BigQuery ML's rules some least squares go down the gradient.
bool UsesDescent(const GlmRequest& request, size_t rows, size_t features) {
  const GlmOptions& options = request.options;
  if (!options.bounded || options.calculate_p_values) return false;
  if (request.type == GlmType::kLogisticReg) return true;
  if (options.optimize_strategy != OptimizeStrategy::kAuto)
    return options.optimize_strategy == OptimizeStrategy::kBatchGradientDescent;
  return options.warm_start || options.l1_reg > 0 || features > kMostCardinality ||
         rows < 10 * features;
}

std::vector<std::string> Notices(const GlmParts& parts) {
  std::vector<std::string> notices;
  if (parts.skipped > 0)
    notices.push_back(
        fmt::format("{} rows without a label ({}) were left out", parts.skipped, parts.label));
  for (const GlmInput& input : parts.inputs) {
    const bool constant = input.kind == InputKind::kNumeric ? input.standard_deviation == 0
                                                            : input.categories.size() < 2;
    if (constant) notices.emplace_back("The input has only one value: " + input.name);
  }
  return notices;
}

// Least squares in features: the table of products, and a way to the rows if that is too coarse.
struct LeastSquares {
  std::vector<double> gram;
  std::vector<double> right;
  size_t structural_zeros = 0;
  std::function<LinearSolution()> decompose_rows;  // empty: not possible
};

LinearSolution Solve(const GlmOptions& options, const LeastSquares& problem,
                     std::vector<std::string>& notices) {
  if (options.l1_reg > 0)
    return {.x = SolveLasso(problem.gram, problem.right, options.l1_reg, options.l2_reg, 0,
                            std::vector<double>(problem.right.size())),
            .rank = problem.right.size()};
  LinearSolution solution =
      SolveGram(problem.gram, problem.right, options.l2_reg, problem.structural_zeros);
  const bool coarse = solution.condition > kTrustedCondition;
  if (coarse && problem.decompose_rows) solution = problem.decompose_rows();
  if (options.l2_reg == 0 && solution.rank + problem.structural_zeros < problem.right.size())
    notices.emplace_back(
        "Inputs depend on each other: of the equally good weights, those of least norm were taken");
  else if (coarse && !problem.decompose_rows)
    notices.emplace_back("Inputs are nearly dependent: the weights have few exact digits");
  return solution;
}

// Weighted mean of the labels, from their differences to the first.
double LabelMean(const Design& design) {
  double sum = 0;
  for (size_t row = 0; row < design.rows; ++row)
    sum += design.WeightOf(row) * (design.label[row] - design.label[0]);
  return design.label[0] + sum / design.weight_sum;
}

double Feature(const DesignColumn& column, size_t k, size_t row) {
  if (column.kind == InputKind::kNumeric) return column.values[row];
  return column.codes[row] == static_cast<int32_t>(k) ? 1 : 0;
}

LinearSolution DecomposeDesign(const Design& design, const std::vector<double>& centre,
                               const std::vector<double>& label, double ridge,
                               const TrainingControl& control) {
  RowDecomposition decomposition(design.features);
  std::vector<double> line(design.features + 1);
  for (size_t row = 0; row < design.rows; ++row) {
    if (row % 4096 == 0) ThrowIfStopped(control);
    const double root = std::sqrt(design.WeightOf(row));
    for (const DesignColumn& column : design.columns)
      for (size_t k = 0; k < column.width; ++k)
        line[column.first + k] = root * (Feature(column, k, row) - centre[column.first + k]);
    line[design.features] = root * label[row];
    decomposition.Add(line);
  }
  return decomposition.Solve(ridge);
}

double MeanSquaredError(const Design& design, const std::vector<double>& beta) {
  std::vector<double> scores(design.rows);
  AddScores(design, beta, beta[design.features], scores);
  double sum = 0;
  for (size_t row = 0; row < design.rows; ++row) {
    const double residual = design.label[row] - scores[row];
    sum += design.WeightOf(row) * residual * residual;
  }
  return sum / design.weight_sum;
}

TrainedGlm TrainLinearFromDesign(const GlmRequest& request, const Design& design,
                                 const TrainingControl& control) {
  const Clock::time_point began = Clock::now();
  const bool fit_intercept = request.options.fit_intercept;
  const size_t n = design.features;
  const double label_mean = fit_intercept ? LabelMean(design) : 0;
  std::vector<double> label = design.label;
  for (double& value : label) value -= label_mean;
  const std::vector<double> centre = fit_intercept ? design.means : std::vector<double>(n);
  std::vector<double> products = WeightedProducts(design, design.weights, label);
  Centre(products, centre);
  LeastSquares problem{.gram = std::vector<double>(n * n),
                       .right = std::vector<double>(n),
                       .structural_zeros = design.StructuralZeros(fit_intercept)};
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) problem.gram[i * n + j] = products[i * (n + 2) + j];
    problem.right[i] = products[i * (n + 2) + n + 1];
  }
  problem.decompose_rows = [&] {
    return DecomposeDesign(design, centre, label, request.options.l2_reg, control);
  };
  std::vector<std::string> notices;
  std::vector<double> beta = Solve(request.options, problem, notices).x;
  double intercept = label_mean;
  for (size_t j = 0; j < n; ++j) intercept -= beta[j] * centre[j];
  beta.push_back(intercept);
  GlmParts parts = MakeParts(request, design, {beta});
  if (request.options.calculate_p_values)
    parts.inference = InferLeastSquares(request, design, problem.gram, centre, beta,
                                        design.weight_sum, MeanSquaredError(design, beta));
  parts.training_info.push_back(
      {.loss = MeanSquaredError(design, beta), .duration_ms = MillisecondsSince(began)});
  if (control.progress) control.progress(1, parts.training_info[0].loss);
  for (std::string& notice : Notices(parts)) notices.push_back(std::move(notice));
  for (std::string& notice : LeakageNotices(design)) notices.push_back(std::move(notice));
  return {GlmModel(std::move(parts)), std::move(notices)};
}

TrainedGlm TrainByIterations(const GlmRequest& request, const Design& design, bool descent,
                             const TrainingControl& control) {
  GlmProblem problem(request, design);
  std::vector<double> start(problem.size());
  if (request.warm_start != nullptr)
    start = problem.ParametersOf(
        WarmCoefficients(design, dynamic_cast<const GlmModel&>(*request.warm_start)));
  SolverRun run = descent ? MinimiseByDescent(problem, std::move(start), request.options, control)
                          : MinimiseByNewton(problem, std::move(start), control);
  if (run.info.empty()) run.info.push_back({.loss = problem.MeanLoss()});
  GlmParts parts = MakeParts(request, design, problem.Coefficients());
  parts.training_info = std::move(run.info);
  if (request.options.calculate_p_values) {
    if (run.diverging)
      throw Error(
          ErrorCode::kTrainingData,
          "CALCULATE_P_VALUES: the inputs tell some labels apart without error, so the best "
          "weights are infinite",
          "leave out the input that does so");
    parts.inference = InferLogistic(problem);
  }
  std::vector<std::string> notices = Notices(parts);
  for (std::string& notice : LeakageNotices(design)) notices.push_back(std::move(notice));
  if (run.diverging)
    notices.emplace_back(
        "The inputs tell some labels apart without error, so the best weights are infinite: set "
        "L2_REG, for example to 1");
  else if (!run.converged && !descent)
    notices.emplace_back("The training stopped before it converged");
  return {GlmModel(std::move(parts)), std::move(notices)};
}

// The statistics of a Gram as a design without rows.
Design DesignFromMoments(const GlmRequest& request, const GramMoments& moments) {
  Design design{.rows = static_cast<size_t>(moments.rows),
                .skipped = moments.skipped,
                .features = moments.inputs};
  const size_t n = moments.inputs + 1;
  for (size_t c = 0; c < moments.inputs; ++c) {
    GlmInput input{.name = request.inputs[c].name,
                   .mean = moments.mean[c],
                   .standard_deviation = std::sqrt(std::max(moments.centred[c * n + c], 0.0) /
                                                   static_cast<double>(moments.rows)),
                   .null_count = moments.null_count[c]};
    const bool fit_intercept = request.options.fit_intercept;
    DesignColumn column{.first = c, .offset = fit_intercept ? input.mean : 0};
    column.scale = input.standard_deviation > 0        ? input.standard_deviation
                   : !fit_intercept && input.mean != 0 ? std::abs(input.mean)
                                                       : 1;
    design.columns.push_back(std::move(column));
    design.inputs.push_back(std::move(input));
  }
  return design;
}

LinearSolution DecomposeScan(const Design& design, double label_mean, double ridge, RowSource& rows,
                             const TrainingControl& control) {
  RowDecomposition decomposition(design.features);
  std::vector<double> line(design.features + 1);
  const auto value_at = [](const ColumnView& view, size_t row, double missing) {
    if (!view.IsValid(row)) return missing;
    return std::isnan(view.doubles()[row]) ? missing : view.doubles()[row];
  };
  rows.Scan([&](const Batch& batch) {
    ThrowIfStopped(control);
    for (size_t row = 0; row < batch.rows; ++row) {
      const double label = value_at(batch.columns[design.features], row, NAN);
      if (std::isnan(label)) continue;
      for (size_t c = 0; c < design.features; ++c)
        line[c] =
            (value_at(batch.columns[c], row, design.inputs[c].mean) - design.columns[c].offset) /
            design.columns[c].scale;
      line[design.features] = label - label_mean;
      decomposition.Add(line);
    }
  });
  return decomposition.Solve(ridge);
}

std::vector<std::string> CopyNotices(const GramMoments& moments, const Design& design) {
  std::vector<std::string> notices;
  const size_t label = moments.inputs;
  const size_t n = label + 1;
  const double spread = moments.centred[label * n + label];
  if (design.rows < kLeastRowsForLeakage || !(spread > 0)) return notices;
  for (size_t c = 0; c < label; ++c) {
    // The squared differences to the label.
    const double apart = moments.centred[c * n + c] - 2 * moments.centred[c * n + label] + spread;
    const double shift = moments.mean[c] - moments.mean[label];
    if (moments.null_count[c] == 0 && apart <= 1e-13 * spread &&
        shift * shift * static_cast<double>(design.rows) <= 1e-20 * spread)
      notices.push_back(CopyNotice(design.inputs[c].name));
  }
  return notices;
}

// What is left of the labels' spread after the fit, by the products alone.
double LossFromProducts(const LeastSquares& problem, const std::vector<double>& beta,
                        double label_squares, double rows) {
  const size_t n = beta.size();
  double loss = label_squares;
  for (size_t i = 0; i < n; ++i) {
    double product = -2 * problem.right[i];
    for (size_t j = 0; j < n; ++j) product += problem.gram[i * n + j] * beta[j];
    loss += beta[i] * product;
  }
  return std::max(loss, 0.0) / rows;
}

}  // namespace

bool GramSuffices(const GlmRequest& request) {
  const bool numeric =
      std::all_of(request.inputs.begin(), request.inputs.end(),
                  [](const InputColumn& input) { return input.kind == InputKind::kNumeric; });
  const bool robust = request.options.standard_errors != StandardErrors::kClassical;
  return request.type == GlmType::kLinearReg && numeric && !robust && !request.has_weight &&
         request.inputs.size() <= kMostDenseFeatures && !request.inputs.empty() &&
         !UsesDescent(request, SIZE_MAX, request.inputs.size());
}

TrainedGlm TrainLinearFromGram(const GlmRequest& request, const GramAccumulator& gram,
                               RowSource* rows, const TrainingControl& control) {
  BRAID_CHECK(GramSuffices(request) && gram.inputs() == request.inputs.size());
  const Clock::time_point began = Clock::now();
  if (gram.rows() == 0)
    throw Error(ErrorCode::kTrainingData, "There are no rows with a label to train on",
                gram.skipped() > 0
                    ? fmt::format("in {} rows {} is NULL", gram.skipped(), request.label)
                    : "the query gives no rows");
  if (rows != nullptr &&
      UsesDescent(request, static_cast<size_t>(gram.rows()), request.inputs.size()))
    return TrainByIterations(request, LoadDesign(request, *rows, control), true, control);
  const GramMoments moments = gram.Finish();
  Design design = DesignFromMoments(request, moments);
  const size_t n = design.features;
  const auto count = static_cast<double>(moments.rows);
  const bool fit_intercept = request.options.fit_intercept;
  // Without an intercept the products are of the values themselves.
  const auto product = [&](size_t i, size_t j) {
    const double about_mean = moments.centred[i * (n + 1) + j];
    return fit_intercept ? about_mean : about_mean + count * moments.mean[i] * moments.mean[j];
  };
  LeastSquares problem{.gram = std::vector<double>(n * n), .right = std::vector<double>(n)};
  for (size_t i = 0; i < n; ++i) {
    if (fit_intercept && design.inputs[i].standard_deviation == 0) ++problem.structural_zeros;
    for (size_t j = 0; j < n; ++j)
      problem.gram[i * n + j] = product(i, j) / (design.columns[i].scale * design.columns[j].scale);
    problem.right[i] = product(i, n) / design.columns[i].scale;
  }
  const double label_mean = fit_intercept ? moments.mean[n] : 0;
  if (rows != nullptr)
    problem.decompose_rows = [&] {
      return DecomposeScan(design, label_mean, request.options.l2_reg, *rows, control);
    };
  std::vector<std::string> notices;
  std::vector<double> beta = Solve(request.options, problem, notices).x;
  const double loss = LossFromProducts(problem, beta, product(n, n), count);
  beta.push_back(label_mean);
  GlmParts parts = MakeParts(request, design, {beta});
  if (request.options.calculate_p_values) {
    CheckWeightCount(n);
    parts.inference =
        InferLeastSquares(request, design, problem.gram, std::vector<double>(n), beta, count, loss);
  }
  parts.training_info.push_back({.loss = loss, .duration_ms = MillisecondsSince(began)});
  if (control.progress) control.progress(1, loss);
  for (std::string& notice : Notices(parts)) notices.push_back(std::move(notice));
  for (std::string& notice : CopyNotices(moments, design)) notices.push_back(std::move(notice));
  return {GlmModel(std::move(parts)), std::move(notices)};
}

TrainedGlm TrainGlm(const GlmRequest& request, RowSource& rows, const TrainingControl& control) {
  if (GramSuffices(request)) {
    GramAccumulator gram(request.inputs.size());
    rows.Scan([&](const Batch& batch) {
      ThrowIfStopped(control);
      gram.Add(batch);
    });
    return TrainLinearFromGram(request, gram, &rows, control);
  }
  const Design design = LoadDesign(request, rows, control);
  if (request.options.calculate_p_values) CheckWeightCount(design.features);
  const bool descent = UsesDescent(request, design.rows, design.features);
  if (request.type == GlmType::kLinearReg && !descent &&
      (design.features <= kMostDenseFeatures || request.options.calculate_p_values))
    return TrainLinearFromDesign(request, design, control);
  return TrainByIterations(request, design, descent, control);
}

}  // namespace braid::ml

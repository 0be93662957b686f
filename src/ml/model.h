// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/batch.h"
#include "ml/table.h"
#include "ml/training.h"

namespace braid::ml {

// What a model's scores mean, and so what ML.PREDICT and ML.EVALUATE give.
enum class Task : uint8_t {
  kRegression,      // one score: the label's value
  kClassification,  // a probability for each of classes()
  kClustering,      // the distance to each centroid
  kProjection,      // a coordinate for each of score_names()
  kRecommendation,  // one score: the rating, or the confidence of an interaction
};
constexpr bool IsSupervised(Task task) {
  return task == Task::kRegression || task == Task::kClassification;
}

// Where the numbers of a regression's linear score of numeric inputs stand in its artefact: JSON
// pointers. `means`: what stands for a missing input.
struct LinearPaths {
  std::string intercept;
  std::vector<std::string> weights;
  std::vector<std::string> means;
};

struct TableFunction {
  std::string_view name;                   // upper case
  std::vector<std::string> settings = {};  // lower case
};

// A trained model that answers row by row. Immutable, so any number of threads may use one. Batches
// hold the inputs in the order of input_columns() (kDouble or kString columns).
class Model {
 public:
  virtual ~Model() = default;
  virtual std::string_view kind() const = 0;  // "linear_reg"
  virtual Task task() const = 0;
  virtual std::vector<InputColumn> input_columns() const = 0;
  // Label texts in ascending order; empty unless the task is classification.
  virtual const std::vector<std::string>& classes() const;
  virtual int64_t rows() const = 0;  // trained on
  // Scores a row, and the names of their columns where ML.PREDICT shows them as such.
  virtual size_t score_count() const = 0;
  virtual std::vector<std::string> score_names() const { return {}; }
  // Writes rows × score_count() numbers, row by row. NULL inputs are the model's business.
  virtual void Score(const Batch& inputs, std::span<double> out) const = 0;
  // Whether scores of NaN mean that the model has no answer for a row.
  virtual bool may_be_silent() const { return task() == Task::kRecommendation; }
  // Of models whose score is a constant and a weight times each input.
  virtual std::optional<LinearPaths> linear_paths() const { return std::nullopt; }

  // The categories of an input that training saw, for kinds that answer about all of them.
  virtual std::vector<std::string> known_categories(size_t /*input*/) const { return {}; }

  // The functions ML.<name>(MODEL m [, STRUCT(…)]) that this kind has beside those that need rows.
  // TableOf is given the settings that they name alone; it throws kInvalidOption for their values.
  virtual std::vector<TableFunction> table_functions() const { return {}; }
  virtual Table TableOf(std::string_view function, const std::vector<Option>& settings) const;
  // Long tables come in so many parts of the same columns; 0: TableOf gives all.
  virtual size_t table_parts(std::string_view /*function*/) const { return 0; }
  virtual Table TablePart(std::string_view function, const std::vector<Option>& settings,
                          size_t part) const;
  // Whether ML.EVALUATE can judge the model by rows.
  virtual bool can_be_judged() const { return task() != Task::kProjection; }
  // What ML.EVALUATE says of the training itself, for kinds that are not judged by their scores.
  virtual std::map<std::string, double> TrainingMetrics() const { return {}; }

  // Whether Explain works. It writes, for each row and each explained output (two classes: the
  // higher one; otherwise each score), a contribution of each input and then the baseline: their
  // sum is the output before the link (log odds, or a score of softmax), or the value itself.
  virtual bool can_explain() const { return false; }
  virtual size_t explained_count() const {
    return task() == Task::kClassification && score_count() == 2 ? 1 : score_count();
  }
  virtual void Explain(const Batch& inputs, std::span<double> out) const;

  // Whether ML.DETECT_ANOMALIES works: a score a row that is the higher the less the row is like
  // the training rows, clustering's with the centroid (from 1) it refers to; and the score that the
  // share `contamination` (0 to 0.5) of the training rows exceeds.
  virtual bool can_detect_anomalies() const { return false; }
  virtual void AnomalyScores(const Batch& inputs, std::span<double> scores,
                             std::span<int64_t> centroids) const;
  virtual double AnomalyThreshold(double contamination) const;
  // Whether Intervals works. It writes, for each row: the value, the bounds in which its mean lies
  // with this confidence, and those in which a new observation does. NaN: not known.
  virtual bool has_intervals() const { return false; }
  virtual void Intervals(const Batch& inputs, double confidence, std::span<double> out) const;

  // The model as text (docs/formats/model_artefact.md); its kind's `load` reads it.
  virtual std::string ToArtefact() const = 0;
  // The model as an ONNX file, and the JSON that says what goes in and comes out. Throws
  // kExportUnsupported for kinds that have no such form.
  virtual std::string ToOnnx() const;
  virtual std::string Signature() const;

 protected:
  Model() = default;
  Model(const Model&) = default;
  Model(Model&&) = default;
  Model& operator=(const Model&) = default;
  Model& operator=(Model&&) = default;

  // For Score: throws kModelInput when the columns are not input_columns().
  void CheckInputs(const Batch& inputs) const;
};

constexpr size_t kIntervalWidth = 5;  // numbers a row of Model::Intervals

// ML.TRAINING_INFO of kinds that have rounds alone to tell of.
Table TrainingInfoTable(const std::vector<TrainingInfoRow>& rows);

struct TrainedModel {
  std::unique_ptr<Model> model;
  std::vector<std::string> notices;        // for people: what is odd about these rows
  std::vector<double> global_explanation;  // one an input; empty: not asked for
};

}  // namespace braid::ml

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/batch.h"
#include "ml/training.h"

namespace braid::ml {

// A trained model that answers row by row. Immutable, so any number of threads may use one. Batches
// hold the inputs in the order of `inputs()` (kDouble or kString columns).
class Model {
 public:
  virtual ~Model() = default;
  virtual ModelType type() const = 0;
  virtual std::vector<InputColumn> input_columns() const = 0;
  virtual const std::string& label() const = 0;
  // Label texts in ascending order; empty for a regression.
  virtual const std::vector<std::string>& classes() const = 0;
  // Writes one value a row.
  virtual void PredictRegression(const Batch& inputs, std::span<double> out) const = 0;
  // Writes rows × classes probabilities, row by row, in the order of classes().
  virtual void PredictProbabilities(const Batch& inputs, std::span<double> out) const = 0;
  // The model as text (docs/formats/model_artefact.md); LoadModel reads it.
  virtual std::string ToArtefact() const = 0;
  // The model as an ONNX file, and the JSON that says what goes in and comes out.
  virtual std::string ToOnnx() const = 0;
  virtual std::string Signature() const = 0;

 protected:
  Model() = default;
  Model(const Model&) = default;
  Model(Model&&) = default;
  Model& operator=(const Model&) = default;
  Model& operator=(Model&&) = default;
};

struct TrainedModel {
  std::unique_ptr<Model> model;
  std::vector<std::string> notices;  // for people: what is odd about these rows
};

// Trains the kind of model that the request names. Throws kTrainingData, kInterrupted when stopped.
TrainedModel TrainModel(const TrainingRequest& request, RowSource& rows,
                        const TrainingControl& control = {});

// Reads an artefact of any kind of model. Throws kLakeDamaged when it is malformed, kLakeFormat
// when another version wrote it.
std::unique_ptr<Model> LoadModel(std::string_view artefact);

}  // namespace braid::ml

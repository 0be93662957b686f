// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/option.h"
#include "engine/connection.h"
#include "ml/feature_statistics.h"
#include "ml/model.h"
#include "ml/options.h"
#include "session/model_store.h"
#include "train/fit_rows.h"
#include "train/training_rows.h"

namespace braid::train {

// The fit of one model to rows that a projection turns into numbers, categories and a label.
class Fitting {
 public:
  // `settings` are the statement's options; `options` was read from them. All outlive the object.
  Fitting(engine::Connection& connection, const ml::ModelOptions& options,
          const std::vector<Option>& settings, const session::Projection& projection,
          int64_t threads)
      : connection_(connection),
        options_(options),
        settings_(settings),
        projection_(projection),
        threads_(threads) {}

  // Whether sums over the rows suffice, which are gathered in one scan in constant memory.
  bool moments_suffice() const { return MomentsSuffice(Request()); }
  bool MomentsSuffice(const ml::TrainingRequest& request) const;
  // Throws TRAINING_DATA, INTERRUPTED.
  ml::TrainedModel Fit(const TrainingRows& rows, const ml::TrainingControl& control);
  // What the inputs look like, where Fit found it out by the way; else empty.
  std::vector<ml::NumberStatistics> TakeNumbers() { return std::move(numbers_); }

  // The model that the fit begins at.
  void StartFrom(std::shared_ptr<const session::StoredModel> model) {
    warm_start_ = std::move(model);
  }

  // What fits to the same rows have in common: several at once may read it.
  struct Material {
    Material(SharedConnection& shared, const Fitting& fitting, const RowParts& parts, bool holds);
    std::vector<std::string> classes;
    SharedRows training;
    SharedRows evaluation;
    SharedMoments moments;
    bool is_split;
  };
  ml::TrainedModel Fit(Material& material, const std::vector<Option>& settings,
                       const ml::TrainingControl& control) const;

  // The request for these rows, without held-out ones.
  ml::TrainingRequest RequestFor(const TrainingRows& rows) const;
  // What a RowSource gives, as a select list over __braid_row: inputs, label, weight.
  std::string InputList() const;
  // What moments are gathered of: inputs and label.
  std::string MomentList() const;
  const ml::ModelOptions& options() const { return options_; }
  int64_t threads() const { return threads_; }

 private:
  ml::TrainingRequest Request() const;
  bool Classifies() const;
  std::vector<std::string> Classes(const std::string& rows) const;

  engine::Connection& connection_;
  const ml::ModelOptions& options_;
  const std::vector<Option>& settings_;
  const session::Projection& projection_;
  int64_t threads_;
  std::vector<ml::NumberStatistics> numbers_;
  std::shared_ptr<const session::StoredModel> warm_start_;
};

}  // namespace braid::train

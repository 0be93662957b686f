// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <vector>

#include "train/fitting.h"
#include "train/tuning.h"

namespace braid::train {

// One trial after another, or several at once: fits a model with some hyperparameters and judges
// it. Thread-safe once made.
class TrialRunner {
 public:
  TrialRunner(const TuningRequest& request, const TrainingRows& rows);

  // Never throws for what is wrong with the trial alone; throws INTERRUPTED, and what concerns all.
  struct Outcome {
    catalog::ModelTrial trial;
    std::exception_ptr error;  // of a trial that did not succeed
    std::vector<std::string> notices;
  };
  Outcome Run(size_t index, const ml::TrainingControl& control);

 private:
  struct Fold {
    Fitting::Material material;
    std::string evaluation;  // rows
  };
  using Metrics = std::map<std::string, double>;

  void Train(const std::vector<Option>& settings, const ml::TrainingControl& control,
             Outcome& outcome);
  Metrics JudgeFolds(const std::vector<Option>& settings, const ml::TrainingControl& control);
  session::StoredModel Fit(Fitting::Material& material, const std::vector<Option>& settings,
                           const ml::TrainingControl& control, std::vector<std::string>& notices);
  Metrics JudgeOn(const session::StoredModel& stored, const std::string& sha256,
                  const std::string& rows);

  const TuningRequest& request_;
  SharedConnection shared_;
  Fitting fitting_;
  std::unique_ptr<Fitting::Material> material_;
  std::vector<std::unique_ptr<Fold>> folds_;
  std::string evaluation_;  // rows
  std::string test_;
};

// {"l2_reg":0.1}
std::string PointText(const ml::SearchPoint& point);

}  // namespace braid::train

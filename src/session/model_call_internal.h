// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "ml/option_reader.h"
#include "session/ml_sql.h"

// What the files that read the arguments of model calls share.
namespace braid::session {

struct BoundCall {
  const std::vector<BoundModel>& models;
  const BoundModel& model;         // the first
  const GivenRows* given;          // the first rows
  const syntax::MappedText* rows;  // their SQL
  const syntax::MappedText* calibration;
  const std::vector<Option>& options;  // what `settings` reads
  ml::OptionReader settings;
};

// Settings that several functions have; they throw kInvalidOption.
double Threshold(const BoundCall& call);
double Confidence(const BoundCall& call);
// Throws kNotSupported for a model of another task.
void RequireTask(const BoundCall& call, std::string_view function, ml::Task task,
                 std::string_view wanted);
// Throws kInvalidOption when a setting is given that is not for this kind of model.
void RefuseSettingOf(const BoundCall& call, std::string_view setting, std::string_view wanted);

// judging_calls.cc
syntax::MappedText PredictConformal(const BoundCall& call);
syntax::MappedText PredictCalibrated(const BoundCall& call);
syntax::MappedText CalibrationCurve(const BoundCall& call);
syntax::MappedText EvaluateCalibration(const BoundCall& call);
syntax::MappedText Compare(const BoundCall& call);

}  // namespace braid::session

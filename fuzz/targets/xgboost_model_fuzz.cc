// SPDX-License-Identifier: Apache-2.0
// XGBoost's files, JSON and UBJSON: any bytes are refused, or make a model that scores and
// explains.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/tree/xgboost_import.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace braid;
  try {
    const ml::ImportedModel imported =
        ml::ImportXgboost({.file = std::string(reinterpret_cast<const char*>(data), size)});
    const size_t inputs = imported.model->input_columns().size();
    const double values[2] = {0.5, std::numeric_limits<double>::quiet_NaN()};
    const Batch batch{2, std::vector<ColumnView>(inputs, {ColumnKind::kDouble, values, nullptr})};
    std::vector<double> scores(2 * imported.model->score_count());
    imported.model->Score(batch, scores);
    if (inputs <= 64) {
      std::vector<double> explained(2 * imported.model->explained_count() * (inputs + 1));
      imported.model->Explain(batch, explained);
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kModelImport) __builtin_trap();
  }
  return 0;
}

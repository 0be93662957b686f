// SPDX-License-Identifier: Apache-2.0
#include "ml/tree/xgboost_library.h"

#include <fmt/format.h>
#include <xgboost/c_api.h>

#include <limits>

#include "base/error.h"

namespace braid::ml {

namespace {

void Check(int result) {
  if (result == 0) return;
  std::string reason = XGBGetLastError();
  reason = reason.substr(0, reason.find("\nStack trace"));
  throw Error(ErrorCode::kTrainingData, "XGBoost cannot train on these rows: " + reason);
}

void FreeMatrix(void* handle) { XGDMatrixFree(handle); }
void FreeBooster(void* handle) { XGBoosterFree(handle); }

}  // namespace

XgboostMatrix::XgboostMatrix(std::span<const float> values, size_t columns, size_t threads)
    : handle_(nullptr, FreeMatrix) {
  DMatrixHandle handle = nullptr;
  Check(XGDMatrixCreateFromMat_omp(values.data(), values.size() / columns, columns,
                                   std::numeric_limits<float>::quiet_NaN(), &handle,
                                   static_cast<int>(threads)));
  handle_.reset(handle);
}

void XgboostMatrix::SetLabels(std::span<const float> labels) {
  Check(XGDMatrixSetFloatInfo(handle_.get(), "label", labels.data(), labels.size()));
}

void XgboostMatrix::SetWeights(std::span<const float> weights) {
  Check(XGDMatrixSetFloatInfo(handle_.get(), "weight", weights.data(), weights.size()));
}

XgboostBooster::XgboostBooster(const XgboostMatrix& training,
                               const std::vector<std::pair<std::string, std::string>>& parameters)
    : handle_(nullptr, FreeBooster) {
  DMatrixHandle matrix = training.handle_.get();
  BoosterHandle handle = nullptr;
  Check(XGBoosterCreate(&matrix, 1, &handle));
  handle_.reset(handle);
  for (const auto& [name, value] : parameters)
    Check(XGBoosterSetParam(handle, name.c_str(), value.c_str()));
}

void XgboostBooster::Update(int round, const XgboostMatrix& training) {
  Check(XGBoosterUpdateOneIter(handle_.get(), round, training.handle_.get()));
}

// The library answers "[3]\t0-rmse:1.5\t1-rmse:1.7".
std::vector<double> XgboostBooster::Losses(
    int round, const std::vector<const XgboostMatrix*>& matrices) const {
  std::vector<DMatrixHandle> handles;
  std::vector<std::string> texts;
  for (const XgboostMatrix* matrix : matrices) {
    texts.push_back(std::to_string(handles.size()));
    handles.push_back(matrix->handle_.get());
  }
  std::vector<const char*> names;
  for (const std::string& text : texts) names.push_back(text.c_str());
  const char* answer = nullptr;
  Check(XGBoosterEvalOneIter(handle_.get(), round, handles.data(), names.data(), handles.size(),
                             &answer));
  std::vector<double> losses;
  const std::string text = answer;
  for (size_t at = text.find(':'); at != std::string::npos; at = text.find(':', at + 1))
    losses.push_back(std::stod(text.substr(at + 1)));
  BRAID_CHECK(losses.size() == matrices.size());
  return losses;
}

std::vector<float> XgboostBooster::Predict(const XgboostMatrix& rows, Output output) const {
  const std::string config = fmt::format(
      R"({{"type":{},"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":true}})",
      static_cast<int>(output));
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* values = nullptr;
  Check(XGBoosterPredictFromDMatrix(handle_.get(), rows.handle_.get(), config.c_str(), &shape,
                                    &dimensions, &values));
  size_t count = 1;
  for (size_t d = 0; d < dimensions; ++d) count *= shape[d];
  return {values, values + count};
}

std::string XgboostBooster::ToJson() const {
  bst_ulong size = 0;
  const char* bytes = nullptr;
  Check(XGBoosterSaveModelToBuffer(handle_.get(), R"({"format":"json"})", &size, &bytes));
  return {bytes, size};
}

}  // namespace braid::ml

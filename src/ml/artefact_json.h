// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ml/training.h"

// Artefacts that are JSON objects with a format name and a version.
namespace braid::ml {

// Throws kTrainingData when a text is not UTF-8.
std::string DumpArtefact(const nlohmann::ordered_json& json);
// Throws kLakeDamaged when it is no such JSON, kLakeFormat for another version. `also`: a second
// version that can be read.
nlohmann::ordered_json ParseArtefact(std::string_view artefact, std::string_view format,
                                     int version, std::optional<int> also = std::nullopt);
[[noreturn]] void MalformedArtefact(std::string_view what);

// Each throws kLakeDamaged when the number does not fit.
double FiniteNumber(const nlohmann::ordered_json& json);
int64_t CountNumber(const nlohmann::ordered_json& json);
std::vector<double> FiniteNumbers(const nlohmann::ordered_json& json, size_t count);

// The rows of ML.TRAINING_INFO without their durations. Reading throws kLakeDamaged, or nlohmann's
// exceptions.
nlohmann::ordered_json TrainingInfoJson(const std::vector<TrainingInfoRow>& rows);
std::vector<TrainingInfoRow> ReadTrainingInfo(const nlohmann::ordered_json& json);

}  // namespace braid::ml

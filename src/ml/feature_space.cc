// SPDX-License-Identifier: Apache-2.0
#include "ml/feature_space.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "ml/artefact_json.h"
#include "ml/kernels.h"
#include "ml/table.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

FeatureInput ReadInput(const Json& json) {
  FeatureInput input{.name = json.at("name").get<std::string>()};
  const std::string kind = json.at("kind").get<std::string>();
  if (kind == "numeric") {
    input.mean = FiniteNumber(json.at("mean"));
    input.offset = FiniteNumber(json.at("offset"));
    input.scale = FiniteNumber(json.at("scale"));
    if (!(input.scale > 0)) MalformedArtefact("an input's scale is not positive");
    return input;
  }
  if (kind != "category") MalformedArtefact("an input is of an unknown kind");
  input.kind = InputKind::kCategory;
  for (const Json& level : json.at("levels"))
    input.levels.push_back(level.is_null() ? std::nullopt
                                           : std::optional(level.get<std::string>()));
  const std::set<std::optional<std::string>> distinct(input.levels.begin(), input.levels.end());
  if (distinct.size() != input.levels.size()) MalformedArtefact("a category stands twice");
  return input;
}

}  // namespace

FeatureSpace::FeatureSpace(std::vector<FeatureInput> inputs) : inputs_(std::move(inputs)) {
  for (const FeatureInput& input : inputs_) {
    Levels levels;
    for (size_t level = 0; level < input.levels.size(); ++level) {
      if (input.levels[level])
        levels.of_text.emplace(*input.levels[level], level);
      else
        levels.of_null = level;
    }
    levels_.push_back(std::move(levels));
    size_ += input.width();
  }
}

std::vector<InputColumn> FeatureSpace::columns() const {
  std::vector<InputColumn> columns;
  for (const FeatureInput& input : inputs_) columns.push_back({input.name, input.kind});
  return columns;
}

void FeatureSpace::Fill(const Batch& rows, size_t begin, size_t count, double* block) const {
  std::fill(block, block + size_ * kSliceRows, 0.0);
  for (size_t c = 0; c < inputs_.size(); ++c) {
    const FeatureInput& input = inputs_[c];
    const ColumnView& view = rows.columns[c];
    for (size_t r = 0; r < count; ++r) {
      const size_t row = begin + r;
      if (input.kind == InputKind::kNumeric) {
        const bool known = view.IsValid(row) && !std::isnan(view.doubles()[row]);
        block[r] = ((known ? view.doubles()[row] : input.mean) - input.offset) / input.scale;
        continue;
      }
      std::optional<size_t> level = levels_[c].of_null;
      if (view.IsValid(row)) {
        const auto found = levels_[c].of_text.find(view.strings()[row]);
        level = found == levels_[c].of_text.end() ? std::nullopt : std::optional(found->second);
      }
      if (level) block[*level * kSliceRows + r] = 1;
    }
    block += input.width() * kSliceRows;
  }
}

Json FeatureSpace::ToJson() const {
  Json list = Json::array();
  for (const FeatureInput& input : inputs_) {
    if (input.kind == InputKind::kNumeric) {
      list.push_back({{"name", input.name},
                      {"kind", "numeric"},
                      {"mean", input.mean},
                      {"offset", input.offset},
                      {"scale", input.scale}});
      continue;
    }
    Json levels = Json::array();
    for (const auto& level : input.levels) levels.push_back(OrNull(level));
    list.push_back({{"name", input.name}, {"kind", "category"}, {"levels", std::move(levels)}});
  }
  return list;
}

FeatureSpace FeatureSpace::FromJson(const Json& json) {
  std::vector<FeatureInput> inputs;
  for (const Json& item : json) inputs.push_back(ReadInput(item));
  if (inputs.empty()) MalformedArtefact("there are no inputs");
  return FeatureSpace(std::move(inputs));
}

std::vector<std::vector<Json>> FeatureSpace::Describe(const double* vector) const {
  std::vector<std::vector<Json>> rows;
  for (const FeatureInput& input : inputs_) {
    Json categories = Json::array();
    if (input.kind == InputKind::kCategory)
      for (size_t level = 0; level < input.levels.size(); ++level)
        categories.push_back({{"category", OrNull(input.levels[level])}, {"value", vector[level]}});
    rows.push_back({input.name, input.kind == InputKind::kNumeric ? Json(*vector) : Json(),
                    std::move(categories)});
    vector += input.width();
  }
  return rows;
}

}  // namespace braid::ml

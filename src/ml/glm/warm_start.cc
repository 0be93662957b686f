// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/warm_start.h"

#include <algorithm>
#include <map>

namespace braid::ml {

namespace {

// Where an input's weights begin in a GlmScore.
struct EarlierInput {
  const GlmInput* input = nullptr;
  size_t first = 0;
};

std::map<std::string_view, EarlierInput> InputsByName(const GlmModel& model) {
  std::map<std::string_view, EarlierInput> found;
  size_t first = 0;
  for (const GlmInput& input : model.inputs()) {
    found[input.name] = {&input, first};
    first += input.kind == InputKind::kNumeric ? 1 : input.categories.size();
  }
  return found;
}

void AddCategory(const DesignColumn& column, const GlmInput& now, const EarlierInput& then,
                 const GlmScore& score, std::vector<double>& beta) {
  for (size_t k = 0; k < column.width; ++k) {
    const auto& text = now.categories[column.level_of[k]].text;
    const auto& levels = then.input->categories;
    const auto level =
        std::find_if(levels.begin(), levels.end(),
                     [&](const CategoryLevel& candidate) { return candidate.text == text; });
    if (level != levels.end())
      beta[column.first + k] =
          score.weights[then.first + static_cast<size_t>(level - levels.begin())];
  }
}

std::vector<double> FeaturesOf(const Design& design,
                               const std::map<std::string_view, EarlierInput>& inputs,
                               const GlmScore& score) {
  std::vector<double> beta(design.features + 1);
  beta[design.features] = score.intercept;
  for (size_t c = 0; c < design.columns.size(); ++c) {
    const DesignColumn& column = design.columns[c];
    const auto then = inputs.find(design.inputs[c].name);
    if (then == inputs.end() || then->second.input->kind != column.kind) continue;
    if (column.kind == InputKind::kCategory) {
      AddCategory(column, design.inputs[c], then->second, score, beta);
      continue;
    }
    const double weight = score.weights[then->second.first];
    beta[column.first] = weight * column.scale;
    beta[design.features] += weight * column.offset;
  }
  return beta;
}

}  // namespace

std::vector<std::vector<double>> WarmCoefficients(const Design& design, const GlmModel& earlier) {
  const auto inputs = InputsByName(earlier);
  if (design.classes.empty()) return {FeaturesOf(design, inputs, earlier.scores()[0])};
  std::vector<std::vector<double>> coefficients;
  const bool has_one_score = earlier.scores().size() == 1;  // that of the higher of two labels
  for (const std::string& label : design.classes) {
    const auto& labels = earlier.classes();
    const auto known = std::find(labels.begin(), labels.end(), label);
    const bool weighs = known != labels.end() && (!has_one_score || known != labels.begin());
    const size_t index = has_one_score ? 0 : static_cast<size_t>(known - labels.begin());
    coefficients.push_back(weighs ? FeaturesOf(design, inputs, earlier.scores()[index])
                                  : std::vector<double>(design.features + 1));
  }
  if (coefficients.size() == 2)
    for (size_t j = 0; j <= design.features; ++j) {
      coefficients[1][j] -= coefficients[0][j];
      coefficients[0][j] = 0;
    }
  return coefficients;
}

}  // namespace braid::ml

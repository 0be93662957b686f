// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ml/factorization/factor_side.h"
#include "ml/factorization/ratings.h"
#include "ml/model.h"

namespace braid::ml {

struct FactorizationParts {
  Feedback feedback = Feedback::kExplicit;
  std::string user_name;
  std::string item_name;
  std::string label;
  IdIndex users;
  IdIndex items;
  FactorSide user_side;
  FactorSide item_side;
  double mean = 0;  // of the ratings; 0 with implicit feedback
  int64_t rows = 0;
  int64_t skipped = 0;
  std::vector<TrainingInfoRow> training_info;
};

// Scores are NaN for users and items that training did not see.
class FactorizationModel final : public Model {
 public:
  explicit FactorizationModel(FactorizationParts parts);
  static FactorizationModel FromArtefact(std::string_view artefact);

  const FactorizationParts& parts() const { return parts_; }
  std::string_view kind() const override { return "matrix_factorization"; }
  Task task() const override { return Task::kRecommendation; }
  std::vector<InputColumn> input_columns() const override;
  int64_t rows() const override { return parts_.rows; }
  size_t score_count() const override { return 1; }
  std::vector<std::string> score_names() const override;
  void Score(const Batch& inputs, std::span<double> out) const override;
  std::vector<std::string> known_categories(size_t input) const override;
  // Confidences of implicit feedback are no ratings: what they say is which items come first.
  bool ranks_items() const override { return parts_.feedback == Feedback::kImplicit; }
  std::optional<uint32_t> PlaceOf(size_t input, std::string_view id) const override;
  std::vector<UserRanking> Rank(std::span<const UserItems> users) const override;
  std::vector<TableFunction> table_functions() const override;
  Table TableOf(std::string_view function, const std::vector<Option>& settings) const override;
  std::string ToArtefact() const override;

 private:
  FactorizationParts parts_;
};

}  // namespace braid::ml

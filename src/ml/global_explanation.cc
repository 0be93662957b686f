// SPDX-License-Identifier: Apache-2.0
#include "ml/global_explanation.h"

#include <algorithm>
#include <cmath>

#include "ml/compensated_sum.h"

namespace braid::ml {

std::vector<double> GlobalExplanation(const Model& model, RowSource& rows,
                                      const std::stop_token& stop) {
  const size_t inputs = model.input_columns().size();
  const size_t outputs = model.explained_count();
  const size_t scores = model.score_count();
  std::vector<CompensatedSum> sums(inputs);
  std::vector<double> explained;
  std::vector<double> scored;
  int64_t count = 0;
  rows.Scan([&](const Batch& batch) {
    ThrowIfStopped(stop);
    Batch given{.rows = batch.rows, .columns = {}};
    given.columns.assign(batch.columns.begin(),
                         batch.columns.begin() + static_cast<std::ptrdiff_t>(inputs));
    explained.resize(batch.rows * outputs * (inputs + 1));
    model.Explain(given, explained);
    scored.resize(batch.rows * scores);
    if (outputs > 1) model.Score(given, scored);
    for (size_t row = 0; row < batch.rows; ++row) {
      const auto begin = scored.begin() + static_cast<std::ptrdiff_t>(row * scores);
      const auto likeliest =
          outputs > 1
              ? static_cast<size_t>(
                    std::max_element(begin, begin + static_cast<std::ptrdiff_t>(scores)) - begin)
              : 0;
      const double* part = &explained[(row * outputs + likeliest) * (inputs + 1)];
      for (size_t i = 0; i < inputs; ++i) sums[i].Add(std::abs(part[i]));
    }
    count += static_cast<int64_t>(batch.rows);
  });
  std::vector<double> means;
  for (const CompensatedSum& sum : sums)
    means.push_back(count == 0 ? 0 : sum.total() / static_cast<double>(count));
  return means;
}

}  // namespace braid::ml

// SPDX-License-Identifier: Apache-2.0
#include "ml/picked_batch.h"

#include "base/error.h"

namespace braid::ml {

const Batch& PickedBatch::Pick(const Batch& from, size_t first_column, size_t count,
                               std::span<const uint32_t> rows) {
  if (columns_.size() < count) columns_.resize(count);
  batch_.rows = rows.size();
  batch_.columns.resize(count);
  for (size_t c = 0; c < count; ++c) {
    const ColumnView& view = from.columns[first_column + c];
    Column& to = columns_[c];
    const bool numeric = view.kind == ColumnKind::kDouble;
    BRAID_CHECK(numeric || view.kind == ColumnKind::kString);
    to.numbers.resize(numeric ? rows.size() : 0);
    to.texts.resize(numeric ? 0 : rows.size());
    if (view.validity != nullptr) to.validity.assign(rows.size() / 64 + 1, 0);
    for (size_t i = 0; i < rows.size(); ++i) {
      const bool valid = view.IsValid(rows[i]);
      if (numeric)
        to.numbers[i] = view.doubles()[rows[i]];
      else
        to.texts[i] = valid ? view.strings()[rows[i]] : std::string_view();
      if (valid && view.validity != nullptr) to.validity[i / 64] |= uint64_t{1} << (i % 64);
    }
    batch_.columns[c] = {view.kind,
                         numeric ? static_cast<const void*>(to.numbers.data())
                                 : static_cast<const void*>(to.texts.data()),
                         view.validity != nullptr ? to.validity.data() : nullptr};
  }
  return batch_;
}

}  // namespace braid::ml

// SPDX-License-Identifier: Apache-2.0
#include "train/partition_rows.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "train/training_rows.h"

namespace braid::train {

namespace {

// Rows in memory, column after column.
class BufferedRows final : public ml::RowSource {
 public:
  void Append(const Batch& batch, size_t first_column, size_t row) {
    const size_t count = batch.columns.size() - first_column;
    if (columns_.size() < count) columns_.resize(count);
    for (size_t c = 0; c < count; ++c) {
      const ColumnView& view = batch.columns[first_column + c];
      Column& column = columns_[c];
      column.kind = view.kind;
      const bool valid = view.IsValid(row);
      if (rows_ % 64 == 0) column.validity.push_back(0);
      if (valid) column.validity.back() |= uint64_t{1} << (rows_ % 64);
      if (view.kind == ColumnKind::kDouble) {
        column.numbers.push_back(view.doubles()[row]);
      } else {
        if (valid) column.text += view.strings()[row];
        column.ends.push_back(column.text.size());
      }
    }
    ++rows_;
  }
  void Clear() {
    rows_ = 0;
    for (Column& column : columns_) {
      column.numbers.clear();
      column.text.clear();
      column.ends.clear();
      column.validity.clear();
    }
  }
  size_t rows() const { return rows_; }

  void Scan(const std::function<void(const Batch&)>& visit) override {
    Batch batch{.rows = rows_, .columns = {}};
    std::vector<std::vector<std::string_view>> texts(columns_.size());
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Column& column = columns_[c];
      size_t begin = 0;
      for (const size_t end : column.ends) {
        texts[c].push_back(std::string_view(column.text).substr(begin, end - begin));
        begin = end;
      }
      const void* data = column.kind == ColumnKind::kDouble
                             ? static_cast<const void*>(column.numbers.data())
                             : static_cast<const void*>(texts[c].data());
      batch.columns.push_back({column.kind, data, column.validity.data()});
    }
    visit(batch);
  }

 private:
  struct Column {
    ColumnKind kind = ColumnKind::kDouble;
    std::vector<double> numbers;
    std::string text;  // one after the other
    std::vector<size_t> ends;
    std::vector<uint64_t> validity;
  };
  size_t rows_ = 0;
  std::vector<Column> columns_;
};

bool IsKeyOf(const ml::PartitionKey& key, const Batch& batch, size_t row) {
  for (size_t k = 0; k < key.size(); ++k) {
    const ColumnView& view = batch.columns[k];
    if (key[k].has_value() != view.IsValid(row)) return false;
    if (key[k] && *key[k] != view.strings()[row]) return false;
  }
  return true;
}

}  // namespace

void ScanPartitions(
    engine::Connection& connection, const PartitionQuery& query,
    const std::function<void(const ml::PartitionKey& key, ml::RowSource& rows)>& visit) {
  ml::PartitionKey key;
  BufferedRows rows;
  const auto end_partition = [&] {
    if (rows.rows() > 0) visit(key, rows);
    rows.Clear();
  };
  QueryRows(connection,
            fmt::format("SELECT {}, {} FROM {} ORDER BY ALL", query.keys, query.list, query.from))
      .Scan([&](const Batch& batch) {
        for (size_t row = 0; row < batch.rows; ++row) {
          if (rows.rows() == 0 || !IsKeyOf(key, batch, row)) {
            end_partition();
            key.clear();
            for (size_t k = 0; k < query.key_count; ++k)
              key.push_back(batch.columns[k].IsValid(row)
                                ? std::optional<std::string>(batch.columns[k].strings()[row])
                                : std::nullopt);
          }
          rows.Append(batch, query.key_count, row);
        }
      });
  end_partition();
}

}  // namespace braid::train

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/batch.h"
#include "ml/remote/remote_signature.h"

namespace braid::ml {

// The body of POST /v2/models/m/infer, row by row. Values are written in a flat list, row after
// row.
class InferRequest {
 public:
  explicit InferRequest(const RemoteSignature& signature);

  // Adds a row of a batch whose columns are the inputs as CarrierType says. Returns false, and adds
  // nothing, when an input (or a part of a list) is NULL or NaN, for which the protocol has no
  // form. Throws kModelInput for what does not fit: infinities, integers beyond the datatype, lists
  // of another length.
  bool Add(const Batch& inputs, size_t row);
  size_t rows() const { return rows_; }
  std::string Body() const;

 private:
  struct Column {
    std::string data;  // values with commas between
    size_t width = 0;  // values a row; 0: not known yet
  };
  bool AddValue(const RemotePort& port, const ColumnView& view, size_t row, Column& column) const;
  bool AddList(const RemotePort& port, std::string_view list, Column& column) const;

  const RemoteSignature& signature_;
  std::vector<Column> columns_;
  size_t rows_ = 0;
};

}  // namespace braid::ml

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/batch.h"

namespace braid::engine {

// Up to 2,048 rows of a result. Valid while it lives, also after its Result is gone.
class Chunk {
 public:
  ~Chunk();
  Chunk(Chunk&&) noexcept;
  Chunk& operator=(Chunk&&) noexcept;

  size_t rows() const;
  // One value as JSON: NULL, booleans, numbers up to 64 bits, strings; DECIMAL, HUGEINT, UUID,
  // dates, times and intervals as strings (ISO 8601, TIMESTAMPTZ in UTC with Z), BLOB as base64,
  // NaN and infinities as strings, LIST as array, STRUCT and MAP as object (a MAP whose keys are
  // not text: array of {key, value}).
  nlohmann::ordered_json Value(size_t column, size_t row) const;
  // Typed views of some columns, without copying numbers: DOUBLE, BIGINT, BOOLEAN, VARCHAR/BLOB
  // only (cast in SQL). Throws kInternal for other types. Valid while this chunk lives.
  const Batch& AsBatch() const;

  struct Handle;
  explicit Chunk(std::unique_ptr<Handle> handle);

 private:
  std::unique_ptr<Handle> handle_;
};

// The rows of a statement, fetched chunk by chunk. Ends with its connection.
class Result {
 public:
  ~Result();
  Result(Result&&) noexcept;
  Result& operator=(Result&&) noexcept;

  size_t column_count() const;
  const std::vector<std::string>& column_names() const;
  const std::vector<std::string>& column_types() const;  // SQL names, e.g. "STRUCT(a INTEGER)"
  // False for statements that have no result of their own (CREATE, INSERT without RETURNING, …).
  bool has_rows() const;
  int64_t rows_changed() const;
  std::optional<Chunk> Next();

  struct Handle;
  explicit Result(std::unique_ptr<Handle> handle);

 private:
  std::unique_ptr<Handle> handle_;
};

}  // namespace braid::engine

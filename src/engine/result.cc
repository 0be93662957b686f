// SPDX-License-Identifier: Apache-2.0
#include "engine/result.h"

#include "engine/result_internal.h"

namespace braid::engine {

struct Chunk::Handle {
  OwnedChunk chunk;
  std::vector<OwnedType> types;
  std::vector<std::vector<std::string_view>> texts;  // the views that `batch` points at
  Batch batch;
  bool has_batch = false;
};

namespace {

ColumnKind KindOfType(duckdb_logical_type type) {
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_DOUBLE:
      return ColumnKind::kDouble;
    case DUCKDB_TYPE_BIGINT:
      return ColumnKind::kInt64;
    case DUCKDB_TYPE_BOOLEAN:
      return ColumnKind::kBool;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
      return ColumnKind::kString;
    default:
      throw Error(ErrorCode::kInternal, "Not a type of Batch: " + TypeName(type));
  }
}

}  // namespace

std::vector<std::string_view> TextViews(duckdb_vector vector, size_t rows) {
  std::vector<std::string_view> views(rows);
  auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  const uint64_t* validity = duckdb_vector_get_validity(vector);
  for (size_t row = 0; row < rows; ++row) {
    if (validity != nullptr && (validity[row / 64] >> (row % 64) & 1) == 0) continue;
    views[row] = {duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row])};
  }
  return views;
}

Chunk::Chunk(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Chunk::~Chunk() = default;
Chunk::Chunk(Chunk&&) noexcept = default;
Chunk& Chunk::operator=(Chunk&&) noexcept = default;

size_t Chunk::rows() const { return duckdb_data_chunk_get_size(handle_->chunk.get()); }

nlohmann::ordered_json Chunk::Value(size_t column, size_t row) const {
  return VectorValue(duckdb_data_chunk_get_vector(handle_->chunk.get(), column),
                     handle_->types[column].get(), row);
}

const Batch& Chunk::AsBatch() const {
  if (handle_->has_batch) return handle_->batch;
  Batch& batch = handle_->batch;
  batch.rows = rows();
  for (size_t i = 0; i < handle_->types.size(); ++i) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(handle_->chunk.get(), i);
    ColumnView view{.kind = KindOfType(handle_->types[i].get()),
                    .data = duckdb_vector_get_data(vector),
                    .validity = duckdb_vector_get_validity(vector)};
    if (view.kind == ColumnKind::kString) {
      handle_->texts.push_back(TextViews(vector, batch.rows));
      view.data = handle_->texts.back().data();
    }
    batch.columns.push_back(view);
  }
  handle_->has_batch = true;
  return batch;
}

void Result::Handle::Describe() {
  for (idx_t i = 0; i < duckdb_column_count(&result); ++i) {
    names.emplace_back(duckdb_column_name(&result, i));
    const OwnedType type(duckdb_column_logical_type(&result, i));
    types.push_back(TypeName(type.get()));
  }
}

Result::Result(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Result::~Result() = default;
Result::Result(Result&&) noexcept = default;
Result& Result::operator=(Result&&) noexcept = default;

size_t Result::column_count() const { return handle_->names.size(); }
const std::vector<std::string>& Result::column_names() const { return handle_->names; }
const std::vector<std::string>& Result::column_types() const { return handle_->types; }

bool Result::has_rows() const {
  return duckdb_result_return_type(handle_->result) == DUCKDB_RESULT_TYPE_QUERY_RESULT;
}

int64_t Result::rows_changed() const {
  return static_cast<int64_t>(duckdb_rows_changed(&handle_->result));
}

std::optional<Chunk> Result::Next() {
  auto chunk = std::make_unique<Chunk::Handle>();
  chunk->chunk = OwnedChunk(duckdb_fetch_chunk(handle_->result));
  if (!chunk->chunk) {
    const std::string message = ResultMessage(&handle_->result);
    if (!message.empty())
      throw TranslateError(duckdb_result_error_type(&handle_->result), message, handle_->sql);
    return std::nullopt;
  }
  for (idx_t i = 0; i < duckdb_column_count(&handle_->result); ++i)
    chunk->types.emplace_back(duckdb_column_logical_type(&handle_->result, i));
  return Chunk(std::move(chunk));
}

std::string ResultMessage(duckdb_result* result) {
  const char* message = duckdb_result_error(result);
  return message == nullptr ? "" : message;
}

duckdb_error_type ErrorTypeOf(const char* message) {
  const std::string_view text = message == nullptr ? "" : message;
  const std::pair<std::string_view, duckdb_error_type> types[] = {
      {"\"exception_type\":\"Catalog\"", DUCKDB_ERROR_CATALOG},
      {"\"exception_type\":\"Binder\"", DUCKDB_ERROR_BINDER},
      {"\"exception_type\":\"Parser\"", DUCKDB_ERROR_PARSER},
      {"\"exception_type\":\"Conversion\"", DUCKDB_ERROR_CONVERSION},
      {"\"exception_type\":\"IO\"", DUCKDB_ERROR_IO},
      {"\"exception_type\":\"TransactionContext\"", DUCKDB_ERROR_TRANSACTION},
      {"\"exception_type\":\"Constraint\"", DUCKDB_ERROR_CONSTRAINT},
      {"\"exception_type\":\"Not implemented\"", DUCKDB_ERROR_NOT_IMPLEMENTED},
      {"\"exception_type\":\"Out of Memory\"", DUCKDB_ERROR_OUT_OF_MEMORY},
      {"\"exception_type\":\"INTERRUPT\"", DUCKDB_ERROR_INTERRUPT},
      {"\"exception_type\":\"INTERNAL\"", DUCKDB_ERROR_INTERNAL}};
  for (const auto& [mark, type] : types)
    if (text.find(mark) != std::string_view::npos) return type;
  if (text.starts_with("Parser Error")) return DUCKDB_ERROR_PARSER;
  return DUCKDB_ERROR_INVALID_INPUT;
}

}  // namespace braid::engine

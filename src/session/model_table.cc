// SPDX-License-Identifier: Apache-2.0
// The tables that a model tells of itself as SQL: short ones as VALUES; those that come in parts
// from a table function, part by part, each row as a JSON list of its cells.
#include "session/model_table.h"

#include <fmt/format.h>

#include "base/error.h"
#include "engine/functions.h"
#include "session/option_json.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::QuoteString;

std::string CellSql(const nlohmann::ordered_json& cell) {
  if (cell.is_null()) return "NULL";
  if (cell.is_boolean()) return cell.get<bool>() ? "TRUE" : "FALSE";
  if (cell.is_number_integer()) return cell.dump();
  if (cell.is_number()) return NumberSql(cell.get<double>());
  if (cell.is_string()) return QuoteString(cell.get<std::string>());
  std::string items;
  if (cell.is_array()) {
    for (const auto& item : cell) items += (items.empty() ? "" : ", ") + CellSql(item);
    return "[" + items + "]";
  }
  for (const auto& [key, value] : cell.items())
    items += fmt::format("{}{}: {}", items.empty() ? "" : ", ", QuoteString(key), CellSql(value));
  return "{" + items + "}";
}

// Writes the rows of a model's table, a part after the other.
class PartReader {
 public:
  PartReader(std::shared_ptr<const StoredModel> model, std::string function,
             std::vector<Option> settings)
      : model_(std::move(model)), function_(std::move(function)), settings_(std::move(settings)) {}

  size_t Write(engine::VectorWriter& out, size_t capacity) {
    const size_t parts = model_->core->table_parts(function_);
    size_t written = 0;
    while (written < capacity) {
      if (next_row_ == rows_.size()) {
        if (next_part_ == parts) break;
        rows_ = model_->core->TablePart(function_, settings_, next_part_++).rows;
        next_row_ = 0;
        continue;
      }
      const nlohmann::ordered_json cells = std::move(rows_[next_row_++]);
      out.SetString(written++, cells.dump());
    }
    return written;
  }

 private:
  std::shared_ptr<const StoredModel> model_;
  std::string function_;
  std::vector<Option> settings_;
  std::vector<std::vector<nlohmann::ordered_json>> rows_;
  size_t next_row_ = 0;
  size_t next_part_ = 0;
};

std::string PartsSql(const BoundModel& model, std::string_view function,
                     const std::vector<Option>& settings) {
  const ml::Table first = model.stored.core->TablePart(function, settings, 0);
  std::string casts;
  for (size_t c = 0; c < first.columns.size(); ++c) {
    const auto& [name, type] = first.columns[c];
    // ->> gives texts as they are, and NULL for null.
    const bool nested = type.ends_with("]") || type.ends_with(")");
    casts += fmt::format("{}CAST(__cells {} '$[{}]' AS {}) AS {}", c == 0 ? "" : ", ",
                         nested ? "->" : "->>", c, type, syntax::QuoteIdentifier(name));
  }
  return fmt::format(
      "(SELECT {} FROM (SELECT CAST(cells AS JSON) AS __cells FROM "
      "braid_model_table({}, {}, {})) AS __t)",
      casts, QuoteString(model.version.artefact_sha256), QuoteString(std::string(function)),
      QuoteString(OptionsToJson(settings)));
}

}  // namespace

std::string TableSql(const ml::Table& table) {
  std::string names;
  std::string casts;
  for (const ml::Table::Column& column : table.columns) {
    const std::string name = syntax::QuoteIdentifier(column.name);
    names += (names.empty() ? "" : ", ") + name;
    casts +=
        fmt::format("{}CAST({} AS {}) AS {}", casts.empty() ? "" : ", ", name, column.type, name);
  }
  std::string rows;
  for (const auto& row : table.rows) {
    std::string cells;
    for (const auto& cell : row) cells += (cells.empty() ? "" : ", ") + CellSql(cell);
    rows += fmt::format("{}({})", rows.empty() ? "" : ", ", cells);
  }
  const bool empty = rows.empty();
  for (size_t i = 0; empty && i < table.columns.size(); ++i) rows += i == 0 ? "(NULL" : ", NULL";
  return fmt::format("(SELECT {} FROM (VALUES {}) AS __t({}){})", casts, rows + (empty ? ")" : ""),
                     names, empty ? " WHERE FALSE" : "");
}

std::string ModelTableSql(const BoundModel& model, std::string_view function,
                          const std::vector<Option>& settings) {
  const ml::Model& core = *model.stored.core;
  return core.table_parts(function) > 0 ? PartsSql(model, function, settings)
                                        : TableSql(core.TableOf(function, settings));
}

void RegisterModelTables(engine::Connection& connection, ModelStore& store) {
  engine::Register(connection,
                   engine::TableFunction{
                       .name = "braid_model_table",
                       .parameter_types = {"VARCHAR", "VARCHAR", "VARCHAR"},
                       .columns = {{"cells", "VARCHAR"}},
                       .open = [&store](std::span<const std::string> arguments) {
                         auto reader = std::make_shared<PartReader>(
                             store.Get(arguments[0]), arguments[1], OptionsFromJson(arguments[2]));
                         return [reader](std::span<engine::VectorWriter> columns, size_t capacity) {
                           return reader->Write(columns[0], capacity);
                         };
                       }});
}

}  // namespace braid::session

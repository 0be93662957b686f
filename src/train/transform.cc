// SPDX-License-Identifier: Apache-2.0
#include "train/transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "session/preprocess.h"
#include "syntax/format.h"
#include "syntax/query.h"
#include "syntax/select_list.h"
#include "syntax/token.h"
#include "train/training_rows.h"
#include "train/transform_expression_internal.h"

namespace braid::train {

namespace {

using session::ProjectedInput;
using syntax::MappedText;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

// A list becomes an input for each of its elements; more than that are better left a category.
constexpr size_t kMaximumElements = 1000;

class Freezer {
 public:
  Freezer(engine::Connection& connection, const syntax::SourceText& clause,
          const std::vector<lake::Column>& columns, const std::string& rows,
          const std::vector<std::string>& untouched)
      : connection_(connection), text_(clause.text), rows_(rows), untouched_(untouched) {
    for (const lake::Column& column : columns) columns_.push_back(column.name);
  }

  FrozenTransform Freeze() {
    for (const syntax::SelectItem& item : syntax::ParseSelectList(text_)) {
      if (item.is_star) {
        AddStar(item);
      } else {
        AddItem(item.name, item);
      }
    }
    for (const std::string& name : untouched_)
      if (!Given(name))
        Fail(0,
             Error(ErrorCode::kTrainingData, "TRANSFORM leaves out a column: " + name,
                   "the label, DATA_SPLIT_COL, INSTANCE_WEIGHT_COL and the partition columns must "
                   "pass as they are: name it"));
    if (result_.inputs.empty())
      Fail(0, Error(ErrorCode::kTrainingData, "TRANSFORM gives no input beside the label",
                    "name at least one more column"));
    return std::move(result_);
  }

 private:
  [[noreturn]] void Fail(size_t offset, const Error& error) const {
    throw error.At(SpotAt(text_, offset, ""));
  }
  bool Given(const std::string& name) const {
    return std::any_of(given_.begin(), given_.end(),
                       [&](const std::string& known) { return EqualsIgnoringCase(known, name); });
  }
  bool IsUntouched(const std::string& name) const {
    return std::any_of(untouched_.begin(), untouched_.end(),
                       [&](const std::string& known) { return EqualsIgnoringCase(known, name); });
  }

  void RequireColumn(const std::string& name, size_t offset) const {
    for (const std::string& known : columns_)
      if (EqualsIgnoringCase(known, name)) return;
    const auto close = ClosestMatch(name, columns_);
    Fail(offset, Error(ErrorCode::kBinder, "The training query gives no column: " + name,
                       close ? fmt::format("did you mean {}?", *close) : ""));
  }

  void AddStar(const syntax::SelectItem& star) {
    for (const syntax::Name& name : star.excluded) RequireColumn(name.name, name.offset);
    for (const syntax::SelectItem& item : star.replaced)
      RequireColumn(item.name, item.expression.offset);
    for (const std::string& column : columns_) {
      if (std::any_of(star.excluded.begin(), star.excluded.end(), [&](const syntax::Name& name) {
            return EqualsIgnoringCase(name.name, column);
          }))
        continue;
      const auto replaced =
          std::find_if(star.replaced.begin(), star.replaced.end(),
                       [&](const auto& item) { return EqualsIgnoringCase(item.name, column); });
      if (replaced != star.replaced.end()) {
        AddItem(column, *replaced);
      } else {
        MappedText own;
        own.Append(QuoteIdentifier(column), star.expression.offset);
        encoder_ = {};
        Add(column, own, star.expression.offset);
      }
    }
  }

  void AddItem(const std::string& name, const syntax::SelectItem& item) {
    const size_t offset = item.expression.offset;
    if (name.empty())
      Fail(offset, Error(ErrorCode::kSyntax, "A column of TRANSFORM has no name",
                         "write expression AS name"));
    vocabulary_.clear();
    const MappedText frozen = Frozen(item.expression);
    encoder_ = {};
    const auto functions = syntax::FindExtensions(item.expression.text).functions;
    if (functions.size() == 1 && functions[0].begin == 0 &&
        functions[0].end == item.expression.text.size()) {
      encoder_.vocabulary = vocabulary_;
      if (functions[0].name == "ONE_HOT_ENCODER") {
        const syntax::SourceText& s = functions[0].arguments[0];
        encoder_.one_hot =
            OverRow(connection_, text_, Frozen({s.text, offset + s.offset}), columns_).text();
      }
    }
    Add(name, frozen, offset);
  }

  void Add(const std::string& name, const MappedText& expression, size_t offset) {
    if (Given(name))
      Fail(offset, Error(ErrorCode::kSyntax, "TRANSFORM gives a column twice: " + name,
                         "name one of them anew, or leave it out with * EXCEPT (name)"));
    const MappedText qualified = OverRow(connection_, text_, expression, columns_);
    given_.push_back(name);
    if (IsUntouched(name)) {
      const std::string bare = ToLower(qualified.text());
      const std::string lower = ToLower(name);
      if (bare != "__braid_row." + lower && bare != "__braid_row." + ToLower(QuoteIdentifier(name)))
        Fail(offset, Error(ErrorCode::kTrainingData, "TRANSFORM changes a column: " + name,
                           "the label, DATA_SPLIT_COL and INSTANCE_WEIGHT_COL must pass as they "
                           "are: compute it in the training query"));
      return;
    }
    result_.columns.push_back({name, qualified.text(), false});
    try {
      AddInputs(name, qualified);
    } catch (const Error& error) {
      Fail(offset, error);
    }
  }

  // A query over the rows: SELECT … FROM rows AS __braid_row.
  MappedText OverRows(const MappedText& expression) const {
    MappedText sql;
    sql.Append("SELECT ");
    sql.Append(expression);
    sql.Append(" AS v FROM " + rows_ + " AS __braid_row");
    return sql;
  }

  void AddInputs(const std::string& name, const MappedText& expression) {
    const MappedText query = OverRows(expression);
    std::string type;
    try {
      type = connection_.DescribeStatement(query.text()).column_types.at(0);
    } catch (const Error& error) {
      throw PlacedIn(text_, query, error);
    }
    const std::string path = "(" + expression.text() + ")";
    std::vector<ProjectedInput> inputs;
    if (!type.ends_with("[]")) {
      inputs = InputsOf(name, path, type);
    } else if (IsNumeric(type.substr(0, type.size() - 2))) {
      inputs = ElementsOf(name, path, query.text());
    } else if (type == "STRUCT(index BIGINT, value DOUBLE)[]" && !vocabulary_.empty()) {
      inputs = IndicesOf(name, path, query.text());
    } else {
      throw Error(ErrorCode::kTrainingData,
                  fmt::format("A column of TRANSFORM cannot be an input: {} {}", name, type),
                  "lists of numbers and the encoders of ML.* can: as a column of its own, "
                  "ML.MULTI_HOT_ENCODER(list) OVER () AS name");
    }
    for (ProjectedInput& input : inputs) {
      for (const ProjectedInput& earlier : result_.inputs)
        if (EqualsIgnoringCase(earlier.name, input.name))
          throw Error(ErrorCode::kTrainingData, "TRANSFORM gives an input twice: " + input.name,
                      "the elements of a column are named after it: name one of them anew");
      result_.inputs.push_back(std::move(input));
    }
  }

  // A list of numbers that is as long in every row.
  std::vector<ProjectedInput> ElementsOf(const std::string& name, const std::string& path,
                                         const std::string& query) {
    const auto lengths =
        connection_.Rows(fmt::format("SELECT min(len(v)), max(len(v)) FROM ({})", query)).at(0);
    if (lengths[0].is_null() || lengths[0] != lengths[1] || lengths[0] == 0)
      throw Error(ErrorCode::kTrainingData,
                  "A list is not as long in every row of TRANSFORM: " + name,
                  "only lists of one length are inputs");
    const auto length = lengths[0].get<size_t>();
    RequireFew(name, length);
    std::vector<ProjectedInput> inputs;
    for (size_t i = 1; i <= length; ++i)
      inputs.push_back({fmt::format("{}_{}", name, i), fmt::format("{}[{}]", path, i), false});
    return inputs;
  }

  // What an encoder gives: the value at each index that is not zero in all rows (so the dropped
  // category is none, and the unknown one only where rows have it).
  std::vector<ProjectedInput> IndicesOf(const std::string& name, const std::string& path,
                                        const std::string& query) {
    std::vector<size_t> indices;
    for (const auto& row : connection_.Rows(
             fmt::format("SELECT DISTINCT e.\"index\" FROM (SELECT unnest(v) AS e FROM ({})) WHERE "
                         "e.\"value\" <> 0 ORDER BY 1",
                         query)))
      indices.push_back(row[0].get<size_t>());
    RequireFew(name, indices.size());
    return EncodedInputs(name, path, encoder_, indices);
  }

  static void RequireFew(const std::string& name, size_t elements) {
    if (elements <= kMaximumElements) return;
    throw Error(
        ErrorCode::kTrainingData,
        fmt::format("A column of TRANSFORM has more than {} elements: {}", kMaximumElements, name),
        "lower top_k, or pass the text as it is: it becomes a category");
  }

  // An expression whose functions are SQL and whose statistics are constants.
  MappedText Frozen(const syntax::SourceText& expression) {
    const syntax::QueryExtensions found = Extensions(expression);
    MappedText result;
    size_t at = 0;
    for (const syntax::MlFunction& function : found.functions) {
      result.AppendOriginal(std::string_view(expression.text).substr(at, function.begin - at),
                            expression.offset + at);
      result.Append(FrozenFunction(function, expression.offset));
      at = function.end;
    }
    result.AppendOriginal(std::string_view(expression.text).substr(at), expression.offset + at);
    return result;
  }

  syntax::QueryExtensions Extensions(const syntax::SourceText& expression) const {
    syntax::QueryExtensions found = syntax::FindExtensions(expression.text);
    for (const syntax::MlCall& call : found.calls)
      Fail(expression.offset + call.begin,
           Error(ErrorCode::kNotSupported, "A model cannot stand in TRANSFORM: ML." + call.function,
                 "predict in the training query"));
    return found;
  }

  MappedText FrozenFunction(const syntax::MlFunction& function, size_t base) {
    session::PreprocessingScope scope;
    scope.rewrite = [this, base](const syntax::SourceText& argument) {
      return Frozen({argument.text, base + argument.offset});
    };
    scope.statistic = [this](std::string_view pattern, const MappedText& values) {
      return Statistic(pattern, values);
    };
    scope.fail = [this, base](const Error& error, size_t offset) { Fail(base + offset, error); };
    return session::PreprocessingSql(function, scope);
  }

  // Computes a statistic and gives it as a constant.
  MappedText Statistic(std::string_view pattern, const MappedText& values) {
    const MappedText rows = OverRows(OverRow(connection_, text_, values, columns_));
    const MappedText sql =
        syntax::FillIn(fmt::format("SELECT ({}) AS s", pattern), {syntax::FillIn("($1)", {rows})});
    MappedText constant;
    try {
      const std::string type = connection_.DescribeStatement(sql.text()).column_types.at(0);
      const bool list = type.ends_with("[]");
      const auto value = connection_.Scalar(fmt::format(
          "SELECT {} FROM ({})",
          list ? "list_transform(s, lambda e: CAST(e AS VARCHAR))" : "CAST(s AS VARCHAR)",
          sql.text()));
      constant.Append(fmt::format("CAST({} AS {})", Literal(value), type));
      if (list && type == "VARCHAR[]") {
        vocabulary_ = {std::string(kUnknown)};
        for (const auto& text : value) vocabulary_.push_back(text);
      }
    } catch (const Error& error) {
      throw PlacedIn(text_, sql, error);
    }
    return constant;
  }

  static std::string Literal(const nlohmann::ordered_json& value) {
    if (value.is_null()) return "NULL";
    if (value.is_string()) return QuoteString(value.get<std::string>());
    std::string items;
    for (const auto& item : value) items += (items.empty() ? "" : ", ") + Literal(item);
    return "[" + items + "]";
  }

  engine::Connection& connection_;
  const std::string& text_;
  const std::string& rows_;
  const std::vector<std::string>& untouched_;
  std::vector<std::string> columns_;
  std::vector<std::string> given_;
  std::vector<std::string> vocabulary_;  // of the newest encoder, by index
  Encoder encoder_;                      // that the item at hand is
  FrozenTransform result_;
};

}  // namespace

FrozenTransform FreezeTransform(engine::Connection& connection, const syntax::SourceText& clause,
                                const std::vector<lake::Column>& columns, const std::string& rows,
                                const std::vector<std::string>& untouched) {
  return Freezer(connection, clause, columns, rows, untouched).Freeze();
}

}  // namespace braid::train

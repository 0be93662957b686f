// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <variant>

#include "catalog/place.h"
#include "flow/declaration_queries_internal.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

const syntax::TableDeclaration* TableOf(const syntax::Statement& statement) {
  if (const auto* table = std::get_if<syntax::CreateStreamingTable>(&statement)) return table;
  return std::get_if<syntax::CreateMaterializedView>(&statement);
}

// The file that a model is imported from.
const std::string* ModelPathOf(const syntax::Statement& statement) {
  const auto* model = std::get_if<syntax::CreateModel>(&statement);
  if (model == nullptr) return nullptr;
  for (const Option& option : model->options)
    if (option.name == "model_path") return std::get_if<std::string>(&option.value.value);
  return nullptr;
}

// Applies `move` to every offset.
template <typename Move>
void MoveOffsets(QueryInputs& inputs, Move move) {
  for (TableRead& read : inputs.tables) read.offset = move(read.offset);
  for (syntax::ModelReference& model : inputs.models) {
    model.offset = move(model.offset);
    model.name.offset = model.offset;
  }
  for (syntax::Name& service : inputs.services) service.offset = move(service.offset);
  for (syntax::ReadFiles& files : inputs.stream_files) files.offset = move(files.offset);
}

template <typename T>
void MoveInto(std::vector<T>& all, std::vector<T>& some) {
  all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
}

void Merge(QueryInputs& all, QueryInputs some) {
  MoveInto(all.tables, some.tables);
  MoveInto(all.models, some.models);
  MoveInto(all.services, some.services);
  MoveInto(all.stream_files, some.stream_files);
  MoveInto(all.file_patterns, some.file_patterns);
  all.reads_unknown = all.reads_unknown || some.reads_unknown;
}

class Reading {
 public:
  Reading(const catalog::Object& object, QueryReader& reader, std::vector<Error>& problems)
      : object_(object), reader_(reader), problems_(problems) {}

  QueryInputs Run() {
    const syntax::Statement& statement = *object_.statement;
    if (const syntax::TableDeclaration* table = TableOf(statement)) ReadConditions(*table);
    if (const Option* option = PromotionQueryOf(statement)) ReadPromotion(*option);
    if (const syntax::SourceText* query = QueryOf(statement)) ReadPart("", *query, "");
    if (const std::string* path = ModelPathOf(statement)) inputs_.file_patterns.push_back(*path);
    std::stable_sort(inputs_.tables.begin(), inputs_.tables.end(),
                     [](const TableRead& a, const TableRead& b) { return a.offset < b.offset; });
    return std::move(inputs_);
  }

 private:
  // Reads `before` part `after`; false when it cannot be parsed.
  bool ReadPart(const std::string& before, const syntax::SourceText& part,
                const std::string& after) {
    try {
      QueryInputs inputs = reader_.Read(before + part.text + after);
      MoveOffsets(inputs, [&](size_t offset) { return part.offset + offset - before.size(); });
      Merge(inputs_, std::move(inputs));
      return true;
    } catch (const Error& error) {
      const size_t inside =
          error.where() ? catalog::OffsetOf(before + part.text, *error.where()) : before.size();
      const size_t offset = inside < before.size() ? 0 : inside - before.size();
      problems_.push_back(catalog::PlaceInFile(error, object_, part.offset + offset));
      return false;
    }
  }

  // Conditions are parsed together; one by one only to tell which of them is wrong.
  void ReadConditions(const syntax::TableDeclaration& table) {
    if (table.expectations.empty()) return;
    std::string all = "SELECT 1";
    for (const syntax::Expectation& expectation : table.expectations)
      all += ", (" + expectation.condition.text + "\n)";
    try {
      const QueryInputs inputs = reader_.Read(all);
      if (inputs.tables.empty() && inputs.models.empty() && inputs.services.empty() &&
          inputs.stream_files.empty() && inputs.file_patterns.empty() && !inputs.reads_unknown)
        return;
    } catch (const Error&) {
    }
    for (const syntax::Expectation& expectation : table.expectations)
      ReadPart("SELECT (", expectation.condition, "\n)");
  }

  void ReadPromotion(const Option& option) {
    const auto* text = std::get_if<std::string>(&option.value.value);
    if (text == nullptr) return;  // training says what the option takes
    try {
      QueryInputs inputs = reader_.Read(*text);
      // The text is a literal, in which places do not count as in the statement.
      MoveOffsets(inputs, [&](size_t) { return option.offset; });
      Merge(inputs_, std::move(inputs));
    } catch (const Error& error) {
      problems_.push_back(catalog::PlaceInFile(
          Error(error.code(), fmt::format("In promotion_query: {}", error.message()), error.hint()),
          object_, option.offset));
    }
  }

  const catalog::Object& object_;
  QueryReader& reader_;
  std::vector<Error>& problems_;
  QueryInputs inputs_;
};

}  // namespace

const syntax::SourceText* QueryOf(const syntax::Statement& statement) {
  if (const syntax::TableDeclaration* table = TableOf(statement))
    return table->query ? &*table->query : nullptr;
  if (const auto* flow = std::get_if<syntax::CreateFlow>(&statement)) return &flow->query;
  if (const auto* model = std::get_if<syntax::CreateModel>(&statement))
    return model->query.text.empty() ? nullptr : &model->query;
  if (const auto* service = std::get_if<syntax::CreateService>(&statement)) return &service->query;
  return nullptr;
}

const Option* PromotionQueryOf(const syntax::Statement& statement) {
  const auto* model = std::get_if<syntax::CreateModel>(&statement);
  if (model == nullptr) return nullptr;
  for (const Option& option : model->options)
    if (option.name == "promotion_query") return &option;
  return nullptr;
}

QueryInputs InputsOf(const catalog::Object& object, QueryReader& reader,
                     std::vector<Error>& problems) {
  return Reading(object, reader, problems).Run();
}

}  // namespace braid::flow
